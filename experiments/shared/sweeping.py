"""Sweeps behind a progress bar on stderr."""

from collections.abc import Callable

import linssl
from linssl.runtime.progress import reporting


def sweep(cell: Callable, columns: dict):
    """Evaluate all cells of one experiment behind a progress bar on stderr."""
    with reporting("cells") as report:
        return linssl.runtime.over_cells(cell, report, **columns)


def table(sweep: linssl.Sweep):
    """Run a sweep behind the same bar."""
    with reporting("cells") as report:
        return linssl.run_sweep(sweep, report=report)
