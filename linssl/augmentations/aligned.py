r"""T(α): the augmentation that knows, up to a strength α, which features are irrelevant."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from linssl.arguments import as_float, is_concrete, within
from linssl.augmentations.base import Augmentation, Effect, as_rows
from linssl.augmentations.gaussian import check_covariance, draw_noise
from linssl.linalg.structure import Moment, add


class AlignedNoise(Augmentation):
    r"""Adds base noise, and α times a fresh draw of the irrelevant noise itself.

    $$ \tau(x) = x + \theta + \alpha\gamma', \quad \theta \sim N(0, \Theta),\;
       \gamma' \sim N(0, \Gamma): \qquad \Sigma = \Theta + \alpha^2 \Gamma $$

    Args:
        base: $\Theta$, (d, d) or (d,).
        noise: $\Gamma$, (d, d) or (d,), zero on the signal directions.
        alpha: $\alpha \ge 0$, the alignment: a scale, not a variance ($\alpha^2$ enters).

    Raises:
        ValueError: not covariances, sizes that differ, or a negative or non-finite alpha (where
            values are concrete).

    Source: JEvRC, section 4, $\mathcal T(\alpha)$.
    """

    base: Moment = eqx.field(converter=as_float)
    noise: Moment = eqx.field(converter=as_float)
    alpha: Float[Array, ""] = eqx.field(converter=as_float)

    def __check_init__(self):
        check_covariance("base", self.base)
        check_covariance("noise", self.noise)
        if self.base.shape[0] != self.noise.shape[0]:
            raise ValueError(
                f"base and noise must have equal sizes; got {self.base.shape[0]} and "
                f"{self.noise.shape[0]}."
            )
        if self.alpha.shape != ():
            raise ValueError(f"alpha must be a scalar; got shape {self.alpha.shape}.")
        if is_concrete(self.alpha) and not 0 <= float(self.alpha) < float("inf"):
            raise ValueError(f"alpha must be finite and >= 0; got {float(self.alpha):g}.")

    def sample(self, key: Key[Array, ""], x: Float[Array, "*batch d"]) -> Float[Array, "*batch d"]:
        """Draw one independent view of each row of x."""
        x = as_rows(self, x)
        base_key, noise_key = jax.random.split(key)
        theta = draw_noise(base_key, self.base, x.shape, x.dtype)
        gamma = draw_noise(noise_key, self.noise, x.shape, x.dtype)
        return x + theta + self.alpha.astype(x.dtype) * gamma

    def input_size(self) -> int | None:
        """Return d."""
        return self.base.shape[0]

    def effect(self, covariance: Moment, mean: Float[Array, " d"]) -> Effect:
        r"""Return $\Sigma = \Theta + \alpha^2\Gamma$, whatever the data."""
        del covariance, mean
        alpha = within(self.alpha, 0, jnp.inf).astype(self.noise.dtype)
        return Effect(add(self.base, jnp.square(alpha) * self.noise))
