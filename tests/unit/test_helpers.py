"""The checks can fail: a tolerance that never fails proves nothing."""

import numpy as np
import pytest
from helpers import assert_close, assert_sampled, same_rows


def test_assert_close_fails_beyond_rounding():
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_close(np.ones(3) * (1 + 1e-4), np.ones(3))


def test_assert_close_fails_on_shape():
    with pytest.raises(AssertionError, match=r"\(3,\)"):
        assert_close(np.ones(3), np.ones((1, 3)))


def test_assert_sampled_fails_on_a_biased_mean():
    samples = np.random.default_rng(0).standard_normal(10_000)
    assert_sampled(samples, 0.0)
    with pytest.raises(AssertionError):
        assert_sampled(samples, 0.1)


def test_same_rows_sees_another_subspace():
    assert same_rows(np.eye(2, 4), np.eye(2, 4)[::-1]) < 1e-12
    assert same_rows(np.eye(2, 4), np.eye(4)[[0, 2]]) > 0.99
