"""Sources of arrays: in memory, memory-mapped, sparse, or of any library that has slices."""

import mmap
import os
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np

from linssl.arguments import as_array, describe, is_concrete, is_tensor, refuse_masked
from linssl.data.files import require_promised
from linssl.data.sources.source import Contents, Source, as_block, given
from linssl.data.sources.sparse_rows import is_sparse, stored_rows
from linssl.data.tables import FileError
from linssl.linalg.averages import as_csr
from linssl.runtime.optional import require


def of_array(name: str, values: Any) -> Source:
    """Return a source of an array of any library, sparse or dense, read by slices.

    Raises:
        ValueError: masked or traced values, no slices, or no numbers (n, ...).
    """
    refuse_masked(name, values)
    where = f"{name} ({type(values).__name__})"
    if isinstance(values, np.memmap) and _is_whole_map(values):
        values.flush()  # what is written later, by itself, would look like a change
        file = Path(str(values.filename))
        order = "C" if values.flags.c_contiguous else "F"
        return Source(
            str(file),
            partial(_mapped, file, values.dtype, values.offset, values.shape, order),
            file,
        )
    if is_hdf5(values):
        return _of_hdf5(where, values)
    return given(where, Contents(rows_of(where, values)))


def is_hdf5(values: Any) -> bool:
    """Say whether this is a data set of an open HDF5 file; or raise where it is closed by now."""
    if type(values).__module__.partition(".")[0] == "h5py" and not values:
        raise ValueError(
            "data are a data set of an HDF5 file that is closed: keep it open, or pass its path."
        )
    return hasattr(values, "shape") and hasattr(getattr(values, "file", None), "filename")


def _of_hdf5(where: str, values: Any) -> Source:
    """Return a source that opens the file again, or says why it can't be pickled."""
    root, name = values.file, values.name
    file = Path(os.fsdecode(root.filename)).absolute()
    if name is None:
        return given(where, Contents(Here(where, values, "it has no name in its file")))
    if root.driver in ("core", "fileobj") or not file.is_file():
        return given(where, Contents(Here(where, values, "its file is in memory alone")))
    if root.mode != "r":
        root.flush()  # what is written later, by itself, would look like a change
    return Source(str(file), partial(_open_data_set, file, name), file)


def _open_data_set(file: Path, name: str) -> Contents:
    try:
        values = require("h5py", "data").File(file, "r")[name]
    except (OSError, KeyError) as error:
        raise FileError(
            f"{file}: {name} can't be opened again: {error}. A file that is open for writing can "
            "be read by its own process alone: close it, or open it with mode 'r'."
        ) from error
    return Contents(values, part=name.strip("/"))


class Here:
    """Rows that no other process can open."""

    def __init__(self, where: str, values: Any, why: str):
        self.where, self.values, self.why = where, values, why
        self.shape, self.dtype = values.shape, values.dtype

    def __getitem__(self, rows: slice) -> Any:
        return self.values[rows]

    def __reduce__(self) -> Any:
        raise ValueError(
            f"{self.where} can't be opened by another process: {self.why}. Write it to a file, and "
            "pass the path."
        )


def _is_whole_map(values: np.memmap) -> bool:
    """Say whether a file has what this map has: a view begins elsewhere, a copy was written to."""
    file = isinstance(values.filename, str | os.PathLike)
    return file and isinstance(values.base, mmap.mmap) and values.mode != "c"


def rows_of(where: str, values: Any) -> Any:
    """Return what has `.shape`, `.dtype` and slices, or raise."""
    if hasattr(values, "tocsr") and hasattr(values, "format"):
        return as_csr(where, values)
    group = getattr(values, "group", None)
    if is_sparse(group):  # of anndata, whose own slices need the insides of one scipy
        return stored_rows(where, group)[0]
    if isinstance(values, jax.Array):
        if not is_concrete(values):
            raise ValueError(f"{where} must be concrete, outside of a trace.")
        return np.asarray(values)  # a slice of JAX would compile anew for each shape
    if isinstance(values, list | tuple | int | float | np.generic):
        return as_array(where, values)
    if not hasattr(values, "shape"):
        return _whole(where, values)
    return values if _has_dtype(values) else Sliced(where, values)


def _has_dtype(values: Any) -> bool:
    try:
        np.dtype(values.dtype)
    except (AttributeError, TypeError):  # such as torch.float32
        return False
    return True


def _whole(where: str, values: Any) -> np.ndarray:
    if not (hasattr(values, "__array__") or hasattr(values, "__dlpack__")):
        raise ValueError(
            f"{where} must be a path, or an array, a table or anything else with .shape and rows "
            f"by slices; got {describe(values)}."
        )
    return as_block(values)


class Sliced:
    """Rows of what has slices, but no type that numpy knows, such as torch tensors."""

    def __init__(self, where: str, values: Any, shape: tuple[int, ...] | None = None):
        self.values, self.shape = values, tuple(values.shape) if shape is None else shape
        self.dtype = np.dtype(float)
        if 0 in self.shape:  # which is refused, and nothing to be read
            return
        try:
            self.dtype = as_block(values[:1]).dtype
        except Exception as error:
            torch = " .detach().cpu() does, and .float() of bfloat16."
            raise FileError(
                f"{where} must give its rows to numpy; it says: {error}."
                f"{torch if is_tensor(values) else ''}"
            ) from error

    def __getitem__(self, rows: slice) -> Any:
        return self.values[rows]


def _mapped(
    file: Path, dtype: np.dtype, offset: int, shape: tuple[int, ...], order: Any
) -> Contents:
    try:
        return Contents(np.memmap(file, dtype, "r", offset, shape, order))
    except ValueError as error:  # as of a file that is shorter by now
        raise FileError(f"{file} can't be mapped as {shape} of {dtype}: {error}") from error


def open_npy(file: Path) -> Contents:
    """Map an .npy file: pages are read as rows are."""
    with file.open("rb") as stream:
        require_promised(file, stream)
    return Contents(np.load(file, mmap_mode="r", allow_pickle=False))
