"""Sweeps: a function of one cell, batched over many."""

from linssl.sweep.batching import grid as grid
from linssl.sweep.batching import over_cells as over_cells
from linssl.sweep.run import SweepStoppedError as SweepStoppedError
from linssl.sweep.run import WorkerLostError as WorkerLostError
from linssl.sweep.run import run_sweep as run_sweep
from linssl.sweep.store import StoreError as StoreError
from linssl.sweep.store import open_sweep as open_sweep
from linssl.sweep.sweep import Sweep as Sweep
