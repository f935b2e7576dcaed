"""Sweeps behind a progress bar on stderr."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import linssl
from linssl.runtime.progress import reporting

Item = TypeVar("Item")


def counted(what: str, items: Sequence[Item]) -> Iterator[Item]:
    """Yield items behind a progress bar on stderr."""
    with reporting(what) as report:
        for done, item in enumerate(items):
            report(done, len(items))
            yield item
        report(len(items), len(items))


def sweep(cell: Callable, columns: dict):
    """Evaluate all cells of one experiment behind a progress bar on stderr."""
    with reporting("cells") as report:
        return linssl.runtime.over_cells(cell, report, **columns)


def table(sweep: linssl.Sweep):
    """Run a sweep behind the same bar."""
    with reporting("cells") as report:
        return linssl.run_sweep(sweep, report=report)
