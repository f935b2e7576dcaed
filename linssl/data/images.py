"""Images with their channels last, whichever order they came in."""

import numpy as np
from jaxtyping import Num

from linssl.arguments import Numbers, on_host

CHANNELS = (1, 3, 4)  # grey; red, green and blue; and opacity
ORDERS = ("channels_first", "channels_last")


def channels_last(images: Numbers, order: str | None = None) -> Num[np.ndarray, "n h w c"]:
    """Return images as (n, height, width, channels), not copied.

    Args:
        images: (n, height, width), (n, height, width, channels) or (n, channels, height, width).
        order: "channels_first" or "channels_last" of four axes; None recognises it, where just one
            of both axes can be that of 1, 3 or 4 channels.

    Raises:
        ValueError: no numbers, other axes, another order, or an order that can't be told.
    """
    x = on_host(images, "images")
    if order is not None and order not in ORDERS:
        raise ValueError(f"order must be one of {', '.join(ORDERS)} or None; got {order!r}.")
    if x.ndim not in (3, 4) or 0 in x.shape:
        raise ValueError(
            "images must be (n, height, width), (n, height, width, channels) or (n, channels, "
            f"height, width), and not empty; got {x.shape}."
        )
    if x.ndim == 3:
        return x[..., None]
    if order is None:
        first, last = x.shape[1] in CHANNELS, x.shape[3] in CHANNELS
        if first == last:
            which = "both" if first else "neither"
            raise ValueError(
                f"images of {x.shape} may have their channels first or last, as {which} of "
                f"{x.shape[1]} and {x.shape[3]} can be a number of channels (1, 3 or 4): pass "
                "order='channels_first' or order='channels_last'."
            )
        order = "channels_first" if first else "channels_last"
    return np.moveaxis(x, 1, -1) if order == "channels_first" else x
