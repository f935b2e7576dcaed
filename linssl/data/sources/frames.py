"""Sources of tables and annotated matrices in memory, by what they look like."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from linssl.arguments import is_number
from linssl.data.sources.arrays import rows_of
from linssl.data.sources.h5ad import choose_layer
from linssl.data.sources.source import Column, Contents
from linssl.data.sources.tables import all_of, choose_features, not_numbers, readable
from linssl.data.tables import FileError
from linssl.runtime.optional import require


def is_frame(values: Any) -> bool:
    """Say whether this is a table such as a DataFrame of pandas."""
    return all(hasattr(values, name) for name in ("iloc", "columns", "dtypes"))


def is_arrow(values: Any) -> bool:
    """Say whether this is a table that Arrow knows, such as a DataFrame of polars."""
    return hasattr(values, "__arrow_c_stream__") and len(getattr(values, "shape", ())) == 2


def from_arrow(values: Any) -> Any:
    """Return such a table as one of pandas, which shares its columns."""
    table = require("pyarrow", "data").table(values)
    kind = require("pandas", "data").ArrowDtype
    return table.to_pandas(types_mapper=kind, ignore_metadata=True)


@runtime_checkable
class AnnotatedMatrix(Protocol):
    """A matrix such as an AnnData: what rows and columns are is told beside it."""

    X: Any
    obs: Any
    var: Any
    layers: Any
    obsm: Any


def of_frame(where: str, frame: Any, columns: Sequence[str], text_beside: bool = False) -> Contents:
    """Return the features of a table: all columns but y, label and those that are named."""
    if hasattr(frame, "npartitions"):
        raise FileError(
            f"{where} must be a table with slices of rows; got one of dask: pass its .compute(), "
            "or of numbers alone .to_dask_array(lengths=True)."
        )
    header = list(map(str, frame.columns))
    read = partial(_column_at, frame, header)
    features = choose_features(
        Path(where), header, columns, read, all_of(read) if text_beside else None
    )
    rows = FrameRows(where, frame, [header.index(name) for name in features], features)
    others: dict[str, Column] = {
        name: partial(_column_at, frame, header, name) for name in header if name not in features
    }
    return Contents(readable(rows), tuple(features), others)


def _column_at(frame: Any, header: list[str], name: str) -> np.ndarray:
    return frame_column(frame.iloc[:, header.index(name)])


def frame_column(values: Any) -> np.ndarray:
    """Return a column of a table as an array: categories as what they are, gaps as objects."""
    return values.to_numpy() if isinstance(values.dtype, np.dtype) else values.to_numpy(object)


class FrameRows:
    """Columns of numbers of a table, (n, d): booleans and nullable ones too, NaN where missing."""

    def __init__(self, where: str, frame: Any, at: list[int], names: Sequence[str]):
        self.where, self.frame, self.at, self.names = where, frame, at, names
        self.shape = len(frame), len(at)
        kinds = [frame.dtypes.iloc[i] for i in at]
        single = all(kind.kind == "f" and getattr(kind, "itemsize", 8) <= 4 for kind in kinds)
        self.dtype = np.dtype(np.float32 if single else np.float64)
        self.plain = all(isinstance(kind, np.dtype) and kind.kind in "fiub" for kind in kinds)

    def __getitem__(self, rows: slice) -> np.ndarray:
        part = self.frame.iloc[rows, self.at]
        if self.plain:
            return part.to_numpy(self.dtype)
        out = np.empty(part.shape, self.dtype)
        for i, name in enumerate(self.names):
            out[:, i] = self._numbers(name, part.iloc[:, i], rows.start)
        return out

    def _numbers(self, name: str, values: Any, start: int) -> np.ndarray:
        if values.dtype.kind in "fiub":
            return values.to_numpy(self.dtype, na_value=np.nan)
        objects = isinstance(values.dtype, np.dtype) and values.dtype.kind == "O"
        gaps = values.isna().to_numpy()
        for row, value in enumerate(values.tolist()):
            if not (objects and (gaps[row] or is_number(type(value)))):
                place = f"row {start + row:,}, of type {values.dtype}"
                raise not_numbers(Path(self.where), name, value, place)
        return values.where(~gaps, np.nan).to_numpy(self.dtype)


def of_annotated(where: str, data: Any, layer: str | None) -> Contents:
    """Return rows of a matrix of an AnnData, the names of its features, and obs."""
    rooms: Mapping[str, Any] = {"layers": data.layers, "obsm": data.obsm}
    raw: Any = getattr(data, "raw", None)
    found = ["X"] if data.X is not None else []
    found += ["raw/X"] if raw is not None else []
    found += [f"{room}/{name}" for room, held in rooms.items() for name in held]
    part = choose_layer(where, layer, found)
    room, _, name = part.partition("/")
    holder: Any = raw if room == "raw" else data
    matrix = rooms[room][name] if room in rooms else holder.X
    if is_frame(matrix):
        raise FileError(f"{where}: {part} is a table: pass it by itself.")
    names = None if room == "obsm" else tuple(map(str, holder.var_names))
    columns: dict[str, Column] = {
        str(key): partial(frame_column, data.obs[key]) for key in data.obs.columns
    }
    return Contents(rows_of(f"{where}: {part}", matrix), names, columns, part)
