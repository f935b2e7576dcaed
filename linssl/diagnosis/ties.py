"""Ties at the cut: the least and the most that any choice among the tied codes keeps."""

import numpy as np

from linssl.diagnosis.effective import Dependence
from linssl.diagnosis.explained import adjusted, worth
from linssl.moments import PairMoments

Tie = tuple[int, int] | None  # the first of the codes that tie, and the one after the last


def in_nuisance(W: np.ndarray, dim: int, tie: Tie, N: np.ndarray) -> tuple[float, float]:
    r"""Return the least and the most directions of the codes that can be in N, (d, q) orthonormal.

    Source: derived (the extremes of a trace over subspaces; Ky Fan).
    """
    size = np.linalg.norm(W, axis=1)
    Q = np.linalg.qr((W[size > 0] / size[size > 0, None]).T)[0]
    return _extremes(Q.T @ N, dim, tie)


def of_labels(
    W: np.ndarray, dim: int, tie: Tie, label: PairMoments, dependent: Dependence | None
) -> tuple[float, float]:
    """Return the least and the largest adjusted R² of the labels that a choice can have.

    Source: derived (the extremes of a trace over subspaces; Ky Fan).
    """
    S, K = np.asarray(label.first), np.asarray(label.cross)
    C = W @ S @ W.T
    unit = np.sqrt(np.where(np.diag(C) > 0, np.diag(C), 1))
    L = np.linalg.cholesky(C / unit / unit[:, None])
    Z = np.linalg.solve(L, W @ K / unit[:, None])
    total, n = np.trace(np.asarray(label.second)), worth(W, label, dependent)
    least, most = (adjusted(explained / total, n, dim) for explained in _extremes(Z, dim, tie))
    return least, most


def _extremes(Z: np.ndarray, dim: int, tie: Tie) -> tuple[float, float]:
    """Return the extremes of |U Z|^2 over the codes U before the tie and some of those in it."""
    start, end = tie if tie is not None else (dim, dim)
    fixed, tied, chosen = float(np.sum(Z[:start] ** 2)), Z[start:end], dim - start
    values = np.linalg.eigvalsh(tied @ tied.T) if len(tied) else np.zeros(0)
    return fixed + float(values[:chosen].sum()), fixed + float(values[len(values) - chosen :].sum())
