"""JEvRC, Theorem 2: algebra, an independent optimiser, sampling; invariances and limits."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import SEEDS, assert_close, assert_sampled, eps, invertible, rotation, same_rows
from hypothesis import given
from hypothesis import strategies as st
from problems import clean_and_view, minimise, separated, two_views
from views import population, sharing

import linssl

D = 5
DIMS = st.sampled_from([1, 2, 4])
COND = 400.0  # of the whitened problem: both covariances have condition 20


def je_loss(W, S, G):
    return 2 * (jnp.trace(W @ S @ W.T) - jnp.trace(W @ G @ W.T))


@pytest.mark.witness("joint-embedding")
@given(SEEDS, DIMS)
def test_constraint_holds_and_loss_is_twice_the_sum_of_one_minus_omega(seed, k):
    views = two_views(*clean_and_view(seed))
    s = linssl.joint_embedding(views, k)
    assert int(s.status) == 0
    assert_close(s.encoder @ views.covariance @ s.encoder.T, jnp.eye(k), cond=COND)
    assert_close(s.loss, 2 * jnp.sum(1 - s.spectrum[:k]), cond=COND)
    assert_close(je_loss(s.encoder, views.covariance, views.shared), s.loss, cond=COND)


@given(SEEDS, DIMS)
def test_gradient_vanishes_on_the_constraint_set(seed, k):
    views = two_views(*clean_and_view(seed))
    W, G = linssl.joint_embedding(views, k).encoder, views.shared
    # On W S W^T = I the Lagrangian's gradient is -4 W G + 4 (W G W^T) W S.
    residual = W @ G - (W @ G @ W.T) @ W @ views.covariance
    assert np.abs(residual).max() < 200 * eps(W) * COND


@given(SEEDS, DIMS)
def test_solution_is_invariant_to_a_rotation_of_the_code(seed, k):
    views = two_views(*clean_and_view(seed))
    s = linssl.joint_embedding(views, k)
    U = rotation(seed, k).astype(s.encoder.dtype)
    assert_close(je_loss(U @ s.encoder, views.covariance, views.shared), s.loss, cond=COND)


@pytest.mark.witness("joint-embedding")
@pytest.mark.x64
@pytest.mark.parametrize("seed", range(4))
def test_independent_optimiser_reaches_the_same_value_and_never_a_better_one(seed):
    views, k = two_views(*clean_and_view(seed)), 2
    S, spread = views.covariance, views.spread

    def loss(a):  # the constraint removed by normalising: 2 tr (ASA')^-1 A (S - G) A'
        A = a.reshape(k, D)
        return 2 * jnp.trace(jnp.linalg.solve(A @ S @ A.T, A @ spread @ A.T))

    best = minimise(loss, k * D, seed)
    closed = float(linssl.joint_embedding(views, k).loss)
    assert abs(best - closed) < 1e-7  # BFGS stops at a gradient of 1e-9 to 1e-6
    assert best > closed - 1e-12


@pytest.mark.witness("joint-embedding")
def test_sampled_views_have_the_predicted_loss(key):
    C, Theta = clean_and_view(3)
    s = linssl.joint_embedding(two_views(C, Theta), 2)
    keys = jax.random.split(key, 3)
    clean = linssl.GaussianNoise(C).sample(keys[0], jnp.zeros((20_000, D), C.dtype))
    view = linssl.GaussianNoise(Theta)
    codes = [s(view.sample(k, clean)) for k in keys[1:]]
    assert_sampled(jnp.sum((codes[0] - codes[1]) ** 2, 1), s.loss)
    assert_sampled(codes[0][:, :, None] * codes[0][:, None, :], jnp.eye(2))


@pytest.mark.witness("joint-embedding-equivariance")
@given(SEEDS, DIMS)
def test_equivariant_under_every_invertible_map(seed, k):
    C, Theta = clean_and_view(seed)
    A = invertible(seed, D, cond=5.0).astype(C.dtype)
    s = linssl.joint_embedding(two_views(C, Theta), k)
    mapped = linssl.joint_embedding(two_views(A @ C @ A.T, A @ Theta @ A.T), k)
    assert_close(mapped.spectrum, s.spectrum, cond=25 * COND)
    gap = float(s.gap)
    assert same_rows(mapped.encoder @ A, s.encoder) < 1e4 * eps(C) * COND / gap


@pytest.mark.witness("additive-noise")
@given(SEEDS)
def test_additive_augmentation_gives_omega_g_over_one_plus_g(seed):
    C, Theta = clean_and_view(seed)
    s = linssl.joint_embedding(two_views(C, Theta), 2)
    L = np.linalg.cholesky(np.asarray(Theta, float))
    half = np.linalg.solve(L, np.asarray(C, float))
    g = np.linalg.eigvalsh(np.linalg.solve(L, half.T))[::-1]
    assert_close(np.asarray(s.spectrum, C.dtype), (g / (1 + g)).astype(C.dtype), cond=COND)


@given(SEEDS)
def test_views_of_one_instance_have_scores_between_0_and_1(seed):
    s = linssl.joint_embedding(two_views(*clean_and_view(seed)), 2)
    assert (np.asarray(s.spectrum) >= -1e-4).all()
    assert (np.asarray(s.spectrum) <= 1 + 1e-4).all()


def test_fewer_samples_than_features_are_solved_when_the_augmentation_covers_the_rest():
    X = np.random.default_rng(0).standard_normal((4, 8)) + 3  # about their mean of rank 3
    s = linssl.joint_embedding(linssl.two_views(X, linssl.GaussianNoise(jnp.full(8, 0.1))), 3)
    assert int(s.status) == 0
    assert np.abs(s.spectrum[3:]).max() < 1e4 * eps(s.spectrum)
    assert same_rows(s.encoder, X[1:] - X[0]) < 1e-4


def test_negative_correlation_is_allowed_for_views_of_no_common_instance():
    s = linssl.joint_embedding(sharing(jnp.ones(2), jnp.array([0.5, -0.5])), 1)
    assert int(s.status) == 0
    assert_close(s.spectrum, jnp.array([0.5, -0.5]))


def test_diagonal_and_dense_moments_give_the_same_solution():
    lam, theta = jnp.array([3.0, 1.0, 0.3]), jnp.array([0.5, 0.1, 0.2])
    diagonal = linssl.joint_embedding(two_views(lam, theta), 2)
    dense = linssl.joint_embedding(two_views(jnp.diag(lam), jnp.diag(theta)), 2)
    assert_close(diagonal.spectrum, dense.spectrum)
    assert same_rows(diagonal.encoder, dense.encoder) < 1e-5


def test_jit_vmap_and_loop_agree():
    C, Theta = clean_and_view(0)

    def spectrum(alpha):
        return linssl.joint_embedding(two_views(C, alpha * Theta), 2).spectrum

    alphas = jnp.array([0.5, 1.0, 2.0])
    batched = linssl.runtime.over_cells(spectrum, alpha=alphas)
    for alpha, row in zip(alphas, batched, strict=True):
        assert_close(jax.jit(spectrum)(alpha), row, cond=COND)
        assert_close(spectrum(alpha), row, cond=COND)


def test_gradient_of_the_loss_is_finite_at_repeated_eigenvalues():
    # Sums of eigenvalues are differentiable where single ones are not.
    def loss(alpha):
        return linssl.joint_embedding(two_views(jnp.ones(4), alpha * jnp.ones(4)), 4).loss

    assert_close(jax.grad(loss)(jnp.asarray(0.5)), jnp.asarray(2 * 4 / 1.5**2))


def test_separated_spectrum_has_clear_gaps():
    assert (np.diff(separated(D, 0.2, 4.0)) < 0).all()


@pytest.mark.witness("additive-noise")
@given(SEEDS, st.sampled_from([1.0, 1e-2, 1e-9]))
def test_whitening_by_diagonal_noise_agrees_with_whitening_by_the_view(seed, smallest):
    # smallest: a feature with hardly any noise, for which the direct route is not taken.
    C, _ = clean_and_view(seed)
    theta = jnp.asarray(np.array([1.0, 0.5, 0.3, 0.2, 0.2 * smallest]), C.dtype)
    views = two_views(C, theta)
    assert views.spread.ndim == 1
    plain = eqx.tree_at(lambda v: v.spread, views, jnp.diag(theta))
    s, t = linssl.joint_embedding(views, 2), linssl.joint_embedding(plain, 2)
    assert int(s.status) == int(t.status) == 0
    assert_close(s.spectrum, t.spectrum, cond=COND / smallest**0.5)
    assert same_rows(s.encoder, t.encoder) < 1e4 * eps(C) * COND / float(s.gap) / smallest**0.5
    S = views.covariance
    assert_close(s.encoder @ S @ s.encoder.T, jnp.eye(2), cond=COND / smallest**0.5)


def test_a_spread_that_is_no_covariance_is_inconsistent():
    C = jnp.diag(jnp.array([3.0, 2.0, 1.0]))
    for spread in (jnp.array([1.0, 1.0, -0.5]), jnp.diag(jnp.array([1.0, 1.0, -0.5]))):
        s = linssl.joint_embedding(population(C, spread), 1)
        assert int(s.status) == linssl.Status.INCONSISTENT
        assert np.isnan(s.encoder).all()


def test_a_real_gap_among_strong_scores_is_not_called_a_tie():
    C = jnp.concatenate([jnp.linspace(3.0, 1.0, 20), jnp.linspace(6.0, 30.0, 20)])
    theta = jnp.repeat(jnp.array([0.6, 0.006]), 20)
    assert int(linssl.joint_embedding(two_views(C, theta), 30).status) == 0
