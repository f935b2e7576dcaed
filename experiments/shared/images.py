"""Labelled images, grey or in colour, with a test set."""

from typing import NamedTuple

import numpy as np

import linssl
from experiments.shared.result import fingerprint
from experiments.shared.unfit import UnfitError

LEAST, MOST = 4, 1024  # pixels of a side; values of an image, beyond which pixels are averaged


class Labelled(NamedTuple):
    """Images and their classes, held-out ones too."""

    train: np.ndarray  # (n, height, width, channels), in [0, 1]
    labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray

    @property
    def facts(self) -> dict:
        """What a figure's record says of its images."""
        return fingerprint(*self)


def load_images(name: str) -> tuple[Labelled, linssl.augmentations.Image]:
    """Load labelled images; a quarter is held out where there is no test set.

    Images of more than `MOST` values are averaged over blocks of pixels.

    Raises:
        UnfitError: no images, no labels, or sides of fewer than `LEAST` pixels.
    """
    data = linssl.load_dataset(name)
    shape = _shape(name, data)
    if data.y_train is None:
        raise UnfitError(f"{name} has no labels (y), and the figure is about classes.")
    block = 1
    while shape.features // block**2 > MOST:
        block += 1
    train, labels, test, test_labels = map(np.asarray, _split(data))
    train, test = (coarse(x.reshape(-1, *shape), block) for x in (train, test))
    images = Labelled(train, labels, test, test_labels)
    return images, linssl.augmentations.Image(*train.shape[1:])


def coarse(images: np.ndarray, block: int) -> np.ndarray:
    """Average images, (n, height, width, channels), over blocks; what is left over is cut off."""
    n, height, width, channels = images.shape
    rows, columns = height // block, width // block
    cut = images[:, : rows * block, : columns * block]
    return cut.reshape(n, rows, block, columns, block, channels).mean((2, 4))


def _shape(name: str, data: linssl.data.Dataset) -> linssl.augmentations.Image:
    d = data.X_train.shape[1]
    side = round(d**0.5)
    if data.image is None and side**2 != d:
        raise UnfitError(
            f"{name} must hold images, (n, side, side) or (n, height, width, channels), or "
            f"square ones as rows; got rows of {d}."
        )
    shape = linssl.augmentations.Image(*(data.image or (side, side, 1)))
    if min(shape.height, shape.width) < LEAST:
        raise UnfitError(f"{name} must have images of {LEAST} x {LEAST} or more; got {shape}.")
    return shape


def _split(data: linssl.data.Dataset) -> tuple:
    """Return training and test set, (x, y, x, y)."""
    if data.X_test is not None and data.y_test is not None:
        return data.X_train, data.y_train, data.X_test, data.y_test
    assert data.y_train is not None  # load_images has asked
    order = np.random.default_rng(0).permutation(len(data.X_train))
    rest, held = np.sort(order[len(order) // 4 :]), np.sort(order[: len(order) // 4])
    return data.X_train[rest], data.y_train[rest], data.X_train[held], data.y_train[held]
