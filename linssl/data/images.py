"""Images with their channels last, whichever order they came in."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Num

from linssl.arguments import Numbers, on_host
from linssl.data.tables import FileError

CHANNELS = (1, 3, 4)  # grey; red, green and blue; and opacity
ORDERS = ("first", "last")
WHITE = 255.0  # of 8-bit pixels


def channels_last(images: Numbers, channels: str | None = None) -> Num[np.ndarray, "n h w c"]:
    """Return images as (n, height, width, channels), not copied.

    Args:
        images: (n, height, width), (n, height, width, channels) or (n, channels, height, width).
        channels: where they are, "first" or "last" of the axes after n; None recognises it, where
            just one of both axes can be that of 1, 3 or 4 channels.

    Raises:
        ValueError: no numbers, other axes, another order, or an order that can't be told.
    """
    x = on_host(images, "images")
    if x.ndim not in (3, 4) or 0 in x.shape:
        raise ValueError(
            "images must be (n, height, width), (n, height, width, channels) or (n, channels, "
            f"height, width), and not empty; got {x.shape}."
        )
    order = order_of(x.shape[1:], channels)
    if x.ndim == 3:
        return x[..., None]
    if order is None:
        raise ValueError(f"images of {x.shape} {cannot_be_told(x.shape[1:])}")
    return np.moveaxis(x, 1, -1) if order == "first" else x


def flat_images(
    name: str, values: np.ndarray, channels: str | None = None
) -> tuple[np.ndarray, tuple[int, int, int] | None]:
    """Return rows (n, d) with channels last, and the shape of an image; None if they are none.

    Rows (n, a, b) of two different sides may be series, and are images only if channels are stated.

    Raises:
        ValueError: as `channels_last`, by the name of what it is about.
    """
    if values.ndim not in (3, 4) or (channels is None and may_be_series(values.shape[1:])):
        return values.reshape(len(values), -1), None
    try:
        images = channels_last(values, channels)
    except ValueError as error:
        raise FileError(f"{name}: {error}") from None
    _, h, w, c = images.shape
    return images.reshape(len(images), -1), (h, w, c)


def may_be_series(sides: Sequence[int]) -> bool:
    """Say whether instances of two sides may be series: a square alone is taken for an image."""
    return len(sides) == 2 and sides[0] != sides[1]


def as_pixels(values: np.ndarray) -> np.ndarray:
    """Return 8-bit pixels in [0, 1], and other numbers as floats, both in double precision."""
    return values / WHITE if values.dtype == np.uint8 else values.astype(float)


def order_of(sides: Sequence[int], channels: str | None = None) -> str | None:
    """Return where the channels of one image are, "first" or "last"; None where nothing tells.

    Args:
        sides: (height, width), (height, width, channels) or (channels, height, width).
        channels: "first" or "last" where that is known.

    Raises:
        ValueError: another order.
    """
    if channels is not None and channels not in ORDERS:
        raise ValueError(f"channels must be {' or '.join(ORDERS)}, or None; got {channels!r}.")
    first, last = (sides[at] in CHANNELS for at in (0, -1))
    if len(sides) == 2:
        return "last"
    if channels is None and first != last:
        return "first" if first else "last"
    return channels


def cannot_be_told(sides: Sequence[int]) -> str:
    """Say why nothing tells where the channels of one image are, and what does."""
    if may_be_series(sides):
        h, w = sides
        return f"may be series: if they are images, pass image_shape=({h}, {w}) (--image {h}x{w})."
    which = "both" if sides[0] in CHANNELS else "neither"
    return (
        f"may have their channels first or last, as {which} of {sides[0]} and {sides[-1]} can be a "
        "number of channels (1, 3 or 4): pass channels='first' or channels='last' (--channels)."
    )
