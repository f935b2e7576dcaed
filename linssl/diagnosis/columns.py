"""What tells of the rows: a column of the data, a file, or values; one rule for all that ask."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from linssl.data.files import GROUPS, LABELS
from linssl.data.sources.opening import is_column, told
from linssl.data.sources.source import Source
from linssl.labels import as_labels

NONE = "none"
DEFAULTS = {"labels": (*LABELS, "y_train"), "groups": (GROUPS,)}  # columns that are taken unasked


def names_among(asked: Sequence[object]) -> tuple[str, ...]:
    """Return what is asked for by the name of a column, each once."""
    return tuple(
        dict.fromkeys(a for a in asked if isinstance(a, str) and a != NONE and is_column(a))
    )


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
    if isinstance(asked, str) and asked == NONE:
        return None
    return told(argument, asked, source, NONE)


def of_rows(name: str, values: Any, count: int, drawn: np.ndarray | None) -> Any:
    """Return values of the rows that were drawn, of so many; all where drawn is None."""
    if values is None or drawn is None:
        return values
    known = as_labels(name, values)
    if len(known) != count:
        raise ValueError(f"{name} must be ({count},), one for each row; got {known.shape}.")
    return known[drawn]
