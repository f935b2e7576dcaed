"""What PLDA refuses, and the words that say so."""

import pytest
from views import K, generic

from linssl.objectives import plda


def test_one_view_is_refused():
    with pytest.raises(ValueError, match="group_size must be >= 2: the covariance within"):
        plda(generic(0), K, 1)
