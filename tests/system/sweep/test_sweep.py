"""A sweep is the loop over its cells, whatever way it is cut."""

import subprocess
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import toy
from helpers import assert_close

import linssl
from linssl import Sweep, run_sweep
from linssl.sweep import plan as planning
from linssl.sweep.cells import spiked, spiked_draw

A, B = [0.5, 1.0, 3.0], [2.0, -1.0]


def key_of(seed):
    return jax.random.fold_in(jax.random.key(0, impl="threefry2x32"), seed)


def test_every_cell_is_the_function_at_its_coordinates():
    table = run_sweep(Sweep(toy.cell, {"a": A, "b": B}, seeds=[7, 3]))
    assert dict(table.sizes) == {"a": 3, "b": 2, "seed": 2, "objective": 2, "parts_0": 2}
    for a in A:
        for b in B:
            for seed in (7, 3):
                want = toy.cell(key_of(seed), a=a, b=b)
                got = table.sel(a=a, b=b, seed=seed)
                assert_close(got["sum"], want["sum"])
                assert_close(got["parts"], want["parts"])
                for name, value in want["score"].items():
                    assert_close(got["score"].sel(objective=name), value)
                assert int(got["count"]) == round(a)
    assert np.issubdtype(table["count"].dtype, np.integer)


def test_cells_of_one_draw_share_it_and_get_what_one_function_would():
    axes = {"a": A, "b": B}
    shared = run_sweep(Sweep(toy.drawn_cell, axes, 3, draw=toy.draw))
    assert shared["top"].dims == ("a", "b", "seed")
    assert_close(shared["top"], run_sweep(Sweep(toy.whole_cell, axes, 3))["top"], cond=100)


