"""What a user hands over: data and the shape of an image, checked before any work."""

from typing import Any

import numpy as np

from linssl.arguments import listed, on_host, require_room, require_whole
from linssl.augmentations import Image
from linssl.augmentations.shape import as_image

FOLDS = 16  # of the samples, whose halves give the errors; the order of a Hadamard matrix
LEAST = 2 * FOLDS  # samples
MOST_SEED = 2**32 - 1  # of numpy's global generator


def as_whole(name: str, value: Any, least: int) -> int:
    """Return a whole number as Python's, or raise."""
    require_whole(name, value, least, MOST_SEED)
    return int(value)


def as_real(name: str, value: object) -> float:
    """Return a number as Python's, or raise."""
    if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
        return float(value)
    raise ValueError(f"{name} must be a number; got {value!r}.")


def check_data(data: object) -> np.ndarray:
    """Return data as an array (n, ...) of numbers, or raise.

    Raises:
        ValueError: no numbers, or NaN or inf, with the columns that hold them; no features, too
            few samples, or too many features for memory.
    """
    X = on_host(data, "data")  # pyright: ignore[reportArgumentType]  (anything may come)
    if X.ndim < 2 or 0 in X.shape[1:]:
        raise ValueError(f"data must be (n, d) samples, or (n, ...); got shape {X.shape}.")
    if len(X) < LEAST:
        raise ValueError(f"data must have at least {LEAST} samples, for errors; got {len(X)}.")
    require_room(X[0].size, 8 * FOLDS)  # one second moment a fold
    if X.dtype.kind == "f":
        bad = np.flatnonzero(~np.isfinite(X).reshape(len(X), -1).all(0))
        if bad.size:
            raise ValueError(
                f"data must be finite; got NaN or inf in {bad.size} of {X[0].size} columns: "
                f"{listed(bad)}. Drop or impute them first."
            )
    return X


def find_image(shape: object, of: tuple[int, ...]) -> Image | None:
    """Return the shape of an image: the given one, else that of the data, else a square.

    Args:
        shape: (height, width) or (height, width, channels), or None.
        of: the shape of one instance.

    Raises:
        ValueError: a shape that isn't one, or of another number of features.
    """
    features = int(np.prod(of))
    if shape is not None:
        image = as_image(shape.tolist() if isinstance(shape, np.ndarray) else shape)
        if image.features != features:
            raise ValueError(
                f"image_shape must have {features} values, as the data; got "
                f"{' x '.join(map(str, image))} = {image.features}."
            )
        return image
    if len(of) in (2, 3):
        return as_image(of)
    side = round(features**0.5)
    return Image(side, side) if len(of) == 1 and side**2 == features and side >= 4 else None
