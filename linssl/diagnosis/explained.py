r"""What codes explain of the labels, less what chance does."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from scipy.linalg import get_lapack_funcs, solve_triangular

from linssl.diagnosis.effective import Dependence, design_effect
from linssl.metrics import probe_r2
from linssl.moments import PairMoments

_probe_r2 = eqx.filter_jit(probe_r2)
EPS = float(np.finfo(float).eps)
LEAST_ROWS = 32  # of an encoder that is compiled for
REDUNDANT = 1e4 * EPS  # of a feature's variance, left beside the others: fewer than four digits


def padded(encoder: np.ndarray) -> Array:
    """Add rows of 0, which a probe ignores: few shapes, which compile once."""
    rows = max(LEAST_ROWS, 1 << (len(encoder) - 1).bit_length())
    return jnp.asarray(np.pad(encoder, ((0, rows - len(encoder)), (0, 0))))


def adjusted_r2(
    encoder: np.ndarray, label: PairMoments, dependent: Dependence | None = None
) -> float:
    r"""Return the share of the labels' variance that codes explain, less what chance explains.

    $$ \bar R^2 = 1 - (1 - R^2) \frac{n - 1}{n - k - 1} $$

    with n over the `design_effect` of the codes for n, where rows aren't independent.

    Source: derived (least squares with k regressors).
    """
    n, k = worth(encoder, label, dependent), len(encoder)
    return adjusted(float(_probe_r2(padded(encoder), label)), n, k)


def adjusted(r2: Any, n: float, k: int) -> Any:
    """Return the R² of k regressors and n rows, less what chance explains."""
    return 1 - (1 - r2) * (n - 1) / max(n - k - 1, 1)


def whitening(label: PairMoments) -> tuple[np.ndarray, int]:
    r"""Return F, (r, d), with $F S F^T = I_r$, where r features span the others.

    By a Cholesky factor with pivots: each is the variance of a feature, of 1, that those before it
    leave. A feature that they leave less than `REDUNDANT` of is taken for one of them.

    Returns:
        (F, blurred): how many of those left out may still differ from the others, so little that
        rounding hides it.

    Source: derived (normal equations).
    """
    S = np.asarray(label.first)
    unit = np.sqrt(np.where(np.diag(S) > 0, np.diag(S), 1))
    R = S / unit[:, None] / unit[None, :]
    (pstrf,) = get_lapack_funcs(("pstrf",), (R,))
    L, order, rank, _ = pstrf(R, lower=1)
    left = np.square(np.diag(L)[:rank])
    r = int(np.sum(left > REDUNDANT))
    F, used = np.zeros((r, len(S))), order[:r] - 1
    F[:, used] = solve_triangular(L[:r, :r], np.eye(r), lower=True) / unit[used]
    return F, int(np.sum(left[r:] > max(len(S), 100) * EPS))


def worth(encoder: np.ndarray, label: PairMoments, dependent: Dependence | None) -> float:
    """Return how many independent rows would explain as much by chance."""
    return float(label.count) / design_effect(encoder, dependent)


def best_r2(label: PairMoments, dependent: Dependence | None = None) -> np.ndarray:
    r"""Return the R² of the best k linear codes, for every k up to d: the ceiling.

    $$ S^{-1/2} K = U \Phi V^T: \qquad R^2(k) = \sum_{i \le k} \varphi_i^2 / \mathrm{tr}\, L $$

    each $\varphi_i^2$ less what r regressors, the rank of S, explain by chance of its label
    direction $v_i$, with n over the `design_effect` of all. NaN where samples are too few,
    n <= r + 2.

    Raises:
        ValueError: a sum above 1, so that rounding has had its way.

    Source: JEvRC, Theorem 1 (with the label as target); derived (adjustment).
    """
    K, L = (np.asarray(m) for m in (label.cross, label.second))
    F, d = whitening(label)[0], len(K)
    n, r = worth(F, label, dependent), len(F)
    if n <= r + 2:
        return np.full(d, np.nan)
    _, phi, V = np.linalg.svd(F @ K, full_matrices=False)
    total = np.sum((V @ L) * V, axis=1)
    if np.max(phi**2 - total, initial=0) > 0.01 * np.trace(L):
        raise ValueError(
            "data must tell their columns apart; codes explain more than all of the labels, so "
            "nearly redundant columns have cost the digits: drop some, or pass their differences."
        )
    explained = total - np.maximum(total - phi**2, 0) * (n - 1) / (n - r - 1)
    sums = np.cumsum(np.maximum(explained, 0)) / np.trace(L)
    return np.pad(sums, (0, d - len(sums)), mode="edge")


def label_shares(W: np.ndarray, label: PairMoments | None) -> list[float]:
    """Return the R² of the labels on each code alone."""
    if label is None:
        return []
    S, K, L = (np.asarray(m) for m in (label.first, label.cross, label.second))
    variance = np.sum((W @ S) * W, axis=1)
    explained = np.sum(np.square(W @ K), axis=1) / np.where(variance > 0, variance, 1)
    return (np.where(variance > 0, explained, 0) / np.trace(L)).tolist()
