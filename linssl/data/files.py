"""Arrays from files. Nothing in a file is ever executed: pickles are refused."""

import csv
import math
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import (
    MAGIC_PREFIX,
    read_array_header_1_0,
    read_array_header_2_0,
    read_magic,
)

SUFFIXES = (".npy", ".npz", ".csv", ".parquet")
LABEL_LIKE = ("y", "label", "labels", "class", "target")
MISSING = ("", "nan", "NaN", "NA", "N/A", "null")


def read_arrays(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read a file as named arrays: X and y, or X_train, y_train, X_test, y_test.

    | file | what it holds |
    |---|---|
    | .npy | one array, X |
    | .npz | keys X_train, y_train, X_test, y_test, or X and y; labels are optional |
    | .csv, .parquet | a header row; the column `y` or `label`, if any, is y, the rest is X |

    Each X is flattened to (n, d), row-major; each y is (n,). Fields of a .csv may be quoted.

    Args:
        path: the file.

    Returns:
        Arrays by name, X always float, boolean or an integer type, y as stored; a .csv stores
        text, so there y is float where all of it reads as numbers.

    Raises:
        FileNotFoundError: no such file.
        ValueError: an unknown suffix, a corrupt file, pickled objects, missing or unknown keys,
            columns that aren't numbers, columns without a name of their own, missing labels, or
            X and y of different lengths.
        ImportError: .parquet without pyarrow.

    Source: derived (input).
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"no file at {file}; pass a path to one of {', '.join(SUFFIXES)}.")
    if file.suffix not in SUFFIXES:
        raise ValueError(f"{file} must end in one of {', '.join(SUFFIXES)}; got {file.suffix!r}.")
    try:
        if file.suffix in (".npy", ".npz"):
            arrays = _read_numpy(file)
        elif file.suffix == ".csv":
            arrays = _read_csv(file)
        else:
            arrays = _read_parquet(file)
    except (ImportError, _FileError):
        raise
    except Exception as error:  # corrupt bytes fail anywhere: zlib, tokenize, MemoryError, ...
        raise _FileError(f"{file} can't be read as {file.suffix}: {error}") from error
    return _checked(file, arrays)


