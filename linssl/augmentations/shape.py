"""The shape of an image, its patches, and holes in it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from linssl.arguments import channels_first, require_room, require_whole


class Image(NamedTuple):
    """The shape of an image, of which each side is what its name says, however it looks."""

    height: int
    width: int
    channels: int = 1

    @property
    def features(self) -> int:
        """Number of values."""
        return self.height * self.width * self.channels


def image_patches(image: Sequence[int], size: int) -> Int[np.ndarray, " d"]:
    """Number the square patches of an image, for `PatchMask` and `FixedCountMask`.

    Args:
        image: shape; channels of a pixel share its patch.
        size: side of a patch in pixels; the last ones are smaller where it doesn't divide a side.

    Raises:
        ValueError: an image that isn't one, or a size below 1.
    """
    image = as_image(image)
    require_whole("size", size, 1)
    row, column = np.arange(image.height) // size, np.arange(image.width) // size
    patch = row[:, None] * (column[-1] + 1) + column[None, :]
    return np.repeat(patch.ravel(), image.channels)


def cutout_masks(image: Sequence[int], size: int) -> Float[np.ndarray, "P d"]:
    """Masks of a square hole centred at every pixel, clipped at the borders, for `RandomMask`.

    Args:
        image: shape.
        size: side of the hole in pixels, below both sides of the image.

    Raises:
        ValueError: an image that isn't one, or a hole as large as it.
    """
    image = as_image(image)
    require_whole("size", size, 1, min(image.height, image.width) - 1)

    def holes(side: int) -> np.ndarray:
        start = np.arange(side)[:, None] - size // 2
        at = np.arange(side)[None, :]
        return (at >= start) & (at < start + size)

    hole = holes(image.height)[:, None, :, None] & holes(image.width)[None, :, None, :]
    masks = 1.0 - hole.reshape(image.height * image.width, -1)
    return np.repeat(masks, image.channels, axis=1)


def offsets(image: Image, reach: int) -> list[tuple[int, int]]:
    """List the shifts by up to so many pixels down and right, by row and then by column.

    Raises ValueError unless the reach is a whole number below the sides.
    """
    require_whole("reach", reach, 0, min(image.height, image.width) - 1)
    steps = range(-int(reach), int(reach) + 1)
    return [(down, right) for down in steps for right in steps]


def as_image(image: object) -> Image:
    """Return the shape of an image, or raise.

    An `Image` says which side is which, and is taken at its word; three numbers that look like
    (channels, height, width) are refused.
    """
    found = Image(*as_sides(image))
    if channels_first(found) and not isinstance(image, Image):
        raise ValueError(
            f"image must be (height, width, channels); got {tuple(found)}, which looks like "
            "channels first: np.moveaxis(images, 1, -1) puts those of (n, channels, height, width) "
            "last."
        )
    require_room(found.features, 4)
    return found


def as_sides(image: object) -> tuple[int, ...]:
    """Return the two or three sides of an image, in any order, or raise."""
    sides = tuple(image) if isinstance(image, tuple | list) else ()
    whole = [isinstance(s, int | np.integer) and not isinstance(s, bool) for s in sides]
    if len(sides) not in (2, 3) or not all(whole) or min(sides) < 1:
        raise ValueError(
            f"image must be (height, width) or (height, width, channels); got {image!r}."
        )
    return tuple(int(side) for side in sides)
