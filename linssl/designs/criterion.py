r"""What a design is judged by: its strength, its gap, and what its codes keep."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float

from linssl.augmentations.law import between
from linssl.designs.families import DesignFamily
from linssl.designs.wanted import Wanted
from linssl.linalg.pencil import leading
from linssl.linalg.status import FATAL
from linssl.linalg.structure import dense, exact_products, trace
from linssl.linalg.whitening import Whitener, whitener

STRENGTH, SOFT, KEPT, GAP = range(4)  # what `judge` returns
FEW = 3  # parameters, for which forward derivatives are cheaper


@exact_products
def judge(
    wanted: Wanted, family: DesignFamily, p: Float[Array, " p"], blur: Float[Array, ""]
) -> tuple[Array, Array]:
    r"""Return strength, soft gap, kept share and gap, (4,), and whether S has a factor.

    With $\Sigma$ and $\bar A$ of $\tau_p$: $G = \bar A C \bar A^T$, $S = G + \Sigma = F F^T$, and
    scores are the eigenvalues of $M = F^{-1} G F^{-T}$ (joint embedding), or of
    $F^{-1} \bar A C^2 \bar A^T F^{-T} / \lambda_{\max}(C)$ (reconstruction). The soft gap is at
    most the gap, and smooth where scores repeat:

    $$ -t \log \sum_{i \le k} e^{-\omega_i/t} - t \log \sum_{j > k} e^{\omega_j/t} $$

    With a subspace, $\omega_i$ and $\omega_j$ are the scores of its directions and of the best of
    the rest: eigenvalues of M on $F^T V^T$ and on the complement.

    Source: JEvRC, Theorems 1 and 2; derived (the soft gap).
    """
    C, k, V = wanted.covariance, wanted.dim, wanted.subspace
    spread, A = family.effect(p, C, wanted.mean)[:2]
    G, Kt = between(A, C, A), between(A, C, None)
    S = G + dense(spread)
    H = jnp.where(wanted.reconstruct, Kt @ Kt.T, G) / wanted.unit
    F = whitener(S)
    W, scores = leading(H, S, F, k)
    upper, lower = scores[:k], scores[k:]
    if V is not None:
        upper, lower = _apart(V, H, S, F, k)
    soft = -blur * (logsumexp(-upper / blur) + logsumexp(lower / blur))
    L = jnp.linalg.cholesky(W @ C @ W.T)
    kept = jnp.sum(jnp.square(solve_triangular(L, W @ wanted.cross, lower=True)))
    return jnp.stack([trace(spread), soft, kept, upper[-1] - lower[0]]), (F.status & FATAL) == 0


def _apart(V: Array, H: Array, S: Array, F: Whitener, dim: int) -> tuple[Array, Array]:
    """Return the scores of a subspace, and from k - m + 1 on those of the rest, descending."""
    m = len(V)
    B = solve_triangular(jnp.linalg.cholesky(V @ S @ V.T), V, lower=True)  # B S B^T = I
    BH, BS = B @ H, B @ S
    inside = BH @ B.T
    # H on the S-complement of V, whose own scores become -2, below all others.
    moved = BS.T @ BH
    outside = H - moved - moved.T + BS.T @ (inside - 2 * jnp.eye(m, dtype=H.dtype)) @ BS
    rest = leading(outside, S, F, dim - m + 1)[1]
    return jnp.linalg.eigvalsh(inside)[::-1], rest[dim - m : len(H) - m]


@eqx.filter_jit
def values_and_slopes(
    wanted: Wanted, family: DesignFamily, p: Float[Array, " p"], blur: Float[Array, ""]
) -> tuple[Array, Array, Array]:
    """Return what `judge` does, and the derivatives of the first three, (3, p)."""

    def smooth(p: Array) -> tuple[Array, tuple[Array, Array]]:
        values, sound = judge(wanted, family, p, blur)
        return values[SOFT:GAP], (values, sound)

    def strength(p: Array) -> Array:
        return trace(family.effect(p, wanted.covariance, wanted.mean).spread)

    slope = jax.jacfwd if p.size <= FEW else jax.jacrev
    slopes, (values, sound) = slope(smooth, has_aux=True)(p)
    return values, sound, jnp.concatenate([jax.grad(strength)(p)[None], slopes])
