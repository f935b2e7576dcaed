r"""What batches hold, what each paradigm keeps of it, and whether centring by them helps."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from linssl.augmentations import Augmentation
from linssl.data.targets import MOST_CLASSES, Targets
from linssl.diagnosis.attempt import Attempt, attempts
from linssl.diagnosis.called import called_view
from linssl.diagnosis.estimates import Estimate, estimate
from linssl.diagnosis.explained import adjusted, adjusted_r2
from linssl.diagnosis.facts import Batch, BatchCodes, Feature, Recommendation
from linssl.diagnosis.features import most
from linssl.diagnosis.inputs import FOLDS
from linssl.diagnosis.opened import batch_argument
from linssl.diagnosis.rows import CentredRows
from linssl.diagnosis.rule import Judgement, judge
from linssl.diagnosis.samples import ALL, EPS, Estimates, Samples, halves, step
from linssl.labels import as_classes
from linssl.pairs.centring import sums_by
from linssl.pairs.held import held_variances

SMALL = 0.02  # of R²: a change that makes no difference


class Batches(NamedTuple):
    """The batch of each row by number (n,), and the names of batches."""

    name: str
    values: tuple[str, ...]
    index: np.ndarray


def check_batches(name: str, given: Any, count: int, targets: Targets | None) -> Batches:
    """Return the batch of each row, or raise.

    Raises:
        ValueError: another length, missing or masked values, one batch only, too many to be
            batches, batches of one row each, or the labels themselves.
    """
    argument = batch_argument(name)
    values, index = as_classes(argument, given, count)
    if len(values) < 2:
        raise ValueError(
            f"{argument} must name two batches at least; all {count} rows are of {values[0]}."
        )
    if len(values) > min(MOST_CLASSES, count // 4):
        raise ValueError(
            f"{argument} must name few batches beside the rows, {MOST_CLASSES:,} at most, of four "
            f"rows on average; got {len(values):,} for {count:,} rows. Numbers can't be batches: "
            "cut them into a few."
        )
    found = Batches(name, tuple(map(str, values)), index)
    if targets is not None and targets.classes is not None and len(values) == targets.size:
        pairs = np.unique(np.stack([index, targets.values]), axis=1)
        if pairs.shape[1] == len(values):
            raise ValueError(
                f"{argument} must be other than labels; it parts the rows just as they do, and "
                "centring by it would take out all that is looked for."
            )
    return found


class Sums(NamedTuple):
    """Rows of each batch in each fold (B, K); of their deviations from its mean, sums and squares.

    Args:
        means: (K, d), of batches.
        sizes: (B, K).
        sums: (B, K, d).
        squares: (B, K, d).
        size: (d,), the mean square of features.
    """

    means: np.ndarray
    sizes: np.ndarray
    sums: np.ndarray
    squares: np.ndarray
    size: np.ndarray

    def variances(self, folds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the variance of each feature between and within batches, in some folds."""
        sizes, sums = self.sizes[folds].sum(0), self.sums[folds].sum(0)
        here = sizes > 0
        off = sums[here] / sizes[here, None]
        scatter = self.squares[folds].sum(0)[here] - off * sums[here]
        return held_variances(sizes[here], self.means[here] + off, np.maximum(scatter, 0))

    def share(self, folds: np.ndarray) -> float:
        """Return the share of the variance that batches hold, in some folds."""
        if not (self.sizes[folds].sum(0) > 1).any():
            return np.nan
        between, within = (part.sum() for part in self.variances(folds))
        return float(between / (between + within)) if between + within > 0 else np.nan


def sums_of(samples: Samples, batches: Batches) -> Sums:
    """Sum deviations of rows from the means of their batches: two passes, so no digits are lost."""
    K, d = len(batches.values), samples.data.features
    first, total = samples.doubles(samples.rows[0][:1])[0], np.zeros((K, d))
    for rows in samples.rows:
        total += sums_by(batches.index[rows], samples.doubles(rows) - first, K)
    counts = np.bincount(batches.index, minlength=K)
    means, size = first + total / counts[:, None], np.zeros(d)
    sums, squares = np.zeros((FOLDS, K, d)), np.zeros((FOLDS, K, d))
    for f, rows in enumerate(samples.rows):
        of, x = batches.index[rows], samples.doubles(rows)
        size += (x**2).sum(0) / len(batches.index)
        x -= means[of]
        sums[f], squares[f] = sums_by(of, x, K), sums_by(of, x**2, K)
    sizes = np.stack([np.bincount(batches.index[rows], minlength=K) for rows in samples.rows])
    return Sums(means, sizes, sums, squares, size)


def centred(samples: Samples, batches: Batches, sums: Sums) -> Samples | None:
    """Return the samples centred by batch, in the same folds; None where nothing is left."""
    within = np.maximum(sums.variances(ALL)[1], 0)
    least = step(samples.data.dtype) * np.abs(sums.means).max(0)
    still = within**0.5 <= np.maximum(least, 1e3 * EPS * sums.size**0.5)
    if still.all():
        return None
    rows = CentredRows(samples.data, batches.index, sums.means, still)
    found = Samples(rows, samples.targets, samples.seed, samples.units)
    found.variance *= samples.variance / samples.variances.mean()  # of a feature, not a direction
    return found


class Judged(NamedTuple):
    """What was found before anything is centred, and how."""

    attempt: Attempt
    judgement: Judgement
    tolerance: float


class Centred(NamedTuple):
    """What is kept of the labels once the data are centred by batch, and how that changed."""

    recommendation: Recommendation
    kept: tuple[Estimate, Estimate]
    changes: list[Estimate]


