"""Roots to the last digit, with the derivative of the implicit function theorem."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, eps

import linssl
from linssl.linalg.roots import bisect, implicit


def cube_root(a):
    return bisect(lambda x: x**3 - a, jnp.zeros_like(a), jnp.full_like(a, 10.0))


def test_every_entry_has_its_own_root_and_derivative():
    a = jnp.asarray([1e-3, 0.5, 8.0, 343.0])
    assert_close(cube_root(a) ** 3 / a, jnp.ones(4), factor=4)
    want = 1 / (3 * cube_root(a) ** 2)
    for slopes in (jax.jacfwd(cube_root)(a), jax.jacrev(cube_root)(a)):
        assert_close(jnp.diagonal(slopes) / want, jnp.ones(4))
        assert np.count_nonzero(slopes) == 4
    cells = jax.lax.map(jax.jit(cube_root), a)
    assert_close(cells, cube_root(a), factor=1)


def test_a_root_small_beside_its_bracket_keeps_its_digits():
    a = jnp.asarray(1.5 * eps(jnp.ones(1)))
    root = bisect(lambda x: x - a, jnp.zeros(()), jnp.ones(()))
    assert abs(float(root / a) - 1) < 4 * eps(a)


def test_without_a_change_of_sign_it_is_the_end_where_one_would_be():
    low, high = jnp.ones(()), jnp.full((), 2.0)
    assert float(bisect(lambda x: x, low, high)) == pytest.approx(1)
    assert float(bisect(lambda x: x - 3, low, high)) == 2


def test_nan_is_the_root_of_nan_and_a_flat_root_has_no_slope():
    assert np.isnan(bisect(lambda x: x + jnp.nan, jnp.zeros(()), jnp.ones(())))
    flat = jax.grad(lambda a: bisect(lambda x: 0 * x + a, jnp.zeros(()), jnp.ones(())))
    assert float(flat(jnp.zeros(()))) == 0


def test_a_system_moves_as_its_jacobian_says():
    A, dA = (jnp.asarray(np.random.default_rng(s).standard_normal((3, 3))) for s in (0, 1))
    A, b = A + 3 * jnp.eye(3, dtype=A.dtype), jnp.arange(1.0, 4.0, dtype=A.dtype)
    x = jnp.linalg.solve(A, b)
    found = jax.jacfwd(lambda t: implicit(lambda x: (A + t * dA) @ x - b, x))(jnp.zeros(()))
    assert_close(found, -jnp.linalg.solve(A, dA @ x), cond=100)


@pytest.mark.x64
def test_what_style_costs_has_the_derivative_of_finite_differences():
    at, h = jnp.asarray([0.7, 0.3, 0.5]), 1e-6

    def rate(x):
        return linssl.theory.exchange_rate(x[0], x[1], x[2], 3)

    want = [(rate(at + h * e) - rate(at - h * e)) / (2 * h) for e in jnp.eye(3)]
    np.testing.assert_allclose(jax.grad(rate)(at), want, rtol=1e-6)
