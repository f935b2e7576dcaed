"""Moments of folds of the samples: taken once, then merged into any part of the data."""

from collections.abc import Iterator
from functools import reduce
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from scipy.linalg import hadamard

from linssl.arguments import NAMED
from linssl.augmentations import (
    Augmentation,
    GaussianNoise,
    augment,
    augment_sides,
    compose,
    two_views,
    view_and_clean,
)
from linssl.data.targets import Targets
from linssl.diagnosis.effective import Dependence, chunks_of, dependence
from linssl.diagnosis.explained import whitening
from linssl.diagnosis.inputs import FOLDS
from linssl.diagnosis.rows import DataRows
from linssl.diagnosis.units import Units, deal
from linssl.linalg.averages import blurred, precision
from linssl.linalg.structure import diagonal, trace
from linssl.moments import PairMoments, Views, merge
from linssl.pairs import same_instance, same_instance_moments, with_label
from linssl.pairs.black_box import unbiased

EPS = float(np.finfo(float).eps)
LARGEST = 1e70  # entry, and its inverse is the least spread: errors square the square of both
ALL = np.arange(FOLDS)


class Sample(NamedTuple):
    """What is known of a part of the data.

    Args:
        views: two views, for joint embedding.
        clean: a view and its instance, for reconstruction.
        label: an instance and its targets, None without labels.
        dependent: what rows of one unit share, as `dependence` says; None where they share nothing.
    """

    views: Views
    clean: PairMoments
    label: PairMoments | None
    dependent: Dependence | None = None


Estimates = list[tuple[Views, PairMoments]]  # of a view, for each fold; divisor n