def read_batches(
    batches: Batches,
    samples: Samples,
    source: Augmentation | Estimates,
    before: Judged,
    names: tuple[str, ...] | None,
    tell: Callable[[], None],
) -> Batch:
    """Say what batches hold, what codes tell of them, and what centring by them changes.

    Args:
        batches: of the rows.
        samples: in folds.
        source: what makes views of centred data; or views that were called, centred by batch.
        before: what was found.
        names: of features.
        tell: called as the work goes on.
    """
    sums = sums_of(samples, batches)
    share = estimate(sums.share(ALL), [sums.share(half) for half in halves()])
    told = _told(batches, samples, before.attempt)
    after = None
    if samples.targets is not None:
        after = _after(batches, samples, sums, source, before, tell)
    between, within = sums.variances(ALL)
    shares = between / np.where(between + within > 0, between + within, 1)
    alone, several = _of_one_label(batches, samples.targets)
    return Batch(
        name=batches.name,
        count=len(batches.values),
        smallest=int(sums.sizes.sum(0).min()),
        share=share.value,
        share_error=share.error,
        joint_embedding=_codes(told[0], after, 0),
        reconstruction=_codes(told[1], after, 1),
        of_labels=_of_labels(batches, samples.targets),
        one_label=alone,
        recommendation=None if after is None else after.recommendation,
        verdict=_verdict(share, told, after, 0 < alone == several),
        features=tuple(Feature(*f) for f in most(names, shares)),
    )


def _told(batches: Batches, samples: Samples, attempt: Attempt) -> list[Estimate]:
    """Return the R² of the batches on the codes of each paradigm."""
    k = attempt.dims[0]
    targets = Targets(batches.index, batches.values)
    of = Samples(samples.data, targets, samples.seed, samples.units)
    labels = [of.label_of(part) for part in (ALL, *halves())]

    def r2(measured: Any, label: Any, p: int) -> float:
        return adjusted_r2(measured.encoded.encoders[p][:k], label, of.dependent)

    found = []
    for p, tied in enumerate(attempt.tied):
        whole, *parts = (
            r2(m, label, p) for m, label in zip((attempt.full, *attempt.parts), labels, strict=True)
        )
        told = estimate(whole, parts)
        found.append(told._replace(error=np.inf) if tied else told)
    return found


def _after(
    batches: Batches,
    samples: Samples,
    sums: Sums,
    source: Augmentation | Estimates,
    before: Judged,
    tell: Callable[[], None],
) -> Centred | None:
    """Return what is kept of the labels once the data are centred; None where nothing is left."""
    without, k = centred(samples, batches, sums), before.attempt.dims[0]
    if without is None:
        return None
    called = None if isinstance(source, Augmentation) else called_view(source, without)
    variance = without.variance * (1.0 if called is None else called.scale or 1.0)
    found = attempts(without, source, samples.targets, k, variance, tell)
    if found is None:
        return None
    judgement = judge(found, before.tolerance, True)
    changes = []
    for p, (now, then) in enumerate(zip(judgement.kept, before.judgement.kept, strict=True)):
        pairs = zip(found.parts, before.attempt.parts, strict=True)
        change = estimate(
            now.value - then.value, [float(a.kept[p, 0] - b.kept[p, 0]) for a, b in pairs]
        )
        arbitrary = np.isinf(now.error) or np.isinf(then.error)
        changes.append(change._replace(error=np.inf) if arbitrary else change)
    return Centred(judgement.recommendation, judgement.kept, changes)


def _codes(told: Estimate, after: Centred | None, p: int) -> BatchCodes:
    return (
        BatchCodes(*told) if after is None else BatchCodes(*told, *after.kept[p], *after.changes[p])
    )


def _of_labels(batches: Batches, targets: Targets | None) -> float | None:
    """Return the R² of the labels on the batches, adjusted: 1 where a batch says the label."""
    if targets is None:
        return None
    n, K = len(batches.index), len(batches.values)
    Y = targets.rows(np.arange(n))
    Y = Y - Y.mean(0)
    means = sums_by(batches.index, Y, K) / np.bincount(batches.index)[:, None]
    return adjusted(
        1 - float(np.sum((Y - means[batches.index]) ** 2) / np.sum(Y**2)), float(n), K - 1
    )


def _of_one_label(batches: Batches, targets: Targets | None) -> tuple[int, int]:
    """Return how many batches have one label only, of how many that have two rows or more."""
    if targets is None:
        return 0, 0
    kinds = np.unique(targets.values.reshape(len(batches.index), -1), axis=0, return_inverse=True)
    pairs = np.unique(np.stack([batches.index, kinds[1].reshape(-1)]), axis=1)
    several = np.bincount(batches.index) > 1
    return int(np.sum(several & (np.bincount(pairs[0]) == 1))), int(several.sum())


def _verdict(
    share: Estimate, told: list[Estimate], after: Centred | None, confounded: bool
) -> str | None:
    """Say in a word what centring does, as `Batch` documents."""
    if confounded:
        return "confounded"
    if share.sign < 1 and all(t.sign < 1 and np.isfinite(t.error) for t in told):
        return "nothing held"
    if after is None:
        return None
    signs = {c.sign for c in after.changes} - {0}
    if len(signs) == 2:
        return "mixed"
    if signs:
        return "helps" if signs == {1} else "harms"
    small = all(abs(c.value) + 2 * c.error <= SMALL for c in after.changes)
    return "no difference" if small else "undecided"
