"""AdaSSL: joint embedding with a latent that carries what one view cannot know of the other."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from linssl.arguments import Numbers, require_range
from linssl.linalg.status import FATAL, Status
from linssl.linalg.structure import exact_products
from linssl.linalg.whitening import whitener
from linssl.moments import PairMoments, require_pair
from linssl.objectives.canonical_correlation import canonical_correlation
from linssl.objectives.solution import Solution, of_sides
from linssl.theory.latents.water_filling import water_filling


class AdaSSLSolution(Solution):
    r"""The solution of `adassl`: whitened encoders, and what r does for each direction.

    As a `Solution`, with `spectrum` the correlations $\rho$, by which directions are kept; and for
    each of them, (min(d, e),), the first k of which are kept:

    Args:
        uncertainty: $\eta = 1 - \rho^2$, the variance of the target given x.
        weight: $\rho_r^2 = \max(\rho^2, 1 - \beta)$, the squared correlation given (x, r).
        distortion: $D = 1 - \rho_r^2$, the variance of the target given (x, r).
        rate: $KL(q \| p) = \tfrac12\log(\eta/D)$, in nats.
        value: what the direction adds to the objective.

    Source: derived, for the objective of AdaSSL.
    """

    uncertainty: Float[Array, "*cells m"]
    weight: Float[Array, "*cells m"]
    distortion: Float[Array, "*cells m"]
    rate: Float[Array, "*cells m"]
    value: Float[Array, "*cells m"]

    @property
    def correlation(self) -> Float[Array, "*cells m"]:
        r"""$\rho$, descending: the spectrum. Source: derived, for the objective of AdaSSL."""
        return self.spectrum


def adassl(pair: PairMoments, dim: int, beta: Numbers) -> AdaSSLSolution:
    r"""Solve $\min E[\tfrac12\|W_2 x^+ - P W_1 x - R r\|^2 + \beta\, KL(q \| p)]$, whitened.

    Over encoders with $W_2 S^+ W_2^T = I_k$, a linear predictor P, R and Gaussians
    $q(r | x, x^+)$ and $p(r | x)$ with linear means; equally, over the bilinear critic
    $T = f(x, r)^T W_2 x^+$ of `bilinear_value`. For $x^+ = A x + \xi$, with $\rho$ the singular
    values of $S_+^{-1/2} A \Sigma^{1/2}$, $\eta = 1 - \rho^2$ and D from `water_filling`:

    $$ W_1 = U_k^T \Sigma^{-1/2}, \quad W_2 = V_k^T S_+^{-1/2}, \quad
       (A \Sigma A^T + C_\xi - C_r) v = \rho_r^2 S_+ v, \quad
       \mathrm{loss} = \sum_{i \le k} (\tfrac12 - \mathrm{value}_i) $$

    $C_r = \mathrm{Cov}(x^+ | x, r)$. In canonical coordinates (a, b) the latent is a noisy
    residual: $q = N((1 - D/\eta)(b - \rho a),\, D(1 - D/\eta))$ and $p = N(0, \eta - D)$, and
    $\rho a + r$ predicts b.

    r lifts the weights of uncertain directions to $1 - \beta$, but in whitened coordinates not
    their order: the encoders are those of canonical correlation for every β, and with
    $\beta \ge \max \eta$ (so with β >= 1) all of it is: joint embedding, on an exchangeable pair.
    Lifted weights tie; the values don't, and so the k largest ρ are kept, and `gap` and NO_GAP are
    about ρ. What is lifted where $\rho = 0$ (BEYOND_RANK) is information that comes from r alone.
    β <= 0 has no optimum that learns: at no price r copies $x^+$ (the shortcut
    $x^+ \to r \to x^+$), and every W_2 is perfect.

    Gradients as for `canonical_correlation`.

    Args:
        pair: first $= \Sigma$ (d, d), second $= S_+$ (e, e), cross $= \Sigma A^T$ (d, e), from
            `two_modalities(x, x_plus)`.
        dim: $k$, 1 <= k <= min(d, e).
        beta: β > 0, the price of a nat, a scalar; inf is no latent.

    Returns:
        `AdaSSLSolution`: encoder $W_1$, second_encoder $W_2$, spectrum $\rho$, and more.
        ILL_CONDITIONED also where β and an η are so small that rounding decides whether r is used.

    Raises:
        ValueError: not a pair, dim out of range, or β that isn't a scalar > 0 (where concrete;
            UNBOUNDED inside a trace).

    Source: derived, for the objective of AdaSSL.
    """
    require_pair(pair)
    what = "beta (at or below 0 r copies the target free of charge)"
    price = require_range(what, beta, 0, jnp.inf, positive=True)
    if price.ndim:
        raise ValueError(f"beta must be a scalar; got shape {price.shape}.")
    dtype = pair.cross.dtype
    return _fill(pair, dim, jnp.maximum(price.astype(dtype), jnp.finfo(dtype).tiny))


@exact_products
@partial(jax.jit, static_argnames="dim")
def _fill(pair: PairMoments, dim: int, beta: Array) -> AdaSSLSolution:
    s = canonical_correlation(pair, dim)
    rho, second = s.spectrum, s.second_encoder
    assert second is not None  # canonical correlation has two
    status = s.status | jnp.where(jnp.isnan(beta), Status.UNBOUNDED, 0)
    usable = (status & FATAL) == 0
    eta = jnp.clip((1 - rho) * (1 + rho), 0, 1)
    use = water_filling(eta, beta)
    # eta is known to rounding: two digits of it are sure above a hundred times that.
    F = whitener(pair.first, pair.rounding_first, pair.count)
    H = whitener(pair.second, pair.rounding_second, pair.count)
    floor = 100 * jnp.maximum(F.rounding, H.rounding)
    blurred = usable & (beta < floor) & jnp.any(eta[:dim] < floor)
    status = status | jnp.where(blurred, Status.ILL_CONDITIONED, 0)

    def known(array: Array) -> Array:
        return jnp.where(usable, array, jnp.nan)

    return AdaSSLSolution(
        encoder=known(s.encoder),
        second_encoder=known(second),
        decoder=None,
        spectrum=known(rho),
        gap=known(s.gap),
        loss=known(jnp.sum(0.5 - use.value[:dim])),
        status=status.astype(jnp.int32),
        **of_sides(s),
        uncertainty=known(eta),
        weight=known(use.weight),
        distortion=known(use.distortion),
        rate=known(use.rate),
        value=known(use.value),
    )
