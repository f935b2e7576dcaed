"""Moments of groups of samples: taken once, then summed into any part of the data."""

from collections.abc import Iterator
from functools import reduce
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from scipy.linalg import hadamard

from linssl.augment import Augmentation, GaussianNoise, augment, compose
from linssl.augment.base import is_built_in
from linssl.diagnosis.about_mean import views_about_mean
from linssl.diagnosis.inputs import GROUPS, NAMED, Targets
from linssl.moments import PairMoments, merge
from linssl.pairing import same_instance, with_label

AT_ONCE = 4096  # rows in memory as doubles
EPS = float(np.finfo(float).eps)
LARGEST = 1e70  # entry, and its inverse is the least spread: errors square the square of both
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
    """The data in groups, and their moments, about a fixed point near the mean.

    Args:
        X: (n, ...).
        targets: None without labels.
        seed: of the groups.

    Raises:
        ValueError: data of which nothing varies, or that vary by more or less than squares can
            hold, or too little beside their mean.

    Source: derived (bookkeeping).
    """

    def __init__(self, X: np.ndarray, targets: Targets | None, seed: int):
        order = np.random.default_rng(seed).permutation(len(X))
        self.X, self.targets = X, targets
        self.rows = [np.sort(order[start::GROUPS]) for start in range(GROUPS)]
        self.about, constant = self._settle()
        self.constant = np.flatnonzero(constant)
        self.groups = [reduce(_merge, self._moments(rows)) for rows in self.rows]
        whole = reduce(_merge, self.groups)
        variance = np.asarray(jnp.diagonal(whole.first) - jnp.square(whole.mean_first))
        # Four digits of ours, and a step of theirs.
        step = max(1e4 * EPS, float(np.finfo(X.dtype).eps) if X.dtype.kind == "f" else 0)
        lost = np.flatnonzero(~constant & (np.sqrt(variance) <= step * np.abs(self.about)))
        if lost.size:
            raise ValueError(
                f"data must vary beside their mean; columns {lost[:NAMED].tolist()} have a mean so "
                f"far beyond their spread that no digits are left in {X.dtype}: subtract it first."
            )
        self.variance = float(np.mean(np.where(constant, 0, variance)))

    def _settle(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the means, those of constants exact, and which columns are constant; or raise."""
        parts = range(0, len(self.X), AT_ONCE)
        blocks = (np.arange(start, min(start + AT_ONCE, len(self.X))) for start in parts)
        low, high, mean = np.inf, -np.inf, 0.0
        with np.errstate(over="ignore"):
            for rows in map(self._doubles, blocks):
                low, high = np.minimum(low, rows.min(0)), np.maximum(high, rows.max(0))
                mean = mean + np.sum(rows / len(self.X), 0)
            reach = np.asarray(high - low)
        constant = reach == 0
        if constant.all():
            raise ValueError("data must vary; every column is constant.")
        size = np.maximum(np.abs(low), np.abs(high))
        bad = np.flatnonzero((size >= LARGEST) | (~constant & (reach <= 1 / LARGEST)))
        if bad.size:
            raise ValueError(
                f"data must vary by more than {1 / LARGEST:g} and be less than {LARGEST:g}, as "
                f"errors are squares of squares; columns {bad[:NAMED].tolist()} vary by "
                f"{reach[bad].min():.2g} or more, up to {size[bad].max():.2g}. Change their units "
                "first."
            )
        return np.where(constant, low, mean), constant

    def _moments(self, rows: np.ndarray) -> Iterator[PairMoments]:
        for start in range(0, len(rows), AT_ONCE):
            chosen = rows[start : start + AT_ONCE]
            X, Y = self.flat(chosen), self.targets
            yield same_instance(X) if Y is None else with_label(X, Y.rows(chosen))

    def flat(self, chosen: np.ndarray) -> np.ndarray:
        """Return rows of the data about the fixed point, (m, d), as doubles. Source: derived."""
        return self._doubles(chosen) - self.about

    def _doubles(self, chosen: np.ndarray) -> np.ndarray:
        return self.X[chosen].reshape(len(chosen), -1).astype(float)

    def of(self, chosen: np.ndarray, source: Augmentation | Estimates, floor: float) -> Sample:
        """Return the moments of some groups, with noise of variance `floor` on every view.

        Raises:
            ValueError: labels that don't vary in these groups; columns whose spread there is lost
                beside what it is in others, or beside their mean for an augmentation that isn't
                the library's.

        Source: derived.
        """
        pair = reduce(_merge, [self.groups[g] for g in chosen])
        known = pair.centred()
        if self.targets is not None and not float(jnp.trace(known.second)) > 0:
            rows = self.targets.values.reshape(len(self.X), -1)
            few = len(rows) - int(np.unique(rows, axis=0, return_counts=True)[1].max())
            raise ValueError(
                f"labels must vary in every half of the samples, for errors; all but {few} of "
                f"{len(rows):,} are alike. Give more of those that differ."
            )
        lost = np.flatnonzero(np.isnan(np.diag(known.first)))
        if lost.size:
            raise ValueError(
                f"data must vary alike in all parts; columns {lost[:NAMED].tolist()} hold outliers "
                "beside which their spread in half of the samples has no digits left: clip them."
            )
        noise = GaussianNoise(jnp.full(pair.first.shape[0], floor)) if floor else None
        if isinstance(source, Augmentation):
            mean = pair.mean_first + self.about
            self._check_mean(source, np.asarray(mean))
            a = source if noise is None else compose(source, noise)
            views, clean = views_about_mean(a, known.first, mean, pair.count)
        else:
            views, clean = (reduce(_merge, [source[g][side] for g in chosen]) for side in (0, 1))
            views, clean = augment(views, noise, noise), augment(clean, noise, None)
        label = None if self.targets is None else known
        means = np.asarray(pair.mean_first), np.asarray(pair.mean_second)
        return Sample(views, clean, label, means, int(pair.count))

    def _check_mean(self, a: Augmentation, mean: np.ndarray) -> None:
        # The library's families read a mean without loss. What others make of it isn't known.
        if not is_built_in(a) and EPS * float(np.max(mean**2)) > 1e-8 * self.variance:
            raise ValueError(
                f"data must not lie far from 0 for {type(a).__name__}, which isn't one of "
                f"linssl's own augmentations: a mean of {np.max(np.abs(mean)):.2g} beside a "
                f"spread of {self.variance**0.5:.2g} costs its moments their digits. Subtract it "
                "first, unless the augmentation is meant to read it."
            )


_merge = eqx.filter_jit(merge)


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
