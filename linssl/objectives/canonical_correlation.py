"""Canonical correlation: joint embedding with an encoder for each side."""

from functools import partial

import jax
import jax.numpy as jnp

from linssl.arguments import require_dim
from linssl.linalg.status import FATAL, Status, cut_status, few
from linssl.linalg.structure import dense, exact_products
from linssl.linalg.whitening import whitener
from linssl.moments import PairMoments, require_pair
from linssl.objectives.solution import Solution, finished


def canonical_correlation(pair: PairMoments, dim: int) -> Solution:
    r"""Solve $\min E\|W_1 u - W_2 v\|^2$ subject to $W_1 S W_1^T = W_2 C W_2^T = I_k$.

    $$ S^{-1/2} G C^{-1/2} = U R V^T, \quad W_1 = U_k^T S^{-1/2}, \quad
       W_2 = V_k^T C^{-1/2}, \quad \mathrm{loss} = 2 \sum_{i \le k} (1 - \rho_i) $$

    For pairs with two different sides: modalities, or two augmentations. On an exchangeable pair
    with $\omega \ge 0$ it is joint embedding. $0 \le \rho \le 1$.

    Gradients: loss and sums of the spectrum have one where correlations differ; an encoder's is
    NaN where any two are equal.

    Args:
        pair: first $= S$ (d, d), second $= C$ (e, e), cross $= G$ (d, e), from
            `two_modalities(x, y)`, or two views' `views.as_pair()`.
        dim: $k$, 1 <= k <= min(d, e).

    Returns:
        `Solution` with encoder $W_1$ (k, d), second_encoder $W_2$ (k, e) and spectrum $\rho$
        (min(d, e),). FEW_SAMPLES where draws <= d + e: sampled sides share directions by chance
        then, with a correlation of exactly 1.

    Raises:
        ValueError: not a pair, or dim out of range.

    Source: Hotelling1936; the joint embedding of JEvRC, Theorem 2, with two encoders.
    """
    require_pair(pair)
    limit = min(pair.first.shape[0], pair.second.shape[0])
    require_dim(dim, limit, "the smaller of both sides' features")
    return _correlate(pair, dim)


@exact_products
@partial(jax.jit, static_argnames="dim")
def _correlate(pair: PairMoments, dim: int) -> Solution:
    F = whitener(pair.first, pair.rounding_first, pair.count)
    H = whitener(pair.second, pair.rounding_second, pair.count)
    G = dense(pair.cross)
    finite = jnp.where(jnp.all(jnp.isfinite(G)), 0, Status.NOT_FINITE)
    status = F.status | H.status | finite
    rounding = jnp.maximum(F.rounding, H.rounding)
    M = H.whiten(F.whiten(G).T).T
    U, rho, Vt = jnp.linalg.svd(jnp.where((status & FATAL) == 0, M, 0), full_matrices=False)

    tolerance = jnp.finfo(G.dtype).eps ** 0.5 + 10 * rounding
    status = status | jnp.where(rho[0] > 1 + tolerance, Status.INCONSISTENT, 0)
    rho = jnp.minimum(rho, 1)  # beyond it by rounding
    gap, cut = cut_status(rho, dim, rounding)
    return finished(
        encoder=F.encoder(U[:, :dim]),
        second_encoder=H.encoder(Vt[:dim].T),
        spectrum=rho,
        gap=gap,
        loss=2 * jnp.sum(1 - rho[:dim]),
        status=status,
        cut=cut | few(pair.draws, sum(G.shape)),
        sides=pair,
    )
