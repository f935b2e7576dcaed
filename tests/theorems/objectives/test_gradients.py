"""Gradients through every pencil: finite at ties and large scales, and true where something is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import covariance, invertible
from views import population

import linssl

D, K = 6, 3
SCORES = {
    "simple": [0.9, 0.8, 0.7, 0.3, 0.2, 0.1],
    "repeated": [0.9, 0.9, 0.9, 0.3, 0.3, 0.1],
    # what isn't shared has no code in some: those that are kept turn towards it nevertheless
    "one collapsed": [0.9, 0.9, -0.1, -0.3, -0.4, -0.6],
    "two collapsed": [0.9, -0.1, -0.1, -0.3, -0.6, -0.6],
}
# what a rotation of the code doesn't change: W^T W of an encoder or of a decoder, and predictors
SEEN = {
    "joint_embedding": lambda v: linssl.joint_embedding(v, K).encoder,
    "soft_constraint": lambda v: linssl.objectives.soft_constraint(v, K, 1.1).encoder,
    "spectral_contrastive": lambda v: linssl.objectives.spectral_contrastive(v, K).encoder,
    "plda": lambda v: linssl.objectives.plda(v, K, 2).decoder.T,
    "plda_within": lambda v: linssl.objectives.plda(v, K, 2).within,
    "barlow_twins": lambda v: linssl.objectives.barlow_twins(v, K).encoder,
    "alignment_only": lambda v: linssl.objectives.alignment_only(v, K).encoder,
    "invariance_only": lambda v: linssl.objectives.invariance_only(v, K).encoder,
    "reconstruction": lambda v: linssl.reconstruction(v.as_pair(), K).encoder,
    "reconstruction_decoder": lambda v: linssl.reconstruction(v.as_pair(), K).decoder.T,
    "reconstruction_predictor": lambda v: linssl.reconstruction(v.as_pair(), K).predictor,
    "reconstruction_path": lambda v: (
        linssl.objectives.reconstruction_path(v.as_pair(), K, 0.3).predictor
    ),
}


@pytest.mark.x64
@pytest.mark.parametrize("scores", SCORES.values(), ids=SCORES)
def test_what_rotations_leave_has_the_derivative_of_finite_differences(scores):
    A, omega = np.asarray(invertible(0, D)), np.array(scores)
    G, N = (A * omega) @ A.T, (A * (1 - omega)) @ A.T
    rng = np.random.default_rng(1)
    P, Q = (0.05 * covariance(rng.standard_normal(D), s) for s in (2, 3))
    B = jnp.asarray(rng.standard_normal((D, D)))

    @jax.jit
    def looks(t):
        views = population(G + t * P, N + t * Q)
        squares = [(W.T @ W if len(W) < D else W) for W in (f(views) for f in SEEN.values())]
        return jnp.stack([jnp.sum(M * B) for M in squares])

    h = 1e-5
    want = (looks(h) - looks(-h)) / (2 * h)
    found = jax.jacrev(looks)(0.0)
    for name, a, b in zip(SEEN, found, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, err_msg=name)


@pytest.mark.x64
def test_the_path_at_0_has_the_gradient_of_reconstruction_whatever_the_target():
    rng = np.random.default_rng(0)
    x, one_hot = rng.standard_normal((40, 4)), np.eye(3)[rng.integers(0, 3, 40)]
    pair = linssl.with_label(x + one_hot @ rng.standard_normal((3, 4)), one_hot)
    B = jnp.asarray(rng.standard_normal((3, 4)))

    def slopes(solve):
        def seen(pair):
            s = solve(pair)
            return jnp.sum(s.predictor * B) + s.loss, s.status

        return jax.grad(seen, has_aux=True, allow_int=True)(pair)

    path, status = slopes(lambda p: linssl.objectives.reconstruction_path(p, 2, 0.0))
    plain, _ = slopes(lambda p: linssl.reconstruction(p, 2))
    assert status == 0
    for name in ("first", "second", "cross"):
        found, want = getattr(path, name), getattr(plain, name)
        np.testing.assert_allclose(found, want, rtol=1e-8, atol=1e-8, err_msg=name)


WHOLE = {
    "reconstruction": linssl.reconstruction,
    "path": lambda pair, k: linssl.objectives.reconstruction_path(pair, k, 0.3),
}


@pytest.mark.x64
@pytest.mark.parametrize("rank", [0, 1, 2])
@pytest.mark.parametrize("solve", WHOLE.values(), ids=WHOLE)
def test_predictors_of_a_whole_target_have_the_derivative_of_regression_at_any_rank(solve, rank):
    # K S^{-1}, whatever the rank of K; the rows of a code beyond it are arbitrary.
    rng, zero = np.random.default_rng(3), (np.zeros(D), np.zeros(2))
    S, dS = covariance([3.0, 2.0, 1.0, 0.7, 0.5, 0.4], 1), covariance(rng.standard_normal(D), 2)
    K, dK = np.zeros((D, 2)), jnp.asarray(rng.standard_normal((D, 2)))
    K[range(rank), range(rank)] = 0.5
    x, B = rng.standard_normal((5, D)), jnp.asarray(rng.standard_normal((2, D)))

    @jax.jit
    def looks(t):
        pair = linssl.PairMoments(S + t * dS, jnp.eye(2), K + t * dK, *zero, np.inf, np.inf)
        s = solve(pair, 2)
        return jnp.stack([jnp.sum(s.predictor * B), jnp.sum(s.predict(x))]), s

    found, s = jax.jacfwd(looks, has_aux=True)(0.0)
    assert (int(s.status) & linssl.Status.BEYOND_RANK != 0) == (rank < 2)
    inverse = np.linalg.inv(S)
    slope = (dK.T - K.T @ inverse @ dS) @ inverse
    want = [np.sum(slope * B), np.sum(x @ slope.T)]
    np.testing.assert_allclose(found, want, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(s.predictor, s.decoder @ s.encoder, atol=1e-14)


TWICE = {
    "joint_embedding": lambda v: linssl.joint_embedding(v, K).loss[None],
    "by_noise": lambda v: linssl.joint_embedding(by_noise(v), K).loss[None],
    "reconstruction": lambda v: linssl.reconstruction(v.as_pair(), K).predictor,
    "alignment_only": lambda v: linssl.objectives.alignment_only(v, K).spectrum[:K],
    "projector": lambda v: linssl.linalg.projector(v.shared, K),
}


def by_noise(views):
    return population(views.shared, jnp.diagonal(views.spread))


@pytest.mark.x64
def test_second_derivatives_are_those_of_finite_differences_where_scores_differ():
    A, omega = np.asarray(invertible(0, D)), np.array(SCORES["simple"])
    G, N = (A * omega) @ A.T, (A * (1 - omega)) @ A.T
    P, Q = (0.05 * covariance(np.random.default_rng(s).standard_normal(D), s) for s in (2, 3))

    def slopes(t):
        def looks(t):
            views = population(G + t * P, N + t * Q)
            return jnp.stack([jnp.sum(f(views)[..., :1]) for f in TWICE.values()])

        return jax.jacfwd(looks)(t)

    slopes, h = jax.jit(slopes), 1e-4
    want = (slopes(h) - slopes(-h)) / (2 * h)
    for found in (jax.jacfwd(slopes)(0.0), jax.jacrev(slopes)(0.0)):
        for name, a, b in zip(TWICE, found, want, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, err_msg=name)


# how the derivative in a noise variance t u^2 of data in units of 1/u depends on u: as u^power
POWERS = {
    "encoder": (lambda c, v, u: linssl.reconstruction(c, 2).encoder, -1),
    "decoder": (lambda c, v, u: linssl.reconstruction(c, 2).decoder, 1),
    "predictor": (lambda c, v, u: linssl.reconstruction(c, 2).predictor, 0),
    "path": (lambda c, v, u: linssl.objectives.reconstruction_path(c, 2, u**2 / 2).predictor, 0),
    "invariance_only": (lambda c, v, u: linssl.objectives.invariance_only(v, 2).encoder, 0),
    "alignment_only": (lambda c, v, u: linssl.objectives.alignment_only(v, 2).encoder, 0),
    "joint_embedding": (lambda c, v, u: linssl.joint_embedding(v, 2).encoder, -1),
}


@pytest.mark.parametrize("log_scale", [17, pytest.param(30, marks=pytest.mark.x64)])
def test_gradients_are_those_of_the_same_data_in_other_units(log_scale):
    # Beyond 2^24 or 2^53 of a variance, 1 + variance is the variance: a rule that adds gives NaN.
    x = np.random.default_rng(0).normal(size=(300, 4)) * [4, 3, 2, 1]
    x = jnp.asarray(x, jnp.result_type(float))
    shape = jnp.asarray([1.0, 2.0, 3.0, 4.0], x.dtype)

    @jax.jit
    def slopes(scale):
        def solved(t):
            noise = linssl.GaussianNoise(t * scale**2 * shape)
            sides = linssl.view_and_clean(scale * x, noise), linssl.two_views(scale * x, noise)
            return [f(*sides, scale) / scale**power for f, power in POWERS.values()]

        return jax.jacfwd(solved)(jnp.asarray(0.7, x.dtype))

    here, there = slopes(jnp.asarray(1.0, x.dtype)), slopes(jnp.asarray(2.0**log_scale, x.dtype))
    for name, a, b in zip(POWERS, here, there, strict=True):
        assert np.isfinite(b).all(), name
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-4 * np.abs(a).max(), err_msg=name)
