r"""Cyclic filters of images: their moments in Fourier space, at a cost the family hardly enters."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Key

from linssl.arguments import Numbers, as_float
from linssl.augmentations.base import Augmentation, Effect, as_rows
from linssl.augmentations.finite import (
    check_probabilities,
    in_precision,
    require_finite,
    weighted_covariance,
)
from linssl.augmentations.shape import Image, as_image, offsets
from linssl.linalg.structure import Moment, dense, exact_products


class CyclicFilters(Augmentation):
    r"""Convolves with one of P kernels, drawn anew for each view; the image wraps around.

    With $\hat a_p$ the Fourier transform of kernel p and $\hat C = F \mathrm{Cov}(x) F^{-1}$:

    $$ \hat{\bar A} = \mathrm{diag}(E[\hat a]), \qquad
       \hat\Sigma = \mathrm{Cov}(\hat a) \odot (\hat C + \hat\mu \hat\mu^*) $$

    so P kernels cost one product of P x (height width) numbers, where P maps would cost P
    products of d x d. `cyclic_shifts` makes a family of them.

    Args:
        kernels: $a_p$, (P, height, width): $\tau(x)_i = \sum_j a_{p, j} x_{i - j}$.
        image: shape; channels are filtered alike.
        probabilities: (P,); None is uniform.

    Raises:
        ValueError: shapes that don't fit, or probabilities that don't sum to one.

    Source: derived; Balestriero2022.
    """

    kernels: Float[Array, "P h w"]
    probabilities: Float[Array, " P"]
    image: Image = eqx.field(static=True)

    def __init__(
        self, kernels: Numbers, image: Sequence[int], probabilities: Numbers | None = None
    ):
        self.kernels, self.image = as_float(kernels, "kernels"), as_image(image)
        shape = self.kernels.shape
        if len(shape) != 3 or not shape[0] or shape[1:] != self.image[:2]:
            raise ValueError(
                f"kernels must be (P, {self.image.height}, {self.image.width}); got "
                f"{self.kernels.shape}."
            )
        require_finite("kernels", self.kernels)
        self.probabilities = check_probabilities(probabilities, len(self.kernels))

    def input_size(self) -> int | None:
        """Return d."""
        return self.image.features

    def sample(self, key: Key[Array, ""], x: Float[Array, "*batch d"]) -> Float[Array, "*batch d"]:
        """Draw one independent view of each row of x."""
        x = as_rows(self, x)
        rows = x.reshape(-1, self.image.features)
        p = self.probabilities.astype(x.dtype)
        which = jax.random.choice(key, p.size, (len(rows),), p=p)
        return self._filtered(self.kernels[which].astype(x.dtype), rows).reshape(x.shape)

    @exact_products
    def effect(self, covariance: Moment, mean: Float[Array, " d"]) -> Effect:
        r"""Return $\Sigma$ and $\bar A$, (d, d).

        Of the covariance, and of the filtered means: apart, so that a large mean cancels nowhere.
        """
        h, w, c = self.image
        C, kernels = dense(covariance), self.kernels.astype(covariance.dtype)
        weights = in_precision(self.probabilities, C.dtype)
        kernel = jnp.tensordot(weights, kernels, 1)
        a = jnp.fft.fft2(kernels).reshape(len(kernels), h * w)
        p = weights.astype(a.dtype)
        a = a - (p @ a)[None, :]
        filtered = ((a.T * p[None, :]) @ a.conj()).reshape(h, w, 1, h, w, 1)
        # F on the left and its inverse on the right; what scales them cancels on the way back.
        C = C.reshape(h, w, c, h, w, c)
        hat = jnp.fft.ifft2(jnp.fft.fft2(C, axes=(0, 1)), axes=(3, 4))
        spread = jnp.fft.fft2(jnp.fft.ifft2(filtered * hat, axes=(0, 1)), axes=(3, 4)).real
        spread = spread.reshape(self.image.features, -1)
        # One kernel at a time sees the same mean: only what differs from the average spreads it.
        means = self._filtered(kernels - kernel[None], mean[None])
        spread = spread + weighted_covariance(means, weights)
        eye = jnp.eye(self.image.features, dtype=C.dtype)
        linear = self._filtered(kernel[None], eye).T
        return Effect((spread + spread.T) / 2, linear, maps=jnp.sum(weights > 0))

    def _filtered(self, kernels: Float[Array, "n h w"], rows: Float[Array, "m d"]) -> Array:
        h, w, c = self.image
        images = rows.reshape(-1, h, w, c)
        hat: Complex[Array, "m h w c"] = jnp.fft.fft2(images, axes=(1, 2))
        moved = hat * jnp.fft.fft2(kernels)[..., None]
        return jnp.fft.ifft2(moved, axes=(1, 2)).real.reshape(len(moved), -1)


def cyclic_shifts(
    image: Sequence[int], reach: int, probabilities: Numbers | None = None
) -> CyclicFilters:
    r"""Shift by up to `reach` pixels in both directions; what leaves comes in on the other side.

    Args:
        image: shape.
        reach: r >= 0; there are $(2r+1)^2$ shifts, by row and then by column.
        probabilities: ((2r+1)^2,); None is uniform.

    Raises:
        ValueError: an image that isn't one, or a reach that isn't below its sides.

    Source: derived; Balestriero2022.
    """
    image = as_image(image)
    steps = np.array(offsets(image, reach))
    kernels = np.zeros((len(steps), image.height, image.width))
    kernels[np.arange(len(steps)), *steps.T] = 1
    return CyclicFilters(kernels, image, probabilities)
