"""One attempt: both paradigms on all data and on halves of them, with some noise on all views."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from linssl.augmentations import Augmentation
from linssl.data.targets import Targets
from linssl.diagnosis.explained import LEAST_ROWS
from linssl.diagnosis.held_out import HeldOut, held_out
from linssl.diagnosis.measure import (
    Encoded,
    Measured,
    SingularError,
    beside,
    read,
    solve,
    solve_leading,
    unshaken,
)
from linssl.diagnosis.nuisance import shaken
from linssl.diagnosis.samples import ALL, Estimates, Sample, Samples, halves
from linssl.diagnosis.ties import Tie
from linssl.linalg.structure import dense
from linssl.moments import Views
from linssl.objectives import joint_embedding

FLOOR = 1e-3  # of the mean variance of a feature: noise for moments that are singular
SIZES = (1, 2, 4, 8, 16, 32, 64)


class Attempt(NamedTuple):
    """What was measured with noise of some variance on all views."""

    floor: float
    whole: Sample
    dims: list[int]  # the judged one, and then those of the curves
    nuisance: np.ndarray | None  # that the augmentation names, without labels
    excess: np.ndarray | None  # its covariance
    full: Measured
    parts: list[Measured]
    held_out: HeldOut | None
    bare: Views  # without that noise
    ties: tuple[Tie, Tie]  # at the cut

    @property
    def tied(self) -> tuple[bool, bool]:
        """Whether the codes of each paradigm tie at the cut."""
        je, rc = (tie is not None for tie in self.ties)
        return je, rc


def attempts(
    samples: Samples,
    source: Augmentation | Estimates,
    targets: Targets | None,
    dim: int | None,
    variance: float,
    tell: Callable[[], None],
) -> Attempt | None:
    """Measure without noise if that works, else with a little; None where neither does.

    Args:
        samples: in folds.
        source: an augmentation, or the moments of views of each fold.
        targets: None without labels.
        dim: k, or None.
        variance: mean variance of a feature of the views.
        tell: called as the work goes on.
    """
    for floor in (0.0, FLOOR * variance):
        try:
            return _attempt(floor, samples, source, targets, dim, tell)
        except SingularError:
            continue
    return None


def _attempt(
    floor: float,
    samples: Samples,
    source: Augmentation | Estimates,
    targets: Targets | None,
    dim: int | None,
    tell: Callable[[], None],
) -> Attempt:
    """Solve the whole and its halves.

    Raises:
        SingularError: a second moment that can't be whitened safely.
    """
    whole = samples.of(ALL, source, floor)
    k = _dim(whole, targets) if dim is None else dim
    dims, shown = _sizes(k, len(whole.views.mean), targets is not None)
    solved = solve(whole, shown)
    bare = whole.views if floor == 0 else samples.of(ALL, source, 0.0).views
    ties = solved.ties(k, unshaken(bare, solved.encoders[0]))
    full = read(whole, solved, dims, None, ties)
    tell()
    parts: list[Measured] = []
    spreads: list[np.ndarray] = []
    exact = np.isinf(float(whole.views.draws))
    for half in halves():
        part = samples.of(half, source, floor)
        parts.append(read(part, solve_leading(part, shown), [k], None, ties))
        spreads += [] if targets or exact else [np.asarray(dense(part.views.spread))]
        tell()
    trained = N = excess = None
    if targets is None:
        whole_spread = np.asarray(dense(whole.views.spread))
        folds = samples.by_fold(whole_spread, spreads) if spreads else []
        N, excess = shaken(whole.views, folds)
        full, *parts = (beside(m, k, N, ties) for m in (full, *parts))
    else:

        def learn(folds: np.ndarray) -> tuple[Sample, Encoded]:
            sample = samples.of(folds, source, floor)
            return sample, solve_leading(sample, shown)

        trained = held_out(samples, learn, dims, ties)
    return Attempt(floor, whole, dims, N, excess, full, parts, trained, bare, ties)


def _sizes(k: int, d: int, labelled: bool) -> tuple[list[int], int]:
    """Return the numbers of codes that are read, the judged one first, and how many are solved."""
    most = max([s for s in SIZES if s <= min(4 * k, d)] + [k])
    dims = [k, *sorted({k, *(s for s in SIZES if s <= most)})] if labelled else [k]
    return dims, min(d, max(2 * k, LEAST_ROWS, *dims))


def _dim(sample: Sample, targets: Targets | None) -> int:
    d = len(sample.views.mean)
    if targets is not None:
        return min(d, targets.size - (targets.classes is not None))
    omega = np.asarray(joint_embedding(sample.views, min(d, LEAST_ROWS)).spectrum)
    if np.isnan(omega).any():
        raise SingularError
    return int(np.argmax(-np.diff(omega)[: max(d // 2, 1)])) + 1 if d > 1 else 1
