"""Streamed moments: those of the whole, however the rows are cut, weighed and handed out."""

import random
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import Rows
from scipy import sparse

import linssl
from linssl import GaussianNoise, same_instance
from linssl.pairs import stream_moments

RNG = np.random.default_rng(0)
FAR = RNG.standard_normal((600, 4)) + 100


def deviations(got, want):
    """The largest error of a covariance, in units of the deviations of both features."""
    got, want = np.asarray(got, float), np.asarray(want, float)
    deviation = np.sqrt(np.where(np.diag(want) > 0, np.diag(want), 1))
    return (np.abs(got - want) / np.outer(deviation, deviation)).max()


def tolerance(views):
    return 1e-12 if views.mean.dtype == np.float64 else 1e-6


@pytest.mark.parametrize("blocks", [1, 7, 40])
@pytest.mark.parametrize("kind", ["float64", "float32", ">f8", ">f4", "float16", "int32", "bool"])
def test_the_number_of_blocks_changes_no_more_than_merging_does(blocks, kind, tmp_path):
    X = (FAR > 100 if kind == "bool" else FAR * 10).astype(kind)
    np.save(tmp_path / "x.npy", X)
    want = same_instance(X)
    for source in (X, np.load(tmp_path / "x.npy", mmap_mode="r"), Rows(tmp_path / "x.npy")):
        got = stream_moments(source, blocks=blocks)
        assert got.mean.dtype == want.mean.dtype
        assert deviations(got.shared, want.shared) < tolerance(want)
        np.testing.assert_allclose(got.mean, want.mean, rtol=tolerance(want))
        np.testing.assert_allclose(got.rounding, want.rounding, rtol=1e-5)
        assert (float(got.count), float(got.draws)) == (600, np.inf)
        np.testing.assert_array_equal(got.shared, got.shared.T)


@pytest.mark.parametrize("form", ["csr_array", "csr_matrix", "csc_array", "coo_array"])
def test_sparse_rows_have_the_moments_of_dense_ones(form):
    X = sparse.random_array((500, 7), density=0.2, rng=RNG)
    want = same_instance(X.toarray())
    for got in (same_instance(getattr(sparse, form)(X)), stream_moments(X.asformat(form[:3]))):
        np.testing.assert_array_equal(got.shared, want.shared)
    got = stream_moments(getattr(sparse, form)(X), blocks=3)
    assert deviations(got.shared, want.shared) < tolerance(want)


def test_views_of_a_source_are_those_of_its_array(tmp_path):
    np.save(tmp_path / "x.npy", FAR)
    noise = GaussianNoise(np.full(4, 0.5))
    for source in (Rows(tmp_path / "x.npy"), np.load(tmp_path / "x.npy", mmap_mode="r")):
        assert eqx.tree_equal(linssl.two_views(source, noise), linssl.two_views(FAR, noise))
        clean = linssl.view_and_clean(source, noise)
        assert eqx.tree_equal(clean, linssl.view_and_clean(FAR, noise))


# ---- weights


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 50]))
def test_whole_weights_are_rows_that_come_so_often(seed, blocks):
    rng = np.random.default_rng(seed)
    x, w = rng.standard_normal((50, 3)) + 10, rng.integers(0, 4, 50)
    w[0] = 1
    got, want = stream_moments(x, weights=w, blocks=blocks), same_instance(np.repeat(x, w, 0))
    assert deviations(got.shared, want.shared) < tolerance(want)
    np.testing.assert_allclose(got.mean, want.mean, rtol=tolerance(want))
    assert float(got.count) == pytest.approx(w.sum() ** 2 / (w**2).sum())
    assert float(got.draws) == np.inf


@pytest.mark.parametrize("weight", [1, 0.1, 1e-300, 1e300])
def test_equal_weights_are_none_to_the_bit_and_their_scale_is_nothing(weight):
    for blocks in (1, 7):
        want = stream_moments(FAR, blocks=blocks)
        got = stream_moments(FAR, blocks=blocks, weights=np.full(600, weight))
        assert eqx.tree_equal(got, want)
    w = RNG.uniform(size=600)
    a, b = (stream_moments(FAR, weights=scale * w) for scale in (1, weight))
    assert deviations(a.shared, b.shared) < tolerance(a)
    assert float(a.count) == pytest.approx(float(b.count))


@pytest.mark.parametrize("blocks", [1, 6])
def test_rows_without_weight_cost_nothing_even_where_they_come_first(blocks):
    x, w = np.concatenate([np.full((300, 4), 1e9), FAR]), np.r_[np.zeros(300), np.full(600, 2.0)]
    w[300] = 1e-12
    got, want = stream_moments(x, weights=w, blocks=blocks), stream_moments(FAR[1:])
    # The first row that counts has next to no weight.
    assert deviations(got.shared, want.shared) < max(1e-11, tolerance(want))
    np.testing.assert_allclose(got.mean, want.mean, rtol=tolerance(want))


@pytest.mark.parametrize("constant", [0.0, 1 / 3, 1e6, 1e30])
def test_a_constant_column_has_exactly_no_variance_whatever_the_weights(constant):
    x, w = FAR.copy(), RNG.uniform(size=600)
    x[:, 1] = constant
    for blocks in (1, 9):
        S = stream_moments(x, weights=w, blocks=blocks).shared
        assert not S[1].any()
        assert S[0, 0] > 0


# ---- who does it


class Late(Executor):
    """Does what it is given at once, and says so in any order."""

    def __init__(self):
        self.waiting, self.rng = [], random.Random(0)

    def submit(self, function, /, *arguments):
        future = Future()
        self.waiting.append((future, function(*arguments)))
        self.rng.shuffle(self.waiting)
        if len(self.waiting) == 5:
            for other, result in self.waiting:
                other.set_result(result)
            self.waiting = []
        return future


@pytest.mark.parametrize("weights", [None, RNG.uniform(size=600)], ids=["plain", "weighted"])
def test_moments_are_the_same_bits_whoever_does_the_blocks(weights, tmp_path):
    want = stream_moments(FAR, weights=weights, blocks=10)
    with ThreadPoolExecutor(3) as threads:
        for out in (None, tmp_path / "threads"):
            got = stream_moments(FAR, out, weights=weights, blocks=10, executor=threads)
            assert eqx.tree_equal(got, want)
    for out in (None, tmp_path / "late"):
        got = stream_moments(FAR, out, weights=weights, blocks=10, executor=Late(), in_flight=5)
        assert eqx.tree_equal(got, want)
    again = stream_moments(FAR, tmp_path / "late", weights=weights)  # from moments.npz
    assert eqx.tree_equal(again, want)


def test_the_folder_holds_moments_in_double_precision(tmp_path):
    stream_moments(FAR.astype(np.float32), tmp_path / "m", blocks=4)
    assert sorted(p.name for p in (tmp_path / "m").iterdir()) == ["moments.json", "moments.npz"]
    with jax.enable_x64(True):
        kept = linssl.load_moments(tmp_path / "m" / "moments.npz")
    assert kept.shared.dtype == jnp.dtype("float64")
    assert (
        deviations(kept.shared, np.cov(FAR.astype(np.float32).astype(float).T, bias=True)) < 1e-12
    )