def read_labels(path: str | os.PathLike[str]) -> np.ndarray:
    """Read labels from a file of their own, one row a sample: (n,) or (n, e).

    A .npy or .npz holds one array; a .csv or .parquet has a header row, and columns of numbers or
    one column of text.

    Args:
        path: the file.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a corrupt file, pickled objects, or several arrays or columns of text.

    Source: derived (input).
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"no file of labels at {file}.")
    try:
        if file.suffix in (".npy", ".npz"):
            arrays = list(_read_numpy(file).values())
            if len(arrays) != 1:
                raise _FileError(f"{file} must hold one array of labels; got {len(arrays)}.")
            return arrays[0]
        _, columns = _csv_columns(file) if file.suffix == ".csv" else _parquet_columns(file)
    except (ImportError, _FileError):
        raise
    except Exception as error:
        raise _FileError(f"{file} can't be read as {file.suffix}: {error}") from error
    numbers = [_as_numbers(column) for column in columns]
    if all(column is not None for column in numbers):
        table = np.stack([column for column in numbers if column is not None], axis=1)
        return table[:, 0] if len(columns) == 1 else table
    if len(columns) > 1:
        raise _FileError(f"{file} must have columns of numbers, or one of text; got both.")
    return columns[0]


class _FileError(ValueError):
    """A ValueError that already names its file."""


def _read_numpy(file: Path) -> dict[str, np.ndarray]:
    with file.open("rb") as stream:  # np.load leaves a corrupt zip that it opened itself open
        _require_promised(file, stream)
        loaded = np.load(stream, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"X": loaded}
        with loaded:
            return {key: np.asarray(loaded[key]) for key in loaded.files}


def _require_promised(file: Path, stream: Any) -> None:
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
        raise _FileError(
            f"{name} claims an array of {shape}, {claimed / 1e9:.3g} GB, but holds {size:,} bytes: "
            "it is cut off or damaged."
        )


def _read_csv(file: Path) -> dict[str, np.ndarray]:
    return _from_table(file, *_csv_columns(file))


def _csv_columns(file: Path) -> tuple[list[str], list[np.ndarray]]:
    with file.open(encoding="utf-8-sig") as lines:
        header = [name.strip() for name in next(csv.reader([lines.readline()]), [])]
        rows = [line for line in lines if line.strip()]
    if not rows:
        raise _FileError(f"{file} must have a header row and at least one row of data.")
    table = np.loadtxt(rows, delimiter=",", dtype=str, ndmin=2, comments=None, quotechar='"')
    return header, list(np.strings.strip(table).T)


def _read_parquet(file: Path) -> dict[str, np.ndarray]:
    return _from_table(file, *_parquet_columns(file))


def _parquet_columns(file: Path) -> tuple[list[str], list[np.ndarray]]:
    try:
        import pyarrow.parquet as parquet
        from pyarrow import ArrowException
    except ImportError as error:
        raise ImportError(f"reading {file} needs pyarrow: pip install 'linssl[sweep]'.") from error
    try:
        table = parquet.read_table(file)
    except ArrowException as error:
        raise ValueError(str(error)) from error
    return table.column_names, [c.to_numpy(zero_copy_only=False) for c in table.columns]


def _from_table(file: Path, header: list[str], columns: list[np.ndarray]) -> dict[str, np.ndarray]:
    if len(header) != len(columns):
        raise _FileError(
            f"{file} must have a header name for each column; got {len(header)} names for "
            f"{len(columns)} columns."
        )
    if all(_is_number(name) for name in header):
        raise _FileError(f"{file} must begin with a header row of names; got numbers.")
    if "" in header:
        raise _FileError(
            f"{file} must have a name for every column; column {header.index('')} has none. "
            "An index that was written with the table must be dropped."
        )
    if len(set(header)) < len(header) or {"y", "label"} <= set(header):
        raise _FileError(
            f"{file} must have one column a name, and one of y or label; got {header}."
        )
    for name in header:
        if name not in ("y", "label") and name.lower() in LABEL_LIKE:
            raise _FileError(
                f"{file}: column {name!r} looks like labels: call it y or label, or give it "
                "another name if it is a feature."
            )
    features, arrays = [], {}
    for name, values in zip(header, columns, strict=True):
        numbers = _as_numbers(values)
        if name in ("y", "label"):
            arrays["y"] = numbers if numbers is not None and values.dtype.kind == "U" else values
        elif numbers is None:
            raise _FileError(f"{file}: column {name!r} must hold numbers; got {values[:3]}.")
        else:
            features.append(numbers)
    if not features:
        raise _FileError(f"{file} must have at least one feature column; got {header}.")
    return {"X": np.stack(features, axis=1), **arrays}


def _is_number(text: str) -> bool:
    return _as_numbers(np.array([text])) is not None


def _as_numbers(values: np.ndarray) -> np.ndarray | None:
    if values.dtype.kind not in "fiubUO":  # a date is not a number of nanoseconds
        return None
    try:
        return values.astype(float)
    except (TypeError, ValueError):
        return None


def _checked(file: Path, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    pairs = [("X_train", "y_train"), ("X_test", "y_test")] if "X_train" in arrays else [("X", "y")]
    unknown = set(arrays).difference(*pairs)
    if pairs[0][0] not in arrays or unknown or ("y_test" in arrays and "X_test" not in arrays):
        raise _FileError(
            f"{file} must hold X_train (and y_train, X_test, y_test) or X (and y), and nothing "
            f"else; got {sorted(arrays)}."
        )
    checked = {}
    for x_name, y_name in pairs:
        if x_name not in arrays:
            continue
        X = arrays[x_name]
        if X.ndim < 2 or X.size == 0 or X.dtype.kind not in "fiub":
            raise _FileError(
                f"{file}: {x_name} must be a non-empty numeric (n, ...) array; "
                f"got shape {X.shape} of {X.dtype}."
            )
        checked[x_name] = X.reshape(len(X), -1)
        if y_name in arrays:
            y = arrays[y_name]
            if y.shape != (len(X),):
                raise _FileError(
                    f"{file}: {y_name} must have one label for each of the {len(X)} rows of "
                    f"{x_name}, ({len(X)},); got {y.shape}."
                )
            missing = [v is None or v != v or v in MISSING for v in y.tolist()]  # NaN != NaN
            if any(missing):
                raise _FileError(
                    f"{file}: {y_name} must have no missing labels; got {sum(missing)}, the first "
                    f"at row {missing.index(True)}."
                )
            checked[y_name] = y
    return checked
