"""Tables: the columns of a .csv or .parquet by name, as text or as stored."""

import csv
import re
from pathlib import Path

import numpy as np

from linssl.labels import WORDS

LISTED = 8  # lines or rows that a message names
# What pandas calls an index that was written as a column, and what others call one.
INDEX = re.compile(r"index|level_\d+|Unnamed: .*")
NUMBERED = re.compile(
    r"(?i)#|\.\.\.\d+|obs|no|nr|id|idx|index|row([ _.]?(id|no|nr|number|names?))?"
)
DECIMAL = re.compile(r"\d,\d")
CODE = re.compile(r"[+-]?0\d+|\d+[eE]\d+")  # a name of digits: as numbers, different ones are equal


class FileError(ValueError):
    """A ValueError that already names its file."""


def read_table(file: Path) -> dict[str, np.ndarray]:
    """Read the columns of a table, each (n,). A .csv has a header row, and fields may be quoted.

    Raises:
        ValueError: a header that doesn't name each column once, an index that was written with a
            .parquet, or a .csv with blank lines, with fields of several lines (by either, rows of
            two files would come apart), or with a first row of data for a header.
        ImportError: .parquet without pyarrow.

    Source: derived (input).
    """
    header, columns = _csv(file) if file.suffix.lower() == ".csv" else _parquet(file)
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
    """Return a column as floats, or None where Python alone would read numbers: 1_2 is a name.

    Source: derived (input).
    """
    if values.dtype.kind == "O" and all(isinstance(value, str) for value in values):
        values = values.astype(str)
    if values.dtype.kind not in "fiubUO":  # a date is not a number of nanoseconds
        return None
    if values.dtype.kind == "U" and values.size:
        letters = np.ascontiguousarray(values).view(np.uint32)
        if (letters > 127).any() or (letters == ord("_")).any():
            return None
    try:
        return values.astype(float)
    except (TypeError, ValueError):
        return None


def label_numbers(file: Path, name: str, values: np.ndarray) -> np.ndarray | None:
    """Return labels as floats, or None where they are names, such as 007 or 1e1, or text.

    Raises:
        ValueError: different texts of one number, such as 1.1 and 1.10: are they names?
    """
    numbers = as_numbers(values)
    if numbers is None or values.dtype.kind not in "UO":
        return numbers
    texts = np.array([str(value).removeprefix("-") for value in values])
    if any(map(CODE.fullmatch, texts.tolist())) and not any("." in text for text in texts):
        return None
    written, first = np.unique(texts, return_index=True)
    size, of = np.unique(np.abs(numbers[first]), return_inverse=True)
    if len(size) < len(written) and not np.isnan(numbers).any():
        alike = written[of == np.argmax(np.bincount(of))][:2].tolist()
        raise FileError(
            f"{file}: {name} must have one text for each number; got {alike}. If they are names, "
            "put a letter before; if they are numbers, write them alike."
        )
    return numbers


def require_no_index(file: Path, table: dict[str, np.ndarray]) -> None:
    """Raise where a column is an index, which numbers the rows and tells nothing of them."""
    for name, values in table.items():
        numbers = as_numbers(values) if NUMBERED.fullmatch(name) else None
        if INDEX.fullmatch(name) or (numbers is not None and _counts(numbers)):
            raise FileError(
                f"{file}: column {name!r} looks like an index that was written with the table: "
                f"leave it out (--drop {name!r}), or give it another name if it is a feature."
            )


def _counts(numbers: np.ndarray) -> bool:
    """Say whether these are whole numbers, each of which comes once."""
    return len(np.unique(numbers)) == len(numbers) > 1 and not (numbers % 1).any()


def places(file: Path, bad: np.ndarray) -> str:
    """Say which rows, of (n,) booleans, are bad: in a .csv by the lines of the file.

    Source: derived (output).
    """
    rows = np.flatnonzero(bad)
    lines = file.suffix.lower() == ".csv"
    named = ", ".join(map(str, rows[:LISTED] + (2 if lines else 0)))
    word = ("line" if lines else "row") + ("s" if len(rows) > 1 else "")
    return f"{word} {named}{', ...' if len(rows) > LISTED else ''}"


def _csv(file: Path) -> tuple[list[str], list[np.ndarray]]:
    lines = file.read_text(encoding="utf-8-sig").split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    if len(lines) < 2:
        raise FileError(f"{file} must have a header row and at least one row of data.")
    blank = np.array([not line.strip() for line in lines[1:]])
    if blank.any():
        raise FileError(
            f"{file} must have no blank lines between its rows: a value that is missing, or "
            f"nothing at all? Got {blank.sum()}: {places(file, blank)}."
        )
    header, *rows = csv.reader(lines)
    if len(rows) + 1 != len(lines):
        raise FileError(
            f"{file} must have one row a line; got {len(lines) - 1} lines that make {len(rows)} "
            "rows: look for a quotation mark that isn't closed."
        )
    header = [name.strip() for name in header]
    require_columns(file, header, rows)
    return header, list(np.strings.strip(np.array(rows)).T)


def convert(file: Path, read: str) -> str:
    """Say what to type to make a .csv of a table that pandas reads."""
    return (
        f'This makes one, in its folder: python -c "import pandas; pandas.{read}.to_csv('
        f"'{file.stem}-commas.csv', index=False)\""
    )


def require_columns(file: Path, header: list[str], rows: list[list[str]]) -> None:
    """Raise where lines have other fields than the header, or the header is a row of data."""
    mark = next((mark for mark in ";\t|" if mark in header[0]), None)
    if len(header) == 1 and mark is not None:
        commas = any(DECIMAL.search(",".join(row)) for row in rows)
        decimal = ", decimal=','" if commas else ""
        raise FileError(
            f"{file} must have commas between its columns, and points in its numbers; got "
            f"{header[0]!r}. {convert(file, f'read_csv({file.name!r}, sep={mark!r}{decimal})')}"
        )
    for line, row in enumerate(rows, start=2):
        if len(row) != len(header):
            end = ". A comma ends it" if not row[-1] else ""
            raise FileError(
                f"{file} must have a header name for each column; got {len(header)} names for "
                f"{len(row)} columns in line {line}{end}."
            )
    if not header[-1] and not any(row[-1].strip() for row in rows):
        raise FileError(f"{file} must have no commas at the ends of its lines: remove them.")
    data = [n for n in header if as_numbers(np.array([n])) is not None or n in (*WORDS[1:], "?")]
    counted = [[str(at) for at in range(first, first + len(data))] for first in (0, 1)]
    if data and (len(data) == len(header) or data not in counted):
        got = "numbers" if len(data) == len(header) else f"{data[:LISTED]} among them"
        raise FileError(
            f"{file} must begin with a header row of names; got {got}. If it has no header, write "
            "one; if columns are called so, put a letter before."
        )


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
    written = (table.schema.pandas_metadata or {}).get("index_columns", [])
    index = [name for name in table.column_names if name in written and name[:2] != "__"]
    if index:
        raise FileError(
            f"{file} must have no index that was written with the table; got {index}: "
            "reset_index(drop=True) drops it."
        )
    # Categories as what they are: as numbers of a dictionary, a missing one would be the last.
    plain = [c.cast(c.type.value_type) if is_dictionary(c.type) else c for c in table.columns]
    return table.column_names, [c.to_numpy(zero_copy_only=False) for c in plain]
