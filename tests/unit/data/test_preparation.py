"""Tables as people have them: text, gaps, scales, and what is refused with what to type."""

import numpy as np
import pytest
from helpers import any_types
from scipy import sparse
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from linssl.data.preparation import AS_THEY_ARE, Preparation, as_preparation, prepare, uneven

N = 40
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3)) * [1, 10, 100]
GAPS = np.where(RNG.random((N, 3)) < 0.2, np.nan, X)
COLOUR = np.array(["red", "blue", "green", None], object)[RNG.integers(0, 4, N)]
NAMES = ("a", "b", "c")


@pytest.mark.parametrize("impute", ["mean", "median"])
def test_gaps_scales_and_levels_are_those_of_scikit_learn(impute):
    known = COLOUR != None  # noqa: E711  (of each)
    found = prepare("t", GAPS, NAMES, {"colour": COLOUR}, Preparation((), impute, True))
    assert found.names == (*NAMES, "colour=blue", "colour=green", "colour=red")
    levels = np.full((N, 3), np.nan)
    levels[known] = OneHotEncoder().fit_transform(COLOUR[known, None]).toarray()
    whole = SimpleImputer(strategy=impute).fit_transform(np.hstack([GAPS, levels]))
    np.testing.assert_allclose(found.rows, StandardScaler().fit_transform(whole), atol=1e-12)
    assert "colour (3)" in found.notes[0]
    assert f"became the {impute} of their column over all rows: a, b, c" in found.notes[1]
    assert found.notes[2].startswith("Each feature was standardised")


def test_levels_that_read_alike_are_told_apart_and_counted_by_column():
    texts = {"k": np.array(["b=c", "q"] * (N // 2)), "k=b": np.array(["c", "r"] * (N // 2))}
    found = prepare("t", X, ("a", "k=q", "c"), texts, AS_THEY_ARE)
    doubled = ("k=b=c (column 3)", "k=q (column 4)", "k=b=c (column 5)", "k=b=r")
    assert found.names == ("a", "k=q (column 1)", "c", *doubled)
    assert "k (2), k=b (2). " in found.notes[0]


def test_what_needs_nothing_is_untouched():
    for rows in (X, X.astype(np.float16), X.astype(np.uint8), X.reshape(N, 3, 1), X > 0):
        assert prepare("t", rows, None, {}, AS_THEY_ARE).rows is rows
    held = sparse.csr_array(X)
    assert prepare("t", held, NAMES, {}, AS_THEY_ARE).rows is held


def test_shapes_and_types_are_kept():
    rows = GAPS.astype(np.float16).reshape(N, 3, 1)
    found = prepare("t", rows, None, {}, Preparation((), "median", True)).rows
    assert found.shape == rows.shape
    assert found.dtype == np.float16
    still = prepare("t", np.full((N, 2), 0.1), None, {}, Preparation(standardise=True)).rows
    np.testing.assert_array_equal(still, 0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            [f"p{i}" for i in range(N)],
            r"40 levels in 40 rows.*a name for each row: drop it with --drop x",
        ),
        ([f"p{i // 2}" for i in range(N)], "20 levels in 40 rows.*too many to be classes: drop it"),
        (["2024-01-02"] * N, "holds dates, such as '2024-01-02', .*drop it with --drop x"),
        (["2.1.2024"] * N, "holds dates"),
        (np.full(N, "2024-01-02", "M8[D]"), "holds dates"),
        (["1,5", "2"] * (N // 2), r"decimal commas, such as '1,5'.*decimal=','"),
        (
            ["?", "1", "2", "3"] * (N // 4),
            r"must hold numbers; got '\?' among them, 10 of 40.*--impute",
        ),
        ([""] * N, "holds nothing: drop it with --drop x"),
    ],
)
def test_text_that_is_no_class_is_refused_with_what_to_type(values, message):
    with pytest.raises(
        ValueError, match=f"t: column 'x' {message}" if message[0] == "h" else message
    ):
        prepare("t", X, NAMES, {"x": np.array(values)}, AS_THEY_ARE)


@pytest.mark.parametrize(
    ("rows", "wanted", "message"),
    [
        (GAPS, AS_THEY_ARE, r"3 of 3 columns, 23 of 40 rows: a, b, c\. Type --impute median or"),
        (np.where(X > 150, np.inf, X), AS_THEY_ARE, "got inf in 1 of 3 columns: c"),
        (np.where([1, 0, 0], np.nan, X), Preparation((), "mean"), "all are missing in a"),
        (X, Preparation(("z",)), "no column 'z' to drop; it has a, b, c"),
        (X, Preparation(NAMES), "drop must leave a feature"),
    ],
)
def test_what_cannot_be_prepared_is_refused(rows, wanted, message):
    with pytest.raises(ValueError, match=message):
        prepare("t", rows, NAMES, {}, wanted)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"drop": (1,)}, r"drop must be names of columns; got \(1,\)"),
        ({"drop": ("a", "a")}, "drop must name each column once"),
        ({"impute": "zero"}, "impute must be mean or median, or None; got 'zero'"),
        ({"standardise": 1}, "standardise must be True or False; got 1"),
    ],
)
def test_what_is_no_preparation_is_refused(options, message):
    with any_types(), pytest.raises(ValueError, match=message):
        Preparation(**options)


def test_scales_that_differ_are_noted():
    assert uneven(np.array([1.0, 99.0, 0.0]), None) == ()
    (note,) = uneven(np.array([1.0, 1e4, 0.0]), NAMES)
    assert "by a factor of 1e+04, from a to b" in note
    assert "--standardise" in note


@pytest.mark.parametrize("drop", [None, 3, [3], ["a", None]])
def test_drop_must_be_names(drop):
    with any_types(), pytest.raises(ValueError, match="drop must be names of columns; got"):
        as_preparation(drop, None, False)
