"""Digits of raw moments: constants, marked exactly, and what centring leaves of the others."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from linssl._checks import require_room
from linssl._structure import Moment, dense, diagonal, exact_products


@exact_products
@jax.jit
def average(X: Float[Array, "n d"]) -> tuple[Float[Array, "d d"], Float[Array, " d"]]:
    r"""Return the raw second moment $X^TX/n$ and the mean; exact for constant columns.

    One program, in which no data are copied.

    Source: derived.
    """
    require_room(X.shape[1], X.dtype.itemsize)
    S, mean = X.T @ X / len(X), X.mean(0)
    # A product of matrices need not be symmetric to the last bit, and centring may leave just that.
    S = jnp.tril(S) + jnp.tril(S, -1).T
    constant = jnp.all(X[:1] == X, axis=0)
    mean = jnp.where(constant, X[0], mean)
    return mark_constant(S, mean, constant), mean


def mark_constant(second: Moment, mean: Array, constant: Array) -> Moment:
    r"""Make $E[x_i^2] = E[x_i]^2$ hold exactly where a column is constant, and only there.

    Summing rounds: it would leave a constant column a little variance of its own, or hide the
    variance of another beside its mean. `centred` reads this mark.

    Source: derived.
    """
    raw, square = diagonal(second), mean * mean
    fixed = jax.lax.stop_gradient(raw)  # nextafter has no derivative, and needs none
    step = jnp.nextafter(fixed, jnp.full_like(fixed, jnp.inf)) - fixed
    varies = raw + jnp.where(fixed == jax.lax.stop_gradient(square), step, 0)
    raw = jnp.where(constant | ((raw == 0) & (square == 0)), square, varies)
    return raw if second.ndim == 1 else jnp.fill_diagonal(second, raw, inplace=False)


def steady(cross: Array, mean: Array, second: Array) -> Array:
    r"""Say which features of an exchangeable pair don't vary in G: constants, but for noise.

    Their rows are those of the means, $G_{ij} = m_i m_j$, to rounding. The diagonal alone says
    nothing: it agrees too where a feature tells nothing of itself in the partner.

    Source: derived.
    """
    size = jnp.sqrt(jnp.maximum(diagonal(second), 0))
    rounding = 100 * jnp.finfo(cross.dtype).eps * jnp.abs(mean)[:, None] * size[None, :]
    agrees = jnp.abs(dense(cross) - jnp.outer(mean, mean)) <= rounding
    return (diagonal(cross) == mean * mean) & jnp.all(agrees, axis=1)


def shared_digits(G: Array, mean: Array, S: Array) -> Array:
    """1 where centring leaves G its digits, 0 for what is steady, NaN where they are lost.

    Noise that views don't share adds to S, so that its digits say nothing of G. But a feature that
    shares nothing has none to lose: what counts is G's rounding beside the strongest feature's
    share, both in units of S.
    """
    variance, eps = diagonal(S) - mean * mean, jnp.finfo(G.dtype).eps
    unit = jnp.where(variance > 0, 1 / jnp.where(variance > 0, variance, 1), 0)
    strongest = jnp.max(jnp.abs(diagonal(G) - mean * mean) * unit)
    lost = resolved(diagonal(G), mean) != 1
    blurred = lost & (1e4 * eps * mean * mean * unit > strongest)
    return jnp.where(steady(G, mean, S), 0, jnp.where(blurred, jnp.nan, 1)).astype(G.dtype)


def resolved(raw: Array, mean: Array) -> Array:
    """1 where a centred variance keeps four digits, 0 for a constant, NaN where they are lost."""
    lost = jnp.abs(raw - mean**2) <= 1e4 * jnp.finfo(raw.dtype).eps * jnp.abs(raw)
    constant = (raw == mean * mean) & jnp.isfinite(raw)
    return jnp.where(constant, 0, jnp.where(lost, jnp.nan, 1)).astype(raw.dtype)
