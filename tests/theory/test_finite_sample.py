"""Finite-sample predictions: limits, integrals over Marchenko-Pastur, and simulation."""

import os

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import SEEDS, assert_close
from hypothesis import given
from scipy.integrate import quad
from scipy.linalg import eigh
from scipy.optimize import brentq

import linssl
from linssl import detection_threshold, spiked_joint_embedding, spiked_pca, spiked_reconstruction

K, Q = 3, 60
LAM, THETA = np.array([3.0, 2.0, 1.2]), np.array([0.5, 0.6, 0.2])
EQUAL = np.full(Q, 0.5), np.full(Q, 0.1)
UNEVEN = np.geomspace(0.02, 1.0, Q), np.linspace(0.3, 0.02, Q)
SPECTRA = pytest.mark.parametrize("spectra", [EQUAL, UNEVEN], ids=["equal", "uneven"])
DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
double = pytest.mark.x64


def problem(seed):
    rng = np.random.default_rng(seed)
    lam, gam = np.exp(rng.uniform(-1, 2, K)), np.exp(rng.uniform(-2, 2, Q))
    return lam, gam, rng.uniform(0.1, 1.0, K), rng.uniform(0.01, 0.5, Q)


# --- limits -------------------------------------------------------------------------------------


@double
@given(SEEDS)
def test_endless_samples_keep_all_signals_above_the_population_thresholds_and_not_all_below(seed):
    spectra = problem(seed)
    t = linssl.alignment_thresholds(*spectra)
    found = detection_threshold(*spectra, np.inf)
    assert_close(found.alpha_squared, t.joint_embedding_squared)
    for predict, square in (
        (spiked_joint_embedding, t.joint_embedding_squared),
        (spiked_reconstruction, t.reconstruction_squared),
    ):
        above, below = (float(np.sqrt(max(square, 0.01) * share)) for share in (1.01, 0.99))
        assert_close(predict(*spectra, above, np.inf).overlap, jnp.ones(K), cond=1e3)
        if square > 0.01:
            assert predict(*spectra, below, np.inf).distance >= 1 / K - 1e-9


@double
@pytest.mark.parametrize("ratio", [0.05, 0.5, 2.0])
def test_equal_noises_have_the_textbook_transition(ratio):
    (gam, theta_j), n = EQUAL, Q / ratio
    got = detection_threshold(LAM, gam, THETA, theta_j, n)
    want = (1 + np.sqrt(ratio)) * max(THETA / LAM) - theta_j[0] / gam[0]
    assert_close(got.alpha_squared, jnp.asarray(want), cond=10)
    # Baik, Ben Arous and Peche; Paul: a spike l in units of the noise is seen iff l > 1 + sqrt(c)
    spike = LAM / gam[0]
    pca = spiked_pca(LAM, gam, n)
    x = spike - 1
    seen = x > np.sqrt(ratio)
    want = np.where(seen, (1 - ratio / x**2) / (1 + ratio / x), 0)
    assert_close(pca.overlap, jnp.asarray(want), cond=10)
    np.testing.assert_allclose(pca.score[seen], (LAM * (1 + ratio / x))[seen], rtol=1e-12)


@double
@SPECTRA
def test_whitened_joint_embedding_is_pca_and_under_isotropic_noise_all_three_are(spectra):
    gam, theta_j = spectra
    je = spiked_joint_embedding(LAM, gam, THETA, theta_j, 1.0, 100)
    white = spiked_pca(LAM / THETA, gam / (theta_j + gam), 100)
    assert_close(je.whitened_overlap, white.overlap, cond=10)
    assert_close(je.score, white.score / (1 + white.score), cond=10)
    assert_close(je.samples, white.samples, cond=100)
    pca = spiked_pca(LAM, gam, 300)
    je = spiked_joint_embedding(LAM, gam, 1.5, 1.5, 0.0, 300)
    rc = spiked_reconstruction(LAM, gam, 1.5, 1.5, 0.0, 300)
    for p in (je, rc):
        assert_close(p.overlap, pca.overlap, cond=100)
    assert_close(je.score, pca.score / (pca.score + 1.5), cond=10)
    assert_close(rc.score, pca.score**2 / (pca.score + 1.5), cond=100)


