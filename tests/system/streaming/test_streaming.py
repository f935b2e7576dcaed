"""Streaming, killed and taken up again: real processes, a real cluster, real memory."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import equinox as eqx
import numpy as np
import pytest
from rows import Deadly, Rows

from linssl import load_moments
from linssl.pairs import stream_moments

ROOT = Path(__file__).parents[3]
SUPPORT = ROOT / "tests" / "support"
BLOCKS = 20

pytestmark = pytest.mark.x64


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "x.npy"
    rng = np.random.default_rng(0)
    np.save(path, rng.standard_normal((4000, 20)).astype(np.float32) + np.float32(3))
    return path


@pytest.fixture(scope="module")
def calm(file):
    """What an undisturbed run gives."""
    return stream_moments(Rows(file), blocks=BLOCKS)


def python(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, SUPPORT)))},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


SLOWLY = """
import sys
from concurrent.futures import ThreadPoolExecutor
from rows import Slow
from linssl.pairs import stream_moments
file, out, blocks = sys.argv[1:]
stream_moments(Slow(file), out, blocks=int(blocks), executor=ThreadPoolExecutor(1), in_flight=2)
"""


def test_killed_at_half_it_is_resumed_and_only_the_rest_is_read(file, calm, tmp_path):
    process, parts = python(SLOWLY, file, tmp_path / "m", BLOCKS), tmp_path / "m" / "parts"
    deadline = time.monotonic() + 60
    while len(list(parts.glob("0*.npz"))) < BLOCKS // 2:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    done = {p.name: p.stat().st_mtime_ns for p in parts.glob("0*.npz")}
    assert BLOCKS // 2 <= len(done) < BLOCKS
    source, counts = Rows(file), []
    got = stream_moments(source, tmp_path / "m", report=lambda rows, n: counts.append(rows))
    read = {start // 200 for start, stop in source.read if stop - start > 1}
    assert read == {b for b in range(BLOCKS) if f"{b:06d}.npz" not in done}
    assert counts[0] == 200 * len(done)
    assert eqx.tree_equal(got, calm)
    assert sorted(p.name for p in (tmp_path / "m").iterdir()) == ["moments.json", "moments.npz"]


def test_a_killed_process_of_a_pool_is_replaced_and_its_block_tried_again(file, calm, tmp_path):
    def processes():
        return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))

    source = Deadly(file, tmp_path)
    got = stream_moments(source, tmp_path / "m", blocks=BLOCKS, executor=processes)
    assert (tmp_path / "killed").exists()
    assert eqx.tree_equal(got, calm)


def test_a_killed_worker_of_a_cluster_is_replaced_and_its_block_tried_again(file, calm, tmp_path):
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        executor = client.get_executor(pure=False)
        source = Deadly(file, tmp_path)
        got = stream_moments(source, tmp_path / "m", blocks=BLOCKS, executor=executor)
        mapped = stream_moments(np.load(file, mmap_mode="r"), blocks=BLOCKS, executor=executor)
    assert (tmp_path / "killed").exists()
    assert eqx.tree_equal(got, calm)
    assert eqx.tree_equal(mapped, calm)


MEASURED = """
import json, sys
import numpy as np
from benchmarks.streaming import anonymous_gb, peak
from linssl.pairs import stream_moments
X = np.load(sys.argv[1], mmap_mode="r")
stream_moments(X[:1000])
before = anonymous_gb()
with peak() as seen:
    views = stream_moments(X, sys.argv[2], blocks=4)
print(json.dumps({"before": before, "peak": seen[0], "trace": float(views.shared.trace())}))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="RssAnon is of Linux")
def test_200_mb_in_a_file_take_less_than_that_of_memory(tmp_path):
    part = np.random.default_rng(0).standard_normal((500, 1024), np.float32)
    with (tmp_path / "x.npy").open("wb") as stream:
        header = {"descr": "<f4", "fortran_order": False, "shape": (50_000, 1024)}
        np.lib.format.write_array_header_1_0(stream, header)
        for _ in range(100):
            part.tofile(stream)
    process = python(MEASURED, tmp_path / "x.npy", tmp_path / "m")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    found = json.loads(out)
    cores = len(os.sched_getaffinity(0))
    # A part of a block as doubles for each thread, and a few moments: however long the file is.
    each = 8 * (8192 + 5 * 1024) * 1024 / 1e9
    assert found["peak"] - found["before"] < each * (min(cores, 4) + 1) < 0.6, found
    assert found["peak"] < 1.5
    assert found["trace"] == pytest.approx(part.var(0, dtype=float).sum(), rel=1e-5)


def test_the_command_averages_a_file_and_resumes(file, calm, tmp_path, capsys):
    pytest.importorskip("linssl.data.sources")
    from linssl.cli import main

    for _ in range(2):
        main(f"moments {file} --out {tmp_path}/m --blocks {BLOCKS}".split())
        out = capsys.readouterr().out
        assert "is complete: 4,000 rows, of 20 features." in out
    kept = load_moments(tmp_path / "m" / "moments.npz")
    np.testing.assert_array_equal(kept.shared.astype(np.float32), calm.shared)
    with pytest.raises(SystemExit, match="has rows in a block 200, not 400"):
        main(f"moments {file} --out {tmp_path}/m --blocks 10".split())
    with pytest.raises(SystemExit, match="exclude each other"):
        main(f"moments {file} --out {tmp_path}/n --workers 1 --scheduler tcp://x:1".split())


def test_the_command_takes_weights_from_a_column(tmp_path, capsys):
    pytest.importorskip("linssl.data.sources")
    from linssl.cli import main

    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((50, 2)), rng.integers(1, 5, 50)
    rows = [f"{a!r},{b!r},{c},ward" for (a, b), c in zip(x.tolist(), w, strict=True)]
    (tmp_path / "x.csv").write_text("\n".join(["a,b,weight,batch", *rows]))
    command = f"moments {tmp_path}/x.csv --weights weight --out {tmp_path}/m".split()
    with pytest.raises(SystemExit, match="column 'batch' must hold numbers; got 'ward'"):
        main(command)
    main([*command, "--columns", "batch"])
    count = w.sum() ** 2 / (w**2).sum()
    assert f"50 rows, {count:.1f} by their weights, of 2 features" in capsys.readouterr().out
    kept = load_moments(tmp_path / "m" / "moments.npz")
    np.testing.assert_allclose(kept.shared, np.cov(x.T, fweights=w, bias=True), rtol=1e-12)
    with pytest.raises(SystemExit, match="column"):
        main(f"moments {tmp_path}/x.csv --weights other --out {tmp_path}/n".split())
