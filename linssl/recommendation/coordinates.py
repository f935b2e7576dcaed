"""Coordinates of rows: the features themselves, or leading directions where they are many."""

from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh, solve_triangular

from linssl.diagnosis.rows import DataRows

WHOLE = 512  # features that are taken as they are
DIRECTIONS = 384  # that are kept of more
AT_ONCE = 2048  # rows
ROUNDS = 4  # of subspace iteration: any orthonormal basis is sound, a better one leaves out less


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
    mean = np.sum([rows.doubles(at).sum(0) for at in _chunks(n)], axis=0) / n
    if n <= d:
        X = rows.doubles(np.arange(n)) - mean
        total, V = _of_few(X, kept)
    else:
        total, V = _of_many(rows, mean, kept)
    B = _with_mean(V, mean)
    held = sum(float(np.sum(np.square((rows.doubles(at) - mean) @ V))) for at in _chunks(n))
    left_out = max(1 - held / total, 0.0) if total > 0 else 0.0
    return Coordinates(B, d, left_out, left_out < 1e-9)


def _chunks(n: int) -> list[np.ndarray]:
    return [np.arange(start, min(start + AT_ONCE, n)) for start in range(0, n, AT_ONCE)]


def _of_few(X: np.ndarray, kept: int) -> tuple[float, np.ndarray]:
    """Return the variation of rows and their leading directions, from the n x n Gram matrix."""
    values, U = np.linalg.eigh(X @ X.T)
    there = np.flatnonzero(values > 1e-12 * max(float(values[-1]), np.finfo(float).tiny))
    V = X.T @ U[:, there[-kept:]] / np.sqrt(values[there[-kept:]])
    return float(np.sum(X**2)), np.linalg.qr(V)[0]


def _of_many(rows: DataRows, mean: np.ndarray, kept: int) -> tuple[float, np.ndarray]:
    """Return the variation of rows and about their leading directions, by subspace iteration."""
    d = rows.features
    C = np.zeros((d, d))
    for at in _chunks(len(rows)):
        X = rows.doubles(at) - mean
        C += X.T @ X
    Q = np.random.default_rng(0).standard_normal((d, min(kept + 16, d)))
    for _ in range(ROUNDS):
        Q = _orthonormal(C @ Q)
    values, U = eigh(Q.T @ C @ Q)
    there = values > 1e-12 * max(float(values[-1]), np.finfo(float).tiny)
    return float(np.trace(C)), _orthonormal(Q @ U[:, there][:, -kept:])


def _orthonormal(Y: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of columns, by Cholesky twice: several times as fast as QR."""
    for _ in range(2):
        Y = Y / np.maximum(np.linalg.norm(Y, axis=0), np.finfo(float).tiny)
        try:
            L = np.linalg.cholesky(Y.T @ Y)
        except np.linalg.LinAlgError:  # columns that are nearly alike
            return np.linalg.qr(Y)[0]
        Y = solve_triangular(L, Y.T, lower=True).T
    return Y


def _with_mean(V: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Add what of the mean lies outside: masks and moves act on rows as they come."""
    rest = mean - V @ (V.T @ mean)
    size = float(np.linalg.norm(rest))
    if size <= 1e-9 * max(float(np.linalg.norm(mean)), np.finfo(float).tiny):
        return V
    rest = rest / size
    rest -= V @ (V.T @ rest)
    return np.column_stack([V, rest / np.linalg.norm(rest)])
