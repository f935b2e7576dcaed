"""What are no moments, and the words that say so."""

import numpy as np
import pytest

from linssl import PairMoments, merge


def samples(seed, n=20, d=3, e=2, shift=1.0):
    rng = np.random.default_rng(seed)
    u = rng.standard_normal((n, d)) + shift
    return u, u @ rng.standard_normal((d, e)) + rng.standard_normal((n, e)) - shift


def population(**changes):
    fields = {
        "first": np.ones(2), "second": np.ones(2), "cross": np.zeros(2),
        "mean_first": np.zeros(2), "mean_second": np.zeros(2), "count": np.inf,
    }  # fmt: skip
    return PairMoments(**{**fields, **changes})


@pytest.mark.parametrize("count", [np.inf, np.nan, -3.0, -0.5])
def test_merging_a_count_that_is_not_one_is_refused(count):
    one, other = population(count=1.0), population(count=count)
    for pairs in ((one, other), (other, one)):
        with pytest.raises(ValueError, match="counts must be finite, >= 0 and not both 0; got"):
            merge(*pairs)


def test_merging_nothing_with_nothing_is_refused():
    with pytest.raises(ValueError, match="counts must be finite, >= 0 and not both 0; got"):
        merge(population(count=0.0), population(count=0.0))


def test_merging_unlike_pairs_is_refused():
    u, v = samples(0, e=3)
    pair = PairMoments.from_samples(u, v)
    for other in (
        PairMoments.from_samples(u[:, :2], v),
        PairMoments.from_samples(u, v[:, :2]),
        PairMoments.from_samples(u, v, exchangeable=True),
    ):
        with pytest.raises(ValueError, match="a and b must have equal sizes and exchangeability"):
            merge(pair, other)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"first": np.ones((2, 3))}, r"first must be a second moment, .* got \(2, 3\). Pass mom"),
        ({"second": np.ones((2, 2, 2))}, r"second must be a second moment, .* got \(2, 2, 2\)"),
        ({"first": np.float64(1)}, r"first must be a second moment, .* got \(\)"),
        ({"first": np.ones(0)}, r"first must be a second moment, .* got \(0,\)"),
        ({"cross": np.ones((2, 3))}, r"cross must be one of \[\(2, 2\), \(2,\)\]; got \(2, 3\)"),
        ({"cross": np.ones(3)}, r"cross must be one of \[\(2, 2\), \(2,\)\]; got \(3,\)"),
        ({"mean_first": np.ones(3)}, r"mean_first must be \(2,\); got \(3,\)"),
        ({"mean_second": np.ones((2, 1))}, r"mean_second must be \(2,\); got \(2, 1\)"),
        ({"count": np.ones(2)}, r"count must be a scalar; got shape \(2,\)"),
        ({"within": np.ones(3)}, r"within must be \(2, 2\) or \(2,\); got \(3,\)"),
        ({"first": np.ones(2) * 1j}, "values must be real"),
        (
            {"second": np.ones(3), "mean_second": np.ones(3), "cross": np.ones((2, 3)),
             "exchangeable": True},
            "an exchangeable pair needs equal sizes; got 2 and 3",
        ),
        (
            {"second": np.ones(3), "mean_second": np.ones(3), "cross": np.ones(2)},
            r"cross must be one of \[\(2, 3\)\]; got \(2,\)",
        ),
    ],
)  # fmt: skip
def test_moments_that_do_not_fit_are_refused(changes, match):
    with pytest.raises(ValueError, match=match):
        population(**changes)


U, V = samples(0)


def with_bad(value):
    bad = U.copy()
    bad[4, 1] = value
    return bad


@pytest.mark.parametrize(
    ("first", "second", "match"),
    [
        (U, V[:-1], "first and second must have the same number of rows; got 20 and 19"),
        (U[0], V, r"first must be a non-empty \(n, d\) array of samples; got \(3,\)"),
        (U, V[None], r"second must be a non-empty \(n, d\) array of samples; got \(1, 20, 2\)"),
        (U[:0], V[:0], r"first must be a non-empty \(n, d\) array of samples; got \(0, 3\)"),
        (U, V[:, :0], r"second must be a non-empty \(n, d\) array of samples; got \(20, 0\)"),
        (with_bad(np.nan), V, "first must be finite; got 1 NaN or inf, the first at row 4, col"),
        (V, with_bad(np.inf), "second must be finite; got 1 NaN or inf, the first at row 4, col"),
        (U.astype(object), V, "first must hold numbers; got an array of object"),
        (U * 1j, V, "must be real"),
    ],
)
def test_samples_that_are_not_numbers_in_rows_are_refused(first, second, match):
    with pytest.raises(ValueError, match=match):
        PairMoments.from_samples(first, second)


def test_samples_of_different_sizes_are_not_exchangeable():
    with pytest.raises(ValueError, match=r"needs equal sizes; got \(20, 3\) and \(20, 2\)"):
        PairMoments.from_samples(U, V, exchangeable=True)


def test_text_is_refused_naming_the_argument():
    with pytest.raises(ValueError, match="first must hold numbers"):
        PairMoments.from_samples(U.astype(str), V)
