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
from scipy.stats import wishart

import linssl
from linssl.theory import (
    detection_threshold,
    spiked_joint_embedding,
    spiked_pca,
    spiked_reconstruction,
)

K, Q = 3, 60
LAM, THETA = np.array([3.0, 2.0, 1.2]), np.array([0.3, 0.4, 0.5])
EQUAL = np.full(Q, 0.5), np.full(Q, 0.1)
UNEVEN = np.geomspace(0.02, 0.8, Q), np.linspace(0.3, 0.02, Q)
SPECTRA = pytest.mark.parametrize("spectra", [EQUAL, UNEVEN], ids=["equal", "uneven"])
DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
double = pytest.mark.x64


# Compiled once, for these shapes.
JE, RC, PCA, THRESHOLD, POPULATION = (
    jax.jit(f)
    for f in (
        spiked_joint_embedding,
        spiked_reconstruction,
        spiked_pca,
        detection_threshold,
        linssl.alignment_thresholds,
    )
)


def full(lam, gam, theta_i, theta_j, *more):
    """Arguments of one shape and type."""
    spectra = lam, gam, np.full(K, 1.0) * theta_i, np.full(Q, 1.0) * theta_j
    return (*(jnp.asarray(v, float) for v in spectra), *(float(v) for v in more))


def problem(seed):
    rng = np.random.default_rng(seed)
    lam, gam = np.exp(rng.uniform(-1, 2, K)), np.exp(rng.uniform(-2, 2, Q))
    return lam, gam, rng.uniform(0.1, 1.0, K), rng.uniform(0.01, 0.5, Q)


# --- limits -------------------------------------------------------------------------------------


@pytest.mark.witness("detection-threshold")
@given(SEEDS)
def test_infinitely_many_samples_keep_all_signals_above_the_population_thresholds_and_not_all_below(
    seed,
):
    spectra = full(*problem(seed))
    t = POPULATION(*spectra)
    assert_close(THRESHOLD(*spectra, np.inf).alpha_squared, t.joint_embedding_squared)
    squares = t.joint_embedding_squared, t.reconstruction_squared
    for predict, square in zip((JE, RC), squares, strict=True):
        above, below = (float(np.sqrt(max(square, 0.01) * share)) for share in (1.01, 0.99))
        assert_close(predict(*spectra, above, np.inf).overlap, jnp.ones(K), cond=1e3)
        if square > 0.01:
            assert predict(*spectra, below, np.inf).distance > 0.99 / K


@pytest.mark.witness("spiked-pca")
@double
@pytest.mark.parametrize("ratio", [0.05, 0.5, 2.0])
def test_equal_noises_have_the_textbook_transition(ratio):
    (gam, theta_j), n = EQUAL, Q / ratio
    got = THRESHOLD(*full(LAM, gam, THETA, theta_j, n))
    want = (1 + np.sqrt(ratio)) * max(THETA / LAM) - theta_j[0] / gam[0]
    assert_close(got.alpha_squared, jnp.asarray(want), cond=10)
    # Baik, Ben Arous and Peche; Paul: a spike l in units of the noise is seen iff l > 1 + sqrt(c)
    x = LAM / gam[0] - 1
    pca = PCA(LAM, gam, n)
    seen = x > np.sqrt(ratio)
    want = ((1 - ratio / x**2) / (1 + ratio / x))[seen]
    np.testing.assert_allclose(pca.overlap[seen], want, rtol=1e-12)
    # Noise at the edge, (1 + sqrt(c))^2, that takes its place keeps so much of it by chance.
    kept = np.sum(~seen) * (1 + x) / (n * (np.sqrt(ratio) - x) ** 2)
    np.testing.assert_array_equal(np.isnan(pca.overlap), ~seen & (kept > 0.01))
    np.testing.assert_allclose(pca.score[seen], (LAM * (1 + ratio / x))[seen], rtol=1e-12)


@pytest.mark.witness("spiked-joint-embedding-in-data", "spiked-reconstruction-is-pca")
@SPECTRA
def test_whitened_joint_embedding_is_pca_and_under_isotropic_noise_all_three_are(spectra):
    gam, theta_j = spectra
    je = JE(*full(LAM, gam, THETA, theta_j, 1, 100))
    white = PCA(LAM / THETA, gam / (theta_j + gam), 100.0)
    assert_close(je.whitened_overlap, white.overlap, cond=10)
    assert_close(je.score, white.score / (1 + white.score), cond=10)
    assert_close(je.samples, white.samples, cond=100)
    pca = PCA(LAM, gam, 300.0)
    for theta in (1.5, 0.0):  # without augmentation reconstruction is PCA, joint embedding nothing
        rc = RC(*full(LAM, gam, theta, theta, 0, 300))
        assert_close(rc.overlap, pca.overlap, cond=100)
        assert_close(rc.score, pca.score**2 / (pca.score + theta), cond=100)
        je = JE(*full(LAM, gam, theta, theta, 0, 300))
        if theta:
            assert_close(je.overlap, pca.overlap, cond=100)
            assert_close(je.score, pca.score / (pca.score + theta), cond=10)
        else:  # all score 1: none is found, and what an encoder keeps is arbitrary
            assert np.isnan(je.distance)


