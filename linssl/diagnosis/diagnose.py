"""The front door: from arrays to a diagnosis."""

import contextlib
import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

import jax
import numpy as np

from linssl.arguments import Numbers, describe, require_dim
from linssl.augmentations import Augmentation, Image
from linssl.data.targets import Targets, check_targets
from linssl.diagnosis.assemble import Findings, assemble
from linssl.diagnosis.attempt import attempts
from linssl.diagnosis.batches import Batches, Judged, check_batches, read_batches
from linssl.diagnosis.black_box import ViewProcess
from linssl.diagnosis.inputs import FOLDS, as_real, as_whole, find_image
from linssl.diagnosis.measure import Measured
from linssl.diagnosis.nuisance import search, within_labels
from linssl.diagnosis.opened import Opened, open_data
from linssl.diagnosis.report import Diagnosis
from linssl.diagnosis.rows import DataRows
from linssl.diagnosis.rule import judge, margins_of
from linssl.diagnosis.samples import ALL, Estimates, Samples, halves
from linssl.diagnosis.spec import DEFAULT, Setting, parse_augmentation
from linssl.diagnosis.units import Units, find_units
from linssl.diagnosis.worker import as_view
from linssl.pairs.black_box import estimate_parts
from linssl.runtime.devices import one_blas_thread

VIEWS = 100_000  # of a black box: as many of each instance as make this many, 2 to 8
LEAST_FOR_VIEWS = 20 * FOLDS


