"""Which features a code is about."""

from collections.abc import Sequence

import numpy as np


def correlations(W: np.ndarray, C: np.ndarray) -> np.ndarray:
    r"""Correlate each code with each feature, (k, d); 0 where one of them doesn't vary.

    $$ r_{ij} = (W C)_{ij} \,/\, \sqrt{(W C W^T)_{ii}\, C_{jj}} $$

    Args:
        W: encoder, (k, d).
        C: covariance of what it reads, (d, d), or (d,) for a diagonal.

    Source: derived.
    """
    shared, variance = (W @ C, np.diag(C)) if C.ndim == 2 else (W * C, C)
    size = np.sqrt(np.maximum(np.outer(np.sum(shared * W, axis=1), variance), 0))
    return shared / np.where(size > 0, size, 1)


def largest(names: Sequence[str], row: np.ndarray, count: int) -> tuple[tuple[str, float], ...]:
    """Return the largest entries of a row, whatever their sign, by name; none that are 0."""
    leading = np.argsort(-np.abs(row), kind="stable")[:count]
    return tuple((names[int(i)], float(row[i])) for i in leading if row[i])
