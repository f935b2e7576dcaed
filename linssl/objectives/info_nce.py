"""InfoNCE: encoders of both sides whose product is the best bilinear critic."""

from functools import partial

import jax
import jax.numpy as jnp

from linssl.linalg.structure import exact_products
from linssl.moments import PairMoments, require_pair
from linssl.objectives.canonical_correlation import canonical_correlation
from linssl.objectives.soft_constraint import scaled
from linssl.objectives.solution import Solution
from linssl.theory.latents.critics import bilinear_value


def info_nce(pair: PairMoments, dim: int) -> Solution:
    r"""Solve $\min -E_{joint}[T] + E_u \log E_v[e^T]$ over critics $T = (W_1 u)^T W_2 v$.

    InfoNCE with infinitely many negatives and a critic of rank k. For a Gaussian pair the log is
    exact, $\log E_v[e^T] = \tfrac12 |W_2^T W_1 u|_C^2$, and what is left are moments:

    $$ -\mathrm{tr}\, W_1 G W_2^T + \tfrac12 \mathrm{tr}\, W_1 S W_1^T\, W_2 C W_2^T, \qquad
       S^{-1/2} G C^{-1/2} = U R V^T $$

    $$ W_1 = R_k^{1/2} U_k^T S^{-1/2}, \quad W_2 = R_k^{1/2} V_k^T C^{-1/2}, \quad
       \mathrm{loss} = -\tfrac12 \sum_{i \le k} \rho_i^2 $$

    The encoders of `canonical_correlation`, scaled so that $(W_1 u)^T W_2 v$ is the critic itself;
    the bound on the mutual information is -loss (`bilinear_value`; less than the information,
    which takes the squares of `optimal_critic` too). $W_1 \to M W_1$ and $W_2 \to M^{-T} W_2$ is
    the same critic: this is the balanced one, where both codes have variances $\rho$. For a pair
    of any other law it is the spectral contrastive loss with two encoders, halved; on exchangeable
    pairs with $\omega \ge 0$ that is `spectral_contrastive`, up to a rotation of the code.

    Gradients as for `canonical_correlation`. Where rows are 0 they stay so: what would begin to be
    shared there is no part of the critic's.

    Args:
        pair: first $= S$ (d, d), second $= C$ (e, e), cross $= G$ (d, e).
        dim: $k$, 1 <= k <= min(d, e).

    Returns:
        `Solution` with encoder $W_1$ (k, d), second_encoder $W_2$ (k, e) and spectrum $\rho$
        (min(d, e),), >= 0. COLLAPSED where rows are 0, as the sides share fewer directions.

    Raises:
        ValueError: not a pair, or dim out of range.

    Source: derived, for the objective of Oord2018.
    """
    require_pair(pair)
    return _solve(pair, dim)


@exact_products
@partial(jax.jit, static_argnames="dim")
def _solve(pair: PairMoments, dim: int) -> Solution:
    s = canonical_correlation(pair, dim)
    size = s.spectrum[:dim]
    still = jnp.zeros((dim, dim), size.dtype)  # singular vectors turn by themselves
    return scaled(s, size, -bilinear_value(s.spectrum, dim), still, still)
