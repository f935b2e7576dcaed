"""Means: nobody centres data, since every solution holds the means of what it was solved for."""

import jax.numpy as jnp
import numpy as np
import pytest
from helpers import SEEDS, assert_close, assert_sampled, eps, same_rows
from hypothesis import given
from sklearn.linear_model import LinearRegression

import linssl
from linssl import GaussianNoise, pairs

N, D, K = 200, 5, 2
NOISE = GaussianNoise(np.linspace(0.1, 0.5, D))
FAR = np.array([30.0, -20.0, 0.0, 5.0, 100.0])
COND = 1e3  # of data at a distance of 100 deviations


def samples(seed):
    """Rows near 0, and targets with an offset, linear in them."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((N, D)) * [2.0, 1.5, 1.0, 0.7, 0.5]
    return x, x @ rng.standard_normal((D, 3)) + 0.3 * rng.standard_normal((N, 3)) + 7.0


def in_twos(x):
    """Two views of every row: groups of two."""
    return x[:, None] + 0.3 * np.random.default_rng(0).standard_normal((N, 2, D))


SOLVERS = {
    "joint_embedding": lambda x, y: linssl.joint_embedding(linssl.two_views(x, NOISE), K),
    "soft_constraint": lambda x, y: linssl.objectives.soft_constraint(
        linssl.two_views(x, NOISE), K, 0.3
    ),
    "alignment_only": lambda x, y: linssl.objectives.alignment_only(linssl.two_views(x, NOISE), K),
    "reconstruction": lambda x, y: linssl.reconstruction(linssl.view_and_clean(x, NOISE), K),
    "supervised": lambda x, y: linssl.supervised(linssl.with_label(x, y)),
    "canonical_correlation": lambda x, y: linssl.canonical_correlation(linssl.with_label(x, y), K),
    "simvae": lambda x, y: linssl.simvae(pairs.groups(in_twos(x)), K, 2),
    "plda": lambda x, y: linssl.objectives.plda(pairs.groups(in_twos(x)), K, 2),
}


@pytest.mark.x64  # single precision has lost the digits of what is far away
@pytest.mark.parametrize("solve", SOLVERS.values(), ids=SOLVERS)
def test_codes_are_about_the_mean_so_that_moving_the_data_moves_nothing(solve):
    x, y = samples(0)
    near, far = solve(x, y), solve(x + FAR, y)
    assert int(near.status) == int(far.status) == 0
    assert_close(far.mean, near.mean + FAR)
    assert_close(far.second_mean - near.second_mean, FAR if far.second_mean.size == D else 0 * y[0])
    assert_close(far.spectrum, near.spectrum, cond=COND)
    assert_close(far.loss, near.loss, cond=COND)
    W = np.asarray(far.encoder)
    assert_close(far(x + FAR), (x + FAR - np.asarray(far.mean)) @ W.T, cond=COND)
    assert same_rows(W, near.encoder) < 1e-6
    codes, others = (np.abs(s(rows)) for s, rows in ((far, x + FAR), (near, x)))
    np.testing.assert_allclose(codes, others, atol=1e-7 * others.max())  # up to signs


@given(SEEDS)
def test_codes_of_the_data_have_the_mean_and_the_covariance_that_were_promised(seed):
    x, _ = samples(seed)
    codes = linssl.joint_embedding(linssl.two_views(x + 3, NOISE), K)(x + 3)
    assert np.abs(codes.mean(0)).max() < 1e-4
    s = linssl.reconstruction(linssl.same_instance(x + 3).as_pair(), K)
    codes = np.asarray(s(x + 3), float)
    np.testing.assert_allclose(np.cov(codes.T, bias=True), np.eye(K), atol=1e-4)


@given(SEEDS)
def test_reconstructions_of_data_far_away_leave_the_loss(seed):
    x, _ = samples(seed)
    s = linssl.reconstruction(linssl.same_instance(x + FAR).as_pair(), K)
    left = np.sum((x + FAR - np.asarray(s.predict(x + FAR), float)) ** 2, 1)
    np.testing.assert_allclose(left.mean(), s.loss, rtol=1e-3)
    views = np.random.default_rng(seed).standard_normal((400, N, D)) * np.sqrt(NOISE.covariance)
    s = linssl.reconstruction(linssl.view_and_clean(x + FAR, NOISE), K)
    left = np.sum((x + FAR - np.asarray(s.predict(x + FAR + views), float)) ** 2, 2)
    assert_sampled(left.mean(1), s.loss)


@given(SEEDS)
def test_supervised_predicts_by_least_squares_with_an_intercept(seed):
    x, y = samples(seed)
    s = linssl.supervised(linssl.with_label(x + FAR, y))
    regression = LinearRegression().fit(x + FAR, y)
    assert_close(s.predict(x + FAR), regression.predict(x + FAR).astype(s.loss.dtype), cond=COND)
    assert_close(s.predictor, regression.coef_.astype(s.loss.dtype), cond=COND)


# ---- without intercept: moments about zero


@given(SEEDS)
def test_about_zero_is_the_objective_without_an_intercept(seed):
    x, y = samples(seed)
    x = x + 1.0
    raw = x.T @ x / N
    s = linssl.supervised(linssl.with_label(x, y).about_zero())
    want = np.linalg.lstsq(x, y, rcond=None)[0].astype(s.loss.dtype)
    assert_close(s.predictor, want.T, cond=COND)
    assert_close(s.predict(x), x.astype(want.dtype) @ want, cond=COND)

    views = linssl.two_views(x, NOISE).about_zero()
    Theta = np.diag(NOISE.covariance)
    je = linssl.joint_embedding(views, K)
    assert not je.mean.any()
    omega = np.sort(np.linalg.eigvals(np.linalg.solve(raw + Theta, raw)).real)[::-1]
    assert_close(je.spectrum, omega.astype(je.loss.dtype), cond=COND)
    assert_close(je(x), x.astype(je.loss.dtype) @ je.encoder.T, cond=COND)

    rc = linssl.reconstruction(linssl.view_and_clean(x, NOISE).about_zero(), K)
    phi2 = np.linalg.eigvals(np.linalg.solve(raw + Theta, raw @ raw)).real
    assert_close(rc.spectrum, np.sort(phi2)[::-1].astype(rc.loss.dtype), cond=COND)
    assert not rc.second_mean.any()


def test_without_a_mean_about_zero_changes_nothing():
    x, _ = samples(0)
    x = np.concatenate([x, -x])
    for moments in (linssl.two_views(x, NOISE), linssl.with_label(x, np.tanh(x))):
        solve = (
            linssl.supervised
            if isinstance(moments, linssl.PairMoments)
            else (lambda views: linssl.joint_embedding(views, K))
        )
        assert_close(solve(moments.about_zero()).spectrum, solve(moments).spectrum, cond=100)


# ---- models of groups


def test_a_model_of_groups_reads_them_as_they_come():
    groups = in_twos(samples(0)[0])
    near, far = (linssl.simvae(pairs.groups(g), K, 2) for g in (groups, groups + 3.0))
    assert_close(far.loss, -jnp.mean(far.log_likelihood(groups + 3.0)), cond=10)
    for model, g in ((near, groups), (far, groups + 3.0)):
        mean = g.mean((0, 1)).astype(model.loss.dtype)
        assert_close(model.mean, mean, cond=10)
        codes = (g[:, 0] - mean).astype(mean.dtype) @ np.asarray(model.encoder).T
        assert_close(model.posterior(g[:, 0]).mean, codes, cond=100)
        centre = model.group_posterior(model.mean[None])
        assert not centre.content.mean.any()
        assert not centre.codes.mean.any()
    # What is said of groups doesn't depend on where they lie; EM stops at a gradient of sqrt(eps).
    said, want = far.log_likelihood(groups + 3.0), near.log_likelihood(groups)
    np.testing.assert_allclose(said, want, rtol=10 * eps(want) ** 0.5)
