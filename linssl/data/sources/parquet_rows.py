"""Rows of a .parquet, by batches: a slice goes on where the last one ended, or at its row group."""

import threading
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from linssl.data.sources.source import Contents
from linssl.data.sources.tables import all_of, choose_features, not_numbers, readable
from linssl.data.tables import FileError, as_numbers
from linssl.runtime.optional import require

BATCH = 2**20  # numbers at once
NOWHERE = -1


def open_parquet(
    file: Path, layer: str | None, columns: Sequence[str], text_beside: bool = False
) -> Contents:
    """Open a .parquet: features are its columns but y, label and those that are named.

    A column of lists, such as embeddings, is the rows by itself: `layer` names it.
    """
    require("pyarrow", "data")
    opened = require("pyarrow.parquet", "data").ParquetFile(
        file, memory_map=True
    )  # else whole groups
    schema = opened.schema_arrow
    header = schema.names
    index = [n for n in (schema.pandas_metadata or {}).get("index_columns", []) if n in header]
    if any(not str(name).startswith("__") for name in index):
        raise FileError(
            f"{file} must have no index that was written with the table; got {index}: "
            "reset_index(drop=True) drops it."
        )
    read = partial(_column, opened)
    lists = [field.name for field in schema if _is_list(field.type)]
    if layer is not None and layer not in lists:
        raise FileError(f"{file}: layer= names a column of lists, of {lists}; got {layer!r}.")
    if layer is not None:
        rows: Any = ListRows(file, opened, layer)
        features, names = [layer], None
    else:
        if set(lists) - set(columns):
            raise FileError(
                f"{file}: column {lists[0]!r} holds lists: layer={lists[0]!r} takes them as rows."
            )
        features = choose_features(
            file, header, columns, read, all_of(read) if text_beside else None
        )
        rows, names = ParquetRows(file, opened, features), tuple(features)
    others = [name for name in header if name not in (*features, *lists)]
    columns_read = {name: partial(read, name) for name in others}
    return Contents(readable(rows), names, columns_read, layer or "")


def _is_list(kind: Any) -> bool:
    types = require("pyarrow.types", "data")
    return types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)


def _plain(values: Any) -> np.ndarray:
    """Return a column of a batch: categories as what they are, missing numbers as NaN."""
    types = require("pyarrow.types", "data")
    if types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if types.is_boolean(values.type) and values.null_count:
        values = values.cast("int8")
    return values.to_numpy(zero_copy_only=False)


def _column(opened: Any, name: str) -> np.ndarray:
    return _plain(opened.read([name]).column(0))


class ParquetRows:
    """Features of a .parquet as numbers, (n, d): single precision where all of them are."""

    def __init__(self, file: Path, opened: Any, features: list[str]):
        self.file, self.opened, self.features = file, opened, features
        self.shape = opened.metadata.num_rows, len(features)
        kinds = {opened.schema_arrow.field(name).type for name in features}
        single = {str(kind) for kind in kinds} <= {"float", "halffloat"}
        self.dtype = np.dtype(np.float32 if single else np.float64)
        self._lock, self._at, self._batches = threading.Lock(), NOWHERE, iter(())
        groups = [opened.metadata.row_group(i).num_rows for i in range(opened.num_row_groups)]
        self._groups = np.concatenate([[0], np.cumsum(groups)])
        self._left: Any = None

    def __getitem__(self, rows: slice) -> np.ndarray:
        out = np.empty((rows.stop - rows.start, *self.shape[1:]), self.dtype)
        with self._lock:
            if rows.start != self._at:
                self._seek(rows.start)
            self._at, done = NOWHERE, 0  # after an error, what comes next isn't known
            while done < len(out):
                batch = self._next(len(out) - done)
                out[done : done + len(batch)] = self._numbers(batch, rows.start + done)
                done += len(batch)
            self._at = rows.stop
        return out

    def _seek(self, row: int) -> None:
        """Begin at the row group of a row, and skip to it."""
        group = int(np.searchsorted(self._groups, row, "right")) - 1
        most = max(1, BATCH // max(1, self.shape[1]))
        self._left, at = None, int(self._groups[group])
        self._batches: Iterator[Any] = self.opened.iter_batches(
            most, list(range(group, len(self._groups) - 1)), self.features
        )
        while at < row:
            at += len(self._next(row - at))

    def _next(self, most: int) -> Any:
        """Return the next rows, so many at most."""
        batch = next(self._batches) if self._left is None else self._left
        self._left = batch.slice(most) if len(batch) > most else None
        return batch.slice(0, most)

    def _numbers(self, batch: Any, start: int) -> np.ndarray:
        columns = []
        for name in self.features:
            values = _plain(batch.column(name))
            numbers = as_numbers(values)
            if numbers is None:
                bad = [as_numbers(values[i : i + 1]) is None for i in range(len(values))]
                row = int(np.argmax(bad))
                raise not_numbers(self.file, name, values[row], f"row {start + row:,}")
            columns.append(numbers)
        return np.stack(columns, axis=1)


class ListRows(ParquetRows):
    """Lists of one length in a column of a .parquet, (n, d)."""

    def __init__(self, file: Path, opened: Any, name: str):
        super().__init__(file, opened, [name])
        kind = opened.schema_arrow.field(name).type.value_type
        self.dtype = np.dtype(kind.to_pandas_dtype())
        first = next(opened.iter_batches(1, columns=[name]), None)
        width = 0 if first is None or not first.column(0)[0].is_valid else len(first.column(0)[0])
        self.shape = self.shape[0], width

    def _numbers(self, batch: Any, start: int) -> np.ndarray:
        values = batch.column(0)
        lengths = require("pyarrow.compute", "data").list_value_length(values)
        lengths = lengths.fill_null(-1).to_numpy()
        bad = lengths != self.shape[1]
        if bad.any():
            row = int(np.argmax(bad))
            got = "nothing" if lengths[row] < 0 else f"{lengths[row]:,} numbers"
            raise FileError(
                f"{self.file}: column {self.features[0]!r} must have {self.shape[1]:,} numbers in "
                f"every row; got {got} in row {start + row:,}."
            )
        numbers = values.flatten()
        if numbers.null_count and self.dtype.kind != "f":
            raise FileError(
                f"{self.file}: column {self.features[0]!r} must have no missing numbers in its "
                f"lists; got {numbers.null_count:,} from row {start:,} on."
            )
        return _plain(numbers).reshape(len(values), -1)
