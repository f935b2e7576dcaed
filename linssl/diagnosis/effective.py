r"""How many independent rows the rows are worth, where some of them stand or fall together."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from linssl.diagnosis.units import Units

AT_ONCE = 4096  # rows, and those of the unit that the last of them is in


class Dependence(NamedTuple):
    """The covariance of features, and the part of it that rows of one unit share, (d, d) each."""

    S: np.ndarray
    D: np.ndarray


def dependence(
    rows: Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]],
    count: int,
    S: np.ndarray,
    unexplained: float,
) -> Dependence | None:
    r"""Return what features share within units, as far as it makes labels fit by chance.

    With x and the residuals e of the labels about their means, i and j in one unit u of $m_u$ rows:

    $$ D = \frac{\hat\rho_e}{n} \sum_u \sum_{i \ne j} x_i x_j^T, \qquad
       \hat\rho_e = \frac{\sum_u \sum_{i \ne j} e_i^T e_j}{\sum_u m_u (m_u - 1)}
       \Big/ \frac1n \sum_i \|e_i\|^2 $$

    Args:
        rows: (x, e, first): rows in order of their units, and where each unit begins.
        count: n.
        S: (d, d) covariance of the features.
        unexplained: $\frac1n \sum_i \|e_i\|^2$.

    Returns:
        S and D, or None where no unit has two rows.

    Source: derived (design effect; Kish, 1965).
    """
    shared, alike, pairs = np.zeros(S.shape), 0.0, 0.0
    for x, e, first in rows:
        X, E = (np.add.reduceat(a, first) for a in (x, e))
        sizes = np.diff(np.append(first, len(x)))
        shared += X.T @ X - x.T @ x
        alike += float(np.sum(E**2) - np.sum(e**2))
        pairs += float(np.sum(sizes * (sizes - 1.0)))
    if not pairs:
        return None
    alike = max(alike / pairs / unexplained, 0) if unexplained > 0 else 0
    return Dependence(S, alike * shared / count)


def chunks_of(units: Units) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Return rows of units that have two or more, in their order, and where each unit begins."""
    order = np.argsort(units.of, kind="stable")
    order = order[units.sizes[units.of[order]] > 1]
    starts = np.flatnonzero(np.diff(units.of[order], prepend=-1))
    while starts.size:
        taken = max(int(np.searchsorted(starts, starts[0] + AT_ONCE)), 1)
        end = starts[taken] if taken < starts.size else len(order)
        yield order[starts[0] : end], starts[:taken] - starts[0]
        starts = starts[taken:]


def design_effect(W: np.ndarray, shared: Dependence | None) -> float:
    r"""Return by how much more k codes explain by chance than they do of independent rows.

    $$ 1 + \tfrac1k \mathrm{tr}\, (W S W^T)^+ W D W^T $$

    It is m where all rows come m times, 1 where neither codes nor residuals are alike in a unit,
    and $1 + (m - 1) \rho_z \rho_e$ between.

    Args:
        W: (k, d) encoder.
        shared: S and D of all rows, also where W is of a part.

    Source: derived (the mean of a quadratic form; Kish, 1965).
    """
    if shared is None:
        return 1.0
    S, D = shared
    variance = np.sum((W @ S) * W, axis=1)
    W = W[variance > 0] / np.sqrt(variance[variance > 0, None])
    values, V = np.linalg.eigh(W @ S @ W.T)
    known = values > 1e-9 * values[-1]
    V = V[:, known] / np.sqrt(values[known])
    return 1 + max(float(np.trace(V.T @ (W @ D @ W.T) @ V)) / int(known.sum()), 0.0)
