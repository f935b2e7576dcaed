"""What streaming refuses, and what it takes up again."""

import os
import pickle
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context

import equinox as eqx
import h5py
import jax
import numpy as np
import pandas as pd
import pytest
import zarr
from helpers import any_types
from rows import Changing, Rows

from linssl import load_moments, same_instance, save_moments
from linssl.data.sources import open_source
from linssl.pairs import stream_moments, streamed
from linssl.runtime.hands import WorkerLostError

X = np.random.default_rng(0).standard_normal((1000, 3))


def with_bad(row, value=np.nan):
    bad = X.copy()
    bad[row, 1] = value
    return bad


def saved(tmp_path, values=X):
    np.save(tmp_path / "x.npy", values)
    return tmp_path / "x.npy"


@pytest.mark.parametrize(("arguments", "match"), [
    ({"weights": np.ones(999)}, r"weights must be \(1000,\), one for each row; got \(999,\)"),
    ({"weights": np.ones((1000, 1))}, r"weights must be \(1000,\)"),
    ({"weights": np.r_[np.ones(998), -1, np.nan]}, ">= 0; got -1 for row 998, and 1 more"),
    ({"weights": np.r_[np.inf, np.ones(999)]}, "finite and >= 0; got inf for row 0"),
    ({"weights": np.zeros(1000)}, "weights must not all be 0"),
    ({"weights": ["a"] * 1000}, "weights must hold numbers"),
    ({"blocks": 0}, "blocks must be a whole number from 1 to 1000; got 0"),
    ({"blocks": 1001}, "blocks must be a whole number from 1 to 1000; got 1001"),
    ({"in_flight": 0}, "in_flight must be a whole number >= 1; got 0"),
    ({"executor": 3}, "executor must be an Executor or make one; got 3"),
    ({"out": ""}, "out must be a text or a path"),
])  # fmt: skip
def test_wrong_arguments_are_refused(arguments, match):
    with any_types(), pytest.raises(ValueError, match=match):
        stream_moments(X, **arguments)


@pytest.mark.parametrize(("values", "match"), [
    (X.reshape(10, 10, 30), r"source must be a non-empty \(n, d\) array of samples; got \(10, 10,"),
    (X.astype(str), "source must hold numbers"),
    (X.astype(complex), "source must (hold numbers|be real)"),
])  # fmt: skip
def test_what_is_no_table_of_numbers_is_refused_before_it_is_read(values, match, tmp_path):
    source = Rows(saved(tmp_path, values))
    for door in (stream_moments, same_instance):
        with pytest.raises(ValueError, match=match.replace("source", "(source|data)")):
            door(source)
    assert source.read == []
    with pytest.raises(ValueError, match=match):
        stream_moments(values)


def test_what_is_traced_is_sent_to_same_instance():
    with pytest.raises(ValueError, match="inside a trace use same_instance"):
        jax.jit(stream_moments)(X)


@pytest.mark.parametrize(
    ("value", "weights", "blocks"),
    [(np.nan, None, 1000), (np.inf, np.r_[np.ones(999), 0], 10), (-np.inf, np.arange(1000), 3)],
)
def test_one_bad_number_in_one_of_many_blocks_is_named_and_no_block_of_it_is_done(
    value, weights, blocks, tmp_path
):
    bad, block = with_bad(775, value), 775 * blocks // 1000
    with pytest.raises(ValueError, match="1 NaN or inf, the first at row 775, column 1"):
        stream_moments(bad, tmp_path / "m", weights=weights, blocks=blocks)
    assert not (tmp_path / "m" / "moments.npz").exists()
    done = [p.name for p in (tmp_path / "m" / "parts").iterdir()]
    assert len(done) >= block
    assert f"{block:06d}.npz" not in done
    if blocks < 1000:  # the number is mended, and the rest is done
        got = stream_moments(X, tmp_path / "m", weights=weights)
        assert eqx.tree_equal(got, stream_moments(X, weights=weights, blocks=blocks))


