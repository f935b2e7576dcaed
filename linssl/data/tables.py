"""Tables: the columns of a .csv or .parquet by name, as text or as stored."""

import csv
from pathlib import Path

import numpy as np

LISTED = 8  # lines or rows that a message names


class FileError(ValueError):
    """A ValueError that already names its file."""


def read_table(file: Path) -> dict[str, np.ndarray]:
    """Read the columns of a table, each (n,). A .csv has a header row, and fields may be quoted.

    Raises:
        ValueError: a header that doesn't name each column once, or a .csv with blank lines or
            with fields of several lines: by either, rows of two files would come apart.
        ImportError: .parquet without pyarrow.

    Source: derived (input).
    """
    header, columns = _csv(file) if file.suffix == ".csv" else _parquet(file)
    for at, name in enumerate(header):
        if not name or name.startswith("__index_level_"):  # as pandas calls one in a .parquet
            raise FileError(
                f"{file} must have a name for every column; column {at} has none. An index that "
                "was written with the table must be dropped."
            )
    if len(set(header)) < len(header):
        raise FileError(f"{file} must have one column a name; got {header}.")
    return dict(zip(header, columns, strict=True))


def as_numbers(values: np.ndarray) -> np.ndarray | None:
    """Return a column as floats, or None. Source: derived (input)."""
    if values.dtype.kind not in "fiubUO":  # a date is not a number of nanoseconds
        return None
    try:
        return values.astype(float)
    except (TypeError, ValueError):
        return None


def places(file: Path, bad: np.ndarray) -> str:
    """Say which rows, of (n,) booleans, are bad: in a .csv by the lines of the file.

    Source: derived (output).
    """
    rows = np.flatnonzero(bad)
    lines = file.suffix == ".csv"
    named = ", ".join(map(str, rows[:LISTED] + (2 if lines else 0)))
    word = ("line" if lines else "row") + ("s" if len(rows) > 1 else "")
    return f"{word} {named}{', ...' if len(rows) > LISTED else ''}"


def _csv(file: Path) -> tuple[list[str], list[np.ndarray]]:
    with file.open(encoding="utf-8-sig") as stream:
        header = [name.strip() for name in next(csv.reader([stream.readline()]), [])]
        rows = list(stream)
    while rows and not rows[-1].strip():
        rows.pop()
    if not rows:
        raise FileError(f"{file} must have a header row and at least one row of data.")
    blank = np.array([not row.strip() for row in rows])
    if blank.any():
        raise FileError(
            f"{file} must have no blank lines between its rows: a value that is missing, or "
            f"nothing at all? Got {blank.sum()}: {places(file, blank)}."
        )
    table = np.loadtxt(rows, delimiter=",", dtype=str, ndmin=2, comments=None, quotechar='"')
    if len(table) != len(rows):
        raise FileError(
            f"{file} must have one row a line; got {len(rows)} lines that make {len(table)} rows: "
            "look for a quotation mark that isn't closed."
        )
    if len(header) != table.shape[1]:
        raise FileError(
            f"{file} must have a header name for each column; got {len(header)} names for "
            f"{table.shape[1]} columns."
        )
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        raise FileError(f"{file} must have commas between its columns; got {header[0]!r}.")
    if all(as_numbers(np.array([name])) is not None for name in header):
        raise FileError(f"{file} must begin with a header row of names; got numbers.")
    return header, list(np.strings.strip(table).T)


def _parquet(file: Path) -> tuple[list[str], list[np.ndarray]]:
    try:
        import pyarrow.parquet as parquet
        from pyarrow import ArrowException
        from pyarrow.types import is_dictionary
    except ImportError as error:
        raise ImportError(f"reading {file} needs pyarrow: pip install 'linssl[sweep]'.") from error
    try:
        table = parquet.read_table(file)
    except ArrowException as error:
        raise ValueError(str(error)) from error
    # Categories as what they are: as numbers of a dictionary, a missing one would be the last.
    plain = [c.cast(c.type.value_type) if is_dictionary(c.type) else c for c in table.columns]
    return table.column_names, [c.to_numpy(zero_copy_only=False) for c in plain]
