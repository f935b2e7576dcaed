"""Additive Gaussian noise: the base augmentation, and ridge by another name."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Key

from linssl.arguments import as_float, require_covariance
from linssl.augmentations.base import Augmentation, Effect, as_rows
from linssl.linalg.structure import Moment, covariance_root, exact_products


class GaussianNoise(Augmentation):
    r"""Adds noise of a given covariance.

    $$ \tau(x) = x + \theta, \quad \theta \sim N(0, \Theta): \qquad
       \bar A = I, \quad S = C + \Theta, \quad \Sigma = \Theta $$

    `GaussianNoise(jnp.full(d, v))` is isotropic with variance v.

    Args:
        covariance: $\Theta$, (d, d), or (d,) for independent noise. Variances, not deviations.

    Raises:
        ValueError: not a covariance (where its values are concrete).

    Source: JEvRC, section 3 (base augmentation $\Theta$).
    """

    covariance: Moment = eqx.field(converter=as_float)

    def __check_init__(self):
        check_covariance("covariance", self.covariance)

    def sample(self, key: Key[Array, ""], x: Float[Array, "*batch d"]) -> Float[Array, "*batch d"]:
        """Draw one independent view of each row of x."""
        x = as_rows(self, x)
        return x + draw_noise(key, self.covariance, x.shape, x.dtype)

    def input_size(self) -> int | None:
        """Return d."""
        return self.covariance.shape[0]

    def effect(self, covariance: Moment, mean: Float[Array, " d"]) -> Effect:
        r"""Return $\Sigma = \Theta$, whatever the data."""
        del covariance, mean
        return Effect(self.covariance)


def check_covariance(name: str, covariance: Array) -> None:
    """Raise unless `covariance` is (d,) or (d, d), and a covariance where it is concrete."""
    shape = covariance.shape
    if len(shape) not in (1, 2) or shape[0] != shape[-1]:
        raise ValueError(f"{name} must be (d, d), or (d,) for a diagonal; got {shape}.")
    require_covariance(name, covariance)


@exact_products
def draw_noise(
    key: Key[Array, ""], covariance: Moment, shape: tuple[int, ...], dtype: DTypeLike
) -> Array:
    r"""Draw $N(0, \Theta)$ of a given shape (..., d); a singular $\Theta$ is fine.

    Raises ValueError where the shape doesn't end in d. Source: derived.
    """
    if shape[-1:] != covariance.shape[:1]:
        raise ValueError(f"x must be (..., {covariance.shape[0]}); got {shape}.")
    F, normal = covariance_root(covariance.astype(dtype)), jax.random.normal(key, shape, dtype)
    return jnp.broadcast_to(F, shape) * normal if F.ndim == 1 else normal @ F.T
