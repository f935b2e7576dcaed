"""Work goes to any executor; a worker that is lost costs its unit, tried again."""

import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import jax
import numpy as np
import pytest
import toy
from threadpoolctl import ThreadpoolController

from linssl import Sweep, open_sweep, run_sweep
from linssl.runtime.devices import one_blas_thread
from linssl.sweep import SweepStoppedError, WorkerLostError
from linssl.sweep import run as running

AXES = {"a": np.linspace(0.0, 10.0, 21)}


def processes():
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


def test_threads_and_processes_give_the_same_bits():
    sweep = Sweep(toy.decomposing, AXES, 2)
    want = run_sweep(sweep)
    with ThreadPoolExecutor(2) as executor:
        threads = run_sweep(sweep, executor=executor)
    for got in (threads, run_sweep(sweep, executor=processes)):
        np.testing.assert_array_equal(got["value"], want["value"])


def test_a_worker_killed_in_a_unit_is_replaced_and_the_unit_tried_again(tmp_path):
    sweep = Sweep(toy.deadly, AXES, constants={"folder": str(tmp_path)})
    got = run_sweep(sweep, tmp_path / "s", executor=processes)
    assert (tmp_path / "killed").exists()
    np.testing.assert_array_equal(got["sum"], run_sweep(sweep)["sum"])


def test_a_unit_that_always_kills_is_given_up_with_a_reason(tmp_path):
    with pytest.raises(WorkerLostError, match=r"lost its worker 4 times .* run out of memory"):
        run_sweep(Sweep(toy.always_deadly, {"a": [1.0, 2.0]}), tmp_path / "s", executor=processes)


def test_an_executor_that_broke_and_cannot_be_made_anew_says_so(tmp_path):
    with (
        processes() as executor,
        pytest.raises(WorkerLostError, match="pass a function"),
    ):
        run_sweep(Sweep(toy.always_deadly, {"a": [1.0, 2.0]}), tmp_path / "s", executor=executor)


@pytest.mark.parametrize("executor", [None, processes], ids=["here", "processes"])
def test_an_error_of_the_cell_is_the_cells_and_says_where(tmp_path, executor):
    sweep = Sweep(toy.failing, AXES)
    with pytest.raises(Exception, match="the cell has a problem of its own") as caught:
        run_sweep(sweep, tmp_path / "s", executor=executor, in_flight=1)
    assert any("In cells" in note for note in caught.value.__notes__)
    finished = open_sweep(tmp_path / "s", partial=True)["finished"]
    assert 0 < finished.sum() < finished.size


def test_units_under_way_beside_one_that_fails_are_kept(tmp_path):
    with (
        ThreadPoolExecutor(4) as threads,
        pytest.raises(Exception, match="the cell has a problem of its own"),
    ):
        run_sweep(
            Sweep(toy.failing, {"a": np.arange(6.0, -2.0, -1.0)}),
            tmp_path / "s",
            executor=threads,
            in_flight=4,
        )
    finished = open_sweep(tmp_path / "s", partial=True)["finished"]
    assert finished.sum() == 6  # all but the first unit, of two cells


def test_stopping_keeps_what_is_done_and_resuming_gives_the_same(tmp_path):
    sweep, stop = Sweep(toy.decomposing, AXES, 2), threading.Event()

    def report(done, cells):
        if done > 4:
            stop.set()

    with pytest.raises(SweepStoppedError, match=r"stopped after \d+ of \d+ units, all of them in"):
        run_sweep(sweep, tmp_path / "s", stop=stop, report=report)
    finished = open_sweep(tmp_path / "s", partial=True)["finished"]
    assert 0 < finished.sum() < finished.size
    np.testing.assert_array_equal(
        run_sweep(sweep, tmp_path / "s")["value"], run_sweep(sweep)["value"]
    )


def test_workers_that_compute_otherwise_are_refused(monkeypatch):
    where = {"dtype": "float64", "device": "cpu", "versions": {"jax": "0.1"}}
    monkeypatch.setattr(running, "environment", lambda: where)
    with pytest.raises(ValueError, match=r'one differs .*versions.jax: "0.1" there'):
        run_sweep(Sweep(toy.cell, {"a": [1.0]}))


def blas_threads():
    return [m["num_threads"] for m in ThreadpoolController().info() if m["user_api"] == "blas"]


def test_blas_has_one_thread_in_a_sweep_and_its_own_number_after():
    before, inside = blas_threads(), []

    def cell(key, *, a):
        a = jax.pure_callback(
            lambda v: (inside.append(blas_threads()), v)[1], jax.ShapeDtypeStruct((), a.dtype), a
        )
        return {"x": a}

    run_sweep(Sweep(cell, {"a": [1.0, 2.0]}))
    assert inside
    assert {n for seen in inside for n in seen} == {1}
    with one_blas_thread(), one_blas_thread():
        assert set(blas_threads()) == {1}
    assert blas_threads() == before


def test_precision_of_the_process_is_what_workers_compute_in():
    for x64 in (True, False):
        with jax.enable_x64(x64):
            table = run_sweep(Sweep(toy.cell, {"a": [1.0]}))
        assert table["sum"].dtype == (np.float64 if x64 else np.float32)
