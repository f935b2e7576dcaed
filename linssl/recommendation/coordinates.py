"""Coordinates of rows: the features themselves, or leading directions where they are many."""

from typing import NamedTuple

import numpy as np

from linssl.diagnosis.leading import blocks, leading_directions
from linssl.diagnosis.rows import DataRows

WHOLE = 512  # features that are taken as they are
DIRECTIONS = 384  # that are kept of more
EXACT = 1e-9  # of the variance: nothing is left out


class Coordinates(NamedTuple):
    r"""Rows as $z = B^T x$, with the mean in the span of B, and what that leaves out.

    Args:
        basis: $B$, (d, r), orthonormal; None where the features are the coordinates.
        features: d.
        left_out: share of the variance outside the span.
        exact: whether no row leaves the span, so that isotropic noise loses nothing.
    """

    basis: np.ndarray | None
    features: int
    left_out: float = 0.0
    exact: bool = True

    @property
    def size(self) -> int:
        """Number of coordinates, r."""
        return self.features if self.basis is None else self.basis.shape[1]

    def down(self, x: np.ndarray) -> np.ndarray:
        """Return coordinates of rows or of vectors, (..., r)."""
        return x if self.basis is None else x @ self.basis

    def up(self, z: np.ndarray) -> np.ndarray:
        """Return vectors (..., d) that have these coordinates."""
        return z if self.basis is None else z @ self.basis.T

    def spread_down(self, M: np.ndarray) -> np.ndarray:
        r"""Return $B^T M B$, (r, r), of a moment (d, d), or (d,) where that is a diagonal."""
        if self.basis is None:
            return np.diag(M) if M.ndim == 1 else M
        left = self.basis.T * M if M.ndim == 1 else self.basis.T @ M
        return left @ self.basis

    def spread_up(self, M: np.ndarray) -> np.ndarray:
        r"""Return $B M B^T$, (d, d)."""
        return M if self.basis is None else (self.basis @ M) @ self.basis.T

    def diagonal_up(self, M: np.ndarray) -> np.ndarray:
        r"""Return the diagonal of $B M B^T$, (d,), without the rest."""
        return np.diag(M) if self.basis is None else np.sum((self.basis @ M) * self.basis, axis=1)


def find_coordinates(rows: DataRows, most: int | None = None) -> Coordinates:
    """Return the features themselves, or leading directions of the rows and their mean.

    No label is read. Where rows are fewer than directions, their span is all there is.

    Args:
        rows: of the data.
        most: directions to keep; None is all of up to `WHOLE` features, else `DIRECTIONS`.

    Source: derived (any orthonormal basis is sound; what it leaves out is measured).
    """
    n, d = len(rows), rows.features
    kept = (d if d <= WHOLE else DIRECTIONS) if most is None else most
    if kept >= d:
        return Coordinates(None, d)
    mean = np.sum([x.sum(0) for x in blocks(rows)], axis=0) / n
    found = leading_directions(rows, mean, kept)
    left_out = max(1 - found.held / found.total, 0.0) if found.total > 0 else 0.0
    return Coordinates(_with_mean(found.directions, mean), d, left_out, left_out < EXACT)


def _with_mean(V: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Add what of the mean lies outside: masks and moves act on rows as they come."""
    rest = mean - V @ (V.T @ mean)
    size = float(np.linalg.norm(rest))
    if size <= 1e-9 * max(float(np.linalg.norm(mean)), np.finfo(float).tiny):
        return V
    rest = rest / size
    rest -= V @ (V.T @ rest)
    return np.column_stack([V, rest / np.linalg.norm(rest)])
