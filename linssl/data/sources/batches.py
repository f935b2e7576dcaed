"""Sources of data sets whose slices are batches: columns by name, as of Hugging Face datasets."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from linssl.data.sources.source import Column, Contents
from linssl.data.sources.tables import all_of, choose_features, not_numbers
from linssl.data.tables import FileError

Sides = tuple[int, ...]


def is_batched(data: Any) -> bool:
    """Say whether this is a data set whose slices are columns by name."""
    return all(hasattr(data, name) for name in ("column_names", "select_columns", "with_format"))


def of_batched(
    where: str, data: Any, layer: str | None, columns: Sequence[str], text_beside: bool = False
) -> Contents:
    """Return the rows of a data set: one column of arrays, which `layer` names, or of numbers."""
    first = {name: _as_stored(data, name, slice(1)) for name in data.column_names}
    wide = [name for name, values in first.items() if values.ndim > 1 and name not in columns]
    if layer is None and len(wide) > 1:
        raise FileError(f"{where} has columns of arrays, {wide}: layer= must name one.")
    if layer is not None and layer not in wide:
        raise FileError(f"{where} has no column of arrays {layer!r}; it has {wide or 'none'}.")
    read = partial(_as_stored, data)
    if wide:
        chosen = wide[0] if layer is None else layer
        rows: Any = BatchRows(data, [chosen], True, first[chosen].shape[1:], first[chosen].dtype)
        names, part, features = None, chosen, wide
    else:
        head = all_of(read) if text_beside else None
        features = choose_features(Path(where), data.column_names, columns, read, head)
        for name in features:
            if first[name].dtype.kind not in "fiub":
                raise not_numbers(Path(where), name, first[name].tolist()[0], "row 0")
        dtype = np.result_type(*(first[name].dtype for name in features))
        rows, names, part = (
            BatchRows(data, features, False, (len(features),), dtype),
            tuple(features),
            "",
        )
    others: dict[str, Column] = {n: partial(read, n) for n in first if n not in features}
    return Contents(rows, names, others, part)


def _as_stored(data: Any, name: str, rows: slice = slice(None)) -> np.ndarray:
    """Return a column of some rows in the type it is stored in, not in the library's usual one."""
    kind = data.features[name]
    while hasattr(kind, "feature"):  # lists of lists of numbers
        kind = kind.feature
    try:
        stored = {"dtype": np.dtype(kind.dtype)}
    except (AttributeError, TypeError):  # text, or what is decoded, such as images
        stored = {}
    return np.asarray(data.select_columns([name]).with_format("numpy", **stored)[rows][name])


class BatchRows:
    """One column of arrays, or several of numbers side by side."""

    def __init__(self, data: Any, names: list[str], wide: bool, sides: Sides, dtype: np.dtype):
        self.data, self.names, self.wide = data, names, wide
        self.shape, self.dtype = (len(data), *sides), dtype

    def __getitem__(self, rows: slice) -> np.ndarray:
        columns = [_as_stored(self.data, name, rows) for name in self.names]
        return columns[0] if self.wide else np.stack(columns, axis=1).astype(self.dtype)
