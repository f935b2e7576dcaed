"""JEPA and masked autoencoders of any depth: what predicting in latent space learns first."""

import abc
import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from linssl.arguments import Numbers, require_range
from linssl.theory.dynamics._clock import advance, log_odds, log_power, with_series
from linssl.theory.dynamics.trajectory import LARGEST, Trajectory, features, log_sum, same_shape

TINY = 1e-30


class PredictiveTrajectory(Trajectory):
    r"""Strengths $w(t)$ of a deep linear encoder whose decoder predicts a target.

    Every layer and the decoder have the strength $a = w^{1/L}$, and $a$ in units of its limit,
    $y = a/a^*$, follows $\dot y = r y^p (1 - y^m)$.

    Args:
        start: $w(0)$, (m,).
        covariance: $\lambda = E[xy]$, (m,).
        variance: $\sigma = E[x^2]$, (m,).
        depth: L, layers of the encoder.

    Source: Littwin2024.
    """

    start: Float[Array, "*m"]
    covariance: Float[Array, "*m"]
    variance: Float[Array, "*m"]
    depth: int = eqx.field(static=True)

    @property
    @abc.abstractmethod
    def _powers(self) -> tuple[int, int]:
        """The powers p and m of the flow, p + m = 2 L + 1."""

    @abc.abstractmethod
    def _clock(self, z: Array, sign: Array) -> Array:
        r"""$m \int dy/(y^p (1 - y^m))$, elementary, in $z = \log(y^m/|1 - y^m|)$.

        `sign` is 1 where y < 1 and -1 where y > 1; each side has a constant of its own.
        """

    @property
    def coefficient(self) -> Float[Array, "*m"]:
        r"""$\rho = \lambda/\sigma$, the regression coefficient of the target on the input.

        Source: Littwin2024.
        """
        return self.covariance / self.variance

    @property
    def limit(self) -> Float[Array, "*m"]:
        r"""$w^* = \rho^{L/m}$: $\rho^L$ of JEPA (m = 1), $\rho^{L/(L+1)}$ of MAE (m = L + 1).

        Source: Littwin2024.
        """
        learned = self.covariance > 0
        rho = jnp.where(learned, self.coefficient, 1)
        limit = jnp.exp(jnp.log(rho) * (self.depth / self._powers[1]))
        return jnp.where(learned, limit, 0 * self.coefficient)

    def _scaled(self) -> tuple[Array, Array, Array]:
        """Return $m r$, and z and its sign at the start; of some other flow where λ = 0."""
        p, m = self._powers
        learned = self.covariance > 0
        lam, rho = (jnp.where(learned, v, 1) for v in (self.covariance, self.coefficient))
        log_limit = jnp.log(rho) / m
        rate = m * jnp.exp(jnp.log(lam) + (p - 1) * log_limit)
        # A rate that the precision can't hold mustn't look like a feature at rest.
        tiny = jnp.finfo(rate.dtype).tiny
        rate = jnp.where((rate >= tiny) & (rate < jnp.inf), rate, jnp.nan)
        power = m * (jnp.log(self.start) / self.depth - log_limit)
        power = jnp.where(power == 0, power - TINY, power)  # at rest, but with a derivative
        sign = jnp.where(power > 0, -1, 1).astype(power.dtype)
        return rate, log_odds(power, sign), sign

    def _at(self, time: Array) -> Array:
        w, lam, sigma = self.start, self.covariance, self.variance
        c, number = self._powers[1] / self.depth, jnp.finfo(w.dtype)
        forever = jnp.isinf(time)
        t = jnp.where(forever, 0, time)
        # Far above its limit, as always without covariance, it follows dw/dt = -L sigma w^3, to
        # v, and the rest of the flow, L lam w^{3 - c}, moves it from there by powers of
        # h = (w*/v)^c: \int dw/(w^3 (1 - h)) = -w^{-2} sum_n h^n/(2 + c n), with two terms kept.
        log_sigma, log_w = jnp.log(sigma), jnp.log(w)
        speed = math.log(2 * self.depth) + log_sigma + 2 * log_w
        slowed = log_sum(0 * w, t, speed)
        log_v = log_w - slowed / 2
        log_unit = -c * log_v - log_sigma  # of h/lam
        far = ~forever & (jnp.log(lam) + log_unit < math.log(number.eps) / 3)
        # In halves, since it may underflow; it goes beyond the reach for lam = 0 alone.
        half = jnp.exp(jnp.minimum(jnp.where(far, log_unit, 0), -math.log(number.tiny)) / 2)
        v, h = jnp.exp(log_v), lam * half * half
        P, Q = (-jnp.expm1(-k / 2 * slowed) / k for k in (2 + c, 2 + 2 * c))
        above = v + (v * half) * (lam * half) * (P + h * (1.5 * P * P - P + Q))
        # The clock may overflow there, and NaN not taken would still reach the derivatives.
        w, lam, sigma = (jnp.where(far, 1, x) for x in (w, lam, sigma))
        near = type(self)(w, lam, sigma, self.depth)._by_clock(jnp.where(far, 0, time))
        return jnp.where(far, above, near)

    def _by_clock(self, time: Array) -> Array:
        p, m = self._powers
        rate, z, sign = self._scaled()
        forever = jnp.isinf(time)
        t = jnp.where(forever, 0, time)
        ends = forever | jnp.isinf(rate * t)
        elapsed = jnp.where(ends, 0, rate * t)
        goal = self._clock(z, sign) + elapsed
        z = advance(self._clock, z, sign, elapsed, (p - 1) / m)
        # Above the limit the clock starts from 0: where it underflows, or is less than the
        # rounding of its logarithms, it has no digits.
        number = jnp.finfo(z.dtype)
        missed = (goal < number.tiny / number.eps) | (abs(self._clock(z, sign) - goal) > goal / 2)
        lost = ~ends & (sign < 0) & missed
        moving = jnp.where(ends, 1, jnp.exp(log_power(z, sign) * (self.depth / m))) * self.limit
        return moving * jnp.where(lost, jnp.nan, 1)  # the derivatives too

    def _time_to(self, share: Array) -> Array:
        rate, z, sign = self._scaled()
        end = log_odds(jnp.log(share) * (self._powers[1] / self.depth), jnp.ones_like(share))
        ends, z = jnp.isinf(end), jnp.where(sign > 0, z, -1)
        reached = self._clock(jnp.where(ends, 0, end), jnp.ones_like(share))
        passed = reached - self._clock(z, jnp.ones_like(z))
        passed = jnp.where(jnp.isfinite(passed), passed, jnp.nan)  # too long for the precision
        return jnp.where(ends, jnp.inf, passed) / rate


