"""A source: rows that are read a slice at a time, and are what they promised to be."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from scipy import sparse

from linssl.arguments import NAMED, describe, refuse_masked
from linssl.data.tables import FileError
from linssl.labels import as_labels

Column = Callable[[], np.ndarray]


class Contents(NamedTuple):
    """What is open: rows and what is known of them.

    Args:
        rows: has `.shape` (n, ...), `.dtype` and slices.
        names: of the features, (d,), or None.
        columns: what reads (n,) values that tell of the rows, by name.
        part: which part of a file this is, such as raw/X.
        note: what is worth knowing, such as memory that it takes.
    """

    rows: Any
    names: tuple[str, ...] | None = None
    columns: Mapping[str, Column] = {}
    part: str = ""
    note: str = ""


class Source:
    """Rows of data, (n, ...), read a slice at a time: see `open_source`.

    `source[a:b]` is an array (b - a, ...), or a scipy.sparse.csr_array (b - a, d) where the data
    are sparse. A source can be pickled: what is read from a file is opened anew by its path.

    Attributes:
        where: what errors call it: a path and the part of it, or a type.
        part: which part of a file holds the rows, such as raw/X; empty where it is all.
        shape: (n, ...).
        dtype: of the numbers, as stored.
        names: of the features, (d,), or None.
        columns: names of what tells of the rows, such as labels or a batch.

    Raises:
        ValueError: rows that can't be read, or that aren't of the promised shape and type, as from
            a file that was changed since it was opened.
    """

    def __init__(self, where: str, opener: Callable[[], Contents], file: Path | None = None):
        self._opener, self._file = opener, file
        stamp = _stamp(file)
        contents = opener()
        self._whole, self.part = where, contents.part
        self.where = f"{where}: {self.part}" if self.part else where
        self.shape, self.dtype = _promise(self.where, contents.rows)
        self.names, self.columns = contents.names, tuple(contents.columns)
        if self.names is not None and len(self.names) != self.shape[-1]:
            raise FileError(
                f"{self.where} must have a name for each of its {self.shape[-1]:,} features; got "
                f"{len(self.names):,} names."
            )
        self._opened: tuple[Contents, _Stamp] | None = (contents, stamp)
        self._size = stamp[0]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> Any:
        if not isinstance(rows, slice) or rows.step not in (None, 1):
            raise ValueError(f"rows of a source are read by slices, source[a:b]; got {rows!r}.")
        start, stop, _ = rows.indices(len(self))
        if stop <= start:
            return self[:1][:0]
        at = f"{self.where}: rows {start:,} to {stop:,}"
        contents = self._contents()
        try:
            block = as_block(contents.rows[start:stop])
        except (ImportError, FileError):
            raise
        except Exception as error:  # damaged bytes fail anywhere
            raise FileError(f"{at} can't be read: {error}") from error
        wanted = (stop - start, *self.shape[1:])
        if block.shape != wanted or block.dtype != self.dtype:
            raise FileError(
                f"{at} must be {wanted} of {self.dtype}, as promised when it was opened; got "
                f"{block.shape} of {block.dtype}."
            )
        return block

    @property
    def stamp(self) -> tuple[int | str, ...] | None:
        """What changes with its file or folder, as of `stamp_of`; None where it has none."""
        return None if self._file is None else stamp_of(self._file)

    def column(self, name: str, *, gaps: bool = False) -> np.ndarray:
        """Return what tells of the rows, (n,): text, numbers, booleans or dates.

        Args:
            name: of the column.
            gaps: whether values may be missing, and are as stored then.

        Raises:
            ValueError: no such column, another length, or missing values.
        """
        if name not in self.columns:
            raise ValueError(
                f"{self._whole} has no column {name!r}; it has {', '.join(self.columns) or 'none'}."
            )
        what = f"{self._whole}: column {name!r}"
        try:
            values = self._contents().columns[name]()
        except (ImportError, FileError):
            raise
        except Exception as error:
            raise FileError(f"{what} can't be read: {error}") from error
        if values.shape != (len(self),):
            raise FileError(f"{what} must be ({len(self)},), one a row; got {values.shape}.")
        return values if gaps else as_labels(what, values)

    def describe(self) -> str:
        """Say in words what it is."""
        contents = self._contents()
        kind = "sparse " if hasattr(contents.rows, "indptr") else ""
        sides = " x ".join(f"{side:,}" for side in self.shape)
        words = [f"{self.where}: {sides} of {kind}{self.dtype}"]
        if self.names is not None:
            words.append(f"features {_listed(self.names)}")
        if self.columns:
            words.append(f"columns {_listed(self.columns)}")
        return "; ".join([*words, *([contents.note] if contents.note else [])])

    def __repr__(self) -> str:
        return f"<Source {self.where}: {self.shape} of {self.dtype}>"

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_opened": None}

    def _contents(self) -> Contents:
        """Return what is open, opened anew after pickling, or raise where its file has changed."""
        stamp = _stamp(self._file)
        if self._opened is None:
            contents = self._opener()
            shape, dtype = _promise(self.where, contents.rows)
            if (shape, dtype, stamp[0]) != (self.shape, self.dtype, self._size):
                raise FileError(
                    f"{self.where} has changed since it was opened: it was {self.shape} of "
                    f"{self.dtype}, and is {shape} of {dtype}."
                )
            self._opened = contents, stamp
        contents, opened = self._opened
        if stamp != opened:
            raise FileError(
                f"{self.where} has changed since it was opened: it was written to (had "
                f"{opened[0]:,} bytes, has {stamp[0]:,}). Open it again when nothing writes to it."
            )
        return contents


def given(where: str, contents: Contents) -> Source:
    """Return a source of what is in memory, or was opened by the caller."""
    return Source(where, partial(_as_it_is, contents))


def _as_it_is(contents: Contents) -> Contents:
    return contents


_Stamp = tuple[int, int]  # bytes, and nanoseconds of the last change


def _stamp(file: Path | None) -> _Stamp:
    """Return the stamp of a file; of a folder none, as it would be walked for every slice."""
    return (0, 0) if file is None or file.is_dir() else _of_file(file)


def _of_file(file: Path) -> _Stamp:
    try:
        found = file.stat()
    except FileNotFoundError:
        raise FileNotFoundError(f"no file at {file}: it was moved or removed.") from None
    return found.st_size, found.st_mtime_ns


def stamp_of(path: Path) -> tuple[int | str, ...]:
    """Return what changes with a file or a folder, or raise where there is none.

    Size in bytes and nanoseconds of the last change; of a folder, at any depth, their sum, the
    latest, and a hash of the names, sizes and times of all files.
    """
    if not path.is_dir():
        return _of_file(path)
    state, size, latest = hashlib.sha256(), 0, 0
    for at, folders, names in os.walk(path, followlinks=True):
        folders.sort()
        for name in sorted(names):
            file = Path(at, name)
            stamp = _of_file(file)
            state.update(f"{file.relative_to(path).as_posix()}\0{stamp}\0".encode())
            size, latest = size + stamp[0], max(latest, stamp[1])
    return size, latest, state.hexdigest()[:16]


def _promise(where: str, rows: Any) -> tuple[tuple[int, ...], np.dtype]:
    """Return the shape and type of rows, or raise unless they are numbers (n, ...)."""
    shape = tuple(rows.shape)
    if not all(isinstance(side, int | np.integer) for side in shape):
        raise FileError(
            f"{where} must have a known number of rows; got shape {shape}: of a dask array, "
            "compute_chunk_sizes() finds it."
        )
    shape, dtype = tuple(map(int, shape)), np.dtype(rows.dtype)
    if len(shape) < 2 or 0 in shape:
        raise FileError(
            f"{where} must be (n, ...), with at least one row and one feature; got {shape}."
        )
    if dtype.kind not in "fiub" and dtype != jnp.bfloat16:
        raise FileError(f"{where} must hold real numbers; got {shape} of {dtype}.")
    return shape, dtype


def as_block(values: Any) -> Any:
    """Return rows as an array, or as a csr_array, whatever library they are of."""
    if hasattr(values, "tocsr"):
        block = sparse.csr_array(values)
        if not block.has_canonical_format:  # entries that come twice are summed, in a copy
            block = block.copy()
            block.sum_duplicates()
        return block
    refuse_masked("rows", values)
    if hasattr(values, "__array__"):
        return np.asarray(values)
    if hasattr(values, "__dlpack__"):
        return np.from_dlpack(values)
    raise ValueError(f"rows must be an array, or make one; got {describe(values)}.")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more if names else "nothing"


def shapes_listed(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Name arrays with their shapes, the first of them where they are many."""
    return _listed([f"{name} {shape}" for name, shape in shapes.items()])
