"""What a user hands over: data, labels and the shape of an image, checked before any work."""

from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from linssl._checks import describe, require_room, require_whole
from linssl.augmentations import Image
from linssl.augmentations.shape import as_image
from linssl.data.missing import missing

GROUPS = 16  # of samples, whose halves give the errors; the order of a Hadamard matrix
LEAST = 2 * GROUPS  # samples
MOST_CLASSES = 1000  # or targets
MOST_SEED = 2**32 - 1  # of numpy's global generator
NAMED = 8  # columns that a message names
ENCODE = "Encode text and categories first, such as by sklearn.preprocessing.OneHotEncoder."


class Targets(NamedTuple):
    """Labels as numbers to be predicted: classes become one-hot rows.

    Args:
        values: (n,) class numbers, or (n, e) numbers of unit variance.
        classes: names of the classes, None for numbers.
    """

    values: np.ndarray
    classes: tuple[str, ...] | None

    @property
    def size(self) -> int:
        """Number of columns, e."""
        return len(self.classes) if self.classes is not None else self.values.shape[1]

    def rows(self, chosen: np.ndarray) -> np.ndarray:
        """Return the chosen rows, (m, e)."""
        values = self.values[chosen]
        return values if self.classes is None else np.eye(self.size)[values]

    def describe(self) -> str:
        """Say in words what they are."""
        if self.classes is not None:
            return f"{len(self.classes)} classes"
        return f"{self.size} numeric target{'s' if self.size > 1 else ''}, scaled to variance 1"


def as_whole(name: str, value: Any, least: int) -> int:
    """Return a whole number as Python's, or raise."""
    require_whole(name, value, least)
    if value > MOST_SEED:
        raise ValueError(f"{name} must be {MOST_SEED} at most; got {value}.")
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
    if np.ma.is_masked(data):
        raise ValueError("data must have no masked entries: fill or drop them first.")
    X = _array("data", data)
    if X.dtype.kind == "O" and X.ndim > 1 and 0 not in X.shape:  # such as a table of several types
        X = _data_of_objects(X)
    if X.dtype.kind not in "fiub":
        raise ValueError(
            f"data must hold numbers; got {describe(data)}, an array of {X.dtype}. {ENCODE}"
        )
    if X.ndim < 2 or 0 in X.shape[1:]:
        raise ValueError(f"data must be (n, d) samples, or (n, ...); got shape {X.shape}.")
    if len(X) < LEAST:
        raise ValueError(f"data must have at least {LEAST} samples, for errors; got {len(X)}.")
    require_room(X[0].size, 8 * GROUPS)  # one second moment a group
    if X.dtype.kind == "f":
        bad = np.flatnonzero(~np.isfinite(X).reshape(len(X), -1).all(0))
        if bad.size:
            raise ValueError(
                f"data must be finite; got NaN or inf in {bad.size} of {X[0].size} columns: "
                f"{_named(bad)}. Drop or impute them first."
            )
    return X


def _array(name: str, values: object) -> np.ndarray:
    try:
        return np.asarray(values)
    except ValueError as error:  # ragged
        raise ValueError(f"{name} must be an array; got {describe(values)}: {error}") from None


def _named(columns: np.ndarray) -> str:
    return ", ".join(map(str, columns[:NAMED])) + (", ..." if columns.size > NAMED else "")


def _is_number(kind: type) -> bool:
    return issubclass(kind, Real | np.bool_)


def _data_of_objects(X: np.ndarray) -> np.ndarray:
    rows = X.reshape(len(X), -1)
    bad = [c for c in range(rows.shape[1]) if not all(map(_is_number, set(map(type, rows[:, c]))))]
    if not bad:
        return X.astype(float)
    kinds = sorted({type(v).__name__ for v in rows[:, bad[0]]})
    raise ValueError(
        f"data must hold numbers; {len(bad)} of {rows.shape[1]} columns don't: "
        f"{_named(np.array(bad))}, the first of which has {', '.join(kinds[:NAMED])}. {ENCODE}"
    )


def check_targets(labels: object, samples: int, numeric: bool = False) -> Targets:
    """Return labels as targets, or raise.

    Args:
        labels: (n,) names of classes: text, whole numbers or booleans; or numbers to be
            predicted, (n, e), or (n,) with fractions.
        samples: n.
        numeric: whether whole numbers (n,) are to be predicted too.

    Raises:
        ValueError: another length, missing or masked labels, neither text nor numbers, one class
            only, more classes than can be told apart, too many targets, or one that doesn't vary.
    """
    if np.ma.is_masked(labels):
        raise ValueError("labels must have no masked entries: drop those samples first.")
    y = _array("labels", labels)
    if y.dtype.kind == "U" and isinstance(labels, list | tuple):
        y = np.asarray(labels, dtype=object)  # else a NaN among text is text too
    if y.ndim not in (1, 2) or len(y) != samples or y.size == 0:
        raise ValueError(
            f"labels must be ({samples},) or ({samples}, e), one row for each sample; got "
            f"{describe(labels)}, shape {y.shape}."
        )
    if y.ndim == 2 and y.shape[1] > MOST_CLASSES:
        raise ValueError(
            f"labels must be {MOST_CLASSES:,} numbers a sample at most; got {y.shape[1]:,}. "
            "Reduce them first, such as by sklearn.decomposition.PCA."
        )
    bad = missing(y)
    if y.dtype.kind == "O" and not bad.any():
        y = _labels_of_objects(y)
    if y.dtype.kind == "f":
        bad = ~np.isfinite(y).reshape(samples, -1).all(1)
    if bad.any():
        raise ValueError(
            f"labels must be finite and not missing; got {bad.sum():,} that are NaN, inf, None, NA "
            f"or no text, the first at row {np.argmax(bad)}. Drop those samples first."
        )
    if y.dtype.kind not in "fiubUS":
        raise ValueError(f"labels must be text, numbers or booleans; got an array of {y.dtype}.")
    fractions = y.dtype.kind == "f" and bool((y % 1 != 0).any())
    if y.ndim == 2 or numeric or fractions:
        return _numbers(y.reshape(samples, -1))
    return _classes(y)


def _labels_of_objects(y: np.ndarray) -> np.ndarray:
    """Return objects as the text or the numbers that they all are, or raise."""
    kinds = {type(v) for v in y.ravel()}
    if all(issubclass(kind, str) for kind in kinds):
        return y.astype(str)
    if all(map(_is_number, kinds)):
        return np.array(y.tolist())
    names = ", ".join(sorted(kind.__name__ for kind in kinds)[:NAMED])
    raise ValueError(f"labels must be all text or all numbers; got objects of type {names}.")


def _numbers(y: np.ndarray) -> Targets:
    if y.dtype.kind not in "fiub":
        raise ValueError(f"labels to be predicted must be numbers; got an array of {y.dtype}.")
    largest = np.abs(y.astype(float)).max(0)
    values = y / np.where(largest > 0, largest, 1)  # the squares of 1e200 would overflow
    spread = values.std(0)
    still = np.flatnonzero(spread <= 1e-12)
    if still.size:
        raise ValueError(f"labels must vary; target {still[0]} is {y[0, still[0]]:g} always.")
    return Targets((values - values.mean(0)) / spread, None)


def _classes(y: np.ndarray) -> Targets:
    names, index = np.unique(y, return_inverse=True)
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
