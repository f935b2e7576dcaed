"""Labels, read once: text, numbers, booleans or dates, none of them missing; and their classes."""

import numpy as np

from linssl.arguments import NAMED, as_array, is_number, refuse_masked

FEW = 10  # whole numbers with as many values are names of classes, however few the samples
SPELT = ("", "nan", "NaN", "None", "NaT", "<NA>")  # what is missing, where text was made of it
# What a cell of a .csv holds where nothing is: of the words that pandas.read_csv takes for missing.
WORDS = (*SPELT, "-nan", "-NaN", "NA", "N/A", "n/a", "#N/A", "#NA", "null", "NULL")


def as_labels(name: str, labels: object) -> np.ndarray:
    """Return known labels as an array of text, numbers, booleans or dates, (n,) or (n, e).

    Raises:
        ValueError: another shape, masked, missing or infinite labels, or another or mixed types.
    """
    refuse_masked(name, labels)
    y = as_array(name, labels)
    if y.dtype.kind == "U" and isinstance(labels, list | tuple):
        y = np.asarray(labels, dtype=object)  # else a NaN among text is text too
    if y.ndim not in (1, 2) or y.size == 0:
        raise ValueError(f"{name} must be a non-empty (n,) or (n, e) array; got {y.shape}.")
    bad = missing(y)
    if y.dtype.kind == "O" and not bad.any():
        y = _of_objects(name, y)
    if y.dtype.kind == "f":
        bad = ~np.isfinite(y).reshape(len(y), -1).all(1)
    if bad.any():
        first = int(np.argmax(bad))
        raise ValueError(
            f"{name} must be finite and not missing; got {bad.sum():,} that are NaN, inf, None, NA "
            f"or no text, the first at row {first}: {str(y[first])!r}. Drop those samples "
            "first, or rename a class that is called so."
        )
    if y.dtype.kind not in "fiubUSM":
        raise ValueError(f"{name} must be text, numbers or booleans; got an array of {y.dtype}.")
    return y


def as_classes(
    name: str, labels: object, count: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the names of the classes, sorted, and the class of each row by number, (n,).

    Args:
        name: of the argument.
        labels: (n,) or (n, 1).
        count: n; None is any.

    Raises:
        ValueError: as for `as_labels`, another length, or numbers with fractions.
    """
    y = as_labels(name, labels)
    if y.shape[1:] not in ((), (1,)) or len(y) != (len(y) if count is None else count):
        wanted = "(n,)" if count is None else f"({count},)"
        raise ValueError(f"{name} must be {wanted}, one for each instance; got {y.shape}.")
    y = y.reshape(-1)
    if y.dtype.kind == "f" and (y % 1 != 0).any():
        raise ValueError(
            f"{name} must be class names; got the fraction {y[y % 1 != 0][0]:g}. A regression "
            "target is (n, 1), labels[:, None], for with_label."
        )
    names, index = np.unique(y, return_inverse=True)
    return names, index


def as_paired_classes(name: str, labels: object, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the class of each row by number, (n,), and how many rows each has, to pair them.

    Raises:
        ValueError: as for `as_classes`, or numbers to be predicted, one of which comes once.
    """
    names, index = as_classes(name, labels, count)
    sizes = np.bincount(index)
    if sizes.min() < 2:
        require_names(name, names, count)
    return index, sizes


def require_names(name: str, classes: np.ndarray, count: int) -> None:
    """Raise where whole numbers have so many values that they are numbers to be predicted."""
    if classes.dtype.kind in "fiu" and len(classes) > max(count // 4, FEW):
        raise ValueError(
            f"{name} must be few classes beside the samples; got {len(classes):,} different "
            f"numbers in {count:,} samples. If they are numbers to be predicted, pass them as "
            "(n, 1): labels[:, None]; if they are names, as text: labels.astype(str)."
        )


def missing(labels: np.ndarray, words: tuple[str, ...] = SPELT) -> np.ndarray:
    """Say which rows of labels, (n,) or (n, e), miss one: (n,) booleans.

    Text is missing where it is one of some words: in an array, what None, NaN and the like become
    as text, and "NA" is a name; in a .csv, which has nothing but text, `WORDS`.
    """
    if labels.dtype.kind in "OV":
        flat = [_is_missing(label, words) for label in labels.ravel().tolist()]
        found = np.array(flat, bool).reshape(labels.shape)
    elif labels.dtype.kind in "US":
        found = np.isin(np.strings.strip(labels), np.array(words, labels.dtype.kind))
    else:
        found = labels != labels  # NaN and NaT
    return np.any(found, axis=tuple(range(1, labels.ndim)))


def _is_missing(label: object, words: tuple[str, ...]) -> bool:
    if isinstance(label, str | None):
        return label is None or label.strip() in words
    try:
        return bool(label != label)
    except (TypeError, ValueError):  # pandas.NA is neither equal to itself nor not
        return True


def _of_objects(name: str, y: np.ndarray) -> np.ndarray:
    """Return objects as the text or the numbers that they all are, or raise."""
    kinds = {type(v) for v in y.ravel()}
    if all(issubclass(kind, str) for kind in kinds):
        return y.astype(str)
    if all(map(is_number, kinds)):
        return np.array(y.tolist())
    names = ", ".join(sorted(kind.__name__ for kind in kinds)[:NAMED])
    raise ValueError(f"{name} must be all text or all numbers; got objects of type {names}.")
