r"""Image augmentations as finite families of linear maps: shifts, flips, turns, blurs, crops.

An image is a row of height x width x channels numbers, the channel fastest, as numpy flattens it.
`shifts` is the usual one. Moves of whole pixels are kept as indices, blurs and crops as one small
matrix for the rows and one for the columns: the map of an image is never written out.
"""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from linssl.arguments import Numbers, as_float, as_share, is_concrete, on_host
from linssl.augmentations.finite import LinearFamily, check_probabilities, require_finite
from linssl.augmentations.shape import Image, as_image, offsets


class PixelMoves(LinearFamily):
    r"""Moves of whole pixels: $\tau(x)_i = x_{s_p(i)}$, or 0 where nothing moves in.

    Args:
        sources: $s_p(i)$, (P, d); -1 where it is 0.
        probabilities: (P,).

    Source: derived; Balestriero2022.
    """

    sources: Int[Array, "P d"]
    probabilities: Float[Array, " P"]
    features: int = eqx.field(static=True)

    def __init__(self, sources: Numbers, probabilities: Numbers | None = None):
        self.sources = jnp.asarray(on_host(sources, "sources") if is_concrete(sources) else sources)
        if (
            self.sources.ndim != 2
            or not self.sources.size
            or not jnp.issubdtype(self.sources.dtype, jnp.integer)
        ):
            raise ValueError(
                f"sources must be (P, d) whole numbers; got {self.sources.dtype} of shape "
                f"{self.sources.shape}."
            )
        self.features = d = self.sources.shape[1]
        if is_concrete(sources):
            low, high = np.min(np.asarray(sources)), np.max(np.asarray(sources))
            if low < -1 or high >= d:
                raise ValueError(f"sources must be -1 to {d - 1}; got {low} to {high}.")
        self.probabilities = check_probabilities(probabilities, len(self.sources))

    def apply(self, p: Int[Array, ""], x: Float[Array, "n d"]) -> Float[Array, "n d"]:
        """Apply the p-th map to every row."""
        source = self.sources[p]
        return jnp.where(source >= 0, x[:, jnp.maximum(source, 0)], 0)


