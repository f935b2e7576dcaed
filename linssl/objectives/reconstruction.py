"""Reconstruction, and supervised least squares, which is its full-rank case."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array

from linssl.arguments import require_dim
from linssl.linalg.pencil import Square, leading
from linssl.linalg.status import FATAL, Status, cut_status, few
from linssl.linalg.structure import Moment, dense, diagonal, exact_products
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

    Gradients: always finite, and true for what a rotation of the code doesn't change (loss, sums
    of the spectrum, the subspace, `predictor`), wherever that is unique. What depends on the
    rotation has none: an encoder's is the part that leaves its subspace (`linalg.pencil`). With k
    beyond the rank of K (BEYOND_RANK) the predictor has a derivative where k = min(d, e) only.

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


@exact_products
@partial(jax.jit, static_argnames="dim")
def _reconstruct(pair: PairMoments, dim: int) -> Solution:
    F = whitener(pair.first, pair.rounding_first, pair.count)
    Kt, status = _target(pair, F)
    M = F.whiten(Kt)
    W, phi2 = leading(Square(Kt), pair.first, F, dim, M)
    total = jnp.sum(diagonal(pair.second))
    gap, cut = cut_status(phi2, dim, F.rounding)
    return finished(
        encoder=W,
        decoder=Kt.T @ W.T,  # R_k Phi_k
        regression=regression(Kt, F, dim),
        spectrum=phi2,
        gap=gap,
        loss=total - jnp.sum(phi2[:dim]),
        status=status | too_large(M, pair.second, F.rounding, status),
        cut=cut,
        sides=pair,
    )


def regression(Kt: Array, F: Whitener, dim: int) -> Array | None:
    """Return $K S^{-1}$, (e, d), where a code of k = e < d holds all of the target, else None."""
    d, e = Kt.shape
    return F.encoder(F.whiten(Kt)) if dim == e < d else None


def _target(pair: PairMoments, F: Whitener) -> tuple[Array, Array]:
    """Return K^T, (d, e), 0 where the status is fatal, and the status."""
    Kt = dense(pair.cross)
    finite = jnp.all(jnp.isfinite(Kt)) & jnp.all(jnp.isfinite(pair.second))
    status = F.status | jnp.where(finite, 0, Status.NOT_FINITE) | few(pair.draws, len(Kt))
    return jnp.where((status & FATAL) == 0, Kt, 0), status


def too_large(M: Array, second: Moment, rounding: Array, status: Array) -> Array:
    """Return INCONSISTENT where more of a target is explained, |M_j|^2, than it varies."""
    eps = jnp.finfo(M.dtype).eps
    variance, explained = diagonal(second), jnp.sum(jnp.square(M), axis=0)
    most = variance * (1 + eps**0.5 + 10 * rounding) + 10 * eps * jnp.max(variance)
    beyond = jnp.any(explained > most)
    return jnp.where(((status & FATAL) == 0) & beyond, Status.INCONSISTENT, 0)


@exact_products
@jax.jit
def _supervise(pair: PairMoments) -> Solution:
    # Nothing is cut off, so T is free to be R Phi: then D E = V without any eigenvector, which
    # keeps V differentiable, and neither ties nor missing rank make it ambiguous.
    F = whitener(pair.first, pair.rounding_first, pair.count)
    Kt, status = _target(pair, F)
    M, total = F.whiten(Kt), jnp.sum(diagonal(pair.second))
    explained = jnp.sum(jnp.square(M))
    d, e = M.shape
    eye = jnp.eye(min(e, d), dtype=M.dtype)
    encoder, decoder = (F.encoder(M), eye) if e <= d else (F.encoder(eye), M.T)
    phi2 = jnp.linalg.eigvalsh(M.T @ M if e <= d else M @ M.T)[::-1]
    return finished(
        encoder=encoder,
        decoder=decoder,
        spectrum=jnp.maximum(phi2, 0),
        gap=jnp.inf,
        loss=total - explained,
        status=status | too_large(M, pair.second, F.rounding, status),
        cut=0,
        sides=pair,
    )
