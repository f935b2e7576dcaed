"""One pencil: scores and what they lack of 1, each with its digits, and derivatives that exist."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, covariance, eps, invertible, same_rows
from scipy.linalg import eigh

from linssl.linalg import host
from linssl.linalg.pencil import Square, code_root, leading, pencil
from linssl.linalg.status import Status
from linssl.linalg.whitening import whitener

D, K = 5, 2
COND = 100.0


def with_scores(scores, seed=0):
    """G and Sigma, dense, of a pencil with these scores, and its rows."""
    A, omega = np.asarray(invertible(seed, D), float), np.asarray(scores)
    return jnp.asarray((A * omega) @ A.T), jnp.asarray((A * (1 - omega)) @ A.T), np.linalg.inv(A)


def test_rows_diagonalise_both_and_scores_are_scipys():
    G, N, rows = with_scores([0.9, 0.8, 0.5, 0.2, -0.1])
    p = pencil(G, N, K)
    want = eigh(np.asarray(G), np.asarray(G + N), eigvals_only=True)[::-1]
    assert int(p.status) == 0
    assert_close(p.scores, want, cond=COND)
    assert_close(p.rows @ (G + N) @ p.rows.T, jnp.eye(K), cond=COND)
    assert_close(p.rows @ G @ p.rows.T, jnp.diag(p.scores[:K]), cond=COND)
    assert_close(p.complement, 1 - p.scores[:K], cond=COND)
    assert same_rows(p.rows, rows[:K]) < 1e3 * eps(G) * COND


@pytest.mark.x64
def test_what_scores_lack_of_1_keeps_its_digits():
    # By the view; 1 - omega of the scores has lost all of them.
    lack = np.array([1e-13, 1e-10, 0.3, 0.5, 0.9])
    G, N = (jnp.asarray(np.diag(a)) for a in (1 - lack, lack))
    R = np.asarray(covariance([3.0, 2.0, 1.0, 0.5, 0.2], 1))
    S_root = jnp.asarray(np.diag([1.0, 30.0, 0.1, 4.0, 1.0]))
    plain = pencil(S_root @ G @ S_root, S_root @ N @ S_root, K)
    np.testing.assert_allclose(plain.complement, lack[:K], rtol=1e-12)
    # By a diagonal noise, however the signal lies: omega = g/(1 + g).
    small = 1e-3 * jnp.ones(D)
    by_noise = pencil(jnp.asarray(R), small, K)
    g = np.array([3.0, 2.0]) / 1e-3
    np.testing.assert_allclose(by_noise.complement, 1 / (1 + g), rtol=1e-12)


@pytest.mark.x64
def test_small_scores_keep_their_digits_beside_smaller_ones():
    scores = np.array([1e-12, 3e-13, 1e-14, 0.0, 0.0])
    G, N, _ = with_scores(scores)
    np.testing.assert_allclose(pencil(G, N, K).scores[:3], scores[:3], rtol=1e-9)


@pytest.mark.parametrize("e", [3, D, 8])
def test_a_square_by_its_factor_is_the_square(e):
    A = jnp.asarray(np.random.default_rng(e).standard_normal((D, e)))
    S = covariance([3.0, 2.0, 1.0, 0.7, 0.5], 2).astype(A.dtype)
    F = whitener(S)
    (W, scores), (V, all_scores) = leading(Square(A), S, F, K), leading(A @ A.T, S, F, K)
    assert scores.shape == (min(D, e),)
    assert_close(scores, all_scores[: min(D, e)], cond=COND)
    assert same_rows(W, V) < 1e3 * eps(A) * COND


def test_codes_that_lapack_leaves_out_at_a_tie_are_found_among_all(monkeypatch):
    def short(M, subset_by_index=None):
        scores, Q = eigh(M, subset_by_index=subset_by_index)
        return (scores, Q) if subset_by_index is None else (scores[1:], Q[:, 1:])

    G, N, rows = with_scores([0.9, 0.8, 0.5, 0.2, -0.1])
    monkeypatch.setattr(host, "eigh", short)
    W, scores = host.leading_on_host(G, whitener(G + N), K)
    np.testing.assert_allclose(scores, [0.9, 0.8], atol=1e3 * eps(G) * COND)
    assert same_rows(W, rows[:K]) < 1e3 * eps(G) * COND


def test_trouble_is_a_status_and_derivatives_stay_finite():
    G, N, _ = with_scores([0.9, 0.8, 0.5, 0.2, 0.1])
    one = jnp.zeros((D, D)).at[0, 0].set(1)
    cases = {
        Status.NOT_FINITE: (G.at[0, 1].set(jnp.nan), N),
        Status.NOT_SYMMETRIC: (G.at[0, 1].add(1.0), N),
        Status.SINGULAR: (one, one),
        Status.INDEFINITE: (-G, -N),
        Status.INCONSISTENT: (2 * G, N - G),
    }
    for status, (shared, spread) in cases.items():
        assert int(pencil(shared, spread, K).status) & status, status.name
    slope = jax.grad(lambda t: jnp.sum(pencil(t * one, one, K).rows))(jnp.asarray(1.0))
    assert np.isfinite(slope)


TIES = {
    "simple": [0.9, 0.8, 0.5, 0.3, 0.1],
    "within": [0.9, 0.9, 0.5, 0.3, 0.1],
    "below": [0.9, 0.8, 0.3, 0.3, 0.3],
    "all": [0.7, 0.7, 0.3, 0.3, 0.3],
}


@pytest.mark.x64
@pytest.mark.parametrize("by_noise", [False, True])
@pytest.mark.parametrize("scores", TIES.values(), ids=TIES)
def test_derivatives_are_those_of_finite_differences(scores, by_noise):
    rng = np.random.default_rng(3)
    P, Q, B = (covariance(rng.standard_normal(D), s) for s in (4, 5, 6))
    G, N, _ = with_scores(scores)
    if by_noise:
        omega = np.array(scores)
        G, N, Q = covariance(omega / (1 - omega), 7), jnp.ones(D), jnp.diagonal(Q)

    def looks(t):
        p = pencil(G + t * P, N + t * Q, K)
        omega = p.scores[:K]
        form, slope = p.rows @ (G + t * P) @ p.rows.T, omega[:, None] + omega[None, :]
        R = code_root(jnp.square(omega), form, slope)
        V = R @ p.rows  # V^T V = W^T omega^2 W, which no rotation changes
        seen = [jnp.sum((M.T @ M) * B) for M in (p.rows, V)]
        return jnp.stack([jnp.sum(p.scores[:K]), jnp.sum(p.complement), *seen])

    looks, h = jax.jit(looks), 1e-5
    want = (looks(h) - looks(-h)) / (2 * h)
    for found in (jax.jacfwd(looks)(0.0), jax.jacrev(looks)(0.0)):
        np.testing.assert_allclose(found, want, rtol=1e-7, atol=1e-7 * np.abs(want).max())


@pytest.mark.x64
@pytest.mark.parametrize("e", [3, D])
def test_derivatives_of_squares_are_those_of_finite_differences(e):
    rng = np.random.default_rng(e)
    A, dA = (jnp.asarray(rng.standard_normal((D, e))) for _ in range(2))
    S, dS = covariance([3.0, 2.0, 1.0, 0.7, 0.5], 2), covariance(rng.standard_normal(D), 8)
    B = jnp.asarray(rng.standard_normal((D, D)))

    def looks(t):
        W, scores = leading(Square(A + t * dA), S + t * dS, whitener(S + t * dS), K)
        return jnp.stack([*scores[:K], jnp.sum((W.T @ W) * B)])

    looks, h = jax.jit(looks), 1e-5
    want = (looks(h) - looks(-h)) / (2 * h)
    np.testing.assert_allclose(jax.jacrev(looks)(0.0), want, rtol=1e-7, atol=1e-7)


def test_a_tie_across_the_cut_contributes_nothing():
    G, N = 0.5 * jnp.eye(D), 0.5 * jnp.eye(D)
    slope = jax.grad(lambda G: jnp.sum(pencil(G, N, K).rows))(G)
    assert np.isfinite(slope).all()
    assert np.abs(slope).max() < 10
