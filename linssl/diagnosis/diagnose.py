"""The front door: from arrays to a diagnosis."""

import contextlib
import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Literal, NamedTuple

import jax
import numpy as np

from linssl.arguments import Numbers, describe, require_dim
from linssl.augmentations import Augmentation
from linssl.data.images import cannot_be_told
from linssl.data.preparation import as_preparation, uneven
from linssl.data.targets import Targets, check_targets
from linssl.diagnosis.assemble import Aligned, Findings, assemble
from linssl.diagnosis.attempt import Attempt, attempts
from linssl.diagnosis.batches import Batches, Judged, check_batches, read_batches
from linssl.diagnosis.black_box import ViewProcess
from linssl.diagnosis.called import CalledView, called_view, estimate_folds, views_of_each
from linssl.diagnosis.facts import Batch
from linssl.diagnosis.held_out import BUT_LAST, margins_on_last
from linssl.diagnosis.inputs import Instances, as_real, as_whole
from linssl.diagnosis.measure import Encoded, row_basis
from linssl.diagnosis.nuisance import search, within_labels
from linssl.diagnosis.opened import Opened, instances_of, open_data
from linssl.diagnosis.reduced import Reduced, in_directions, reduce_rows
from linssl.diagnosis.report import Diagnosis
from linssl.diagnosis.rows import DataRows
from linssl.diagnosis.rule import HALF, judge
from linssl.diagnosis.samples import Estimates, Sample, Samples, halves
from linssl.diagnosis.spec import DEFAULT, Setting, parse_augmentation
from linssl.diagnosis.units import Units, find_units
from linssl.runtime.devices import one_blas_thread
from linssl.runtime.progress import Steps


