"""Moments of what doesn't fit in memory, or takes long: in one pass, on any workers, resumed."""

import functools
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from linssl.arguments import Numbers, as_path, is_concrete, require_whole
from linssl.data.saving import load_moments, save_moments
from linssl.data.sources.opening import Data, opened, told
from linssl.data.sources.source import stamp_of
from linssl.linalg.averages import (
    AT_ONCE,
    Side,
    Total,
    as_average,
    as_source,
    as_weights,
    blurred,
    effective,
    float_type,
    precision,
    summed,
)
from linssl.moments import Views, merge
from linssl.names import Names, names_of
from linssl.runtime.batching import silent
from linssl.runtime.devices import one_blas_thread
from linssl.runtime.hands import Hands, Made, hand_out, portable

UNIT = 2**26  # numbers in a work unit, or
WIDTHS = 8  # times as many rows as features, so that the moments are few beside the rows
ROOM = 2**30  # bytes for all threads of this process
LOOKED_AT = 64  # rows by which a source is known again
STAMP = "bytes and last change of its files"
# The same rows may be in memory, without any of these.
KNOWN_OF_FILES = ("part", STAMP, "hash of the names of features")


def stream_moments(
    source: Data,
    out: str | os.PathLike[str] | None = None,
    *,
    weights: Numbers | str | None = None,
    executor: Made | None = None,
    blocks: int | None = None,
    in_flight: int | None = None,
    report: Callable[[int, int], None] | None = None,
) -> Views:
    r"""Pair every instance with itself, as `same_instance` does, of rows that are read once.

    $$ \mu = \frac1W \sum w_i x_i, \quad
       G = S = \frac1W \sum w_i (x_i - \mu)(x_i - \mu)^T, \quad
       W = \sum w_i, \quad n = \frac{W^2}{\sum w_i^2} $$

    The rows are cut into blocks, by n and d alone. Each is averaged in double precision with one
    BLAS thread, and they are merged in their order: who did it, and what was killed on the way,
    doesn't change a bit. In memory at once is a part of a block for each thread, of which there
    are as many as cores and 1 GB allow; a `ThreadPoolExecutor` of more takes more.

    Args:
        source: $X$, (n, d): an array, or what gives its rows by slices (a file mapped into memory,
            a dataset of HDF5 or zarr, a sparse csr matrix). It travels to other processes pickled:
            mapped files by their path, arrays in memory a block at a time.
        out: a folder for the moments of each block, and in the end `moments.npz`, which
            `load_moments` reads. What is there of the same rows and weights isn't done again: they
            are known by some of the rows, and by names, sizes and last changes of their files (of
            a folder of pictures or a .zarr, too); where these differ, that is an error. None keeps
            them in memory.
        weights: $w$, (n,) >= 0, of any scale, or the name of a column of the source; None is 1.
            Equal ones are none, to the bit.
        executor: an executor, or a function that makes one: then a broken one is made anew. None
            is threads of this process. A ProcessPoolExecutor should spawn its processes: what a
            source keeps open rarely survives a fork.
        blocks: how many at most; None is what a folder has, or blocks of 2^26 numbers.
        in_flight: blocks under way at once; by default one more than there are threads, or twice
            the number of cores for an executor.
        report: called with (rows done, n), first with what a folder holds already.

    Returns:
        `Views` in the precision of the source, with n as their count: the number of rows, or with
        weights the effective one (`merge` of parts with weights of their own would not weigh them
        by W: stream them in one go). The file holds them in double precision.

    Raises:
        ValueError: not (n, d), NaN or inf (also where the weight is 0), rows that change while
            they are read, weights that are negative or all 0, a folder of other rows or weights.
        WorkerLostError: a block lost its worker four times.
        OSError: a folder that can't be written to, or what the source raises.

    Source: ChanGolubLeVeque1983; derived for weights (n is Kish's effective sample size).
    """
    if not is_concrete(source, weights):
        raise ValueError("source must be concrete: inside a trace use same_instance.")
    rows = as_source("source", opened(source, weights))
    names = names_of(rows)
    n, d = rows.shape
    weights = told("weights", weights, rows)
    w = None if weights is None else as_weights(weights, n)
    stamp = _stamp(rows)
    threads = _threads(d)
    if in_flight is None:
        in_flight = threads + 1 if executor is None else 2 * (os.cpu_count() or 1)
    require_whole("in_flight", in_flight, 1)
    report = report or silent
    with jax.enable_x64(True), one_blas_thread(), Hands(executor, threads) as hands:
        cut = _cut(n, d, blocks)
        folder = None
        if out is not None:
            record = _record(rows, names, w, cut)
            folder = _Folder.open(as_path("out", out), record, cut, blocks)
        cut = cut if folder is None else folder.cut
        total = None if folder is None else folder.total()
        if total is None:
            done = set() if folder is None else folder.done()
            averaged = _averaged(rows, w, cut, done, hands, in_flight, report)
            found = ((block, part.named(names)) for block, part in averaged)
            parts = _in_order(found) if folder is None else folder.keep(found)
            total = _pooled(parts, n, w)
            _require_unchanged(rows, cut, stamp)
            if folder is not None:
                folder.finish(total)
        else:
            report(n, n)
    return _kept(rows.dtype, total).named(names or total.features)


