"""Linear Barlow Twins: top eigenvectors of the cross moment first, one sharp step each."""

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


class BarlowTwinsTrajectory(Trajectory):
    r"""Singular values $s_j(t)$ of an aligned encoder under linear Barlow Twins.

    Args:
        start: $s_j(0)$, (m,).
        eigenvalues: $g_j$ of the cross moment G, (m,).

    Source: Simon2023.
    """

    start: Float[Array, "*m"]
    eigenvalues: Float[Array, "*m"]

    @property
    def limit(self) -> Float[Array, "*m"]:
        r"""$1/\sqrt{g}$; 0 for g < 0; the start for g = 0.

        Source: Simon2023; g <= 0 derived.
        """
        g = self.eigenvalues
        root = 1 / jnp.sqrt(jnp.where(g > 0, g, 1))
        return jnp.where(g > 0, root, jnp.where(g < 0, 0 * g, self.start + 0 * g))

    def _log_share(self) -> Array:
        r"""Return $\log(|g| s_0^2)$, of which the product itself may over- or underflow."""
        size = jnp.abs(self.eigenvalues)
        log_size = jnp.log(jnp.where(size > 0, size, 1))
        return jnp.where(size > 0, log_size, -jnp.inf) + 2 * jnp.log(self.start)

    def _at(self, time: Array) -> Array:
        ends = jnp.isinf(time)
        # u = s^2 has du/dt = 8 g u (1 - g u), so that u_0/u = e^-x + |1 - e^-x| |g| u_0, x = 8 g t.
        x = jnp.clip(8 * self.eigenvalues * jnp.where(ends, 0, time), -LARGEST, LARGEST)
        rises = self.eigenvalues >= 0
        f = -jnp.expm1(jnp.where(rises, -x, x))
        grown = log_sum(-x, f, self._log_share() + jnp.where(rises, 0, -x))
        return jnp.where(ends, self.limit, jnp.exp(jnp.log(self.start) - grown / 2))

    def _time_to(self, share: Array) -> Array:
        return logistic_time(8 * self.eigenvalues, 2 * jnp.log(share), self._log_share())

    def learning_time(self, share: Numbers = 0.5**0.5) -> Float[Array, "*m"]:
        r"""Return the time to reach a share of $1/\sqrt{g}$ from below, (m,).

        $$ \tau = \frac{1}{8g} \left[\log\frac{c^2}{1 - c^2} - \log\frac{s_0^2 g}{1 - s_0^2 g}
           \right] $$

        for the share c, exactly; at the default $c^2 = 1/2$ and $s_0^2 g \ll 1$ it is
        $-\ln(s_0^2 g)/(8g)$. 0 where the start is there already; inf for g <= 0.

        Args:
            share: c in (0, 1], a scalar.

        Raises:
            ValueError: share outside (0, 1] (where concrete; NaN inside a trace), or no scalar.

        Source: Simon2023 for small starts; the exact form is derived.
        """
        time = super().learning_time(share)
        return jnp.where(self.eigenvalues == 0, jnp.inf, time)


def barlow_twins_dynamics(eigenvalues: Numbers, start: Numbers) -> BarlowTwinsTrajectory:
    r"""Solve the gradient flow of $\|W G W^T - I\|_F^2$ at unit rate, $\dot W = -\nabla$.

    $$ s_j(t) = \frac{e^{4 g_j t}}{\sqrt{s_{j0}^{-2} + (e^{8 g_j t} - 1) g_j}}, \qquad
       \tau_j = -\frac{\ln(s_{j0}^2 g_j)}{8 g_j} $$

    for $W = \sum_j s_j\, q_j p_j^T$ with eigenvectors $p_j$ of a symmetric G and any orthonormal
    $q_j$: such a W stays one, exactly, from any size of start. From another start, small and
    random, W selects the top eigenvectors of G (not of $\omega$) and tends to this as the start
    shrinks, with $s_{j0}$ what Gram-Schmidt in the order of falling g leaves of the start along
    $p_j$; only the first part of the growth, before the shares have sorted themselves out, differs
    then. Directions with g < 0 decay, those with g = 0 stay.

    Args:
        eigenvalues: $g_j$ of the cross moment of two views, (m,) or a scalar, of any sign.
        start: $s_{j0} > 0$, a scalar or of the same shape.

    Returns:
        `BarlowTwinsTrajectory`: call it with times.

    Raises:
        ValueError: eigenvalues that aren't finite, start <= 0 (where concrete; NaN inside a
            trace), magnitudes above 1e30, or shapes that don't fit.

    Source: Simon2023; g <= 0 and starts that aren't small are derived.
    """
    g = features("eigenvalues", eigenvalues, -LARGEST, LARGEST)
    s = require_range("start", start, 0, LARGEST, positive=True)
    return BarlowTwinsTrajectory(same_shape("eigenvalues", g, s, "start"), g)
