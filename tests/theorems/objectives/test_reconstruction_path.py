"""One pair, and a path from reconstruction to joint embedding on it."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, assert_sampled, same_rows
from problems import clean_and_view, minimise, view_and_clean

import linssl
from linssl import Status, canonical_correlation
from linssl.objectives import reconstruction_path

D, K, COND = 5, 2, 400.0
PAIRS = [view_and_clean(*clean_and_view(seed)) for seed in range(3)]


def energy(W, B, V, S, C, G, weight, trace=np.trace):
    """The objective, written out in moments."""
    decoded = trace(B @ W @ S @ W.T @ B.T) - 2 * trace(B @ W @ G) + trace(C)
    coded = trace(W @ S @ W.T) - 2 * trace(W @ G @ V.T) + trace(V @ C @ V.T)
    return decoded + weight * coded


@pytest.mark.witness("reconstruction-path")
@pytest.mark.parametrize("weight", [0.0, 0.7, 40.0])
@pytest.mark.parametrize("pair", PAIRS, ids=["0", "1", "2"])
def test_the_constraint_holds_and_the_loss_is_what_the_scores_leave(pair, weight):
    s = linssl.check(reconstruction_path(pair, K, weight))
    S, C, G = (np.asarray(m) for m in (pair.first, pair.second, pair.cross))
    W, B, V = (np.asarray(m) for m in (s.encoder, s.decoder, s.second_encoder))
    assert_close(W @ S @ W.T, np.eye(K, dtype=W.dtype), cond=COND)
    assert_close(s.loss, energy(W, B, V, S, C, G, weight).astype(W.dtype), cond=COND)
    want = np.trace(C) + weight * K - np.sum(np.asarray(s.spectrum)[:K])
    assert_close(s.loss, want.astype(W.dtype), cond=COND)
    # Both partners are least squares, and W is stationary on its constraint.
    assert_close(B, G.T @ W.T, cond=COND)
    assert_close(V @ C, W @ G, cond=COND)
    pull = B.T @ G.T + weight * V @ G.T
    assert_close(pull, pull @ W.T @ W @ S, cond=10 * COND)


@pytest.mark.witness("reconstruction-path")
@pytest.mark.x64
def test_an_independent_optimiser_reaches_it_and_no_better():
    pair, weight = PAIRS[1], 0.7

    def loss(a):
        A, B, V = a.reshape(3, K, D)
        W = jnp.linalg.solve(jnp.linalg.cholesky(A @ pair.first @ A.T), A)
        moments = pair.first, pair.second, pair.cross
        return energy(W, B.T, V, *moments, weight, jnp.trace)

    best, closed = minimise(loss, 3 * K * D, 0), float(reconstruction_path(pair, K, weight).loss)
    assert abs(best - closed) < 1e-7
    assert best > closed - 1e-12


@pytest.mark.witness("path-ends-in-joint-embedding")
@pytest.mark.x64
def test_its_ends_are_reconstruction_and_canonical_correlation():
    pair = PAIRS[2]
    start, rc = reconstruction_path(pair, K, 0.0), linssl.reconstruction(pair, K)
    assert_close(start.spectrum, rc.spectrum, cond=COND)
    assert_close(start.predictor, rc.predictor, cond=COND)
    assert_close(start.loss, rc.loss, cond=COND)
    end, cca = reconstruction_path(pair, K, 1e7), canonical_correlation(pair, K)
    assert same_rows(end.encoder, cca.encoder) < 1e-5
    np.testing.assert_allclose(end.spectrum / 1e7, cca.spectrum**2, atol=1e-5)
    shrunk = np.asarray(cca.spectrum)[:K, None] * np.asarray(cca.second_encoder)
    np.testing.assert_allclose(np.abs(end.second_encoder), np.abs(shrunk), atol=1e-4)


@pytest.mark.witness("reconstruction-path")
def test_sampled_pairs_have_the_loss():
    C, Theta = (np.linalg.cholesky(np.asarray(M)) for M in clean_and_view(0))
    s = reconstruction_path(PAIRS[0], K, 0.7)
    clean, noise = np.random.default_rng(0).standard_normal((2, 20_000, D))
    clean = clean @ C.T
    codes = (clean + noise @ Theta.T) @ np.asarray(s.encoder).T
    decoded = np.sum((codes @ np.asarray(s.decoder).T - clean) ** 2, 1)
    coded = np.sum((codes - clean @ np.asarray(s.second_encoder).T) ** 2, 1)
    assert_sampled(decoded + 0.7 * coded, s.loss)


def test_cells_agree_and_a_traced_weight_that_cannot_be_is_a_status():
    def cell(weight):
        s = reconstruction_path(PAIRS[0], K, weight)
        return s.loss, s.status

    loss, status = linssl.runtime.over_cells(cell, weight=[0.0, 0.7, 40.0, -1.0])
    want = [reconstruction_path(PAIRS[0], K, weight).loss for weight in (0.0, 0.7, 40.0)]
    assert_close(loss[:3], np.array(want), cond=COND)
    assert status.tolist() == [0, 0, 0, Status.NOT_FINITE]
    assert np.isnan(loss[3])


def test_trouble_is_a_status_and_bad_arguments_are_refused():
    pair = PAIRS[0]

    def status(weight=0.7, **changes):
        moved = eqx.tree_at(
            lambda p: [getattr(p, name) for name in changes], pair, [*changes.values()]
        )
        return int(reconstruction_path(moved, K, weight).status)

    few = jnp.asarray(8, pair.draws.dtype)
    assert (status(draws=few), status(0.0, draws=few)) == (Status.FEW_SAMPLES, 0)
    assert status(cross=3 * pair.cross) == Status.INCONSISTENT
    assert status(second=pair.second * jnp.nan) == Status.NOT_FINITE
    # Only the joint embedding part needs a target that varies everywhere.
    keep = np.ones((D, D), pair.second.dtype)
    keep[-1] = keep[:, -1] = 0
    cross = np.array(pair.cross)
    cross[:, -1] = 0
    flat = {"second": pair.second * keep, "cross": jnp.asarray(cross)}
    assert (status(**flat), status(0.0, **flat)) == (Status.SINGULAR, 0)
    largest = float(jnp.finfo(pair.cross.dtype).max)
    for weight in (jnp.inf, 0.9 * largest):
        with pytest.raises(ValueError, match=r"weight \(its limit is canonical_correlation\) must"):
            reconstruction_path(pair, K, weight)
    assert np.isfinite(linssl.check(reconstruction_path(pair, K, largest / 32)).loss)
    with pytest.raises(ValueError, match=r"weight must be a scalar; got shape \(1,\)"):
        reconstruction_path(pair, K, [0.5])
    with pytest.raises(ValueError, match="dim must be between 1 and 5"):
        reconstruction_path(pair, 6, 0.5)


def test_without_a_weight_a_singular_target_leaves_all_but_its_own_encoder():
    x = np.random.default_rng(0).standard_normal((20, D))
    x[:, -1] = x[:, 0]  # C has no inverse, S does
    pair = linssl.view_and_clean(x, linssl.GaussianNoise(np.ones(D)))
    s, rc = reconstruction_path(pair, K, 0.0), linssl.reconstruction(pair, K)
    assert int(s.status) == 0
    assert_close(s.predictor, rc.predictor, cond=COND)
    assert np.isnan(s.second_encoder).all()