class Samples:
    """The data in folds, and their moments.

    Args:
        X: (n, ...), or rows that are made dense some at a time.
        targets: None without labels.
        seed: of the folds.
        units: rows that are in one fold; None is each row its own.

    Raises:
        ValueError: data of which nothing varies, or that vary by more or less than squares can
            hold, or too little beside their mean.
    """

    def __init__(
        self,
        X: np.ndarray | DataRows,
        targets: Targets | None,
        seed: int,
        units: Units | None = None,
    ):
        self.data = X if isinstance(X, DataRows) else DataRows(X)
        self.targets, self.seed = targets, seed
        self.units = Units(np.arange(len(X)), None, 0, 0) if units is None else units
        self.rows = deal(self.units, seed)
        self.constant = self._constant()
        self.folds = [self._moments(rows) for rows in self.rows]
        whole, label = self._merged(ALL)
        variance, mean = np.asarray(diagonal(whole.covariance)), np.asarray(whole.mean)
        require_digits(self.data.dtype, mean, variance, self.constant)
        self.variances, self.variance = variance, float(variance.mean())
        self.dependent = None if label is None else self._dependence(label)

    @property
    def X(self) -> Any:  # noqa: N802  (the paper's letter)
        """The rows as they came."""
        return self.data.values

    def doubles(self, rows: np.ndarray) -> np.ndarray:
        """Return rows of the data, (m, d)."""
        return self.data.doubles(rows)

    def _constant(self) -> np.ndarray:
        """Return which columns are constant; or raise, where squares can't hold the others."""
        ends = [(x.min(0), x.max(0)) for x in map(self.doubles, self.rows)]
        low, high = np.min([a for a, _ in ends], axis=0), np.max([b for _, b in ends], axis=0)
        with np.errstate(over="ignore"):
            reach, size = high - low, np.maximum(np.abs(low), np.abs(high))
        if not reach.any():
            raise ValueError("data must vary; every column is constant.")
        bad = np.flatnonzero((size >= LARGEST) | ((reach > 0) & (reach <= 1 / LARGEST)))
        if bad.size:
            raise ValueError(
                f"data must vary by more than {1 / LARGEST:g} and be less than {LARGEST:g}, as "
                f"errors are squares of squares; columns {bad[:NAMED].tolist()} vary by "
                f"{reach[bad].min():.2g} or more, up to {size[bad].max():.2g}. Change their units "
                "first."
            )
        return np.flatnonzero(reach == 0)

    def _dependence(self, label: PairMoments) -> Dependence | None:
        assert self.targets is not None
        S, K, L = (np.asarray(m) for m in (label.first, label.cross, label.second))
        F = whitening(label)[0]
        B = F.T @ (F @ K)
        x, y = np.asarray(label.mean_first), np.asarray(label.mean_second)

        def rows(targets: Targets) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
            for chosen, first in chunks_of(self.units):
                X, Y = self.doubles(chosen) - x, targets.rows(chosen) - y
                yield X, Y - X @ B, first

        unexplained = float(np.trace(L - K.T @ B))
        return dependence(rows(self.targets), len(self.data), S, unexplained)

    def _moments(self, rows: np.ndarray) -> Views | PairMoments:
        X = self.doubles(rows)
        return same_instance(X) if self.targets is None else with_label(X, self.targets.rows(rows))

    def label_of(self, chosen: np.ndarray) -> PairMoments:
        """Return instances of some folds with their targets."""
        label = self._merged(chosen)[1]
        assert label is not None
        return label

    def _merged(self, chosen: np.ndarray) -> tuple[Views, PairMoments | None]:
        """Return instances of some folds, each with itself, and with their targets."""
        found = reduce(_merge, [self.folds[f] for f in chosen])
        if isinstance(found, Views):
            label, C, mean = None, found.covariance, found.mean
        else:
            # What chance explains of labels goes by the rows less what means have taken of them.
            label = eqx.tree_at(lambda p: p.count, found, found.count - self.data.spent)
            C, mean = found.first, found.mean_first
        # As the data came: they may have been rounded more than doubles are.
        rounding = blurred(precision(self.data.dtype, np.dtype(float)), mean, diagonal(C))
        return same_instance_moments(C, mean, found.count, rounding), label

    def of(self, chosen: np.ndarray, source: Augmentation | Estimates, floor: float) -> Sample:
        """Return the moments of some folds, with noise of variance `floor` on every view.

        Raises:
            ValueError: labels that don't vary in these folds.
        """
        instance, label = self._merged(chosen)
        if label is not None and not float(trace(label.second)) > 0:
            assert self.targets is not None
            rows = self.targets.values.reshape(len(self.data), -1)
            few = len(rows) - int(np.unique(rows, axis=0, return_counts=True)[1].max())
            raise ValueError(
                f"labels must vary in every half of the samples, for errors; all but {few} of "
                f"{len(rows):,} are alike. Give more of those that differ."
            )
        noise = GaussianNoise(jnp.full_like(instance.mean, floor)) if floor else None
        if isinstance(source, Augmentation):
            a = source if noise is None else compose(source, noise)
            return Sample(
                two_views(instance, a), view_and_clean(instance, a), label, self.dependent
            )
        views, clean = (reduce(_merge, [source[f][side] for f in chosen]) for side in (0, 1))
        if not self.data.spent:  # what is centred by batch is unbiased as it is
            views, clean = unbiased(views, clean)
        if noise is not None:
            views, clean = augment(views, noise), augment_sides(clean, noise, None)
        return Sample(views, clean, label, self.dependent)

    def by_fold(self, whole: np.ndarray, parts: list[np.ndarray]) -> list[np.ndarray]:
        r"""Return averages over each fold, from those over all and over each of the `halves`.

        With $T_r$ the sum over half r, and H that of `halves`, whose inverse is $H^T / B$:

        $$ z_b = \frac1B \sum_r H_{rb} (2 T_r - T), \quad T_0 = T $$

        so that no augmentation need be applied to each fold too. Source: derived.
        """
        H, sizes = hadamard(FOLDS), np.array([len(rows) for rows in self.rows])
        sums = [sizes[half].sum() * part for half, part in zip(halves(), parts, strict=True)]
        total = len(self.data) * whole
        turned = np.stack([total, *(2 * part - total for part in sums)])
        return list(np.tensordot(H, turned, (0, 0)) / (FOLDS * sizes)[:, None, None])


_merge = eqx.filter_jit(merge)


def require_digits(
    dtype: np.dtype, mean: np.ndarray, variance: np.ndarray, constant: np.ndarray
) -> None:
    """Raise where the means of features leave no digits for how they vary."""
    lost = np.setdiff1d(np.flatnonzero(variance**0.5 <= step(dtype) * np.abs(mean)), constant)
    if lost.size:
        raise ValueError(
            f"data must vary beside their mean; columns {lost[:NAMED].tolist()} have a mean so "
            f"far beyond their spread that no digits are left in {dtype}: subtract it first."
        )


def step(dtype: np.dtype) -> float:
    """Return the least deviation beside a mean: of four digits of ours, and a step of theirs."""
    return max(1e4 * EPS, precision(dtype, np.dtype(float)))


def halves() -> list[np.ndarray]:
    r"""Return balanced halves of the folds, FOLDS - 1 of them.

    The rows of a Hadamard matrix H, without the first. For a mean over folds their deviations
    $\theta_r - \theta = \frac1B \sum_b H_{rb} y_b$ have a mean square of exactly
    $\sum_b (y_b - \bar y)^2 / (B (B - 1))$, the usual squared standard error; and as each is as
    far from the whole as the whole is from the truth, an order of scores that chance could turn
    does turn in some of them, which leaving out one fold at a time misses.

    Source: derived (balanced half-samples).
    """
    return [ALL[row > 0] for row in hadamard(FOLDS)[1:]]
