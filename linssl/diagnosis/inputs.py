"""What a user hands over: data, labels and the shape of an image, checked before any work."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from linssl._checks import describe, require_room
from linssl.augment import Image
from linssl.augment.shape import as_image

GROUPS = 16  # of samples, whose halves give the errors; the order of a Hadamard matrix
LEAST = 2 * GROUPS  # samples
MOST_CLASSES = 1000
NAMED = 8  # columns that a message names


class Targets(NamedTuple):
    """Labels as numbers to be predicted: classes become one-hot rows.

    Args:
        values: (n,) class numbers, or (n, e) numbers of unit variance.
        classes: names of the classes, None for numbers.

    Source: derived (input).
    """

    values: np.ndarray
    classes: tuple[str, ...] | None

    @property
    def size(self) -> int:
        """Number of columns, e. Source: derived."""
        return len(self.classes) if self.classes is not None else self.values.shape[1]

    def rows(self, chosen: np.ndarray) -> np.ndarray:
        """Return the chosen rows, (m, e). Source: derived."""
        values = self.values[chosen]
        return values if self.classes is None else np.eye(self.size)[values]

    def describe(self) -> str:
        """Say in words what they are. Source: derived."""
        if self.classes is not None:
            return f"{len(self.classes)} classes"
        return f"{self.size} numeric target{'s' if self.size > 1 else ''}, scaled to variance 1"


def check_data(data: object) -> np.ndarray:
    """Return data as an array (n, ...) of numbers, or raise.

    Raises:
        ValueError: no numbers, no features, too few samples, too many features for memory, or
            NaN or inf, with the columns that hold them.

    Source: derived (validation).
    """
    if np.ma.is_masked(data):
        raise ValueError("data must have no masked entries: fill or drop them first.")
    X = np.asarray(data)
    if X.dtype.kind not in "fiub":
        raise ValueError(
            f"data must hold numbers; got an array of {X.dtype}, shape {X.shape}. Encode text "
            "and categories first, such as by sklearn.preprocessing.OneHotEncoder."
        )
    if X.ndim < 2 or 0 in X.shape[1:]:
        raise ValueError(f"data must be (n, d) samples, or (n, ...); got shape {X.shape}.")
    if len(X) < LEAST:
        raise ValueError(f"data must have at least {LEAST} samples, for errors; got {len(X)}.")
    require_room(X[0].size, 8 * GROUPS)  # one second moment a group
    if X.dtype.kind == "f":
        bad = np.flatnonzero(~np.isfinite(X).reshape(len(X), -1).all(0))
        if bad.size:
            named = ", ".join(map(str, bad[:NAMED])) + (", ..." if bad.size > NAMED else "")
            raise ValueError(
                f"data must be finite; got NaN or inf in {bad.size} of {X[0].size} columns: "
                f"{named}. Drop or impute them first."
            )
    return X


def check_targets(labels: object, samples: int, numeric: bool = False) -> Targets:
    """Return labels as targets, or raise.

    Args:
        labels: (n,) names of classes: text, whole numbers or booleans; or numbers to be
            predicted, (n, e), or (n,) with fractions.
        samples: n.
        numeric: whether whole numbers (n,) are to be predicted too.

    Raises:
        ValueError: another length, missing or masked labels, one class only, more classes than
            can be told apart, or a target that doesn't vary.

    Source: derived (validation).
    """
    if np.ma.is_masked(labels):
        raise ValueError("labels must have no masked entries: drop those samples first.")
    y = np.asarray(labels)
    if y.ndim not in (1, 2) or len(y) != samples or y.size == 0:
        raise ValueError(
            f"labels must be ({samples},) or ({samples}, e), one row for each sample; got "
            f"{describe(labels)}, shape {y.shape}."
        )
    missing = y != y if y.dtype.kind != "O" else np.array([v is None or v != v for v in y.ravel()])
    if missing.any() or (y.dtype.kind == "f" and not np.isfinite(y).all()):
        raise ValueError("labels must be finite and not missing; got NaN, inf or None among them.")
    fractions = y.dtype.kind == "f" and bool((y % 1 != 0).any())
    if y.ndim == 2 or numeric or fractions:
        return _numbers(y.reshape(samples, -1))
    return _classes(y)


def _numbers(y: np.ndarray) -> Targets:
    if y.dtype.kind not in "fiub":
        raise ValueError(f"labels to be predicted must be numbers; got an array of {y.dtype}.")
    values = y.astype(float)
    spread = values.std(0)
    still = np.flatnonzero(spread <= 1e-12 * np.abs(values).max(0))
    if still.size:
        raise ValueError(f"labels must vary; target {still[0]} is {values[0, still[0]]:g} always.")
    return Targets((values - values.mean(0)) / spread, None)


def _classes(y: np.ndarray) -> Targets:
    names, index = np.unique(y.astype(str) if y.dtype.kind == "O" else y, return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"labels must hold at least two classes; all are {names[0]}.")
    if len(names) > min(MOST_CLASSES, len(y) // 4):
        raise ValueError(
            f"labels must be few classes beside the samples, {MOST_CLASSES:,} at most; got "
            f"{len(names):,} different ones in {len(y):,} samples. If they are numbers to be "
            "predicted, pass them as (n, 1), or --numeric; if they are names of instances, "
            "they are no labels."
        )
    return Targets(index, tuple(map(str, names)))


def find_image(shape: Sequence[int] | None, of: tuple[int, ...]) -> Image | None:
    """Return the shape of an image: the given one, else that of the data, else a square.

    Args:
        shape: (height, width) or (height, width, channels), or None.
        of: the shape of one instance.

    Raises:
        ValueError: a shape that isn't one, or of another number of features.

    Source: derived (input).
    """
    features = int(np.prod(of))
    if shape is not None:
        image = as_image(tuple(shape))
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
