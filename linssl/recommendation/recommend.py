"""The front door: from data and labels to a recommendation."""

import contextlib
import platform
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, Literal

import jax
import numpy as np

from linssl.arguments import Numbers, require_dim
from linssl.data.preparation import as_preparation
from linssl.diagnosis.black_box import ViewProcess
from linssl.diagnosis.called import estimate_folds, views_of_each
from linssl.diagnosis.inputs import Instances, as_real, as_whole
from linssl.diagnosis.opened import instances_of, open_data
from linssl.diagnosis.samples import Samples
from linssl.diagnosis.spec import Setting
from linssl.recommendation import assemble, findings
from linssl.recommendation.coordinates import find_coordinates
from linssl.recommendation.evaluate import Grid, default_dims, encoder_of, evaluate
from linssl.recommendation.facts import Metric
from linssl.recommendation.families import Family, Kind, families_for, family_of_view
from linssl.recommendation.laws import sampled
from linssl.recommendation.parts import ALL, BLOCKS, Folds
from linssl.recommendation.ranking import Ranking, rank
from linssl.recommendation.recommendation import Recommendation
from linssl.recommendation.task import NUISANCE, Task, task_of
from linssl.runtime.devices import one_blas_thread
from linssl.runtime.progress import Steps


def recommend(
    data: object,
    labels: Numbers | str | None = None,
    *,
    nuisance: Numbers | str | None = None,
    view: Callable[..., Any] | str | None = None,
    groups: Numbers | str | None = None,
    layer: str | None = None,
    drop: str | Sequence[str] = (),
    impute: Literal["mean", "median"] | None = None,
    standardise: bool = False,
    kind: Kind | None = None,
    dim: int | np.integer | None = None,
    image_shape: Sequence[int] | None = None,
    channels: Literal["first", "last"] | None = None,
    numeric: bool = False,
    batched: bool = False,
    views_per_sample: int | np.integer | None = None,
    view_timeout: float | np.floating = 60.0,
    seed: int | np.integer = 0,
    report: Callable[[int, int], None] | None = None,
) -> Recommendation:
    r"""Find the paradigm, the augmentation, its strength and the number of codes for a task.

    Every setting is solved in closed form from moments of 12 folds of 16, and scored on the other
    four, in turn: by a linear discriminant on its codes (accuracy), or least squares ($R^2$). What
    is compared is that metric, paired on the same rows. With $\hat d$ the lead of the better
    paradigm's best setting and s its standard error over folds:

    $$ \hat d > \max(2 s, 0.01): \text{that paradigm}; \qquad 1.645 s - \hat d \le 0.01:
       \text{either}; \qquad \text{else undecided} $$

    Undecided comes with the samples that would decide it, and with the setting to use until then.
    Choosing the best of many flatters it, so the accuracy and interval that are reported are those
    of choices made on three quarters of the folds and scored on the rest.

    Families that are tried, each at several strengths: noise, noise in proportion to each feature,
    dropout and mixup for tables and embeddings; for images noise, masks, cutout, shifts, flips,
    turns, crops, blur and brightness, alone and with a little noise; noise along the means of the
    nuisance, where one is named; and the view, if any. Of more than 512 features the 384 leading
    directions are used, and what that costs is told; where rows are fewer, theirs is all the space
    there is, which is exact for isotropic noise.

    Args:
        data: as for `diagnose`.
        labels: as for `diagnose`. Without any nothing is ranked: what each augmentation calls
            irrelevant is told.
        nuisance: (n,) levels of what is irrelevant (plate, donor, phase), or numbers; a text is a
            column of the data or a file.
        view: as for `diagnose`: one more family, by samples.
        groups: as for `diagnose`: rows of one are never parted.
        layer: which part of the data holds the rows.
        drop: as for `diagnose`.
        impute: as for `diagnose`.
        standardise: as for `diagnose`.
        kind: "table", "embeddings" or "images"; None decides by the data, and notes it.
        dim: k, the only one that is tried; None tries powers of 2 and what the labels need.
        image_shape: as for `diagnose`.
        channels: as for `diagnose`.
        numeric: whether whole-number labels are numbers to be predicted.
        batched: whether the view takes a block.
        views_per_sample: None is 2 to 8.
        view_timeout: seconds that one call of a named view may take.
        seed: of the folds.
        report: called with (done, total) as the work goes on.

    Returns:
        `Recommendation`: print it, call it on rows for their codes, or take `.recommended`,
        `.table`, `.to_json()` or `.to_html()`.

    Raises:
        ValueError: as `diagnose`; a kind that isn't one, or a nuisance that doesn't fit.

    Source: JEvRC, Theorems 1 and 2; derived (the rule and its errors).
    """
    seed = as_whole("seed", seed, 0)
    for flag, value in (("numeric", numeric), ("batched", batched)):
        if not isinstance(value, bool | np.bool_):
            raise ValueError(f"{flag} must be True or False; got {value!r}.")
    if batched and view is None:
        raise ValueError("batched is for a view; got none.")
    view_timeout = as_real("view_timeout", view_timeout)
    if views_per_sample is not None:
        views_per_sample = as_whole("views_per_sample", views_per_sample, 2)
    opened = open_data(
        data,
        labels,
        groups,
        layer=layer,
        seed=seed,
        dense=view is not None,
        nuisance=nuisance,
        preparation=as_preparation(drop, impute, standardise),
    )
    instances = instances_of(opened, data if callable(view) else None, image_shape, channels)
    task = task_of(
        opened, instances, kind, numeric, NUISANCE if not isinstance(nuisance, str) else nuisance
    )
    if dim is not None:
        require_dim(dim, task.rows.features, "the number of features")
    with jax.enable_x64(True), contextlib.ExitStack() as stack:
        stack.enter_context(one_blas_thread())
        extra = ()
        if view is not None:
            named = ViewProcess(view, view_timeout, seed) if isinstance(view, str) else None
            called = view if named is None else stack.enter_context(named)
            V = views_of_each(len(task.rows), views_per_sample)
            samples = Samples(task.rows, task.labels, seed, task.units)
            words_of = view if isinstance(view, str) else getattr(view, "__name__", "view")
            moments = estimate_folds(samples, instances, called, V, bool(batched)).plain
            extra = (family_of_view(f"{words_of}, {V} views of each", sampled(moments)),)
        return _recommended(task, extra, None if dim is None else int(dim), seed, report)


