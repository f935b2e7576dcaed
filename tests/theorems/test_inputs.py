"""What callers hand over in another dress is the same data, and gives the same numbers."""

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import linssl
from linssl.estimators import JointEmbedding
from linssl.estimators.base import NumericalTroubleWarning
from linssl.pairs import same_class, two_modalities

X = np.random.default_rng(0).normal(size=(60, 4))
TABLE = pd.DataFrame(X, columns=list("abcd"))
WHOLE = (10 * X).astype(int)
DRESSES = {
    "big-endian": (X.astype(">f8"), X),
    "long double": (X.astype(np.longdouble), X),
    "half": (X.astype(np.float16), X.astype(np.float16).astype(float)),
    "bfloat16": (X.astype(jnp.bfloat16), X.astype(jnp.bfloat16).astype(float)),
    "big-endian integers": (WHOLE.astype(">i2"), WHOLE),
    "columns first": (np.asfortranarray(X), X),
    "every other row": (np.repeat(X, 2, 0)[::2], X),
    "a list": (X.tolist(), X),
    "objects": (X.astype(object), X),
    "a table": (TABLE, X),
    "booleans": (TABLE.assign(b=TABLE.b > 0), np.c_[X[:, :1], X[:, 1:2] > 0, X[:, 2:]]),
    "nullable": (TABLE.astype("Float64"), X),
    "nullable integers": (
        TABLE.assign(b=pd.array(WHOLE[:, 1], "Int64")),
        np.c_[X[:, :1], WHOLE[:, 1:2], X[:, 2:]],
    ),
    "arrow": (TABLE.convert_dtypes(dtype_backend="pyarrow"), X),
}


@pytest.mark.parametrize(("data", "plain"), DRESSES.values(), ids=DRESSES)
def test_data_give_the_same_numbers_in_any_dress(data, plain):
    wanted = np.cov(plain.T.astype(float), bias=True)
    found = (
        linssl.same_instance(data).covariance,
        same_class(data, np.arange(60) % 3).covariance,
        two_modalities(data, X).first,
    )
    for S in found:  # half precision is kept as single
        np.testing.assert_allclose(S, wanted, rtol=1e-12 if S.dtype == float else 1e-6, atol=1e-14)
    fitted = JointEmbedding(2).fit(data)
    np.testing.assert_allclose(fitted.loss_, JointEmbedding(2).fit(plain).loss_, rtol=1e-12)


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
