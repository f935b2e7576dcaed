"""What does not spill, and the words that say so."""

import pytest

import linssl


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1.0]], [1.0], 0.1, 0.1, 0.1), r"signal must be a \(k,\) array"),
        (([1.0], [-1.0], 0.1, 0.1, 0.1), "noise must hold variances > 0"),
        (([1.0], [1.0], 0.1, 0.1, -0.1), "noise_on_signal must hold variances >= 0"),
        (([1.0], [1.0], [0.1, 0.2], 0.1, 0.1), r"base_signal must be a scalar or \(1,\)"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        linssl.theory.alignment_interval(*arguments)
