"""Timing side by side: the sides take turns, and the least disturbed turn of each counts.

Machines are shared and their clocks drift, so a ratio of two numbers taken minutes apart says
little. Every side is warmed up (compiled, its pages touched), then all sides run alternately.
"""

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

Side = Callable[[], Any]


def finish(result: Any) -> Any:
    """Wait until a result is there: jax returns before the work is done."""
    jax = sys.modules.get("jax")  # a numpy-only process need not import it
    return result if jax is None else jax.block_until_ready(result)


def seconds(side: Side) -> float:
    """Time one call."""
    start = time.perf_counter()
    finish(side())
    return time.perf_counter() - start


def alternate(sides: Mapping[str, Side], repeats: int, warm: bool = True) -> dict[str, list[float]]:
    """Time all sides in turn, `repeats` times; each is called once before, unless warm already."""
    if warm:
        for side in sides.values():
            finish(side())
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(repeats):
        for name, side in sides.items():
            times[name].append(seconds(side))
    return times


def ratio(times: Mapping[str, list[float]], slow: str, fast: str) -> float:
    """How many times longer the slow side took, by the shortest turn of each."""
    return min(times[slow]) / min(times[fast])


def spread(times: Mapping[str, list[float]], slow: str, fast: str) -> list[float]:
    """The smallest and largest ratio of two neighbouring turns: how noisy the machine was."""
    pairs = [a / b for a, b in zip(times[slow], times[fast], strict=True)]
    return [min(pairs), max(pairs)]


def summary(times: Mapping[str, list[float]], per: float = 1.0, digits: int = 4) -> dict[str, Any]:
    """Least and median seconds of each side, divided by `per`."""
    return {
        name: {
            "min_s": float(f"{min(values) / per:.{digits}g}"),
            "median_s": float(f"{statistics.median(values) / per:.{digits}g}"),
        }
        for name, values in times.items()
    }
