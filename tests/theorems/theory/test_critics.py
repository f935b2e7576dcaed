"""The critic of a Gaussian pair is tight, and its bilinear part is what canonical weights earn."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, assert_sampled
from problems import minimise
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from linssl.theory import bilinear_value, mutual_information, optimal_critic

RHO = jnp.asarray([0.6, -0.4, 0.1])


def pairs(key, n):
    a, noise = jax.random.normal(key, (2, n, RHO.size), RHO.dtype)
    return a, RHO[None, :] * a + jnp.sqrt(1 - RHO**2)[None, :] * noise


@pytest.mark.witness("optimal-critic")
@pytest.mark.x64
def test_the_critic_is_the_log_ratio_of_densities(key):
    a, b = pairs(key, 5)
    joint = np.block([[np.eye(3), np.diag(RHO)], [np.diag(RHO), np.eye(3)]])
    both = np.hstack([a, b])
    want = multivariate_normal(np.zeros(6), joint).logpdf(both)
    want -= multivariate_normal(np.zeros(6), np.eye(6)).logpdf(both)
    assert_close(jax.jit(optimal_critic)(RHO)(a, b), want)


@pytest.mark.witness("mutual-information")
def test_its_bound_on_the_mutual_information_is_tight_when_sampled(key):
    a, b = pairs(key, 100_000)
    critic, information = optimal_critic(RHO), mutual_information(RHO)
    assert_sampled(critic(a, b), information)
    assert_sampled(jnp.exp(critic(a, jnp.roll(b, 1, axis=0))), 1.0)
    # InfoNCE with N - 1 negatives stays below both I and log N, and comes close for many.
    n = 256
    a, b = (np.asarray(v[: 40 * n], float).reshape(40, n, 3) for v in (a, b))
    scores = np.asarray(critic(np.repeat(a, n, 1), np.tile(b, (1, n, 1)))).reshape(40, n, n)
    own = np.diagonal(scores, axis1=1, axis2=2)
    bound = np.mean(own - logsumexp(scores, 2) + np.log(n), axis=1)
    error = bound.std(ddof=1) / np.sqrt(len(bound))
    assert bound.mean() < float(information) + 5 * error
    assert bound.mean() > float(information) - 5 * error - 0.02


@pytest.mark.witness("bilinear-value")
@pytest.mark.x64
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_no_bilinear_critic_earns_more(dim):
    def loss(theta):  # E_x log E_{x+} e^T is E|G^T F x|^2 / 2 in whitened coordinates
        F, G = theta.reshape(2, dim, 3)
        T = F.T @ G
        return -(jnp.trace(T @ jnp.diag(RHO)) - jnp.sum(T**2) / 2)

    closed = float(bilinear_value(RHO, dim))
    assert_close(closed, float(jnp.sum(jnp.sort(RHO**2)[::-1][:dim])) / 2)
    best = -minimise(loss, 6 * dim, 0)
    assert abs(best - closed) < 1e-7
    assert closed <= float(mutual_information(RHO))


def test_limits_and_bad_correlations():
    assert mutual_information(jnp.zeros(2)) == 0
    assert mutual_information([1.0, 0.5]) == jnp.inf
    assert bilinear_value([1.0, 0.5], 1) == 0.5
    assert optimal_critic([0.0])(jnp.ones(1), jnp.ones(1)) == 0
    assert jnp.isnan(jax.jit(mutual_information)(jnp.asarray([2.0])))
    with pytest.raises(ValueError, match=r"for a density ratio, must lie in .* got 1"):
        optimal_critic([1.0])
    with pytest.raises(ValueError, match=r"correlation must lie in \[-1, 1\]; got 1.5"):
        mutual_information([1.5])
    with pytest.raises(ValueError, match=r"correlation must be \(m,\).*got \(\)"):
        bilinear_value(0.5, 1)
    with pytest.raises(ValueError, match="dim must be between 1 and 2"):
        bilinear_value([0.5, 0.1], 3)
    with pytest.raises(ValueError, match=r"a and b must both be \(..., 1\); got \(2,\)"):
        optimal_critic([0.5])(jnp.ones(2), jnp.ones(2))


@pytest.mark.parametrize("size", [1e-6, 1e-3, 0.4, 0.6, 0.99])
def test_mutual_information_keeps_its_digits_where_little_is_shared(size):
    rho = np.asarray([size, -size / 3], np.asarray(jnp.ones(1)).dtype)
    want = -sum(math.log1p(-(float(r) ** 2)) for r in rho) / 2
    np.testing.assert_allclose(mutual_information(rho), want, rtol=2e-6)