@double
@given(SEEDS)
def test_a_signal_is_seen_by_more_samples_than_n_i_and_more_alignment_than_the_threshold(seed):
    spectra = problem(seed)
    n = 80
    t = detection_threshold(*spectra, n)
    square = float(t.alpha_squared)
    assert t.alpha == (np.sqrt(square) if square > 0 else 0)
    assert square > float(detection_threshold(*spectra, 8 * n).alpha_squared)
    if square < 1e-3:
        return
    at = spiked_joint_embedding(*spectra, np.sqrt(square), n)
    worst = np.argmax(spectra[2] / spectra[0])
    np.testing.assert_allclose(at.samples[worst], n, rtol=1e-6)
    for share in (0.98, 1.02):
        got = spiked_joint_embedding(*spectra, np.sqrt(share * square), n)
        assert (float(got.overlap[worst]) > 0) == (share > 1)
        np.testing.assert_allclose(got.distance, 1 - np.mean(got.overlap), atol=1e-12)


@double
@SPECTRA
def test_the_distance_falls_like_one_over_n_and_alpha_to_minus_4(spectra):
    for predict in (spiked_joint_embedding, spiked_reconstruction):

        def distance(alpha, n, predict=predict):
            return float(predict(LAM, spectra[0], THETA, spectra[1], alpha, n).distance)

        np.testing.assert_allclose(distance(2.0, 1e5) / distance(2.0, 1e6), 10, rtol=0.01)
        np.testing.assert_allclose(distance(50.0, 60) / distance(100.0, 60), 16, rtol=0.03)


@double
def test_a_noise_above_one_signal_costs_one_dimension_and_no_more():
    gam = np.append(np.full(Q - 1, 0.05), 1.5)  # a principal component above the weakest signal
    for n in (1e4, np.inf):
        pca = spiked_pca(LAM, gam, n)
        assert (np.asarray(pca.overlap) > 0.9).tolist() == [True, True, False]
        assert pca.overlap[2] == 0
        assert np.isinf(pca.samples[2])
        assert np.isnan(pca.score[2])


@double
@SPECTRA
def test_thresholds_and_overlaps_are_differentiable(spectra):
    gam, theta_j = (jnp.asarray(v) for v in spectra)

    def check(function, x, tolerance=1e-5):
        slope, step = jax.grad(function)(x), 1e-4 * x
        numeric = (function(x + step) - function(x - step)) / (2 * step)
        np.testing.assert_allclose(slope, numeric, rtol=tolerance)

    check(lambda n: detection_threshold(LAM, gam, THETA, theta_j, n).alpha_squared, 40.0)
    check(lambda g: detection_threshold(LAM, g * gam, THETA, theta_j, 40.0).alpha_squared, 1.0)
    check(lambda a: spiked_joint_embedding(LAM, gam, THETA, theta_j, a, 40.0).distance, 2.0)
    check(lambda a: spiked_reconstruction(LAM, gam, THETA, theta_j, a, 40.0).distance, 2.0)
    assert jnp.isfinite(
        jax.grad(lambda a: detection_threshold(LAM, gam, a * THETA, theta_j, np.inf).alpha)(1.0)
    )


# --- integrals over Marchenko-Pastur ------------------------------------------------------------


def noise_integral(function, gamma, ratio):
    """q/n times the mean of x f(x) over the sample variances x of equal noises."""
    low, high = gamma * (1 - ratio**0.5) ** 2, gamma * (1 + ratio**0.5) ** 2
    middle, half = (low + high) / 2, (high - low) / 2
    return quad(
        lambda w: (half * np.sin(w)) ** 2 * function(middle - half * np.cos(w)), 0, np.pi,
        epsabs=1e-12, epsrel=1e-12,
    )[0] / (2 * np.pi * gamma)  # fmt: skip


