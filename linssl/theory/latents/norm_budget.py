r"""How a bounded norm is shared out among the directions of an encoder, with a latent or not."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from linssl.arguments import Numbers, like, require_range
from linssl.linalg.roots import bisect
from linssl.linalg.shown import Shown
from linssl.theory.latents.water_filling import price


class NormBudget(Shown):
    r"""The best encoder of bounded norm.

    Args:
        norm: $q_i$, the variance of each canonical direction's code, (m,); 0 is not kept.
        multiplier: $\mu$, what more norm would earn (twice over); 0 where there is enough.
        distortion: $D$, the conditional variance that is left given r, (m,), targets of variance 1.
        rate: $KL(q \| p)$ in nats, (m,).
        value: what each direction adds to the objective, (m,).

    Source: derived, for the objective of AdaSSL.
    """

    norm: Float[Array, " m"]
    multiplier: Float[Array, ""]
    distortion: Float[Array, " m"]
    rate: Float[Array, " m"]
    value: Float[Array, " m"]


def norm_budget(uncertainty: Numbers, budget: Numbers, beta: Numbers = math.inf) -> NormBudget:
    r"""Share out $E\|g(x^+)\|^2 \le Q$ under the critic $T = -\tfrac12\|f(x, r) - g(x^+)\|^2$.

    With infinitely many negatives a direction of norm q and distortion D is worth

    $$ \tfrac12 [\log(1 + q) - D q + 1 - D] - \tfrac{\beta}{2} \log(\eta/D) $$

    which runs from the bilinear critic's $\rho^2/2$ (q = 0) to the mutual information
    ($q = \rho^2/\eta$). The best is

    $$ q = \left[\tfrac{1}{\eta + \mu} - 1\right]_+ \text{ without r}, \qquad
       q = \left[\max\!\left(\tfrac{1}{\eta + \mu}, \tfrac{1 - \beta}{\mu}\right) - 1\right]_+
       \text{ with}, \qquad D = \min\!\left(\eta, \tfrac{\beta}{1 + q}\right) $$

    and μ spends the budget. A direction is kept iff $\max(\rho^2, 1 - \beta) > \mu$: so a bounded
    norm drops uncertain directions, and r brings them back. Here AdaSSL changes what is kept.

    Args:
        uncertainty: $\eta \in [0, 1]$, (m,).
        budget: $Q > 0$ in units of a whitened direction's variance, up to 0.01 over the rounding
            unit of the precision (8e4 in single, 4e13 in double): beyond that μ is lost.
        beta: β > 0; inf is no latent.

    Returns:
        `NormBudget`. Gradients go through μ.

    Raises:
        ValueError: η that isn't (m,) in [0, 1], or Q or β that isn't a scalar > 0 (where concrete;
            NaN inside a trace).

    Source: derived, for the objective of AdaSSL.
    """
    eta = require_range("uncertainty", uncertainty, 0, 1)
    if eta.ndim != 1 or not eta.size:
        raise ValueError(f"uncertainty must be (m,), one for each direction; got {eta.shape}.")
    scalar = eta[0]
    largest = 0.01 / float(np.finfo(eta.dtype).eps)  # beyond it mu is lost in rounding beside 1
    Q = like("budget", require_range("budget", budget, 0, largest, positive=True), scalar)
    b = price(beta, scalar)
    # f solves for its own scale: max over f = s (rho a + r) of E[T] - E log E' e^T leaves
    # [log(1 + q) - D q + 1 - D]/2. In D it is best at beta/(1 + q), if that is below eta; in q it
    # is concave, with slopes 1/(1 + q) - eta without r and (1 - beta)/(1 + q) with it.
    lifted = jnp.maximum(1 - b, 0)

    mu = _spend(eta, lifted, Q)
    q = _share(eta, lifted, mu)
    limited = jnp.isfinite(b)
    D = jnp.where(limited, jnp.minimum(eta, jnp.where(limited, b, 1) / (1 + q)), eta)
    used = eta > D
    rate = jnp.where(used, jnp.log(jnp.where(used, eta, 1) / jnp.where(used, D, 1)) / 2, 0)
    value = (jnp.log1p(q) - D * q + 1 - D) / 2 - jnp.where(used, b, 0) * rate
    bad = jnp.isnan(mu + b)
    return NormBudget(*(jnp.where(bad, jnp.nan, field) for field in (q, mu, D, rate, value)))


def _share(eta: Array, lifted: Array, mu: Array) -> Array:
    """Return the norm of every direction, at a multiplier."""
    base = eta + mu
    best = jnp.maximum(1 / jnp.where(base > 0, base, 1), lifted / jnp.where(mu > 0, mu, 1))
    unbounded = (base == 0) | ((mu == 0) & (lifted > 0))
    return jnp.where(unbounded, jnp.inf, jnp.maximum(best - 1, 0))


@jax.jit
def _spend(eta: Array, lifted: Array, budget: Array) -> Array:
    """Find the multiplier at which the falling sum of norms is the budget; 0 where it is below."""
    high = jnp.maximum(1 - jnp.min(eta), lifted)

    def left(mu: Array) -> Array:
        return budget - jnp.sum(_share(eta, lifted, mu))

    none = jnp.zeros_like(high)
    return jnp.where(left(none) >= 0, 0, bisect(left, none, high)) + 0 * (high + budget)
