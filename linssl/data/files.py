"""Arrays from files. Nothing in a file is ever executed: pickles are refused."""

import math
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.lib.format import (
    MAGIC_PREFIX,
    read_array_header_1_0,
    read_array_header_2_0,
    read_magic,
)

from linssl.arguments import as_path
from linssl.data.images import flat_images
from linssl.data.tables import (
    FileError,
    as_numbers,
    label_numbers,
    places,
    read_table,
    require_no_index,
)
from linssl.labels import SPELT, WORDS, missing

TABLES = (".csv", ".parquet")
SUFFIXES = (".npy", ".npz", *TABLES)
LABELS = ("y", "label")
GROUPS = "groups"  # of rows that belong together, in an .npz
LABEL_LIKE = (*LABELS, "labels", "class", "target")


def read_arrays(
    path: str | os.PathLike[str],
    columns: Sequence[str] = (),
    *,
    channels: Literal["first", "last"] | None = None,
) -> dict[str, np.ndarray]:
    """Read a file as named arrays: X and y, or X_train, y_train, X_test, y_test.

    | file | what it holds |
    |---|---|
    | .npy | one array, X |
    | .npz | keys X_train, y_train, X_test, y_test, or X and y; labels are optional |
    | .csv, .parquet | a header row; the column `y` or `label`, if any, is y, the rest is X |

    Each X is flattened to (n, d), row-major, images with their channels last; each y is (n,).
    Fields of a .csv may be quoted. An .npz may hold `groups` too: what each row of X belongs to.

    A label is missing where a cell of a .csv is empty, or holds a word for it, such as NA or null.
    In the other files these words are names, and a class that is called so can be kept.

    Args:
        path: the file.
        columns: others that say something of each row of X, such as what it belongs to, and are no
            features: of a table by their names, of an .npz by their keys.
        channels: where those of images (n, ., ., .) are, as for `channels_last`.

    Returns:
        Arrays by name, X always float, boolean or an integer type, y and `columns` as stored; a
        .csv stores text, so there they are float where all of it reads as numbers and isn't a code
        of digits, such as 007 or 1e1.

    Raises:
        FileNotFoundError: no such file.
        ValueError: no path, an unknown suffix, a corrupt file, pickled objects, missing or
            unknown keys, columns that aren't numbers, columns without a name of their own, an
            index, images whose channels may be first or last, missing labels, or X and y of
            different lengths; and columns that aren't there.
        ImportError: .parquet without pyarrow.

    Source: derived (input).
    """
    arrays = read_stored(path, columns)
    named = {name: arrays[name] for name in ("X", "X_train", "X_test") if name in arrays}
    return arrays | {
        name: flat_images(f"{path}: {name}", X, channels)[0] for name, X in named.items()
    }


