r"""Mixup: each view is blended with an instance of its own, drawn from the same data."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from linssl.arguments import as_float, is_concrete, within
from linssl.augmentations.base import Augmentation, Effect, as_rows
from linssl.linalg.structure import Moment


class Mixup(Augmentation):
    r"""Blends with an independent instance: $\tau(x) = l x + (1 - l) x'$, l uniform on [low, 1].

    $$ E[\tau | x] = E[l]\, x + (1 - E[l])\, \mu, \qquad
       \Sigma = (\mathrm{Var}(l) + E[(1 - l)^2])\, \mathrm{Cov}(x) $$

    The mean $\mu$ stays where it is, so only the centred covariance is spread. Each view has a
    partner and a share of its own.

    Args:
        low: $l_0 \in [0, 1]$; 1 leaves the data as they are.

    Raises:
        ValueError: not a scalar in [0, 1] (where concrete).

    Source: derived.
    """

    low: Float[Array, ""] = eqx.field(converter=as_float)

    def __check_init__(self):
        if self.low.ndim:
            raise ValueError(f"low must be a scalar; got {self.low.shape}.")
        if is_concrete(self.low) and not 0 <= float(self.low) <= 1:
            raise ValueError(f"low must be in [0, 1]; got {float(self.low):g}.")

    def sample(self, key: Key[Array, ""], x: Float[Array, "*batch d"]) -> Float[Array, "*batch d"]:
        """Draw one independent view of each row of x; partners are drawn among the rows.

        After another augmentation partners are views that are drawn already, which of n rows are
        the row's own once in n times; moments are those of a fresh one.
        """
        x = as_rows(self, x)
        rows = x.reshape(-1, x.shape[-1])
        if len(rows) < 2:
            raise ValueError(f"x must have rows to draw partners from; got {x.shape}.")
        partner_key, share_key = jax.random.split(key)
        partner = rows[jax.random.randint(partner_key, (len(rows),), 0, len(rows))]
        share = jax.random.uniform(share_key, (len(rows), 1), x.dtype)
        low = self.low.astype(x.dtype)
        share = low + (1 - low) * share
        return (share * rows + (1 - share) * partner).reshape(x.shape)

    def effect(self, covariance: Moment, mean: Float[Array, " d"]) -> Effect:
        r"""Return $\Sigma$, E[l] and $(1 - E[l])\, \mu$.

        $$ \tau - E[\tau|x] = (l - E[l]) (x - \mu) + (1 - l)(x' - \mu) $$

        and both terms are centred and uncorrelated, so
        $\Sigma = (\mathrm{Var}(l) + E[(1 - l)^2])\, \mathrm{Cov}(x)$.

        Source: derived.
        """
        low = within(self.low, 0, 1).astype(covariance.dtype)
        variance, square = jnp.square(1 - low) / 12, jnp.square(1 - low) / 3
        offset = ((1 - self.low) / 2).astype(mean.dtype) * mean
        return Effect((variance + square) * covariance, (1 + self.low) / 2, offset)