def test_a_draw_is_made_once_for_all_cells_that_share_it():
    calls = []

    def draw(key, *, b):
        jax.debug.callback(lambda b: calls.append(float(b)), b)
        return b

    sweep = Sweep(lambda drawn, *, a: {"x": a + drawn}, {"a": np.arange(6.0), "b": B}, draw=draw)
    run_sweep(sweep)
    jax.effects_barrier()
    # again at the start of each batch, and no more
    batches = -(-12 // sweep_plan(sweep).batch)
    assert len(calls) <= len(B) + batches + 2
    assert set(calls) == set(B)


def sweep_plan(sweep, memory=256e6):
    return planning.make_plan(sweep, memory)


@pytest.mark.parametrize(("batches", "units"), [(1, 1), (3, 2), (1000, 1000)])
@pytest.mark.parametrize("kind", ["plain", "draw"])
def test_results_do_not_depend_on_how_cells_are_cut_bit_for_bit(monkeypatch, batches, units, kind):
    def table():
        if kind == "draw":
            axes = {"a": np.linspace(0.1, 2, 7), "b": B}
            return run_sweep(Sweep(toy.drawn_cell, axes, 3, draw=toy.draw))
        return run_sweep(Sweep(toy.decomposing, {"a": np.linspace(0.1, 2, 7)}, 5))

    want = table()
    monkeypatch.setattr(planning, "BATCHES", batches)
    monkeypatch.setattr(planning, "UNITS", units)
    got = table()
    for name in want:
        np.testing.assert_array_equal(got[name], want[name])


def test_results_do_not_depend_on_the_other_values_of_an_axis_or_their_order():
    few = run_sweep(Sweep(toy.decomposing, {"a": [0.7, 0.1]}, [4]))
    many = run_sweep(Sweep(toy.decomposing, {"a": np.array([0.1, 0.4, 0.7, 5.0])}, [1, 4, 9]))
    for a in (0.1, 0.7):
        left, right = (t["value"].sel(a=a, seed=4).values for t in (few, many))
        np.testing.assert_array_equal(left, right)


def test_the_seed_alone_makes_the_key():
    table = run_sweep(Sweep(toy.cell, {"a": [1.0, 2.0], "b": [0.0]}, 3))
    noise = table["parts"] / table["a"]
    assert_close(noise.sel(a=1.0), noise.sel(a=2.0))
    assert len(np.unique(np.round(noise.sel(a=1.0).isel(parts_0=0), 6))) == 3


def test_a_cell_may_name_the_seed():
    table = run_sweep(
        Sweep(
            lambda key, *, seed, a: {"x": seed + 0 * jnp.asarray(a, int)}, {"a": [1.0, 2.0]}, [3, 5]
        )
    )
    np.testing.assert_array_equal(table["x"].sel(a=2.0).squeeze(), [3, 5])


def test_data_go_in_by_partial_and_constants_fix_shapes():
    data = jnp.arange(3.0)
    cell = eqx.Partial(lambda data, key, *, a, size: {"x": a * data.sum() * jnp.ones(size)}, data)
    table = run_sweep(Sweep(cell, {"a": [2.0]}, constants={"size": 4}))
    np.testing.assert_array_equal(table["x"].squeeze(), [6.0] * 4)


def test_ready_made_cells_agree_with_the_road_by_hand():
    axes = {"noise_variance": [0.1, 10.0], "alpha": [0.0, 1.0, 5.0], "n": [1000]}
    sizes = {"signal_directions": 3, "noise_directions": 4}
    table = run_sweep(Sweep(spiked, axes, 2, draw=spiked_draw, constants=sizes))
    assert table["distance"].dims == ("noise_variance", "alpha", "n", "seed", "objective")
    population = linssl.populations.Spiked(
        jnp.linspace(2.0, 1.0, 3), 10.0 * jnp.linspace(1.0, 0.2, 4)
    )
    data = population.sample_moments(key_of(1), 1000).corrupted
    view = population.aligned(jnp.array([0.6] * 3 + [0.006] * 4), 5.0)
    je = linssl.joint_embedding(linssl.two_views(data, view), 3)
    want = linssl.subspace_distance(je.encoder, jnp.eye(3, 7))
    got = table["distance"].sel(noise_variance=10.0, alpha=5.0, n=1000, seed=1)
    assert_close(got.sel(objective="joint_embedding"), want, cond=1000)
    assert (table["status"] == 0).all()


@pytest.mark.x64
def test_a_trillion_samples_are_a_cell_like_any_other():
    axes = {"noise_variance": [5.0], "alpha": [3.0], "n": [10**6, 10**12]}
    table = run_sweep(Sweep(spiked, axes, 3, draw=spiked_draw))
    # what is lost falls as 1/n, over six orders of magnitude
    per_sample = table["distance"] * table["n"]
    ratio = per_sample.sel(n=10**12) / per_sample.sel(n=10**6)
    assert (abs(ratio - 1) < 0.15).all()  # the term after 1/n is 1/n^1.5


def test_units_and_provenance_are_in_the_table():
    table = run_sweep(Sweep(toy.cell, {"a": A}, units={"a": "sigma", "sum": "m"}))
    assert table["a"].attrs["units"] == "sigma"
    assert table["sum"].attrs["units"] == "m"
    assert "toy:cell" in table.attrs["cell"]
    assert table.attrs["dtype"] == str(jnp.result_type(float))
    assert {"versions", "device", "config_hash", "created"} <= set(table.attrs)


def test_a_deterministic_cell_and_python_numbers_are_fine():
    table = run_sweep(Sweep(lambda key, *, a: {"x": a, "one": 1.0}, {"a": A}))
    np.testing.assert_allclose(table["x"].squeeze(), A)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Sweep(toy.cell, {"alpa": A, "a": A}), "axis alpa must be a keyword of"),
        (lambda: Sweep(toy.cell, {"aa": A}), r"Did you mean a\?"),
        (
            lambda: Sweep(toy.cell, {"b": A}),
            r"cell must get \['a'\], each as",
        ),
        (lambda: Sweep(toy.cell, {"a": A}, constants={"c": 1}), r"constant c must be a keyword"),
        (lambda: Sweep(toy.cell, {"a": A}, constants={"a": 1}), "can't be a constant too"),
        (lambda: Sweep(toy.cell, {"a": []}), r"axis a must be 1-D .* \(0,\)"),
        (lambda: Sweep(toy.cell, {"a": [1.0, np.nan]}), r"axis a must be finite"),
        (
            lambda: Sweep(toy.cell, {"a": [1.0, 1.0]}),
            "distinct values; got 1.0 twice",
        ),
        (lambda: Sweep(toy.cell, {"a": ["x"]}), "must hold numbers; got <U1. Number the"),
        (lambda: Sweep(toy.cell, {"seed": [1]}), r"an axis must be named as a keyword"),
        (lambda: Sweep(toy.cell, {"a": A}, seeds=0), r"seeds must be a number of seeds >= 1"),
        (
            lambda: Sweep(toy.cell, {"a": A}, seeds=[1, 1]),
            r"distinct whole .* got \[1, 1\]",
        ),
        (lambda: Sweep(toy.cell, {"a": A}, seeds=[-1]), r"whole numbers from 0"),
        (lambda: Sweep(lambda *, a: {"x": a}, {"a": A}), r"cell must take 1 argument"),
        (lambda: run_sweep(Sweep(lambda k, *, a: a, {"a": A})), "cell must return a dict"),
        (lambda: run_sweep(Sweep(lambda k, *, a: {}, {"a": A})), "cell must return a dict"),
        (
            lambda: run_sweep(Sweep(lambda k, *, a: {"a": a}, {"a": A})),
            "as a dimension .* got 'a'",
        ),
        (lambda: run_sweep(Sweep(lambda k, *, a: {"x": "no"}, {"a": A})), r"got str for x"),
        (
            lambda: run_sweep(Sweep(lambda k, *, a: {"x": k}, {"a": A})),
            "x must hold numbers; got key",
        ),
        (
            lambda: run_sweep(Sweep(lambda k, *, a: {"x": {"p": a, "q": jnp.ones(2)}}, {"a": A})),
            r"x must have one shape for every objective; got \[\(\), \(2,\)\]",
        ),
        (
            lambda: run_sweep(Sweep(lambda k, *, a: {"x": {"p": a}, "y": {"q": a}}, {"a": A})),
            r"all outputs must have the same objectives",
        ),
        (lambda: run_sweep(Sweep(toy.cell, {"a": A}), memory=10.0), r"memory must be at least \d+"),
        (lambda: run_sweep(Sweep(toy.cell, {"a": A}), "a\0b"), "out must be a folder that can be"),
        (lambda: run_sweep(Sweep(toy.cell, {"a": A}), "x" * 300), "out must be a folder that can"),
        (
            lambda: run_sweep(Sweep(toy.cell, {"a": A}, units={"alpha": "m"})),
            "units must be of axes or outputs, .*; got alpha",
        ),
        # came out as -9.2e18
        (lambda: Sweep(toy.cell, {"a": [2**63]}), f"whole numbers up to {2**63 - 1}; got {2**63}"),
        (lambda: Sweep(toy.cell, {"a": [1, [2]]}), "axis a must be an array; got list"),
    ],
)
def test_mistakes_are_named(make, match):
    with pytest.raises(ValueError, match=match):
        make()