def read_stored(path: str | os.PathLike[str], columns: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Read a file as `read_arrays` does, each X (n, ...) as stored."""
    file = as_path("path", path)
    arrays = _read(file)
    if suffix(file) in TABLES:
        arrays = _from_table(file, arrays, columns)
    absent = [name for name in columns if name not in arrays]
    if absent:
        raise FileError(f"{file} must hold {absent[0]!r}; got {sorted(arrays)}.")
    return _checked(file, arrays, (*columns, GROUPS))


def read_labels(path: str | os.PathLike[str]) -> np.ndarray:
    """Read labels from a file of their own, one row a sample: (n,) or (n, e).

    A .npy or .npz holds one array. A .csv or .parquet has a header row, and a column `y`, `label`,
    `class` or `target`, if any; else columns of numbers, or one of text.

    Args:
        path: the file.

    Raises:
        FileNotFoundError: no such file.
        ValueError: no path, an unknown suffix, a corrupt file, pickled objects, several arrays
            or columns of text, or missing labels.
        ImportError: .parquet without pyarrow.

    Source: derived (input).
    """
    file = as_path("path", path)
    arrays = _read(file)
    if suffix(file) in TABLES:
        named = {n: column for n, column in arrays.items() if n.lower() in LABEL_LIKE}
        if not named:
            require_no_index(file, arrays)
            named = arrays
        numbers = [label_numbers(file, *column) for column in named.items()]
        if all(column is not None for column in numbers):
            stored = np.stack([column for column in numbers if column is not None], axis=1)
            arrays = {"y": stored[:, 0] if len(numbers) == 1 else stored}
        elif len(named) > 1:
            raise FileError(
                f"{file} must have columns of numbers, or one of text, or one that is called y or "
                f"label; got {list(named)}."
            )
        else:
            arrays = named
    if len(arrays) != 1:
        raise FileError(f"{file} must hold one array of labels; got {sorted(arrays)}.")
    ((name, labels),) = arrays.items()
    if labels.ndim:
        _require_labels(file, name, labels)
    return labels


def suffix(file: Path) -> str:
    """Return what a file's name ends in, in small letters."""
    return file.suffix.lower()


def _read(file: Path) -> dict[str, np.ndarray]:
    """Return what a file holds by name, or raise an error that names the file."""
    if not file.is_file():
        folder = ", but a folder, of which open_source reads pictures" if file.is_dir() else ""
        raise FileNotFoundError(
            f"no file at {file}{folder}; pass a path to one of {', '.join(SUFFIXES)}."
        )
    if suffix(file) not in SUFFIXES:
        raise ValueError(f"{file} must end in one of {', '.join(SUFFIXES)}; got {file.suffix!r}.")
    try:
        return read_table(file) if suffix(file) in TABLES else _read_numpy(file)
    except (ImportError, FileError):
        raise
    except Exception as error:  # corrupt bytes fail anywhere: zlib, tokenize, MemoryError, ...
        raise FileError(f"{file} can't be read as {file.suffix}: {error}") from error


def _read_numpy(file: Path) -> dict[str, np.ndarray]:
    with file.open("rb") as stream:  # np.load leaves a corrupt zip that it opened itself open
        require_promised(file, stream)
        loaded = np.load(stream, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"X": loaded}
        with loaded:
            return {key: np.asarray(loaded[key]) for key in loaded.files}


def require_promised(file: Path, stream: Any) -> None:
    """Refuse headers that claim more than the file holds, before numpy makes room for it."""
    if zipfile.is_zipfile(stream):
        with zipfile.ZipFile(stream) as archive:
            for member in archive.infolist():
                with archive.open(member) as part:
                    _require_size(f"{file}: {member.filename}", part, member.file_size)
    else:
        stream.seek(0)
        _require_size(str(file), stream, file.stat().st_size)
    stream.seek(0)


def _require_size(name: str, stream: Any, size: int) -> None:
    readers = {(1, 0): read_array_header_1_0, (2, 0): read_array_header_2_0}
    if stream.read(6) != MAGIC_PREFIX:  # what else it is, numpy says
        return
    stream.seek(0)
    reader = readers.get(read_magic(stream))
    if reader is None:
        return
    shape, _, dtype = reader(stream)
    claimed = math.prod(shape) * dtype.itemsize
    if not dtype.hasobject and claimed > size:
        raise FileError(
            f"{name} claims an array of {shape}, {claimed / 1e9:.3g} GB, but holds {size:,} bytes: "
            "it is cut off or damaged."
        )


def _from_table(
    file: Path, table: dict[str, np.ndarray], columns: Sequence[str]
) -> dict[str, np.ndarray]:
    for name in columns:
        if name not in table or name in LABELS:
            raise FileError(
                f"{file} must have a column {name!r}, beside labels and features; got "
                f"{list(table)}."
            )
    beside = {name: _names(file, name, table[name]) for name in columns}
    table = {name: values for name, values in table.items() if name not in beside}
    if set(LABELS) <= set(table):
        raise FileError(f"{file} must have one of y or label; got {list(table)}.")
    require_no_index(file, table)
    features, arrays = [], {}
    for name, values in table.items():
        if name not in LABELS and name.lower() in LABEL_LIKE:
            raise FileError(
                f"{file}: column {name!r} looks like labels: call it y or label, or give it "
                "another name if it is a feature."
            )
        if name in LABELS:
            arrays["y"] = _names(file, name, values)
            continue
        numbers = as_numbers(values)
        if numbers is None:
            bad = np.array([as_numbers(values[at : at + 1]) is None for at in range(len(values))])
            bad |= not bad.any()
            raise FileError(
                f"{file}: column {name!r} must hold numbers; got {values[bad].tolist()[0]!r} in "
                f"{places(file, bad)}. Decimals have a point, and thousands no mark."
            )
        features.append(numbers)
    if not features:
        raise FileError(f"{file} must have at least one feature column; got {list(table)}.")
    return {"X": np.stack(features, axis=1), **arrays, **beside}


def _names(file: Path, name: str, values: np.ndarray) -> np.ndarray:
    """Return names as stored; from text as numbers, where they all are."""
    numbers = label_numbers(file, name, values)
    return numbers if numbers is not None and values.dtype.kind == "U" else values


def _checked(
    file: Path, arrays: dict[str, np.ndarray], beside: Sequence[str]
) -> dict[str, np.ndarray]:
    pairs = [("X_train", "y_train"), ("X_test", "y_test")] if "X_train" in arrays else [("X", "y")]
    unknown = set(arrays).difference(*pairs, beside)
    if pairs[0][0] not in arrays or unknown or ("y_test" in arrays and "X_test" not in arrays):
        raise FileError(
            f"{file} must hold X_train (and y_train, X_test, y_test) or X (and y), and nothing "
            f"else; got {sorted(arrays)}."
        )
    checked = {}
    for x_name, y_name in pairs:
        if x_name not in arrays:
            continue
        X = arrays[x_name]
        if X.ndim < 2 or X.size == 0 or X.dtype.kind not in "fiub":
            raise FileError(
                f"{file}: {x_name} must be a non-empty numeric (n, ...) array; "
                f"got shape {X.shape} of {X.dtype}."
            )
        checked[x_name] = X
        if y_name in arrays:
            y = arrays[y_name]
            if y.shape != (len(X),):
                raise FileError(
                    f"{file}: {y_name} must have one label for each of the {len(X)} rows of "
                    f"{x_name}, ({len(X)},); got {y.shape}."
                )
            _require_labels(file, y_name, y)
            checked[y_name] = y
    rows = len(checked[pairs[0][0]])
    for name in sorted(set(beside) & set(arrays)):
        if arrays[name].shape != (rows,):
            raise FileError(
                f"{file}: {name} must be ({rows},), one for each row of {pairs[0][0]}; got "
                f"{arrays[name].shape}."
            )
        _require_labels(file, name, arrays[name], "names")
        checked[name] = arrays[name]
    return checked


def _require_labels(file: Path, name: str, labels: np.ndarray, what: str = "labels") -> None:
    table = suffix(file) == ".csv"
    bad = missing(labels, WORDS if table else SPELT)
    if bad.any():
        got = str(labels[bad][0]).strip()
        keep = f": {got!r} is one in a .csv, but a name in a .parquet or .npz" if table else ""
        raise FileError(
            f"{file}: {name} must have no missing {what}; got {bad.sum():,} of {len(labels):,} in "
            f"{places(file, bad)}. Drop those samples first, or give them another name"
            + (keep if got not in SPELT else "")
            + "."
        )
