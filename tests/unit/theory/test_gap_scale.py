"""What is no noise, and the words that say so."""

import numpy as np
import pytest

import linssl


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
        linssl.theory.gap_scale(*arguments)
