r"""AdaSSL on Gaussian pairs: what a latent r buys for each direction, and at which price."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from linssl.arguments import Numbers, like, require_range
from linssl.linalg.roots import bisect
from linssl.linalg.shown import Shown


class LatentUse(Shown):
    r"""What a latent r does for each canonical direction; all arrays of one shape.

    Args:
        weight: $\rho_r^2 = 1 - D$, the squared correlation once r is known: lifted by r.
        distortion: $D$, the conditional variance that is left; the target has variance 1.
        rate: the price before β: $KL(q \| p)$ in nats, or the share of open gates of `l0_gate`.
        value: $(1 - D)/2 - \beta\,$rate, what the direction adds to the objective.

    Source: derived, for the objective of AdaSSL.
    """

    weight: Float[Array, "*shape"]
    distortion: Float[Array, "*shape"]
    rate: Float[Array, "*shape"]
    value: Float[Array, "*shape"]


class RescueThresholds(Shown):
    r"""Who keeps a direction that costs something.

    Args:
        joint_embedding: whether $\rho^2 > c$, so that r isn't needed.
        beta: the direction is kept with r iff β is below this; inf where it is kept anyway, and 0
            where no β keeps it.

    Source: derived, for the objective of AdaSSL.
    """

    joint_embedding: Bool[Array, "*shape"]
    beta: Float[Array, "*shape"]


def water_filling(uncertainty: Numbers, beta: Numbers) -> LatentUse:
    r"""Give the optimal Gaussian latent of every direction: reverse water-filling.

    $$ D = \min(\eta, \beta), \quad \mathrm{rate} = \tfrac12 \log(\eta/D), \quad
       \rho_r^2 = \max(\rho^2, 1 - \beta), \quad
       \mathrm{value} = \begin{cases} \rho^2/2 & \eta \le \beta \\
       \tfrac12 [1 - \beta - \beta \log(\eta/\beta)] & \eta > \beta \end{cases} $$

    with $\eta = 1 - \rho^2$. r is used iff $\eta > \beta$; so β >= 1 is joint embedding without a
    latent. The value falls with η for every β: r changes the weights of directions, never their
    order. Where $\rho = 0$ all of the weight is information that comes from r alone. In β the value
    is convex and non-increasing, with slope -rate.

    Args:
        uncertainty: $\eta \in [0, 1]$, any shape: `adassl(...).uncertainty`, or $1 - \rho^2$.
        beta: β > 0, a scalar or of the same shape; inf is no latent.

    Returns:
        `LatentUse`, of the shape of `uncertainty`, rates in nats.

    Raises:
        ValueError: η outside [0, 1] or β <= 0 (where concrete; NaN inside a trace), or shapes that
            don't fit.

    Source: derived, for the objective of AdaSSL; Shannon1959 (rate-distortion).
    """
    eta, b = uncertainty_and_beta(uncertainty, beta)
    # max over D <= eta of (1 - D)/2 - (beta/2) log(eta/D): the slope -1/2 + beta/(2 D) is 0 at
    # D = beta. Without r the ratio is 1, also for eta = 0 and beta = inf.
    used = eta > b
    D = jnp.where(used, b, eta)
    ratio = jnp.where(used, eta, 1) / jnp.where(used, b, 1)
    rate = jnp.where(used, jnp.log(ratio) / 2, 0 * eta)
    return LatentUse(1 - D, D, rate, (1 - D) / 2 - jnp.where(used, b, 0) * rate)


def rescue_thresholds(uncertainty: Numbers, cost: Numbers) -> RescueThresholds:
    r"""Compute the β below which r saves a direction that a cost per dimension would drop.

    A direction is kept iff its value exceeds $c/2$. Joint embedding keeps it iff $\rho^2 > c$; for
    the others, $\eta \ge 1 - c$, AdaSSL does iff

    $$ \beta < \eta \exp\!\left(1 + W_{-1}\!\left(\frac{c - 1}{e\,\eta}\right)\right) $$

    Args:
        uncertainty: $\eta \in [0, 1]$, any shape.
        cost: $c \ge 0$ for each dimension, a scalar or of the same shape, in units of the squared
            correlation.

    Returns:
        `RescueThresholds`; 0 for c >= 1, since no weight exceeds 1. The slope is infinite where
        $\eta = 1 - c$; the gradient there is that of β = η.

    Raises:
        ValueError: η outside [0, 1] or c < 0 (where concrete; NaN inside a trace), or shapes that
            don't fit.

    Source: derived, for the objective of AdaSSL; Chatzigeorgiou2013 (a bound of $W_{-1}$).
    """
    eta = require_range("uncertainty", uncertainty, 0, 1)
    c = like("cost", require_range("cost", cost, 0, jnp.inf), eta)
    # 1 - beta - beta log(eta/beta) > c. With beta = eta e^{-t} that is (1 + t) e^{-t} < (1 - c)/eta
    # or t - log(1 + t) > y, y = log(eta/(1 - c)) >= 0; and W_{-1} is -(1 + t).
    rescued = ~(1 - eta > c) & (c < 1)
    y = jnp.maximum(jnp.log(jnp.where(rescued, eta, 1) / jnp.where(rescued, 1 - c, 1)), 0)
    bound = jnp.where(rescued, eta * jnp.exp(-_excess(y)), jnp.where(c >= 1, 0, jnp.inf))
    bad = jnp.isnan(eta) | jnp.isnan(c)
    return RescueThresholds(1 - eta > c, jnp.where(bad, jnp.nan, bound))


def uncertainty_and_beta(uncertainty: Numbers, beta: Numbers) -> tuple[Array, Array]:
    """Check η and β, and return both in the shape of η; where β is NaN, η is too."""
    eta = require_range("uncertainty", uncertainty, 0, 1)
    b = price(beta, eta)
    return jnp.where(jnp.isnan(b), jnp.nan, eta), b


def price(beta: Numbers, other: Array) -> Array:
    """Check β > 0, and return it in the shape and precision of `other`, where it doesn't vanish."""
    b = like("beta", require_range("beta", beta, 0, jnp.inf, positive=True), other)
    return jnp.maximum(b, jnp.finfo(b.dtype).tiny)


@jax.jit
def _excess(y: Array) -> Array:
    """Solve t - log(1 + t) = y for t >= 0, with a derivative, taken as 0 at t = 0."""
    fixed = jax.lax.stop_gradient(y)
    # t - log(1 + t) <= t^2/2, and sqrt(2y) + y is above the root (Chatzigeorgiou2013).
    low = jnp.sqrt(2 * fixed)
    return bisect(lambda t: t - jnp.log1p(t) - y, low, low + fixed)
