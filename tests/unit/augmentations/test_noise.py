"""What is no noise, and the words that say so."""

import jax.numpy as jnp
import numpy as np
import pytest

from linssl import (
    AlignedNoise,
    GaussianNoise,
)


@pytest.mark.parametrize("covariance", [jnp.ones(1), jnp.ones((1, 1))])
def test_noise_for_one_feature_is_not_shared_among_many(covariance, key):
    with pytest.raises(ValueError, match=r"x must be \(..., 1\); got \(2, 3\)"):
        GaussianNoise(covariance).sample(key, jnp.zeros((2, 3)))


BAD = {
    "rectangular": (np.ones((2, 3)), r"must be \(d, d\), or \(d,\) for a diagonal; got \(2, 3\)"),
    "3-D": (np.ones((2, 2, 2)), r"must be \(d, d\), or \(d,\) for a diagonal; got \(2, 2, 2\)"),
    "0-D": (np.float64(1.0), r"must be \(d, d\), or \(d,\) for a diagonal; got \(\)"),
    "negative variance": (np.array([1.0, -1.0]), "must hold variances >= 0; got -1"),
    "NaN": (np.array([1.0, np.nan]), "must be finite; got 1 NaN or inf"),
    "inf": (np.array([[np.inf, 0.0], [0.0, 1.0]]), "must be finite; got 1 NaN or inf"),
    "not symmetric": (np.array([[1.0, 0.5], [0.0, 1.0]]), "must be symmetric; entries differ"),
    "indefinite": (np.array([[1.0, 2.0], [2.0, 1.0]]), "must be positive semi-definite; its"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_not_a_covariance_is_refused(case):
    values, match = BAD[case]
    good = np.ones(2)
    with pytest.raises(ValueError, match=f"covariance {match}"):
        GaussianNoise(values)
    with pytest.raises(ValueError, match=f"base {match}"):
        AlignedNoise(values, good, 1.0)
    with pytest.raises(ValueError, match=f"noise {match}"):
        AlignedNoise(good, values, 1.0)


@pytest.mark.parametrize(
    ("noise", "alpha", "match"),
    [
        (np.ones(3), 1.0, "base and noise must have equal sizes; got 2 and 3"),
        (np.ones(2), np.ones(2), r"alpha must be a scalar; got shape \(2,\)"),
        (np.ones(2), -0.5, "alpha must be finite and >= 0; got -0.5"),
        (np.ones(2), np.nan, "alpha must be finite and >= 0; got nan"),
    ],
)
def test_bad_alignment_is_refused(noise, alpha, match):
    with pytest.raises(ValueError, match=match):
        AlignedNoise(np.ones(2), noise, alpha)


def test_objects_are_refused():
    with pytest.raises(ValueError, match="number"):
        GaussianNoise(np.array([1.0, None], object))