def test_the_first_of_several_bad_numbers_is_named():
    bad = with_bad(777)
    bad[123, 2] = np.inf
    with pytest.raises(ValueError, match="row 123, column 2") as caught:
        stream_moments(bad, blocks=10, in_flight=10)
    assert "In rows 100 to 199 of the source." in caught.value.__notes__


@pytest.mark.parametrize(("how", "match"), [
    ("narrows", r"source changed while it was read: rows \d+ to \d+ must be \(\d+, 3\) of float64"),
    ("retypes", r"must be \(\d+, 3\) of float64; got \(\d+, 3\) of float16"),
    ("grows", r"source changed while it was read: it was \(1000, 3\), and is \(1\d\d\d, 3\)"),
])  # fmt: skip
def test_a_source_that_changes_while_it_is_read_is_refused(how, match, tmp_path):
    for out in (None, tmp_path / "m"):
        source = Changing(saved(tmp_path), how, after=75 if out else 5)
        with pytest.raises(ValueError, match=match):
            stream_moments(source, out, blocks=10)
    assert not (tmp_path / "m" / "moments.npz").exists()


# ---- taken up again


def half_done(tmp_path, **arguments):
    """A folder whose first half is done."""
    with pytest.raises(ValueError, match="row 500"):
        stream_moments(with_bad(500), tmp_path / "m", blocks=10, in_flight=1, **arguments)
    return tmp_path / "m"


def test_only_the_rest_is_read_and_what_is_damaged_is_done_again(tmp_path):
    out, source = half_done(tmp_path), Rows(saved(tmp_path))
    parts = sorted((out / "parts").iterdir())
    assert [p.name for p in parts] == [f"{block:06d}.npz" for block in range(5)]
    parts[1].write_bytes(parts[1].read_bytes()[:-100])  # as a full disk leaves it
    flipped = bytearray(parts[2].read_bytes())
    flipped[200] ^= 1
    parts[2].write_bytes(flipped)
    save_moments(same_instance(X[:, :2]), parts[3])  # of another width
    (out / "parts" / ".moments-abc").write_bytes(b"half")  # as a kill leaves it
    counts = []
    got = stream_moments(source, out, report=lambda done, n: counts.append((done, n)))
    assert {start // 100 for start, stop in source.read if stop - start > 1} == {
        1,
        2,
        3,
        *range(5, 10),
    }
    assert counts == [(200 + 100 * i, 1000) for i in range(9)]
    assert eqx.tree_equal(got, stream_moments(X, blocks=10))
    assert sorted(p.name for p in out.iterdir()) == ["moments.json", "moments.npz"]
    source.read.clear()
    assert eqx.tree_equal(stream_moments(source, out), got)
    assert all(stop - start == 1 for start, stop in source.read)  # the rows it is known by


@pytest.mark.parametrize(("values", "arguments", "match"), [
    (X[:999], {}, r"has moments of \[1000, 3\], not \[999, 3\]"),
    (X.astype(np.float32), {}, "has dtype float64, not float32"),
    (X + 1e-9, {}, "has hash of some rows"),
    (X, {"weights": np.arange(1000)}, "has weights None"),
    (X, {"blocks": 9}, "has rows in a block 100, not 112"),
])  # fmt: skip
def test_another_source_or_other_weights_are_refused(values, arguments, match, tmp_path):
    out = half_done(tmp_path)
    with pytest.raises(ValueError, match=f"out must be a folder of the same rows .*{match}"):
        stream_moments(values, out, **arguments)
    assert len(list((out / "parts").iterdir())) == 5


@pytest.mark.parametrize("opened", [open_source, partial(np.load, mmap_mode="r")])
def test_a_file_that_was_changed_where_it_is_not_looked_at_is_another(opened, tmp_path):
    out, file = tmp_path / "m", saved(tmp_path)
    stream_moments(opened(file), out)
    assert stream_moments(X, out).count == 1000  # the same in memory
    changed = X.copy()
    changed[3] += 1  # none of the rows that are hashed
    saved(tmp_path, changed)
    with pytest.raises(ValueError, match=r"the data have changed: their files had 24,128 bytes, l"):
        stream_moments(opened(file), out)


