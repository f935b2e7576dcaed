"""The spiked population: its moments are its samples' moments, and its parts add up."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import SEEDS, assert_close, assert_sampled, jax_key
from hypothesis import given

import linssl
from linssl.populations import Spiked
from linssl.testing import spectra

POPULATION = Spiked(jnp.array([3.0, 2.0]), jnp.array([5.0, 0.5, 1.0]))


@given(spectra(2), spectra(3))
def test_covariance_is_clean_plus_noise(signal, noise):
    population = Spiked(signal, noise)
    assert_close(population.clean_covariance + population.noise_covariance, population.covariance)
    assert_close(population.covariance, np.concatenate([signal, noise]).astype(signal.dtype))
    assert not (population.clean_covariance * population.noise_covariance).any()


@given(SEEDS)
def test_sampled_moments_equal_the_population_covariances(seed):
    draw = POPULATION.sample(jax_key(seed), 4000)
    for samples, want in (
        (draw.clean, POPULATION.clean_covariance),
        (draw.corrupted, POPULATION.covariance),
    ):
        x = np.asarray(samples, float)
        assert_sampled(x[:, :, None] * x[:, None, :], np.diag(want))
        assert_sampled(x, np.zeros(5))


def test_corruption_leaves_the_signal_and_clean_data_has_no_noise(key):
    clean, corrupted = POPULATION.sample(key, 50)
    np.testing.assert_array_equal(clean[:, :2], corrupted[:, :2])
    assert not clean[:, 2:].any()
    assert corrupted[:, 2:].all()


def test_rows_and_keys_are_fresh_draws(key):
    clean, corrupted = POPULATION.sample(key, 3)
    assert len(np.unique(corrupted)) == corrupted.size
    again = POPULATION.sample(key, 3)
    np.testing.assert_array_equal(again.corrupted, corrupted)
    np.testing.assert_array_equal(again.clean, clean)
    assert (POPULATION.sample(jax.random.key(1), 3).corrupted != corrupted).all()


def test_no_noise_directions_is_clean_data(key):
    population = Spiked([1, 2], [])
    clean, corrupted = population.sample(key, 4)
    assert clean.shape == (4, 2)
    np.testing.assert_array_equal(clean, corrupted)


def test_zero_variances_are_allowed(key):
    assert not Spiked([0.0], [0.0]).sample(key, 3).corrupted.any()


def test_samples_have_the_precision_of_the_variances(key):
    population = Spiked(jnp.ones(1, jnp.float32), jnp.ones(1, jnp.float32))
    assert {a.dtype for a in population.sample(key, 2)} == {jnp.dtype("float32")}


@pytest.mark.parametrize("base", [0.4, jnp.full(5, 0.4), 0.4 * jnp.eye(5)])
def test_aligned_noise_covers_the_irrelevant_directions_by_alpha_squared(base):
    a = POPULATION.aligned(base, 3)
    Sigma = a.effect(POPULATION.covariance, jnp.zeros(5)).spread
    want = 0.4 + 9 * POPULATION.noise_covariance
    assert_close(Sigma if Sigma.ndim == 1 else jnp.diagonal(Sigma), want)
    if Sigma.ndim == 2:
        assert_close(Sigma, jnp.diag(want))


def test_population_and_alignment_can_be_swept_by_vmap_and_jit():
    noise, alphas = jnp.array([0.5, 2.0]), jnp.array([0.0, 3.0])

    def total(variance, alpha):
        population = Spiked(jnp.ones(2), jnp.full(1, variance))
        return population.aligned(0.1, alpha).effect(population.covariance, jnp.zeros(3)).spread

    got = jax.jit(jax.vmap(total))(noise, alphas)
    assert_close(got, jnp.stack([total(v, a) for v, a in zip(noise, alphas, strict=True)]))


def test_bad_values_inside_a_trace_pass_through():
    got = jax.jit(lambda v: Spiked(v, jnp.ones(1)).covariance)(jnp.array([-1.0]))
    assert_close(got, np.array([-1.0, 1.0], got.dtype))


def test_spiked_is_public():
    assert linssl.populations.Spiked is Spiked