class Separable(LinearFamily):
    r"""Maps of rows and of columns apart: $\tau(X) = R_p X K_p^T$ for each channel of an image X.

    Args:
        rows: $R_p$, (P, height, height).
        columns: $K_p$, (P, width, width).
        image: shape.
        probabilities: (P,).

    Source: derived; Balestriero2022.
    """

    rows: Float[Array, "P h h"]
    columns: Float[Array, "P w w"]
    probabilities: Float[Array, " P"]
    image: Image = eqx.field(static=True)

    def __init__(
        self,
        rows: Numbers,
        columns: Numbers,
        image: Sequence[int],
        probabilities: Numbers | None = None,
    ):
        self.rows, self.columns = as_float(rows, "rows"), as_float(columns, "columns")
        self.image = as_image(image)
        P = self.rows.shape[0] if self.rows.ndim else 0
        h, w = self.image.height, self.image.width
        if self.rows.shape != (P, h, h) or self.columns.shape != (P, w, w):
            raise ValueError(
                f"rows and columns must be (P, {h}, {h}) and (P, {w}, {w}); got "
                f"{self.rows.shape} and {self.columns.shape}."
            )
        require_finite("rows", self.rows)
        require_finite("columns", self.columns)
        self.probabilities = check_probabilities(probabilities, P)

    @property
    def features(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Number of values of an image."""
        return self.image.features

    def apply(self, p: Int[Array, ""], x: Float[Array, "n d"]) -> Float[Array, "n d"]:
        """Apply the p-th map to every row."""
        R, K = self.rows[p].astype(x.dtype), self.columns[p].astype(x.dtype)
        images = x.reshape(-1, *self.image)
        return jnp.einsum("ij,njkc,lk->nilc", R, images, K).reshape(x.shape)


def shifts(image: Sequence[int], reach: int, probabilities: Numbers | None = None) -> LinearFamily:
    r"""Shift by up to `reach` pixels in both directions, zeros coming in at the borders.

    Args:
        image: shape.
        reach: r >= 0; there are $(2r+1)^2$ shifts, by row and then by column.
        probabilities: ((2r+1)^2,); None is uniform.

    Raises:
        ValueError: an image that isn't one, or a reach that isn't below its sides.

    Source: derived; Balestriero2022.
    """
    image = as_image(image)
    steps = offsets(image, reach)
    index = np.arange(image.features).reshape(image)
    wide = np.pad(index, ((reach, reach), (reach, reach), (0, 0)), constant_values=-1)

    def shifted(down: int, right: int) -> np.ndarray:
        top, left = reach - down, reach - right
        return wide[top : top + image.height, left : left + image.width].ravel()

    return PixelMoves(np.stack([shifted(*step) for step in steps]), probabilities)


def flip(image: Sequence[int], probability: Numbers = 0.5) -> LinearFamily:
    """Mirror left and right with some probability.

    Args:
        image: shape.
        probability: of a mirrored view, in [0, 1].

    Raises:
        ValueError: an image that isn't one, or a probability outside [0, 1].

    Source: derived; Balestriero2022.
    """
    image, p = as_image(image), as_share("probability", probability)
    index = np.arange(image.features).reshape(image)
    return PixelMoves(np.stack([index.ravel(), index[:, ::-1].ravel()]), jnp.stack([1 - p, p]))


def quarter_turns(image: Sequence[int], probabilities: Numbers | None = None) -> LinearFamily:
    """Turn by 0, 90, 180 or 270 degrees, every turn alike by default.

    Args:
        image: shape, square.
        probabilities: (4,); None is uniform.

    Raises:
        ValueError: an image that isn't square, or probabilities that don't sum to one.

    Source: derived; Balestriero2022.
    """
    image = as_image(image)
    if image.height != image.width:
        raise ValueError(f"image must be square to be turned; got {tuple(image)}.")
    index = np.arange(image.features).reshape(image)
    return PixelMoves(np.stack([np.rot90(index, k).ravel() for k in range(4)]), probabilities)


def blurs(
    image: Sequence[int], widths: Numbers, probabilities: Numbers | None = None
) -> LinearFamily:
    r"""Blur by one of several Gaussians, normalised at the borders.

    $$ R_{ij} = K_{ij} \propto e^{-(i - j)^2 / 2 \sigma^2}, \quad \text{rows sum to } 1 $$

    Args:
        image: shape.
        widths: $\sigma_p \ge 0$ in pixels, (P,); 0 leaves the image as it is.
        probabilities: (P,); None is uniform.

    Raises:
        ValueError: an image that isn't one, or negative widths.

    Source: derived; Balestriero2022.
    """
    image, sigma = as_image(image), as_float(widths, "widths")
    if sigma.ndim != 1 or not sigma.size:
        raise ValueError(f"widths must be (P,); got {sigma.shape}.")
    if is_concrete(sigma) and not (np.isfinite(sigma) & (np.asarray(sigma) >= 0)).all():
        raise ValueError(f"widths must be finite and >= 0; got {sigma}.")

    def kernel(side: int) -> Array:
        at = jnp.arange(side, dtype=sigma.dtype)
        offsets = (at[:, None] - at[None, :])[None]
        # 0 is a limit: nothing but the pixel itself is left.
        s = sigma[:, None, None]
        weight = jnp.exp(-jnp.square(offsets / jnp.where(s > 0, s, 1)) / 2)
        weight = jnp.where(s > 0, weight, jnp.where(offsets == 0, 1, 0))
        weight = jnp.where(s >= 0, weight, jnp.nan)
        return weight / weight.sum(-1, keepdims=True)

    return Separable(kernel(image.height), kernel(image.width), image, probabilities)


def crops(
    image: Sequence[int], boxes: Numbers, probabilities: Numbers | None = None
) -> LinearFamily:
    """Crop a box and resize it to the whole image, bilinearly.

    Args:
        image: shape.
        boxes: (P, 4) of (top, left, height, width) in pixels, within the image; fractions are fine.
        probabilities: (P,); None is uniform.

    Raises:
        ValueError: an image that isn't one, or boxes that leave it.

    Source: derived; Balestriero2022.
    """
    image, box = as_image(image), as_float(boxes, "boxes")
    if box.ndim != 2 or box.shape[1] != 4 or not len(box):
        raise ValueError(f"boxes must be (P, 4): top, left, height, width; got {box.shape}.")
    if is_concrete(box):
        b, sides = np.asarray(box), np.array([image.height, image.width])
        inside = (b[:, 2:] > 0) & (b[:, :2] >= 0) & (b[:, :2] + b[:, 2:] <= sides)
        if not inside.all():
            raise ValueError(f"boxes must lie within {tuple(image)[:2]} and have a size; got {b}.")

    def resample(start: Array, length: Array, side: int) -> Array:
        # Centres of the output's pixels, in pixels of the input; clipped to the box as it is read.
        pixel = jnp.arange(side, dtype=box.dtype)
        at = start[:, None] + ((pixel + 0.5) / side)[None, :] * length[:, None] - 0.5
        last = jnp.maximum(start + length - 1, start)[:, None]
        at = jnp.clip(jnp.clip(at, start[:, None], last), 0, side - 1)
        at = jnp.where((start >= 0) & (length > 0) & (start + length <= side), at.T, jnp.nan).T
        return jnp.maximum(0, 1 - jnp.abs(at[:, :, None] - pixel[None, None, :]))

    rows = resample(box[:, 0], box[:, 2], image.height)
    return Separable(rows, resample(box[:, 1], box[:, 3], image.width), image, probabilities)
