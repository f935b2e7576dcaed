"""What can't be centred by, and the words that say so."""

import jax
import numpy as np
import pytest
from scipy import sparse

from linssl import same_class, same_instance, with_label
from linssl.pairs import groups, held_by, two_modalities

X = np.random.default_rng(0).standard_normal((12, 2))
BY = np.repeat(["a", "b", "c"], 4)
MAKERS = {
    "same_instance": lambda by, **kw: same_instance(X, by, **kw),
    "groups": lambda by, **kw: groups(np.stack([X, -X], 1), by, **kw),
    "with_label": lambda by, **kw: with_label(X, X[:, :1], by, **kw),
    "two_modalities": lambda by, **kw: two_modalities(X, X[:, :1], by, **kw),
    "held_by": lambda by, **kw: held_by(X, by, **kw),
    "held_by views": lambda by, **kw: held_by(np.stack([X, -X], 1), by, **kw),
}
NAMED = np.where(np.arange(12) == 5, None, BY.astype(object))
BAD = {
    "missing": (NAMED, {}, "by must be finite and not missing; got 1 .* the first at row 5"),
    "NaN": (np.where(np.arange(12) == 5, np.nan, 1.0), {}, "by must be finite and not missing"),
    "length": (BY[:-1], {}, r"by must be \(12,\), one for each instance; got \(11,\)"),
    "two columns": (np.stack([BY, BY], 1), {}, r"by must be \(12,\), one for each instance; got"),
    "masked": (np.ma.masked_equal(np.arange(12) % 3, 1), {}, "by must have no masked entries"),
    "fractions": (X[:, 0], {}, "by must be class names; got the fraction"),
    "one batch": (["a"] * 12, {}, "by must name two batches at least; got one, of all 12 rows"),
    "alone": (np.arange(12), {}, "name a batch of 2 rows or more, .* has 1. Batches of one row"),
    "short": (BY, {"memory": 2}, "name a batch of 6 rows or more, .* has 4. What a memory of 2"),
    "memory": (BY, {"memory": -1}, "memory must be a whole number >= 0; got -1"),
}


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("case", BAD)
def test_batches_that_cannot_be_centred_by_are_refused(maker, case):
    by, options, match = BAD[case]
    with pytest.raises(ValueError, match=match):
        MAKERS[maker](by, **options)


@pytest.mark.parametrize("maker", [name for name in MAKERS if "held" not in name])
def test_a_memory_of_no_trajectories_is_refused(maker):
    with pytest.raises(ValueError, match="memory must be 0 without by; got 2: it is of the traj"):
        MAKERS[maker](None, memory=2)
    with pytest.raises(ValueError, match="memory must be a whole number >= 0; got -1"):
        MAKERS[maker](None, memory=-1)


def test_traced_batches_and_traced_data_are_refused():
    numbers, views = np.arange(12) % 3, np.stack([X, X], 1)
    calls = [
        (lambda by: same_instance(X, by).shared, numbers),
        (lambda x: same_instance(x, numbers).shared, X),
        (lambda y: with_label(X, y, numbers).cross, X),
        (lambda x: groups(x, numbers).shared, views),
        (lambda x: held_by(x, numbers).between, X),
        (lambda x: held_by(x, numbers).between, views),
    ]
    for call, argument in calls:
        with pytest.raises(ValueError, match="by must be concrete, and the data that it centres"):
            jax.jit(call)(argument)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (X[:, 0], r"data must be a non-empty \(n, d\) array of samples; got \(12,\)"),
        (np.where(X[3, 1] == X, np.nan, X), "data must be finite; got 1 NaN .* row 3, column 1"),
        (np.ones((12, 1, 2)), "x must have J >= 2 views a group"),
        ([[1.0], [1.0, 2.0]], "data must be an array; got list"),
    ],
)
def test_data_are_refused_as_without_batches(data, match):
    with pytest.raises(ValueError, match=match):
        held_by(data, BY)


def test_sparse_rows_are_centred_as_dense_ones():
    pair, held = same_instance(X, BY, memory=1), held_by(X, BY)
    for data in (sparse.csr_array(X), sparse.csc_matrix(X)):
        np.testing.assert_array_equal(same_instance(data, BY, memory=1).shared, pair.shared)
        np.testing.assert_array_equal(held_by(data, BY).between, held.between)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("memory", [0, 1])
def test_rows_that_change_between_two_readings_are_refused(value, memory):
    class Changing:
        shape, dtype, read = X.shape, X.dtype, 0

        def __getitem__(self, rows):
            self.read += 1
            return X[rows] if self.read < 3 else np.where(X[3, 1] == X, value, X)[rows]

    with pytest.raises(ValueError, match="data changed while read: got NaN or inf at last"):
        same_instance(Changing(), BY, memory=memory)


@pytest.mark.parametrize(
    "pairs",
    [
        lambda rows: same_instance(rows, BY),
        lambda rows: same_instance(rows, BY, memory=1),
        lambda rows: held_by(rows, BY),
        lambda rows: same_class(rows, np.arange(len(X)) % 2),
        lambda rows: same_class(rows, np.arange(len(X)) % 2, by=BY),
    ],
)
def test_rows_that_are_drawn_anew_at_each_reading_are_refused(pairs):
    class Drawn:
        shape, dtype, rng = X.shape, X.dtype, np.random.default_rng(0)

        def __getitem__(self, rows):
            return X[rows] + 0.1 * self.rng.normal(size=X[rows].shape)

    with pytest.raises(ValueError, match="data changed while read: rows don't have the mean"):
        pairs(Drawn())
