"""Groups of J views: all their pairs, in both orders, without losing digits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import SEEDS, assert_close, assert_sampled, eps
from hypothesis import given
from hypothesis import strategies as st

import linssl
from linssl import class_tuples, groups

N, D = 12, 3


def sample(seed, views, n=N):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 1, D)) + rng.standard_normal((n, views, D)) + 0.5


@given(SEEDS, st.sampled_from([2, 3]))
def test_moments_are_averages_over_all_ordered_pairs(seed, views):
    x = sample(seed, views)
    pair = groups(x)
    ordered = [(j, k) for j in range(views) for k in range(views) if j != k]
    U, V = (np.concatenate([x[:, pick[side]] for pick in ordered]) for side in (0, 1))
    assert pair.exchangeable
    assert float(pair.count) == N
    dtype = pair.first.dtype
    assert_close(pair.first, (U.T @ U / len(U)).astype(dtype))
    assert_close(pair.cross, (U.T @ V / len(U)).astype(dtype), cond=10)
    around = x - x.mean(1, keepdims=True)
    within = np.einsum("nji,njk->ik", around, around) / (N * (views - 1))
    assert_close(pair.within, within.astype(dtype))
    B = pair.first + (views - 1) * pair.cross
    assert_close(B, (views * np.einsum("ni,nk->ik", x.mean(1), x.mean(1)) / N).astype(dtype))
    if views == 2:
        both = linssl.PairMoments.from_samples(x[:, 0], x[:, 1], exchangeable=True)
        assert_close(pair.cross, both.cross, cond=10)


def test_groups_of_groups_sampled_have_the_population_moments():
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(100):
        x = rng.standard_normal((50, 1, D)) + 0.5 * rng.standard_normal((50, 4, D))
        pair = groups(x)
        rows.append(np.stack([pair.first, pair.cross, pair.within]))
    eye = np.eye(D)
    assert_sampled(np.array(rows), np.stack([1.25 * eye, eye, 0.25 * eye]))


@pytest.mark.x64
def test_large_means_cost_the_moment_within_no_digits():
    x = sample(0, 3)
    far = groups(x + 1e5)
    np.testing.assert_allclose(far.within, groups(x).within, rtol=1e-9, atol=1e-9)
    centred = far.centred()
    np.testing.assert_allclose(centred.within, far.within)
    np.testing.assert_allclose(centred.cross, groups(x).centred().cross, atol=1e-4)
    lost = groups(x + 1e9).centred()  # the moments between have none left, and say so
    assert np.isnan(lost.first).all()


def test_constant_features_are_constant_exactly():
    x = sample(0, 3)
    x[:, :, 1] = 0.1
    pair = groups(x)
    assert np.abs(pair.within[1]).max() == 0
    assert np.abs(pair.centred().first[1]).max() == np.abs(pair.centred().cross[1]).max() == 0


def test_equal_views_differ_by_exactly_nothing():
    x = np.repeat(sample(0, 1), 3, axis=1)
    pair = groups(x)
    assert np.abs(pair.within).max() == 0
    assert_close(pair.first, pair.cross)


def test_groups_compile_and_merge():
    x = jnp.asarray(sample(0, 3))
    whole, parts = groups(x), linssl.merge(groups(x[:5]), groups(x[5:]))
    assert_close(jax.jit(groups)(x).cross, whole.cross, cond=10)
    assert_close(parts.cross, whole.cross, cond=10)
    assert_close(parts.within, whole.within, cond=10)


@given(SEEDS, st.sampled_from([2, 3]))
def test_class_tuples_take_every_instance_once_and_stay_in_their_class(seed, views):
    rng = np.random.default_rng(seed)
    labels = rng.choice(["a", "b", "c"], 20, p=[0.6, 0.35, 0.05])
    labels[:3] = "a"
    data = np.stack([np.arange(20.0), np.unique(labels, return_inverse=True)[1]], 1)
    x = np.asarray(class_tuples(data, labels, views, jax.random.key(seed)))
    assert x.shape[1:] == (views, 2)
    assert (x[:, :, 1] == x[:, :1, 1]).all()
    assert len(set(x[:, :, 0].ravel())) == x[:, :, 0].size
    sizes = np.unique(labels, return_counts=True)[1]
    assert len(x) == (sizes // views).sum()


def test_class_tuples_are_drawn_by_their_key_and_estimate_same_class_pairs():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(2), 6)
    data = rng.standard_normal((12, D)) + labels[:, None]
    keys = jax.random.split(jax.random.key(1), 200)
    moments = jax.jit(lambda x: groups(x).cross)
    crosses = [np.asarray(moments(class_tuples(data, labels, 3, key))) for key in keys]
    assert np.abs(crosses[0] - crosses[1]).max() > 1e3 * eps(crosses[0])
    assert_sampled(np.array(crosses), linssl.same_class(data, labels).cross)
