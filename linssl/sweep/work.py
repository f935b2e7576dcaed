"""A work unit, as it travels: a run of cells of one sweep, solved wherever it lands."""

import collections
import hashlib
import pickle
import threading
from typing import Any, NamedTuple

import jax
import numpy as np

from linssl.runtime.devices import one_blas_thread
from linssl.runtime.hands import portable
from linssl.runtime.optional import require
from linssl.sweep.evaluate import evaluate
from linssl.sweep.identity import environment
from linssl.sweep.spec import Sweep

KEPT = 4  # sweeps that a worker remembers, so that it compiles each of them once


class Parcel(NamedTuple):
    """A sweep on its way to another process."""

    hash: str
    pickled: bytes

    @classmethod
    def of(cls, sweep: Sweep) -> "Parcel":
        """Pack a sweep; functions that can't be imported travel by value."""
        pickled = require("cloudpickle").dumps(sweep)
        return cls(hashlib.sha256(pickled).hexdigest(), pickled)


class Solved(NamedTuple):
    """What comes back: arrays of the cells, or the cell's own error, and from where."""

    values: dict[str, np.ndarray]
    error: Exception | None
    environment: dict[str, Any]


_lock = threading.Lock()
_unpacked: collections.OrderedDict[str, Sweep] = collections.OrderedDict()


def solve(work: Sweep | Parcel, cells: slice, batch: int, x64: bool) -> Solved:
    """Solve some cells of a sweep here.

    Args:
        work: the sweep, or a parcel of it.
        cells: which, in its own order.
        batch: cells a batch.
        x64: whether in double precision.
    """
    with jax.enable_x64(x64), one_blas_thread():
        sweep = work if isinstance(work, Sweep) else _unpack(work)
        here = environment()
        try:
            columns, draws = sweep.columns(cells.start, cells.stop)
            return Solved(evaluate(sweep.bound, columns, draws, batch), None, here)
        except Exception as error:
            # Data, so that whoever hands out work can tell it from the loss of a worker.
            return Solved({}, portable(error), here)


def where(x64: bool) -> dict[str, Any]:
    """Return the environment of whoever runs this."""
    with jax.enable_x64(x64):
        return environment()


def _unpack(parcel: Parcel) -> Sweep:
    with _lock:
        if parcel.hash not in _unpacked:
            _unpacked[parcel.hash] = pickle.loads(parcel.pickled)
            while len(_unpacked) > KEPT:
                _unpacked.popitem(last=False)
        return _unpacked[parcel.hash]
