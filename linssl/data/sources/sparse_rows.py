"""Sparse matrices as HDF5 and zarr store them, for AnnData: data, indices and indptr."""

from typing import Any

import numpy as np
from scipy import sparse

from linssl.data.sources.values import attributes, is_zarr, require_written
from linssl.data.tables import FileError

PARTS = ("data", "indices", "indptr")
MOST_BYTES = 4e9  # of a csc matrix, to be read whole and turned to csr


def is_sparse(node: Any) -> bool:
    """Say whether a node is a group that claims to be a sparse matrix."""
    if not hasattr(node, "keys"):
        return False
    return "indptr" in node or any("sparse" in key for key in attributes(node))


def stored_rows(where: str, node: Any) -> tuple[Any, str]:
    """Return rows of a data set, or of a sparse matrix in a group, and a note on them.

    A csr matrix is read a slice at a time. A csc one has no slices of rows: it is read once, and
    held as csr.

    Raises:
        ValueError: parts that are missing or don't fit together, or a csc matrix too big to turn.
    """
    if not hasattr(node, "keys"):
        require_written(where, node)
        return node, ""
    if not is_sparse(node):
        kind = attributes(node).get("encoding-type", "group")
        raise FileError(
            f"{where} must be an array, or a csr or csc matrix; got a {kind} of {sorted(node)}."
        )
    kind, shape = _kind(where, node)
    if kind == "csr":
        return SparseRows(where, node, shape), ""
    rows = _turned(where, node, shape)
    size = sum(part.nbytes for part in (rows.data, rows.indices, rows.indptr))
    return rows, f"stored by columns (csc): held in memory by rows, {size / 1e6:,.3g} MB"


def _kind(where: str, node: Any) -> tuple[str, tuple[int, int]]:
    """Return csr or csc, and the shape, as today's or the old layout writes them."""
    lost = [part for part in PARTS if part not in node]
    if lost:
        raise FileError(
            f"{where} must hold data, indices and indptr of a sparse matrix; {' and '.join(lost)} "
            f"{'is' if len(lost) == 1 else 'are'} missing."
        )
    about = attributes(node)
    kind = str(about.get("encoding-type", about.get("h5sparse_format", "")))[:3]
    shape = tuple(map(int, about.get("shape", about.get("h5sparse_shape", ()))))
    if kind not in ("csr", "csc") or len(shape) != 2:
        raise FileError(
            f"{where} must say whether it is csr or csc, and its shape; its attributes are {about}."
        )
    return kind, (shape[0], shape[1])


def _pointers(where: str, node: Any, majors: int, what: str) -> np.ndarray:
    """Return where each row, or column, begins and ends, or raise where lengths don't fit."""
    data, indices, indptr = (node[part] for part in PARTS)
    at = np.asarray(indptr[...])
    if at.shape != (majors + 1,) or at.dtype.kind not in "iu":
        raise FileError(
            f"{where}: indptr must be {majors + 1:,} whole numbers, one more than its {what}s; got "
            f"{at.shape} of {at.dtype}."
        )
    if data.shape != indices.shape or len(data.shape) != 1:
        raise FileError(
            f"{where}: data and indices must be of one length; got {data.shape} and "
            f"{indices.shape}."
        )
    if np.dtype(indices.dtype).kind not in "iu":
        raise FileError(f"{where}: indices must be whole numbers; got {indices.dtype}.")
    for part in PARTS[:1] if is_zarr(data) else PARTS:  # indices may be 0 in a whole chunk
        require_written(f"{where}: {part}", node[part])
    steps = np.diff(at.astype(np.int64))
    if (steps < 0).any():
        raise FileError(f"{where}: indptr must not fall; it does at {what} {np.argmin(steps):,}.")
    if at[0] != 0 or at[-1] != data.shape[0]:
        raise FileError(
            f"{where}: indptr must go from 0 to the {data.shape[0]:,} numbers of data; it goes "
            f"from {at[0]:,} to {at[-1]:,}."
        )
    return at.astype(np.int64)


def _require_indices(
    where: str, indices: np.ndarray, at: np.ndarray, limit: int, start: int = 0
) -> None:
    """Raise where indices of rows from `start` on, which begin at `at`, aren't in [0, limit)."""
    bad = (indices < 0) | (indices >= limit)
    if bad.any():
        first = int(np.argmax(bad))
        major = start + int(np.searchsorted(at, at[0] + first, "right")) - 1
        raise FileError(
            f"{where} {major:,}: indices must lie in 0 to {limit - 1:,}; got {indices[first]:,}."
        )


def _native(values: Any) -> np.ndarray:
    """Return numbers as scipy takes them: in the machine's order of bytes, of 32 bits for 16."""
    values = np.asarray(values)
    half = values.dtype == np.float16
    return values.astype(np.float32 if half else values.dtype.newbyteorder("="), copy=False)


class SparseRows:
    """A csr matrix on disk: a slice reads its own numbers."""

    def __init__(self, where: str, node: Any, shape: tuple[int, int]):
        self.where, self.node, self.shape = where, node, shape
        self.dtype = _native(node["data"][:0]).dtype
        self.indptr = _pointers(where, node, shape[0], "row")

    def __getitem__(self, rows: slice) -> sparse.csr_array:
        at = self.indptr[rows.start : rows.stop + 1]
        indices = _native(self.node["indices"][at[0] : at[-1]])
        _require_indices(f"{self.where}: row", indices, at, self.shape[1], rows.start)
        data = _native(self.node["data"][at[0] : at[-1]])
        return sparse.csr_array((data, indices, at - at[0]), (len(at) - 1, self.shape[1]))


def _turned(where: str, node: Any, shape: tuple[int, int]) -> sparse.csr_array:
    data, indices = node["data"], node["indices"]
    size = 2 * data.shape[0] * (np.dtype(data.dtype).itemsize + np.dtype(indices.dtype).itemsize)
    if size > MOST_BYTES:
        raise FileError(
            f"{where} is stored by columns (csc), and must be turned to be read by rows, which "
            f"takes {size / 1e9:,.3g} GB of memory (the limit is {MOST_BYTES / 1e9:g} GB). Write "
            "it by rows, where there is room: adata.X = adata.X.tocsr()."
        )
    at = _pointers(where, node, shape[1], "column")
    indices = _native(indices[...])
    _require_indices(f"{where}: column", indices, at, shape[0])
    return sparse.csr_array(sparse.csc_array((_native(data[...]), indices, at), shape))
