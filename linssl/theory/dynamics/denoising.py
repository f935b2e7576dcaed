"""A linear denoising autoencoder: noise slows nothing down, and shrinks what is learned."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from linssl.arguments import Numbers, require_range
from linssl.theory.dynamics.trajectory import (
    LARGEST,
    Trajectory,
    features,
    log_sum,
    logistic_time,
    same_shape,
)


class DenoisingTrajectory(Trajectory):
    r"""Strengths $w(t)$ of decoder times encoder in a denoising autoencoder.

    Args:
        start: $w_0$, (m,).
        variance: λ, of the clean data, (m,).
        noise: e, variances of the noise added to the input, (m,).

    Source: Pretorius2018.
    """

    start: Float[Array, "*m"]
    variance: Float[Array, "*m"]
    noise: Float[Array, "*m"]

    @property
    def limit(self) -> Float[Array, "*m"]:
        r"""$w^* = \lambda/(\lambda + e)$; the start where both are 0.

        Source: Pretorius2018.
        """
        total = self.variance + self.noise
        return jnp.where(total > 0, self.variance / jnp.where(total > 0, total, 1), self.start)

    def _at(self, time: Array) -> Array:
        ends = jnp.isinf(time)
        t = jnp.where(ends, 0, time)
        x = 2 * self.variance * t
        # w_0/w = e^-x + 2 (lambda + e) w_0 f with f = (1 - e^-x)/(2 lambda), which lambda = 0
        # doesn't trouble.
        small = x < 1e-6
        f = jnp.where(
            small, t * (1 - x / 2), -jnp.expm1(-x) / jnp.where(small, 1, 2 * self.variance)
        )
        total = self.variance + self.noise
        rate = jnp.log(jnp.where(total > 0, 2 * total, 1)) + jnp.log(self.start)
        grown = log_sum(-x, f, jnp.where(total > 0, rate, -jnp.inf))
        return jnp.where(ends, self.limit, jnp.exp(jnp.log(self.start) - grown))

    def _time_to(self, share: Array) -> Array:
        limit = jnp.where(self.limit > 0, self.limit, 1)
        start = jnp.log(self.start) - jnp.log(limit)
        return logistic_time(2 * self.variance, jnp.log(share), start)


def denoising_dynamics(variance: Numbers, noise: Numbers, start: Numbers) -> DenoisingTrajectory:
    r"""Solve the gradient flow of $\tfrac12 E\|D E (x + \epsilon) - x\|^2$, at unit rate.

    $$ w(t) = \frac{w^* E}{E - 1 + w^*/w_0}, \qquad E = e^{2 \lambda t}, \qquad
       w^* = \frac{\lambda}{\lambda + e} $$

    for $w$ the singular values of $D E$ in the eigenvectors of the data, two layers that start
    balanced ($D^T D = E E^T$) and aligned with those. Noise lowers $w^*$; the rate stays
    $2\lambda$, and half of the smaller limit is reached sooner. It is `mae_dynamics` at depth 1
    with covariance λ and variance λ + e, whose encoder is $\sqrt{w}$.

    Args:
        variance: λ >= 0 of the clean data's directions, (m,) or a scalar.
        noise: e >= 0, a scalar or of the same shape.
        start: $w_0 > 0$, a scalar or of the same shape.

    Returns:
        `DenoisingTrajectory`: call it with times.

    Raises:
        ValueError: λ or e < 0, start <= 0 (where concrete; NaN inside a trace), magnitudes above
            1e30, or shapes that don't fit.

    Source: Pretorius2018.
    """
    lam = features("variance", variance, 0, LARGEST)
    e = same_shape("variance", lam, require_range("noise", noise, 0, LARGEST), "noise")
    w = require_range("start", start, 0, LARGEST, positive=True)
    return DenoisingTrajectory(same_shape("variance", lam, w, "start"), lam, e)
