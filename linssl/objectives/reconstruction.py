"""Reconstruction, and supervised least squares, which is its full-rank case."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array

from linssl.arguments import require_dim
from linssl.linalg.status import FATAL, Status, cut_status, few
from linssl.linalg.structure import dense, diagonal, exact_products
from linssl.linalg.whitening import Whitener, whitener
from linssl.moments import PairMoments, require_pair
from linssl.objectives.solution import Solution, finished


def reconstruction(pair: PairMoments, dim: int) -> Solution:
    r"""Solve $\min_{E, D} E\|x - D E \tau(x)\|^2$ with a code of k dimensions.

    $$ K S^{-1/2} = R \Phi P^T, \quad K = \mathrm{Cov}(x, \tau(x)), \quad
       E^* = T P_k^T S^{-1/2}, \quad D^* = R_k \Phi_k T^{-1}, \quad
       \mathrm{loss} = \mathrm{tr}\, C - \sum_{i \le k} \varphi_i^2 $$

    Any invertible T gives the same loss; this is $T = I$, so that $E S E^T = I_k$. The subspace
    is unique where $\varphi_k > \varphi_{k+1}$. It is equivariant under rotations and scalings
    of the data, and under any invertible map of the view alone. Means are subtracted; without
    intercept it is `reconstruction(pair.about_zero(), dim)`.

    Gradients: loss and sums of the spectrum always have one; an encoder's is NaN where any two
    scores are equal.

    Args:
        pair: (view, target) moments: first $= S$ (d, d), second $= C = \mathrm{Cov}(x)$ (e, e),
            cross $= K^T$ (d, e), from `view_and_clean(data, a)`. Any target does: this is
            reduced-rank regression of v on u.
        dim: $k$, 1 <= k <= min(d, e).

    Returns:
        `Solution` with encoder $E^*$ (k, d), decoder $D^*$ (e, k) and spectrum $\varphi^2$
        (min(d, e),), in units of the target's variance. Trouble is its `status`; FEW_SAMPLES
        where draws <= d.

    Raises:
        ValueError: not a pair, or dim out of range.

    Source: JEvRC, Theorem 1.
    """
    require_pair(pair)
    limit = min(pair.first.shape[0], pair.second.shape[0])
    require_dim(dim, limit, "the smaller of the view's and the target's features")
    return _reconstruct(pair, dim)


def supervised(pair: PairMoments) -> Solution:
    r"""Solve $\min_V E\|y - V\tau(x)\|^2$: reconstruction of the label at full rank.

    $$ V^* = \mathrm{Cov}(y, \tau(x))\, S^{-1} = D^* E^* $$

    Args:
        pair: (view, label) moments, from `augment_sides(with_label(data, labels), a, None)`.
            With an intercept; without one, `pair.about_zero()`.

    Returns:
        `Solution` with encoder (m, d) and decoder (e, m), m = min(d, e), in the coding that has
        gradients everywhere ($E = V^*$ where e <= d, else $D E$ with $E S E^T = I$); its
        `predictor` is $V^*$, (e, d). That is unique whenever S isn't singular, so no cut is
        reported.

    Source: JEvRC, section 3 (supervised baseline).

    """
    require_pair(pair)
    return _supervise(pair)


def _whitened(pair: PairMoments) -> tuple[Whitener, Array, Array, Array]:
    """Return F with S = F F^T, M = F^{-1} K^T ((K S^{-1/2})^T, rotated), E|x|^2, and status."""
    F = whitener(pair.first, pair.rounding_first)
    Kt = dense(pair.cross)
    finite = jnp.all(jnp.isfinite(Kt)) & jnp.all(jnp.isfinite(pair.second))
    status = F.status | jnp.where(finite, 0, Status.NOT_FINITE)
    status = status | few(pair.draws, len(Kt))
    M = jnp.where((status & FATAL) == 0, F.whiten(Kt), 0)
    # The residual E|x|^2 - sum phi^2 at full rank can't be negative for moments of one pair.
    total = jnp.sum(diagonal(pair.second))
    tolerance = jnp.finfo(M.dtype).eps ** 0.5 + 10 * F.rounding
    too_large = jnp.sum(jnp.square(M)) > total * (1 + tolerance)
    return F, M, total, status | jnp.where(too_large, Status.INCONSISTENT, 0)


@exact_products
@partial(jax.jit, static_argnames="dim")
def _reconstruct(pair: PairMoments, dim: int) -> Solution:
    F, M, total, status = _whitened(pair)
    if M.shape[1] < M.shape[0]:
        # A thin decomposition of the small side; P stays orthonormal where phi is 0.
        P, phi, _ = jnp.linalg.svd(M, full_matrices=False)
        phi2 = jnp.square(phi)
    else:
        phi2, P = jnp.linalg.eigh(M @ M.T, symmetrize_input=False)
        phi2, P = jnp.maximum(phi2[::-1], 0), P[:, ::-1]
    P = P[:, :dim]
    gap, cut = cut_status(phi2, dim, F.rounding)
    loss = total - jnp.sum(phi2[:dim])
    # R_k Phi_k = M^T P_k
    return finished(
        encoder=F.encoder(P),
        decoder=M.T @ P,
        spectrum=phi2,
        gap=gap,
        loss=loss,
        status=status,
        cut=cut,
        sides=pair,
    )


@exact_products
@jax.jit
def _supervise(pair: PairMoments) -> Solution:
    # Nothing is cut off, so T is free to be R Phi: then D E = V without any eigenvector, which
    # keeps V differentiable, and neither ties nor missing rank make it ambiguous.
    F, M, total, status = _whitened(pair)
    d, e = M.shape
    eye = jnp.eye(min(e, d), dtype=M.dtype)
    encoder, decoder = (F.encoder(M), eye) if e <= d else (F.encoder(eye), M.T)
    phi2 = jnp.linalg.eigvalsh(M.T @ M if e <= d else M @ M.T)[::-1]
    return finished(
        encoder=encoder,
        decoder=decoder,
        spectrum=jnp.maximum(phi2, 0),
        gap=jnp.inf,
        loss=total - jnp.sum(jnp.square(M)),
        status=status,
        cut=0,
        sides=pair,
    )
