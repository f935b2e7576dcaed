"""Labels in any dress name the same classes, and give the same numbers."""

import jax
import numpy as np
import pandas as pd
import pytest

from linssl.metrics import probe_accuracy
from linssl.pairs import class_tuples, one_hot, same_class, with_label

Y = np.arange(60) % 3
X = np.random.default_rng(0).normal(size=(60, 4)) + np.eye(3, 4)[Y]
NAMES = np.array(["a", "b", "c"])
DRESSES = {
    "floats": Y.astype(float),
    "half": Y.astype(np.float16),
    "big-endian": Y.astype(">i4"),
    "long double": Y.astype(np.longdouble),
    "a column": Y[:, None],
    "a list": Y.tolist(),
    "text": NAMES[Y],
    "bytes": NAMES[Y].astype("S1"),
    "a column of text": NAMES[Y][:, None],
    "objects": NAMES[Y].astype(object),
    "dates": np.array(["2020-01-01", "2020-01-02", "2020-02-03"], "M8[D]")[Y],
    "a series": pd.Series(Y),
    "nullable": pd.Series(Y, dtype="Int64"),
    "categories": pd.Series(pd.Categorical(NAMES[Y])),
}


@pytest.mark.parametrize("labels", DRESSES.values(), ids=DRESSES)
def test_classes_are_the_same_in_any_dress(labels):
    np.testing.assert_array_equal(one_hot(labels), np.eye(3)[Y])
    key = jax.random.key(0)
    same, tuples = same_class(X, Y), class_tuples(X, Y, 2, key)
    np.testing.assert_array_equal(same_class(X, labels).shared, same.shared)
    np.testing.assert_array_equal(class_tuples(X, labels, 2, key), tuples)
    wanted = probe_accuracy(np.eye(3, 4), X, Y, X, Y)
    assert probe_accuracy(np.eye(3, 4), X, labels, X, labels) == wanted > 0.4


def test_a_class_that_was_not_learnt_is_not_recognised():
    strangers = np.where(Y == 2, 7, Y)
    accuracy = probe_accuracy(np.eye(3, 4), X, Y, X, strangers)
    known = probe_accuracy(np.eye(3, 4), X, Y, X[Y < 2], Y[Y < 2])
    assert accuracy == pytest.approx(known * 2 / 3)


@pytest.mark.x64
def test_whole_numbers_to_be_predicted_are_read_as_numbers_if_they_are_a_column():
    targets = np.round(100 * X[:, :1] + 0.1)
    pair = with_label(X, targets)
    np.testing.assert_allclose(pair.second, np.cov(targets.T, bias=True)[None, None], rtol=1e-12)
    few = with_label(X[:8], np.arange(8))  # of so few rows each may have a name of its own
    np.testing.assert_allclose(few.second, np.cov(np.eye(8), bias=True), atol=1e-15)
