"""Matrices of 10x Genomics, as CellRanger writes them to .h5: genes x cells by columns.

| part | version 3 | version 2 |
|---|---|---|
| the group | matrix | one for each genome |
| names of genes | features/name, features/id | gene_names, genes |

Columns of genes x cells are rows of cells x genes: a slice of cells is read by itself.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from linssl.data.sources.source import Column, Contents
from linssl.data.sources.sparse_rows import PARTS, SparseRows
from linssl.data.sources.values import as_text
from linssl.data.tables import FileError

NAMES = (("features/name", "features/id"), ("gene_names", "genes"))


def tenx_groups(root: Any) -> list[str]:
    """Return the groups that look like matrices of 10x, by their names and barcodes."""
    return [name for name, node in root.items() if hasattr(node, "keys") and _looks_so(node)]


def _looks_so(node: Any) -> bool:
    return "barcodes" in node and any(names in node for names, _ in NAMES)


def of_tenx(file: Path, root: Any, layer: str | None) -> Contents:
    """Return the rows of cells, the names of genes, and the column `barcodes`.

    Args:
        file: what errors call it.
        root: of the file.
        layer: the group, of a genome, where there are several.

    Raises:
        ValueError: several genomes and no layer, or parts that are missing or don't fit together.
    """
    found = tenx_groups(root)
    chosen = found[0] if layer is None and len(found) == 1 else layer
    if chosen not in found:
        raise FileError(f"{file}: layer= must be one of {', '.join(found)}; got {layer!r}.")
    node, where = root[chosen], f"{file}: {chosen}"
    lost = [part for part in (*PARTS, "shape") if part not in node]
    if lost:
        raise FileError(
            f"{where} must hold data, indices, indptr and shape, as of 10x Genomics; it has no "
            f"{' and no '.join(lost)}."
        )
    sides = np.asarray(node["shape"][...]).ravel().tolist()
    if len(sides) != 2:
        raise FileError(f"{where}/shape must be genes and cells, two numbers; got {sides}.")
    genes, cells = map(int, sides)
    names = _names(where, node, genes)
    _require_length(f"{where}/barcodes", node["barcodes"], cells, "cells")
    columns: dict[str, Column] = {"barcodes": partial(_text, node["barcodes"])}
    return Contents(SparseRows(where, node, (cells, genes)), names, columns, chosen)


def _names(where: str, node: Any, genes: int) -> tuple[str, ...]:
    """Return the names of genes, with the identifier where several share a name."""
    name, identifier = next(pair for pair in NAMES if pair[0] in node)
    _require_length(f"{where}/{name}", node[name], genes, "genes")
    names = _text(node[name])
    if identifier not in node:
        return tuple(map(str, names))
    _require_length(f"{where}/{identifier}", node[identifier], genes, "genes")
    distinct, at, counts = np.unique(names.astype(str), return_inverse=True, return_counts=True)
    shared = counts[at] > 1
    return tuple(
        f"{distinct[i]} ({known})" if twice else str(distinct[i])
        for i, known, twice in zip(at, _text(node[identifier]), shared, strict=True)
    )


def _text(node: Any) -> np.ndarray:
    return as_text(np.asarray(node[...]))


def _require_length(where: str, node: Any, count: int, what: str) -> None:
    if node.shape != (count,):
        raise FileError(
            f"{where} must be ({count:,},), one for each of the {what} that shape tells of; got "
            f"{node.shape}."
        )
