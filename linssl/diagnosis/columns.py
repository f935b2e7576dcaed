"""What tells of the rows: a column of the data, a file, or values; one rule for all that ask."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from linssl.data.files import GROUPS, LABELS, SUFFIXES, read_labels, suffix
from linssl.data.sources.source import Source
from linssl.labels import as_labels

NONE = "none"
DEFAULTS = {"labels": (*LABELS, "y_train"), "groups": (GROUPS,)}  # columns that are taken unasked


def names_among(asked: Sequence[object]) -> tuple[str, ...]:
    """Return what is asked for by the name of a column, each once."""
    return tuple(dict.fromkeys(a for a in asked if isinstance(a, str) and _is_column(a)))


def _is_column(asked: str) -> bool:
    return asked != NONE and suffix(Path(asked)) not in SUFFIXES


def read_column(
    argument: str, asked: object, source: Source | None, drop: Collection[str] = ()
) -> Any:
    """Return what is asked for: values, a column of the data, a file, or nothing.

    Labels, groups, batches and a nuisance are all asked for so.

    Args:
        argument: what errors call it; labels and groups have columns that are taken unasked.
        asked: (n,) or (n, e) values; the name of a column, or of an array of one value a row; a
            path; "none"; or None.
        source: the data, or None where they are an array in memory.
        drop: columns that are left out, and so not taken unasked.

    Raises:
        ValueError: no such column, or a file that can't be read.
    """
    there = () if source is None else source.columns
    if asked is None:
        usual = [n for n in DEFAULTS.get(argument, ()) if n in there and n not in drop]
        return None if source is None or not usual else source.column(usual[0])
    if isinstance(asked, os.PathLike):
        return read_labels(asked)
    if not isinstance(asked, str):
        return asked
    if asked == NONE:
        return None
    if source is not None and asked in there:
        return source.column(asked)
    if suffix(Path(asked)) in SUFFIXES:
        return read_labels(asked)
    raise ValueError(
        f"{argument} must be a column of the data ({', '.join(there) or 'they have none'}), a file "
        f"({', '.join(SUFFIXES)}), or none; got {asked!r}."
    )


def of_rows(name: str, values: Any, count: int, drawn: np.ndarray | None) -> Any:
    """Return values of the rows that were drawn, of so many; all where drawn is None."""
    if values is None or drawn is None:
        return values
    known = as_labels(name, values)
    if len(known) != count:
        raise ValueError(f"{name} must be ({count},), one for each row; got {known.shape}.")
    return known[drawn]
