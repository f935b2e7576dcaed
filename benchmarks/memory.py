"""Peak resident memory of a sweep of 100 000 cells, written to a store as it goes."""

import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.process import Process

HERE = "benchmarks.memory"


def imports() -> float:
    """Load what a sweep needs, and nothing more: the floor of its memory."""
    import jax.numpy as jnp

    import linssl

    return float(linssl.subspace_distance(jnp.eye(2, 3), jnp.eye(2, 3)))


def large_sweep(points: int, out: str | None, directions: int = 10) -> dict:
    """A phase map of points x points x 10 seeds."""
    import linssl
    from linssl.sweep import cells

    start = time.perf_counter()
    table = linssl.run_sweep(
        linssl.Sweep(
            cells.spiked,
            {
                "noise_variance": np.geomspace(1e-2, 1e2, points),
                "alpha": np.geomspace(3e-2, 30, points),
            },
            seeds=10,
            draw=cells.spiked_draw,
            constants={"n": 1e5, "signal_directions": directions, "noise_directions": directions},
        ),
        out,
    )
    assert np.isfinite(table["distance"].values).all()
    return {"cells": points**2 * 10, "seconds": time.perf_counter() - start}


def sweep_peak() -> dict:
    """Gigabytes at the peak, two host devices, store included."""
    with tempfile.TemporaryDirectory() as folder:
        with Process(f"{HERE}:large_sweep", devices=2) as process:
            run = process(points=100, out=str(Path(folder) / "store"))
            peak = process.peak_gb
        with Process(f"{HERE}:large_sweep", devices=2) as process:
            process(points=10, out=str(Path(folder) / "small"))
            small = process.peak_gb
    with Process(f"{HERE}:imports", devices=2) as process:
        process()
        bare = process.peak_gb
    return {
        "ratio": peak,
        "unit": "GB",
        "detail": {**run, "gb_of_1000_cells": small, "gb_of_imports": bare, "features": 20},
    }
