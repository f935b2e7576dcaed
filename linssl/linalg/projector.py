"""The projector on leading eigenvectors, with a derivative that survives repeated eigenvalues."""

from functools import partial

import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Float

from linssl.arguments import Numbers, as_float, require_dim


def projector(matrix: Numbers, dim: int) -> Float[Array, "d d"]:
    r"""Project on the eigenvectors of the k largest eigenvalues of a symmetric matrix.

    $$ P = Q_k Q_k^T, \qquad
       dP = \sum_{i \le k < j} \frac{q_i q_i^T\, dM\, q_j q_j^T
       + q_j q_j^T\, dM\, q_i q_i^T}{\lambda_i - \lambda_j} $$

    The derivative divides by gaps across the cut only. So eigenvalues may repeat on either side
    of it, where the derivative through eigenvectors is NaN. Where $\lambda_k = \lambda_{k+1}$ to
    working precision P isn't unique and has no derivative: such pairs contribute 0.

    Args:
        matrix: $M$, (d, d), symmetric; read as $(M + M^T)/2$.
        dim: $k$, 1 <= k <= d.

    Returns:
        $P$, (d, d).

    Raises:
        ValueError: not a square matrix, or dim out of range.

    Source: derived (first-order perturbation of an invariant subspace; DavisKahan1970).
    """
    M = as_float(matrix, "matrix")
    if M.ndim != 2 or M.shape[0] != M.shape[1] or M.size == 0:
        raise ValueError(f"matrix must be (d, d); got {M.shape}.")
    require_dim(dim, M.shape[0], "the size of the matrix")
    Q = leading((M + M.T) / 2, jnp.eye(len(M), dtype=M.dtype), dim)[0]
    return Q.T @ Q


@partial(jax.custom_jvp, nondiff_argnums=(2,))
def leading(H: Float[Array, "d d"], S: Float[Array, "d d"], dim: int) -> tuple[Array, ...]:
    r"""Solve $H w = \omega S w$: the k leading rows, all scores, descending, and S's least pivot.

    Rows have $W S W^T = I$. Which basis of the subspace they are is arbitrary, and their derivative
    is the part that leaves it:

    $$ dw_i = \sum_{j > k} \frac{w_j^T (dH - \omega_i\, dS) w_i}{\omega_i - \omega_j}\, w_j, \qquad
       d\omega_i = w_i^T (dH - \omega_i\, dS) w_i $$

    So what is made of them must not depend on the basis, as a projector doesn't. Where a score
    repeats its derivative is that of one branch; sums over all that are equal have the true one.
    The pivot is that of S scaled to a unit diagonal, at most 0 or NaN where S isn't definite.

    Source: derived (first-order perturbation of a definite pencil).
    """
    W, scores, pivot = _solve(H, S)
    return W[:dim], scores, pivot


@leading.defjvp
def _leading_jvp(dim: int, primals: tuple[Array, Array], tangents: tuple[Array, Array]):
    (H, S), (dH, dS) = primals, tangents
    W, scores, pivot = _solve(H, S)
    kept, rest = W[:dim], W[dim:]
    gaps = scores[:dim, None] - scores[None, dim:]
    tied = gaps <= jnp.finfo(H.dtype).eps * jnp.max(jnp.abs(scores))
    dH, dS = (dH + dH.T) / 2, (dS + dS.T) / 2
    moved = kept @ dH - scores[:dim, None] * (kept @ dS)
    dW = jnp.where(tied, 0, (moved @ rest.T) / jnp.where(tied, 1, gaps)) @ rest
    d_scores = jnp.sum((W @ dH - scores[:, None] * (W @ dS)) * W, axis=1)
    return (kept, scores, pivot), (dW, d_scores, jnp.zeros_like(pivot))


def _solve(H: Array, S: Array) -> tuple[Array, Array, Array]:
    scale = jnp.sqrt(jnp.diagonal(S))
    L = jnp.linalg.cholesky(S / scale[:, None] / scale[None, :], symmetrize_input=False)
    half = solve_triangular(L, H / scale[:, None], lower=True)
    M = solve_triangular(L, (half / scale[None, :]).T, lower=True)
    scores, Q = jnp.linalg.eigh((M + M.T) / 2, symmetrize_input=False)
    W = solve_triangular(L, Q[:, ::-1], lower=True, trans="T").T / scale[None, :]
    return W, scores[::-1], jnp.min(jnp.square(jnp.diagonal(L)))
