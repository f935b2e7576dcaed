"""Moments of groups of samples: taken once, then summed into any part of the data."""

from collections.abc import Iterator
from functools import reduce
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from scipy.linalg import hadamard

from linssl._digits import resolved
from linssl._structure import diagonal
from linssl.augment import Augmentation, GaussianNoise, augment, compose
from linssl.augment.base import is_built_in
from linssl.diagnosis.inputs import GROUPS, NAMED, Targets
from linssl.moments import PairMoments, merge
from linssl.pairing import same_instance, same_instance_moments, with_label

AT_ONCE = 4096  # rows in memory as doubles
ALL = np.arange(GROUPS)
TRAIN = ALL[: GROUPS * 3 // 4]  # the groups that held-out accuracies are learnt from


class Sample(NamedTuple):
    """What is known of a part of the data: centred moments.

    Args:
        views: of two views, for joint embedding.
        clean: of a view and its instance, for reconstruction.
        label: of an instance and its targets, None without labels.
        means: of the instances and of their targets.
        count: samples in it.

    Source: derived (bookkeeping).
    """

    views: PairMoments
    clean: PairMoments
    label: PairMoments | None
    means: tuple[np.ndarray, np.ndarray]
    count: int


Estimates = list[tuple[PairMoments, PairMoments]]  # of a view, for each group


class Samples:
    """The data in groups, and their moments.

    Args:
        X: (n, ...).
        targets: None without labels.
        seed: of the groups.

    Raises:
        ValueError: data of which nothing varies, or that vary too little beside their mean.

    Source: derived (bookkeeping).
    """

    def __init__(self, X: np.ndarray, targets: Targets | None, seed: int):
        order = np.random.default_rng(seed).permutation(len(X))
        self.X, self.targets = X, targets
        self.rows = [np.sort(order[start::GROUPS]) for start in range(GROUPS)]
        self.groups = [reduce(_merge, self._moments(rows)) for rows in self.rows]
        whole = reduce(_merge, self.groups)
        variance, mean = diagonal(whole.first), whole.mean_first
        digits = np.asarray(resolved(variance, mean))
        self.constant = np.flatnonzero(digits == 0)
        lost = np.flatnonzero(np.isnan(digits))
        if lost.size:
            raise ValueError(
                f"data must vary beside their mean; columns {lost[:NAMED].tolist()} have a mean so "
                "far beyond their spread that no digits are left: subtract it first."
            )
        if self.constant.size == digits.size:
            raise ValueError("data must vary; every column is constant.")
        self.variance = float(jnp.mean(jnp.where(digits == 0, 0, variance - mean * mean)))

    def _moments(self, rows: np.ndarray) -> Iterator[PairMoments]:
        for start in range(0, len(rows), AT_ONCE):
            chosen = rows[start : start + AT_ONCE]
            X, Y = self.flat(chosen), self.targets
            yield same_instance(X) if Y is None else with_label(X, Y.rows(chosen))

    def flat(self, chosen: np.ndarray) -> np.ndarray:
        """Return rows of the data, (m, d), as doubles. Source: derived."""
        return self.X[chosen].reshape(len(chosen), -1).astype(float)

    def of(self, chosen: np.ndarray, source: Augmentation | Estimates, floor: float) -> Sample:
        """Return the moments of some groups, with noise of variance `floor` on every view.

        Source: derived.
        """
        pair = reduce(_merge, [self.groups[g] for g in chosen])
        noise = GaussianNoise(jnp.full(pair.first.shape[0], floor)) if floor else None
        if isinstance(source, Augmentation):
            a = source if noise is None else compose(source, noise)
            same = same_instance_moments(pair.first, pair.mean_first, pair.count)
            views, clean = (_pairs_at_once if is_built_in(a) else _pairs)(a, same)
        else:
            views, clean = (reduce(_merge, [source[g][side] for g in chosen]) for side in (0, 1))
            views, clean = augment(views, noise, noise), augment(clean, noise, None)
        label = None if self.targets is None else _centred(pair)
        means = np.asarray(pair.mean_first), np.asarray(pair.mean_second)
        return Sample(views, clean, label, means, int(pair.count))


_merge = eqx.filter_jit(merge)
_centred = eqx.filter_jit(PairMoments.centred)


def _pairs(a: Augmentation, same: PairMoments) -> tuple[PairMoments, PairMoments]:
    return augment(same, a, a).centred(), augment(same, a, None).centred()


_pairs_at_once = eqx.filter_jit(_pairs)  # so that both share what a family of maps costs


def halves() -> list[np.ndarray]:
    r"""Return balanced halves of the groups, GROUPS - 1 of them.

    The rows of a Hadamard matrix H, without the first. For a mean over groups their deviations
    $\theta_r - \theta = \frac1B \sum_b H_{rb} y_b$ have a mean square of exactly
    $\sum_b (y_b - \bar y)^2 / (B (B - 1))$, the usual squared standard error; and as each is as
    far from the whole as the whole is from the truth, an order of scores that chance could turn
    does turn in some of them, which leaving out one group at a time misses.

    Source: derived (balanced half-samples).
    """
    return [ALL[row > 0] for row in hadamard(GROUPS)[1:]]
