"""Canonical correlation: optimal, equal to other libraries where those are stable, else flagged."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import SEEDS, assert_close, invertible, same_rows
from hypothesis import assume, given
from hypothesis import strategies as st

import linssl
from linssl import Status, canonical_correlation, testing
from linssl.pairs import two_modalities

D, E, N = 4, 3, 200


def modalities(seed, n=N, d=D, e=E):
    """Two views of two shared latents, each with noise of its own, (n, d) and (n, e)."""
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal((n, 2)) * [1.0, 0.6]
    x = shared @ rng.standard_normal((2, d)) + rng.standard_normal((n, d)) + 1.0
    return x, shared @ rng.standard_normal((2, e)) + rng.standard_normal((n, e)) - 2.0


@pytest.mark.witness("canonical-correlation")
@pytest.mark.x64
@given(SEEDS, st.sampled_from([1, 2, E]))
def test_it_is_the_best_of_all_feasible_encoders(seed, dim):
    pair = two_modalities(*modalities(seed))
    found = linssl.check(canonical_correlation(pair, dim))
    S, C, G = (np.asarray(m) for m in (pair.first, pair.second, pair.cross))
    W, V = np.asarray(found.encoder), np.asarray(found.second_encoder)
    assert_close(W @ S @ W.T, np.eye(dim), cond=100)
    assert_close(V @ C @ V.T, np.eye(dim), cond=100)
    assert_close(W @ G @ V.T, np.diag(found.spectrum[:dim]), cond=100)

    def loss(W, V):
        return np.trace(W @ S @ W.T + V @ C @ V.T - 2 * W @ G @ V.T)

    assert_close(found.loss, np.asarray(loss(W, V)), cond=100)
    rng = np.random.default_rng(seed)
    for step in (1e-3, 0.1, 10.0):
        other = []
        for encoder, moment in ((W, S), (V, C)):
            moved = encoder + step * rng.standard_normal(encoder.shape)
            L = np.linalg.cholesky(moved @ moment @ moved.T)
            other.append(np.linalg.solve(L, moved))
        assert loss(*other) >= float(found.loss) - 1e-9


@pytest.mark.witness("canonical-correlation")
@pytest.mark.x64
@pytest.mark.parametrize("seed", range(3))
def test_it_is_scikit_learns_cca(seed):
    from sklearn.cross_decomposition import CCA

    x, y = modalities(seed, n=2000)
    found = linssl.check(canonical_correlation(two_modalities(x, y), 2))
    cca = CCA(2, scale=False, max_iter=20_000, tol=1e-14).fit(x, y)
    assert same_rows(found.encoder, cca.x_rotations_.T) < 1e-5
    assert same_rows(found.second_encoder, cca.y_rotations_.T) < 1e-5
    u, v = cca.transform(x, y)
    correlations = [np.corrcoef(u[:, i], v[:, i])[0, 1] for i in range(2)]
    np.testing.assert_allclose(found.spectrum[:2], correlations, atol=1e-6)


@pytest.mark.witness("canonical-correlation")
@pytest.mark.x64
@pytest.mark.parametrize("seed", range(3))
def test_it_is_cca_zoos_cca(seed):
    linear = pytest.importorskip("cca_zoo.linear")
    x, y = modalities(seed, n=2000)
    found = linssl.check(canonical_correlation(two_modalities(x, y), 2))
    model = linear.CCA(2).fit([x - x.mean(0), y - y.mean(0)])
    for got, want in zip((found.encoder, found.second_encoder), model.weights_, strict=True):
        assert same_rows(got, np.asarray(want).T) < 1e-6


@given(SEEDS)
def test_it_is_equivariant_under_invertible_maps_of_either_side(seed):
    x, y = modalities(seed)
    A, B = np.asarray(invertible(seed, D), float), np.asarray(invertible(seed + 1, E), float)
    one = canonical_correlation(two_modalities(x, y), 2)
    other = canonical_correlation(two_modalities(x @ A.T, y @ B.T), 2)
    assert_close(other.spectrum, one.spectrum, cond=1e4)
    assert same_rows(other.encoder @ A, one.encoder) < 1e-2 / float(one.gap) ** 2


@pytest.mark.witness("joint-embedding-is-cca")
@pytest.mark.x64
@given(testing.views(D))
def test_of_two_views_it_is_joint_embedding(views):
    two, one = canonical_correlation(views.as_pair(), 2), linssl.joint_embedding(views, 2)
    assert_close(two.spectrum, one.spectrum, cond=100)
    assume(float(-jnp.diff(one.spectrum[:3]).max()) > 1e-3)  # rows of scores that tie are any
    assert same_rows(two.encoder, one.encoder) < 1e-6
    assert same_rows(two.second_encoder, one.encoder) < 1e-6


@pytest.mark.x64
@given(SEEDS)
def test_reduced_rank_regression_goes_down_the_same_road(seed):
    x, y = modalities(seed)
    found = linssl.check(linssl.reconstruction(two_modalities(x, y), 1))
    X, Y = x - x.mean(0), y - y.mean(0)
    full = np.linalg.lstsq(X, Y, rcond=None)[0]
    U, s, Vt = np.linalg.svd(X @ full, full_matrices=False)
    best = np.linalg.lstsq(X, s[0] * np.outer(U[:, 0], Vt[0]), rcond=None)[0]
    np.testing.assert_allclose(found.predictor, best.T, atol=1e-8)
    np.testing.assert_allclose(found.loss, np.sum((Y - X @ best) ** 2) / N, rtol=1e-9)


@pytest.mark.parametrize(("n", "d", "e"), [(150, 200, 3), (10, 6, 5), (12, 6, 5)])
def test_chance_correlations_of_few_samples_are_flagged(n, d, e):
    # Elsewhere these come back as a correlation of 1.0, without a word.
    rng = np.random.default_rng(0)
    pair = two_modalities(rng.standard_normal((n, d)), rng.standard_normal((n, e)))
    found = canonical_correlation(pair, 1)
    status = Status(int(found.status))
    if n <= d:
        assert status & Status.SINGULAR
        assert jnp.isnan(found.encoder).all()
    else:
        assert status & Status.FEW_SAMPLES
        assert found.spectrum[0] > 0.9
    with pytest.raises(
        linssl.objectives.NumericalTroubleError, match=r"d \+ e for canonical|singular"
    ):
        linssl.check(found)


def test_trouble_is_a_status():
    good = two_modalities(*modalities(0))

    def status(**changes):
        pair = eqx.tree_at(
            lambda p: [getattr(p, name) for name in changes], good, [*changes.values()]
        )
        found = canonical_correlation(pair, 1)
        fatal = int(found.status) & 31
        assert jnp.isnan(found.encoder).all() == bool(fatal)
        return Status(int(found.status))

    assert canonical_correlation(good, 1).status == Status.OK
    assert status(cross=good.cross * 10) & Status.INCONSISTENT
    assert status(cross=good.cross.at[0, 0].set(jnp.nan)) & Status.NOT_FINITE
    assert status(first=good.first.at[0, 1].add(1.0)) & Status.NOT_SYMMETRIC
    assert status(second=jnp.zeros((E, E))) & Status.SINGULAR
    assert status(second=-good.second) & Status.INDEFINITE
    assert status(cross=0 * good.cross) & (Status.NO_GAP | Status.BEYOND_RANK)


def test_it_compiles_batches_and_has_gradients():
    x, y = modalities(0)

    def loss(scale):
        view = linssl.GaussianNoise(scale * jnp.ones(D))
        pair = linssl.augment_sides(two_modalities(x, y), view, None)
        return canonical_correlation(pair, 2).loss

    scales = jnp.asarray([0.1, 1.0])
    batch = linssl.runtime.over_cells(lambda s: {"loss": loss(s)}, s=scales)["loss"]
    step = 1e-4 if scales.dtype == jnp.float64 else 1e-2
    slope = jax.grad(loss)(scales[1])
    want = (loss(scales[1] + step) - loss(scales[1] - step)) / (2 * step)
    np.testing.assert_allclose(slope, want, rtol=2e-2)
    assert_close(batch[0], loss(scales[0]), cond=100)


def test_exact_moments_of_few_instances_agree_by_no_chance():
    x = np.random.default_rng(0).standard_normal((8, 5))
    a = linssl.GaussianNoise(np.full(5, 0.1))
    views = linssl.two_views(x, a)
    got, want = canonical_correlation(views.as_pair(), 2), linssl.joint_embedding(views, 2)
    assert got.status == want.status == 0
    assert_close(got.spectrum, want.spectrum, cond=100)