def diagnose(
    data: object,
    labels: Numbers | str | None = None,
    *,
    groups: Numbers | str | None = None,
    batch: Numbers | str | Sequence[str] | Mapping[str, Any] | None = None,
    layer: str | None = None,
    drop: str | Sequence[str] = (),
    impute: Literal["mean", "median"] | None = None,
    standardise: bool = False,
    augmentation: Augmentation | str | None = None,
    view: Callable[..., Any] | str | None = None,
    dim: int | np.integer | None = None,
    image_shape: Sequence[int] | None = None,
    channels: Literal["first", "last"] | None = None,
    tolerance: float | np.floating = 0.1,
    numeric: bool = False,
    batched: bool = False,
    views_per_sample: int | np.integer | None = None,
    view_timeout: float | np.floating = 60.0,
    seed: int | np.integer = 0,
    report: Callable[[int, int], None] | None = None,
) -> Diagnosis:
    r"""Find out which paradigm is better for your data under your augmentation, and what it loses.

    Moments are taken once, in 16 folds of the data. **With labels**, paradigms are compared by the
    task's own metric: held-out accuracy of the linear discriminant on k codes (classes), or R² of
    least squares (numbers), learnt from three quarters of the folds and scored on the others, each
    once. With Δ by how much joint embedding is better on the same samples, and e its error,

    $$ \Delta - 2 e \ge -0.01: \text{ joint embedding}; \qquad
       \Delta + 2 e \le 0.01: \text{ reconstruction} $$

    Both: "either"; none: "undecided". With $a_p$ the metric of paradigm p, $a_*$ that of the best
    linear probe on all features (shrunk as far as helps, or on codes of either), and c of chance,

    $$ p \text{ keeps the signal} \iff a_p - c \ge (1 - \text{tolerance})\, (a_* - c) $$

    Where the better one surely doesn't: "neither".

    **Without**, nothing says what matters but the augmentation: what it shakes is irrelevant.
    Where more than half of the eigenvalues of $\Sigma$ are equal, those above name the
    nuisance N, and with Q an orthonormal basis of the encoder's row space

    $$ p \text{ keeps the signal} \iff \|P_N Q\|_F^2 < \tfrac12 $$

    Both keep it: "either"; one: that one; none: "neither". Where no N is named, "either" if their
    subspaces are less than half a direction apart; else nothing can be told without labels.
    Where a margin is within two standard errors of 0: "undecided".

    Where scores tie at the cut, as all of joint embedding's do where views don't differ, codes are
    arbitrary: "undecided", unless the choices that tell the most and the least have one verdict.
    Errors of the metric come from the folds, those of second moments from balanced half-samples of
    them, exact for averages, and sound where two directions nearly tie.

    **Rows that aren't independent** (of one subject, one recording, one site) are to be named by
    `groups`: no fold splits one, so errors are those over groups, and chance explains as much as
    in $n$ over the design effect $1 + (m - 1) \rho_z \rho_e$ independent rows, for groups of m
    rows, with the correlations within them of the codes and of what the labels leave. Without
    groups, rows that equal one another make one, unless so many are equal by chance.

    If not both surely keep it, alignment is tried: noise of covariance $\alpha^2\Gamma$ is added to
    the views, Γ being the covariance that the labels don't explain (within classes), or what the
    augmentation shakes above its base. With labels that is judged by the same metric and the same
    edge, on the last quarter of the folds alone.

    **Batches** hold $\mathrm{tr}\, S_b / \mathrm{tr}\, S$ of the variance, unbiased. Centring by
    them helps where it raises what a paradigm's codes tell of the labels by more than two standard
    errors: both solved anew from the covariances within batches, $\sum_g \pi_g \hat W_g$, and R²
    taken of the same labels, so that what batches tell of them counts as lost.

    All is computed in double precision, whatever the process uses. Features that never vary are
    kept, and do no harm. Where the views' second moment is singular, noise of 1/1000 of the mean
    variance of a feature is added to all views, and noted.

    Args:
        data: (n, d) or (n, ...) numbers, n >= 32, of any dtype; or whatever `open_source` opens, a
            path, a DataFrame, an AnnData, a sparse or a memory-mapped matrix; "digits", or the
            name of a file in $LINSSL_DATA. Sparse rows are made dense a fold at a time. Of what
            isn't an array in memory and takes more than 2 GB as doubles, as many rows are drawn
            at random as take that, and this is noted. Features that have names are named. Numbers
            of uint8 are taken for pixels, and divided by 255, as `load_dataset` does; a view gets
            them as they are.
        labels: (n,) classes (text, whole numbers); or numbers to be predicted, (n, e), or (n,)
            with fractions, each scaled to variance 1. A text is the name of a column of the data
            (obs of an AnnData), which is no feature then, or a file. None is the column y or
            label, where the data have columns; "none" is none.
        groups: (n,) names of what was sampled independently, 16 or more: rows of one are never
            parted. They are taken at their word: also where rows of two are equal. A text is a
            column or a file, as for labels; None is the column `groups`, if any.
        batch: (n,) names of batches, such as plates or donors, or a text as for labels; several
            as a list of texts, or as a dict from names to either. Of each alone is told what it
            holds, what codes tell of it, and whether centring by it helps: the data before they
            are augmented, or what a `view` returns. Rows of one count as independent: of
            trajectories, give rows further apart than they remember.
        layer: which part of the data holds the rows: of an .h5ad X, raw, a name in layers, or
            obsm/NAME.
        drop: names of columns that are left out.
        impute: "mean" or "median" of its column for a missing value; None refuses those.
        standardise: whether each feature gets mean 0 and variance 1. Variances that differ by more
            than 100 are noted. Of a table, text becomes one feature for each level, `column=level`;
            dates, and text that is other in nearly every row, are refused. See `Preparation`.
        augmentation: an `Augmentation`, or a text such as "shifts:2+noise:0.01", "mask:0.5",
            "dropout:0.3", "flips", "crops:0.8" or "blur:1"; None (without a view) is "noise:0.1".
        view: a function from one instance to a view of as many values in the same order, called
            views_per_sample times on each. It gets an array in the shape, order and dtype of
            `data`, or in `image_shape`; of a torch tensor, a tensor. Or "module:function", which
            runs in a process of its own, and gets arrays. n >= 320.
        dim: k; None is the number of classes less one, or of numeric targets; without labels, the
            largest gap of joint embedding's spectrum in its first half.
        image_shape: sides of a row as its features are ordered, (height, width), or three with
            the channels first or last; None takes those of `data` (n, ...), or guesses a square
            where data are (n, d) and d is one, and notes it.
        channels: "first" or "last" of the sides; None recognises it, where just one of both can
            be a number of channels (1, 3 or 4), and asks where images are needed. Augmentations
            act on rows with channels last.
        tolerance: in [0, 1).
        numeric: whether whole-number labels are numbers to be predicted.
        batched: whether the view takes a block (m, ...) and returns (m, ...), each instance with
            a draw of its own; one draw for all of a block is refused.
        views_per_sample: None is 2 to 8, as many as make 100 000 views.
        view_timeout: seconds that one call of a named view may take. A function that is passed
            itself runs in this process, and has no limit.
        seed: of the folds, and of numpy's global generator for a named view.
        report: called with (done, total) as the work goes on.

    Returns:
        `Diagnosis`: print it, or take `.to_json()` or `.to_html()`.

    Raises:
        ValueError: input that can't be used, saying what came and what was wanted; a view that
            returns other than as many finite numbers, in their order, or that draws once for a
            whole block; a named view that fails or hangs.

    Source: JEvRC, Theorems 1 and 2, section 4; derived (the rule and its errors).
    """
    seed = as_whole("seed", seed, 0)
    for name, value in (("numeric", numeric), ("batched", batched)):
        if not isinstance(value, bool | np.bool_):
            raise ValueError(f"{name} must be True or False; got {value!r}.")
    preparation = as_preparation(drop, impute, standardise)
    opened = open_data(
        data, labels, groups, batch, layer, seed, view is not None, preparation=preparation
    )
    asked = _asked(opened, numeric)
    instances = instances_of(opened, data if callable(view) else None, image_shape, channels)
    rows = DataRows(instances.X)
    reduced = reduce_rows(rows)
    solved = rows if reduced is None else reduced.rows
    tolerance, dim = _tolerance(tolerance), _checked_dim(dim, solved.features)
    view_timeout = as_real("view_timeout", view_timeout)
    if views_per_sample is not None:
        views_per_sample = as_whole("views_per_sample", views_per_sample, 2)
    if augmentation is not None and view is not None:
        raise ValueError("augmentation and view exclude each other; got both.")
    if batched and view is None:
        raise ValueError("batched is for a view; got none.")
    with jax.enable_x64(True), contextlib.ExitStack() as stack:
        stack.enter_context(one_blas_thread())  # more only wait for each other, up to d = 1000
        again = len(asked.batches) if asked.targets is not None else 0
        tell = Steps(report, (len(halves()) + 1) * (1 + again) + 2)
        samples = Samples(solved, asked.targets, seed, asked.units)
        if reduced is not None:
            samples.variance = float(reduced.variances.mean())
        problem = _Problem(samples, instances, reduced, [one.index for one in asked.batches])
        if view is None:
            made = _by_augmentation(problem, augmentation)
        else:
            named = ViewProcess(view, view_timeout, seed) if isinstance(view, str) else None
            function: Any = view if named is None else stack.enter_context(named)
            V = views_of_each(len(rows), views_per_sample)
            name = view if isinstance(view, str) else _name(view)
            made = _by_view(problem, function, V, batched, f"{name}, {V} views of each")
        tell()
        variance = (made.called.scale or 1.0) * samples.variance  # views may all be 0
        findings = _measure(samples, made.source, dim, tolerance, variance, tell)
        before = Judged(findings.attempt, findings.judgement, tolerance)
        names = opened.names if reduced is None else None  # of what is solved
        return assemble(
            findings,
            tolerance=tolerance,
            targets=asked.targets,
            constant=samples.constant if reduced is None else reduced.constant,
            reduced=reduced,
            units=asked.units,
            instances=instances,
            names=opened.names,
            column=opened.called,
            called=made.called,
            found_so_far=opened.notes + _scales(samples, instances, opened, reduced),
            batches=_read_batches(asked, samples, made, before, names, tell),
            augmentation=made.words,
            seed=seed,
            versions=_versions(),
        )


