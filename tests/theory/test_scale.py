"""The weakest scale of a noise with a stated gap."""

import jax.numpy as jnp
import numpy as np
import pytest
import scipy
from helpers import assert_close, covariance

import linssl

A, B = np.array([4.0, 2.0, 1.0, 0.5]), np.array([1.0, 0.8, 0.5, 0.3])
C, THETA = covariance(A, 1), covariance(B, 2)


def gap_at(t):
    """By scipy: G v = omega S v."""
    C_, T = np.asarray(C, float), float(t) * np.asarray(THETA, float)
    omega = scipy.linalg.eigh(C_, C_ + T, eigvals_only=True)
    return omega[2] - omega[1]


def test_the_gap_is_the_stated_one_at_the_least_scale_and_the_largest_at_the_best():
    found = linssl.gap_scale(C, THETA, 2, 0.1)
    assert_close(
        jnp.asarray(gap_at(found.least), found.least.dtype),
        jnp.full_like(found.least, 0.1),
        cond=10,
    )
    assert_close(jnp.asarray(gap_at(found.best), found.best.dtype), found.largest_gap, cond=10)
    for t in (0.5, 0.9, 1.1, 2.0):
        assert gap_at(t * found.best) < found.largest_gap
    assert gap_at(0.9 * found.least) < 0.1


def test_diagonals_are_matrices_and_limits_are_limits():
    for gap in (0.0, 0.1):
        got, want = (linssl.gap_scale(*m, 2, gap) for m in ((A, B), (np.diag(A), np.diag(B))))
        assert_close(got.least, want.least, cond=10)
    assert linssl.gap_scale(A, B, 2, 0.0).least == 0
    tied = linssl.gap_scale(A, A, 2, 0.1)  # no gap at any scale
    assert np.isnan(tied.least)
    assert tied.largest_gap == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, 2.0], [1.0, 0.0], 1, 0.1), "noise must hold variances > 0"),
        (([1.0, 2.0], [1.0, 1.0, 1.0], 1, 0.1), "noise must be of the 2 features"),
        (([1.0, 2.0], [1.0, 1.0], 2, 0.1), "dim must be between 1 and 1"),
        (([1.0, 2.0], [1.0, 1.0], 1, 1.5), r"gap must lie in \[0, 1\]; got 1.5"),
        ((np.ones((2, 3)), [1.0, 1.0], 1, 0.1), r"covariance must be \(d, d\)"),
    ],
)
def test_what_is_no_noise_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        linssl.gap_scale(*arguments)
