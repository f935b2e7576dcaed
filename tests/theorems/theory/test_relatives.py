"""The wider family's thresholds are where the weakest signal meets the strongest noise.

That the solved problems switch there is a test of the experiment `paradigm_map`.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close

from linssl import alignment_thresholds
from linssl.theory import collapse_prices, family_thresholds

SIGNAL, NOISE = np.array([3.0, 1.5]), np.array([4.0, 0.5])
BASE_SIGNAL, BASE_NOISE = np.array([0.7, 0.5]), np.array([0.05, 0.02])
WEIGHT, PRICE, K = 0.8, 2.2, 2
SPECTRA = (SIGNAL, NOISE, BASE_SIGNAL, BASE_NOISE)


def margins(square):
    """By how much the weakest signal beats the strongest noise, from the moments themselves."""
    theta = np.concatenate([BASE_SIGNAL, BASE_NOISE + square * NOISE])
    G = np.concatenate([SIGNAL, NOISE])
    S = G + theta
    path = (G * G + WEIGHT * G) / S
    left = np.maximum(0, 1 - PRICE * (1 - G / S))  # codes of a soft constraint
    return [path[:K].min() - path[K:].max(), theta[K:].min() - theta[:K].max(), 0 - left[K:].max()]


@pytest.mark.witness("family-thresholds")
def test_each_objective_keeps_the_signal_just_above_its_threshold_and_not_below():
    found = family_thresholds(*SPECTRA, WEIGHT, PRICE)
    squares = found.reconstruction_path, found.invariance_only, found.soft_constraint
    for i, square in enumerate(map(float, squares)):
        assert square > 0.1
        assert margins(square * (1 - 1e-4))[i] < 0 <= margins(square * (1 + 1e-4))[i]
    assert found.alignment_only == np.inf  # the strongest noise exceeds the weakest signal
    weak = family_thresholds(SIGNAL, NOISE / 4, BASE_SIGNAL, BASE_NOISE, WEIGHT, PRICE)
    assert weak.alignment_only == -np.inf


@pytest.mark.witness("family-thresholds")
def test_the_path_runs_from_reconstruction_to_joint_embedding():
    ends = alignment_thresholds(*SPECTRA)
    at = [family_thresholds(*SPECTRA, w, PRICE).reconstruction_path for w in (0.0, jnp.inf)]
    assert_close(at[0], ends.reconstruction_squared)
    assert_close(at[1], ends.joint_embedding_squared)


@pytest.mark.witness("family-thresholds")
def test_a_price_too_low_keeps_noise_and_one_too_high_loses_signal():
    def soft(price):
        return float(family_thresholds(*SPECTRA, WEIGHT, price).soft_constraint)

    omega = SIGNAL / (SIGNAL + BASE_SIGNAL)
    highest = float(collapse_prices(omega).min())
    assert soft(1.0) == soft(0.3) == np.inf
    assert np.isfinite(soft(1.001))
    assert np.isfinite(soft(0.999 * highest))
    assert soft(1.001 * highest) == soft(np.inf) == np.inf


@pytest.mark.witness("collapse-price")
def test_collapse_prices_at_their_limits_and_bad_arguments():
    want = jnp.array([jnp.inf, 2.0, 1.0, 0.5])
    assert (collapse_prices([1.0, 0.5, 0.0, -1.0]) == want).all()
    assert collapse_prices(1 + 1e-9) == jnp.inf
    assert jnp.isnan(jax.jit(collapse_prices)(jnp.asarray(2.0)))
    assert jnp.isnan(jax.jit(family_thresholds)(*SPECTRA, -1.0, PRICE).alignment_only)
    for arguments, match in (
        ((SIGNAL, -NOISE, 0.1, 0.1, 1.0, 2.0), r"noise must lie in \(0, .*got -4"),
        ((2.0, NOISE, 0.1, 0.1, 1.0, 2.0), r"signal must be variances, \(m,\); got shape \(\)"),
        ((SIGNAL, NOISE, [0.1] * 3, 0.1, 1.0, 2.0), r"base_signal must be a scalar or \(2,\)"),
        ((SIGNAL, NOISE, 0.1, 0.1, [1.0], 2.0), r"weight must be a scalar; got shape \(1,\)"),
        ((SIGNAL, NOISE, 0.1, 0.1, 1.0, 0.0), r"price must lie in \(0, inf\]; got 0"),
    ):
        with pytest.raises(ValueError, match=match):
            family_thresholds(*arguments)
    with pytest.raises(ValueError, match=r"spectrum must lie in .*got 1.5"):
        collapse_prices([1.5])