class _Problem(NamedTuple):
    """What views are made of: samples, the instances as they came, and batches to centre by."""

    samples: Samples
    instances: Instances
    reduced: Reduced | None
    by: list[np.ndarray]


class _Made(NamedTuple):
    """What makes views, or views that were called; the same once centred by each of the batches."""

    source: Augmentation | Estimates
    centred: list[Any]
    called: CalledView
    words: str


def _by_augmentation(problem: _Problem, augmentation: Augmentation | str | None) -> _Made:
    samples, instances, reduced, by = problem
    rows = DataRows(instances.X)
    spec = DEFAULT if augmentation is None else augmentation
    setting = Setting(rows.features, samples.variance, instances.image, instances.unordered)
    source = _augmentation(spec, setting)
    words = spec if isinstance(spec, str) else type(spec).__name__
    words += ", the default" if augmentation is None else ""
    if reduced is None:
        return _Made(source, [source] * len(by), CalledView(), words)
    return _Made(*in_directions(source, reduced, rows, samples, by), CalledView(), words)


def _by_view(
    problem: _Problem, view: Callable[..., Any], V: int, batched: bool, words: str
) -> _Made:
    samples, instances, reduced, by = problem
    found = estimate_folds(samples, instances, view, V, batched, reduced, by)
    return _Made(found.plain, list(found.centred), called_view(found.plain, samples), words)


def _read_batches(
    asked: "_Asked",
    samples: Samples,
    made: _Made,
    before: Judged,
    names: tuple[str, ...] | None,
    tell: Callable[[], None],
) -> tuple[Batch, ...]:
    """Say of the batches of each kind what they hold, and what centring changes."""
    return tuple(
        read_batches(one, samples, after, before, names, tell)
        for one, after in zip(asked.batches, made.centred, strict=True)
    )


def _versions() -> dict[str, str]:
    found = {name: version(name) for name in ("linssl", "jax", "numpy", "scipy")}
    return found | {"python": platform.python_version()}


