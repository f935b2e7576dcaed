"""`stream_moments` of 10 GB in a mapped file against a bare loop of numpy's products over it."""

import contextlib
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks import timing
from benchmarks.process import Process

HERE = "benchmarks.streaming"
FEATURES, ROWS, REPEATED = 1024, 2_500_000, 50_000
BLOCK = 8192  # rows, as the library reads at once
MOST_GB = 1.5  # of memory that isn't the file's
STATUS = Path("/proc/self/status")


def vs_numpy() -> dict:
    """Run in a process of its own, on a file of 10 GB, or as large as half the disk's room is."""
    with tempfile.TemporaryDirectory() as folder:
        room = shutil.disk_usage(folder).free // (2 * 4 * FEATURES)
        rows = min(ROWS, room) // REPEATED * REPEATED
        file = Path(folder) / "rows.npy"
        _write(file, rows)
        with Process(f"{HERE}:measure", devices=1, timeout=3600) as process:
            return process(file=str(file), out=folder)


def _write(file: Path, rows: int) -> None:
    """Write the same random rows over and over: their moments are known."""
    part = _part()
    with file.open("wb") as stream:
        header = {"descr": "<f4", "fortran_order": False, "shape": (rows, FEATURES)}
        np.lib.format.write_array_header_1_0(stream, header)
        for _ in range(rows // REPEATED):
            part.tofile(stream)


def _part() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.standard_normal((REPEATED, FEATURES), np.float32) + np.float32(1)


def measure(file: str, out: str, share: int = 5, repeats: int = 3) -> dict:
    """Time per row on a fifth of the file, in turn, and what the whole holds besides the file."""
    from threadpoolctl import threadpool_limits

    from linssl.pairs import stream_moments

    X = np.load(file, mmap_mode="r")
    before = anonymous_gb()
    with peak() as seen:
        whole = timing.seconds(lambda: stream_moments(X, Path(out) / "whole"))
    assert seen[0] <= MOST_GB, f"{seen[0]:.2f} GB of memory that isn't the file's"
    views = stream_moments(X, Path(out) / "whole")
    wanted = np.cov(_part().astype(float), rowvar=False, bias=True)
    error = float(np.max(np.abs(np.asarray(views.shared) - wanted)))
    assert error < 1e-6, f"not the covariance: off by {error:.1e}"
    fifth = X[: len(X) // share]
    folders = iter(range(1000))

    def one_thread() -> np.ndarray:
        with threadpool_limits(1, "blas"):
            return bare(fifth)

    sides = {
        "linssl": lambda: stream_moments(fifth, Path(out) / f"fifth{next(folders)}"),
        "numpy": lambda: bare(fifth),
        "numpy_one_thread": one_thread,
    }
    times = timing.alternate(sides, repeats, warm=False)
    fastest = min(("numpy", "numpy_one_thread"), key=lambda side: min(times[side]))
    return {
        "ratio": timing.ratio(times, "linssl", fastest),
        "unit": "x",
        "detail": {
            "rows": len(X),
            "features": FEATURES,
            "gb_of_rows": X.nbytes / 1e9,
            "seconds_of_all": whole,
            "gb_beside_the_file_at_the_peak": seen[0],
            "gb_beside_the_file_before": before,
            "compared_on_rows": len(fifth),
            "against": fastest,
            "times": timing.summary(times),
            "ratio_range": timing.spread(times, "linssl", fastest),
            "worst_difference_from_numpy": error,
        },
    }


def bare(X: np.ndarray) -> np.ndarray:
    """Sum the products alone: no mean, nothing centred, no look at what isn't finite."""
    C = np.zeros((X.shape[1], X.shape[1]))
    for start in range(0, len(X), BLOCK):
        block = X[start : start + BLOCK].astype(np.float64)
        C += block.T @ block
    return C


def anonymous_gb() -> float:
    """Memory of this process that no file is behind (Linux)."""
    line = next(x for x in STATUS.read_text().splitlines() if x.startswith("RssAnon"))
    return int(line.split()[1]) * 1024 / 1e9


@contextlib.contextmanager
def peak(every: float = 0.002) -> Iterator[list[float]]:
    """Look at that memory all the time; the list holds its peak."""
    found, over = [anonymous_gb()], threading.Event()

    def watch() -> None:
        while not over.wait(every):
            found[0] = max(found[0], anonymous_gb())

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