class _Cut(NamedTuple):
    """How the rows are cut."""

    length: int
    features: int
    rows: int  # of a block

    @property
    def blocks(self) -> int:
        """How many there are."""
        return -(-self.length // self.rows)

    def of(self, block: int) -> range:
        """Return the rows of a block."""
        return range(block * self.rows, min((block + 1) * self.rows, self.length))

    def named(self, block: int) -> str:
        """Say which block this is."""
        where = self.of(block)
        return f"block {block} (rows {where.start} to {where.stop - 1})"


def _cut(n: int, d: int, blocks: int | None) -> _Cut:
    if blocks is None:
        return _Cut(n, d, min(n, max(UNIT // d, WIDTHS * d)))
    require_whole("blocks", blocks, 1, n)
    return _Cut(n, d, -(-n // blocks))


def _threads(d: int) -> int:
    """Return as many threads as cores, and as fit into memory with what they work on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    each = 8 * (AT_ONCE + 4 * d**2)
    return max(1, min(cores or 1, ROOM // each))


class _Block(NamedTuple):
    """Rows of one block as they travel, and where they begin."""

    rows: Any
    begin: int
    where: range
    weights: np.ndarray | None


def _block_of(rows: Any, weights: np.ndarray | None, where: range) -> _Block:
    part = slice(where.start, where.stop)
    w = None if weights is None else weights[part]
    in_memory = isinstance(rows, np.ndarray) or hasattr(rows, "tocsr")
    mapped = _Mapped.of(rows)
    if mapped is not None:
        return _Block(mapped, 0, where, w)
    return _Block(rows[part], where.start, where, w) if in_memory else _Block(rows, 0, where, w)


class _Mapped:
    """An array mapped into memory, which travels by its path: pickled, it would be the whole."""

    def __init__(self, rows: np.memmap):
        root: Any = rows
        while isinstance(root.base, np.ndarray):
            root = root.base
        begin = root.offset + rows.ctypes.data - root.ctypes.data
        self.place = Path(str(rows.filename)).resolve(), begin
        self.rows: np.memmap | None = rows
        self.shape, self.dtype = rows.shape, rows.dtype

    @classmethod
    def of(cls, rows: Any) -> "_Mapped | None":
        """Return rows that are as their file has them, or None."""
        if not isinstance(rows, np.memmap) or not rows.filename or rows.mode == "c":
            return None
        return cls(rows) if rows.flags.c_contiguous else None

    def __getitem__(self, rows: slice) -> np.ndarray:
        if self.rows is None:  # where it went to: an error here is one of the source
            path, begin = self.place
            self.rows = np.memmap(path, self.dtype, "r", begin, self.shape)
        return self.rows[rows]

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"rows": None}


def _average_block(block: _Block) -> Total | Exception:
    """Average one block, wherever it lands; errors are data, unlike the loss of a worker."""
    try:
        with one_blas_thread():
            return summed({"source": block.rows}, block.where, block.weights, block.begin)
    except Exception as error:
        error.add_note(f"In rows {block.where.start} to {block.where.stop - 1} of the source.")
        return portable(error)


def _averaged(
    rows: Any,
    weights: np.ndarray | None,
    cut: _Cut,
    done: set[int],
    hands: Hands,
    in_flight: int,
    report: Callable[[int, int], None],
) -> Iterator[tuple[int, Views]]:
    """Yield the moments of each block that isn't done, in any order; then raise what failed."""
    failed: dict[int, Exception] = {}
    finished = sum(len(cut.of(block)) for block in done)
    report(finished, cut.length)
    eps = precision(np.dtype(rows.dtype), np.dtype(np.float64))
    todo = [block for block in range(cut.blocks) if block not in done]
    found = hand_out(
        hands,
        todo,
        lambda block: (_average_block, _block_of(rows, weights, cut.of(block))),
        in_flight,
        lambda: bool(failed),
        cut.named,
    )
    for block, total in found:
        if isinstance(total, Exception):
            failed[block] = total  # with what is under way, which may be sound
            continue
        blur = blurred(eps, total.mean, np.diagonal(total.covariance))
        yield block, _views(total.covariance, total.mean, total.weight, blur)
        finished += len(cut.of(block))
        report(finished, cut.length)
    if failed:
        raise failed[min(failed)]


def _views(covariance: Any, mean: Any, count: Any, rounding: Any) -> Views:
    return Views(covariance, jnp.zeros_like(mean), mean, count, jnp.inf, rounding)


def _in_order(found: Iterable[tuple[int, Views]]) -> Iterator[Views]:
    """Yield moments in the order of their blocks, as soon as that is known."""
    waiting: dict[int, Views] = {}
    following = 0
    for block, part in found:
        waiting[block] = part
        while following in waiting:
            yield waiting.pop(following)
            following += 1


def _pooled(parts: Iterable[Views], n: int, weights: np.ndarray | None) -> Views:
    """Merge parts by their weight, and count the instances."""
    total = functools.reduce(merge, (part for part in parts if part.count > 0))
    pooled = _views(total.shared, total.mean, effective(n, weights), total.rounding)
    return pooled.named(total.features)


def _kept(given: Any, total: Views) -> Views:
    """Return moments in the precision of the rows, at most that at hand, as `same_instance`."""
    dtype = float_type(given)
    C, mean = (np.asarray(a) for a in (total.shared, total.mean))
    x = as_average("source", dtype, Total(C, mean, 1.0), precision(np.dtype(given), dtype))
    return _views(x.covariance, x.mean, float(total.count), x.rounding)


def _require_unchanged(rows: Any, cut: _Cut, stamp: list[int | str] | None) -> None:
    """Raise where a source has grown or shrunk since it was cut, or its files have changed."""
    if tuple(rows.shape) != (cut.length, cut.features):
        raise ValueError(
            f"source changed while it was read: it was {(cut.length, cut.features)}, and is "
            f"{tuple(rows.shape)}."
        )
    now = _stamp(rows)
    if now is not None and now != stamp:
        raise ValueError(
            f"source changed while it was read: its files had {_in_words(stamp)}, and have "
            f"{_in_words(now)}. Do it again when nothing writes to them."
        )


def _in_words(stamp: Any) -> str:
    """Say what a stamp is."""
    if not isinstance(stamp, list) or len(stamp) < 2:
        return str(stamp)
    size, latest, *hashed = stamp
    date = datetime.fromtimestamp(latest / 1e9, UTC).isoformat(" ", "microseconds")
    names = f", names and times of hash {hashed[0]}" if hashed else ""
    return f"{size:,} bytes{names}, last changed at {date}"


class _Folder:
    """What is done of one source: a record of what it is, and a file for each block.

    Files appear at once, by renaming: what a kill leaves half-written has another name.
    """

    def __init__(self, path: Path, cut: _Cut):
        self.path, self.cut = path, cut
        self.parts = path / "parts"

    @classmethod
    def open(cls, path: Path, record: dict[str, Any], cut: _Cut, blocks: int | None) -> "_Folder":
        """Make a folder, or take up one of the same rows and weights, by what is recorded."""
        file = path / "moments.json"
        if not file.is_file():
            if path.exists() and (
                not path.is_dir() or any(p.name[:9] != ".moments-" for p in path.iterdir())
            ):
                raise ValueError(f"out must be a new folder, or one of moments; {path} is neither.")
            path.mkdir(parents=True, exist_ok=True)
            _write(file, json.dumps(record, indent=1) + "\n")
        there = _read_record(file)
        if blocks is None:
            record["rows in a block"] = there["rows in a block"]
        unknown = [name for name in KNOWN_OF_FILES if None in (record[name], there.get(name))]
        different = [
            name for name in record if name not in unknown and record[name] != there.get(name)
        ]
        if different:
            name, had = different[0], there.get(different[0])
            if name == STAMP:
                raise ValueError(
                    f"out must be a folder of the same rows and weights; since {path} was begun "
                    f"the data have changed: their files had {_in_words(had)}, and have "
                    f"{_in_words(record[name])}. Give another folder."
                )
            raise ValueError(
                f"out must be a folder of the same rows and weights; {path} has {name} "
                f"{had}, not {record[name]}. Give another folder."
            )
        folder = cls(path, cut._replace(rows=record["rows in a block"]))
        folder.parts.mkdir(exist_ok=True)
        return folder

    def file(self, block: int) -> Path:
        return self.parts / f"{block:06d}.npz"

    def total(self) -> Views | None:
        """Return the moments of all, where they are there."""
        found = self._load(self.path / "moments.npz")
        if found is not None:
            self._clear()
        return found

    def done(self) -> set[int]:
        """Return the blocks that are done, and sound."""
        return {b for b in range(self.cut.blocks) if self._load(self.file(b)) is not None}

    def keep(self, found: Iterable[tuple[int, Views]]) -> Iterator[Views]:
        """Write what comes, in any order; then yield all there is, in that of the blocks."""
        for block, part in found:
            try:
                save_moments(part, self.file(block))
            except FileNotFoundError:
                raise ValueError(
                    f"{self.parts} is gone, as where another run has finished: run this again."
                ) from None
        for block in range(self.cut.blocks):
            part = self._load(self.file(block))
            if part is None:
                raise ValueError(f"{self.file(block)} is damaged or gone: run this again.")
            yield part

    def finish(self, total: Views) -> None:
        """Write the moments of all, and remove those of the blocks."""
        save_moments(total, self.path / "moments.npz")
        self._clear()

    def _clear(self) -> None:
        shutil.rmtree(self.parts, ignore_errors=True)  # another run may do the same

    def _load(self, file: Path) -> Views | None:
        """Return moments of the right size, or None."""
        try:
            found = load_moments(file)
        except (ValueError, FileNotFoundError):
            return None
        if isinstance(found, Views) and found.mean.shape == (self.cut.features,):
            return found
        return None


def _record(
    rows: Any, names: Names | None, weights: np.ndarray | None, cut: _Cut
) -> dict[str, Any]:
    """Return what rows, their features, weights and blocks are known again by."""
    named = None if names is None else _hash(json.dumps(list(names)).encode())
    return {
        "moments of": list(rows.shape),
        "dtype": str(rows.dtype),
        "rows in a block": cut.rows,
        "hash of some rows": _looked_at(rows, cut),
        "part": getattr(rows, "part", None),
        STAMP: _stamp(rows),
        "hash of the names of features": named,
        "weights": None if weights is None else _hash(weights.tobytes()),
    }


def _hash(contents: bytes) -> str:
    return hashlib.sha256(contents).hexdigest()[:16]


def _looked_at(rows: Any, cut: _Cut) -> str:
    """Hash some rows from the first to the last: of others, hardly the same."""
    state, side = hashlib.sha256(), Side.of("source", rows)
    for row in np.unique(np.linspace(0, cut.length - 1, LOOKED_AT).astype(int)).tolist():
        state.update(side.read(row, row + 1).astype("<f8").tobytes())
    return state.hexdigest()[:16]


def _stamp(rows: Any) -> list[int | str] | None:
    """Return what changes with the file of rows, of which only some are looked at."""
    if isinstance(rows, np.memmap) and rows.filename and rows.mode == "r":
        file = Path(str(rows.filename))
        return list(stamp_of(file)) if file.exists() else None
    found = getattr(rows, "stamp", None)
    return None if found is None else list(found)


def _read_record(file: Path) -> dict[str, Any]:
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        require_whole("rows in a block", record["rows in a block"], 1)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file} is damaged ({error}): give another folder.") from None
    return record


def _write(file: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile(
        "w", dir=file.parent, prefix=".moments-", delete=False, encoding="utf-8"
    ) as scratch:
        scratch.write(text)
    os.replace(scratch.name, file)
