"""Reconstruction, and supervised least squares, which is its full-rank case."""

from functools import partial

import jax
import jax.numpy as jnp

from linssl._checks import require_dim
from linssl._structure import dense, diagonal, exact_products
from linssl.moments import PairMoments
from linssl.objectives.solution import FATAL, Solution, Status, cut_status
from linssl.objectives.whitening import whitener


@exact_products
@partial(jax.jit, static_argnames="dim")
def reconstruction(pair: PairMoments, dim: int) -> Solution:
    r"""Solve $\min_{E, D} E\|x - D E \tau(x)\|^2$ with a code of k dimensions.

    $$ K S^{-1/2} = R \Phi P^T, \quad K = E[x \tau(x)^T], \quad
       E^* = T P_k^T S^{-1/2}, \quad D^* = R_k \Phi_k T^{-1}, \quad
       \mathrm{loss} = \mathrm{tr}\, E[xx^T] - \sum_{i \le k} \varphi_i^2 $$

    Any invertible T gives the same loss; this is $T = I$, so that $E S E^T = I_k$. The subspace
    is unique where $\varphi_k > \varphi_{k+1}$. It is equivariant under rotations and scalings
    of the data, and under any invertible map of the view alone. Conventions: reads raw second
    moments as they are (call `pair.centred()` first for centred ones).

    Args:
        pair: (view, target) moments: first $= S$ (d, d), second $= E[xx^T]$ (e, e),
            cross $= K^T$ (d, e), from `augment(same_instance(data), a, None)`. Any target does:
            this is reduced-rank regression of v on u.
        dim: $k$, 1 <= k <= min(d, e).

    Returns:
        `Solution` with encoder $E^*$ (k, d), decoder $D^*$ (e, k) and spectrum $\varphi^2$
        (min(d, e),), in units of the target's variance. Trouble is its `status`.

    Raises:
        ValueError: dim out of range.

    Source: JEvRC, Theorem 1.
    """
    d, e = pair.first.shape[0], pair.second.shape[0]
    require_dim(dim, min(d, e), "the smaller of the view's and the target's features")
    F = whitener(pair.first)
    K = dense(pair.cross).T
    finite = jnp.all(jnp.isfinite(K)) & jnp.all(jnp.isfinite(pair.second))
    status = F.status | jnp.where(finite, 0, Status.NOT_FINITE)
    usable = (status & FATAL) == 0

    M = jnp.where(usable, F.whiten(K.T).T, 0)  # K F^{-T}, (e, d): K S^{-1/2} up to a rotation
    if e < d:
        # A thin decomposition of the small side; P stays orthonormal where phi is 0.
        _, phi, Pt = jnp.linalg.svd(M, full_matrices=False)
        phi2, P = jnp.square(phi), Pt.T
    else:
        phi2, P = jnp.linalg.eigh(M.T @ M, symmetrize_input=False)
        phi2, P = jnp.maximum(phi2[::-1], 0), P[:, ::-1]

    # The residual E|x|^2 - sum phi^2 at full rank can't be negative for moments of one pair.
    total = jnp.sum(diagonal(pair.second))
    eps = jnp.finfo(M.dtype).eps
    too_large = jnp.sum(phi2) > total * (1 + eps**0.5 + 10 * F.rounding)
    status = status | jnp.where(usable & too_large, Status.INCONSISTENT, 0)
    usable = (status & FATAL) == 0

    gap, cut = cut_status(phi2, dim, F.rounding)
    nan = jnp.asarray(jnp.nan, phi2.dtype)
    return Solution(
        encoder=jnp.where(usable, F.encoder(P[:, :dim]), nan),
        second_encoder=None,
        decoder=jnp.where(usable, M @ P[:, :dim], nan),  # R_k Phi_k = M P_k
        spectrum=jnp.where(usable, phi2, nan),
        gap=jnp.where(usable, gap, nan),
        loss=jnp.where(usable, total - jnp.sum(phi2[:dim]), nan),
        status=jnp.where(usable, status | cut, status).astype(jnp.int32),
    )


def supervised(pair: PairMoments) -> Solution:
    r"""Solve $\min_V E\|y - V\tau(x)\|^2$: reconstruction of the label at full rank.

    $$ V^* = E[y \tau(x)^T]\, S^{-1} = D^* E^* $$

    Args:
        pair: (view, label) moments, from `augment(with_label(data, labels), a, None)`; raw
            unless `.centred()` was called.

    Returns:
        `Solution` with encoder (m, d) and decoder (e, m), m = min(d, e); its
        `predictor` is $V^*$, (e, d). That is unique whenever S isn't singular, so no cut is
        reported.

    Source: JEvRC, section 3 (supervised baseline).

    """
    full = reconstruction(pair, min(pair.first.shape[0], pair.second.shape[0]))
    return Solution(
        encoder=full.encoder,
        second_encoder=None,
        decoder=full.decoder,
        spectrum=full.spectrum,
        gap=jnp.full_like(full.gap, jnp.inf),
        loss=full.loss,
        # Nothing is cut off, so neither ties nor missing rank make V ambiguous.
        status=full.status & ~int(Status.NO_GAP | Status.BEYOND_RANK),
    )
