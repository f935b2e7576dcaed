"""Annotated matrices as AnnData stores them: .h5ad of today's layout and of the old one, .zarr.

| part | today's layout | the old one |
|---|---|---|
| raw | raw/X, raw/var | raw.X, raw.var |
| obs, var | groups, a data set or group for each column | data sets of compound type |
| categories | obs/NAME/categories and codes | uns/NAME_categories, and codes in obs |
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from linssl.data.sources.source import Column, Contents
from linssl.data.sources.sparse_rows import stored_rows
from linssl.data.sources.values import as_text, attributes, categorical, stored_values
from linssl.data.tables import FileError
from linssl.runtime.optional import require

INDEX = ("_index", "index")  # what the names of rows are called


def open_h5ad(file: Path, layer: str | None) -> Contents:
    """Open a .h5ad file by h5py alone."""
    return annotated(file, require("h5py", "data").File(file, "r"), layer)


def is_annotated(root: Any) -> bool:
    """Say whether a root says that it is of AnnData."""
    return attributes(root).get("encoding-type") == "anndata"


def annotated(file: Path, root: Any, layer: str | None) -> Contents:
    """Return rows of a matrix in an AnnData layout, the names of its features, and obs.

    Args:
        file: what errors call it.
        root: a group of h5py or zarr.
        layer: X, raw, a name in layers, or obsm/NAME; None is X.
    """
    part = choose_layer(str(file), layer, _matrices(root))
    room, _, name = part.partition("/")
    node = _find(root, part)
    if node is None:  # a field of the old layout's one data set
        node = root[room][name]
    stored = not isinstance(node, np.ndarray)
    rows, note = stored_rows(f"{file}: {part}", node) if stored else (node, "held in memory")
    var = None if room == "obsm" else _find(root, "raw/var" if room == "raw" else "var")
    names = None if var is None else _names(f"{file}: {'raw/' * (room == 'raw')}var", var)
    return Contents(rows, names, _columns(file, root), part, note)


def choose_layer(where: str, layer: str | None, found: Sequence[str]) -> str:
    """Return the path of the matrix that is asked for, of X, raw/X, layers/NAME and obsm/NAME.

    Raises:
        ValueError: no such matrix, or two of one name.
    """
    wanted = "X" if layer is None else layer
    paths = [path for path in (wanted, f"{wanted}/X", f"layers/{wanted}") if path in found]
    if not found:
        raise FileError(f"{where} holds no rows: no X, no raw, no layers and no obsm.")
    if not paths:
        raise FileError(
            f"{where} has no layer {wanted!r}; layer= may be {', '.join(found) or 'nothing here'}."
        )
    if wanted not in found and len(paths) > 1:
        raise FileError(f"{where} has two layers {wanted!r}: layer= must be one of {paths}.")
    return paths[0]


def _find(root: Any, path: str) -> Any:
    """Return what lies at a path, in today's layout or the old one, or None."""
    for name in (path, path.replace("raw/", "raw.")):
        if name in root and attributes(root[name]).get("encoding-type") != "null":
            return root[name]
    return None


def _matrices(root: Any) -> list[str]:
    found = [path for path in ("X", "raw/X") if _find(root, path) is not None]
    for room in ("layers", "obsm"):
        found += [f"{room}/{name}" for name in (_members(root[room]) if room in root else ())]
    return found


def _members(node: Any) -> list[str]:
    """Return the names of what a group holds, or of the fields of a compound data set."""
    return list(node.keys() if hasattr(node, "keys") else node.dtype.names or ())


def _index_of(frame: Any) -> str | None:
    """Return what holds the names of a frame's rows."""
    members = _members(frame)
    return next((n for n in (attributes(frame).get("_index"), *INDEX) if n in members), None)


def _names(where: str, frame: Any) -> tuple[str, ...] | None:
    name = _index_of(frame)
    if name is None:
        return None
    if hasattr(frame, "keys"):
        return tuple(map(str, stored_values(f"{where}/{name}", frame[name])))
    return tuple(map(str, as_text(frame[name])))


def _columns(file: Path, root: Any) -> dict[str, Column]:
    """Return what reads each column of obs."""
    if "obs" not in root:
        return {}
    obs = root["obs"]
    names = [n for n in _members(obs) if n not in (_index_of(obs), "__categories")]
    return {name: partial(_column, f"{file}: obs/{name}", root, name) for name in names}


def _column(where: str, root: Any, name: str) -> np.ndarray:
    obs = root["obs"]
    if hasattr(obs, "keys"):
        return stored_values(where, obs[name])
    values, categories = as_text(obs[name]), f"uns/{name}_categories"
    if categories not in root:
        return values
    return categorical(where, values, as_text(root[categories][...]))
