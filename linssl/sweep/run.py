"""Run a sweep: hand its work units out, write what comes back, and lose nothing on the way."""

import contextlib
import dataclasses
import os
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from linssl.arguments import as_path, describe, require_whole
from linssl.runtime.batching import silent
from linssl.runtime.devices import in_double_precision, one_blas_thread
from linssl.runtime.hands import Hands, WorkerLostError, hand_out
from linssl.runtime.optional import require
from linssl.sweep.fingerprint import difference, digest
from linssl.sweep.identity import environment, identity
from linssl.sweep.plan import Plan, make_plan
from linssl.sweep.spec import Sweep
from linssl.sweep.store import Store, StoreError, attributes, damage
from linssl.sweep.table import Frame
from linssl.sweep.work import Parcel, solve, where

if TYPE_CHECKING:
    import xarray

__all__ = ["SweepStoppedError", "WorkerLostError", "run_sweep"]


class SweepStoppedError(Exception):
    """A sweep was asked to stop, and did, after the units under way."""


class Memory:
    """The finished cells of a sweep that has no store."""

    def __init__(self, frame: Frame, plan: Plan, provenance: dict[str, str]):
        self.frame, self.plan, self.provenance = frame, plan, provenance
        self.finished = np.zeros(plan.units, bool)
        self.arrays = frame.blank()

    def write(self, unit: int, values: dict[str, np.ndarray]) -> None:
        """Keep one unit."""
        for name, array in self.arrays.items():
            array[self.plan.of(unit)] = values[name]
        self.finished[unit] = True

    def dataset(self) -> "xarray.Dataset":
        """Build the table."""
        return self.frame.dataset(self.arrays, self.provenance)


def run_sweep(
    sweep: Sweep,
    out: str | os.PathLike[str] | None = None,
    *,
    executor: Executor | Callable[[], Executor] | None = None,
    in_flight: int | None = None,
    report: Callable[[int, int], None] | None = None,
    memory: float = 256e6,
    repair: bool = False,
    stop: threading.Event | None = None,
) -> "xarray.Dataset":
    """Solve every cell that isn't solved yet, and return the table.

    In the precision and on the devices of this process, all of them, with one BLAS thread; or
    wherever an executor puts the work: any that takes pickled functions, `client.get_executor()`
    of a dask cluster among them. (A ProcessPoolExecutor must spawn its processes: jax hangs in
    forked ones.) Only this process writes.

    Args:
        sweep: what to solve.
        out: a store to make or to resume; None keeps the results in memory.
        executor: an executor, or a function that makes one: then a broken one is made anew.
        in_flight: units under way at once; by default one more than there are devices, or twice
            the number of cores for an executor.
        report: called with (cells done, cells), first with what a store holds already.
        memory: bytes a work unit may take.
        repair: whether units of the store that are damaged are solved again.
        stop: when set, units under way are finished and written, and nothing is begun.

    Returns:
        `xarray.Dataset` with dimensions (*axes, seed), after them `objective` where the cell
        names objectives, and provenance as attributes.

    Raises:
        StoreError: the store is of another sweep, damaged, or can't be written.
        SweepStoppedError: `stop` was set before the end.
        WorkerLostError: a unit lost its worker four times, or an executor broke for good.
        ValueError: workers that don't compute with the same versions and precision.
        Exception: whatever the cell raised.
    """
    if not isinstance(sweep, Sweep):
        raise ValueError(f"sweep must be a Sweep; got {describe(sweep)}.")
    if in_flight is not None:
        require_whole("in_flight", in_flight, 1)
    sweep = dataclasses.replace(sweep)  # bound anew: what its functions hold may have changed
    require("xarray")  # missed now, and not when everything is solved
    x64 = in_double_precision()
    frame = Frame.of(sweep)  # traces the cell: its own errors come first
    with contextlib.ExitStack() as stack:
        hands = stack.enter_context(Hands(executor, jax.local_device_count()))
        here = environment() if executor is None else hands.ask(where, x64)
        record = identity(sweep, here)
        table = _open(sweep, out, frame, record, memory, repair)
        work = sweep if executor is None else Parcel.of(sweep)
        if executor is None:
            stack.enter_context(one_blas_thread())
            in_flight = in_flight or jax.local_device_count() + 1
        in_flight = in_flight or 2 * (os.cpu_count() or 1)
        stop = stop or threading.Event()
        report = report or silent
        report(table.plan.cells_in(table.finished), sweep.cells)
        failed: Exception | None = None

        def stopping() -> bool:
            return failed is not None or stop.is_set()

        def call(unit: int) -> tuple[Any, ...]:
            return solve, work, table.plan.of(unit), table.plan.batch, x64

        todo = np.flatnonzero(~table.finished).tolist()
        for unit, solved in hand_out(hands, todo, call, in_flight, stopping):
            if solved.environment != here:
                raise ValueError(
                    "all workers must compute alike; one differs from the first: "
                    f"{'; '.join(difference(here, solved.environment))}."
                )
            if solved.error is not None:
                cells = table.plan.of(unit)
                solved.error.add_note(f"In cells {cells.start} to {cells.stop - 1} of the sweep.")
                failed = failed or solved.error
                continue  # with the units under way, which may be sound
            table.write(unit, solved.values)
            report(table.plan.cells_in(table.finished), sweep.cells)
        if failed is not None:
            raise failed
        if not table.finished.all():
            done = int(table.finished.sum())
            kept = "" if out is None else f", all of them in {out}: run the same sweep to go on"
            raise SweepStoppedError(f"stopped after {done} of {table.plan.units} units{kept}.")
        return table.dataset()


def _open(
    sweep: Sweep,
    out: str | os.PathLike[str] | None,
    frame: Frame,
    record: dict[str, Any],
    memory: float,
    repair: bool,
) -> Store | Memory:
    hash = digest(record)
    if out is None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return Memory(frame, make_plan(sweep, memory), attributes(record, hash, now))
    if "://" in str(out) or "::" in str(out):
        raise ValueError(f"out must be a folder of this machine; got {out}.")
    path = as_path("out", out)
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:  # a name that no disk takes
        raise ValueError(f"out must be a folder that can be made; got {out!r}: {error}.") from None
    if not (path / "zarr.json").is_file():
        return Store.create(path, frame, record, make_plan(sweep, memory))
    store = Store(path)
    if store.hash != hash:
        lines = "\n  ".join(difference(store.identity, record))
        raise StoreError(
            f"{path} holds another sweep (hash {store.hash}, this one is {hash}):\n  {lines}\n"
            "Give another --out, or go back to what that one was."
        )
    if store.frame._replace(units={}) != frame._replace(units={}):
        lines = "\n  ".join(difference(store.frame._asdict(), frame._asdict()))
        raise StoreError(
            f"{path} holds another table, so what the cell calls has changed:\n  {lines}\n"
            "Give another --out."
        )
    broken = store.damaged()
    if broken and not repair:
        raise StoreError(damage(path, broken, store.plan.units))
    store.reopen(broken)
    return store
