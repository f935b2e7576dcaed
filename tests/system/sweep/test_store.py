"""On disk: what is finished is safe, and nothing is taken for what it isn't."""

import errno
import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
import toy

from linssl import Sweep, open_sweep, run_sweep
from linssl.sweep import StoreError
from linssl.sweep.store import Store

AXES = {"a": np.linspace(0.0, 4.0, 9), "b": [1.0, 2.0]}


def make(**changes):
    return Sweep(toy.cell, **{"axes": AXES, "seeds": 3, **changes})


@pytest.fixture(scope="module")
def run_once(tmp_path_factory):
    out = tmp_path_factory.mktemp("once") / "s.zarr"
    return run_sweep(make(), out), out


@pytest.fixture
def stored(run_once, tmp_path):
    """A sweep's table, and a copy of its store, to be spoilt."""
    table, out = run_once
    return table, shutil.copytree(out, tmp_path / "s.zarr")


def chunk_of(out, name, unit):
    (chunk,) = [p for p in (out / name / "c" / str(unit)).rglob("*") if p.is_file()] or [
        out / name / "c" / str(unit)
    ]
    return chunk


def test_a_stored_sweep_is_the_sweep_in_memory(stored):
    table, out = stored
    want = run_sweep(make())
    for name in want:
        np.testing.assert_array_equal(table[name], want[name])
    again = open_sweep(out)
    assert again.equals(table)
    assert again.attrs == table.attrs


def test_any_reader_of_zarr_can_open_it(stored):
    import xarray

    table, out = stored
    raw = xarray.open_zarr(out, consolidated=False, chunks=None)
    flat = raw.set_coords(["a", "b", "seed"])
    here = flat["sum"].where(
        (flat["a"] == 1.0) & (flat["b"] == 2.0) & (flat["seed"] == 1), drop=True
    )
    np.testing.assert_array_equal(here, [table["sum"].sel(a=1.0, b=2.0, seed=1)])


def test_running_a_complete_store_solves_nothing(stored, monkeypatch):
    table, out = stored
    monkeypatch.setattr("linssl.sweep.work.evaluate", lambda *_: pytest.fail("solved again"))
    assert run_sweep(make(), out).equals(table)


def test_resuming_solves_only_what_is_missing(stored):
    table, out = stored
    store = Store(out)
    store.reopen([1, 3])
    with pytest.raises(StoreError, match=r"2 of \d+ units of .* aren't finished: run"):
        open_sweep(out)
    partial = open_sweep(out, partial=True)
    assert int((~partial["finished"]).sum()) == 2 * store.plan.unit
    assert np.isnan(partial["sum"].values[~partial["finished"].values]).all()
    seen = []
    assert run_sweep(make(), out, report=lambda done, cells: seen.append((done, cells))).equals(
        table
    )
    assert seen[0] == (54 - 2 * store.plan.unit, 54)
    assert seen[-1] == (54, 54)
    assert len(seen) == 3


def other(key, *, a, b):
    return {"sum": a + b}


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (
            {"axes": {"a": [0.0, 1.0], "b": [1.0, 2.0]}},
            r"axes.a: \[0.0, ..., 4.0\] \(9 values|axes.a",
        ),
        ({"seeds": 4}, r"seeds: \[0, 1, 2\] there, \[0, 1, 2, 3\] here"),
        ({"constants": {"size": 3}}, r"constants.size: null there, ..int"),
        ({"cell": other}, r'cell.name: "toy:cell" there, ".*test_store:other" here'),
    ],
)
def test_a_store_of_another_sweep_is_refused(stored, change, match):
    table, out = stored
    sweep = Sweep(**{"cell": toy.cell, "axes": AXES, "seeds": 3, **change})
    with pytest.raises(StoreError, match=f"holds another sweep(.|\n)*{match}"):
        run_sweep(sweep, out)
    assert open_sweep(out).equals(table)


@pytest.mark.x64
def test_a_store_of_another_precision_is_refused(stored):
    with (
        jax.enable_x64(False),
        pytest.raises(StoreError, match='dtype: "float64" there'),
    ):
        run_sweep(make(), stored[1])


def test_a_changed_source_of_the_cell_is_another_sweep(tmp_path, monkeypatch):
    module, out = tmp_path / "changing.py", tmp_path / "s"
    body = "def cell(key, *, a):\n    return {{'x': {}}}\n"
    module.write_text(body.format("a"))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    run_sweep(Sweep(importlib.import_module("changing").cell, {"a": [1.0, 2.0]}), out)
    monkeypatch.delitem(sys.modules, "changing")

    def again():
        sweep = "linssl.Sweep(changing.cell, {'a': [1.0, 2.0]})"
        code = f"import changing, linssl; linssl.run_sweep({sweep}, 's')"
        environment = {
            **os.environ,
            "JAX_ENABLE_X64": str(int(jax.config.read("jax_enable_x64"))),
            "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path(__file__).parents[3])]),
        }
        return subprocess.run(
            [sys.executable, "-B", "-c", code],
            cwd=tmp_path, env=environment, capture_output=True, text=True,
        )  # fmt: skip

    module.write_text(body.format("a + 1"))
    done = again()
    assert done.returncode == 1
    assert "cell.source" in done.stderr
    module.write_text(body.format("a"))
    assert again().returncode == 0, "the same source is the same sweep in another process"


