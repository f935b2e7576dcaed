r"""One direction of a model of groups, solved: a cubic for its variance, every root compared."""

import jax
import jax.numpy as jnp
from jaxtyping import Array

from linssl.linalg.roots import bisect

HALVINGS = 50  # of a bracket in log(1 + x): beyond both precisions


def code_variances(prior: str, group_size: int | Array, share: Array) -> tuple[Array, Array]:
    r"""Return $\kappa_+, \kappa_-$, a code's variance in both channels over $1 + v$.

    $$ \kappa_+ = \frac{\tau_+}{1 + v} = 1 + (J - 1) r \ \text{(exact)}, \quad J r \
       \text{(plug-in)}, \qquad \kappa_- = \frac{v}{1 + v} = 1 - r $$

    The share of content $r = 1/(1 + v)$ in [0, 1] and $V = W\sqrt{1 + v}$ are finite where the
    style v is not: at r = 0 the views share nothing, and each is probabilistic PCA.

    Source: derived, for the model of SimVAE.
    """
    J, r = group_size, share
    return (J * r if prior == "plug-in" else 1 + (J - 1) * r), 1 - r


def gain_of(
    prior: str, group_size: int | Array, share: Array, between: Array, within: Array, size: Array
) -> Array:
    r"""Return how much a direction of variance $x = m/s$ takes off the NLL, against none.

    $$ \tfrac12 \Big[\frac{b}{s} \frac{\kappa_+ x}{1 + \kappa_+ x} - \log(1 + \kappa_+ x)\Big] +
       \tfrac{J - 1}{2} \Big[\frac{w}{s} \frac{\kappa_- x}{1 + \kappa_- x} - \log(1 + \kappa_- x)
       \Big] $$

    Source: derived, for the model of SimVAE.
    """
    plus, minus = code_variances(prior, group_size, share)
    return (_gain(plus, between, size) + (group_size - 1) * _gain(minus, within, size)) / 2


def _gain(kappa: Array, b: Array, x: Array) -> Array:
    return b * kappa * x / (1 + kappa * x) - jnp.log1p(kappa * x)


def best_size(
    prior: str, group_size: int | Array, share: Array, between: Array, within: Array
) -> tuple[Array, Array]:
    r"""Return the best $x = m/s \ge 0$ of every direction, and its gain (0 where x = 0).

    With $\beta = b/s$, $\omega = w/s$ the gain is stationary at the roots of

    $$ \kappa_+ (1 + \kappa_+ x - \beta)(1 + \kappa_- x)^2 +
       (J - 1) \kappa_- (1 + \kappa_- x - \omega)(1 + \kappa_+ x)^2 = 0 $$

    which isn't convex: up to three roots and 0 are compared.

    Args:
        prior: see `code_variances`.
        group_size: $J$.
        share: $r$, a scalar.
        between: $b/s$ of every direction.
        within: $w/s$ of every direction.

    Source: derived, for the model of SimVAE.
    """
    J = group_size
    plus, minus = code_variances(prior, J, share)
    plus, minus = jnp.broadcast_to(plus, between.shape), jnp.broadcast_to(minus, between.shape)
    beta, omega = between, within
    # The first term changes sign at x_+ alone, the second at x_-: roots lie between the two.
    ends = jnp.stack(
        [
            jnp.where(kappa > 0, (b - 1) / jnp.where(kappa > 0, kappa, 1), 0)
            for kappa, b in ((plus, beta), (minus, omega))
        ]
    )
    ends = jnp.maximum(ends, 0)
    heard = jnp.stack([plus > 0, (minus > 0) & (J > 1)])
    low = jnp.min(jnp.where(heard, ends, jnp.inf), 0)
    low = jnp.where(jnp.isfinite(low), low, 0)
    high = jnp.max(jnp.where(heard, ends, 0), 0)

    # In y = x/X <= 1, and by the factors' size, so that single precision doesn't overflow.
    X = jnp.maximum(high, 1)
    a, c = plus * X, minus * X
    A = jnp.stack([1 / (1 + a), a / (1 + a)])
    C = jnp.stack([1 / (1 + c), c / (1 + c)])
    first = _cubic(A[0] * (1 - beta), A[1], C)
    second = _cubic(C[0] * (1 - omega), C[1], A)
    p = (plus * (1 + c))[None] * first + ((J - 1) * minus * (1 + a))[None] * second

    # Which roots there are has no derivative; polishing gives each its own.
    y = jax.lax.stop_gradient(_stationary(p, low, high, X))
    least, most = (low / X)[None], (high / X)[None]

    def polish(_: Array, y: Array) -> Array:  # by Newton: division has cost digits
        value, slope = _horner(p[:, None], y)
        step = jnp.where(slope == 0, 0, value / jnp.where(slope == 0, 1, slope))
        return jnp.clip(y - step, least, most)

    y = jax.lax.fori_loop(0, 3, polish, y)
    x = jnp.concatenate([y * X[None], jnp.zeros_like(X)[None]])
    gains = gain_of(prior, J, share, beta[None], omega[None], x)
    best = jnp.argmax(gains, 0)[None]
    return jnp.take_along_axis(x, best, 0)[0], jnp.take_along_axis(gains, best, 0)[0]


def _stationary(p: Array, low: Array, high: Array, X: Array) -> Array:
    """Return all roots y = x/X of a cubic, in a bracket of x; ends of it where they are none."""

    def value(log_x: Array) -> Array:  # in log(1 + x), as brackets span decades
        return _horner(p, jnp.expm1(log_x) / X)[0]

    root = jnp.expm1(bisect(value, jnp.log1p(low), jnp.log1p(high), HALVINGS)) / X
    # Divide by (y - root): a quadratic, solved without cancellation; complex roots become NaN.
    q1 = p[2] + root * p[3]
    q0 = p[1] + root * q1
    t = -(q1 + jnp.where(q1 < 0, -1, 1) * jnp.sqrt(q1**2 - 4 * p[3] * q0)) / 2
    y = jnp.stack([root, t / p[3], q0 / t])
    least, most = (low / X)[None], (high / X)[None]
    return jnp.clip(jnp.where(jnp.isfinite(y), y, least), least, most)


def _cubic(constant: Array, slope: Array, factor: Array) -> Array:
    """Coefficients, ascending, of (constant + slope y)(factor_0 + factor_1 y)^2."""
    f0, f1 = factor[0], factor[1]
    return jnp.stack(
        [
            constant * f0**2,
            2 * constant * f0 * f1 + slope * f0**2,
            constant * f1**2 + 2 * slope * f0 * f1,
            slope * f1**2,
        ]
    )


def _horner(p: Array, y: Array) -> tuple[Array, Array]:
    """Value and slope of a cubic."""
    return (
        p[0] + y * (p[1] + y * (p[2] + y * p[3])),
        p[1] + y * (2 * p[2] + y * 3 * p[3]),
    )
