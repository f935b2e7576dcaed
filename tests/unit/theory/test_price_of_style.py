"""What is no variance, and the words that say so."""

import numpy as np
import pytest

from linssl.theory import exchange_rate


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((0.0, 1.0, 1.0, 2), "style_variance must lie in"),
        ((1.0, 0.0, 1.0, 2), "noise must lie in"),
        ((1.0, 1.0, -1.0, 2), "style must lie in"),
        ((1.0, 1.0, 1.0, 0.5), "group_size must lie in"),
        ((1.0, 1.0, np.ones(2), 2), r"style must be a scalar; got shape \(2,\)"),
    ],
)
def test_what_is_no_variance_is_refused(arguments, match):
    with pytest.raises(ValueError, match=match):
        exchange_rate(*arguments)
