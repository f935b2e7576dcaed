"""Folds of rows in coordinates, and the moments of any part of them."""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from linssl.data.targets import Targets
from linssl.diagnosis.inputs import FOLDS
from linssl.diagnosis.rows import DataRows
from linssl.diagnosis.samples import LARGEST, step
from linssl.diagnosis.units import Units, deal
from linssl.recommendation.coordinates import Coordinates

BLOCKS = 4  # of folds: each is scored by what was learnt from the others
ALL = np.arange(FOLDS)
ROWS = 4096  # at once
EPS = float(np.finfo(float).eps)


class Told(NamedTuple):
    """What rows have beside their features, with its moments.

    Args:
        cross: Cov(z, target), (r, e).
        second: Cov(target), (e, e).
        mean: (e,).
    """

    cross: np.ndarray
    second: np.ndarray
    mean: np.ndarray


class Part:
    """Moments of some rows, of divisor n, in coordinates.

    Args:
        chosen: which folds.
        count: n.
        mean: of coordinates, (r,).
        covariance: $C$, (r, r).
        label: of the labels, or None.
        nuisance: of the nuisance, or None.
        coordinates: of the rows.
    """

    def __init__(
        self,
        chosen: np.ndarray,
        count: int,
        mean: np.ndarray,
        covariance: np.ndarray,
        label: Told | None,
        nuisance: Told | None,
        coordinates: Coordinates,
    ):
        self.chosen, self.count, self.mean, self.covariance = chosen, count, mean, covariance
        self.label, self.nuisance, self.coordinates = label, nuisance, coordinates

    @cached_property
    def lifted(self) -> tuple[np.ndarray, np.ndarray]:
        """Covariance and mean as the features have them, (d, d) and (d,)."""
        return self.coordinates.spread_up(self.covariance), self.coordinates.up(self.mean)

    @cached_property
    def lifted_diagonal(self) -> tuple[np.ndarray, np.ndarray]:
        """Variances and mean as the features have them, (d,) each."""
        return self.coordinates.diagonal_up(self.covariance), self.coordinates.up(self.mean)

    @cached_property
    def nuisance_covariance(self) -> np.ndarray:
        r"""The covariance that the nuisance explains, less what chance does, without negatives.

        $$ \Gamma = \big[B - \tfrac{q}{n - q - 1} (C - B)\big]_+, \qquad B = K L^{+} K^T $$

        with L of rank q; of levels, B is the covariance of their means.

        Source: derived (method of moments).
        """
        assert self.nuisance is not None
        values, V = np.linalg.eigh(self.nuisance.second)
        seen = values > 1e-10 * max(float(values[-1]), np.finfo(float).tiny)
        T, q = self.nuisance.cross @ V[:, seen] / np.sqrt(values[seen]), int(seen.sum())
        B = T @ T.T
        values, V = np.linalg.eigh(B - q / max(self.count - q - 1, 1) * (self.covariance - B))
        return (V * np.maximum(values, 0)) @ V.T


class Sums(NamedTuple):
    """Sums over a fold, about the mean of all rows."""

    count: int
    first: np.ndarray
    square: np.ndarray
    cross: np.ndarray  # of coordinates with labels and nuisance beside, (r, e)
    told: np.ndarray  # sum of these, (e,)
    told_square: np.ndarray  # (e, e)


