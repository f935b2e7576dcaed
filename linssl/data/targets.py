"""Labels as targets: classes, or numbers to be predicted."""

from typing import NamedTuple

import numpy as np

from linssl.arguments import describe
from linssl.labels import as_labels

MOST_CLASSES = 1000  # or targets


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
    y = as_labels("labels", labels)
    if len(y) != samples:
        raise ValueError(
            f"labels must be ({samples},) or ({samples}, e), one row for each sample; got "
            f"{describe(labels)}, shape {y.shape}."
        )
    if y.ndim == 2 and y.shape[1] > MOST_CLASSES:
        raise ValueError(
            f"labels must be {MOST_CLASSES:,} numbers a sample at most; got {y.shape[1]:,}. "
            "Reduce them first, such as by sklearn.decomposition.PCA."
        )
    if y.dtype.kind == "M":
        raise ValueError(
            f"labels must be text, numbers or booleans; got an array of {y.dtype}. Pass dates as "
            "text, or as numbers (n, 1)."
        )
    fractions = y.dtype.kind == "f" and bool((y % 1 != 0).any())
    if y.ndim == 2 or numeric or fractions:
        return _numbers(y.reshape(samples, -1))
    return _classes(y)


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
