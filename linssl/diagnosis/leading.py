"""Leading directions of rows: from inner products of few rows, else by subspace iteration."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from linssl.diagnosis.rows import DataRows

BY_ROWS = 2048  # rows, up to which their inner products are cheaper than steps on a covariance
AT_ONCE = 1024  # rows
STEPS, SPARE = 6, 32  # of subspace iteration
NOTHING = 1e-12  # of the largest variance: no direction of the rows


class Leading(NamedTuple):
    """Directions, and what of the rows they hold.

    Args:
        directions: Q, (d, r), orthonormal, in no order.
        held: sum of squares of the rows about their mean, along these.
        total: the same along all.
    """

    directions: np.ndarray
    held: float
    total: float


def leading_directions(data: DataRows, mean: np.ndarray, most: int) -> Leading:
    r"""Return the directions of most variance about the mean; fewer where rows have no more.

    Of n rows with n <= d and n <= 2 048 they are exact, from inner products; of others, they are
    those of 6 steps of subspace iteration with the covariance, in single precision: any orthonormal
    directions do, and what these hold is measured in double.

    Args:
        data: the rows.
        mean: of the rows, (d,).
        most: directions that are wanted.

    Source: derived (principal components).
    """
    total = sum(float(np.sum(np.square(x - mean))) for x in blocks(data))
    few = len(data) <= min(BY_ROWS, data.features)
    Q = _by_rows(data, mean, most) if few else _by_features(data, mean, most, total)
    along = np.sum([np.sum(np.square((x - mean) @ Q), 0) for x in blocks(data)], axis=0)
    there = along >= NOTHING * along.max()
    return Leading(Q[:, there], float(along[there].sum()), total)


def numbers(data: DataRows) -> Iterator[np.ndarray]:
    """Yield the numbers of rows, some at a time."""
    for start in range(0, len(data), AT_ONCE):
        yield np.arange(start, min(start + AT_ONCE, len(data)))


def blocks(data: DataRows) -> Iterator[np.ndarray]:
    """Yield rows, some at a time, (m, d)."""
    return map(data.doubles, numbers(data))


def _by_rows(data: DataRows, mean: np.ndarray, most: int) -> np.ndarray:
    X = np.concatenate(list(blocks(data))) - mean
    values, U = np.linalg.eigh(X @ X.T)
    leading = np.arange(len(values))[-most:]
    known = leading[values[leading] > NOTHING * values[-1]]
    if not known.size:  # nothing varies: any direction
        return np.eye(data.features, 1)
    return np.linalg.qr(X.T @ (U[:, known] / np.sqrt(values[known])))[0]


def _by_features(data: DataRows, mean: np.ndarray, most: int, total: float) -> np.ndarray:
    d, scale = data.features, np.sqrt(total / len(data)) or 1.0  # squares fit single precision
    C = np.zeros((d, d), np.float32)
    for x in blocks(data):
        centred = ((x - mean) / scale).astype(np.float32)
        C += centred.T @ centred
    V = np.random.default_rng(0).normal(size=(d, min(most + SPARE, d))).astype(np.float32)
    for _ in range(STEPS):
        V = np.linalg.qr(C @ V)[0]
    inner = np.linalg.eigh(V.T @ (C @ V))[1][:, ::-1][:, :most]
    return np.linalg.qr((V @ inner).astype(float))[0]
