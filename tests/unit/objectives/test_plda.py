"""What PLDA refuses, and the words that say so."""

import numpy as np
import pytest
from views import D, J, K, generic

import linssl
from linssl import plda


def test_one_view_and_unequal_sides_are_refused():
    with pytest.raises(ValueError, match="views must be >= 2: the covariance within"):
        plda(generic(0), K, 1)
    with pytest.raises(ValueError, match="groups of views need an exchangeable pair"):
        plda(linssl.PairMoments.from_samples(np.eye(D), np.eye(D)), K, J)