@pytest.mark.witness("detection-threshold")
@double
@given(SEEDS)
def test_a_signal_is_seen_by_more_samples_than_n_i_and_more_alignment_than_the_threshold(seed):
    spectra, n = full(*problem(seed)), 80.0
    t = THRESHOLD(*spectra, n)
    square = float(t.alpha_squared)
    assert t.alpha == (np.sqrt(square) if square > 0 else 0)
    assert square > float(THRESHOLD(*spectra, 8 * n).alpha_squared)
    if square < 1e-3:
        return
    worst = np.argmax(spectra[2] / spectra[0])
    at = JE(*spectra, np.sqrt(square), n)
    np.testing.assert_allclose(at.samples[worst], n, rtol=1e-6)
    for share in (0.98, 1.02):
        got = JE(*spectra, np.sqrt(share * square), n)
        assert (float(got.overlap[worst]) > 0) == (share > 1)
        np.testing.assert_allclose(got.distance, 1 - np.mean(got.overlap), atol=1e-12)


@double
@SPECTRA
def test_the_distance_falls_like_one_over_n_and_alpha_to_minus_4(spectra):
    for predict in (JE, RC):

        def distance(alpha, n, predict=predict):
            return float(predict(*full(LAM, spectra[0], THETA, spectra[1], alpha, n)).distance)

        np.testing.assert_allclose(distance(2, 1e5) / distance(2, 1e6), 10, rtol=0.01)
        np.testing.assert_allclose(distance(50, 60) / distance(100, 60), 16, rtol=0.03)


def test_a_noise_above_one_signal_costs_one_dimension_and_no_more():
    gam = np.append(np.full(Q - 1, 0.05), 1.5)  # a principal component above the weakest signal
    for n in (1e4, np.inf):
        pca = PCA(LAM, gam, n)
        assert (np.asarray(pca.overlap) > 0.9).tolist() == [True, True, False]
        assert pca.overlap[2] == 0
        assert np.isinf(pca.samples[2])
        assert np.isnan(pca.score[2])


@double
def test_thresholds_and_overlaps_are_differentiable():
    spectra = full(LAM, UNEVEN[0], THETA, UNEVEN[1])

    def check(predict, field, index, *more):
        args = [*spectra, *more]

        def function(x):
            return getattr(predict(*args[:index], x, *args[index + 1 :]), field)

        x = args[index]
        slope, step = jax.grad(function)(x), 1e-4 * x
        numeric = (function(x + step) - function(x - step)) / (2 * step)
        np.testing.assert_allclose(slope, numeric, rtol=1e-5)

    check(THRESHOLD, "alpha_squared", 4, 40.0)
    check(JE, "distance", 4, 2.0, 40.0)
    if DEEP:  # it takes long to compile
        check(RC, "distance", 4, 2.0, 40.0)
    slope = jax.grad(lambda n: THRESHOLD(*spectra, n).alpha_squared)(np.inf)
    assert slope == 0


# --- integrals over Marchenko-Pastur ------------------------------------------------------------


def noise_integral(function, gamma, ratio):
    """q/n times the mean of x f(x) over the sample variances x of equal noises."""
    low, high = gamma * (1 - ratio**0.5) ** 2, gamma * (1 + ratio**0.5) ** 2
    middle, half = (low + high) / 2, (high - low) / 2
    return quad(
        lambda w: (half * np.sin(w)) ** 2 * function(middle - half * np.cos(w)), 0, np.pi,
        epsabs=1e-12, epsrel=1e-12,
    )[0] / (2 * np.pi * gamma)  # fmt: skip


