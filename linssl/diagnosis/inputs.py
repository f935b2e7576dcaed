"""What a user hands over: data and the images that they are, checked before any work."""

from typing import Any, NamedTuple

import numpy as np

from linssl.arguments import on_host, require_room, require_whole
from linssl.augmentations import Image
from linssl.augmentations.shape import as_sides
from linssl.data.images import cannot_be_told, may_be_series, order_of

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
        ValueError: no numbers, no features, too few samples, or too many features for memory.
    """
    X = on_host(data, "data")  # pyright: ignore[reportArgumentType]  (anything may come)
    if X.ndim < 2 or 0 in X.shape[1:]:
        raise ValueError(f"data must be (n, d) samples, or (n, ...); got shape {X.shape}.")
    if len(X) < LEAST:
        raise ValueError(f"data must have at least {LEAST} samples, for errors; got {len(X)}.")
    require_room(X[0].size, 8 * FOLDS)  # one second moment a fold
    return X


class Instances(NamedTuple):
    """Data as moments have them, images with their channels last, and as they came.

    Args:
        X: (n, ...), an array, or csr (n, d).
        given: the same in the order that they came in, which a view gets: an array, or a tensor.
        image: the shape of an image; None where instances are none, or nothing tells their order.
        moved: whether channels came first.
        guessed: whether the shape is a guess, of rows with as many features as a square has.
        unordered: sides of what may be images in one order or another, or series, where nothing
            tells which.
    """

    X: Any
    given: Any
    image: Image | None = None
    moved: bool = False
    guessed: bool = False
    unordered: tuple[int, ...] = ()


def find_images(
    X: np.ndarray, given: Any, shape: object = None, channels: str | None = None
) -> Instances:
    """Find out which images the data are, if any, and put their channels last.

    Args:
        X: (n, ...).
        given: the same, as an array or a tensor.
        shape: sides of an image, in the order that data have them, or None.
        channels: "first" or "last", or None.

    Raises:
        ValueError: a shape that isn't one, of another number of features, or another than that
            which instances have; a shape whose order can't be told; or channels of no images.
    """
    if shape is not None:
        sides = _stated(shape, X.shape[1:])
        X, given = X.reshape(len(X), *sides), given.reshape(len(X), *sides)
    sides = X.shape[1:]
    if shape is None and channels is None and may_be_series(sides):
        return Instances(X, given, unordered=sides)
    order = order_of(sides, channels)
    if len(sides) == 3 and order is None:
        if shape is not None:
            raise ValueError(f"image_shape: images of {sides} {cannot_be_told(sides)}")
        return Instances(X, given, unordered=sides)
    if len(sides) in (2, 3):
        moved = order == "first"
        last = np.moveaxis(X, 1, -1) if moved else X
        return Instances(last, given, Image(*last.shape[1:]), moved)
    if channels is not None:
        raise ValueError(
            "channels are those of images: data must be (n, height, width, channels) or (n, "
            f"channels, height, width), or image_shape say so; got data {X.shape}."
        )
    side = round(X[0].size ** 0.5)
    square = len(sides) == 1 and side**2 == X[0].size and side >= 4
    return Instances(X, given, Image(side, side) if square else None, guessed=square)


def _stated(shape: object, of: tuple[int, ...]) -> tuple[int, ...]:
    """Return the sides that are stated for instances of a shape, or raise."""
    sides = as_sides(shape.tolist() if isinstance(shape, np.ndarray) else shape)
    features, words = int(np.prod(of)), " x ".join(map(str, sides))
    if np.prod(sides) != features:
        raise ValueError(
            f"image_shape must have {features} values, as the data; got {words} = "
            f"{int(np.prod(sides))}."
        )
    kept, wanted = ([side for side in which if side > 1] for which in (of, sides))
    if len(kept) > 1 and kept != wanted:
        raise ValueError(
            f"image_shape must be that of an instance, {of}, in its order, unless data are rows "
            f"(n, d); got {words}. What is first of them, channels='first' or channels='last' says."
        )
    return sides
