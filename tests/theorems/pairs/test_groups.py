"""Groups of J views: all their pairs, in both orders, without losing digits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import SEEDS, assert_close, assert_sampled, eps
from hypothesis import given
from hypothesis import strategies as st

import linssl
from linssl.pairs import class_tuples, groups

N, D = 12, 3


def sample(seed, views, n=N):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 1, D)) + rng.standard_normal((n, views, D)) + 0.5


@pytest.mark.witness("groups")
@given(SEEDS, st.sampled_from([2, 3]))
def test_moments_are_averages_over_all_ordered_pairs(seed, views):
    x = sample(seed, views)
    got, y = groups(x), x - x.mean((0, 1))
    ordered = [(j, k) for j in range(views) for k in range(views) if j != k]
    U, V = (np.concatenate([y[:, pick[side]] for pick in ordered]) for side in (0, 1))
    assert (float(got.count), float(got.draws), got.group_size) == (N, N * (views - 1), views)
    dtype = got.shared.dtype
    assert_close(got.covariance, (U.T @ U / len(U)).astype(dtype), cond=10)
    assert_close(got.shared, (U.T @ V / len(U)).astype(dtype), cond=10)
    assert_close(got.mean, x.mean((0, 1)).astype(dtype), cond=10)
    around = x - x.mean(1, keepdims=True)
    within = np.einsum("nji,njk->ik", around, around) / (N * (views - 1))
    assert_close(got.spread, within.astype(dtype))
    B = got.covariance + (views - 1) * got.shared
    assert_close(B, (views * np.einsum("ni,nk->ik", y.mean(1), y.mean(1)) / N).astype(dtype))
    if views == 2:  # both orders of a pair of samples
        both = linssl.PairMoments.from_samples(
            np.concatenate([x[:, 0], x[:, 1]]), np.concatenate([x[:, 1], x[:, 0]])
        )
        assert_close(got.shared, both.cross, cond=10)


@pytest.mark.witness("groups")
def test_groups_of_groups_sampled_have_the_population_moments():
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(100):
        x = rng.standard_normal((50, 1, D)) + 0.5 * rng.standard_normal((50, 4, D))
        views = groups(x)
        rows.append(np.stack([views.covariance, views.shared, views.spread]))
    # About the mean of 50 groups: G and S lack (G + Sigma/J) / n.
    eye, lost = np.eye(D), (1 + 0.25 / 4) / 50
    want = [(1.25 - lost) * eye, (1 - lost) * eye, 0.25 * eye]
    assert_sampled(np.array(rows), np.stack(want))


@pytest.mark.x64
@pytest.mark.parametrize("mean", [1e5, 1e8])
def test_large_means_cost_no_digits_but_those_of_the_data(mean):
    x = sample(0, 3)
    far, near = groups(x + mean), groups(x)
    for name in ("shared", "spread"):
        rounding = 10 * np.finfo(float).eps * mean
        np.testing.assert_allclose(getattr(far, name), getattr(near, name), atol=rounding)
    by_hand = groups((x + mean) - mean)  # exactly what is left of the data
    np.testing.assert_allclose(far.shared, by_hand.shared, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(far.spread, by_hand.spread, rtol=1e-9, atol=1e-12)


def test_constant_features_are_constant_exactly():
    x = sample(0, 3)
    x[:, :, 1] = 0.1
    views = groups(x)
    for moment in (views.spread, views.shared, views.covariance):
        assert np.abs(moment[1]).max() == 0


def test_equal_views_differ_by_exactly_nothing():
    x = np.repeat(sample(0, 1), 3, axis=1)
    views = groups(x)
    assert np.abs(views.spread).max() == 0
    np.testing.assert_array_equal(views.covariance, views.shared)


def test_groups_compile_and_merge():
    x = jnp.asarray(sample(0, 3))
    whole, parts = groups(x), linssl.merge(groups(x[:5]), groups(x[5:]))
    assert_close(jax.jit(groups)(x).shared, whole.shared, cond=10)
    for name in ("shared", "spread", "mean", "draws"):
        assert_close(getattr(parts, name), getattr(whole, name), cond=10)


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
    moments = jax.jit(lambda x: groups(x).shared)
    crosses = [np.asarray(moments(class_tuples(data, labels, 3, key))) for key in keys]
    assert np.abs(crosses[0] - crosses[1]).max() > 1e3 * eps(crosses[0])
    assert_sampled(np.array(crosses), linssl.same_class(data, labels).shared)