@pytest.mark.parametrize("harm", ["flip", "truncate", "remove", "swap"])
def test_a_damaged_chunk_is_noticed_and_repaired(stored, harm):
    table, out = stored
    chunk = chunk_of(out, "sum", 2)
    data = bytearray(chunk.read_bytes())
    if harm == "flip":
        data[len(data) // 2] ^= 0xFF
        chunk.write_bytes(bytes(data))
    elif harm == "truncate":
        chunk.write_bytes(bytes(data[:-5]))
    elif harm == "remove":
        chunk.unlink()
    else:
        shutil.copy(chunk_of(out, "sum", 3), chunk)
    message = r"1 of \d+ units of .* are damaged \(unit 2.*--repair"
    for act in (lambda: open_sweep(out), lambda: run_sweep(make(), out)):
        with pytest.raises(StoreError, match=message):
            act()
    seen = []
    mended = run_sweep(make(), out, repair=True, report=lambda done, _: seen.append(done))
    assert mended.equals(table)
    assert len(seen) == 2  # what was there, and one unit


@pytest.mark.parametrize("harm", [lambda c: c.write_bytes(b"xx"), lambda c: c.unlink()])
def test_a_unit_whose_mark_is_damaged_is_solved_again(stored, harm):
    table, out = stored
    harm(chunk_of(out, "done", 2))
    with pytest.raises(StoreError, match=r"1 of \d+ units of .* aren't finished: run"):
        open_sweep(out)
    assert run_sweep(make(), out).equals(table)


def test_a_description_that_was_edited_is_not_believed(stored):
    _, out = stored
    text = (out / "zarr.json").read_text()
    assert text.count("4.0") == 2  # in the coordinates, and in the identity
    (out / "zarr.json").write_text(text.replace("4.0", "5.0"))
    with pytest.raises(StoreError, match="its description isn't what was written"):
        open_sweep(out)


@pytest.mark.parametrize("how", ["dtype", "gone"])
def test_an_array_that_was_changed_or_lost_is_noticed(stored, how):
    _, out = stored
    if how == "gone":
        shutil.rmtree(out / "sum")
    else:
        text = (out / "sum" / "zarr.json").read_text()
        kind = str(np.asarray(open_sweep(out)["sum"]).dtype)
        (out / "sum" / "zarr.json").write_text(text.replace(kind, kind.replace("float", "int")))
    for act in (lambda: open_sweep(out), lambda: run_sweep(make(), out, repair=True)):
        with pytest.raises(StoreError, match=r"is damaged .*sum"):
            act()


def test_of_two_runs_that_make_one_store_the_second_says_to_run_it_again(stored, monkeypatch):
    _, out = stored
    sweep, there = make(), Path.is_file
    hidden = iter([False])  # the first look came too early

    def is_file(path):
        return next(hidden, True) if path == out / "zarr.json" else there(path)

    monkeypatch.setattr(Path, "is_file", is_file)
    monkeypatch.setattr(Path, "iterdir", lambda path: iter(()))
    with pytest.raises(StoreError, match="was made by another run just now: run it again"):
        run_sweep(sweep, out)


def test_another_error_of_the_disk_is_not_taken_for_another_run(tmp_path, monkeypatch):
    def replace(path, target):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(StoreError, match=r"can't be written \(Input/output error\)"):
        run_sweep(make(), tmp_path / "s")
    assert not list(tmp_path.iterdir())


def test_a_result_of_all_nan_or_zero_is_finished(tmp_path):
    def cell(key, *, a):
        return {"x": a * np.nan, "zero": 0 * a, "count": 0}

    sweep = Sweep(cell, {"a": [1.0, 2.0, 3.0]})
    table = run_sweep(sweep, tmp_path / "s")
    assert np.isnan(table["x"]).all()
    assert open_sweep(tmp_path / "s").equals(table)


@pytest.mark.parametrize(
    ("prepare", "match"),
    [
        (lambda p: p.write_text("x"), r"is there and isn't a sweep|isn't a sweep"),
        (lambda p: (p.mkdir(), (p / "f").write_text("x")), r"isn't a sweep"),
        (
            lambda p: (p.mkdir(), (p / "zarr.json").write_text("{}")),
            r"isn't a sweep of this version",
        ),
        (
            lambda p: (
                p.mkdir(),
                (p / "zarr.json").write_text(
                    json.dumps({"zarr_format": 3, "node_type": "group", "attributes": {}})
                ),
            ),
            r"isn't a sweep of this version, or is damaged",
        ),
    ],
)
def test_what_is_not_a_sweep_is_left_alone(tmp_path, prepare, match):
    out = tmp_path / "s"
    prepare(out)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(StoreError, match=match):
        run_sweep(make(), out)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_empty_folder_is_a_place_and_a_missing_store_is_named(tmp_path):
    (tmp_path / "s").mkdir()
    run_sweep(make(), tmp_path / "s")
    with pytest.raises(StoreError, match="nowhere isn't there"):
        open_sweep(tmp_path / "nowhere")


def mounts():
    """Whether this process may mount a file system of its own."""
    return (
        sys.platform == "linux"
        and not subprocess.run(
            ["unshare", "-rm", "true"], capture_output=True, check=False
        ).returncode
    )


HARD = """
import sys, subprocess
import numpy as np
sys.path[:0] = {paths!r}
import toy
from pathlib import Path
from linssl import Sweep, open_sweep, run_sweep
from linssl.sweep import StoreError
disk = Path({disk!r})
subprocess.run(["mount", "-t", "tmpfs", "-o", "size={size}", "tmpfs", str(disk)], check=True)
axes = {{"a": np.linspace(0, 1, {cells}), "b": [1.0]}}
sweep = Sweep(toy.cell, axes, 3, constants={{"size": 50}})
"""
FULL = (
    HARD
    + """
try:
    run_sweep(sweep, disk / "s")
except StoreError as error:
    assert "can't be written (No space left on device). Every finished unit is safe" in str(error)
else:
    raise AssertionError("the disk did not fill")
before = open_sweep(disk / "s", partial=True)
finished = before["finished"].values
assert 0 < finished.sum() < finished.size, finished.sum()
subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
table, want = run_sweep(sweep, disk / "s"), run_sweep(sweep)
for name in want:
    assert np.array_equal(table[name], want[name])
    assert np.array_equal(before[name].values[finished], want[name].values[finished])
"""
)
READ_ONLY = (
    HARD
    + """
from linssl.sweep.store import Store
table = run_sweep(sweep, disk / "s")
Store(disk / "s").reopen([0])
subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
for out in ("s", "new"):
    try:
        run_sweep(sweep, disk / out)
    except StoreError as error:
        assert "can't be written (Read-only file system)" in str(error), error
    else:
        raise AssertionError(out)
partial = open_sweep(disk / "s", partial=True)
assert 0 < (~partial["finished"]).sum() < 100
"""
)


@pytest.mark.skipif(not mounts(), reason="may not mount a file system here")
@pytest.mark.parametrize(
    ("script", "size", "cells"), [(FULL, "512k", 200), (READ_ONLY, "20m", 40)], ids=["full", "ro"]
)
def test_a_full_or_read_only_disk_is_told_and_loses_nothing(tmp_path, script, size, cells):
    disk = tmp_path / "disk"
    disk.mkdir()
    code = script.format(
        paths=[str(Path(toy.__file__).parent), str(Path(__file__).parents[3])],
        disk=str(disk),
        size=size,
        cells=cells,
    )
    done = subprocess.run(
        ["unshare", "-rm", sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_chunks_and_marks_of_another_unit_or_sweep_are_not_believed(tmp_path):
    out, other = tmp_path / "s.zarr", tmp_path / "other.zarr"
    for path, b in ((out, 1.0), (other, 2.0)):
        run_sweep(make(axes={"a": np.arange(1.0, 9.0), "b": [b]}), path)
    names = [*open_sweep(out).data_vars, "done"]
    for name in names:  # as of a rename, or of two stores copied into one
        first, second, third = (chunk_of(out, name, unit) for unit in range(3))
        kept = first.read_bytes()
        first.write_bytes(second.read_bytes())
        second.write_bytes(kept)
        third.write_bytes(chunk_of(other, name, 2).read_bytes())
    with pytest.raises(StoreError, match=r"3 of \d+ units .* \(unit 0, 1, 2:"):
        open_sweep(out)


def test_a_description_of_nothing_is_a_damaged_store(stored):
    _, out = stored
    (out / "zarr.json").write_text("null")
    with pytest.raises(StoreError, match="isn't a sweep of this version, or is damaged"):
        open_sweep(out)


def test_axes_that_differ_in_type_alone_are_told_apart_in_words(tmp_path):
    def cell(key, *, a):
        return {"x": jax.numpy.asarray(a, float)}

    run_sweep(Sweep(cell, {"a": [1.0, 2.0]}), tmp_path / "s.zarr")
    with pytest.raises(StoreError, match=r"axes.a: \[1.0, 2.0\] there, \[1, 2\] here"):
        run_sweep(Sweep(cell, {"a": [1, 2]}), tmp_path / "s.zarr")
