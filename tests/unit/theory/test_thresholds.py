"""What has no threshold, and the words that say so."""

import numpy as np
import pytest

import linssl


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"signal": [1.0, -1.0]}, "signal must hold variances > 0; got -1"),
        ({"signal": [1.0, 0.0]}, "signal must hold variances > 0; got 0"),
        ({"noise": [np.nan]}, "noise must be finite"),
        ({"noise": []}, "noise must be "),
        ({"base_signal": -0.1}, "base_signal must hold variances >= 0"),
        ({"base_noise": [0.1, 0.1]}, r"base_noise must be a scalar or one of .*got \(2,\)"),
        ({"signal": [[1.0, 0.5], [0.0, 1.0]]}, "signal must be symmetric"),
        ({"signal": [[1.0, 2.0], [2.0, 1.0]]}, "signal must be positive definite"),
        ({"signal": [[1.0, 1.0], [1.0, 1.0]]}, "signal must be positive definite"),
        ({"dim": 3}, "dim must be between 1 and 2"),
    ],
)
def test_bad_input_is_refused(change, message):
    arguments = {"signal": [2.0, 1.0], "noise": [1.0], "base_signal": 0.1, "base_noise": 0.1}
    with pytest.raises(ValueError, match=message):
        linssl.alignment_thresholds(**(arguments | change))


def test_magnitude_regime_refuses_matrices():
    with pytest.raises(ValueError, match="must be variances"):
        linssl.theory.magnitude_regime(np.eye(2), [1.0], 0.1)
