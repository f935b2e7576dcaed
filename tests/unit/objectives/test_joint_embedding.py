"""What joint embedding refuses, and the words that say so."""

import pytest
from problems import clean_and_view, two_views

import linssl
from linssl.arguments import require_dim


@pytest.mark.parametrize("dim", [0, -1, 6])
def test_dim_outside_the_features_is_refused(dim):
    with pytest.raises(ValueError, match=f"dim must be between 1 and 5 .*got {dim}"):
        linssl.joint_embedding(two_views(*clean_and_view(0)), dim)


@pytest.mark.parametrize("dim", [2.0, True, "2", None])
def test_dim_that_is_no_integer_is_refused(dim):
    with pytest.raises(ValueError, match="dim must be an int"):
        require_dim(dim, 5, "the number of features")