def test_a_units_memory_is_bounded():
    sweep = Sweep(lambda key, *, a: {"x": a * jnp.ones(1000)}, {"a": np.arange(5000.0)})
    small, large = sweep_plan(sweep, 1e5), sweep_plan(sweep, 1e9)
    itemsize = jnp.dtype(float).itemsize if jax.config.jax_enable_x64 else 4
    assert 2 <= small.batch <= small.unit <= 1e5 / (1000 * itemsize)
    assert large.unit > small.unit
    assert small.units * small.unit >= 5000 > (small.units - 1) * small.unit


def counting(key, *, a):
    print("traced")  # a list of ours would be part of the sweep, and change
    return {"x": a + jax.random.normal(key)}


def test_no_compilation_inside_a_sweep(capsys):
    sweep = Sweep(counting, {"a": np.arange(500.0)}, 3)
    run_sweep(sweep)
    assert 0 < capsys.readouterr().out.count("traced") <= 4 * jax.local_device_count()
    run_sweep(sweep)
    assert "traced" not in capsys.readouterr().out


def test_an_axis_that_fixes_a_shape_is_told_to_be_a_constant():
    with pytest.raises(TypeError) as caught:
        run_sweep(Sweep(toy.cell, {"a": [1.0], "size": [2, 3]}))
    note = caught.value.__notes__[-1]
    assert "a random key, since there is no draw" in note
    assert "['a', 'size'] as numbers that aren't known" in note
    assert "must be a constant" in note


def test_any_amount_of_memory_is_enough():
    table = run_sweep(Sweep(toy.cell, {"a": [1.0, 2.0]}), memory=float("inf"))
    assert table.sizes["a"] == 2


WRONG = """
from linssl import Sweep, run_sweep
cell = lambda key, *, a, b=1.0: {"x": a * b}
good = Sweep(cell, {"a": [1.0, 2.0]})
for wrong in (
    lambda: Sweep(cell, None),
    lambda: Sweep(cell, {"a": [1.0]}, constants={1: 2}),
    lambda: Sweep(cell, {"a": [1.0]}, units=[("a", "m")]),
    lambda: Sweep(cell, {"a": [1.0]}, units={"a": 3}),
    lambda: run_sweep({"a": [1.0]}),
    lambda: run_sweep(good, memory="1GB"),
    lambda: run_sweep(good, in_flight=1.5),
    lambda: run_sweep(good, executor=lambda: None),
):
    try:
        wrong()
    except ValueError as error:
        print(error)
"""


def test_wrong_types_are_refused_in_words_where_nothing_checks_types():
    run = subprocess.run([sys.executable, "-c", WRONG], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == [
        "axes must be a dict, by name; got None.",
        "constants must be a dict, by name; got {1: 2}.",
        "units must be a dict, by name; got [('a', 'm')].",
        "units must be texts; got {'a': 3}.",
        "sweep must be a Sweep; got dict.",
        "memory must be a number of bytes; got '1GB'.",
        "in_flight must be a whole number >= 1; got 1.5.",
        "executor must be an Executor or make one; it made None.",
    ]
