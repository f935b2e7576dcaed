"""Per-row values as HDF5 and zarr store them: numbers, text, categories, with or without gaps."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from linssl.data.tables import FileError

WHOLE = {
    False: "pass the h5py data set itself",
    True: "pass the zarr array itself, or write it with write_empty_chunks=True",
}


def as_text(values: np.ndarray) -> np.ndarray:
    """Return values with text as text: libraries store it as bytes, or as objects."""
    if values.dtype.kind == "S":
        return np.strings.decode(values, "utf-8")
    if values.dtype.kind in "OT":
        texts = [v.decode() if isinstance(v, bytes) else v for v in values.tolist()]
        return np.array(texts, object)
    return values


def stored_values(where: str, node: Any) -> np.ndarray:
    """Return what a data set, or a group of an AnnData encoding, holds: (n,), None where missing.

    Args:
        where: what errors call it.
        node: a data set; or a group with codes and categories, or with values and a mask.

    Raises:
        ValueError: parts of an encoding that are missing or don't fit together.
    """
    if not hasattr(node, "keys"):
        values = as_text(np.asarray(node[...]))
        categories = node.attrs.get("categories")  # of anndata 0.7: a reference
        if categories is None:
            return values
        return categorical(where, values, as_text(node.file[categories][...]))
    parts = set(node.keys())
    if {"codes", "categories"} & parts:
        _require_parts(where, parts, ("codes", "categories"))
        categories = stored_values(f"{where}/categories", node["categories"])
        return categorical(where, np.asarray(node["codes"][...]), categories)
    _require_parts(where, parts, ("values", "mask"))
    values, gaps = as_text(np.asarray(node["values"][...])), np.asarray(node["mask"][...])
    if values.shape != gaps.shape:
        raise FileError(f"{where} has {len(values):,} values, and a mask of {len(gaps):,}.")
    return _with_gaps(values, gaps.astype(bool))


def _require_parts(where: str, parts: set[str], wanted: tuple[str, str]) -> None:
    lost = [name for name in wanted if name not in parts]
    if lost:
        raise FileError(
            f"{where} must hold {' and '.join(wanted)}; {' and '.join(lost)} "
            f"{'is' if len(lost) == 1 else 'are'} missing. It holds {sorted(parts)}."
        )


def categorical(where: str, codes: np.ndarray, categories: np.ndarray) -> np.ndarray:
    """Return the category of each row, None where its code is -1.

    Raises:
        ValueError: codes that aren't whole numbers from -1 to below the number of categories.
    """
    if codes.ndim != 1 or codes.dtype.kind not in "iu":
        raise FileError(
            f"{where} must have codes (n,) of whole numbers; got {codes.shape} of {codes.dtype}."
        )
    bad = (codes < -1) | (codes >= len(categories))
    if bad.any():
        row = int(np.argmax(bad))
        raise FileError(
            f"{where} must have codes from 0 to {len(categories) - 1}, of its {len(categories)} "
            f"categories, or -1 where missing; got {bad.sum():,} others, the first {codes[row]} at "
            f"row {row:,}."
        )
    gaps = codes < 0
    return _with_gaps(categories[np.where(gaps, 0, codes)] if len(categories) else codes, gaps)


def _with_gaps(values: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    if not gaps.any():
        return values
    values = values.astype(object)
    values[gaps] = None
    return values


def require_written(where: str, node: Any) -> None:
    """Raise where parts of a data set of HDF5 or zarr were never written: they would read as 0."""
    parts, found = _chunks(node)
    if found < parts:
        raise FileError(
            f"{where}: {parts - found:,} of {parts:,} chunks were never written, and would read as "
            f"{node.fill_value if is_zarr(node) else node.fillvalue}: was what writes it "
            f"interrupted? If it is whole, {WHOLE[is_zarr(node)]}."
        )


def is_zarr(node: Any) -> bool:
    """Say whether a node is an array of zarr, which by itself leaves out chunks of zeros."""
    return hasattr(node, "nchunks_initialized")


def _chunks(node: Any) -> tuple[int, int]:
    """Return how many chunks a data set has, and how many of them are there."""
    if is_zarr(node):
        return node.nchunks, node.nchunks_initialized
    if not hasattr(getattr(node, "id", None), "get_num_chunks"):
        return 0, 0
    if node.is_virtual or not node.size:
        return 0, 0
    if node.chunks is None:
        return 1, int(node.id.get_storage_size() > 0)
    sides = zip(node.shape, node.chunks, strict=True)
    return math.prod(-(-side // chunk) for side, chunk in sides), node.id.get_num_chunks()


def attributes(node: Any) -> Mapping[str, Any]:
    """Return the attributes of a data set or group, text as text."""
    found = dict(node.attrs)
    return {k: v.decode() if isinstance(v, bytes) else v for k, v in found.items()}