class Folds:
    """Rows in coordinates, dealt to 16 folds in 4 blocks; no unit is split.

    Args:
        rows: of the data.
        coordinates: of them.
        labels: None without.
        nuisance: None without.
        units: rows that are never parted.
        seed: of the folds.
    """

    def __init__(
        self,
        rows: DataRows,
        coordinates: Coordinates,
        labels: Targets | None,
        nuisance: Targets | None,
        units: Units,
        seed: int,
    ):
        self.coordinates, self.labels, self.nuisance = coordinates, labels, nuisance
        self.units, self.seed, n = units, seed, len(rows)
        self.rows = deal(units, seed)
        self.Z = np.concatenate(
            [
                coordinates.down(rows.doubles(np.arange(at, min(at + ROWS, n))))
                for at in range(0, n, ROWS)
            ]
        )
        with np.errstate(over="ignore", invalid="ignore"):  # refused below
            self.mean = self.Z.mean(0)
            self.Z -= self.mean
            variance, mean = np.mean(self.Z**2, axis=0), np.abs(self.mean)
        self.variance = float(variance.sum()) / coordinates.features
        _require_usable(variance, mean, rows.dtype)
        self._sums = [self._sum(at, self.Z[at]) for at in self.rows]

    def block(self, b: int) -> np.ndarray:
        """Return the folds of a block."""
        return ALL[b::BLOCKS]

    def beside(self, b: int, half: bool = False) -> np.ndarray:
        """Return the folds that aren't in a block, or every other one of them."""
        others = np.setdiff1d(ALL, self.block(b))
        return others[b % 2 :: 2] if half else others

    def part(self, chosen: np.ndarray) -> Part:
        """Return the moments of some folds."""
        return self._part(chosen, [self._sums[f] for f in chosen])

    def targets(self) -> tuple[Targets | None, Targets | None]:
        """Return labels and nuisance."""
        return self.labels, self.nuisance

    def centred(self, chosen: np.ndarray) -> "Centred":
        """Return rows less the mean of their level of the nuisance, as some folds have it."""
        assert self.nuisance is not None
        assert self.nuisance.classes is not None
        part = self.part(chosen)
        assert part.nuisance is not None
        share = part.nuisance.mean
        means = (part.nuisance.cross / np.where(share > 0, share, 1)).T + part.mean - self.mean
        means[share == 0] = 0  # a level that wasn't seen stays where it is
        Z = self.Z - means[self.nuisance.values]
        sums = [self._sum(self.rows[f], Z[self.rows[f]]) for f in chosen]
        learnt = self._part(chosen, sums)
        return Centred(learnt, Z)

    def _sum(self, at: np.ndarray, Z: np.ndarray) -> Sums:
        T = np.concatenate(
            [np.zeros((len(at), 0)), *(t.rows(at) for t in self.targets() if t is not None)], axis=1
        )
        return Sums(len(at), Z.sum(0), Z.T @ Z, Z.T @ T, T.sum(0), T.T @ T)

    def _part(self, chosen: np.ndarray, sums: list[Sums]) -> Part:
        n = sum(s.count for s in sums)
        m, C, K, t, L = (np.sum(field, axis=0) / n for field in list(zip(*sums, strict=True))[1:])
        C, K, L = C - np.outer(m, m), K - np.outer(m, t), L - np.outer(t, t)
        e = 0 if self.labels is None else self.labels.size
        label = None if self.labels is None else Told(K[:, :e], L[:e, :e], t[:e])
        nuisance = None if self.nuisance is None else Told(K[:, e:], L[e:, e:], t[e:])
        return Part(chosen, n, m + self.mean, (C + C.T) / 2, label, nuisance, self.coordinates)


def _require_usable(variance: np.ndarray, mean: np.ndarray, dtype: np.dtype) -> None:
    """Raise where nothing varies, or where squares can't hold what does."""
    if not np.isfinite(variance).all() or variance.max() >= LARGEST:
        raise ValueError(
            f"data must be finite, and less than {LARGEST**0.5:g}, as errors are squares of "
            "squares. Change their units first."
        )
    if variance.max() <= 1 / LARGEST:
        raise ValueError("data must vary; every column is constant, or nearly.")
    lost = np.flatnonzero((variance**0.5 <= step(dtype) * mean) & (variance > 0) & (mean > 0))
    lost = lost[variance[lost] > (8 * EPS * mean[lost]) ** 2]  # others are constant
    if lost.size:
        raise ValueError(
            "data must vary beside their mean; some columns have a mean so far beyond their spread "
            f"that no digits are left in {dtype}: subtract it first."
        )


class Centred(NamedTuple):
    """Rows less the means of their levels: moments of those learnt from, and all rows."""

    part: Part
    Z: np.ndarray