@pytest.mark.parametrize("how", ["a chunk", "its name", "its time"])
def test_a_store_of_which_one_file_was_changed_is_another(how, tmp_path):
    out, store = tmp_path / "m", tmp_path / "x.zarr"
    zarr.save_array(store, X)
    stream_moments(store, out)
    assert stream_moments(open_source(store), out).count == 1000
    chunk = max((f for f in store.rglob("*") if f.is_file()), key=lambda f: f.stat().st_size)
    was = chunk.stat()
    if how == "a chunk":
        array = zarr.open_array(store, mode="r+")
        array[3] = X[3] + 1  # none of the rows that are hashed
    elif how == "its name":
        chunk.with_name("another").write_bytes(b"")
    else:
        os.utime(chunk, ns=(was.st_atime_ns, was.st_mtime_ns + 10**9))
    with pytest.raises(ValueError, match=r"data have changed: their files had .* bytes, names and"):
        stream_moments(store, out)


def test_a_store_that_is_written_to_while_it_is_read_is_refused(tmp_path):
    zarr.save_array(tmp_path / "x.zarr", X)

    def report(done, of):
        if done == of:
            (tmp_path / "x.zarr" / "another").write_bytes(b"more")

    with pytest.raises(ValueError, match=r"source changed while it was read: its files had"):
        stream_moments(tmp_path / "x.zarr", report=report)


def test_an_open_data_set_of_hdf5_goes_to_processes_by_its_file(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["X"] = X
    with h5py.File(tmp_path / "x.h5") as file:
        wanted = stream_moments(X, blocks=2)
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            found = stream_moments(file["X"], executor=pool, blocks=2)
    np.testing.assert_array_equal(found.shared, wanted.shared)


def test_another_part_of_a_file_is_other_rows(tmp_path):
    changed = X.copy()
    changed[3] += 1
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["a"], file["b"] = X, changed
    stream_moments(open_source(tmp_path / "x.h5", layer="a"), tmp_path / "m")
    with pytest.raises(ValueError, match="has part a, not b"):
        stream_moments(open_source(tmp_path / "x.h5", layer="b"), tmp_path / "m")


def test_names_are_in_the_file_and_its_blocks_and_those_of_other_rows_are_refused(tmp_path):
    table, out = pd.DataFrame(X, columns=list("abc")), tmp_path / "m"
    with_nan = table.copy()
    with_nan.iloc[-1] = np.nan
    with pytest.raises(ValueError, match="must be finite"):
        stream_moments(with_nan, out, blocks=10)
    part = next((out / "parts").glob("*.npz"))
    assert load_moments(part).features == tuple("abc")
    with_nan.columns = list("abd")
    with pytest.raises(ValueError, match="has hash of the names of features"):
        stream_moments(with_nan, out)
    for values in (table, X):  # in memory the same rows may have none
        assert stream_moments(values, tmp_path / "all").features == tuple("abc")
    assert load_moments(tmp_path / "all" / "moments.npz").features == tuple("abc")


def test_a_folder_that_another_run_finishes_says_so(tmp_path):
    class Overtaken(Rows):
        def __getitem__(self, rows):
            if rows.start == 500 and rows.stop > 501 and not (tmp_path / "m/moments.npz").exists():
                stream_moments(X, tmp_path / "m")
            return super().__getitem__(rows)

    with pytest.raises(ValueError, match="parts is gone, as where another run has finished: run"):
        stream_moments(Overtaken(saved(tmp_path)), tmp_path / "m", blocks=10)
    want = stream_moments(X, blocks=10)
    assert eqx.tree_equal(stream_moments(X, tmp_path / "m"), want)


def test_other_weights_of_a_weighted_folder_are_refused(tmp_path):
    w = np.random.default_rng(1).uniform(size=1000)
    out = half_done(tmp_path, weights=w)
    for other in (None, w[::-1]):
        with pytest.raises(ValueError, match="has weights"):
            stream_moments(X, out, weights=other)
    twice = stream_moments(X, out, weights=2 * w)
    assert eqx.tree_equal(twice, stream_moments(X, weights=w, blocks=10))


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="out must be a new folder, or one of moments"):
        stream_moments(X, tmp_path)
    with pytest.raises(ValueError, match="out must be a new folder, or one of moments"):
        stream_moments(X, tmp_path / "notes.txt")
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / ".moments-abc").write_text("{")  # of a kill in the first moment
    assert stream_moments(X, tmp_path / "m").count == 1000
    for damaged in ("{", "[]", *(f'{{"rows in a block": {rows}}}' for rows in (0, -3, 2.5, '"a"'))):
        (tmp_path / "m" / "moments.json").write_text(damaged)
        with pytest.raises(ValueError, match=r"moments\.json is damaged"):
            stream_moments(X, tmp_path / "m")


