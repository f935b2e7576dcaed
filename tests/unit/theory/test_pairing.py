"""What is no spectrum of pairs, and the words that say so."""

import pytest

from linssl.theory import pairing_thresholds


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((0.0, 1.0, 1.0, 1.0), "class_variance must hold variances > 0; got 0"),
        ((1.0, 1.0, -1.0, 1.0), "base_class must hold variances >= 0; got -1"),
        (([1.0, 2.0], 1.0, [1.0] * 3, 1.0), r"class_variance must be \(k,\) and base_class"),
        ((1.0, 1.0, 1.0, 1.0, 1.5), r"fraction must be a scalar in \[0, 1\]; got 1.5"),
        ((1.0, 1.0, 1.0, 1.0, 0.5, 2.0), r"mislabelled must be a scalar in \[0, 1\]"),
    ],
)
def test_bad_spectra_are_refused(arguments, match):
    with pytest.raises(ValueError, match=match):
        pairing_thresholds(*arguments)