def _recommended(
    task: Task,
    extra: tuple[Family, ...],
    dim: int | None,
    seed: int,
    report: Callable[[int, int], None] | None,
) -> Recommendation:
    """Evaluate, rank, and put together."""
    folds = Folds(
        task.rows, find_coordinates(task.rows), task.labels, task.nuisance, task.units, seed
    )
    image = task.image
    to = Setting(task.rows.features, folds.variance, image, task.instances.unordered)
    families = (*families_for(task.kind, image, task.nuisance is not None), *extra)
    steps = sum(len((*f.strengths, *f.shown)) * len(f.noise) for f in families)
    tell = Steps(report, steps + 1)
    dims = default_dims(folds) if dim is None else [min(dim, folds.coordinates.size)]
    shared = findings.shaken(folds, to, families, task.names)
    if task.labels is None:
        told = None
        if task.nuisance is not None:
            told = findings.told_of_nuisance(folds, to, task.nuisance_name, None, None, dims)
        less = findings.reduction(task.rows, folds, to, None, None, 0)
        return assemble.unranked(_base(task, seed), shared, told, less)
    grid = evaluate(folds, to, families, dims, tell)
    return _assembled(task, folds, to, families, grid, rank(grid), shared, dims, seed)


def _assembled(
    task: Task,
    folds: Folds,
    to: Setting,
    families: tuple[Family, ...],
    grid: Grid,
    ranking: Ranking,
    shared: tuple[Any, ...],
    dims: list[int],
    seed: int,
) -> Recommendation:
    assert task.labels is not None
    choice = grid.choices[ranking.chosen]
    family = next(f for f in families if f.name == choice.family)
    told = None
    if task.nuisance is not None:
        told = findings.told_of_nuisance(folds, to, task.nuisance_name, family, choice, dims)
    classes, at = task.labels.classes is not None, folds.coordinates
    part = folds.part(ALL)
    W = encoder_of(part, family.law(choice.strength, to, at), choice, to, folds.variance)
    lead = (None, None) if ranking.difference is None else tuple(ranking.difference)
    n, features = len(task.rows), grid.features.of(0)
    # A probe on as many features as it has rows to learn from says nothing of them.
    told_by_all = n * (1 - 1 / BLOCKS) > at.size + task.labels.size
    facts = {
        "recommended": findings.recommended(grid, ranking.chosen, ranking.value, classes),
        "table": findings.table(grid, ranking),
        "best": {
            p: findings.recommended(grid, i, value, classes)
            for p, (i, value) in ranking.by_paradigm.items()
        },
        "lead": lead[0],
        "lead_error": lead[1],
        "samples_to_decide": None if ranking.samples is None else int(np.ceil(n * ranking.samples)),
        "curves": findings.curves(grid),
        "by_dim": findings.by_dim(folds, to, family, grid, ranking.chosen),
        "nuisance": told,
        "learning": findings.learning(folds, to, family, grid, ranking.chosen),
        "reduction": findings.reduction(task.rows, folds, to, family, grid, ranking.chosen),
        "shaken": shared,
        "all_features": features.value if told_by_all else None,
        "all_features_error": features.error if told_by_all else None,
        "chance": grid.scores.chance,
        "encoder": _as_given(at.up(W), task.instances),
        "mean": _as_given(at.up(part.mean), task.instances),
    }
    return assemble.ranked(_base(task, seed), ranking, grid, facts)


def _as_given(vectors: np.ndarray, instances: Instances) -> np.ndarray:
    """Return vectors (..., d) in the order that rows came in."""
    if not instances.moved or instances.image is None:
        return vectors
    images = vectors.reshape(*vectors.shape[:-1], *instances.image)
    return np.moveaxis(images, -1, -3).reshape(vectors.shape)


def _base(task: Task, seed: int) -> dict[str, Any]:
    """Return the fields that every recommendation has."""
    metric: Metric = "R²" if task.labels is not None and task.labels.classes is None else "accuracy"
    found = {name: version(name) for name in ("linssl", "jax", "numpy", "scipy")}
    return {
        "notes": task.notes,
        "metric": metric,
        "samples": len(task.rows),
        "features": task.rows.features,
        "kind": task.kind,
        "labels": "none" if task.labels is None else task.labels.describe(),
        "seed": seed,
        "versions": found | {"python": platform.python_version()},
    }
