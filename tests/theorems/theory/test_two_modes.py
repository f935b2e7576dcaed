"""Two modes: what joint embedding averages away, and where a latent starts to choose."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, assert_sampled
from scipy.optimize import minimize_scalar

from linssl.theory.latents import two_modes

RHO, PHI = 0.9, 0.8


def sampled(key, n):
    """z, z+ and the hidden sign; also z turned by a right angle, n of each."""
    keys = jax.random.split(key, 3)
    z, noise = (jax.random.normal(k, (n, 2)) for k in keys[:2])
    sign = jnp.where(jax.random.bernoulli(keys[2], 0.5, (n, 1)), 1.0, -1.0)
    turned = jnp.stack([-z[:, 1], z[:, 0]], 1)
    mean = jnp.cos(PHI) * z + sign * jnp.sin(PHI) * turned
    return z, RHO * mean + jnp.sqrt(1 - RHO**2) * noise, sign, turned


@pytest.mark.witness("two-modes")
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9, 0.999, 1.0, 1.3])
def test_order_solves_the_fixed_point_and_starts_at_the_threshold(share):
    beta = share * two_modes(RHO, PHI, 1.0).threshold
    got = jax.jit(two_modes)(RHO, PHI, beta)
    assert (got.order > 0) == (share < 1)
    assert_close(jnp.tanh(got.threshold / beta * got.order), got.order)
    if share == 0.999:
        np.testing.assert_allclose(got.order, np.sqrt(3 * (1 / share - 1)), rtol=2e-3)


@pytest.mark.witness("two-modes")
@pytest.mark.x64
@pytest.mark.parametrize("beta", [0.2, 0.6, 1.0])
def test_no_other_coin_is_better(beta):
    got = two_modes(RHO, PHI, beta)

    def loss(t):
        rate = ((1 + t) * np.log1p(t) + (1 - t) * np.log1p(-t)) / 2
        return beta * rate - float(got.threshold) / 2 * t**2

    best = minimize_scalar(loss, bounds=(0, 1 - 1e-12), method="bounded")
    assert abs(best.fun - (beta * float(got.rate) - got.threshold / 2 * got.order**2)) < 1e-9


@pytest.mark.witness("two-modes-averaged")
def test_sampled_correlations_with_and_without_the_latent(key):
    got = two_modes(RHO, PHI, 0.4)
    z, target, sign, turned = sampled(key, 100_000)
    assert_sampled(jnp.mean(z * target, 1), got.joint_embedding)
    keep = jax.random.uniform(jax.random.fold_in(key, 1), sign.shape) < (1 + got.order) / 2
    r = jnp.where(keep, sign, -sign)
    predicted = RHO * (jnp.cos(PHI) * z + got.order * jnp.sin(PHI) * r * turned)
    # A conditional mean: its covariance with the target is its own variance, rho_r^2.
    assert_sampled(jnp.mean(predicted * target, 1), got.correlation**2)
    assert_sampled(jnp.mean((target - predicted) ** 2, 1), 1 - got.correlation**2)
    assert_sampled(jnp.mean(predicted**2, 1), got.correlation**2)


def test_a_latent_that_reads_the_target_starts_earlier(key):
    # u = E[tanh(u y/beta) y]/E|Jz|^2 for y = e.Jz: it leaves 0 at beta = E[y^2]/E|Jz|^2.
    got = two_modes(RHO, PHI, 1.0)
    z, target, _, turned = sampled(key, 200_000)
    y = jnp.sum((target - got.joint_embedding * z) * turned, 1)
    assert_sampled(y**2 / 2, got.free_threshold)
    assert got.free_threshold > got.threshold
    between, u = (got.threshold + got.free_threshold) / 2, 1.0
    for _ in range(50):
        u = float(jnp.mean(jnp.tanh(u * y / between) * y)) / 2
    assert u > 0.2


@pytest.mark.x64
@pytest.mark.parametrize("beta", [0.1, 0.5, 1.5])
def test_gradients_are_those_of_differences(beta):
    for field in ("order", "correlation", "rate"):

        def f(b, field=field):
            return getattr(two_modes(RHO, PHI, b), field)

        want = (f(beta + 1e-5) - f(beta - 1e-5)) / 2e-5
        np.testing.assert_allclose(jax.grad(f)(beta), want, rtol=1e-6, atol=1e-9)


def test_limits_and_bad_arguments():
    sure = two_modes(1.0, jnp.pi / 2, 1e-3)
    assert_close(sure.correlation, jnp.asarray(1.0))
    assert_close(sure.rate, jnp.log(jnp.asarray(2.0)))
    for got in (two_modes(RHO, 0.0, 0.1), two_modes(0.0, PHI, 0.1), two_modes(RHO, PHI, jnp.inf)):
        assert got.order == got.rate == 0
        assert got.correlation == got.joint_embedding
    with pytest.raises(ValueError, match=r"correlation must lie in \[0, 1\]; got 2"):
        two_modes(2.0, PHI, 0.1)
    with pytest.raises(ValueError, match=r"beta must lie in \(0, inf\]; got 0"):
        two_modes(RHO, PHI, 0.0)
    with pytest.raises(ValueError, match=r"correlation must be a scalar; got shape \(1,\)"):
        two_modes([RHO], PHI, 0.1)
    with pytest.raises(ValueError, match=r"angle must be a scalar or \(\); got \(1,\)"):
        two_modes(RHO, [PHI], 0.1)
    assert jnp.isnan(jax.jit(two_modes)(RHO, PHI, -1.0).order)


def test_a_free_coin_tells_the_mode():
    for beta in (1e-310, 1e-50):
        got = two_modes(jnp.asarray(0.9, jnp.float32), 1.0, beta)
        assert got.order == 1
        assert jnp.isfinite(got.rate)
