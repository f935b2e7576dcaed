"""Numbers that are not diagnosed, and the words that say so."""

import numpy as np
import pytest

import linssl


def rows(n=400, d=4):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, d)) @ rng.standard_normal((d, d)), rng


@pytest.mark.parametrize("scale", [1e155, 1e300, 1e-155])
def test_a_scale_whose_squares_are_no_numbers_is_named(scale):
    X, _ = rows()
    with pytest.raises(ValueError, match=r"columns \[1, 3\] vary by .*, up to .*Change"):
        linssl.diagnose(X * np.where(np.arange(4) % 2, scale, 1.0))
