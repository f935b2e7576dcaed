"""What callers hand over in another dress is the same data, and gives the same numbers."""

import numpy as np
import pytest

from linssl.estimators import JointEmbedding
from linssl.estimators.base import NumericalTroubleWarning

X = np.random.default_rng(0).normal(size=(60, 4))
UNITS = {
    "small": ([1, 1, 1e-8, 1e-8], 4),
    "large": ([1e12, 1, 1, 1e-12], 4),
    "constant": ([1, 0, 1e-9, 1], 3),
}


@pytest.mark.parametrize(("units", "rank"), UNITS.values(), ids=UNITS)
def test_directions_are_counted_whatever_the_units(units, rank):
    variance = np.where(units, np.square(units), 1)
    encoder = JointEmbedding(augmentation=0.0, aligned=0.1 * variance).fit(X * units)
    plain = JointEmbedding(rank, augmentation=0.0, aligned=0.1 * np.ones(4)).fit(X * np.sign(units))
    assert encoder.components_.shape == (rank, 4)
    np.testing.assert_allclose(encoder.spectrum_, plain.spectrum_, rtol=1e-9, atol=1e-14)


def test_small_units_are_no_rank_even_where_noise_drowns_them():
    with pytest.warns(NumericalTroubleWarning, match="BEYOND_RANK"):
        assert len(JointEmbedding().fit(X * [1, 1, 1e-8, 1e-8]).components_) == 4


def test_what_depends_on_others_is_no_direction_whatever_the_units_and_the_mean():
    redundant = np.c_[X, X[:, 0] + X[:, 1]] * [1, 1e-8, 1e4, 1, 1] + [0, 1, 0, 0, 50]
    encoder = JointEmbedding(aligned=np.square([1, 1e-8, 1e4, 1, 1]), augmentation=0.0)
    assert len(encoder.fit(redundant).components_) == 4
