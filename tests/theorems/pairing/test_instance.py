"""Pairing: an instance with itself, with its population, with its label."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import SEEDS, assert_close, covariance, spectra
from hypothesis import given

from linssl import PairMoments, one_hot, same_instance, same_instance_population, with_label
from linssl._structure import dense

X = np.random.default_rng(0).standard_normal((12, 3)) + 1
Y = np.random.default_rng(1).standard_normal((12, 2)) - 1


@given(SEEDS)
def test_an_instance_with_itself_has_three_equal_moments(seed):
    x = np.random.default_rng(seed).standard_normal((12, 3)) + 1
    pair = same_instance(x)
    assert_close(pair.first, (x.T @ x / 12).astype(pair.first.dtype))
    assert pair.first is pair.second is pair.cross
    assert_close(pair.mean_first, x.mean(0).astype(pair.first.dtype), cond=10)
    assert not pair.within.any()
    assert pair.count == 12
    assert pair.exchangeable


def test_an_instance_with_itself_is_the_exchangeable_pair_of_two_copies():
    got, want = same_instance(X), PairMoments.from_samples(X, X, exchangeable=True)
    for name in ("first", "second", "cross", "mean_first", "mean_second", "count"):
        assert_close(getattr(got, name), getattr(want, name))


def test_compiled_pairing_equals_eager():
    for got, want in zip(
        jax.tree.leaves(jax.jit(same_instance)(jnp.asarray(X))),
        jax.tree.leaves(same_instance(X)),
        strict=True,
    ):
        assert_close(got, want)


@given(spectra(3), SEEDS)
def test_a_population_is_its_own_raw_moment(spectrum, seed):
    for C in (jnp.asarray(spectrum), covariance(spectrum, seed)):
        pair = same_instance_population(C)
        assert pair.first is pair.second is pair.cross
        assert_close(pair.first, C)
        assert not pair.mean_first.any()
        assert not pair.within.any()
        assert pair.count == jnp.inf
        assert pair.exchangeable


@given(spectra(3), SEEDS)
def test_centring_a_population_with_a_mean_gives_its_covariance(spectrum, seed):
    mean = jnp.array([2.0, -1.0, 0.0])
    for C in (jnp.asarray(spectrum), covariance(spectrum, seed)):
        pair = same_instance_population(C, mean)
        assert_close(pair.first, dense(C) + jnp.outer(mean, mean))
        # Raw variances are up to 5 where the covariance may be 0.1.
        assert_close(pair.centred().first, dense(C), cond=50)


def test_data_are_a_population_of_their_own_moments():
    data = same_instance(X)
    population = same_instance_population(np.cov(X.T, bias=True), X.mean(0))
    assert_close(population.first, data.first, cond=10)
    assert_close(population.centred().first, data.centred().first, cond=50)


def test_regression_targets_are_the_second_side():
    got, want = with_label(X, Y), PairMoments.from_samples(X, Y)
    for left, right in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
        np.testing.assert_array_equal(left, right)
    assert with_label(X, Y[:, :1]).second.shape == (1, 1)
    assert with_label(X, np.ones((12, 1), int)).second.dtype == got.first.dtype


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
    assert_close(pair.second, jnp.eye(3) / 3)
    assert_close(pair.mean_second, jnp.ones(3) / 3)
    sums = np.stack([X[start::3].sum(0) for start in (2, 0, 1)], axis=1)
    assert_close(pair.cross, jnp.asarray(sums / 12), cond=10)


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
    pair = jax.jit(same_instance)(jnp.full((2, 2), jnp.nan))
    assert jnp.isnan(pair.first).all()
    assert jnp.isnan(jax.jit(same_instance_population)(jnp.full(2, jnp.nan)).first).all()


# ---- what is refused


@pytest.mark.skipif(jax.config.jax_enable_x64, reason="1e150 fits in double precision")
def test_finite_data_beyond_single_precision_are_said_to_overflow():
    with pytest.raises(ValueError, match="data overflows float32"):
        linssl.same_instance(np.full((3, 2), 1e150))
