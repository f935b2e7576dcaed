"""Alignment thresholds against the solved problem: bisection, optimiser-free, and their limits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import SEEDS, assert_close, covariance, rotation
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import bisect

import linssl

K, Q = 3, 2
spectra = st.integers(0, 10_000).map(
    lambda seed: np.exp(np.random.default_rng(seed).uniform(-1.5, 1.5, 2 * (K + Q)))
)


def split(values):
    return values[:K], values[K : K + Q], values[K + Q : 2 * K + Q], values[2 * K + Q :]


def solve(C, Gamma, Theta, alpha, objective, dim):
    """Encoder of one objective on corrupted data C + Gamma, dense."""
    a = linssl.AlignedNoise(Theta, Gamma, alpha)
    data = linssl.pairs.same_instance_population(C + Gamma)
    if objective == "joint_embedding":
        return linssl.joint_embedding(linssl.two_views(data, a), dim).encoder
    return linssl.reconstruction(linssl.view_and_clean(data, a), dim).encoder


@jax.jit
def distances(C, Gamma, Theta, alpha, reference):
    return [
        linssl.subspace_distance(solve(C, Gamma, Theta, alpha, name, len(reference)), reference)
        for name in ("joint_embedding", "reconstruction")
    ]


def switching_square(C, Gamma, Theta, reference, which):
    """Bisect the solved problem for the alpha^2 at which the signal is recovered."""

    def excess(square):
        alpha = jnp.asarray(np.sqrt(square))
        return float(distances(C, Gamma, Theta, alpha, reference)[which]) - 0.5 / len(reference)

    return bisect(excess, 1e-6, 1e6, xtol=1e-9, rtol=1e-9)


def embedded(signal_block, noise_block):
    return jax.scipy.linalg.block_diag(jnp.asarray(signal_block), jnp.asarray(noise_block))


@pytest.mark.witness("alignment-joint-embedding", "alignment-reconstruction")
@pytest.mark.x64
@given(spectra)
def test_bisection_of_the_solved_problem_finds_both_thresholds(values):
    lam, gam, th_s, th_n = split(values)
    found = linssl.alignment_thresholds(lam, gam, th_s, th_n)
    C, Gamma = embedded(np.diag(lam), np.zeros((Q, Q))), embedded(np.zeros((K, K)), np.diag(gam))
    Theta = embedded(np.diag(th_s), np.diag(th_n))
    reference = jnp.eye(K, K + Q)
    for which, square in enumerate((found.joint_embedding_squared, found.reconstruction_squared)):
        if square > 1e-3:
            measured = switching_square(C, Gamma, Theta, reference, which)
            assert measured == pytest.approx(float(square), rel=1e-6)
        else:  # no alignment needed: alpha = 0 already works, unless it's a near tie
            assume(square < -1e-3)
            assert distances(C, Gamma, Theta, jnp.asarray(0.0), reference)[which] < 1e-6


@pytest.mark.witness("alignment-of-blocks")
@pytest.mark.x64
@given(SEEDS)
def test_matrix_blocks_agree_with_bisection(seed):
    rng = np.random.default_rng(seed)
    lam, gam, th_s, th_n = split(np.exp(rng.uniform(-1, 1, 2 * (K + Q))))
    blocks = [covariance(v, seed + i) for i, v in enumerate((lam, gam, th_s, th_n))]
    found = linssl.alignment_thresholds(*blocks)
    C, Gamma, Theta = (
        embedded(blocks[0], np.zeros((Q, Q))), embedded(np.zeros((K, K)), blocks[1]),
        embedded(blocks[2], blocks[3]),
    )  # fmt: skip
    turn = rotation(seed, K + Q)
    rotated = [turn @ m @ turn.T for m in (C, Gamma, Theta)]
    rotated = [(m + m.T) / 2 for m in rotated]
    reference = jnp.eye(K, K + Q) @ turn.T
    for which, square in enumerate((found.joint_embedding_squared, found.reconstruction_squared)):
        if square > 1e-3:
            measured = switching_square(*rotated, reference, which)
            assert measured == pytest.approx(float(square), rel=1e-6)


@pytest.mark.witness("alignment-of-smaller-codes")
@pytest.mark.x64
@given(spectra, st.integers(1, 2))
def test_a_smaller_embedding_needs_only_the_pairs_that_the_cut_separates(values, dim):
    lam, gam, th_s, th_n = split(values)
    found = linssl.alignment_thresholds(lam, gam, th_s, th_n, dim)
    C, Gamma = embedded(np.diag(lam), np.zeros((Q, Q))), embedded(np.zeros((K, K)), np.diag(gam))
    Theta = embedded(np.diag(th_s), np.diag(th_n))
    scores = (lam / (lam + th_s), lam**2 / (lam + th_s))
    squares = (found.joint_embedding_squared, found.reconstruction_squared)
    for which, (score, square) in enumerate(zip(scores, squares, strict=True)):
        kept = np.argsort(-score)[:dim]
        reference = jnp.eye(K + Q)[kept]
        if square > 1e-3:
            measured = switching_square(C, Gamma, Theta, reference, which)
            assert measured == pytest.approx(float(square), rel=1e-6)
    everything = linssl.alignment_thresholds(lam, gam, th_s, th_n)
    assert squares[0] <= everything.joint_embedding_squared
    assert squares[1] <= everything.reconstruction_squared


@pytest.mark.witness("alignment-of-blocks")
@given(spectra)
def test_vectors_and_diagonal_matrices_agree(values):
    parts = split(values)
    a = linssl.alignment_thresholds(*parts)
    b = linssl.alignment_thresholds(*(np.diag(p) for p in parts))
    assert_close(a.joint_embedding_squared, b.joint_embedding_squared, cond=50.0)
    assert_close(a.reconstruction_squared, b.reconstruction_squared, cond=500.0)


@pytest.mark.witness("alignment-difference")
@given(spectra)
def test_per_pair_difference_is_the_magnitude_ratio(values):
    lam, gam, th_s, th_n = (p[:1] for p in split(values))
    t = linssl.alignment_thresholds(lam, gam, th_s, th_n)
    want = (gam / lam - 1) * (1 + th_s / lam)
    scale = np.abs([t.joint_embedding_squared, t.reconstruction_squared]).max()
    got = t.reconstruction_squared - t.joint_embedding_squared
    assert abs(float(got) - want[0]) < 1e-4 * max(scale, 1)


@pytest.mark.witness("noise-magnitude")
@given(spectra)
def test_low_noise_favours_reconstruction_and_high_noise_joint_embedding(values):
    lam, gam, th_s, th_n = split(values)
    boundary = float(linssl.theory.magnitude_regime(lam, gam, th_s).boundary)
    for factor, attribute in ((0.9 / gam.max(), "low"), (1.1 / gam.min(), "high")):
        scaled = gam * boundary * factor
        regime = linssl.theory.magnitude_regime(lam, scaled, th_s)
        assert bool(getattr(regime, attribute))
        t = linssl.alignment_thresholds(lam, scaled, th_s, th_n)
        if attribute == "low":
            assert t.reconstruction <= t.joint_embedding + 1e-4
        else:
            assert t.joint_embedding <= t.reconstruction + 1e-4


def test_the_published_setting_has_thresholds_0_77_and_6_9():
    lam, unit = np.geomspace(1, 0.05, 50), 0.05
    t = linssl.alignment_thresholds(lam, unit * np.linspace(6, 30, 50), 0.6 * unit, 0.006 * unit)
    assert float(t.joint_embedding) == pytest.approx(0.77, abs=0.01)
    assert float(t.reconstruction) == pytest.approx(6.9, abs=0.05)


def test_negative_squares_are_kept_and_clipped_to_zero():
    t = linssl.alignment_thresholds([3.0], [0.1], 0.1, 0.1)
    assert t.joint_embedding_squared < 0
    assert t.reconstruction_squared < 0
    assert t.joint_embedding == t.reconstruction == 0


def test_thresholds_are_differentiable():
    grad = jax.grad(
        lambda g: linssl.alignment_thresholds(jnp.ones(2), g, 0.5, 0.1).reconstruction_squared
    )(jnp.array([4.0, 2.0]))
    assert_close(grad, jnp.array([1.5 + 0.1 / 16, 0.0]))  # d/dg of g(l+t)/l^2 - t/g, at the max


@pytest.mark.parametrize("scale", [1e-20, 1e-10, 1e10, 1e18])
def test_thresholds_do_not_depend_on_units(scale):
    lam, gam, th_s, th_n = (np.array(v) for v in ([3.0, 2.0], [5.0], [0.5, 0.5], [0.5]))
    plain = linssl.alignment_thresholds(lam, gam, th_s, th_n)
    scaled = linssl.alignment_thresholds(*(v * scale for v in (lam, gam, th_s, th_n)))
    assert_close(scaled.reconstruction_squared, plain.reconstruction_squared)
    assert_close(scaled.joint_embedding_squared, plain.joint_embedding_squared)
    for i, j in zip(
        linssl.theory.alignment_interval(*(v * scale for v in (lam, gam, th_s, th_n)), 0.3 * scale),
        linssl.theory.alignment_interval(lam, gam, th_s, th_n, 0.3),
        strict=True,
    ):
        assert_close(i.lower_squared, j.lower_squared)
        assert bool(i.empty) == bool(j.empty)
    regime = linssl.theory.magnitude_regime(lam * scale, gam * scale, th_s * scale)
    assert_close(regime.boundary / scale, linssl.theory.magnitude_regime(lam, gam, th_s).boundary)


@pytest.mark.witness("alignment-of-smaller-codes")
@pytest.mark.parametrize("ratio", [1e-2, 1e-4, 2e-5])
def test_a_kept_strong_signal_is_not_blurred_by_a_weak_one_that_is_not(ratio):
    turn = rotation(0, 2)
    C = (turn * jnp.array([[1.0, ratio]])) @ turn.T
    t = linssl.alignment_thresholds((C + C.T) / 2, [3.0, 1.0], 0.5, 0.1, dim=1)
    assert float(t.reconstruction_squared) == pytest.approx(3.466667, rel=1e-4)
    assert float(t.joint_embedding_squared) == pytest.approx(0.5 - 0.1 / 3, rel=1e-4)


def test_clipped_thresholds_have_gradient_zero_not_nan():
    def alphas(theta):
        t = linssl.alignment_thresholds([3.0, 2.0], [0.5], theta, 0.5)
        return jnp.stack([t.joint_embedding, t.reconstruction])

    assert_close(jax.jacobian(alphas)(jnp.asarray(0.1)), jnp.zeros(2))


@pytest.mark.parametrize("bad", [[-1.0, -2.0], [0.0, 1.0], [np.nan, 1.0]])
def test_traced_values_that_are_no_variances_give_nan(bad):
    def alphas(values):
        return linssl.alignment_thresholds(values, [0.5], 0.1, 0.5)

    assert np.isnan(jax.jit(alphas)(jnp.asarray(bad)).joint_embedding)
    assert np.isnan(jax.jit(alphas)(jnp.asarray(bad)).reconstruction)


INDEFINITE = np.array([[1.0, 2.0], [2.0, 1.0]])


@pytest.mark.parametrize("which", range(4))
@pytest.mark.parametrize("bad", [INDEFINITE, np.array([[1.0, 0.9], [0.0, 1.0]])])
def test_traced_blocks_that_are_no_covariances_give_nan(which, bad):
    blocks = [jnp.eye(2)] * 4
    blocks[which] = jnp.asarray(bad)
    t = jax.jit(linssl.alignment_thresholds)(*blocks)
    assert np.isnan([t.joint_embedding_squared, t.reconstruction_squared]).all()


def test_gradient_through_dense_noise_is_finite_at_repeated_eigenvalues():
    def square(t):
        eye = jnp.eye(2)
        return linssl.alignment_thresholds(
            eye, t * eye, 0.5 * eye, 0.1 * eye
        ).reconstruction_squared

    assert_close(jax.grad(square)(jnp.asarray(0.5)), jnp.asarray(1.5 + 0.1 / 0.25))
