"""Labelled square images, with a test set."""

from typing import NamedTuple

import numpy as np

import linssl
from experiments.shared.result import fingerprint


class Labelled(NamedTuple):
    """Square grey images and their classes, held-out ones too."""

    train: np.ndarray  # (n, side, side), in [0, 1]
    labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray

    @property
    def facts(self) -> dict:
        """What a figure's record says of its images."""
        return fingerprint(*self)


def load_images(name: str) -> tuple[Labelled, linssl.augmentations.Image]:
    """Load labelled square images with a test set."""
    data = linssl.load_dataset(name)
    parts = data.X_train, data.y_train, data.X_test, data.y_test
    side = round(data.X_train.shape[1] ** 0.5)
    names = ("X_train", "y_train", "X_test", "y_test")
    missing = [part for part, given in zip(names, parts, strict=True) if given is None]
    if side**2 != data.X_train.shape[1] or side < 4 or missing:
        raise ValueError(
            f"{name} must be square images with labels and a test set; got {data.X_train.shape}"
            + (f" and no {', '.join(missing)}." if missing else ".")
        )
    x, y, x_test, y_test = (np.asarray(part) for part in parts)
    shape = (-1, side, side)
    images = Labelled(x.reshape(shape), y, x_test.reshape(shape), y_test)
    return images, linssl.augmentations.Image(side, side)