# ---- workers that are lost


class Losing(Executor):
    """Loses the worker of some blocks, so many times."""

    def __init__(self, times):
        self.times = dict(times)

    def submit(self, function, /, block):
        future, number = Future(), block.where.start // 100
        if self.times.get(number, 0):
            self.times[number] -= 1
            future.set_exception(BrokenProcessPool("a worker was lost"))
        else:
            future.set_result(function(block))
        return future


def test_a_lost_worker_costs_its_block_another_try_and_no_bit(tmp_path):
    got = stream_moments(X, tmp_path / "m", blocks=10, executor=Losing({2: 3, 7: 1}))
    assert eqx.tree_equal(got, stream_moments(X, blocks=10))


def test_a_block_that_loses_its_worker_four_times_is_named(tmp_path):
    match = r"block 7 \(rows 700 to 799\) lost its worker 4 times .* Finished"
    with pytest.raises(WorkerLostError, match=match):
        stream_moments(X, tmp_path / "m", blocks=10, executor=Losing({7: 4}))
    got = stream_moments(X, tmp_path / "m")
    assert eqx.tree_equal(got, stream_moments(X, blocks=10))


class Sending(Executor):
    """Pickles what it is given, as to another process."""

    def submit(self, function, /, *arguments):
        future = Future()
        try:
            sent, what = pickle.loads(pickle.dumps((function, arguments)))
            future.set_result(sent(*what))
        except Exception as error:
            future.set_exception(error)
        return future


def test_what_can_not_travel_is_no_lost_worker(tmp_path):
    source = Rows(saved(tmp_path))
    assert eqx.tree_equal(stream_moments(source, executor=Sending()), stream_moments(X))
    source.opened = lambda: None
    with pytest.raises(ValueError, match=r"block \d \(rows \d+ to \d+\) can't travel to a worker"):
        stream_moments(source, blocks=2, executor=Sending())


def test_a_mapped_file_travels_by_its_path(tmp_path):
    whole = np.load(saved(tmp_path), mmap_mode="r")
    for view in (whole, whole[100:900], whole[100:900][50:]):
        sent = pickle.dumps(streamed._Mapped.of(view))
        assert len(sent) < 1000
        np.testing.assert_array_equal(pickle.loads(sent)[3:9], view[3:9])
    assert eqx.tree_equal(stream_moments(whole, executor=Sending()), stream_moments(X))


def test_a_mapped_array_that_its_file_does_not_have_travels_by_value(tmp_path):
    whole = np.load(saved(tmp_path), mmap_mode="c")
    whole[3] = 7  # never written
    for array in (whole, whole[:, 1:], whole[::2]):
        want = stream_moments(np.array(array))
        for executor in (None, Sending()):
            assert eqx.tree_equal(stream_moments(array, executor=executor), want)


def test_a_mapped_file_that_was_removed_is_still_read_by_threads(tmp_path):
    whole = np.load(saved(tmp_path), mmap_mode="r")
    (tmp_path / "x.npy").unlink()
    assert eqx.tree_equal(stream_moments(whole), stream_moments(X))
    with pytest.raises(FileNotFoundError, match=r"x\.npy"):
        stream_moments(whole, executor=Sending())
