r"""One input, two targets: a latent that has to choose, and when it starts to."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from linssl.arguments import Numbers, as_float, like, require_range
from linssl.linalg.roots import bisect
from linssl.linalg.shown import Shown
from linssl.theory.latents.water_filling import price


class TwoModes(Shown):
    r"""What joint embedding and a binary latent see of a target with two modes.

    Args:
        joint_embedding: $\rho_0 \cos\varphi$, the correlation without r (of every direction).
        threshold: $\beta_c = 2\rho_0^2\sin^2\varphi$: r, told the mode, is used iff β is below.
        free_threshold: $4\rho_0^2\sin^2\varphi + 1 - \rho_0^2$: where a binary r starts that may
            read all of $(z, z^+)$, the noise too.
        order: $t = E[r s]$, how well r tells the mode s: 0 above the threshold, to 1 for β = 0.
        correlation: $\rho_0\sqrt{\cos^2\varphi + t^2\sin^2\varphi}$, once r is known.
        rate: $KL(q\|p)$ in nats, at most log 2.

    Source: derived, for the objective of AdaSSL.
    """

    joint_embedding: Float[Array, ""]
    threshold: Float[Array, ""]
    free_threshold: Float[Array, ""]
    order: Float[Array, ""]
    correlation: Float[Array, ""]
    rate: Float[Array, ""]


def two_modes(correlation: Numbers, angle: Numbers, beta: Numbers) -> TwoModes:
    r"""Solve $z^+ = \rho_0 R(s\varphi) z + \xi$, with a hidden sign $s = \pm 1$.

    z ~ N(0, I) in the plane, R turns it, and ξ has variance $1 - \rho_0^2$. Averaged over the modes
    only $\rho_0\cos\varphi\,z$ is left: joint embedding is blind to the turn. With r = ±1, a fair
    coin that agrees with s so that $E[rs] = t$, and a predictor that is linear in z given r,

    $$ \max_t\; \rho_0^2\sin^2\!\varphi\; t^2 - \tfrac{\beta}{2}[(1+t)\log(1+t)
       + (1-t)\log(1-t)]: \qquad t = \tanh(\beta_c\, t/\beta) $$

    a pitchfork: t = 0 for $\beta \ge \beta_c = 2\rho_0^2\sin^2\varphi$, and
    $t \approx \sqrt{3(\beta_c/\beta - 1)}$ just below. This r is told the mode and nothing else;
    one that reads $z^+$ itself also spells out noise, and starts at the higher `free_threshold`.

    Args:
        correlation: $\rho_0 \in [0, 1]$ of each mode, a scalar.
        angle: $\varphi$, radians, a scalar.
        beta: β > 0, a scalar; inf is no latent.

    Raises:
        ValueError: ρ0 outside [0, 1] or β <= 0 (where concrete; NaN inside a trace), or not
            scalars.

    Source: derived, for the objective of AdaSSL.
    """
    rho = require_range("correlation", correlation, 0, 1)
    if rho.ndim:
        raise ValueError(f"correlation must be a scalar; got shape {rho.shape}.")
    phi = like("angle", as_float(angle, "angle"), rho)
    b = price(beta, rho)
    a = (rho * jnp.sin(phi)) ** 2
    t = _order(jnp.minimum(2 * a / b, 1e6))  # t is 1 there, and no product overflows
    # z^+ - rho_0 cos(phi) z = s rho_0 sin(phi) Jz + xi; r explains t^2 of the first, where
    # E|Jz|^2 = 2: the loss falls by a t^2, at the price beta (log 2 - entropy of the coin).
    inner, outer = 1 - t, 1 + t
    rate = (outer * jnp.log(outer) + inner * jnp.log(jnp.where(inner > 0, inner, 1))) / 2
    with_r = rho * jnp.sqrt(jnp.cos(phi) ** 2 + (t * jnp.sin(phi)) ** 2)
    return TwoModes(rho * jnp.cos(phi), 2 * a, 4 * a + 1 - rho**2, t, with_r, rate)


@jax.jit
def _order(gain: Array) -> Array:
    """Solve t = tanh(gain t) for its largest root: 0 up to gain 1."""
    above = gain > 1
    g = jnp.where(above, gain, 2)
    # In x = g t <= g; tanh(x) >= x/(1 + x^2/3), which has its root below.
    x = bisect(lambda x: x - g * jnp.tanh(x), jnp.sqrt(3 * (g - 1)), g)
    return jnp.where(above, jnp.tanh(x), 0 * gain)
