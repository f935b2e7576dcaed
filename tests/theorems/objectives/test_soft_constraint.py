"""Soft constraint, spectral contrastive and InfoNCE: joint embedding's directions, other sizes."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, assert_sampled, same_rows
from problems import clean_and_view, minimise, two_views, view_and_clean
from views import sharing

import linssl
from linssl import Status, joint_embedding
from linssl.objectives import info_nce, soft_constraint, spectral_contrastive

D, K, COND = 5, 2, 400.0
PRICES = (0.05, 0.7, 1.0, 2.5)
VIEWS = [two_views(*clean_and_view(seed)) for seed in range(3)]


def moments(views):
    return (np.asarray(m) for m in (views.covariance, views.shared))


def opposed(*omega):
    """Views with given scores, on the axes."""
    return sharing(jnp.eye(D), jnp.diag(jnp.array(omega)))


@pytest.mark.witness("soft-constraint", "soft-constraint-codes")
@pytest.mark.parametrize("price", PRICES)
@pytest.mark.parametrize("views", VIEWS, ids=["0", "1", "2"])
def test_codes_have_the_stated_variances_the_stated_loss_and_no_gradient(views, price):
    s, (S, G) = soft_constraint(views, K, price), moments(views)
    W, omega = np.asarray(s.encoder), np.asarray(s.spectrum[:K])
    size = np.maximum(0, 1 - price * (1 - omega))
    white = W @ S @ W.T - np.eye(K, dtype=W.dtype)
    assert_close(W @ S @ W.T, np.diag(size), cond=COND)
    assert_close(s.loss, np.sum(1 - size**2), cond=COND)
    energy = 2 * price * np.trace(W @ (S - G) @ W.T) + np.sum(white**2)
    assert_close(s.loss, energy.astype(W.dtype), cond=COND)
    slope = 4 * price * W @ (S - G) + 4 * white @ W @ S
    assert np.abs(slope).max() < 200 * np.finfo(W.dtype).eps * COND
    priced = price >= np.asarray(linssl.theory.collapse_prices(omega))
    assert list(priced) == list(~np.any(W, axis=1))
    assert bool(int(s.status) & Status.COLLAPSED) == priced.any()


@pytest.mark.witness("soft-constraint")
@pytest.mark.x64
def test_an_independent_optimiser_reaches_the_soft_constraint_and_no_better():
    views, price = VIEWS[1], 2.0

    def energy(a):
        W = a.reshape(K, D)
        white = W @ views.covariance @ W.T - jnp.eye(K)
        return 2 * price * jnp.trace(W @ views.spread @ W.T) + jnp.sum(white**2)

    best, closed = minimise(energy, K * D, seed=0), float(soft_constraint(views, K, price).loss)
    assert abs(best - closed) < 1e-7
    assert best > closed - 1e-12


@pytest.mark.witness("spectral-contrastive-is-soft")
@pytest.mark.parametrize("views", VIEWS, ids=["0", "1", "2"])
def test_spectral_contrastive_is_the_soft_constraint_at_price_one(views):
    contrastive, soft = spectral_contrastive(views, K), soft_constraint(views, K, 1.0)
    W, (S, G) = np.asarray(contrastive.encoder), moments(views)
    assert_close(W, np.asarray(soft.encoder), cond=COND)
    assert_close(np.asarray(contrastive.loss) + K, np.asarray(soft.loss), cond=COND)
    loss = -2 * np.trace(W @ G @ W.T) + np.sum((W @ S @ W.T) ** 2)
    assert_close(contrastive.loss, loss, cond=COND)
    assert_close(contrastive.loss, -np.sum(np.asarray(contrastive.spectrum[:K]) ** 2), cond=COND)


@pytest.mark.parametrize("price", [1e-3, 1e-6, 1e-30])
def test_at_a_low_price_the_soft_constraint_is_joint_embedding(price):
    soft, je = soft_constraint(VIEWS[0], K, price), joint_embedding(VIEWS[0], K)
    difference = np.abs(np.asarray(soft.encoder) - np.asarray(je.encoder)).max()
    assert difference < (price + 1e-6) * np.abs(je.encoder).max()
    assert abs(float(soft.loss) / price / float(je.loss) - 1) < price + 1e-5
    assert int(soft.status) == 0


def test_the_loss_grows_with_its_price_by_what_views_differ():
    views = VIEWS[0]

    def cell(price):
        loss, slope = jax.value_and_grad(lambda b: soft_constraint(views, K, b).loss)(price)
        s = soft_constraint(views, K, price)
        return slope, s.encoder, loss, s.status

    slope, W, loss, status = map(np.asarray, linssl.runtime.over_cells(cell, price=[*PRICES, -1.0]))
    assert status[-1] == Status.NOT_FINITE  # a traced price can't be refused
    assert np.isnan(W[-1]).all()
    assert np.isnan(loss[-1])
    S, G = moments(views)
    moved = 2 * np.trace(W[:-1] @ (S - G) @ W[:-1].swapaxes(1, 2), axis1=1, axis2=2)
    assert_close(slope[:-1], moved, cond=COND)  # the envelope theorem
    want = np.array([soft_constraint(views, K, price).loss for price in PRICES])
    assert_close(loss[:-1], want, cond=COND)


@pytest.mark.witness("spectral-contrastive")
def test_sampled_views_of_any_law_have_the_contrastive_loss():
    C, Theta = (np.asarray(M) for M in clean_and_view(2))
    s, n, rng = spectral_contrastive(VIEWS[2], K), 40_000, np.random.default_rng(0)
    uniform = rng.uniform(-(3**0.5), 3**0.5, (3, n, D))  # no Gaussian
    clean, *noise = (
        uniform[0] @ np.linalg.cholesky(C).T,
        *(uniform[1:] @ np.linalg.cholesky(Theta).T),
    )
    a, b = ((clean + e) @ np.asarray(s.encoder).T for e in noise)
    others = np.sum(a * np.roll(b, 1, axis=0), 1)
    assert_sampled(others**2 - 2 * np.sum(a * b, 1), s.loss)


def test_what_views_disagree_on_gets_no_code_from_one_encoder_but_from_two():
    views = opposed(0.3, -0.1, -0.2, -0.25, -0.6)
    for s in (spectral_contrastive(views, K), soft_constraint(views, K, 1.0)):
        assert int(s.status) == Status.COLLAPSED
        assert not np.asarray(s.encoder[1]).any()
        assert_close(np.asarray(s.encoder[0]) ** 2, np.array([0.3, 0, 0, 0, 0], s.loss.dtype))
        assert abs(float(s.loss) % K + 0.09 - K) < 1e-6
    two = info_nce(views.as_pair(), K)
    W, V = np.asarray(two.encoder), np.asarray(two.second_encoder)
    assert_close(W[0], -V[0])
    assert_close(np.abs(W[0]) ** 2, np.array([0, 0, 0, 0, 0.6], W.dtype))
    assert_close(two.loss, np.asarray(-(0.36 + 0.09) / 2, W.dtype))


@pytest.mark.witness("info-nce-is-spectral")
def test_info_nce_is_spectral_contrastive_on_views():
    critic, one = info_nce(VIEWS[1].as_pair(), K), spectral_contrastive(VIEWS[1], K)
    W, V, T = (np.asarray(a) for a in (critic.encoder, critic.second_encoder, one.encoder))
    assert_close(W.T @ V, T.T @ T, cond=COND)
    assert_close(2 * np.asarray(critic.loss), np.asarray(one.loss), cond=COND)


@pytest.mark.witness("bilinear-value", "info-nce")
def test_info_nce_is_the_stationary_critic_whose_value_is_the_bilinear_one():
    pair = view_and_clean(*clean_and_view(1))  # two sides that differ
    S, C, G = (np.asarray(m) for m in (pair.first, pair.second, pair.cross))
    s = info_nce(pair, K)
    W, V = np.asarray(s.encoder), np.asarray(s.second_encoder)
    loss = -np.trace(W @ G @ V.T) + np.trace(W @ S @ W.T @ V @ C @ V.T) / 2
    assert_close(s.loss, loss, cond=COND)
    assert_close(s.loss, -np.asarray(linssl.theory.bilinear_value(s.spectrum, K)))
    assert_close(V @ C @ V.T @ W @ S, V @ G.T, cond=COND)
    assert_close(W @ S @ W.T @ V @ C, W @ G, cond=COND)


@pytest.mark.witness("path-ends-in-joint-embedding")
@pytest.mark.x64
def test_correlations_of_view_and_clean_are_joint_embeddings_of_two_views():
    C, zero = np.asarray(clean_and_view(1)[0]), np.zeros(D)
    moves = [np.eye(D), np.roll(np.eye(D), 1, 0)]  # views x or a turned x: no symmetric mean
    mean = 0.8 * moves[0] + 0.2 * moves[1]
    S = 0.8 * C + 0.2 * moves[1] @ C @ moves[1].T
    G = mean @ C @ mean.T
    je = joint_embedding(sharing(S, G), K)
    both = info_nce(linssl.PairMoments(S, C, mean @ C, zero, zero, np.inf, np.inf), K)
    np.testing.assert_allclose(np.asarray(both.spectrum) ** 2, je.spectrum, atol=1e-12)
    assert same_rows(both.encoder, je.encoder) < 1e-8


@pytest.mark.witness("info-nce")
def test_a_sampled_gaussian_pair_has_the_critics_bound():
    C, Theta = (np.asarray(M) for M in clean_and_view(2))
    s, n, rng = info_nce(VIEWS[2].as_pair(), K), 40_000, np.random.default_rng(0)
    normal = rng.standard_normal((3, n, D))
    clean, *noise = normal[0] @ np.linalg.cholesky(C).T, *(normal[1:] @ np.linalg.cholesky(Theta).T)
    V = np.asarray(s.second_encoder)
    f, g = (clean + noise[0]) @ np.asarray(s.encoder).T, (clean + noise[1]) @ V.T
    own, other = np.sum(f * g, 1), np.sum(f * np.roll(g, 1, axis=0), 1)
    assert_sampled(own - other**2 / 2, -s.loss)
    # The log of the mean is exact: for one f, E e^T is that of a Gaussian.
    one = 0.5 * f[0] / np.linalg.norm(f[0])
    assert_sampled(np.exp(g @ one), np.exp(one @ V @ (C + Theta) @ V.T @ one / 2))


def test_trouble_is_a_status_and_bad_arguments_are_refused():
    views = VIEWS[0]
    bad = eqx.tree_at(lambda v: v.shared, views, views.shared * jnp.nan)
    both = bad.as_pair()
    for s in (soft_constraint(bad, K, 1.0), spectral_contrastive(bad, K), info_nce(both, K)):
        assert int(s.status) == Status.NOT_FINITE
        for numbers in (s.encoder, s.spectrum, s.gap, s.loss):
            assert np.isnan(numbers).all()
    shared = soft_constraint(opposed(1.0, 0.2, 0.1, 0.1, 0.0), K, jnp.inf)
    assert_close(np.asarray(shared.encoder)[0] ** 2, np.eye(D, dtype=shared.loss.dtype)[0])
    assert int(shared.status) == Status.COLLAPSED
    with pytest.raises(ValueError, match=r"price must lie in \(0, inf\]; got 0"):
        soft_constraint(views, K, 0)
    with pytest.raises(ValueError, match=r"price must be a scalar; got shape \(2,\)"):
        soft_constraint(views, K, [1.0, 2.0])
    with pytest.raises(ValueError, match="dim must be between 1 and 5"):
        info_nce(views.as_pair(), 6)
