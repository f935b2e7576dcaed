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
    Z = _white(W, label) @ np.asarray(label.cross)
    total, n = np.trace(np.asarray(label.second)), worth(W, label, dependent)
    least, most = (adjusted(explained / total, n, dim) for explained in _extremes(Z, dim, tie))
    return least, most


def extreme_codes(
    W: np.ndarray, dim: int, tie: tuple[int, int], label: PairMoments
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the encoders of those choices among tied codes that tell the least of the labels, and
    the most; None where codes that tie aren't all there, or are redundant on clean data.

    Source: derived (the extremes of a trace over subspaces; Ky Fan).
    """
    start, end = tie
    if not all_there(W, tie):
        return None
    try:
        V = _white(W[:end], label)
    except np.linalg.LinAlgError:
        return None
    Z = V[start:] @ np.asarray(label.cross)
    turned = np.linalg.eigh(Z @ Z.T)[1].T @ V[start:]
    chosen = dim - start
    return np.vstack([V[:start], turned[:chosen]]), np.vstack([V[:start], turned[-chosen:]])


def all_there(W: np.ndarray, tie: tuple[int, int]) -> bool:
    """Say whether codes that tie are all known."""
    return not (tie[1] >= len(W) < W.shape[1]) and bool(W[: tie[1]].any(1).all())


def _white(W: np.ndarray, label: PairMoments) -> np.ndarray:
    """Return codes that are uncorrelated on clean data, each of itself and those before it."""
    C = W @ np.asarray(label.first) @ W.T
    unit = np.sqrt(np.where(np.diag(C) > 0, np.diag(C), 1))
    L = np.linalg.cholesky(C / unit / unit[:, None])
    return np.linalg.solve(L, W / unit[:, None])


def _extremes(Z: np.ndarray, dim: int, tie: Tie) -> tuple[float, float]:
    """Return the extremes of |U Z|^2 over the codes U before the tie and some of those in it."""
    start, end = tie if tie is not None else (dim, dim)
    fixed, tied, chosen = float(np.sum(Z[:start] ** 2)), Z[start:end], dim - start
    values = np.linalg.eigvalsh(tied @ tied.T) if len(tied) else np.zeros(0)
    return fixed + float(values[:chosen].sum()), fixed + float(values[len(values) - chosen :].sum())
