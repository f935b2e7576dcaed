"""What is no spiked population, and the words that say so."""

import jax.numpy as jnp
import numpy as np
import pytest

from linssl.populations import Spiked

POPULATION = Spiked(jnp.array([3.0, 2.0]), jnp.array([5.0, 0.5, 1.0]))


@pytest.mark.parametrize(
    ("signal", "noise", "match"),
    [
        ([], [1.0], "signal must have at least one variance"),
        ([-1.0], [1.0], r"signal must hold variances >= 0; got -1"),
        ([1.0], [2.0, -0.5], r"noise must hold variances >= 0; got -0.5"),
        ([np.nan], [1.0], "signal must be finite; got 1 NaN or inf"),
        ([1.0], [np.inf], "noise must be finite; got 1 NaN or inf"),
        ([1j], [1.0], "must be real"),
    ],
)
def test_bad_variances_are_refused(signal, noise, match):
    with pytest.raises(ValueError, match=match):
        Spiked(np.array(signal), np.array(noise))


@pytest.mark.parametrize("n", [0, -3])
def test_no_samples_are_refused(key, n):
    with pytest.raises(ValueError, match=f"n must be >= 1; got {n}"):
        POPULATION.sample(key, n)


@pytest.mark.parametrize(
    ("base", "alpha", "match"),
    [
        (-1.0, 1.0, "base must hold variances >= 0"),
        (jnp.ones(4), 1.0, "base and noise must have equal sizes; got 4 and 5"),
        (1.0, -1.0, "alpha must be finite and >= 0; got -1"),
        (1.0, np.nan, "alpha must be finite and >= 0; got nan"),
        (1.0, np.inf, "alpha must be finite and >= 0; got inf"),
    ],
)
def test_bad_alignment_is_refused(base, alpha, match):
    with pytest.raises(ValueError, match=match):
        POPULATION.aligned(base, alpha)
