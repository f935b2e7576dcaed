"""Joint embedding: encode two views alike, without collapsing."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array

from linssl.arguments import require_dim
from linssl.linalg.status import FATAL, Status, cut_status, few
from linssl.linalg.structure import dense, diagonal, exact_products
from linssl.linalg.whitening import Whitener, blurred_share, whitener
from linssl.moments import Views, require_views
from linssl.objectives.solution import Solution, finished


def joint_embedding(views: Views, dim: int) -> Solution:
    r"""Solve $\min_W E\|W\tau_1 - W\tau_2\|^2$ subject to $W S W^T = I_k$.

    $$ S^{-1/2} G S^{-1/2} = Q \Omega Q^T, \quad W^* = Q_k^T S^{-1/2}, \quad
       \mathrm{loss} = 2 \sum_{i \le k} (1 - \omega_i) $$

    W is unique up to a rotation of the code, where $\omega_k > \omega_{k+1}$. It is equivariant
    under every invertible map of the data. $-1 \le \omega \le 1$, and $\omega \ge 0$ for
    independent views of one instance.

    Gradients: loss and sums of the spectrum always have one; an encoder's is NaN where any two
    scores are equal.

    Args:
        views: $G$ and $S = G + \Sigma$, from `two_views(data, a)`.
        dim: $k$, 1 <= k <= d.

    Returns:
        `Solution` with encoder $W^*$ (k, d) and spectrum $\omega$ (d,). Singular S, NaN and the
        like are its `status`, with NaN for numbers. FEW_SAMPLES where draws <= d.

    Raises:
        ValueError: not views, or dim out of range.

    Source: JEvRC, Theorem 2.
    """
    require_views(views, "joint_embedding")
    require_dim(dim, views.mean.shape[0], "the number of features")
    return _solve(views, dim)


@exact_products
@partial(jax.jit, static_argnames="dim")
def _solve(views: Views, dim: int) -> Solution:
    S, G = dense(views.covariance), dense(views.shared)
    d, eps = S.shape[0], jnp.finfo(G.dtype).eps
    F, M, by_noise = _whitened(views, S, G)
    tolerance = eps**0.5 + 10 * F.rounding
    # A test of every entry, not of the largest: XLA takes 0.1 ms over that maximum on a CPU.
    symmetric = jnp.all(jnp.abs(M - M.T) <= tolerance * jnp.maximum(jnp.max(jnp.abs(M)), 1))
    status = F.status | jnp.where(
        jnp.all(jnp.isfinite(G)), jnp.where(symmetric, 0, Status.NOT_SYMMETRIC), Status.NOT_FINITE
    )
    usable = (status & FATAL) == 0
    g, Q = jnp.linalg.eigh(jnp.where(usable, (M + M.T) / 2, 0), symmetrize_input=False)
    g, Q = g[::-1], Q[:, ::-1]
    # Whitened by the noise, S is I + Q g Q^T: scores are g/(1+g), and rows shrink by (1+g)^{-1/2}.
    total = jnp.where(by_noise, jnp.maximum(1 + g, eps), 1)
    omega = g / total
    encoder = jax.lax.cond(
        by_noise, lambda Q: Q.T / F.scale[None, :], lambda Q: F.encoder(Q), Q[:, :dim]
    ) / jnp.sqrt(total[:dim, None])

    # Cauchy-Schwarz: no correlation of one pair exceeds 1.
    too_large = jnp.max(jnp.abs(omega)) > 1 + tolerance
    status = status | jnp.where(usable & too_large, Status.INCONSISTENT, 0)

    gap, _ = cut_status(omega, dim, F.rounding)
    # By noise, g is what rounding blurs, relative to the largest: a gap is real if it is there.
    blur = jnp.max(blurred_share(S, views.rounding))
    scores, rounding = jnp.where(by_noise, g, omega), 4 * eps * d**0.5 + blur
    _, cut = cut_status(scores, dim, jnp.where(by_noise, rounding, F.rounding))
    return finished(
        encoder=encoder,
        spectrum=omega,
        gap=gap,
        loss=2 * jnp.sum(1 - omega[:dim]),
        status=status,
        cut=cut | few(views.draws, d),
        sides=views,
    )


def _whitened(views: Views, S: Array, G: Array) -> tuple[Whitener, Array, Array]:
    r"""Return a whitener, $F^{-1} G F^{-T}$, and whether F whitens the noise rather than S.

    With $S = F F^T$, F is $S^{1/2} V$ for an orthogonal V: the eigenvalues are those of
    $S^{-1/2} G S^{-1/2}$, with eigenvectors $V^T Q$, and $Q_k^T V F^{-1} = Q_k^T S^{-1/2}$ is the
    same W. With independent additive noise, $S = G + \Sigma$ for a diagonal Σ, and
    $F = \Sigma^{1/2}$ needs no factorisation (Source: JEvRC, Theorem 2).
    """

    def by_view(S: Array, G: Array) -> tuple[Whitener, Array]:
        F = whitener(S, views.rounding)
        return F, F.whiten(F.whiten(G).T)

    if views.spread.ndim == 2:
        return *by_view(S, G), jnp.array(False)

    d, eps = S.shape[0], jnp.finfo(S.dtype).eps
    sigma, variance, share = views.spread, diagonal(S), blurred_share(S, views.rounding)
    scale = jnp.sqrt(jnp.where(sigma > 0, sigma, 1))

    def by_noise(S: Array, G: Array) -> tuple[Whitener, Array]:
        M = G / scale[:, None] / scale[None, :]
        rounding = (4 * eps * d**0.5 + jnp.max(share)) * jnp.max(variance / sigma)
        return Whitener(scale, jnp.eye(d, dtype=S.dtype), rounding, jnp.asarray(0)), M

    # The noise must be worth dividing by on every feature: else rounding swamps small scores.
    known = jnp.all(jnp.isfinite(S)) & jnp.all(share < 0.5)
    worth = known & jnp.all(sigma > 1e-4 * variance)
    return *jax.lax.cond(worth, by_noise, by_view, S, G), worth