@pytest.mark.witness("spiked-pca", "spiked-reconstruction")
@double
@pytest.mark.parametrize("ratio", [0.1, 2.0])
def test_scores_and_overlaps_are_those_of_the_resolvent_of_equal_noises(ratio):
    gamma, theta_j, alpha, n = 0.5, 0.1, 2.0, Q / ratio
    sigma = theta_j + alpha**2 * gamma
    # Joint embedding: whitened, a signal's block of the resolvent has a pole at its score.
    t, a = gamma / sigma, LAM / THETA
    je = JE(*full(LAM, np.full(Q, gamma), THETA, theta_j, alpha, n))
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

    rc = RC(*full(LAM, np.full(Q, gamma), THETA, theta_j, alpha, n))
    assert (np.asarray(rc.overlap) > 0.5).all()
    for lam, theta, f, overlap in zip(LAM, THETA, rc.score, rc.overlap, strict=True):
        f, shift, h = float(f), float(f) * sigma, 1e-4
        np.testing.assert_allclose(f * (theta - sigma) * inverse(lam, f, shift), 1, rtol=1e-6)
        square = (inverse(lam, f, shift + h) - inverse(lam, f, shift - h)) / (2 * h)
        np.testing.assert_allclose(inverse(lam, f, shift) ** 2 / square, overlap, rtol=1e-5)


# --- simulation ---------------------------------------------------------------------------------


def measured(gam, theta_j, *, S, alpha, n):
    """Shares of the signal directions, mean score and distance, of JE, PCA and RC on n samples."""
    population = linssl.populations.Spiked(jnp.asarray(LAM), gam)
    data = linssl.pairs.same_instance_moments(S, jnp.zeros(K + Q), n)
    base = jnp.concatenate([jnp.asarray(THETA), theta_j])

    def read(solution):
        shares = jnp.sum(jnp.linalg.qr(solution.encoder.T)[0][:K] ** 2, 1)
        return jnp.append(shares, jnp.mean(solution.spectrum[:K]))

    def joint_embedding(base_and_alpha):
        view = population.aligned(*base_and_alpha)
        solved = linssl.joint_embedding(linssl.two_views(data, view), K)
        return jnp.append(read(solved), linssl.subspace_distance(solved.encoder, range(K)))

    # Under isotropic noise and without alignment it is PCA.
    views = jnp.stack([base, jnp.ones(K + Q)]), jnp.stack([alpha, 0 * alpha])
    rc = linssl.view_and_clean(data, population.aligned(base, alpha))
    return *jax.lax.map(joint_embedding, views), read(linssl.reconstruction(rc, K))


@pytest.mark.witness(
    "spiked-joint-embedding", "spiked-joint-embedding-in-data", "spiked-reconstruction"
)
@SPECTRA
@pytest.mark.parametrize(("n", "alpha"), [(30, 1.5), (120, 1.0), (1200, 0.7)])
def test_fifty_draws_agree_with_theory_within_three_errors_or_ten_over_n(spectra, n, alpha):
    gam, theta_j = (jnp.asarray(v) for v in spectra)
    X = np.random.default_rng(n).standard_normal((50, n, K + Q)) * np.sqrt(np.append(LAM, gam))
    columns = {"S": X.swapaxes(1, 2) @ X / n, "n": np.full(50, float(n))}
    bound = jax.tree_util.Partial(measured, gam, theta_j)
    got = linssl.runtime.over_cells(bound, **columns, alpha=np.full(50, alpha))
    args = full(LAM, gam, THETA, theta_j, alpha, n)
    je, pca, rc = JE(*args), PCA(LAM, gam, float(n)), RC(*args)
    scores = je.score, pca.score / (1 + pca.score), rc.score
    for p, score, sample in zip((je, pca, rc), scores, got, strict=True):
        if p is pca and n < np.max(PCA(0.8 * LAM, gam, float(n)).samples):
            continue  # lost, or within a fifth of being so
        want = np.append(p.overlap, np.mean(score))
        want = want if p is rc else np.append(want, p.distance)
        sample = np.asarray(sample)
        error = sample.std(0, ddof=1) / np.sqrt(50)
        off = np.abs(sample.mean(0) - want)
        assert (off <= np.maximum(3 * error, 10 / n)).all(), (off, error)


CROSSING = [0.6415], np.full(10, 5.053), 0.197, 0.116  # one signal, ten strong noises


@pytest.mark.witness("spiked-reconstruction")
@double
@pytest.mark.parametrize("n", [1e3, 1e5, 1e7])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.76, 1.24, 1.5, 2.0])
def test_on_both_sides_of_a_crossing_reconstruction_is_predicted_or_says_that_it_is_not(share, n):
    lam, gam, theta_i, theta_j = CROSSING
    threshold = float(linssl.alignment_thresholds(*CROSSING).reconstruction)
    alpha = share * threshold
    root = np.sqrt(np.append(lam, gam) / n)
    base = np.diag(np.append(theta_i, theta_j + alpha**2 * gam))
    overlaps = []
    for W in wishart.rvs(n, np.eye(11), 200, random_state=0):
        C = root[:, None] * W * root
        e = eigh(C @ C, C + base, subset_by_index=[10, 10])[1][:, 0]
        overlaps.append(e[0] ** 2 / (e @ e))
    mean, error = np.mean(overlaps), np.std(overlaps, ddof=1) / np.sqrt(200)
    got = spiked_reconstruction(*CROSSING, alpha, n)
    if np.isnan(got.distance):  # noise directions keep much of a lost signal, or might
        assert share < 1
        assert np.isnan(got.score[0])
        assert n < 1e7
    else:
        assert abs(mean - float(got.overlap[0])) <= max(3 * error, 0.01)
    if mean > 0.01 and share < 1:
        assert np.isnan(got.overlap[0])


