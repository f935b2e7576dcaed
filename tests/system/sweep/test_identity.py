"""Different sweeps have different hashes; the same one has the same, in every process."""

import functools
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import toy

import linssl
from linssl import Sweep, run_sweep
from linssl.sweep import StoreError, SweepStoppedError
from linssl.sweep.fingerprint import digest
from linssl.sweep.identity import environment, identity


def hash_of(cell, **options):
    return digest(identity(Sweep(cell, {"a": [1.0, 2.0]}, **options), environment()))


def closure(c):
    return lambda key, *, a: {"y": a * c}


def default(c):
    def cell(key, *, a, c=c):
        return {"y": a * c}

    return cell


def with_data(data, key, *, a):
    return {"y": a * jnp.sum(data)}


class Model(eqx.Module):
    w: jax.Array

    def __call__(self, key, *, a):
        return {"y": a * self.w}

    def method(self, key, *, a):
        return {"y": a * self.w}


@pytest.mark.parametrize(
    "make",
    [
        closure,
        default,
        lambda c: functools.partial(with_data, jnp.full(3, c)),
        lambda c: eqx.Partial(with_data, jnp.full(3, c)),
        lambda c: Model(jnp.asarray(c)),
        lambda c: Model(jnp.asarray(c)).method,
        lambda c: closure(Model(jnp.asarray(c))),
        lambda c: closure([{"x": c}]),
    ],
)
def test_the_data_that_a_cell_holds_are_part_of_the_sweep(make):
    assert hash_of(make(1.0)) == hash_of(make(1.0)) != hash_of(make(100.0))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        (0.0, -0.0),
        (np.zeros(5000), np.r_[np.zeros(4000), 1, np.zeros(999)]),
        (linssl.populations.Spiked([3.0], [1.0]), linssl.populations.Spiked([300.0], [1.0])),
    ],
)
def test_constants_that_differ_make_another_sweep(one, other):
    cell = lambda key, *, a, k: {"y": a}  # noqa: E731
    assert hash_of(cell, constants={"k": one}) != hash_of(cell, constants={"k": other})


def test_a_constant_of_unknown_contents_is_refused():
    cell = lambda key, *, a, k: {"y": a}  # noqa: E731
    with pytest.raises(ValueError, match="can't be told apart from another"):
        hash_of(cell, constants={"k": object()})


