r"""The flow $\dot y = r y^p (1 - y^m)$ by its clock $m \int dy/(y^p (1 - y^m))$, and its inverse.

It is kept in $z = \log(y^m/|1 - y^m|)$, which grows from any start and without end, with all
digits of y near 0 and of 1 - y near 1. `sign` is 1 where y < 1 and -1 where y > 1. The clock's
derivative is $dC/dz = y^{1 - p}$ on both sides.
"""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from linssl.linalg.roots import bisect

STEPS = 140  # halvings: from a bracket of 1e20 to the last digit of 1e-20
LOG_2 = math.log(2)
TERMS = 128  # of a series, whose rest is then below the last digit
END = 50.0  # z where y is 1, to the last digit


def log_power(z: Array, sign: Array) -> Array:
    r"""Return $\log y^m$: $-\log(1 + e^{-z})$ below 1, $-\log(1 - e^{-z})$ above.

    Source: derived.
    """
    return jnp.where(sign > 0, -jnp.logaddexp(0 * z, -z), _log_one_minus(z, sign < 0))


def log_odds(power: Array, sign: Array) -> Array:
    r"""Return z, from $\log y^m$.

    Source: derived.
    """
    below = logit(jnp.where(sign > 0, power, -1))
    above = jnp.maximum(_log_one_minus(power, sign < 0), jnp.finfo(power.dtype).tiny)
    return jnp.where(sign > 0, below, above)


def logit(log_v: Array) -> Array:
    r"""Return $\log(v/(1 - v))$ from $\log v \le 0$, which holds any v.

    Source: derived.
    """
    return log_v - jnp.log(-jnp.expm1(log_v))


def with_series(elementary: Array, power: Array, p: int, m: int) -> Array:
    r"""Return the clock; well above y = 1, where logarithms would cancel, by its series in 1/y.

    $$ m \int_0^{1/y} \frac{u^{p + m - 2}}{1 - u^m} du
       = m \sum_{n \ge 0} \frac{y^{-(p + m - 1 + nm)}}{p + m - 1 + nm} $$

    Source: derived.
    """
    far = power > (jnp.finfo(power.dtype).nmant + 1) * LOG_2 / TERMS
    M = jnp.where(far, power, 1)[..., None]
    exponents = p + m - 1 + m * np.arange(TERMS, dtype=float).reshape((1,) * power.ndim + (-1,))
    exponents = jnp.asarray(exponents / m, M.dtype)
    return jnp.where(far, jnp.sum(jnp.exp(-M * exponents) / exponents, -1), elementary)


def advance(
    clock: Callable[[Array, Array], Array], z: Array, sign: Array, elapsed: Array, bend: float
) -> Array:
    """Return where the clock has gone on by `elapsed`, with dC/dz = exp(-bend * log_power)."""

    @jax.custom_jvp
    def ticks(z: Array, sign: Array) -> Array:
        return clock(z, sign)

    @ticks.defjvp
    def _(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
        return clock(*primals), tangents[0] * jnp.exp(-bend * log_power(*primals))

    goal = ticks(z, sign) + elapsed
    ends = jax.lax.stop_gradient(_bracket(clock, z, sign, elapsed))
    return bisect(lambda z: ticks(z, sign) - goal, *ends, STEPS)


def _bracket(
    clock: Callable[[Array, Array], Array], start: Array, sign: Array, elapsed: Array
) -> tuple[Array, Array]:
    # Below 1, dC/dz falls to 1: from z = 0 on, z goes no further than the clock. Above, it rises
    # to 1, and z - C to its value at the end.
    below, middle = sign > 0, jnp.maximum(start, 0)
    marks = jnp.stack([start, jnp.where(below, middle, END)])
    begin, mark = jax.vmap(clock, (0, None))(marks, sign)
    left = begin + elapsed - mark
    early = below & (left < 0)
    low = jnp.where(below & ~early, middle, start)
    high = jnp.where(early, middle, jnp.where(below, middle + left, END + left + 1))
    return low, high


def _log_one_minus(v: Array, valid: Array) -> Array:
    """Return -log(1 - e^{-v}) for v > 0, to all digits of its small values; its own inverse."""
    v = jnp.where(valid & ~(v <= 0), v, 1)  # NaN stays
    small = jnp.minimum(v, 1)
    return jnp.where(v > LOG_2, -jnp.log1p(-jnp.exp(-v)), -jnp.log(-jnp.expm1(-small)))
