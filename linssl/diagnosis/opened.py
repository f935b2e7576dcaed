"""One reader for whatever holds the data: rows in memory, and what tells of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from scipy import sparse

from linssl.arguments import detached, is_tensor, require_room
from linssl.data.files import LABELS
from linssl.data.named import dataset_path, is_name, load_dataset
from linssl.data.preparation import AS_THEY_ARE, Preparation, Prepared, distinct, prepare
from linssl.data.sources.opening import is_table, open_source
from linssl.data.sources.source import Contents, Source, given
from linssl.diagnosis.columns import names_among, of_rows, read_column
from linssl.diagnosis.inputs import FOLDS, LEAST, Instances, check_data, find_images
from linssl.diagnosis.rows import DataRows
from linssl.linalg.averages import as_dense

IN_MEMORY = 2e9  # bytes of a source as doubles, above which rows are drawn
AT_ONCE = 2**22  # numbers that are read at a time
BATCH = "batch"


class Opened(NamedTuple):
    """What is diagnosed.

    Args:
        rows: of the data, or as many as memory holds, prepared.
        names: of features, each once; or None.
        labels: of these rows, as they came, or None.
        groups: of these rows, or None.
        batches: by their names, of these rows.
        nuisance: of these rows, as it came, or None.
        called: name of the column that the labels are, or "".
        notes: what was done.
    """

    rows: DataRows
    names: tuple[str, ...] | None
    labels: Any
    groups: Any
    batches: dict[str, Any]
    nuisance: Any
    called: str
    notes: tuple[str, ...]


def open_data(
    data: object,
    labels: object = None,
    groups: object = None,
    batch: object = None,
    layer: str | None = None,
    seed: int = 0,
    dense: bool = False,
    *,
    nuisance: object = None,
    preparation: Preparation = AS_THEY_ARE,
) -> Opened:
    """Read data, and what tells of their rows, and prepare them.

    Arrays in memory are taken as they are. Anything else is opened as a source; one that would
    take more than 2 GB as doubles is read at rows that are drawn at random.

    Args:
        data: as for `diagnose`.
        labels: as for `diagnose`.
        groups: as for `diagnose`.
        batch: as for `diagnose`.
        layer: which part of the data holds the rows.
        seed: of rows that are drawn.
        dense: whether sparse rows are to be made dense, for a view that is called.
        nuisance: as for `recommend`: values of the rows, a column or a file.
        preparation: what is dropped, imputed and standardised; text among the features of a
            table becomes one feature for each level.

    Raises:
        ValueError: as `open_source` and `prepare`, and for what isn't there, comes twice, or
            doesn't fit.
    """
    asked = {"labels": labels, "groups": groups, "nuisance": nuisance}
    batches = _batches(batch)
    columns = names_among((*asked.values(), *batches.values()))
    rows = _rows(data, layer, columns, seed, dense, preparation)

    def told(argument: str, kind: str, of: object) -> Any:
        values = read_column(kind, of, rows.source, preparation.drop)
        return of_rows(argument, values, rows.count, rows.drawn)

    found = {name: told(name, name, of) for name, of in asked.items()}
    by = {name: told(batch_argument(name), BATCH, of) for name, of in batches.items()}
    return Opened(
        DataRows(rows.prepared.rows),
        rows.prepared.names,
        found["labels"],
        found["groups"],
        {name: values for name, values in by.items() if values is not None},
        found["nuisance"],
        str(labels) if rows.has(labels) else "",
        rows.prepared.notes,
    )


class _Rows(NamedTuple):
    """Rows that were read and prepared; how many there are, in which source; which were drawn."""

    prepared: Prepared
    count: int
    source: Source | None = None
    drawn: np.ndarray | None = None

    def has(self, column: object) -> bool:
        return self.source is not None and isinstance(column, str) and column in self.source.columns


def _rows(
    data: object,
    layer: str | None,
    columns: Sequence[str],
    seed: int,
    dense: bool,
    preparation: Preparation,
) -> _Rows:
    """Read and prepare rows."""
    if _is_in_memory(data):
        if layer is not None:
            raise ValueError(f"data are one array: layer must be None; got {layer!r}.")
        X = check_data(data)
        return _Rows(prepare("data", X, None, {}, preparation), len(X))
    if isinstance(data, str) and is_name(data) and data != "digits":
        data = dataset_path(data)
    beside = (*columns, *(name for name in preparation.drop if name not in columns))
    source = _source(data, layer, beside)
    drawn, texts = _drawn(source, seed), {}
    if is_table(data) and source.names is not None:
        texts = {n: _text(source, n, drawn) for n in source.columns if n not in (*LABELS, *beside)}
        preparation = replace(preparation, drop=())  # are beside by now
    read = _read(source, drawn, dense or preparation.standardise)
    names = None if source.names is None or len(source.shape) > 2 else distinct(source.names)
    prepared = prepare(source.where, read, names, texts, preparation)
    notes = _notes(source, drawn) + prepared.notes
    return _Rows(prepared._replace(notes=notes), len(source), source, drawn)


def _text(source: Source, name: str, drawn: np.ndarray | None) -> np.ndarray:
    values = source.column(name, gaps=True)
    return values if drawn is None else values[drawn]


def _is_in_memory(data: object) -> bool:
    array = isinstance(data, np.ndarray | jax.Array | list | tuple | np.generic | int | float)
    return data is None or is_tensor(data) or (array and not isinstance(data, np.memmap))


def _source(data: object, layer: str | None, beside: Sequence[str]) -> Source:
    """Open data; of tables, what is asked for by name, or is text, is no feature."""
    if isinstance(data, str) and data == "digits":
        digits = load_dataset("digits")
        labels = {"y": partial(np.asarray, digits.y_train)}
        return given("digits", Contents(digits.X_train.reshape(-1, 8, 8), None, labels))
    if not is_table(data):
        return open_source(data, layer=layer)
    return open_source(data, layer=layer, columns=beside, text_beside=True)


def _batches(batch: object) -> dict[str, object]:
    """Return what was asked for as batches, by the names that a report gives them."""
    if batch is None:
        return {}
    if isinstance(batch, Mapping):
        return {str(name): values for name, values in batch.items()}
    names = [batch] if isinstance(batch, str) else batch
    if not isinstance(names, list | tuple) or len(names) >= LEAST:  # no rows are so few
        return {BATCH: batch}
    if not all(isinstance(name, str) for name in names):
        return {BATCH: batch}
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"batch must name each column once; got {twice[0]!r} twice.")
    return {str(name): name for name in names}


def batch_argument(name: str) -> str:
    """Return what errors call a batch."""
    return BATCH if name == BATCH else f"{BATCH} {name!r}"


def _drawn(source: Source, seed: int) -> np.ndarray | None:
    """Return which rows are read, in order; None is all. Or raise where none could be."""
    n, features = len(source), int(np.prod(source.shape[1:]))
    if n < LEAST:
        raise ValueError(f"data must have at least {LEAST} samples, for errors; got {n}.")
    require_room(features, 8 * FOLDS)  # one second moment a fold
    most = int(IN_MEMORY / 8 / features)
    if n <= most:
        return None
    return np.sort(np.random.default_rng(seed).choice(n, max(most, LEAST), replace=False))


def _notes(source: Source, drawn: np.ndarray | None) -> tuple[str, ...]:
    if drawn is None:
        return ()
    return (
        f"{len(drawn):,} of {len(source):,} rows were read, drawn at random (--seed): all of them "
        f"take more than {IN_MEMORY / 1e9:g} GB as doubles. Pass an array to use every row.",
    )


def _read(source: Source, drawn: np.ndarray | None, dense: bool) -> Any:
    """Read rows a block at a time: an array, or csr where the data are sparse."""
    n, features = len(source), int(np.prod(source.shape[1:]))
    step = max(AT_ONCE // features, 64)
    count = n if drawn is None else len(drawn)
    out, parts, at = None, [], 0
    for start in range(0, n, step):
        block = _block(source, start, min(start + step, n), drawn)
        if block is None:
            continue
        if sparse.issparse(block) and not dense:
            parts.append(block)
            continue
        if out is None:
            out = np.empty((count, *source.shape[1:]), source.dtype)
        out[at : at + block.shape[0]] = as_dense(block)
        at += block.shape[0]
    if out is None:
        return sparse.csr_array(sparse.vstack(parts, "csr"))
    return out if out.dtype.isnative else out.astype(out.dtype.newbyteorder("="))


def _block(source: Source, start: int, stop: int, drawn: np.ndarray | None) -> Any:
    """Return rows from start to stop, of those that were drawn; None where none was."""
    if drawn is None:
        return source[start:stop]
    here = drawn[slice(*np.searchsorted(drawn, (start, stop)))]
    return source[here[0] : here[-1] + 1][here - here[0]] if here.size else None


def instances_of(opened: Opened, data: Any, image_shape: Any, channels: str | None) -> Instances:
    """Return the rows as images, if they are; a tensor's as they came, for a view."""
    X, stated = opened.rows.values, image_shape is not None or channels is not None
    if not isinstance(X, np.ndarray):
        if not stated:
            return Instances(X, X)
        X = as_dense(X)
    if opened.names is not None and not stated:  # columns with names are no pixels
        return Instances(X, X)
    given = detached(data) if is_tensor(data) else X
    return find_images(X, given, image_shape, channels)
