"""Pairing: an instance with itself, with its population, with its label."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import SEEDS, assert_close
from hypothesis import given

import linssl
from linssl import PairMoments, same_instance, with_label
from linssl.pairs import one_hot, same_instance_population
from linssl.testing import covariances, spectra

X = np.random.default_rng(0).standard_normal((12, 3)) + 1
Y = np.random.default_rng(1).standard_normal((12, 2)) - 1


@given(SEEDS)
def test_an_instance_with_itself_shares_all_of_its_covariance(seed):
    x = np.random.default_rng(seed).standard_normal((12, 3)) + 1
    views = same_instance(x)
    dtype = views.shared.dtype
    assert_close(views.shared, np.cov(x.T, bias=True).astype(dtype))
    np.testing.assert_array_equal(views.covariance, views.shared)
    assert_close(views.mean, x.mean(0).astype(dtype), cond=10)
    assert not views.spread.any()
    assert (views.count, views.draws, views.group_size) == (12, np.inf, None)


def test_an_instance_with_itself_is_the_pair_of_two_copies():
    got, want = same_instance(X).as_pair(), PairMoments.from_samples(X, X)
    for name in ("first", "second", "cross", "mean_first", "mean_second", "count"):
        assert_close(getattr(got, name), getattr(want, name))


def test_compiled_pairing_equals_eager():
    got, want = jax.jit(same_instance)(jnp.asarray(X)), same_instance(X)
    for name in ("shared", "spread", "mean", "count", "draws"):
        assert_close(getattr(got, name), getattr(want, name))


@given(spectra(3) | covariances(3))
def test_a_population_is_its_own_covariance_whatever_its_mean(moments):
    for C in (moments, jnp.asarray(moments)):
        for mean in (None, jnp.array([2.0, -1.0, 0.0])):
            views = same_instance_population(C, mean)
            want = jnp.asarray(C)  # in the precision of the process
            np.testing.assert_array_equal(views.shared, want)
            np.testing.assert_array_equal(views.covariance, want)
            np.testing.assert_array_equal(views.mean, jnp.zeros(3) if mean is None else mean)
            assert not views.spread.any()
            assert views.count == views.draws == jnp.inf


def test_data_are_a_population_of_their_own_moments():
    data = same_instance(X)
    population = same_instance_population(np.cov(X.T, bias=True), X.mean(0))
    again = linssl.pairs.same_instance_moments(data.shared, data.mean, 12)
    for name in ("shared", "spread", "covariance", "mean"):
        assert_close(getattr(population, name), getattr(data, name), cond=10)
        np.testing.assert_array_equal(getattr(again, name), getattr(data, name))
    assert again.count == 12


def test_regression_targets_are_the_second_side():
    got, want = with_label(X, Y), PairMoments.from_samples(X, Y)
    for left, right in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
        np.testing.assert_array_equal(left, right)
    assert with_label(X, Y[:, :1]).second.shape == (1, 1)
    assert with_label(X, np.ones((12, 1), int)).second.dtype == got.first.dtype


@pytest.mark.x64
def test_labels_are_averaged_in_their_own_precision_and_told_in_that_of_the_data():
    far = Y + 1e6
    single = with_label(X.astype(np.float32), far)
    assert {leaf.dtype for leaf in jax.tree.leaves(single)} == {jnp.dtype("float32")}
    np.testing.assert_allclose(single.second, with_label(X, far).second, rtol=1e-6)


NAMES = np.array(["cat", "dog", "ant"] * 4)


@pytest.mark.parametrize(
    "labels",
    [
        NAMES,
        NAMES.astype(object),
        list(NAMES),
        np.array([5, 9, -2] * 4),
        np.array([5.0, 9, -2] * 4),
    ],
    ids=["text", "objects", "list", "integers", "whole floats"],
)
def test_class_names_become_one_hot_rows_in_sorted_order(labels):
    Z = one_hot(labels)
    assert_close(Z, jnp.tile(jnp.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]]), (4, 1)))
    pair = with_label(X, labels)
    assert_close(pair.second, jnp.eye(3) / 3 - 1 / 9)
    assert_close(pair.mean_second, jnp.ones(3) / 3)
    sums = np.stack([(X - X.mean(0))[start::3].sum(0) for start in (2, 0, 1)], axis=1)
    assert_close(pair.cross, jnp.asarray(sums / 12), cond=10)
    assert pair.draws == 11


def test_booleans_are_two_classes_and_one_class_is_one_column():
    assert_close(one_hot([True, False]), jnp.array([[0.0, 1.0], [1.0, 0.0]]))
    assert_close(one_hot(["a", "a"]), jnp.ones((2, 1)))
    assert one_hot([1, 2], jnp.float16).dtype == jnp.float16


def test_regression_targets_may_be_traced_and_class_names_may_not():
    pair = jax.jit(with_label)(jnp.asarray(X), jnp.asarray(Y))
    assert_close(pair.cross, with_label(X, Y).cross)
    with pytest.raises(ValueError, match="labels must be concrete: their classes fix a shape"):
        jax.jit(with_label)(jnp.asarray(X), jnp.arange(12))


def test_traced_data_pass_the_checks_of_values():
    views = jax.jit(same_instance)(jnp.full((2, 2), jnp.nan))
    assert jnp.isnan(views.shared).all()
    assert jnp.isnan(jax.jit(same_instance_population)(jnp.full(2, jnp.nan)).shared).all()
