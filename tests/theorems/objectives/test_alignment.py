"""Without whitening: what is aligned, what is invariant, and what Barlow Twins learns first."""

import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, assert_sampled, covariance, same_rows
from problems import clean_and_view, minimise, separated, two_views
from scipy.integrate import solve_ivp
from views import population, sharing

import linssl
from linssl import Status, joint_embedding
from linssl.objectives import alignment_only, barlow_twins, invariance_only

D, K = 5, 2
SOLVERS = (alignment_only, invariance_only, barlow_twins)
VIEWS = [two_views(*clean_and_view(seed)) for seed in range(3)]


@pytest.mark.witness("alignment-only", "invariance-only")
@pytest.mark.parametrize("views", VIEWS, ids=["0", "1", "2"])
def test_encoders_are_orthonormal_and_have_the_losses_of_other_eigensolvers(views):
    S, G = np.asarray(views.covariance), np.asarray(views.shared)
    for s, M in ((alignment_only(views, K), -G), (invariance_only(views, K), 2 * (S - G))):
        assert int(s.status) == 0
        W = np.asarray(s.encoder)
        assert_close(W @ W.T, np.eye(K, dtype=W.dtype))
        assert_close(s.loss, np.trace(W @ M @ W.T), cond=20)
        assert_close(s.loss, np.sum(np.linalg.eigvalsh(M)[:K]), cond=20)
        assert (np.diff(s.spectrum) < 0).all()


@pytest.mark.witness("alignment-only")
@pytest.mark.x64
def test_an_independent_optimiser_finds_no_better_orthonormal_encoder():
    views = VIEWS[1]
    closed, moved = float(invariance_only(views, K).loss), views.spread

    def loss(a):  # the constraint removed by normalising
        A = a.reshape(K, D)
        return 2 * jnp.trace(jnp.linalg.solve(A @ A.T, A @ moved @ A.T))

    best = minimise(loss, K * D, 0)
    assert abs(best - closed) < 1e-7
    assert best > closed - 1e-12


@pytest.mark.witness("invariance-only")
def test_sampled_views_have_the_losses():
    C, Theta = (np.linalg.cholesky(np.asarray(M)) for M in clean_and_view(0))
    draws = np.random.default_rng(0).standard_normal((3, 20_000, D))
    u, v = (draws[0] @ C.T + e @ Theta.T for e in draws[1:])
    most, least = alignment_only(VIEWS[0], K), invariance_only(VIEWS[0], K)
    W, V = np.asarray(most.encoder), np.asarray(least.encoder)
    assert_sampled(-np.sum((u @ W.T) * (v @ W.T), 1), most.loss)
    assert_sampled(np.sum(((u - v) @ V.T) ** 2, 1), least.loss)


def test_on_white_views_all_are_joint_embedding():
    views = sharing(np.eye(D), covariance(separated(D, 0.1, 0.9), 5))
    je = joint_embedding(views, K)
    for solve in SOLVERS:
        s = solve(views, K)
        assert int(s.status) == 0
        assert same_rows(s.encoder, je.encoder) < 1e-4


def test_no_alignment_moves_what_alignment_only_selects():
    clean, gamma = np.array([3.0, 2, 1, 5, 4]), np.array([0.0, 0, 0, 5, 4])
    for alpha in (0.0, 30.0):
        views = population(clean, [0.5, 0.4, 0.3, 0.01, 0.02] + alpha**2 * gamma)
        for solve in (alignment_only, barlow_twins):
            assert same_rows(solve(views, K).encoder, np.eye(D)[3:]) < 1e-6
        # Joint embedding leaves the noise as soon as the augmentation is aligned with it.
        assert (same_rows(joint_embedding(views, K).encoder, np.eye(D)[3:]) > 0.9) == (alpha > 0)


