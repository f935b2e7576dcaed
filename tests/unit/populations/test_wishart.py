"""What draws no moments, and the words that say so."""

import jax.numpy as jnp
import numpy as np
import pytest
from helpers import jax_key

import linssl

CLEAN = np.random.default_rng(0).standard_normal((60, 4)) * [2.0, 1.0, 0.0, 0.0] + [1, 0, 0, 0]


@pytest.mark.parametrize("n", [0, -1, np.nan])
def test_no_samples_are_refused(n):
    with pytest.raises(ValueError, match="n must be >= 1"):
        linssl.populations.Spiked([1.0], [1.0]).sample_moments(jax_key(0), n)


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (0.5, r"count must lie in \[1, inf\]; got 0.5"),
        (-3, "got -3"),
        (2.5, "whole number.*got 2.5"),
    ],
)
def test_parts_of_a_sample_are_none(count, message):
    with pytest.raises(ValueError, match=message):
        linssl.populations.gaussian_moments(jax_key(0), jnp.ones(2), count)
    with pytest.raises(ValueError, match=message):
        linssl.populations.noisy_moments(jax_key(0), jnp.eye(2), jnp.zeros(2), jnp.ones(2), count)


def test_noise_of_another_size_is_refused():
    data = linssl.NoisyData.from_pair(linssl.same_instance(CLEAN))
    with pytest.raises(ValueError, match=r"noise must be \(4,\) or \(4, 4\); got \(3,\)"):
        data.sample_moments(jax_key(0), jnp.ones(3))
    data = linssl.NoisyData.from_pair(linssl.same_instance(CLEAN), appended=2)
    with pytest.raises(ValueError, match=r"noise must be \(2,\) or \(2, 2\); got \(4,\)"):
        data.sample_moments(jax_key(0), jnp.ones(4))
    with pytest.raises(ValueError, match="appended must be a whole number >= 0; got -1"):
        linssl.NoisyData.from_pair(linssl.same_instance(CLEAN), appended=-1)


def test_a_population_is_no_given_data():
    with pytest.raises(ValueError, match="pair must be of a finite number of rows"):
        linssl.NoisyData.from_pair(linssl.pairs.same_instance_population(jnp.ones(2)))
