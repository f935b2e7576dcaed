"""`two_views` of many rows against numpy's plain X^T X in the same process, and what it takes."""

import resource

import numpy as np

from benchmarks import timing
from benchmarks.process import Process

HERE = "benchmarks.moments"


def vs_numpy() -> dict:
    """Run in a process of its own, BLAS on all cores: its peak memory is that of this alone."""
    with Process(f"{HERE}:measure", devices=1) as process:
        return process()


def measure(n: int = 20_000, d: int = 2000, repeats: int = 5) -> dict:
    """Time of `two_views` under noise over that of X^T X, and what it holds besides X at its peak.

    X^T X isn't centred, and tells neither the mean nor whether all numbers are finite.
    """
    import linssl

    noise = linssl.GaussianNoise(np.full(d, 0.1))
    some = np.random.default_rng(1).standard_normal((2, d))
    timing.finish(linssl.two_views(some, noise))  # compiled: its program sees moments, not rows
    X = np.random.default_rng(0).standard_normal((n, d))
    before = _peak_gb()
    views = timing.finish(linssl.two_views(X, noise))
    extra = _peak_gb() - before
    wanted = np.cov(X, rowvar=False, bias=True)
    error = float(np.max(np.abs(np.asarray(views.shared) - wanted)))
    assert error < 1e-12, f"not the covariance: off by {error:.1e}"
    sides = {"linssl": lambda: linssl.two_views(X, noise), "numpy": lambda: X.T @ X}
    times = timing.alternate(sides, repeats)
    return {
        "ratio": timing.ratio(times, "linssl", "numpy"),
        "unit": "x",
        "detail": {
            "rows": n,
            "features": d,
            "times": timing.summary(times),
            "ratio_range": timing.spread(times, "linssl", "numpy"),
            "gb_of_rows": X.nbytes / 1e9,
            "gb_beyond_rows_at_the_peak": extra,
            "worst_difference_from_numpy": error,
        },
    }


def _peak_gb() -> float:
    # ru_maxrss is in KiB on Linux.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
