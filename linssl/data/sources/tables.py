"""Sources of tables, read by blocks of rows: which columns are features is one rule for all."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from linssl.data.files import LABEL_LIKE, LABELS
from linssl.data.tables import INDEX, NUMBERED, FileError, as_numbers, require_no_index
from linssl.labels import WORDS, missing

NUMBER = "Decimals have a point, and thousands no mark."


def choose_features(
    file: Path,
    header: Sequence[str],
    columns: Sequence[str],
    read: Callable[[str], np.ndarray],
    head: Callable[[Sequence[str]], Mapping[str, np.ndarray]] | None = None,
) -> list[str]:
    """Return the columns that are features: all but y or label, and those that are named.

    Args:
        file: what errors call it.
        header: names of all columns.
        columns: names of those that tell of the rows, such as a batch, and are no features.
        read: what reads a column, (n,), by its name.
        head: what returns columns, or their first rows, where those of text are to be left
            beside; None makes them an error when they are read.

    Raises:
        ValueError: names that aren't there or come twice, what looks like an index or labels and
            isn't named, or no feature at all.
    """
    for at, name in enumerate(header):
        if not name or name.startswith("__index_level_"):
            raise FileError(
                f"{file} must have a name for every column; column {at} has none. An index that "
                "was written with the table must be dropped."
            )
    if len(set(header)) < len(header):
        twice = sorted({name for name in header if list(header).count(name) > 1})
        raise FileError(f"{file} must have one column a name; got {twice} more than once.")
    lost = [name for name in columns if name not in header]
    if lost:
        raise FileError(f"{file} has no column {lost[0]!r}; it has {list(header)}.")
    features = [name for name in header if name not in (*LABELS, *columns)]
    for name in features:
        if name.lower() in LABEL_LIKE:
            raise FileError(
                f"{file}: column {name!r} looks like labels: name it (--labels {name!r}, or "
                f"columns=[{name!r}]), leave it out (--drop {name!r}), or give it another name if "
                "it is a feature."
            )
    if head is not None:
        first = head(features)
        text = [name for name in features if not holds_numbers(first[name])]
        features = [n for n in features if n not in text or holds_numbers(read(n))]
    for name in features:
        if INDEX.fullmatch(name) or NUMBERED.fullmatch(name):
            require_no_index(file, {name: read(name)})
    if not features:
        dummies = " Of text, pandas.get_dummies makes numbers." if head is not None else ""
        raise FileError(
            f"{file} must have at least one feature column; got {list(header)}.{dummies}"
        )
    return features


def all_of(
    read: Callable[[str], np.ndarray],
) -> Callable[[Sequence[str]], Mapping[str, np.ndarray]]:
    """Return a `head` that reads columns whole, where each is stored by itself."""
    return lambda names: {name: read(name) for name in names}


def holds_numbers(values: np.ndarray) -> bool:
    """Say whether a column is one of numbers, of which some may be missing."""
    if values.dtype.kind in "fiub":
        return True
    return as_numbers(values[~missing(values, WORDS)]) is not None


def readable(rows: Any) -> Any:
    """Return rows whose first one can be read: text among features is said when they are opened."""
    if 0 not in rows.shape:
        _ = rows[0:1]
    return rows


def not_numbers(file: Path, name: str, value: object, place: str) -> FileError:
    """Return the error of a feature that isn't a number."""
    return FileError(
        f"{file}: column {name!r} must hold numbers; got {value!r} in {place}. {NUMBER} If it "
        f"tells of the rows and is no feature, name it: columns=[{name!r}]."
    )