def _tolerance(value: object) -> float:
    tolerance = as_real("tolerance", value)
    if not 0 <= tolerance < 1:
        raise ValueError(f"tolerance must lie in [0, 1); got {tolerance}.")
    return tolerance


def _checked_dim(dim: Any, features: int) -> int | None:
    if dim is None:
        return None
    require_dim(dim, features, "the number of features")
    return int(dim)


class _Asked(NamedTuple):
    """What tells of the rows, checked."""

    targets: Targets | None
    units: Units
    batches: list[Batches]


def _asked(opened: Opened, numeric: bool) -> _Asked:
    """Check what tells of the rows, or raise."""
    n, labels = len(opened.rows), opened.labels
    targets = None if labels is None else check_targets(labels, n, bool(numeric))
    units = find_units(opened.rows, opened.groups)
    batches = [check_batches(*one, n, targets) for one in opened.batches.items()]
    return _Asked(targets, units, batches)


def _scales(
    samples: Samples, instances: Instances, opened: Opened, reduced: Reduced | None
) -> tuple[str, ...]:
    """Note what was reduced, and scales that differ, but of images, whose pixels have one unit."""
    notes = () if reduced is None else (reduced.note(DataRows(instances.X), samples.targets),)
    if instances.image is not None or len(instances.X.shape) > 2:
        return notes
    of = samples if reduced is None else reduced
    varying = np.delete(np.arange(len(of.variances)), of.constant)
    names = None if opened.names is None else [opened.names[at] for at in varying]
    return notes + uneven(of.variances[varying], names)


def _augmentation(spec: Augmentation | str, to: Setting) -> Augmentation:
    if isinstance(spec, str):
        return parse_augmentation(spec, to)
    if not isinstance(spec, Augmentation):
        raise ValueError(f"augmentation must be an Augmentation or a text; got {describe(spec)}.")
    if spec.input_size() not in (None, to.features):
        raise ValueError(
            f"augmentation must be for the {to.features} features of data; "
            f"{type(spec).__name__} is for {spec.input_size()}."
        )
    if to.unordered:
        raise ValueError(
            f"augmentation {type(spec).__name__} acts on rows with channels last, and images of "
            f"{to.unordered} {cannot_be_told(to.unordered)} If they are none, pass them as (n, d)."
        )
    return spec


def _name(view: Callable[..., Any]) -> str:
    return getattr(view, "__name__", type(view).__name__)


def _measure(
    samples: Samples,
    source: Augmentation | Estimates,
    dim: int | None,
    tolerance: float,
    variance: float,
    tell: Callable[[], None],
) -> Findings:
    """Measure without noise if that works, judge, and look for an alignment that helps."""
    targets = samples.targets
    found = attempts(samples, source, targets, dim, variance, tell)
    if found is None:
        raise ValueError(
            "data give views whose second moment can't be factored even with noise on top: look "
            "for columns of very different scales, and standardise them first; or for means far "
            "beyond the spread, of which the augmentation makes noise, and subtract them first."
        )
    N, whole = found.nuisance, found.whole
    named = targets is not None or (N is not None and N.shape[1] > 0)
    judgement = judge(found, tolerance, named)
    Gamma = within_labels(whole.label) if whole.label is not None else found.excess
    searched, instead = [], []
    if named and any(m.sign < 1 for m in judgement.margins):
        searched, instead = _align(samples, source, found, tolerance)
    tell()
    return Findings(found, judgement, Gamma, named, searched, instead)


def _align(
    samples: Samples, source: Augmentation | Estimates, found: Attempt, tolerance: float
) -> tuple[Aligned, Aligned]:
    """Look for an alignment that helps: on top of the augmentation, and with labels in its place
    too, where none does on top.
    """
    k, N = found.dims[0], found.nuisance
    if found.held_out is None:
        assert N is not None
        assert found.excess is not None

        def avoids(_: Sample, learnt: Encoded) -> np.ndarray:
            return HALF - np.array(
                [np.sum(np.square(N.T @ row_basis(W[:k]))) for W in learnt.encoders]
            )

        return search(found.whole, found.excess, k, avoids), []
    keeps = margins_on_last(samples, found.held_out, tolerance)
    sample = samples.of(BUT_LAST, source, found.floor)
    assert sample.label is not None
    Gamma = within_labels(sample.label)
    searched = search(sample, Gamma, k, keeps)
    if any((margins > 0).any() for _, margins in searched):
        return searched, []
    # In its place: nothing but a little noise, and what the labels don't explain.
    setting = Setting(len(sample.views.mean), samples.variance, None)
    noise = parse_augmentation(DEFAULT, setting)
    return searched, search(samples.of(BUT_LAST, noise, 0.0), Gamma, k, keeps)
