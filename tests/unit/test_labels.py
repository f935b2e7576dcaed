"""Labels: every function that takes them reads them alike, and refuses the same."""

import datetime

import jax
import numpy as np
import pandas as pd
import pytest

from linssl.diagnosis import diagnose
from linssl.estimators import SemanticJointEmbedding
from linssl.metrics import probe_accuracy
from linssl.pairs import class_tuples, one_hot, same_class, with_label, within_superclass

N = 60
X = np.random.default_rng(0).normal(size=(N, 4))
Y = np.arange(N) % 3
DAYS = np.array(["2020-01-01", "2020-01-02", "2020-01-03"], "M8[D]")[Y]
DOORS = {
    "with_label": lambda labels: with_label(X, labels),
    "one_hot": one_hot,
    "same_class": lambda labels: same_class(X, labels),
    "class_tuples": lambda labels: class_tuples(X, labels, 2, jax.random.key(0)),
    "within_superclass": within_superclass,
    "train": lambda labels: probe_accuracy(np.eye(2, 4), X, labels, X, Y),
    "test": lambda labels: probe_accuracy(np.eye(2, 4), X, Y, X, labels),
    "estimator": lambda labels: SemanticJointEmbedding(1).fit(X, labels),
    "diagnose": lambda labels: diagnose(X, labels),
}


def with_one(labels, wrong, dtype=object):
    labels = np.array(labels, dtype)
    labels[5] = wrong
    return labels


MISSING = {
    "NaT": with_one(DAYS, "NaT", DAYS.dtype),
    "NaT of a duration": with_one(Y, "NaT", "m8[s]"),
    "NaN": with_one(Y, np.nan, float),
    "inf": with_one(Y, np.inf, float),
    "None": with_one(Y, None),
    "None among text": with_one(Y.astype(str), None),
    "NA": with_one(Y, pd.NA),
    "NaN in a list of text": [*Y[1:].astype(str), float("nan")],
    "NA of pandas": pd.Series([*Y[1:], pd.NA], dtype="Int64"),
    "no text of pandas": pd.Series([*Y[1:].astype(str), pd.NA], dtype="string"),
    "no category": pd.Series(pd.Categorical([*Y[1:].astype(str), None])),
    "a word for it": with_one(Y.astype(str), " nan", "U4"),  # as numpy writes NaN among text
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("case", MISSING)
def test_a_missing_label_is_no_class(door, case):
    with pytest.raises(ValueError, match=r"must be finite and not missing; got 1 .* at row \d"):
        DOORS[door](MISSING[case])


@pytest.mark.parametrize("name", ["NA", "null", "N/A"])
@pytest.mark.parametrize("as_text", [np.array, list, pd.Series, lambda y: np.array(y, object)])
def test_a_class_that_is_called_so_is_a_class(name, as_text):
    names = as_text([["cat", "dog", name][c] for c in Y])
    assert one_hot(names).sum(0).tolist() == [20, 20, 20]
    assert same_class(X, names).count == same_class(X, Y).count


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("labels", "match"),
    [
        (np.ma.array(Y, mask=Y == 1), "must have no masked entries"),
        (np.ma.array(np.eye(3)[Y], mask=np.eye(3)[Y] > 0), "must have no masked entries"),
        (with_one(Y, "a"), "must be all text or all numbers; got objects of type int, str"),
        (with_one(Y, datetime.date(2020, 1, 1)), "all numbers; got objects of type date, int"),
        (Y + 0j, "must be text, numbers or booleans; got an array of complex128"),
        (X.reshape(N, 2, 2), r"must be a non-empty \(n,.* array"),
    ],
    ids=["masked", "masked rows", "mixed", "dates", "complex", "3-D"],
)
def test_labels_that_are_none_are_refused(door, labels, match):
    if np.ndim(labels) == 2 and door not in ("with_label", "same_class", "diagnose"):
        pytest.skip("takes names only")
    with pytest.raises(ValueError, match=match):
        DOORS[door](labels)


@pytest.mark.parametrize("dtype", [int, float])
def test_whole_numbers_to_be_predicted_are_no_classes(dtype):
    targets = np.arange(N).astype(dtype) // 3  # 20 values in 60 rows: more than a quarter
    for door in ("with_label", "train"):
        with pytest.raises(ValueError, match=r"got 20 different numbers in 60 samples.*\(n, 1\)"):
            DOORS[door](targets)


def test_numbers_that_come_once_are_no_classes_to_pair():
    targets = np.r_[np.arange(30), np.arange(30)]
    targets[0] = 100
    for door in ("same_class", "class_tuples", "estimator"):
        with pytest.raises(ValueError, match=r"got 31 different numbers in 60 samples"):
            DOORS[door](targets)
        DOORS[door](targets.astype(str) if door == "estimator" else np.arange(N) // 2)


def test_labels_of_two_types_are_not_compared():
    with pytest.raises(ValueError, match=r"must be of one type; got int64 and <U"):
        DOORS["test"](Y.astype(str))


@pytest.mark.parametrize("labels", [X[:, 0], list(X[:, 0])])
def test_fractions_are_no_names(labels):
    for door in sorted(DOORS.keys() - {"diagnose"}):
        with pytest.raises(ValueError, match=r"must be class names; got the fraction 0\.1257"):
            DOORS[door](labels)
