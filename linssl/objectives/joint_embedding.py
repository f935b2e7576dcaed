"""Joint embedding: encode two views alike, without collapsing."""

from functools import partial

import jax
import jax.numpy as jnp

from linssl._checks import require_dim
from linssl._structure import dense, exact_products
from linssl.moments import PairMoments, require_pair
from linssl.objectives.solution import FATAL, Solution, Status, cut_status
from linssl.objectives.whitening import whitener


def joint_embedding(pair: PairMoments, dim: int) -> Solution:
    r"""Solve $\min_W E\|W\tau_1 - W\tau_2\|^2$ subject to $W S W^T = I_k$.

    $$ S^{-1/2} G S^{-1/2} = Q \Omega Q^T, \quad W^* = Q_k^T S^{-1/2}, \quad
       \mathrm{loss} = 2 \sum_{i \le k} (1 - \omega_i) $$

    W is unique up to a rotation of the code, where $\omega_k > \omega_{k+1}$. It is equivariant
    under every invertible map of the data. Conventions: reads raw second moments as they are
    (call `pair.centred()` first for centred ones); $-1 \le \omega \le 1$, and $\omega \ge 0$
    for independent views of one instance.

    Gradients: loss and sums of the spectrum always have one; an encoder's is NaN where any two
    scores are equal.

    Args:
        pair: exchangeable moments, first $= S$ and cross $= G$, from
            `augment(same_instance(data), a, a)`.
        dim: $k$, 1 <= k <= d.

    Returns:
        `Solution` with encoder $W^*$ (k, d) and spectrum $\omega$ (d,). Singular S, NaN and the
        like are its `status`, with NaN for numbers.

    Raises:
        ValueError: not a pair, dim out of range, or a pair that isn't exchangeable.

    Source: JEvRC, Theorem 2.
    """
    require_pair(pair)
    if not pair.exchangeable:
        raise ValueError(
            "joint_embedding needs an exchangeable pair: two views from one augmentation, "
            "augment(pair, a, a) with the same object twice. For a pair with two different sides "
            "use canonical correlation (an encoder for each) or reconstruction."
        )
    require_dim(dim, pair.first.shape[0], "the number of features")
    return _solve(pair, dim)


@exact_products
@partial(jax.jit, static_argnames="dim")
def _solve(pair: PairMoments, dim: int) -> Solution:
    d = pair.first.shape[0]
    G = dense(pair.cross)
    F = whitener(pair.first)

    # S = F F^T, so F = S^{1/2} V for an orthogonal V, and F^{-1} G F^{-T} has the eigenvalues of
    # S^{-1/2} G S^{-1/2} with eigenvectors V^T Q; Q_k^T V F^{-1} = Q_k^T S^{-1/2} is the same W.
    half = F.whiten(G)
    M = F.whiten(half.T)
    eps = jnp.finfo(M.dtype).eps
    finite = jnp.all(jnp.isfinite(G))
    tolerance = eps**0.5 + 10 * F.rounding
    symmetric = jnp.max(jnp.abs(M - M.T)) <= tolerance
    status = F.status | jnp.where(
        finite, jnp.where(symmetric, 0, Status.NOT_SYMMETRIC), Status.NOT_FINITE
    )
    usable = (status & FATAL) == 0
    omega, Q = jnp.linalg.eigh(jnp.where(usable, (M + M.T) / 2, 0), symmetrize_input=False)
    omega, Q = omega[::-1], Q[:, ::-1]
    # Cauchy-Schwarz: no correlation of one pair exceeds 1. Exchangeable sides have one spread.
    S, C = dense(pair.first), dense(pair.second)
    too_large = jnp.max(jnp.abs(omega)) > 1 + tolerance
    uneven = ~(jnp.max(jnp.abs(S - C)) <= eps**0.5 * jnp.max(jnp.abs(S)))
    status = status | jnp.where(usable & (too_large | uneven), Status.INCONSISTENT, 0)
    usable = (status & FATAL) == 0

    gap, cut = cut_status(omega, dim, F.rounding)
    if pair.within is None:
        # n sampled differences u - v span n directions; every other one looks invariant.
        cut = cut | jnp.where(pair.count <= d, Status.FEW_SAMPLES, 0)
    nan = jnp.asarray(jnp.nan, omega.dtype)
    return Solution(
        encoder=jnp.where(usable, F.encoder(Q[:, :dim]), nan),
        second_encoder=None,
        decoder=None,
        spectrum=jnp.where(usable, omega, nan),
        gap=jnp.where(usable, gap, nan),
        loss=jnp.where(usable, 2 * jnp.sum(1 - omega[:dim]), nan),
        status=jnp.where(usable, status | cut, status).astype(jnp.int32),
    )
