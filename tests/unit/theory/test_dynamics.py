"""What has no dynamics, and the words that say so."""

import numpy as np
import pytest

from linssl.theory import (
    barlow_twins_dynamics,
    denoising_dynamics,
    jepa_dynamics,
    learning_crossing,
    mae_dynamics,
)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: jepa_dynamics([-1.0], 1.0, 2, 0.1), r"covariance must lie in \[0, .*; got -1"),
        (lambda: mae_dynamics([1.0], 0.0, 2, 0.1), r"variance must lie in \(0, 1e\+30\]; got 0"),
        (lambda: mae_dynamics([1.0], 1.0, 2, 0.0), r"start must lie in \(0, 1e\+30\]; got 0"),
        (lambda: mae_dynamics([1.0], 1.0, 0, 0.1), "depth must be an int >= 1; got 0"),
        (lambda: mae_dynamics([[1.0]], 1.0, 1, 0.1), r"covariance must be \(m,\).*got \(1, 1\)"),
        (lambda: jepa_dynamics([1.0, 2.0], [1.0] * 3, 1, 0.1), "variance must be a scalar or .2,"),
        (lambda: barlow_twins_dynamics([np.inf], 0.1), "eigenvalues must lie in .*; got inf"),
        (lambda: barlow_twins_dynamics([1.0], -0.1), "start must lie in .*; got -0.1"),
        (lambda: denoising_dynamics([1.0], -1.0, 0.1), "noise must lie in .*; got -1"),
        (lambda: barlow_twins_dynamics([1.0], 0.1)(-1.0), r"time must lie in \[0, inf\]; got -1"),
        (lambda: barlow_twins_dynamics([1.0], 0.1).order(1.5), "share must lie in .*; got 1.5"),
        (lambda: barlow_twins_dynamics([1.0], 0.1).order([0.5]), "share must be a scalar"),
        (lambda: learning_crossing([0.5], 0.5, 1, 0.1), "coefficient must be a scalar"),
        (lambda: learning_crossing(0.5, 0.0, 1, 0.1), "other must lie in .*; got 0"),
    ],
)  # fmt: skip
def test_bad_arguments_are_named(call, match):
    with pytest.raises(ValueError, match=match):
        call()