@double
@pytest.mark.parametrize("ratio", [0.1, 2.0])
def test_scores_and_overlaps_are_those_of_the_resolvent_of_equal_noises(ratio):
    gamma, theta_j, alpha, n = 0.5, 0.1, 2.0, Q / ratio
    sigma = theta_j + alpha**2 * gamma
    # Joint embedding: whitened, a signal's block of the resolvent has a pole at its score.
    t, a = gamma / sigma, LAM / THETA
    je = spiked_joint_embedding(LAM, np.full(Q, gamma), THETA, theta_j, alpha, n)
    edge = t * (1 + ratio**0.5) ** 2
    for i in range(K):
        z = brentq(
            lambda z, i=i: z - a[i] * (1 + noise_integral(lambda x: 1 / (z - x), t, ratio)),
            edge * (1 + 1e-9), 100,
        )  # fmt: skip
        norm = 1 + a[i] * noise_integral(lambda x, z=z: 1 / (z - x) ** 2, t, ratio)
        np.testing.assert_allclose(je.score[i], z / (1 + z), rtol=1e-8)
        np.testing.assert_allclose(je.whitened_overlap[i], 1 / norm, rtol=1e-8)
        spilt = THETA[i] / sigma * (norm - 1)  # back to the data
        np.testing.assert_allclose(je.overlap[i], 1 / (1 + spilt), rtol=1e-8)

    # Reconstruction: e = f (theta - sigma) (C^2 - f C - f sigma)^{-1} P e, by partial fractions.
    def block(lam, z):
        return 1 / (lam * (1 - noise_integral(lambda x: 1 / (x - z), gamma, ratio)) - z)

    def inverse(lam, f, shift):
        root = np.sqrt(f**2 + 4 * shift)
        return (block(lam, (f + root) / 2) - block(lam, (f - root) / 2)) / root

    rc = spiked_reconstruction(LAM, np.full(Q, gamma), THETA, theta_j, alpha, n)
    assert (np.asarray(rc.overlap) > 0.5).all()
    for lam, theta, f, overlap in zip(LAM, THETA, rc.score, rc.overlap, strict=True):
        f, shift, h = float(f), float(f) * sigma, 1e-4
        np.testing.assert_allclose(f * (theta - sigma) * inverse(lam, f, shift), 1, rtol=1e-6)
        square = (inverse(lam, f, shift + h) - inverse(lam, f, shift - h)) / (2 * h)
        np.testing.assert_allclose(inverse(lam, f, shift) ** 2 / square, overlap, rtol=1e-5)


# --- simulation ---------------------------------------------------------------------------------


def measured(key, gam, theta_j, alpha, n):
    """Shares of the signal directions, scores, and the distance: JE, RC and PCA."""
    population = linssl.Spiked(jnp.asarray(LAM), gam)
    pair = population.sample_moments(key, n).corrupted.centred()
    view = population.aligned(jnp.concatenate([jnp.asarray(THETA), theta_j]), alpha)
    even = linssl.GaussianNoise(jnp.ones(K + Q))
    je = linssl.joint_embedding(linssl.augment(pair, view, view), K)
    rc = linssl.reconstruction(linssl.augment(pair, view, None), K)
    pca = linssl.joint_embedding(linssl.augment(pair, even, even), K)
    rows = []
    for s in (je, rc, pca):
        basis = jnp.linalg.qr(s.encoder.T)[0]
        distance = linssl.subspace_distance(s.encoder, range(K))
        rows.append(jnp.concatenate([jnp.sum(basis[:K] ** 2, 1), s.spectrum[:K], distance[None]]))
    return jnp.stack(rows)


@double
@SPECTRA
@pytest.mark.parametrize(("n", "alpha"), [(30, 1.5), (120, 1.0), (1200, 0.7)])
def test_fifty_draws_agree_with_theory_within_three_errors_or_a_hundredth(spectra, n, alpha):
    gam, theta_j = (jnp.asarray(v) for v in spectra)
    columns = {"key": jax.random.split(jax.random.key(n), 50), "n": np.full(50, float(n))}
    bound = jax.tree_util.Partial(measured, gam=gam, theta_j=theta_j)
    got = np.asarray(linssl.over_cells(bound, **columns, alpha=np.full(50, alpha)))
    mean, error = got.mean(0), got.std(0, ddof=1) / np.sqrt(50)
    args = LAM, gam, THETA, theta_j, alpha, n - 1  # the mean takes one sample
    je, rc, pca = (
        spiked_joint_embedding(*args),
        spiked_reconstruction(*args),
        spiked_pca(LAM, gam, n - 1),
    )
    scores = je.score, rc.score, pca.score / (1 + pca.score)
    want = np.stack(
        [
            np.concatenate([p.overlap, score, p.distance[None]])
            for p, score in zip((je, rc, pca), scores, strict=True)
        ]
    )
    # Of PCA only what is well above its own threshold.
    rows = slice(3 if n > 1.4 * np.max(pca.samples) else 2)
    off = np.abs(mean - want) / np.maximum(np.abs(want), 1)  # RC's scores are variances
    assert (off <= np.maximum(3 * error, 0.01))[rows].all(), (off[rows], error[rows])