def test_the_hash_is_the_same_in_every_process():
    code = (
        f"import sys, jax; sys.path.insert(0, {str(Path(toy.__file__).parent)!r})\n"
        f"jax.config.update('jax_enable_x64', {bool(jax.config.jax_enable_x64)})\n"
        "import toy, linssl; from linssl.sweep.identity import *\n"
        "from linssl.sweep.fingerprint import digest\n"
        "s = linssl.Sweep(toy.cell, {'a': [1.0, 2.0]}); print(digest(identity(s, environment())))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == hash_of(toy.cell)


def test_one_executor_keeps_two_sweeps_apart():
    with ThreadPoolExecutor(1) as executor:
        for c in (1.0, 100.0):
            table = run_sweep(Sweep(closure(c), {"a": [1.0, 2.0]}), executor=executor)
            np.testing.assert_allclose(table["y"].squeeze(), [c, 2 * c])


def test_equal_constants_of_different_types_are_different_programs():
    def cell(key, *, a, k):
        return {"y": 0 * a + (5.0 if isinstance(k, bool) else 1.0 if isinstance(k, int) else 2.0)}

    got = [
        run_sweep(Sweep(cell, {"a": [1.0]}, constants={"k": k}))["y"].item() for k in (1, 1.0, True)
    ]
    assert got == [1.0, 2.0, 5.0]


def two(key, *, a, b):
    return {"y": 10 * a + b}


def test_a_store_with_its_axes_in_another_order_is_refused(tmp_path):
    stop = threading.Event()
    a, b = [1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]
    with pytest.raises(SweepStoppedError):
        run_sweep(
            Sweep(two, {"a": a, "b": b}),
            tmp_path / "s",
            stop=stop,
            report=lambda done, _: done and stop.set(),
        )
    with pytest.raises(StoreError, match="order: "):
        run_sweep(Sweep(two, {"b": b, "a": a}), tmp_path / "s")


@pytest.mark.x64
def test_a_sweep_follows_the_precision_it_is_run_in():
    sweep = Sweep(lambda key, *, a: {"y": a}, {"a": [1 / 3]})
    with jax.enable_x64(False):
        assert run_sweep(sweep)["y"].dtype == np.float32
    assert run_sweep(sweep)["y"].item() == 1 / 3


@pytest.mark.parametrize("values", [[1e10, 1e300], [1.0, 1 + 1e-10], [1, 10**12]])
def test_values_that_single_precision_cannot_tell_are_refused(values):
    sweep = Sweep(lambda key, *, a: {"y": a}, {"a": values})
    with jax.enable_x64(False), pytest.raises(ValueError, match=r"a (must be|holds) .*precision"):
        run_sweep(sweep)


helper = {"names": ("p", "q")}


def calling(key, *, a):
    return {"y": {name: a for name in helper["names"]}}


def test_a_table_that_has_changed_under_the_same_cell_is_refused(tmp_path, monkeypatch):
    run_sweep(Sweep(calling, {"a": [1.0]}), tmp_path / "s")
    monkeypatch.setitem(helper, "names", ("p", "r"))
    with pytest.raises(StoreError, match=r"another sweep .*\n.*reads\..*helper: "):
        run_sweep(Sweep(calling, {"a": [1.0]}), tmp_path / "s")


@pytest.mark.parametrize(
    ("cell", "axes", "options", "match"),
    [
        (closure(1.0), {"tolerance": [1.0]}, {}, "an axis must be named"),
        (
            closure(1.0),
            {"a": [1.0]},
            {"in_flight": -1},
            "in_flight must be a whole number >= 1; got -1",
        ),
        (closure(1.0), {"a": [1.0]}, {"out": "s3://bucket/x"}, "out must be a folder"),
        (lambda k, *, a: {"../y": a}, {"a": [1.0]}, {}, "an output must not be named"),
        (lambda k, *, a: {"y": jnp.asarray(a, complex)}, {"a": [1.0]}, {}, "output y must be real"),
        (
            lambda k, *, a: {"y": jnp.ones(2), "y_0": a},
            {"a": [1.0]},
            {},
            r"\['y_0'\] must not name both",
        ),
    ],
)
def test_what_would_end_in_a_wrong_table_is_refused_before_it_starts(cell, axes, options, match):
    with pytest.raises(ValueError, match=match):
        run_sweep(Sweep(cell, axes), **options)


def test_what_a_cell_holds_may_change_between_runs():
    held = {"a": 1.0}

    class Object:
        scale = 1.0

        def __call__(self, key, *, a):
            return {"y": a * self.scale}

    def closing(key, *, a):
        return {"y": a * held["a"]}

    thing = Object()
    sweeps = Sweep(closing, {"a": [1.0, 2.0]}), Sweep(thing, {"a": [1.0, 2.0]})
    first = [run_sweep(s) for s in sweeps]
    held["a"] = thing.scale = 100.0
    for sweep, before in zip(sweeps, first, strict=True):
        after = run_sweep(sweep)
        np.testing.assert_array_equal(after["y"], 100 * before["y"])
        assert after.attrs["config_hash"] != before.attrs["config_hash"]


def test_constants_inside_containers_keep_their_types():
    def cell(key, *, a, s):
        return {"y": jnp.asarray(s[0]) + 0 * jnp.asarray(a, jnp.asarray(s[0]).dtype)}

    kinds = [
        run_sweep(Sweep(cell, {"a": [1.0]}, constants={"s": s}))["y"].dtype.kind
        for s in ((1,), (1.0,))
    ]
    assert kinds == ["i", "f"]
