"""Batching: many cells are the loop over one, compiled once."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import SEEDS, assert_close
from hypothesis import given
from hypothesis import strategies as st

from linssl import GaussianNoise, two_views
from linssl.runtime import grid, over_cells


def cell(*, a, b):
    return {"sum": a + b, "parts": (a * jnp.ones(3), jnp.sin(b))}


@given(SEEDS, st.sampled_from([1, 4]))
def test_over_cells_is_a_loop_over_cells(seed, m):
    a, b = np.random.default_rng(seed).standard_normal((2, m))
    got = over_cells(cell, a=a, b=b)
    for i in range(m):
        want = cell(a=jnp.asarray(a)[i], b=jnp.asarray(b)[i])
        for left, right in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
            assert_close(left[i], right, cond=10)
    assert jax.tree.structure(got) == jax.tree.structure(want)
    assert got["parts"][0].shape == (m, 3)


def test_cells_may_be_models_lists_integers_and_booleans():
    got = over_cells(lambda *, flag, i: {"flag": ~flag, "i": i + 1}, flag=[True, False], i=[1, 2])
    np.testing.assert_array_equal(got["flag"], [False, True])
    np.testing.assert_array_equal(got["i"], [2, 3])
    assert jnp.issubdtype(got["i"].dtype, jnp.integer)
    models = over_cells(lambda *, v: GaussianNoise(v * jnp.ones(2)), v=[1.0, 2.0])
    assert_close(models.covariance, jnp.array([[1.0, 1.0], [2.0, 2.0]]))


def test_columns_may_be_keys_and_arrays():
    keys = jax.random.split(jax.random.key(0), 3)
    rows = jnp.arange(6.0).reshape(3, 2)
    got = over_cells(lambda *, key, row: jax.random.normal(key, (2,)) + row, key=keys, row=rows)
    want = jnp.stack([jax.random.normal(k, (2,)) + r for k, r in zip(keys, rows, strict=True)])
    assert_close(got, want)


def spread(data, *, variance):
    a = GaussianNoise(jnp.full(data.shape[1], variance))
    return jnp.trace(two_views(data, a).covariance)


@pytest.mark.parametrize("kind", [np.asarray, jnp.asarray])
def test_data_go_in_by_partial(kind):
    data = kind(np.random.default_rng(0).standard_normal((5, 2)))
    variances = jnp.array([0.5, 2.0])
    got = over_cells(eqx.Partial(spread, data), variance=variances)
    assert_close(got, jnp.stack([spread(jnp.asarray(data), variance=v) for v in variances]))


def counted():
    traces = []

    def traced(data, *, a):
        traces.append(None)
        return a * jnp.sum(data)

    return traced, traces


def test_second_call_of_the_same_cell_and_shape_does_not_trace():
    traced, traces = counted()
    for start in (0.0, 5.0):
        data = jnp.ones(3) + start
        got = over_cells(eqx.Partial(traced, data), a=jnp.arange(4.0))
        # New data of the same shape are an input, not a constant of the program.
        assert_close(got, jnp.arange(4.0) * 3 * (1 + start))
        if start == 0:
            first = len(traces)
            assert first >= 1
    assert len(traces) == first


def test_another_batch_size_or_shape_of_data_traces_again():
    traced, traces = counted()
    counts = [0]
    for m, n in ((4, 3), (5, 3), (5, 2), (4, 3)):
        over_cells(eqx.Partial(traced, jnp.ones(n)), a=jnp.arange(float(m)))
        counts.append(len(traces))
    news = [b > a for a, b in itertools.pairwise(counts)]
    assert news == [True, True, True, False]


def test_grid_has_every_combination_with_the_last_axis_fastest():
    columns, sizes = grid(a=[1.0, 2.0], b=jnp.array([10, 20, 30]), c=np.array([0.5]))
    assert list(columns) == list(sizes) == ["a", "b", "c"]
    assert sizes == {"a": 2, "b": 3, "c": 1}
    np.testing.assert_array_equal(columns["a"], [1, 1, 1, 2, 2, 2])
    np.testing.assert_array_equal(columns["b"], [10, 20, 30, 10, 20, 30])
    np.testing.assert_array_equal(columns["c"], [0.5] * 6)
    assert jnp.issubdtype(columns["b"].dtype, jnp.integer)


def test_results_over_a_grid_reshape_to_the_grid():
    a, b = jnp.array([1.0, 2.0]), jnp.array([3.0, 5.0, 7.0])
    columns, sizes = grid(a=a, b=b)
    got = over_cells(lambda *, a, b: 10 * a + b, **columns).reshape(*sizes.values())
    assert_close(got, 10 * a[:, None] + b[None, :])


def test_grid_of_keys_gives_every_cell_its_key():
    keys = jax.random.split(jax.random.key(0), 2)
    columns, sizes = grid(key=keys, a=[1.0, 2.0, 3.0])
    got = over_cells(lambda *, key, a: a * jax.random.normal(key), **columns)
    want = jnp.outer(jax.vmap(jax.random.normal)(keys), jnp.array([1.0, 2.0, 3.0]))
    assert_close(got.reshape(*sizes.values()), want)


@pytest.mark.parametrize("m", [1, 40, 41, 85])
def test_reporting_changes_no_result_and_ends_at_all_cells(m):
    a, b = np.random.default_rng(m).standard_normal((2, m))
    seen = []
    got = over_cells(cell, lambda done, total: seen.append((done, total)), a=a, b=b)
    want = over_cells(cell, a=a, b=b)
    for left, right in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
        assert_close(left, right)
    assert seen[-1] == (m, m)
    assert seen == sorted(set(seen))
    assert len(seen) <= 40


@pytest.mark.skipif(jax.config.jax_enable_x64, reason="64-bit integers fit in double precision")
def test_integers_that_would_wrap_are_refused():
    big = np.array([10**12, 5])
    with pytest.raises(ValueError, match="n holds integers beyond int32"):
        grid(n=big)
    with pytest.raises(ValueError, match="n holds integers beyond int32"):
        over_cells(lambda n: n, n=big)
