"""The weakest scale of a noise with a stated gap."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy
from helpers import assert_close, covariance, eps

import linssl

A, B = np.array([4.0, 2.0, 1.0, 0.5]), np.array([1.0, 0.8, 0.5, 0.3])
C, THETA = covariance(A, 1), covariance(B, 2)


def gap_at(t):
    """By scipy: G v = omega S v."""
    C_, T = np.asarray(C, float), float(t) * np.asarray(THETA, float)
    omega = scipy.linalg.eigh(C_, C_ + T, eigvals_only=True)
    return omega[2] - omega[1]


@pytest.mark.witness("weakest-noise", "largest-gap")
def test_the_gap_is_the_stated_one_at_the_least_scale_and_the_largest_at_the_best():
    found = linssl.theory.gap_scale(C, THETA, 2, 0.1)
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
        got, want = (
            linssl.theory.gap_scale(*m, 2, gap) for m in ((A, B), (np.diag(A), np.diag(B)))
        )
        assert_close(got.least, want.least, cond=10)
    assert linssl.theory.gap_scale(A, B, 2, 0.0).least == 0
    tied = linssl.theory.gap_scale(A, A, 2, 0.1)  # no gap at any scale
    assert np.isnan(tied.least)
    assert tied.largest_gap == 0


def test_the_largest_gap_is_reached_at_the_best_scale_in_every_problem():
    rng = np.random.default_rng(0)
    for _ in range(50):
        moments = rng.uniform(0.1, 5, 4), rng.uniform(0.1, 2, 4)
        found = linssl.theory.gap_scale(*moments, 2, 0.0)
        at = linssl.theory.gap_scale(*moments, 2, found.largest_gap)
        assert_close(at.least, found.best, cond=eps(at.least) ** -0.5)  # flat at its top
        above = float(found.largest_gap) * (1 + 4 * eps(at.least))
        assert np.isnan(linssl.theory.gap_scale(*moments, 2, above).least)


def test_missing_rank_has_no_gap_and_the_last_rank_every_gap_below_one():
    variances = np.array([2.0, 0.5, 0.0, 0.0])
    for C in (variances, np.diag(variances), covariance(variances, 1)):
        none = linssl.theory.gap_scale(C, THETA, 3, 0.1)  # both scores are 0 at every scale
        assert none.largest_gap == 0
        assert np.isnan(none.least)
        every = linssl.theory.gap_scale(C, THETA, 2, 0.9)
        assert [every.least, every.best, every.largest_gap] == [0, 0, 1]


@jax.jit
def traced(covariance, noise):
    return linssl.theory.gap_scale(covariance, noise, 1, 0.01)


@pytest.mark.parametrize(
    "noise",
    [[1.0, 0.0], [1.0, -1.0], [[1.0, 2.0], [2.0, 1.0]], np.ones((2, 2)), [[1.0, 0.5], [0.0, 1.0]]],
)  # fmt: skip
def test_traced_noise_that_is_none_gives_nan(noise):
    for C in ([3.0, 1.0], [[3.0, 0.0], [0.0, 1.0]]):
        assert np.isnan(jax.tree_util.tree_leaves(traced(jnp.asarray(C), jnp.asarray(noise)))).all()


def test_traced_covariance_that_is_none_gives_nan():
    for C in ([3.0, -1.0], [[1.0, 2.0], [2.0, 1.0]], [[1.0, 2.0], [0.0, 1.0]], [jnp.nan, 1.0]):
        assert np.isnan(jax.tree_util.tree_leaves(traced(jnp.asarray(C), jnp.ones(2)))).all()
