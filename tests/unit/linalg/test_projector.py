"""What is no projector, and the words that say so."""

import numpy as np
import pytest

import linssl


@pytest.mark.parametrize(
    ("matrix", "dim", "message"),
    [
        (np.ones((2, 3)), 1, r"matrix must be \(d, d\); got \(2, 3\)"),
        (np.diag([1.0, np.nan]), 1, "matrix must be finite; got NaN or inf"),
        (np.diag([1.0, np.inf]), 1, "matrix must be finite; got NaN or inf"),
        (np.eye(3), 4, "dim must be between 1 and 3"),
    ],
)
def test_what_is_no_matrix_is_refused(matrix, dim, message):
    with pytest.raises(ValueError, match=message):
        linssl.linalg.projector(matrix, dim)
