"""Probabilistic LDA is joint embedding, and the best of all models of its kind."""

import jax.numpy as jnp
import numpy as np
import pytest
from helpers import SEEDS, assert_close, same_rows
from hypothesis import given
from scipy.linalg import eigh
from scipy.stats import multivariate_normal
from views import D, J, K, generic, lowest, sharing

import linssl
from linssl import Status, pairs
from linssl.objectives import plda


@pytest.mark.witness("plda-is-joint-embedding")
@given(SEEDS)
def test_its_subspace_is_that_of_joint_embedding_whatever_j(seed):
    views = generic(seed)
    je = linssl.joint_embedding(views, K)
    for group_size in (2, 7):
        found = linssl.check(plda(views, K, group_size))
        assert_close(found.spectrum, je.spectrum, cond=1e3)
        assert same_rows(found.encoder, je.encoder) < 1e-4


@pytest.mark.witness("plda-is-joint-embedding")
@pytest.mark.x64
@given(SEEDS)
def test_scores_are_those_of_the_generalised_problem(seed):
    views = generic(seed)
    S, G = np.asarray(views.covariance), np.asarray(views.shared)
    values, vectors = eigh(S + (J - 1) * G, S - G)
    found = linssl.check(plda(views, K, J))
    values = values[::-1]
    np.testing.assert_allclose(found.spectrum, (values - 1) / (values + J - 1), atol=1e-10)
    assert same_rows(found.encoder, vectors[:, ::-1][:, :K].T) < 1e-6


@pytest.mark.witness("plda-likelihood")
@pytest.mark.x64
@pytest.mark.parametrize("seed", range(2))
def test_maximum_likelihood_is_what_an_optimiser_reaches(seed):
    views = generic(seed)
    found = linssl.check(plda(views, K, J))
    B, W = views.covariance + (J - 1) * views.shared, views.spread

    def nll(F, within):
        total = J * D * jnp.log(2 * jnp.pi)
        for n, C, M in ((1, within + J * F @ F.T, B), (J - 1, within, W)):
            total += n * (jnp.linalg.slogdet(C)[1] + jnp.trace(jnp.linalg.solve(C, M)))
        return total / 2

    def loss(x):
        L = x[D * K :].reshape(D, D) + 2 * jnp.eye(D)
        return nll(x[: D * K].reshape(D, K), L @ L.T)

    best = lowest(loss, D * K + D * D, seed, starts=2)
    assert abs(float(found.loss) - best) < 1e-7
    assert float(found.loss) < best + 1e-10
    assert_close(nll(found.decoder, found.within), found.loss, cond=10)
    assert np.linalg.eigvalsh(found.within).min() > 0
    F, within = np.asarray(found.decoder), np.asarray(found.within)
    gain = F.T @ np.linalg.inv(F @ F.T + within)  # E[y|x], densely
    np.testing.assert_allclose(found.encoder, gain, atol=1e-10)


@pytest.mark.witness("plda-likelihood")
@pytest.mark.x64
def test_loss_is_minus_the_mean_log_likelihood_of_the_groups():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((30, J, D)) + rng.standard_normal((30, 1, D)) * np.linspace(0, 2, D)
    x = x + 5
    found = linssl.check(plda(pairs.groups(x), K, J))
    F, within = np.asarray(found.decoder), np.asarray(found.within)
    C = np.kron(np.ones((J, J)), F @ F.T) + np.kron(np.eye(J), within)
    density = multivariate_normal(np.tile(found.mean, J), C).logpdf(x.reshape(30, -1))
    assert abs(float(found.loss) + density.mean()) < 1e-10


def test_directions_without_content_are_none_and_say_so():
    S = np.diag([4.0, 3.0, 2.0, 1.0, 0.5])
    G = np.diag([2.0, 0.0, -0.2, -0.1, 0.0])
    found = plda(sharing(S, G), K, J)
    assert int(found.status) & Status.BEYOND_RANK
    assert np.abs(found.decoder[:, 1]).max() < 1e-5
    assert np.isfinite(found.loss)


def test_a_direction_in_which_views_do_not_differ_is_unbounded():
    S = jnp.diag(jnp.asarray([4.0, 3.0, 2.0, 1.0, 0.5]))
    found = plda(sharing(S, S.at[1, 1].set(1.0)), K, J)
    assert int(found.status) & Status.UNBOUNDED
    assert np.isnan(found.loss)
    singular = S.at[4, 4].set(0.0)
    found = plda(sharing(singular, 0.5 * singular), K, J)
    assert int(found.status) == Status.SINGULAR
    assert np.isnan(found.within).all()


def alike(g):
    """Views with G of axes 4, 3, 2, 1, .5 under noise g, and log(1 - omega), log(1 + 2 omega)."""
    axes = np.array([4.0, 3.0, 2.0, 1.0, 0.5])
    Q = np.linalg.qr(np.random.default_rng(0).standard_normal((D, D)))[0]
    views = linssl.Views((Q * axes) @ Q.T, np.full(D, g), np.zeros(D), np.inf, np.inf)
    logs = np.log(axes + g).sum(), np.log(g / (axes + g)), np.log1p(2 * axes / (axes + g))
    return views, logs


@pytest.mark.parametrize("g", [1e-2, 1e-6, 1e-7, 2e-14])
def test_views_that_hardly_differ_have_their_likelihood_to_all_digits(g):
    views, (total, apart, both) = alike(g)
    if g < 1e-8 and views.mean.dtype == jnp.float32:
        pytest.skip("below what float32 holds beside the covariance")
    want = 3 * total + both.sum() + 2 * apart.sum() + 3 * D * (1 + np.log(2 * np.pi))
    found = linssl.check(plda(views, D, 3))
    assert_close(found.loss, want / 2)


def test_a_cut_among_scores_of_almost_one_is_a_tie_or_right():
    for g in (1e-2, 1e-4, 1e-7, 1e-10, 2e-14):
        views, (total, apart, both) = alike(g)
        want = 3 * total + both[:2].sum() + 2 * apart[:2].sum() + 3 * D * (1 + np.log(2 * np.pi))
        found = plda(views, 2, 3)
        if int(found.status) == 0:
            assert_close(found.loss, want / 2, cond=1e4)
        else:
            assert not int(found.status) & ~(Status.NO_GAP | Status.UNBOUNDED)
            assert g < 1e-3


def test_moments_that_so_many_views_cannot_have_are_inconsistent():
    views = sharing(np.eye(D), np.diag([0.8, 0.5, 0.2, -0.1, -0.3]))
    for n, possible in ((2, True), (4, True), (5, False), (50, False)):
        found = plda(views, 2, n)
        assert bool(int(found.status) & Status.INCONSISTENT) != possible
        assert bool(jnp.isnan(found.loss)) != possible
