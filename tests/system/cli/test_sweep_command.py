"""`linssl sweep`, as a user types it, kills it, and types it again."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from linssl import open_sweep
from linssl.cli import main
from linssl.sweep.store import Store

LINSSL = [sys.executable, "-c", "from linssl.cli import main; main()"]
FOLDER = Path(__file__).parents[2] / "support"  # has toy.py
DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
FEW = "--cell toy:cell --axis a=linspace(0,4,9) b=1.0,2.0 --seeds 3"
# Long enough to be killed in: each cell two decompositions of 100 columns.
LONG = "--cell toy:decomposing --axis a=linspace(0.1,2,{points}) --constant size=100 --seeds 10"
KILLED = LONG.format(points=12000 if DEEP else 120)

pytestmark = pytest.mark.x64


def start(text, **options):
    return subprocess.Popen(
        [*LINSSL, "sweep", *text.split()],
        cwd=FOLDER,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


def finish(process, timeout=100):
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        kill(process)
        raise
    return process.returncode, out, err


def linssl(text, timeout=100):
    return finish(start(text), timeout)


def kill(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)


@pytest.fixture(autouse=True)
def in_the_folder_of_the_cells(monkeypatch):
    monkeypatch.chdir(FOLDER)


def test_run_status_export(tmp_path, capsys):
    main(f"sweep run {FEW} --out {tmp_path}/s".split())
    out = capsys.readouterr().out
    assert "is complete: count, parts, score, sum over 9 a x 2 b x 3 seed x" in out
    main(f"sweep status {tmp_path}/s".split())
    out = capsys.readouterr().out
    assert "54 of 54 cells" in out
    assert "a: 0 to 4, 9 values" in out
    import pandas

    for suffix, read in (("csv", pandas.read_csv), ("parquet", pandas.read_parquet)):
        main(f"sweep export {tmp_path}/s {tmp_path}/t.{suffix}".split())
        rows = read(tmp_path / f"t.{suffix}")
        assert len(rows) == 54 * 2 * 2  # objectives, parts
        first = rows.iloc[0]
        table = open_sweep(tmp_path / "s")
        want = table["sum"].sel(a=first["a"], b=first["b"], seed=int(first["seed"]))
        assert first["sum"] == pytest.approx(float(want), rel=1e-12)
    assert list(tmp_path.glob(".t*")) == []


def test_options_override_the_file(tmp_path, capsys):
    (tmp_path / "s.toml").write_text('cell = "toy:cell"\nseeds = 2\n[axes]\na = [1.0]\nb = [1.0]\n')
    main(f"sweep run {tmp_path}/s.toml --axis a=1.0,2.0,3.0 --seeds 4 --out {tmp_path}/s".split())
    assert "3 a x 1 b x 4 seed" in capsys.readouterr().out


def test_part_of_a_sweep_is_exported_only_when_asked(tmp_path, capsys):
    import pandas

    main(f"sweep run {FEW} --out {tmp_path}/s".split())
    store = Store(tmp_path / "s")
    store.reopen([0])
    main(f"sweep status {tmp_path}/s".split())
    assert "Unfinished: the same `linssl sweep run`" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="aren't finished"):
        main(f"sweep export {tmp_path}/s {tmp_path}/t.csv".split())
    main(f"sweep export {tmp_path}/s {tmp_path}/t.csv --partial".split())
    rows = pandas.read_csv(tmp_path / "t.csv")
    assert len(rows) == (54 - store.plan.unit) * 4
    assert rows["count"].dtype.kind == "i"
    assert rows["sum"].notna().all()


def test_status_reports_damage(tmp_path):
    main(f"sweep run {FEW} --out {tmp_path}/s".split())
    (tmp_path / "s" / "sum" / "c" / "0").write_bytes(b"")
    with pytest.raises(SystemExit, match=r"1 of 27 units .* are damaged"):
        main(f"sweep status {tmp_path}/s".split())
    with pytest.raises(SystemExit, match="with --repair"):
        main(f"sweep run {FEW} --out {tmp_path}/s".split())
    main(f"sweep run {FEW} --out {tmp_path}/s --repair".split())
    main(f"sweep status {tmp_path}/s".split())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("run --cell toy:cel --out O", "has no 'cel'"),
        ("run nonesuch.toml --out O", "nonesuch.toml can't be read"),
        (f"run {FEW} --out O --memory big", "--memory must be like 256MB"),
        (f"run {FEW} --out O --memory 1.2.3MB", "--memory must be like 256MB"),
        (f"run {FEW} --out O --memory 20B", "memory must be at least"),
        (f"run {FEW} --out O --workers 2 --scheduler x", "exclude each other"),
        (f"run {FEW} --out O --workers 2 --devices 2", "--devices must go without"),
        (f"run {FEW} --out O --workers 0", "workers must be >= 1"),
        (f"run {FEW} --out O --devices 0", "--devices must be >= 1"),
        (f"run {FEW} --out O --devices 100000", "--devices must be >= 1, and at most 1024"),
        (f"run {FEW} --out O --workers 100000", "workers must be >= 1, and at most 1024"),
        (f"run {FEW} --out O --scheduler nonsense", "scheduler must be the address"),
        ("run --cell toy:cell --axis b=1 --out O", "cell must get"),
        (f"run {FEW} --axis c=1 --out O", "--axis must come once"),
        ("run --cell toy:cell --axis a=1 a=2 --out O", "--axis must name each once"),
        ("status nowhere", "nowhere isn't there"),
        ("export nowhere t.xls", "table must end in .csv or .parquet"),
    ],
)
def test_bad_input_is_one_line_not_a_traceback(tmp_path, text, message):
    with pytest.raises(SystemExit, match=f"error: .*{message}"):
        main(["sweep", *text.replace("O", str(tmp_path / "s")).split()])
    assert not (tmp_path / "s").exists()


def test_a_store_of_another_sweep_is_refused_with_what_differs(tmp_path):
    main(f"sweep run {FEW} --out {tmp_path}/s".split())
    with pytest.raises(SystemExit, match=r"holds another sweep.*\n  seeds: "):
        main(f"sweep run {FEW} --seeds 4 --out {tmp_path}/s".split())


def wait_for_units(path, number, timeout=200):  # on a busy machine
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        # A mark each: opening the store ten times a second would keep a core from the sweep.
        if sum(1 for _ in path.glob("done/c/*")) >= number:
            return
        time.sleep(0.1)
    raise AssertionError(f"{path} never had {number} units")


# A terminal's Ctrl-C reaches the workers too, which is the hardest; a deep run tries all four.
STOPS = [("--workers 2", signal.SIGINT), ("", signal.SIGTERM)]
STOPS += [("", signal.SIGINT), ("--workers 2", signal.SIGTERM)] if DEEP else []


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("how", "number"), STOPS)
def test_ctrl_c_finishes_the_units_under_way_and_says_how_to_resume(tmp_path, how, number):
    text = f"run {LONG.format(points=400)} --out {tmp_path}/s {how}"
    process = start(text)
    wait_for_units(tmp_path / "s", 2)
    os.killpg(process.pid, number)  # as a terminal does: the workers get it too
    code, _, err = finish(process)
    assert code == 130, err
    assert "finishing the units under way" in err
    assert "run the same sweep to go on" in err
    assert "Traceback" not in err
    store = Store(tmp_path / "s")
    assert 2 <= store.finished.sum() < store.plan.units
    assert store.damaged() == []


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """What a sweep finds that nobody disturbs, in this process."""
    out = tmp_path_factory.mktemp("calm") / "s"
    with contextlib.chdir(FOLDER):
        main(f"sweep run {KILLED} --out {out}".split())
    return open_sweep(out)["value"]


@pytest.mark.timeout(1200)
def test_killed_at_random_and_resumed_a_sweep_is_complete_and_identical(tmp_path, calm):
    text, rng = f"run {KILLED} --out {tmp_path}/killed", random.Random(0)
    counts = []
    for _ in range(20 if DEEP else 1):
        # A deep run kills two workers too; one that is killed has a test below.
        process = start(f"{text} --workers 2" if DEEP else text)
        if not counts:
            wait_for_units(tmp_path / "killed", 1)
        time.sleep(rng.uniform(0.5, 9.0) if DEEP else 0)
        kill(process)
        counts.append(int(Store(tmp_path / "killed").finished.sum()))
    print("units finished after each kill:", counts)
    assert counts == sorted(counts)  # nothing finished is lost
    assert 0 < counts[-1] < Store(tmp_path / "killed").plan.units
    main(["sweep", *text.split()])
    killed = open_sweep(tmp_path / "killed")["value"]
    np.testing.assert_array_equal(killed, calm)
    assert not np.isnan(killed).any()


def workers_of(pid):
    """Processes of dask workers below one process."""
    import psutil

    children = psutil.Process(pid).children(recursive=True)
    return [c for c in children if "spawn_main" in " ".join(c.cmdline())]


@pytest.mark.timeout(300)
def test_a_killed_worker_costs_its_unit_and_nothing_else(tmp_path, calm):
    process = start(f"run {KILLED} --out {tmp_path}/killed --workers 2")
    wait_for_units(tmp_path / "killed", 2)
    workers_of(process.pid)[0].kill()
    code, _, err = finish(process, timeout=200)
    assert code == 0, err
    np.testing.assert_array_equal(open_sweep(tmp_path / "killed")["value"], calm)


@pytest.mark.timeout(300)
def test_a_cluster_that_is_there_does_the_work_without_having_the_cell(tmp_path):
    environment = {**os.environ, "PYTHONPATH": ""}
    with contextlib.ExitStack() as stack:

        def serve(*arguments):
            process = subprocess.Popen(
                [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:]],
                cwd=tmp_path,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)

        where = tmp_path / "scheduler.json"
        serve("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
              "--scheduler-file", str(where))  # fmt: skip
        deadline = time.monotonic() + 60
        while not where.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        import json

        address = json.loads(where.read_text())["address"]
        serve("dask_worker", address, "--nthreads", "1", "--nworkers", "1", "--no-dashboard",
              "--host", "127.0.0.1")  # fmt: skip
        code, _, err = linssl(f"run {FEW} --out {tmp_path}/s --scheduler {address}", timeout=200)
        assert code == 0, err
    main(f"sweep run {FEW} --out {tmp_path}/here".split())
    there, here = (open_sweep(tmp_path / name) for name in ("s", "here"))
    np.testing.assert_array_equal(there["sum"], here["sum"])