def diagnose(
    data: object,
    labels: Numbers | str | None = None,
    *,
    groups: Numbers | str | None = None,
    batch: Numbers | str | Sequence[str] | Mapping[str, Any] | None = None,
    layer: str | None = None,
    augmentation: Augmentation | str | None = None,
    view: Callable[..., Any] | str | None = None,
    dim: int | np.integer | None = None,
    image_shape: Sequence[int] | None = None,
    tolerance: float | np.floating = 0.1,
    numeric: bool = False,
    views_per_sample: int | np.integer | None = None,
    view_timeout: float | np.floating = 60.0,
    seed: int | np.integer = 0,
    report: Callable[[int, int], None] | None = None,
) -> Diagnosis:
    r"""Find out which paradigm keeps what matters in your data under your augmentation.

    Moments are taken once, in 16 folds of the data. **With labels**, what matters is what predicts
    them: with $R^2_p$ that of a linear probe on the k codes of paradigm p, and $R^2_*$ that of the
    best k linear codes (both on clean data, adjusted for what chance explains),

    $$ p \text{ keeps the signal} \iff R^2_p \ge (1 - \text{tolerance})\, R^2_* $$

    **Without**, nothing says what matters but the augmentation: what it shakes is irrelevant.
    Where more than half of the eigenvalues of $\Sigma$ are equal, those above name the
    nuisance N, and with Q an orthonormal basis of the encoder's row space

    $$ p \text{ keeps the signal} \iff \|P_N Q\|_F^2 < \tfrac12 $$

    Where no N is named, both do if their subspaces are less than half a direction apart; else
    nothing can be told without labels. Both keep it: "either"; one: that one; none: "neither".
    Where a margin is within two standard errors of 0: "undecided"; so too where scores tie at the
    cut, as all of joint embedding's do where views don't differ: its codes are arbitrary, unless
    any choice among them has one verdict. Errors
    come from balanced half-samples of the folds, exact for averages, and sound where two
    directions nearly tie.

    **Rows that aren't independent** (of one subject, one recording, one site) are to be named by
    `groups`: no fold splits one, so errors are those over groups, and chance explains as much as
    in $n$ over the design effect $1 + (m - 1) \rho_z \rho_e$ independent rows, for groups of m
    rows, with the correlations within them of the codes and of what the labels leave. Without
    groups, rows that equal one another make one, unless so many are equal by chance.

    If not both keep it, alignment is tried: noise of covariance $\alpha^2\Gamma$ is added to the
    views, Γ being the covariance that the labels don't explain (within classes), or what the
    augmentation shakes above its base.

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
            at random as take that, and this is noted. Features that have names are named.
        labels: (n,) classes (text, whole numbers); or numbers to be predicted, (n, e), or (n,)
            with fractions, each scaled to variance 1. A text is the name of a column of the data
            (obs of an AnnData), which is no feature then, or a file. None is the column y or
            label, where the data have columns; "none" is none.
        groups: (n,) names of what was sampled independently, 16 or more: rows of one are never
            parted. They are taken at their word: also where rows of two are equal. A text is a
            column or a file, as for labels; None is the column `groups`, if any.
        batch: (n,) names of batches, such as plates or donors, or a text as for labels; several
            as a list of texts, or as a dict from names to either. Of each alone is told what it
            holds, what codes tell of it, and whether centring by it helps.
        layer: which part of the data holds the rows: of an .h5ad X, raw, a name in layers, or
            obsm/NAME.
        augmentation: an `Augmentation`, or a text such as "shifts:2+noise:0.01", "mask:0.5",
            "dropout:0.3", "flips", "crops:0.8" or "blur:1"; None (without a view) is "noise:0.1".
        view: a function from one instance (numpy, in its shape in `data`, or in `image_shape`) to
            a view of as many values, called views_per_sample times on each; or "module:function",
            which runs in a process of its own. n >= 320.
        dim: k; None is the number of classes less one, or of numeric targets; without labels, the
            largest gap of joint embedding's spectrum in its first half.
        image_shape: (height, width) or (height, width, channels) of a row; None takes the shape
            of `data`, channels last, or a square where d is one.
        tolerance: in [0, 1).
        numeric: whether whole-number labels are numbers to be predicted.
        views_per_sample: None is 2 to 8, as many as make 100 000 views.
        view_timeout: seconds that one call of a named view may take. A function that is passed
            itself runs in this process, and has no limit.
        seed: of the folds, and of numpy's global generator for a named view.
        report: called with (done, total) as the work goes on.

    Returns:
        `Diagnosis`: print it, or take `.to_json()` or `.to_html()`.

    Raises:
        ValueError: input that can't be used, saying what came and what was wanted; a named view
            that fails, hangs, or returns other than as many finite numbers.

    Source: JEvRC, Theorems 1 and 2, section 4; derived (the rule and its errors).
    """
    seed = as_whole("seed", seed, 0)
    opened = open_data(data, labels, groups, batch, layer, seed, dense=view is not None)
    asked = _asked(opened, numeric)
    image, rows = _shaped(opened, image_shape)
    tolerance, dim = _tolerance(tolerance), _checked_dim(dim, rows.features)
    view_timeout = as_real("view_timeout", view_timeout)
    if views_per_sample is not None:
        views_per_sample = as_whole("views_per_sample", views_per_sample, 2)
    if augmentation is not None and view is not None:
        raise ValueError("augmentation and view exclude each other; got both.")
    with jax.enable_x64(True), contextlib.ExitStack() as stack:
        stack.enter_context(one_blas_thread())  # more only wait for each other, up to d = 1000
        again = len(asked.batches) if asked.targets is not None and view is None else 0
        tell = _Progress(report, (len(halves()) + 1) * (1 + again) + 2)
        samples = Samples(rows, asked.targets, seed, asked.units)
        if view is None:
            spec = DEFAULT if augmentation is None else augmentation
            setting = Setting(rows.features, samples.variance, image)
            source = _augmentation(spec, setting)
            words = spec if isinstance(spec, str) else type(spec).__name__
        else:
            named = ViewProcess(view, view_timeout, seed) if isinstance(view, str) else None
            called = view if named is None else stack.enter_context(named)
            source, views = _estimates(samples, called, views_per_sample)
            words = f"{view if isinstance(view, str) else _name(view)}, {views} views of each"
        tell()
        findings = _measure(samples, source, dim, tolerance, tell)
        before = Judged(findings.attempt, findings.judgement, tolerance)
        batches = [
            read_batches(one, samples, source, before, opened.names, tell) for one in asked.batches
        ]
        return assemble(
            findings,
            tolerance=tolerance,
            targets=asked.targets,
            called=opened.called,
            constant=samples.constant,
            units=asked.units,
            image=image,
            shape=rows.shape,
            names=opened.names,
            found_so_far=opened.notes,
            batches=tuple(batches),
            dtype=str(rows.dtype),
            augmentation=words + (", the default" if augmentation is None and view is None else ""),
            seed=seed,
            versions=_versions(),
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
    if not isinstance(numeric, bool | np.bool_):
        raise ValueError(f"numeric must be True or False; got {numeric!r}.")
    n, labels = len(opened.rows), opened.labels
    targets = None if labels is None else check_targets(labels, n, bool(numeric))
    units = find_units(opened.rows, opened.groups)
    batches = [check_batches(*one, n, targets) for one in opened.batches.items()]
    return _Asked(targets, units, batches)


def _shaped(opened: Opened, image_shape: Any) -> tuple[Image | None, DataRows]:
    """Return the shape of an image, and rows in the shape that was asked for."""
    rows = opened.rows
    if image_shape is None and opened.names is not None:  # columns with names are no pixels
        return None, rows
    image = find_image(image_shape, rows.shape[1:])
    if image is None or image_shape is None or not isinstance(rows.values, np.ndarray):
        return image, rows
    sides = image if image.channels > 1 else image[:2]
    return image, DataRows(rows.values.reshape(len(rows), *sides))


class _Progress:
    """Counts the steps, for whoever watches."""

    def __init__(self, report: Callable[[int, int], None] | None, total: int):
        self.report, self.total, self.done = report, total, -1
        self()

    def __call__(self) -> None:
        self.done += 1
        if self.report is not None:
            self.report(min(self.done, self.total), self.total)


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
    return spec


def _name(view: Callable[..., Any]) -> str:
    return getattr(view, "__name__", type(view).__name__)


def _estimates(samples: Samples, view: Any, views: int | None) -> tuple[Estimates, int]:
    X = samples.X
    if not callable(view):
        raise ValueError(f"view must be a function or module:function; got {describe(view)}.")
    if len(X) < LEAST_FOR_VIEWS:
        raise ValueError(
            f"data must have at least {LEAST_FOR_VIEWS} samples for a view that is called; got "
            f"{len(X)}. An augmentation in words has exact moments, and does with {2 * FOLDS}."
        )
    first = as_view(view(X[0].copy()))
    if first.size != X[0].size:
        raise ValueError(
            f"view must return as many values as it gets, {X[0].size}, shape {X.shape[1:]}; got "
            f"shape {first.shape}."
        )
    views = int(np.clip(VIEWS // len(X), 2, 8)) if views is None else views
    called: Callable[..., Any] = view
    return estimate_parts(called, X, samples.rows, views), views


def _measure(
    samples: Samples,
    source: Augmentation | Estimates,
    dim: int | None,
    tolerance: float,
    tell: Callable[[], None],
) -> Findings:
    """Measure without noise if that works, judge, and look for an alignment that helps."""
    targets = samples.targets
    found = attempts(samples, source, targets, dim, tell)
    if found is None:
        raise ValueError(
            "data give views whose second moment can't be factored even with noise on top: look "
            "for columns of very different scales, and standardise them first; or for means far "
            "beyond the spread, of which the augmentation makes noise, and subtract them first."
        )
    k, N, whole = found.dims[0], found.nuisance, found.whole
    named = targets is not None or (N is not None and N.shape[1] > 0)
    judgement = judge(found.full, found.parts, tolerance, named, found.tied)
    Gamma = within_labels(whole.label) if whole.label is not None else found.excess
    searched, instead = [], []
    if named and judgement.recommendation != "either":
        assert Gamma is not None

        def both(m: Measured) -> bool:
            return bool((margins_of(m, tolerance) > 0).all())

        searched = search(whole, Gamma, k, N, both)
        any_works = any((margins_of(m, tolerance) > 0).any() for _, m in searched)
        if targets is not None and not any_works:
            # In its place: nothing but a little noise, and what the labels don't explain.
            setting = Setting(len(whole.views.mean), samples.variance, None)
            noise = parse_augmentation(DEFAULT, setting)
            instead = search(samples.of(ALL, noise, 0.0), Gamma, k, N, both)
    tell()
    return Findings(found, judgement, Gamma, named, searched, instead)
