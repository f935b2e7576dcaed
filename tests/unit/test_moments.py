"""What are no moments, and the words that say so."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import linssl
from linssl import PairMoments, Views, merge, pairs


def samples(seed, n=20, d=3, e=2, shift=1.0):
    rng = np.random.default_rng(seed)
    u = rng.standard_normal((n, d)) + shift
    return u, u @ rng.standard_normal((d, e)) + rng.standard_normal((n, e)) - shift


def population(**changes):
    fields = {
        "first": np.ones(2), "second": np.ones(2), "cross": np.zeros(2),
        "mean_first": np.zeros(2), "mean_second": np.zeros(2), "count": np.inf, "draws": np.inf,
    }  # fmt: skip
    return PairMoments(**{**fields, **changes})


def views(**changes):
    fields = {
        "shared": np.ones(2), "spread": np.ones(2), "mean": np.zeros(2),
        "count": np.inf, "draws": np.inf,
    }  # fmt: skip
    return Views(**{**fields, **changes})


@pytest.mark.parametrize("count", [np.inf, np.nan, -3.0, -0.5])
def test_merging_a_count_that_is_not_one_is_refused(count):
    for make in (population, views):
        one, other = make(count=1.0), make(count=count)
        for both in ((one, other), (other, one)):
            with pytest.raises(ValueError, match="counts must be finite, >= 0 and not both 0; got"):
                merge(*both)


def test_merging_nothing_with_nothing_is_refused():
    with pytest.raises(ValueError, match="counts must be finite, >= 0 and not both 0; got"):
        merge(population(count=0.0), population(count=0.0))


def test_merging_unlike_moments_is_refused():
    u, v = samples(0, e=3)
    pair, x = PairMoments.from_samples(u, v), np.ones((4, 3, 2))
    for other in (PairMoments.from_samples(u[:, :2], v), PairMoments.from_samples(u, v[:, :2])):
        with pytest.raises(ValueError, match="a and b must have equal sizes and group sizes"):
            merge(pair, other)
    with pytest.raises(ValueError, match="a and b must have equal sizes and group sizes"):
        merge(pairs.groups(x), pairs.groups(x[:, :2]))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"first": np.ones((2, 3))}, r"first must be a covariance, .* got \(2, 3\). Pass moments"),
        ({"second": np.ones((2, 2, 2))}, r"second must be a covariance, .* got \(2, 2, 2\)"),
        ({"first": np.float64(1)}, r"first must be a covariance, .* got \(\)"),
        ({"first": np.ones(0)}, r"first must be a covariance, .* got \(0,\)"),
        ({"cross": np.ones((2, 3))}, r"cross must be one of \[\(2, 2\), \(2,\)\]; got \(2, 3\)"),
        ({"cross": np.ones(3)}, r"cross must be one of \[\(2, 2\), \(2,\)\]; got \(3,\)"),
        ({"mean_first": np.ones(3)}, r"mean_first must be \(2,\); got \(3,\)"),
        ({"mean_second": np.ones((2, 1))}, r"mean_second must be \(2,\); got \(2, 1\)"),
        ({"count": np.ones(2)}, r"count must be a scalar; got shape \(2,\)"),
        ({"draws": np.ones(2)}, r"draws must be a scalar; got shape \(2,\)"),
        ({"rounding_first": np.ones(3)}, r"rounding_first must be \(2,\); got \(3,\)"),
        ({"first": np.ones(2) * 1j}, "values must be real"),
        (
            {"second": np.ones(3), "mean_second": np.ones(3), "cross": np.ones(2)},
            r"cross must be one of \[\(2, 3\)\]; got \(2,\)",
        ),
    ],
)
def test_moments_that_do_not_fit_are_refused(changes, match):
    with pytest.raises(ValueError, match=match):
        population(**changes)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"shared": np.ones((2, 3))}, r"shared must be a covariance, .* got \(2, 3\)"),
        ({"spread": np.ones(3)}, r"spread must be \(2, 2\) or \(2,\); got \(3,\)"),
        ({"mean": np.ones(3)}, r"mean must be \(2,\); got \(3,\)"),
        ({"rounding": np.ones((2, 2))}, r"rounding must be \(2,\); got \(2, 2\)"),
        ({"group_size": 1}, "group_size must be None or J >= 2; got 1"),
        ({"draws": np.ones(2)}, r"draws must be a scalar"),
    ],
)
def test_views_that_do_not_fit_are_refused(changes, match):
    with pytest.raises(ValueError, match=match):
        views(**changes)


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
        (
            with_bad(np.nan),
            V,
            "first must be finite; got 1 NaN or inf, the first at row 4, col",
        ),
        (
            V,
            with_bad(np.inf),
            "second must be finite; got 1 NaN or inf, .* row 4, column 1",
        ),
        (np.full((6, 3), "a", object), V, "first must hold numbers; 3 of 3 columns don't"),
        (U * 1j, V, "must be real"),
        (np.ma.masked_less(U, 0), V, "first must have no masked entries"),
        (U, V.astype(str), "second must hold numbers"),
    ],
)
def test_samples_that_are_not_numbers_in_rows_are_refused(first, second, match):
    with pytest.raises(ValueError, match=match):
        PairMoments.from_samples(first, second)


def test_covariances_are_not_raw_moments():
    C, mean = np.eye(2), np.array([3.0, 0.0])
    with pytest.raises(ValueError, match=r"first must be raw moments.*feature 0 has 1 beside a"):
        PairMoments.from_raw(C, C, C, mean, mean, 10, 9)


@pytest.mark.parametrize(
    ("raw", "mean", "match"),
    [
        (np.ones((2, 3)), np.zeros(2), r"first must be \(d, d\) raw moments.*got \(2, 3\)"),
        (np.eye(2), np.zeros(3), r"first must be \(d, d\) raw.*; got \(2, 2\) and \(3,\)"),
    ],
)
def test_raw_moments_that_do_not_fit_are_refused(raw, mean, match):
    with pytest.raises(ValueError, match=match):
        PairMoments.from_raw(raw, raw, raw, mean, mean, 3, 2)
    zero = np.zeros(2)
    with pytest.raises(ValueError, match=r"cross must be \(2, 2\); got \(2, 3\)"):
        PairMoments.from_raw(np.eye(2), np.eye(2), np.ones((2, 3)), zero, zero, 3, 2)


def test_batches_are_not_saved(tmp_path):
    batch = jax.vmap(linssl.same_instance)(jnp.ones((3, 4, 2)))
    with pytest.raises(ValueError, match=r"moments must be of one problem; got a batch of \(3,\)"):
        linssl.save_moments(batch, tmp_path / "moments")


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        (np.zeros((3, 2), [("a", "f8")]), "data must hold numbers; got .* an array of"),
        ([np.ma.array([1.0, 2.0], mask=[0, 1])] * 3, "data must have no masked entries"),
    ],
)
def test_rows_that_are_no_numbers_are_refused(rows, match):
    with pytest.raises(ValueError, match=match):
        linssl.same_instance(rows)


def test_what_is_no_file_of_moments_is_refused(tmp_path):
    path = tmp_path / "moments.npz"
    with pytest.raises(FileNotFoundError):
        linssl.load_moments(path)
    for content in (b"", b"PK\x03\x04nonsense", b"\x93NUMPY nonsense"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="must be a file of save_moments"):
            linssl.load_moments(path)
    np.savez(path, kind="Views", version=99)
    with pytest.raises(ValueError, match="version 2 or older; got Views of version 99"):
        linssl.load_moments(path)
    np.savez(path, kind="Views", version=1, shared=np.eye(2))
    with pytest.raises(ValueError, match="must hold the fields of Views; got"):
        linssl.load_moments(path)
