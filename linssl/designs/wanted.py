"""What is to be kept: from labels or a subspace to one target that codes are regressed on."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from linssl.arguments import as_float, require_dim
from linssl.data.targets import check_targets
from linssl.linalg.structure import dense
from linssl.moments import PairMoments, Views
from linssl.pairs import same_instance, same_instance_moments

RANK = 1e-10  # of the largest eigenvalue: what counts as none


class Wanted(eqx.Module):
    r"""The data, and what codes should keep of them.

    Args:
        covariance: $C$, (d, d).
        mean: E[x].
        cross: $K_y = \mathrm{Cov}(x, y)$, (d, e), over the root of what the best k linear codes
            explain of y, so that codes as good as those keep 1.
        unit: of scores: 1 for joint embedding, $\lambda_{\max}(C)$ for reconstruction.
        reconstruct: whose encoder: a value, so that both paradigms share a program.
        subspace: $V$, (m, d); None for labels.
        dim: $k$.

    Source: derived.
    """

    covariance: Float[Array, "d d"]
    mean: Float[Array, " d"]
    cross: Float[Array, "d e"]
    unit: Float[Array, ""]
    reconstruct: Bool[Array, ""]
    subspace: Float[Array, "m d"] | None
    dim: int = eqx.field(static=True)


def clean_moments(data: Any, labelled: bool) -> Views:
    """Return the moments of data, in the precision at hand and not that of data, or raise."""
    if isinstance(data, PairMoments):
        raise ValueError("data must be clean moments, such as same_instance(X) makes.")
    if isinstance(data, Views):
        if labelled:
            raise ValueError("data must be (n, d) samples for labels; got moments.")
        if np.any(np.asarray(data.spread)):
            raise ValueError("data must be clean moments, such as same_instance(X) makes.")
        covariance, mean = (np.asarray(a, float) for a in (data.shared, data.mean))
        if not (np.isfinite(covariance).all() and np.isfinite(mean).all()):
            raise ValueError("data must have finite moments; got NaN or inf.")
        return same_instance_moments(covariance, mean, np.asarray(data.count, float))
    return same_instance(as_float(data, "data").astype(float))


def what_to_keep(
    same: Views, data: Any, labels: Any, subspace: Any, dim: int | None, reconstruct: bool
) -> Wanted:
    """Return the problem, or raise where what is to be kept isn't there.

    Raises:
        ValueError: labels that don't vary or can't be predicted, a subspace that isn't of full
            rank or on which data don't vary, or dim out of range.

    Source: derived; JEvRC, Theorem 1 (the best k codes of a target).
    """
    C = np.asarray(dense(same.shared))
    d = len(C)
    scale, U = np.linalg.eigh(C)
    real = scale > RANK * scale[-1]
    if not real.any():
        raise ValueError("data must vary; all rows are equal.")
    V = None
    if subspace is not None:
        V = _basis(subspace, C)
        cross, natural = C @ V.T, len(V)
    else:
        targets = check_targets(labels, len(data))
        Y = targets.rows(np.arange(len(data)))
        X = np.asarray(data, float)
        cross = (X - X.mean(0)).T @ (Y - Y.mean(0)) / len(X)
        natural = targets.size - (targets.classes is not None)
    k = natural if dim is None else dim
    rank = int(real.sum())
    require_dim(k, min(rank, d - 1), "below the number of features, and at most the data's rank")
    if V is not None and k < natural:
        raise ValueError(f"dim must be at least {natural}, the subspace's rows; got {k}.")
    phi = np.linalg.svd((U[:, real] / np.sqrt(scale[real])).T @ cross, compute_uv=False)
    best = float(np.sum(phi[:k] ** 2))
    if not best > RANK * d:
        raise ValueError("labels must be predictable: no linear code explains anything of them.")
    return Wanted(
        covariance=jnp.asarray(C),
        mean=same.mean,
        cross=jnp.asarray(cross / best**0.5),
        unit=jnp.asarray(scale[-1] if reconstruct else 1.0),
        reconstruct=jnp.asarray(reconstruct),
        subspace=None if V is None else jnp.asarray(V),
        dim=int(k),
    )


def _basis(subspace: Any, C: np.ndarray) -> np.ndarray:
    """Return rows that span the subspace, of unit variance and uncorrelated."""
    V = np.asarray(as_float(subspace, "subspace"), float)
    d = len(C)
    if V.ndim != 2 or V.shape[1] != d or not 1 <= len(V) < d:
        raise ValueError(f"subspace must be (m, {d}) rows, 1 <= m < {d}; got {V.shape}.")
    if not np.isfinite(V).all():
        raise ValueError("subspace must be finite; got NaN or inf.")
    length = np.linalg.norm(V, axis=1, keepdims=True)
    rank = np.linalg.matrix_rank(V / np.where(length > 0, length, 1))
    if rank < len(V):
        raise ValueError(f"subspace must be of full rank; got {len(V)} rows of rank {rank}.")
    V = np.linalg.qr(V.T)[0].T
    variances, T = np.linalg.eigh(V @ C @ V.T)
    if variances[0] <= RANK * np.trace(C):
        raise ValueError("subspace must vary: data are constant along one of its directions.")
    return (T / np.sqrt(variances)).T @ V
