"""What a latent buys: against optimisers, Lambert's W and sampling; envelopes and limits."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy
from helpers import assert_close, assert_sampled, eps
from scipy.optimize import brentq, minimize_scalar

from linssl.theory import l0_gate, rescue_thresholds, water_filling

ETAS = jnp.asarray([0.02, 0.3, 0.7, 1.0])
BETAS = jnp.asarray([0.01, 0.1, 0.25, 0.6, 0.9, 1.0, 1.7])
USES = {"gaussian": water_filling, "gated": l0_gate}


@partial(jax.jit, static_argnums=0)
def priced(use, etas, betas):
    """The use of every direction at every price, (price, direction)."""
    return jax.vmap(lambda beta: use(etas, beta))(betas)


@pytest.mark.witness("water-filling")
@pytest.mark.x64
@pytest.mark.parametrize("eta", [0.02, 0.3, 1.0])
@pytest.mark.parametrize("beta", [0.01, 0.25, 1.5])
def test_no_other_distortion_has_a_better_value(eta, beta):
    use = water_filling(eta, beta)

    def loss(log_ratio):
        return -(1 - eta * np.exp(-log_ratio)) / 2 + beta * log_ratio / 2

    best = minimize_scalar(loss, bounds=(0, 20), method="bounded", options={"xatol": 1e-9})
    assert abs(-best.fun - float(use.value)) < 1e-8
    assert -best.fun < float(use.value) + 1e-12
    assert (float(use.rate) > 0) == (eta > beta)
    np.testing.assert_allclose(use.weight, max(1 - eta, 1 - beta), atol=1e-12)


@pytest.mark.witness("water-filling")
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_value_is_convex_and_falls_in_beta_at_the_slope_of_the_rate(use):
    values = np.asarray(priced(use, ETAS, jnp.linspace(0.05, 1.6, 60)).value)
    noise = 20 * eps(values)
    assert (np.diff(values, axis=0) <= noise).all()
    assert (np.diff(values, 2, axis=0) >= -noise).all()

    def slope(eta, beta):
        return jax.grad(lambda b: use(eta, b).value)(beta)

    slopes = jax.jit(jax.vmap(jax.vmap(slope, (0, None)), (None, 0)))(ETAS, BETAS)
    assert_close(slopes, -priced(use, ETAS, BETAS).rate, cond=10)


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_less_uncertain_directions_are_always_worth_more(use):
    values = priced(use, jnp.linspace(0, 1, 50), BETAS).value
    assert (np.diff(np.asarray(values), axis=1) < 0).all()


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_limits_of_the_price_and_of_certainty(use):
    etas = jnp.asarray([0.0, 0.4, 1.0])
    none = use(etas, jnp.inf)
    assert_close(none.weight, 1 - etas)
    assert (none.rate == 0).all()
    assert_close(none.value, (1 - etas) / 2)
    nearly_free = use(etas, 1e-8)
    assert (nearly_free.distortion < 1e-7).all()
    assert nearly_free.rate[0] == 0
    assert_close(nearly_free.value, jnp.full(3, 0.5, etas.dtype), factor=1e-6 / eps(etas))
    slopes = jax.jit(jax.grad(lambda e: jnp.sum(use(e, 0.5).value)))(etas)
    assert np.isfinite(slopes).all()


@pytest.mark.witness("water-filling")
def test_from_beta_one_on_there_is_no_latent():
    use = water_filling(ETAS, 1.0)
    assert (use.rate == 0).all()
    assert_close(use.weight, 1 - ETAS)


@pytest.mark.witness("sparse-gate")
def test_a_gate_opens_as_often_and_leaves_as_much_as_sampled(key):
    eta, beta = 0.6, 0.15
    use = l0_gate(eta, beta)
    error = jnp.sqrt(eta) * jax.random.normal(key, (200_000,))
    is_open = error**2 > 2 * beta
    assert_sampled(is_open, use.rate)
    assert_sampled(jnp.where(is_open, 0, error**2), use.distortion)
    t = np.sqrt(2 * beta / eta)
    tail = scipy.stats.norm.sf(t)
    assert_close(use.rate, np.asarray(2 * tail, use.rate.dtype))
    want = eta * (1 - 2 * (t * scipy.stats.norm.pdf(t) + tail))
    assert_close(use.distortion, np.asarray(want, use.rate.dtype), cond=10)


@pytest.mark.witness("sparse-gate")
@pytest.mark.x64
def test_no_other_threshold_of_the_gate_is_better():
    eta, beta = 0.6, 0.15

    def loss(t):  # e^2/2 where closed, beta where open
        inside = scipy.integrate.quad(lambda z: z * z * scipy.stats.norm.pdf(z), -t, t)[0]
        return eta * inside / 2 + beta * 2 * scipy.stats.norm.sf(t)

    best = minimize_scalar(loss, bounds=(1e-3, 5), method="bounded", options={"xatol": 1e-8})
    np.testing.assert_allclose(best.x, np.sqrt(2 * beta / eta), rtol=1e-5)
    np.testing.assert_allclose(0.5 - best.fun, l0_gate(eta, beta).value, rtol=1e-10)


@pytest.mark.witness("rescue")
@pytest.mark.x64
@pytest.mark.parametrize("cost", [0.05, 0.5, 0.95])
def test_rescue_is_lamberts_w_and_where_the_value_crosses_the_cost(cost):
    etas = np.linspace(1 - cost + 1e-3, 1, 7)
    got = jax.jit(rescue_thresholds)(etas, cost)
    slope_of = jax.jit(jax.grad(lambda e: rescue_thresholds(e, cost).beta))
    lambert = scipy.special.lambertw((cost - 1) / (np.e * etas), -1).real
    np.testing.assert_allclose(got.beta, etas * np.exp(1 + lambert), rtol=1e-9)
    assert not got.joint_embedding.any()
    for eta, beta in zip(etas, np.asarray(got.beta), strict=True):
        crossing = brentq(lambda b, e=eta: float(water_filling(e, b).value) - cost / 2, 1e-9, eta)
        np.testing.assert_allclose(crossing, beta, rtol=1e-9)
        step = 1e-5
        slope = slope_of(eta)
        near = [float(rescue_thresholds(eta + h, cost).beta) for h in (-step, 0)]
        if eta > etas[1]:
            np.testing.assert_allclose(slope, np.diff(near)[0] / step, rtol=1e-2)


@pytest.mark.witness("rescue")
def test_rescue_at_the_edges():
    got = rescue_thresholds(jnp.asarray([0.0, 0.5, 0.75, 1.0]), 0.5)
    assert got.joint_embedding.tolist() == [True, False, False, False]
    assert got.beta[0] == jnp.inf
    assert_close(got.beta[1], jnp.asarray(0.5))  # kept by any r that is used at all
    assert 0 < got.beta[3] < got.beta[2] < 0.5  # but falls as eta grows
    never = rescue_thresholds(ETAS, 1.0)
    assert (never.beta == 0).all()
    free = rescue_thresholds(jnp.asarray([0.5, 1.0]), 0.0)
    assert free.joint_embedding.tolist() == [True, False]
    assert_close(free.beta[1], jnp.asarray(1.0))
    assert np.isfinite(jax.jit(jax.grad(lambda e: rescue_thresholds(e, 0.5).beta))(0.5))


def test_a_map_of_prices_and_uncertainties_is_one_program():
    etas, betas = jnp.linspace(0, 1, 100), jnp.linspace(0.01, 1, 100)
    use = jax.jit(jax.vmap(lambda b: water_filling(etas, b)))(betas)
    assert use.value.shape == (100, 100)
    assert_close(use.weight[30], water_filling(etas, betas[30]).weight)


@pytest.mark.parametrize("call", [water_filling, l0_gate])
def test_bad_prices_and_uncertainties_are_refused(call):
    with pytest.raises(ValueError, match=r"uncertainty must lie in \[0, 1\]; got 1.5"):
        call([0.1, 1.5], 0.1)
    with pytest.raises(ValueError, match=r"beta must lie in \(0, inf\]; got 0"):
        call([0.1, 0.5], 0.0)
    with pytest.raises(ValueError, match=r"beta must be a scalar or \(2,\); got \(3,\)"):
        call([0.1, 0.5], [0.1, 0.2, 0.3])
    for eta, beta in ((0.5, -1.0), (2.0, 0.5)):
        traced = jax.jit(call)(jnp.asarray(eta), jnp.asarray(beta))
        assert all(jnp.isnan(leaf) for leaf in jax.tree_util.tree_leaves(traced))


def test_bad_costs_are_refused():
    with pytest.raises(ValueError, match=r"cost must lie in \[0, inf\]; got -1"):
        rescue_thresholds(0.5, -1.0)
    assert jnp.isnan(jax.jit(rescue_thresholds)(0.5, -1.0).beta)


def test_a_price_below_the_precision_is_a_small_one():
    eta = jnp.asarray([0.5, 0.0, 1.0], jnp.float32)
    use = water_filling(eta, 1e-50)
    assert jnp.isfinite(use.rate).all()
    np.testing.assert_allclose(use.value, 0.5, rtol=1e-5)


def test_at_the_edge_a_direction_is_kept_or_rescued_and_never_both():
    rng = np.random.default_rng(0)
    eta = rng.uniform(0.01, 0.99, 2000)
    got = rescue_thresholds(eta, 1 - eta)
    np.testing.assert_array_equal(np.isinf(got.beta), got.joint_embedding)
