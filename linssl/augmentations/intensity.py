r"""Brightness: all features of a view are scaled, or shifted, together."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from linssl.arguments import as_float, is_concrete, within
from linssl.augmentations.base import Augmentation, Effect, as_rows
from linssl.linalg.structure import Moment, about_zero, dense


class Brightness(Augmentation):
    r"""Scales a view by one random factor: $\tau(x) = a x$, a uniform on [low, high].

    $$ \bar A = E[a] I, \qquad \Sigma = \mathrm{Var}(a)\, E[xx^T], \qquad
       E[a] = \tfrac{l + h}2, \; \mathrm{Var}(a) = \tfrac{(h - l)^2}{12} $$

    Args:
        low: $l$.
        high: $h \ge l$.

    Raises:
        ValueError: not finite scalars with low <= high (where concrete).

    Source: derived.
    """

    low: Float[Array, ""] = eqx.field(converter=as_float)
    high: Float[Array, ""] = eqx.field(converter=as_float)

    def __check_init__(self):
        if self.low.ndim or self.high.ndim:
            raise ValueError(
                f"low and high must be scalars; got {self.low.shape} and {self.high.shape}."
            )
        if is_concrete(self.low, self.high):
            low, high = float(self.low), float(self.high)
            if not (np.isfinite([low, high]).all() and low <= high):
                raise ValueError(f"low and high must be finite, low <= high; got {low}, {high}.")

    def sample(self, key: Key[Array, ""], x: Float[Array, "*batch d"]) -> Float[Array, "*batch d"]:
        """Draw one independent view of each row of x."""
        x = as_rows(self, x)
        low, high = self.low.astype(x.dtype), self.high.astype(x.dtype)
        share = jax.random.uniform(key, (*x.shape[:-1], 1), x.dtype)
        return (low + (high - low) * share) * x

    def effect(self, covariance: Moment, mean: Float[Array, " d"]) -> Effect:
        r"""Return $\mathrm{Var}(a) E[xx^T]$ and E[a]."""
        width = within(self.high - self.low, 0, np.inf)
        variance = (jnp.square(width) / 12).astype(covariance.dtype)
        spread = variance * about_zero(covariance, mean)
        return Effect(spread, linear=(self.low + self.high) / 2)


class Offset(Augmentation):
    r"""Adds one random number to all features: $\tau(x) = x + b 1$, $b \sim N(0, v)$.

    $$ \bar A = I, \qquad \Sigma = v\, 1 1^T $$

    Args:
        variance: $v \ge 0$.

    Raises:
        ValueError: not a finite scalar >= 0 (where concrete).

    Source: derived.
    """

    variance: Float[Array, ""] = eqx.field(converter=as_float)

    def __check_init__(self):
        if self.variance.ndim:
            raise ValueError(f"variance must be a scalar; got {self.variance.shape}.")
        if is_concrete(self.variance) and not 0 <= float(self.variance) < np.inf:
            raise ValueError(f"variance must be finite and >= 0; got {float(self.variance):g}.")

    def sample(self, key: Key[Array, ""], x: Float[Array, "*batch d"]) -> Float[Array, "*batch d"]:
        """Draw one independent view of each row of x."""
        x = as_rows(self, x)
        b = jax.random.normal(key, (*x.shape[:-1], 1), x.dtype)
        return x + jnp.sqrt(self.variance).astype(x.dtype) * b

    def effect(self, covariance: Moment, mean: Float[Array, " d"]) -> Effect:
        r"""Return $v\, 1 1^T$."""
        del mean
        variance = within(self.variance, 0, np.inf).astype(covariance.dtype)
        return Effect(variance * jnp.ones_like(dense(covariance)))