def many(rng, lam, gam, theta, theta_j, alpha, n):
    """Distance of joint embedding and of PCA for one draw, by the smaller of the two Grams."""
    k, q = lam.size, gam.size
    X = rng.standard_normal((n, k + q)) * np.sqrt(np.append(lam, gam))
    distances = []
    for deviations in (np.sqrt(np.append(theta, theta_j + alpha**2 * gam)), np.ones(k + q)):
        Y = X / deviations
        if n < k + q:
            U = eigh(Y @ Y.T, subset_by_index=[n - k, n - 1])[1]
            V = Y.T @ U
        else:
            V = eigh(Y.T @ Y, subset_by_index=[q, k + q - 1])[1]
        basis = np.linalg.qr(V / deviations[:, None])[0]
        distances.append(1 - np.sum(basis[:k] ** 2) / k)
    return distances


@double
@pytest.mark.skipif(not DEEP, reason="large matrices: HYPOTHESIS_PROFILE=deep")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("n", [1000, 4000])
@pytest.mark.parametrize("ratio", [0.05, 0.5, 2.0])
@pytest.mark.parametrize("case", ["equal", "uneven"])
def test_many_directions_agree_with_theory(n, ratio, case):
    q = min(int(ratio * n), 2000)
    gam = np.full(q, 0.5) if case == "equal" else np.geomspace(0.01, 0.6, q)
    theta_j, alpha = np.full(q, 0.05), 0.9
    rng = np.random.default_rng(n)
    got = np.array([many(rng, LAM, gam, THETA, theta_j, alpha, n) for _ in range(50)])
    je = spiked_joint_embedding(LAM, gam, THETA, theta_j, alpha, n)
    want = np.array([je.distance, spiked_pca(LAM, gam, n).distance])
    error = got.std(0, ddof=1) / np.sqrt(len(got))
    assert (np.abs(got.mean(0) - want) <= np.maximum(3 * error, 0.01)).all(), (got.mean(0), want)


# --- refusals -----------------------------------------------------------------------------------


def test_impossible_spectra_and_too_few_samples_are_refused():
    for predict in (spiked_joint_embedding, spiked_reconstruction):
        with pytest.raises(ValueError, match="count must exceed the number of signals, 3; got 3"):
            predict(LAM, [1.0], 0.5, 0.1, 1.0, 3)
        with pytest.raises(ValueError, match=r"alpha must lie in \[0, .*got -1"):
            predict(LAM, [1.0], 0.5, 0.1, -1.0, 30)
        with pytest.raises(ValueError, match=r"noise must hold variances > 0; got 0"):
            predict(LAM, [0.0], 0.5, 0.1, 1.0, 30)
        with pytest.raises(ValueError, match=r"base_signal must be a scalar or \(3,\); got \(2,\)"):
            predict(LAM, [1.0], [0.5, 0.5], 0.1, 1.0, 30)
    with pytest.raises(ValueError, match=r"signal must be a \(k,\) array of variances; got \(\)"):
        spiked_pca(1.0, [1.0], 30)
    with pytest.raises(ValueError, match=r"count must be a scalar; got shape \(2,\)"):
        detection_threshold(LAM, [1.0], 0.5, 0.1, [30, 40])


def test_impossible_traced_values_are_nan():
    one = jnp.ones(1)
    for bad in ((-1.0, 30.0), (1.0, 2.0)):
        for predict in (spiked_joint_embedding, spiked_reconstruction):
            got = jax.jit(lambda a, n, f=predict: f(LAM, one, 0.5, 0.1, a, n))(*bad)
            assert jnp.isnan(got.distance)
            assert jnp.isnan(got.overlap).all()
    assert jnp.isnan(jax.jit(spiked_pca)(-one, one, 30.0).distance)
    assert jnp.isnan(jax.jit(detection_threshold)(one, -one, 0.5, 0.1, 30.0).alpha_squared)
