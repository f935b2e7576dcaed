"""Data sets by name or path."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from linssl.arguments import as_path
from linssl.data.files import GROUPS, read_stored
from linssl.data.images import as_pixels, flat_images
from linssl.data.sources import open_source
from linssl.linalg.shown import shows_numbers


@shows_numbers
class Dataset(NamedTuple):
    """Real data: (n, d) float inputs, and labels where the source has them.

    Args:
        name: as asked for.
        X_train: (n, d), of images row by row with the channels last; 8-bit pixels are scaled to
            [0, 1], other numbers are untouched.
        y_train: (n,) or None.
        X_test: (m, d) or None.
        y_test: (m,) or None.
        columns: what was asked for beside them, of each row of X_train; and `groups`, if the file
            is an .npz that has them.
        image: height, width and channels of a row, where it was stored as an image; else None.

    Source: derived (input).
    """

    name: str
    X_train: np.ndarray
    y_train: np.ndarray | None
    X_test: np.ndarray | None
    y_test: np.ndarray | None
    columns: dict[str, np.ndarray]
    image: tuple[int, int, int] | None = None


def load_dataset(
    name: str | os.PathLike[str] = "digits",
    columns: Sequence[str] = (),
    *,
    channels: Literal["first", "last"] | None = None,
) -> Dataset:
    """Load a data set by name or path.

    `digits` is bundled with scikit-learn (1 797 images of 8 x 8, split 3:1 in order); a path is
    read by `read_arrays`, and a folder of pictures by `open_source`; any other NAME is the file
    $LINSSL_DATA/NAME.npz. Nothing is downloaded.

    Args:
        name: "digits", a path with a suffix, a folder of .png or .jpg, or the name of a file in
            $LINSSL_DATA.
        columns: of the file, that are no features, as for `read_arrays`; of a folder `folder`,
            where there are sub-folders, or `file`.
        channels: where those of images (n, ., ., .) are, as for `channels_last`.

    Raises:
        ValueError: no name or path, an unknown name, unreadable contents, NaN or inf in them, or
            a training and a test set of different features or scales; and images whose channels
            may be first or last.
        FileNotFoundError: a path with no file.

    Source: derived (input).
    """
    arrays = stored_arrays(name, columns)
    name = os.fspath(name)
    beside = {key: arrays.pop(key) for key in (*columns, GROUPS) if key in arrays}
    get = {key.removesuffix("_train"): value for key, value in arrays.items()}.get
    stored, stored_test = get("X"), get("X_test")
    assert stored is not None  # read_arrays requires it
    if stored_test is not None and (stored.dtype == np.uint8) != (stored_test.dtype == np.uint8):
        raise ValueError(
            f"{name}: X_train and X_test must both be 8-bit pixels, or neither; got "
            f"{stored.dtype} and {stored_test.dtype}."
        )
    rows, image = flat_images(f"{name}: X", stored, channels)
    train, test = _pixels(name, rows), None
    if stored_test is not None:
        test = _pixels(name, flat_images(f"{name}: X_test", stored_test, channels)[0])
    if test is not None and test.shape[1] != train.shape[1]:
        raise ValueError(
            f"{name}: X_train and X_test must have equal features; got {train.shape[1]} and "
            f"{test.shape[1]}."
        )
    return Dataset(name, train, get("y"), test, get("y_test"), beside, image)


def stored_arrays(
    name: str | os.PathLike[str], columns: Sequence[str] = ()
) -> dict[str, np.ndarray]:
    """Return what a data set holds by name, as stored: see `load_dataset` and `read_stored`."""
    as_path("name", name)
    name = os.fspath(name)
    if name == "digits":
        return _digits(columns)
    path = dataset_path(name) if is_name(name) else Path(name)
    if not path.is_dir():
        return read_stored(path, columns)
    source = open_source(path)
    return {"X": source[:]} | {column: source.column(column) for column in columns}


def _digits(columns: Sequence[str]) -> dict[str, np.ndarray]:
    if columns:
        raise ValueError(f"digits have no column {columns[0]!r}: only pixels, and labels y.")
    from sklearn.datasets import load_digits

    X, y = map(np.asarray, load_digits(return_X_y=True))
    X, cut = X.reshape(-1, 8, 8) / 16.0, len(X) * 3 // 4
    return {"X_train": X[:cut], "y_train": y[:cut], "X_test": X[cut:], "y_test": y[cut:]}


def is_name(data: str) -> bool:
    """Say whether a text is the NAME of a data set, and no path: nothing is there by that path.

    With an ending it is a path, unless $LINSSL_DATA has a data set of just that name.
    """
    if os.sep in data or Path(data).exists():
        return False
    folder = os.environ.get("LINSSL_DATA")
    return not Path(data).suffix or bool(folder and Path(folder, f"{data}.npz").is_file())


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
        "NAME stands for NAME.npz in it). Or pass a path to a .npy, .npz, .csv or .parquet file, "
        "or to a folder of .png or .jpg pictures."
    )


def _pixels(name: str, values: np.ndarray) -> np.ndarray:
    X = as_pixels(values)
    if not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise ValueError(
            f"{name}: inputs must be finite; got {np.sum(~np.isfinite(X))} NaN or inf, the first "
            f"at row {row}, column {column}. Drop or impute them first."
        )
    return X
