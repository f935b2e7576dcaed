"""What style costs in content: gains that are equal, and limits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close
from scipy.optimize import minimize_scalar

import linssl
from linssl.theory import exchange_rate

SIGMA, NOISE = 1.3, 0.2


def gain(b, w, v, J):
    """What a direction takes off the loss at best, by searching all sizes."""

    def taken(x):
        plus, minus = (J + v) * x, v * x
        a = b / NOISE * plus / (1 + plus) - np.log(1 + plus)
        c = w / NOISE * minus / (1 + minus) - np.log(1 + minus)
        return (a + (J - 1) * c) / 2

    grid = np.geomspace(1e-6, 1e4, 2001)
    best = grid[np.argmax(taken(grid))]
    bounds, options = (best / 1.05, best * 1.05), {"xatol": best * 1e-10}
    found = minimize_scalar(lambda x: -taken(x), bounds=bounds, method="bounded", options=options)
    return max(-found.fun, 0.0)


@pytest.mark.witness("price-of-style")
@pytest.mark.x64
@pytest.mark.parametrize("J", [2, 4, 16])
def test_at_the_rate_content_and_style_gain_alike(J):
    rate = jax.jit(exchange_rate)
    for v in (0.01, 0.02, 0.3, 1.0, 30.0):
        kappa = SIGMA * float(rate(SIGMA, NOISE, v, float(J)))
        content = gain(NOISE + J * kappa, NOISE, v, J)
        np.testing.assert_allclose(content, gain(NOISE + SIGMA, NOISE + SIGMA, v, J), rtol=1e-7)


@pytest.mark.witness("price-of-style")
@pytest.mark.x64
def test_the_fit_keeps_content_above_the_rate_and_style_below():
    v, J = 0.5, 3
    rate = float(exchange_rate(SIGMA, NOISE, v, J))
    for factor, kept in ((1.01, 0), (0.99, 1)):
        views = linssl.populations.content_style([factor * rate * SIGMA], [SIGMA], NOISE, J).views
        encoder = linssl.simvae(views, 1, J, style=v, noise=NOISE).encoder
        assert jnp.argmax(jnp.abs(encoder[0])) == kept


def test_one_view_or_no_content_of_its_own_cannot_tell():
    assert_close(exchange_rate(SIGMA, NOISE, 0.7, 1), jnp.asarray(1.0), cond=10)
    assert_close(exchange_rate(SIGMA, NOISE, jnp.inf, 4), jnp.asarray(1.0), cond=10)


def test_it_sweeps_by_vmap_and_is_nan_for_impossible_traced_values():
    v = jnp.asarray([0.1, 1.0, 10.0])
    got = jax.jit(jax.vmap(lambda v: exchange_rate(SIGMA, NOISE, v, 4.0)))(v)
    assert (jnp.diff(got) > 0).all()
    assert jnp.isnan(jax.jit(exchange_rate)(1.0, -1.0, 0.1, 2.0))