class JEPATrajectory(PredictiveTrajectory):
    r"""$w(t)$ of a joint-embedding predictive architecture; see `jepa_dynamics`.

    Source: Littwin2024.
    """

    @property
    def _powers(self) -> tuple[int, int]:
        return 2 * self.depth, 1

    def _clock(self, z: Array, sign: Array) -> Array:
        # 1/(y^p (1-y)) = sum_{i <= p} y^{-i} + 1/(1-y).
        M = log_power(z, sign)
        powers = sum(jnp.exp(-i * M) / i for i in range(1, 2 * self.depth))
        return with_series(z - powers, M, *self._powers)


class MAETrajectory(PredictiveTrajectory):
    r"""$w(t)$ of a masked autoencoder; see `mae_dynamics`.

    Source: Littwin2024.
    """

    @property
    def _powers(self) -> tuple[int, int]:
        return self.depth, self.depth + 1

    def _clock(self, z: Array, sign: Array) -> Array:
        L, m = self.depth, self.depth + 1
        if L == 1:
            return z
        # 1/(y^L (1-y^m)) = y^{-L} + y/(1-y^m), and over the roots of unity, e = exp(2 pi i k/m),
        # int y/(1-y^m) = -sum_k e^2 log(1 - y/e)/m. Above 1 the same in 1/y, with e conjugated.
        M = log_power(z, sign)
        # The roots are paired: k and m - k have the same term.
        u, total = jnp.exp(-jnp.abs(M) / m), z - jnp.minimum(M, 0)
        for k in range(1, m // 2 + 1):
            angle, weight = 2 * math.pi * k / m, 1 if 2 * k == m else 2
            c, s = math.cos(angle), math.sin(angle)
            total += weight * s * s * jnp.log(1 - 2 * c * u + u * u)
            total += weight * 2 * s * c * sign * jnp.arctan2(s * u, 1 - c * u)
        return with_series(total - m / (L - 1) * jnp.exp(M * ((1 - L) / m)), M, L, m)


def jepa_dynamics(
    covariance: Numbers, variance: Numbers, depth: int, start: Numbers
) -> JEPATrajectory:
    r"""Solve the flow of $\tfrac12 E\|V W x - \mathrm{sg}[W y]\|^2$, at unit rate.

    With an encoder $W = W_L \cdots W_1$, a linear predictor V, and no gradient through the
    target's encoder,

    $$ \dot w = L \left( \lambda w^{3 - 1/L} - \tfrac{\lambda}{\rho} w^3 \right), \qquad
       w^* = \rho^L, \qquad \rho = \lambda/\sigma $$

    $$ \lambda \rho^{2L-1} t = \left[\log\frac{y}{1 - y} - \sum_{i=1}^{2L-1} \frac{1}{i y^i}
       \right]_{y(0)}^{y(t)}, \qquad y = w^{1/L}/\rho $$

    per feature. As the start shrinks, $t \to w_0^{1/L - 2}/((2L - 1)\lambda)$ whatever ρ; the next
    term is $w_0^{2/L-2}/((2L - 2)\lambda\rho)$ (a logarithm for L = 1), so at equal λ large ρ
    comes first, by a time that grows without bound. The ratio of two times tends to that of λ.

    Holds for layers that are balanced ($W_{l+1}^T W_{l+1} = W_l W_l^T$, V too) and aligned: all
    singular vectors are axes of both $E[xx^T]$ and $E[yx^T]$ (see `aligned_modes`), at width at
    least that of x. Balance is kept by the flow, alignment too. From random small starts, in
    simulations, large ρ still comes first, but what is learned shrinks what the rest start from:
    the others come far later than here.

    Args:
        covariance: $\lambda = E[xy] \ge 0$, (m,) or a scalar: of each axis.
        variance: $\sigma = E[x^2] > 0$ of the input, a scalar or of the same shape.
        depth: L >= 1.
        start: $w_0 > 0$, the encoder's product: $w_0^{1/L}$ is every layer's; a scalar or (m,).

    Returns:
        `JEPATrajectory`: call it with times. Strengths and times are NaN where the precision
        holds no digits of $\lambda \rho^{2L-1}$ or $y^{-2L}$, of deep encoders far from their
        limits: use double precision there. Else single precision has three digits up to L = 12,
        but where a strength rises so steeply that the last digit of t moves it by more.

    Raises:
        ValueError: λ < 0, σ or start <= 0 (where concrete; NaN inside a trace), magnitudes above
            1e30, depth that is no int >= 1, or shapes that don't fit.

    Source: Littwin2024; the closed form for every depth is derived.
    """
    return JEPATrajectory(*_checked(covariance, variance, depth, start))


def mae_dynamics(
    covariance: Numbers, variance: Numbers, depth: int, start: Numbers
) -> MAETrajectory:
    r"""Solve the gradient flow of $\tfrac12 E\|V W x - y\|^2$, at unit rate.

    With an encoder $W = W_L \cdots W_1$ and a linear decoder V,

    $$ \dot w = L \left( \lambda w^{2 - 1/L} - \tfrac{\lambda}{\rho} w^3 \right), \qquad
       w^* = \rho^{L/(L+1)}, \qquad \rho = \lambda/\sigma $$

    $$ \lambda \rho^{\frac{L-1}{L+1}} t = \left[-\frac{y^{1-L}}{L - 1} - \frac{1}{L + 1}
       \sum_{k=0}^{L} \epsilon^{2k} \log(1 - \epsilon^{-k} y) \right]_{y(0)}^{y(t)}, \qquad
       y = (w/w^*)^{1/L}, \quad \epsilon = e^{2\pi i/(L+1)} $$

    per feature; for L = 1 the right-hand side is $\tfrac12 \log(y^2/(1 - y^2))$, and
    $w^2 = \rho E/(E - 1 + \rho/w_0^2)$ with $E = e^{2\lambda t}$. As the start shrinks
    $t \to w_0^{1/L - 1}/((L - 1)\lambda)$, and ρ moves it by no more than a constant: λ decides.

    Holds as `jepa_dynamics` does, for a decoder whose left singular vectors are those of
    $E[yx^T]$.

    Args:
        covariance: $\lambda = E[xy] \ge 0$, (m,) or a scalar: of each axis.
        variance: $\sigma = E[x^2] > 0$ of the input, a scalar or of the same shape.
        depth: L >= 1.
        start: $w_0 > 0$, the encoder's product: $w_0^{1/L}$ is every layer's; a scalar or (m,).

    Returns:
        `MAETrajectory`: call it with times. Strengths and times are NaN where the precision
        holds no digits of $\lambda \rho^{(L-1)/(L+1)}$ or $y^{-2L}$: use double precision there.

    Raises:
        ValueError: λ < 0, σ or start <= 0 (where concrete; NaN inside a trace), magnitudes above
            1e30, depth that is no int >= 1, or shapes that don't fit.

    Source: Littwin2024; the closed form for every depth is derived.
    """
    return MAETrajectory(*_checked(covariance, variance, depth, start))


def _checked(
    covariance: Numbers, variance: Numbers, depth: int, start: Numbers
) -> tuple[Array, Array, Array, int]:
    lam = features("covariance", covariance, 0, LARGEST)
    sigma = require_range("variance", variance, 0, LARGEST, positive=True)
    w = require_range("start", start, 0, LARGEST, positive=True)
    if isinstance(depth, bool) or not isinstance(depth, (int, np.integer)) or depth < 1:
        raise ValueError(f"depth must be an int >= 1; got {depth!r}.")
    sigma = same_shape("covariance", lam, sigma, "variance")
    return same_shape("covariance", lam, w, "start"), lam, sigma, int(depth)
