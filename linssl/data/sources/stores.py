"""Sources of files that hold arrays by name: .npz, HDF5, .zarr, .safetensors."""

import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import read_array_header_1_0, read_array_header_2_0, read_magic
from scipy import sparse

from linssl.data.files import require_promised
from linssl.data.sources.arrays import Sliced, rows_of
from linssl.data.sources.h5ad import annotated, is_annotated
from linssl.data.sources.source import Contents, shapes_listed
from linssl.data.sources.sparse_rows import is_sparse, stored_rows
from linssl.data.sources.tenx import of_tenx, tenx_groups
from linssl.data.sources.values import as_text, require_written
from linssl.data.tables import FileError
from linssl.runtime.optional import require

Shapes = Mapping[str, tuple[int, ...]]


def choose(file: Path, shapes: Shapes, layer: str | None) -> str:
    """Return which array holds the rows: the one asked for, X or X_train, or the only one of rows.

    Raises:
        ValueError: no such array, or several.
    """
    if layer is not None:
        if layer not in shapes:
            raise FileError(f"{file} has no {layer!r}; it holds {shapes_listed(shapes)}.")
        return layer
    many = [name for name, shape in shapes.items() if len(shape) > 1]
    usual = next((name for name in ("X", "X_train") if name in many), None)
    if usual is not None:
        return usual
    if len(many) != 1:
        raise FileError(
            f"{file} must hold one array of rows (n, ...), or one called X, or layer= (--layer) "
            f"must name it; got {shapes_listed(shapes)}."
        )
    return many[0]


SPARSE = ("format", "shape", "data", "indices", "indptr")  # of scipy.sparse.save_npz


def _contents(
    file: Path, shapes: Shapes, layer: str | None, read: Callable[[str], Any], note: str = ""
) -> Contents:
    """Return the chosen array, and those that have one value for each row as columns."""
    chosen = choose(file, shapes, layer)
    n = shapes[chosen][:1]
    beside = {name: partial(_whole, read, name) for name, shape in shapes.items() if shape == n}
    return Contents(read(chosen), None, beside, chosen, note)


def _whole(read: Callable[[str], Any], name: str) -> np.ndarray:
    return as_text(np.asarray(read(name)[:]))


def open_npz(file: Path, layer: str | None) -> Contents:
    """Read one array of an .npz file, whole: parts of a zip have no slices."""
    with zipfile.ZipFile(file) as archive:
        if {f"{name}.npy" for name in SPARSE} <= set(archive.namelist()):
            rows = rows_of(str(file), sparse.load_npz(file))
            return Contents(rows, None, {}, "", "held in memory")
        shapes = {}
        for member in archive.namelist():
            with archive.open(member) as part:
                shapes[member.removesuffix(".npy")] = _header_shape(part)
    return _contents(file, shapes, layer, partial(_member, file), "held in memory")


def _header_shape(part: Any) -> tuple[int, ...]:
    readers = {(1, 0): read_array_header_1_0, (2, 0): read_array_header_2_0}
    reader = readers.get(read_magic(part))  # others are of records, which are no numbers
    return () if reader is None else reader(part)[0]


def _member(file: Path, name: str) -> np.ndarray:
    with file.open("rb") as stream:
        require_promised(file, stream)
        with np.load(stream, allow_pickle=False) as archive:
            try:
                return archive[name]
            except ValueError as error:
                raise _pickled(file, name) if "allow_pickle" in str(error) else error from error


def _pickled(file: Path, name: str) -> FileError:
    """Return the error of an array of Python's objects, and how to convert it."""
    plain = f"{file.stem}-plain.npz"
    return FileError(
        f"{file}: {name} holds Python objects, pickled, which may run any code when they are read, "
        "and is refused. If you trust where it is from, convert it once, as text: python -c "
        f"\"import numpy; a = dict(numpy.load('{file.name}', allow_pickle=True)); a['{name}'] = "
        f"a['{name}'].astype(str); numpy.savez('{plain}', **a)\""
    )


def open_hdf5(file: Path, layer: str | None) -> Contents:
    """Open a data set of an HDF5 file, or a sparse matrix as AnnData stores one."""
    root = require("h5py", "data").File(file, "r")
    if is_annotated(root):
        return annotated(file, root, layer)
    if tenx_groups(root):
        return of_tenx(file, root, layer)
    found = _of_group(file, root, layer)
    require_written(f"{file}: {found.part}", root[found.part])
    return found


def open_zarr(file: Path, layer: str | None) -> Contents:
    """Open an array of a .zarr store, which is one array, a group, or an AnnData."""
    opener = partial(require("zarr", "data").open, file, mode="r")
    root = opener()
    if not hasattr(root, "keys"):
        if layer is not None:
            raise FileError(f"{file} holds one array: it has no layer {layer!r}.")
        require_written(str(file), root)
        return Contents(Afresh(opener))
    if is_annotated(root):
        return annotated(file, root, layer)
    found = _of_group(file, root, layer)
    if not hasattr(root[found.part], "dtype"):
        return found
    require_written(f"{file}: {found.part}", root[found.part])
    return found._replace(rows=Afresh(partial(root.__getitem__, found.part)))


class Afresh:
    """An array of a .zarr whose shape and type are read with every slice: they may have changed."""

    def __init__(self, opener: Callable[[], Any]):
        self.opener, array = opener, opener()
        self.shape, self.dtype = array.shape, array.dtype

    def __getitem__(self, rows: slice) -> Any:
        return self.opener()[rows]


def _of_group(file: Path, root: Any, layer: str | None) -> Contents:
    if layer is not None and layer in root and is_sparse(root[layer]):
        rows, note = stored_rows(f"{file}: {layer}", root[layer])
        return Contents(rows, None, {}, layer, note)
    return _contents(file, dict(_shapes(root)), layer and layer.strip("/"), root.__getitem__)


def _shapes(group: Any, path: str = "") -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the path and shape of every array in a group, at any depth."""
    for name in sorted(group.keys()):
        node = group[name]
        if hasattr(node, "keys"):
            yield from _shapes(node, f"{path}{name}/")
        elif getattr(node, "shape", None) is not None:
            yield f"{path}{name}", tuple(node.shape)


def open_safetensors(file: Path, layer: str | None) -> Contents:
    """Open a tensor of a .safetensors file, which is mapped and read by slices."""
    opened = require("safetensors", "data").safe_open(file, framework="np")
    shapes = {name: tuple(opened.get_slice(name).get_shape()) for name in opened.keys()}  # noqa: SIM118
    return _contents(file, shapes, layer, partial(_tensor, file, opened))


def _tensor(file: Path, opened: Any, name: str) -> Sliced:
    tensor = opened.get_slice(name)
    return Sliced(f"{file}: {name}", tensor, tuple(tensor.get_shape()))