def test_a_lost_signal_keeps_nothing_only_where_noises_are_little_correlated_with_it():
    for predict, alpha in ((spiked_joint_embedding, 0.3), (spiked_reconstruction, 1.8)):
        few, many = (predict(*CROSSING, alpha, n) for n in (1e2, 1e7))
        assert np.isnan(few.distance)
        assert many.distance == 1
    near, far = (spiked_pca([0.6415], np.full(10, gamma), 1e2) for gamma in (0.6, 5.053))
    assert np.isnan(near.distance)
    assert far.distance == 1


@pytest.mark.witness("spiked-joint-embedding-in-data")
@double
@pytest.mark.parametrize(("alpha", "zero"), [(0.2, True), (0.3, False), (0.45, False)])
def test_what_noise_at_its_edge_keeps_of_a_lost_signal_is_what_sampling_shows(alpha, zero):
    lam, gam, theta_i, theta_j = CROSSING
    root = np.sqrt(np.append(lam, gam) / 100)
    base = np.diag(np.append(theta_i, theta_j + alpha**2 * gam))
    overlaps = []
    for W in wishart.rvs(100, np.eye(11), 300, random_state=0):
        C = root[:, None] * W * root
        e = eigh(C, C + base, subset_by_index=[10, 10])[1][:, 0]
        overlaps.append(e[0] ** 2 / (e @ e))
    assert (np.mean(overlaps) < 0.01) == zero
    assert bool(spiked_joint_embedding(*CROSSING, alpha, 100).overlap[0] == 0) == zero


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


@pytest.mark.witness("spiked-joint-embedding-in-data")
@double
@pytest.mark.skipif(not DEEP, reason="large matrices: HYPOTHESIS_PROFILE=deep")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("case", ["equal", "uneven"])
@pytest.mark.parametrize(
    ("n", "ratio"), [(1000, 0.05), (1000, 0.5), (1000, 2.0), (4000, 0.05), (4000, 0.5)]
)
def test_many_directions_agree_with_theory_a_quarter_above_the_threshold(n, ratio, case):
    q = int(ratio * n)
    gam = np.full(q, 0.5) if case == "equal" else np.geomspace(0.01, 0.6, q)
    theta_j, rng = np.full(q, 0.05), np.random.default_rng(n)
    alpha = 1.25 * float(detection_threshold(LAM, gam, THETA, theta_j, n).alpha)
    got = np.array([many(rng, LAM, gam, THETA, theta_j, alpha, n) for _ in range(50)])
    je = spiked_joint_embedding(LAM, gam, THETA, theta_j, alpha, n)
    want = np.array([je.distance, spiked_pca(LAM, gam, n).distance])
    error = got.std(0, ddof=1) / np.sqrt(len(got))
    near = np.max(spiked_pca(0.8 * LAM, gam, n).samples) > n  # PCA is within a fifth of its own
    agrees = np.abs(got.mean(0) - want) <= np.maximum(3 * error, 0.01)
    assert agrees[: 1 if near else 2].all(), (got.mean(0), want)


# --- refusals -----------------------------------------------------------------------------------


def test_a_distance_near_0_keeps_its_digits():
    many = full(LAM, EQUAL[0], THETA, EQUAL[1], 100, 1e7)
    got = float(JE(*many).distance)
    with jax.enable_x64(True):
        want = float(spiked_joint_embedding(*(np.asarray(v, np.float64) for v in many)).distance)
    assert 0 < want < 1e-10
    np.testing.assert_allclose(got, want, rtol=1e-5)


def test_impossible_traced_values_are_nan():
    spectra = full(LAM, EQUAL[0], THETA, EQUAL[1])
    for predict in (JE, RC):
        for bad in ((-1.0, 30.0), (1.0, 2.0)):
            got = predict(*spectra, *bad)
            assert jnp.isnan(got.distance)
            assert jnp.isnan(got.overlap).all()
    assert jnp.isnan(PCA(-LAM, EQUAL[0], 30.0).distance)
    assert jnp.isnan(THRESHOLD(spectra[0], -spectra[1], *spectra[2:], 30.0).alpha_squared)
