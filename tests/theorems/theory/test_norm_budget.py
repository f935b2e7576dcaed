"""A bounded norm is shared out as an optimiser would, and its value is the critic's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close
from problems import minimise
from scipy.optimize import minimize

from linssl.theory import mutual_information, water_filling
from linssl.theory.latents import norm_budget

ETA = jnp.asarray([0.1, 0.5, 0.8, 1.0])


def value(q, D, eta, beta):
    price = 0 if np.isinf(beta) else beta * np.log(eta / D) / 2
    return (np.log1p(q) - D * q + 1 - D) / 2 - price


@pytest.mark.witness("norm-budget", "norm-budget-with-latent")
@pytest.mark.x64
@pytest.mark.parametrize("beta", [0.3, 0.9, 1.4, np.inf])
@pytest.mark.parametrize("budget", [0.2, 3.0, 30.0])
def test_no_other_share_is_better(beta, budget):
    eta = np.asarray(ETA)
    got = jax.jit(norm_budget)(ETA, budget, beta)
    q, D = np.asarray(got.norm), np.asarray(got.distortion)
    assert q.sum() <= budget * (1 + 1e-9)
    assert float(got.multiplier) == 0 or abs(q.sum() - budget) < 1e-9 * budget
    np.testing.assert_allclose(got.value, value(q, D, eta, beta), atol=1e-12)

    def loss(theta):  # D by its exponent, so that it stays in (0, eta]
        q, D = theta[:4], eta * np.exp(-theta[4:])
        return -value(q, D if np.isfinite(beta) else eta, eta, beta).sum()

    start = np.r_[np.full(4, budget / 4), np.full(4, 0.1)]
    bounds = [(0, budget)] * 4 + [(0, 15)] * 4
    limit = {"type": "ineq", "fun": lambda theta: budget - theta[:4].sum()}
    best = minimize(
        loss, start, bounds=bounds, constraints=[limit], method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )  # fmt: skip
    closed = float(jnp.sum(got.value))
    assert abs(-best.fun - closed) < 1e-6
    assert -best.fun < closed + 1e-9


@pytest.mark.witness("norm-budget")
@pytest.mark.x64
def test_the_value_is_that_of_the_euclidean_critic():
    # One direction, from Gaussian integrals: f = s (rho a) + h r, g = sqrt(q) b, r a channel.
    eta, q, beta = 0.7, 1.3, 0.2

    def loss(theta):
        s, h, gain, log_noise = theta
        noise = jnp.exp(2 * log_noise)  # r = gain (b - rho a) + noise, p = N(0, its variance)
        variance = gain**2 * eta + noise
        ff, fb = s**2 * (1 - eta) + h**2 * variance, s * (1 - eta) + h * gain * eta
        positive = -(ff - 2 * q**0.5 * fb + q) / 2
        negative = -jnp.log1p(q) / 2 - ff / (2 * (1 + q))  # E_x log E_{x+} e^T
        return -(positive - negative - beta * jnp.log(variance / noise) / 2)

    D = min(eta, beta / (1 + q))
    best = -minimise(loss, 4, 0)
    assert abs(best - value(q, D, eta, beta)) < 1e-8


@pytest.mark.x64
def test_a_large_norm_buys_all_the_information_and_a_small_one_the_bilinear_value():
    eta = ETA[:3]
    rho = jnp.sqrt(1 - eta)
    rich = norm_budget(eta, 1e3)
    assert rich.multiplier == 0
    assert_close(rich.norm, 1 / eta - 1, cond=10)
    assert_close(jnp.sum(rich.value), mutual_information(rho), cond=10)
    poor = norm_budget(eta, 1e-9, 0.4)
    assert_close(poor.value, water_filling(eta, 0.4).value, factor=1e-8 / 2e-16)
    assert_close(poor.multiplier, jnp.asarray(0.9), factor=1e-8 / 2e-16)


@pytest.mark.witness("norm-budget-with-latent")
def test_a_latent_brings_back_what_a_bounded_norm_drops():
    without, with_r = norm_budget(ETA, 0.5), norm_budget(ETA, 0.5, 0.15)
    assert (without.norm > 0).tolist() == [True, False, False, False]
    assert (with_r.norm > 0).all()


@pytest.mark.witness("norm-budget")
@pytest.mark.x64
@pytest.mark.parametrize("beta", [0.3, np.inf])
def test_the_multiplier_is_the_slope_of_the_value(beta):
    slope = jax.grad(lambda Q: jnp.sum(norm_budget(ETA, Q, beta).value))(2.0)
    assert_close(2 * slope, norm_budget(ETA, 2.0, beta).multiplier, cond=10)


def test_degenerate_spectra_and_bad_budgets():
    certain = norm_budget(jnp.zeros(2), 5.0)
    assert_close(certain.norm, jnp.full(2, 2.5), cond=10)
    nothing = norm_budget(jnp.ones(2), 5.0)
    assert (nothing.norm == 0).all()
    assert (nothing.value == 0).all()
    assert nothing.multiplier == 0
    with pytest.raises(ValueError, match=r"budget must lie in \(0, .*got 0"):
        norm_budget(ETA, 0.0)
    with pytest.raises(ValueError, match=r"budget must be a scalar or \(\)"):
        norm_budget(ETA, [1.0, 2.0])
    with pytest.raises(ValueError, match=r"uncertainty must be \(m,\).*got \(\)"):
        norm_budget(0.5, 1.0)
    with pytest.raises(ValueError, match=r"beta must lie in \(0, inf\]; got -1"):
        norm_budget(ETA, 1.0, -1.0)
    bad = jax.jit(norm_budget)(ETA, -1.0, 0.5)
    assert all(jnp.isnan(leaf).all() for leaf in jax.tree_util.tree_leaves(bad))


def test_a_budget_that_rounding_would_overspend_is_refused():
    with pytest.raises(ValueError, match="budget must lie in"):
        norm_budget([0.5, 0.2], 1e32, 0.5)
    limit = 0.009 / float(jnp.finfo(jnp.result_type(float)).eps)
    got = norm_budget([0.5, 0.2], limit, 0.5)
    np.testing.assert_allclose(got.norm.sum(), limit, rtol=0.02)