@pytest.mark.witness("barlow-twins")
@pytest.mark.x64
def test_small_weights_under_barlow_twins_learn_the_largest_shared_variances():
    C, _ = clean_and_view(2)
    G = np.asarray(C)
    # The strongest shared directions are the noisiest: joint embedding takes others.
    views = population(G, 0.6 * G @ G)
    s = linssl.check(barlow_twins(views, K))
    W = np.asarray(s.encoder)
    assert_close(W @ G @ W.T, np.eye(K), cond=20)
    assert s.loss == 0
    start = np.random.default_rng(0).standard_normal((K, D))

    def flow(_, w):
        W = w.reshape(K, D)
        return -4 * ((W @ G @ W.T - np.eye(K)) @ W @ G).ravel()

    far = []
    for size in (1e-2, 1e-5):
        path = solve_ivp(flow, (0, 20), (size * start).ravel(), "LSODA", rtol=1e-8, atol=1e-12)
        W = path.y[:, -1].reshape(K, D)
        far.append(float(linssl.subspace_distance(W, s.encoder)))
        np.testing.assert_allclose(W @ G @ W.T, np.eye(K), atol=1e-6)
    assert far[1] < 1e-4
    assert far[1] < far[0] / 10
    assert same_rows(W, joint_embedding(views, K).encoder) > 0.5


@pytest.mark.witness("barlow-twins")
def test_barlow_twins_leaves_what_views_do_not_share_at_0():
    s = barlow_twins(sharing(np.full(D, 3.0), np.array([2.0, 0, 0, -1, -2])), K)
    assert int(s.status) == Status.COLLAPSED
    assert s.loss == 1
    want = np.zeros((K, D), s.encoder.dtype)
    want[0, 0] = 0.5
    assert_close(np.asarray(s.encoder) ** 2, want)
    lost = alignment_only(sharing(np.full(D, 3.0), np.array([2.0, -1, -2, -2, -2])), K)
    assert int(lost.status) == Status.BEYOND_RANK


def test_a_constant_feature_is_the_most_invariant_of_all():
    s = invariance_only(population([2.5, 1, 0.5, 0, 0], [0.5, 1, 1.5, 2, 0]), K)
    assert int(s.status) == Status.COLLAPSED
    assert_close(np.abs(s.encoder), np.eye(D, dtype=s.encoder.dtype)[[4, 0]])
    assert "don't vary along them" in linssl.explain(s)


NO_COVARIANCE = {
    Status.NOT_FINITE: np.full((3, 3), np.nan),
    Status.NOT_SYMMETRIC: np.arange(9.0).reshape(3, 3),
    Status.INDEFINITE: -10 * np.eye(3),
}


@pytest.mark.parametrize(("status", "shared"), NO_COVARIANCE.items())
def test_invariance_only_judges_all_that_it_reads(status, shared):
    s = invariance_only(population(shared, [1.0, 2.0, 3.0]), 1)
    assert int(s.status) == status
    assert np.isnan(s.encoder).all()
    # G alone may have negative eigenvalues: views that disagree.
    found = int(alignment_only(population(shared, [1.0, 2.0, 3.0]), 1).status)
    disagree = Status.NO_GAP | Status.BEYOND_RANK
    assert found == (disagree if status == Status.INDEFINITE else status)


def test_trouble_is_a_status_and_bad_arguments_are_refused():
    views = VIEWS[0]
    S, G = np.asarray(views.covariance), np.asarray(views.shared)
    for broken, want in (
        (G * np.nan, Status.NOT_FINITE),
        (G + np.triu(np.ones_like(G), 1), Status.NOT_SYMMETRIC),
    ):
        for solve in SOLVERS:
            s = solve(sharing(S, broken), K)
            assert int(s.status) == want
            assert np.isnan(s.encoder).all()
            assert np.isnan(s.loss)
    assert int(invariance_only(sharing(S, 2 * S), K).status) == Status.INCONSISTENT
    few = sharing(S, G, draws=3)
    assert int(invariance_only(few, K).status) == Status.FEW_SAMPLES
    ties = sharing(2 * np.eye(D), np.eye(D))
    assert all(int(solve(ties, K).status) == Status.NO_GAP for solve in SOLVERS)
    for solve in SOLVERS:
        with pytest.raises(ValueError, match="dim must be between 1 and 5"):
            solve(views, 6)
