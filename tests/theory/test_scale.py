"""The weakest scale of a noise with a stated gap."""

import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, covariance

import linssl

C, THETA = covariance([4.0, 2.0, 1.0, 0.5], 1), covariance([1.0, 0.8, 0.5, 0.3], 2)


def gap_at(t):
    view = linssl.GaussianNoise(float(t) * THETA)
    pair = linssl.augment(linssl.same_instance_population(C), view, view)
    return linssl.joint_embedding(pair, 2).gap


def test_joint_embedding_has_the_stated_gap_at_the_least_scale_and_the_largest_at_the_best():
    found = linssl.gap_scale(C, THETA, 2, 0.1)
    assert_close(gap_at(found.least), jnp.asarray(0.1), cond=10)
    assert_close(gap_at(found.best), found.largest_gap, cond=10)
    for t in (0.5, 0.9, 1.1, 2.0):
        assert gap_at(t * found.best) < found.largest_gap
    assert gap_at(0.9 * found.least) < 0.1


def test_diagonals_are_matrices_and_limits_are_limits():
    a, b = jnp.asarray([3.0, 1.0]), jnp.asarray([1.0, 0.5])
    for gap in (0.0, 0.1):
        got, want = (linssl.gap_scale(*m, 1, gap) for m in ((a, b), (jnp.diag(a), jnp.diag(b))))
        assert_close(got.least, want.least, cond=10)
    assert linssl.gap_scale(a, b, 1, 0.0).least == 0
    assert np.isnan(linssl.gap_scale([1.0, 1.0], [1.0, 1.0], 1, 0.1).least)  # no gap at any scale
    assert linssl.gap_scale([1.0, 1.0], [1.0, 1.0], 1, 0.1).largest_gap == 0


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
