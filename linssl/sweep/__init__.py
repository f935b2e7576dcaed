"""Sweeps: a function of one cell, run over a grid, on disk, on many machines."""

from linssl.sweep.run import SweepStoppedError as SweepStoppedError
from linssl.sweep.run import WorkerLostError as WorkerLostError
from linssl.sweep.run import run_sweep as run_sweep
from linssl.sweep.spec import Sweep as Sweep
from linssl.sweep.store import StoreError as StoreError
from linssl.sweep.store import open_sweep as open_sweep
