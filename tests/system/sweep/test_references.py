"""A sweep knows all that its functions refer to: what has changed makes another sweep."""

import functools
import sys
import threading
import types

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from linssl import Sweep, run_sweep
from linssl.sweep import StoreError, SweepStoppedError
from linssl.sweep.fingerprint import UNKNOWN, read

SCALE = 1.0
UNUSED = 1.0
LOCK = threading.Lock()
OTHER = types.ModuleType("other_of_user")
OTHER.SCALE = 1.0  # pyright: ignore[reportAttributeAccessIssue]
sys.modules["other_of_user"] = OTHER


def scaled(a):
    return SCALE * a


def deeper(a):
    return scaled(a)


def swapped(a):
    return 2 * a


jitted = jax.jit(scaled)
mapped = jax.vmap(scaled)
TABLE = {"rules": [scaled]}
NESTED = types.SimpleNamespace(deep=[{"scale": 1.0}])


class Base:
    def scaled(self, a):
        return deeper(a)


class Thing(Base):
    power = 1


class Model(eqx.Module):
    w: float

    def __call__(self, key, *, a):
        return {"y": self.w * scaled(a)}


THING = Thing()


def imports(key, *, a):
    from other_of_user import SCALE

    return {"y": SCALE * a}


def calls(rule, key, *, a):
    return {"y": rule(a)}


def closure(rule):
    return lambda key, *, a: {"y": rule(a)}


CELLS = {
    "constant": lambda key, *, a: {"y": SCALE * a},
    "helper": lambda key, *, a: {"y": scaled(a)},
    "helper of a helper": lambda key, *, a: {"y": deeper(a)},
    "jitted helper": lambda key, *, a: {"y": jitted(a)},
    "mapped helper": lambda key, *, a: {"y": mapped(a[None])[0]},
    "comprehension": lambda key, *, a: {"y": sum([(lambda: SCALE * a)() for _ in range(1)])},
    "container": lambda key, *, a: {"y": TABLE["rules"][0](a)},
    "method": lambda key, *, a: {"y": THING.scaled(a)},
    "new instance": lambda key, *, a: {"y": Thing().scaled(a)},
    "model": Model(1.0),
    "closure": closure(deeper),
    "closure of a method": closure(THING.scaled),
    "partial": functools.partial(calls, deeper),
    "filled": eqx.Partial(calls, deeper),
    "jitted": jax.jit(lambda key, *, a: {"y": scaled(a)}),
}


def solved(cell, **options):
    table = run_sweep(Sweep(cell, {"a": [1.0, 2.0]}, **options))
    return table["y"].values.squeeze(), table.attrs["config_hash"]


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_a_constant_that_changes_makes_another_sweep_with_new_numbers(cell, monkeypatch):
    before, hash_before = solved(cell)
    assert solved(cell)[1] == hash_before
    monkeypatch.setitem(globals(), "SCALE", 100.0)
    after, hash_after = solved(cell)
    np.testing.assert_array_equal(after, 100 * before)
    assert hash_after != hash_before
    monkeypatch.undo()
    np.testing.assert_array_equal(solved(cell)[0], before)


CHANGES = {
    "a helper": (CELLS["helper"], lambda to: to.setitem(globals(), "scaled", swapped)),
    "a constant of a module": (
        lambda key, *, a: {"y": OTHER.SCALE * a},
        lambda to: to.setattr(OTHER, "SCALE", 2.0),
    ),
    "an import inside": (imports, lambda to: to.setattr(OTHER, "SCALE", 2.0)),
    "a method": (CELLS["method"], lambda to: to.setattr(Base, "scaled", lambda self, a: 2 * a)),
    "a constant of a class": (
        lambda key, *, a: {"y": a * 2.0 ** (Thing.power - 1)},
        lambda to: to.setattr(Thing, "power", 2),
    ),
    "what lies deep": (
        lambda key, *, a: {"y": a * NESTED.deep[0]["scale"]},
        lambda to: to.setitem(NESTED.deep[0], "scale", 2.0),
    ),
    "a rule in a table": (CELLS["container"], lambda to: to.setitem(TABLE, "rules", [swapped])),
}


@pytest.mark.parametrize(("cell", "change"), CHANGES.values(), ids=CHANGES)
def test_whatever_a_cell_refers_to_is_part_of_the_sweep(cell, change, monkeypatch):
    before, hash_before = solved(cell)
    change(monkeypatch)
    after, hash_after = solved(cell)
    np.testing.assert_array_equal(after, 2 * before)
    assert hash_after != hash_before


def test_constants_and_draws_refer_to_something_too(monkeypatch):
    def drawn(key):
        return scaled(1.0)

    def cell(drawn, *, a, rule):
        return {"y": drawn + rule(a)}

    options = {"draw": drawn, "constants": {"rule": deeper}}
    before, hash_before = solved(cell, **options)
    monkeypatch.setitem(globals(), "SCALE", 3.0)
    after, hash_after = solved(cell, **options)
    np.testing.assert_array_equal(after, 3 * before)
    assert hash_after != hash_before


def test_what_a_cell_does_not_refer_to_may_change(monkeypatch):
    before = solved(CELLS["helper of a helper"])[1]
    monkeypatch.setitem(globals(), "UNUSED", 100.0)
    assert solved(CELLS["helper of a helper"])[1] == before


def test_a_half_finished_store_is_not_resumed_with_another_constant(tmp_path, monkeypatch):
    cell, stop = CELLS["helper of a helper"], threading.Event()
    sweep = Sweep(cell, {"a": np.arange(1.0, 41.0)})
    with pytest.raises(SweepStoppedError):
        run_sweep(sweep, tmp_path / "s", stop=stop, report=lambda done, _: done and stop.set())
    monkeypatch.setitem(globals(), "SCALE", 100.0)
    with pytest.raises(StoreError, match=r"another sweep .*\n.*reads\..*test_references\.SCALE: "):
        run_sweep(sweep, tmp_path / "s")
    monkeypatch.undo()
    table = run_sweep(sweep, tmp_path / "s")
    np.testing.assert_array_equal(table["y"].squeeze(), np.arange(1.0, 41.0))


def test_what_cannot_be_known_to_be_the_same_is_not_resumed(tmp_path):
    def cell(key, *, a):
        with LOCK:
            return {"y": a}

    run_sweep(Sweep(cell, {"a": [1.0]}), tmp_path / "s")
    with pytest.raises(StoreError, match=r"LOCK: \"unknown"):
        run_sweep(Sweep(cell, {"a": [1.0]}), tmp_path / "s")


def test_sets_are_read_in_any_order_and_libraries_are_not_read():
    def cell(key, *, a):
        return {"y": jnp.asarray(a) if "b" in names else np.asarray(a)}

    names = {"a", "b", "c"}
    assert read(cell) == {}
    assert not any(value.startswith(UNKNOWN) for value in read(*CELLS.values()).values())
