"""Data sets by name or path."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from linssl.arguments import as_path
from linssl.data.files import GROUPS, SUFFIXES, read_arrays, suffix


class Dataset(NamedTuple):
    """Real data: (n, d) float inputs, and labels where the source has them.

    Args:
        name: as asked for.
        X_train: (n, d); pixels (8-bit images) are scaled to [0, 1], other numbers are untouched.
        y_train: (n,) or None.
        X_test: (m, d) or None.
        y_test: (m,) or None.
        columns: what was asked for beside them, of each row of X_train; and `groups`, if the file
            is an .npz that has them.

    Source: derived (input).
    """

    name: str
    X_train: np.ndarray
    y_train: np.ndarray | None
    X_test: np.ndarray | None
    y_test: np.ndarray | None
    columns: dict[str, np.ndarray]


def load_dataset(name: str | os.PathLike[str] = "digits", columns: Sequence[str] = ()) -> Dataset:
    """Load a data set by name or path.

    `digits` is bundled with scikit-learn (1 797 images of 8 x 8, split 3:1 in order); a path is
    read by `read_arrays`; any other NAME is the file $LINSSL_DATA/NAME.npz. Nothing is
    downloaded.

    Args:
        name: "digits", a path with a suffix, or the name of a file in $LINSSL_DATA.
        columns: of the file, that are no features, as for `read_arrays`.

    Raises:
        ValueError: no name or path, an unknown name, unreadable contents, NaN or inf in them, or
            a training and a test set of different features or scales.
        FileNotFoundError: a path with no file.

    Source: derived (input).
    """
    as_path("name", name)
    name = os.fspath(name)
    if name == "digits":
        if columns:
            raise ValueError(f"digits have no column {columns[0]!r}: only pixels, and labels y.")
        from sklearn.datasets import load_digits

        X, y = map(np.asarray, load_digits(return_X_y=True))
        X, cut = X / 16.0, len(X) * 3 // 4
        return Dataset(name, X[:cut], y[:cut], X[cut:], y[cut:], {})
    is_path = suffix(Path(name)) in SUFFIXES or os.sep in name
    arrays = read_arrays(name if is_path else dataset_path(name), columns)
    beside = {key: arrays.pop(key) for key in (*columns, GROUPS) if key in arrays}
    get = {key.removesuffix("_train"): value for key, value in arrays.items()}.get
    stored, stored_test = get("X"), get("X_test")
    assert stored is not None  # read_arrays requires it
    if stored_test is not None and (stored.dtype == np.uint8) != (stored_test.dtype == np.uint8):
        raise ValueError(
            f"{name}: X_train and X_test must both be 8-bit pixels, or neither; got "
            f"{stored.dtype} and {stored_test.dtype}."
        )
    train = _pixels(name, stored)
    test = None if stored_test is None else _pixels(name, stored_test)
    if test is not None and test.shape[1] != train.shape[1]:
        raise ValueError(
            f"{name}: X_train and X_test must have equal features; got {train.shape[1]} and "
            f"{test.shape[1]}."
        )
    return Dataset(name, train, get("y"), test, get("y_test"), beside)


def dataset_path(name: str) -> Path:
    """Return the file that NAME stands for, $LINSSL_DATA/NAME.npz, or raise."""
    folder = os.environ.get("LINSSL_DATA")
    known = ["digits"]
    if folder:
        known += sorted(file.stem for file in Path(folder).glob("*.npz"))
        if name in known:
            return Path(folder) / f"{name}.npz"
    where = f"$LINSSL_DATA is {folder}" if folder else "$LINSSL_DATA is not set"
    raise ValueError(
        f"data set {name!r} is unknown; known here: {', '.join(known)} ({where}, and "
        "NAME stands for NAME.npz in it). Or pass a path to a .npy, .npz, .csv or .parquet file."
    )


def _pixels(name: str, values: np.ndarray) -> np.ndarray:
    X = values / 255.0 if values.dtype == np.uint8 else values.astype(float)
    if not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise ValueError(
            f"{name}: inputs must be finite; got {np.sum(~np.isfinite(X))} NaN or inf, the first "
            f"at row {row}, column {column}. Drop or impute them first."
        )
    return X
