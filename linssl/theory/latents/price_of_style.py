"""What style costs in content, for a model that keeps both."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from linssl.arguments import Numbers, require_range
from linssl.linalg.roots import bisect
from linssl.theory.latents.directions import best_size

HALVINGS = 60  # of the logarithm of twelve decades: to the last digits


def exchange_rate(
    style_variance: Numbers, noise: Numbers, style: Numbers, group_size: Numbers
) -> Float[Array, ""]:
    r"""Compute the content variance that SimVAE would give up for a style direction.

    With codes of a content of variance 1 and a style of variance v, a direction of content
    variance κ has the moments $b = s + J\kappa$ and $w = s$ about the mean of a group and within
    it, and one of style variance σ has $b = w = s + \sigma$. The rate is the κ at which both take
    as much off the loss of `simvae`, over σ:

    $$ g(s + J \kappa, s) = g(s + \sigma, s + \sigma), \qquad g = \max_m g(b, w; m) $$

    Below 1 a content direction is kept before a style direction of equal variance. It is 1 for
    one view, which has no way to tell.

    Args:
        style_variance: $\sigma > 0$.
        noise: $s > 0$.
        style: $v \ge 0$, the variance of a code around its content; inf is a model without content.
        group_size: $J \ge 1$, views of one content.

    Returns:
        $\kappa / \sigma$; NaN where it is beyond $10^{\pm 6}$, or for impossible traced values.

    Raises:
        ValueError: something else than scalars in those ranges (where concrete).

    Source: derived, for the model of SimVAE.
    """
    inf = float("inf")
    sigma = require_range("style_variance", style_variance, 0, inf, positive=True)
    dtype = sigma.dtype
    s = require_range("noise", noise, 0, inf, positive=True).astype(dtype)
    v = require_range("style", style, 0, inf).astype(dtype)
    J = require_range("group_size", group_size, 1, inf).astype(dtype)
    scalars = {"style_variance": sigma, "noise": s, "style": v, "group_size": J}
    for name, value in scalars.items():
        if value.ndim:
            raise ValueError(f"{name} must be a scalar; got shape {value.shape}.")

    return _rate(sigma, s, v, J)


@jax.jit
def _rate(sigma: Array, s: Array, v: Array, J: Array) -> Array:
    def gain(b: Array, w: Array) -> Array:
        return best_size("exact", J, 1 / (1 + v), b[None] / s, w[None] / s)[1][0]

    wanted = gain(s + sigma, s + sigma)

    def more(log_rate: Array) -> Array:
        return gain(s + J * jnp.exp(log_rate) * sigma, s) - wanted

    low, high = (jnp.asarray(math.log(rate), sigma.dtype) for rate in (1e-6, 1e6))
    met = (more(low) < 0) & (more(high) > 0)
    return jnp.where(met, jnp.exp(bisect(more, low, high, HALVINGS)), jnp.nan)
