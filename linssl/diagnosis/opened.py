"""One reader for whatever holds the data: rows in memory, and what tells of them."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from scipy import sparse

from linssl.arguments import is_tensor, listed, require_room
from linssl.data.files import GROUPS, LABELS
from linssl.data.named import dataset_path, is_name, load_dataset
from linssl.data.sources.opening import is_column, is_table, open_source, told
from linssl.data.sources.source import Contents, Source, given
from linssl.data.tables import FileError
from linssl.diagnosis.inputs import FOLDS, LEAST, check_data
from linssl.diagnosis.rows import DataRows
from linssl.labels import as_labels
from linssl.linalg.averages import as_dense

IN_MEMORY = 2e9  # bytes of a source as doubles, above which rows are drawn
AT_ONCE = 2**22  # numbers that are read at a time
NONE, BATCH = "none", "batch"
DEFAULTS = {"labels": (*LABELS, "y_train"), "groups": (GROUPS,)}  # columns that are taken unasked


class Opened(NamedTuple):
    """What is diagnosed.

    Args:
        rows: of the data, or as many as memory holds.
        names: of features, each once; or None.
        labels: of these rows, as they came, or None.
        groups: of these rows, or None.
        batches: by their names, of these rows.
        called: name of the column that the labels are, or "".
        notes: what was done.
    """

    rows: DataRows
    names: tuple[str, ...] | None
    labels: Any
    groups: Any
    batches: dict[str, Any]
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
) -> Opened:
    """Read data, and what tells of their rows.

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

    Raises:
        ValueError: as `open_source`, and for what isn't there, comes twice, or doesn't fit.
    """
    wanted = {"labels": labels, "groups": groups}
    batches = _batches(batch)
    beside = (*wanted.values(), *batches.values())
    source = None if _is_in_memory(data) else _source(data, layer, _names(beside))
    if source is None:
        if layer is not None:
            raise ValueError(f"data are one array: layer must be None; got {layer!r}.")
        rows, drawn, notes = DataRows(check_data(data)), None, ()
    else:
        drawn = _drawn(source, seed)
        rows, notes = DataRows(_read(source, drawn, dense)), _notes(source, drawn)
    n = len(rows) if source is None else len(source)
    told = {
        name: _chosen(name, _column(name, asked, source), n, drawn)
        for name, asked in wanted.items()
    }
    of = {
        name: _chosen(batch_argument(name), _column("batch", asked, source), n, drawn)
        for name, asked in batches.items()
    }
    names = None if source is None or len(source.shape) > 2 else source.names
    return Opened(
        rows,
        None if names is None else _distinct(names),
        told["labels"],
        told["groups"],
        {name: values for name, values in of.items() if values is not None},
        _called(labels, source),
        notes,
    )


def _is_in_memory(data: object) -> bool:
    array = isinstance(data, np.ndarray | jax.Array | list | tuple | np.generic | int | float)
    return data is None or is_tensor(data) or (array and not isinstance(data, np.memmap))


def _source(data: object, layer: str | None, columns: Sequence[str]) -> Source:
    """Open data; of tables, what is asked for by name is no feature."""
    if isinstance(data, str) and data == "digits":
        digits = load_dataset("digits")
        beside = {"y": partial(np.asarray, digits.y_train)}
        return given("digits", Contents(digits.X_train.reshape(-1, 8, 8), None, beside))
    if isinstance(data, str) and is_name(data):
        data = dataset_path(data)
    try:
        return open_source(data, layer=layer, columns=columns if is_table(data) else ())
    except FileError as error:
        if "columns=[" not in str(error):
            raise
        here = "Here labels, batch or groups name it; drop what is none of these."
        raise FileError(f"{error} {here}") from None


def _names(asked: Sequence[object]) -> tuple[str, ...]:
    """Return what is asked for by the name of a column, each once."""
    named = (a for a in asked if isinstance(a, str) and a != NONE and is_column(a))
    return tuple(dict.fromkeys(named))


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


def _column(argument: str, asked: object, source: Source | None) -> Any:
    """Return what is asked for: values, a column of the data, a file, or nothing."""
    there = () if source is None else source.columns
    if asked is None:
        name = next((name for name in DEFAULTS.get(argument, ()) if name in there), None)
        return None if source is None or name is None else source.column(name)
    return None if isinstance(asked, str) and asked == NONE else told(argument, asked, source, NONE)


def _called(labels: object, source: Source | None) -> str:
    named = source is not None and isinstance(labels, str) and labels in source.columns
    return str(labels) if named else ""


def _chosen(name: str, values: Any, count: int, drawn: np.ndarray | None) -> Any:
    """Return values of the rows that were drawn."""
    if values is None or drawn is None:
        return values
    known = as_labels(name, values)
    if len(known) != count:
        raise ValueError(f"{name} must be ({count},), one for each row; got {known.shape}.")
    return known[drawn]


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
        _require_finite(source, block)
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


def _require_finite(source: Source, block: Any) -> None:
    values = block.data if sparse.issparse(block) else block
    if values.dtype.kind != "f" or np.isfinite(values).all():
        return
    rows = as_dense(block).reshape(block.shape[0], -1)
    bad = np.flatnonzero(~np.isfinite(rows).all(0))
    names = bad if source.names is None else np.array(source.names)[bad]
    raise FileError(
        f"{source.where} must be finite; got NaN or inf in {bad.size} of {rows.shape[1]} columns: "
        f"{listed(names)}. Drop or impute them first."
    )


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names each of which says which column it is: some genes come twice."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
    return tuple(f"{n} (column {i})" if seen[n] > 1 else n for i, n in enumerate(names))
