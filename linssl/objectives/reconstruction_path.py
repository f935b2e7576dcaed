"""The path between reconstruction and joint embedding: one encoder that pays for both."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array

from linssl.arguments import Numbers, require_dim, require_range
from linssl.linalg.pencil import leading
from linssl.linalg.status import FATAL, Status, cut_status, few
from linssl.linalg.structure import dense, diagonal, exact_products
from linssl.linalg.whitening import whitener
from linssl.moments import PairMoments, require_pair
from linssl.objectives.reconstruction import regression, too_large
from linssl.objectives.solution import Solution, finished


def reconstruction_path(pair: PairMoments, dim: int, weight: Numbers) -> Solution:
    r"""Solve $\min_{W, B, V} E\|B W u - v\|^2 + l\, E\|W u - V v\|^2$, $W S W^T = I_k$.

    With $M = S^{-1/2} G$, $N = M C^{-1/2}$ and the eigenvectors Q of $M M^T + l N N^T$, whose
    eigenvalues are s,

    $$ W^* = Q_k^T S^{-1/2}, \quad B^* = G^T W^{*T}, \quad V^* = W^* G C^{-1}, \quad
       \mathrm{loss} = \mathrm{tr}\, C + l k - \sum_{i \le k} s_i $$

    At l = 0 it is `reconstruction` of v. For l → ∞ it is `canonical_correlation` (use that), with
    codes of v shrunk to what u tells of them, $V^* = \mathrm{diag}(\rho) W_2$.

    That end is joint embedding, exactly, where u is a view of v: for every augmentation $\tau$
    that is linear on average, $E[\tau | x] = \bar A x$ (additive noise: $\bar A = I$), the pair
    $(u, v) = (\tau, x)$ has $N N^T = S^{-1/2} \bar A C \bar A^T S^{-1/2}$, which is joint
    embedding's matrix for two views: $\rho^2 = \omega$, and the encoders are the same. One pair
    holds the whole path.

    Gradients as for `reconstruction`.

    Args:
        pair: first $= S$ (d, d), second $= C$ (e, e), cross $= G$ (d, e): a view and its clean
            sample, `view_and_clean(data, a)`, or any two sides.
        dim: $k$, 1 <= k <= min(d, e).
        weight: $l \ge 0$, a scalar, in units of the variance of v.

    Returns:
        `Solution` with encoder W (k, d), second_encoder V (k, e), decoder B (e, k) and spectrum s
        (min(d, e),), in units of the variance of v. With l > 0 a singular C is SINGULAR, and
        draws <= d + e are FEW_SAMPLES, as for `canonical_correlation`. At l = 0, where V isn't part
        of the loss, it is NaN where C is nearly singular.

    Raises:
        ValueError: not a pair, dim out of range, or a weight that isn't a scalar >= 0 whose
            products the precision holds (where concrete; NOT_FINITE inside a trace).

    Source: derived; JEvRC, Theorems 1 and 2, are its ends.
    """
    require_pair(pair)
    limit = min(pair.first.shape[0], pair.second.shape[0])
    require_dim(dim, limit, "the smaller of both sides' features")
    largest = float(jnp.finfo(pair.cross.dtype).max) / (4 * limit)  # the loss holds l k
    price = require_range("weight (its limit is canonical_correlation)", weight, 0, largest)
    if price.ndim:
        raise ValueError(f"weight must be a scalar; got shape {price.shape}.")
    return _solve(pair, dim, price.astype(pair.cross.dtype))


@exact_products
@partial(jax.jit, static_argnames="dim")
def _solve(pair: PairMoments, dim: int, weight: Array) -> Solution:
    F = whitener(pair.first, pair.rounding_first, pair.count)
    H = whitener(pair.second, pair.rounding_second, pair.count)
    G = dense(pair.cross)
    total, both = jnp.sum(diagonal(pair.second)), weight > 0
    finite = jnp.all(jnp.isfinite(G)) & jnp.isfinite(total) & jnp.isfinite(weight)
    status = F.status | jnp.where(both, H.status, 0) | jnp.where(finite, 0, Status.NOT_FINITE)
    usable = (status & FATAL) == 0
    G = jnp.where(usable, G, 0)
    M, GH = F.whiten(G), H.whiten(G.T).T
    N = F.whiten(GH)
    rounding = jnp.where(both, jnp.maximum(F.rounding, H.rounding), F.rounding)
    # Minimised over B and V the loss is tr C + l k - tr A (M M^T + l N N^T) A^T, A A^T = I.
    explained = G @ G.T + weight * (GH @ GH.T)
    W, s = leading(explained, pair.first, F, dim, M @ M.T + weight * (N @ N.T))
    s = jnp.maximum(s, 0)[: min(G.shape)]

    # No more is explained than there is, and no correlation exceeds 1.
    status = status | too_large(M, pair.second, rounding, status)
    tolerance = jnp.finfo(G.dtype).eps ** 0.5 + 10 * rounding
    correlated = both & (jnp.max(jnp.sum(jnp.square(N), axis=1)) > 1 + tolerance)
    status = status | jnp.where(usable & correlated, Status.INCONSISTENT, 0)
    gap, cut = cut_status(s, dim, rounding)
    whitened = jnp.where(both, sum(G.shape), len(G))
    return finished(
        encoder=W,
        second_encoder=jnp.where(both | (H.status == 0), H.encoder(GH.T @ W.T), jnp.nan),
        decoder=G.T @ W.T,
        regression=regression(G, F, dim),
        spectrum=s,
        gap=gap,
        loss=total + weight * dim - jnp.sum(s[:dim]),
        status=status,
        cut=cut | few(pair.draws, whitened),
        sides=pair,
    )
