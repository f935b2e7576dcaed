"""BYOL's fixed points, barrier and collapse, against its gradient flow with a stopped target."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, rotation
from scipy.integrate import solve_ivp

import linssl
from linssl.theory import byol_fixed_points

LAM, NOISE, TAU, SPEED = np.array([1.0, 0.6]), np.array([0.5, 0.2]), 0.9, 2.0


@jax.jit
def velocity(theta, decay):
    """Minus the gradient of E|W_p W u - stop(tau W v)|^2 / 2, by autodiff, and weight decay."""
    S, G = jnp.diag(jnp.asarray(LAM + NOISE)), jnp.diag(jnp.asarray(LAM))

    def loss(theta):
        P, W = theta
        T = TAU * jax.lax.stop_gradient(W)
        A = P @ W
        return (jnp.trace(A @ S @ A.T) - 2 * jnp.trace(A @ G @ T.T)) / 2

    slope_p, slope_w = jax.grad(loss)(theta)
    return jnp.stack([-SPEED * slope_p - decay * theta[0], -slope_w - decay * theta[1]])


def settle(p, w, decay, time=300.0):
    """Integrate from predictors p and weights w of two directions; p at the end, by direction."""
    U = np.asarray(rotation(0, 2), float)
    start = np.stack([(U * p) @ U.T, U * w])
    flow = solve_ivp(
        lambda _, y: np.asarray(velocity(y.reshape(2, 2, 2), decay)).ravel(),
        (0, time),
        start.ravel(),
        method="LSODA",
        rtol=1e-9,
        atol=1e-12,
    )
    P, W = flow.y[:, -1].reshape(2, 2, 2)
    np.testing.assert_allclose(W @ W.T, P @ P / SPEED, atol=1e-6)  # balanced in the end
    return np.diag(U.T @ P @ U)


@pytest.mark.witness("byol-collapse")
@pytest.mark.x64
def test_balanced_starts_collapse_below_the_barrier_and_learn_above_it():
    decay = 0.06
    found = byol_fixed_points(NOISE, decay, TAU, LAM)
    assert not found.collapses.any()
    p_plus, p_minus = np.asarray(found.learned), np.asarray(found.barrier)
    for factors, want in (
        ((0.9, 1.1), (0, p_plus[1])),
        ((1.1, 0.9), (p_plus[0], 0)),
        ((50.0, 1.1), p_plus),
    ):
        p = np.array(factors) * p_minus
        np.testing.assert_allclose(settle(p, p / SPEED**0.5, decay), want, atol=1e-5)
    p = p_minus.copy()  # on the barrier it stays, for as long as rounding lets it
    np.testing.assert_allclose(settle(p, p / SPEED**0.5, decay, 5.0), p_minus, atol=1e-6)


@pytest.mark.witness("byol-collapse")
@pytest.mark.x64
def test_every_start_collapses_above_the_critical_decay_and_unbalanced_ones_too():
    critical = np.asarray(byol_fixed_points(NOISE, 0.0, TAU, LAM).collapse_decay)
    assert critical[1] < critical[0]  # in the order of reconstruction's scores
    score = LAM**2 / (LAM + NOISE)
    np.testing.assert_allclose(critical, TAU**2 * score / 4)
    ends = settle(np.array([3.0, 0.1]), np.array([0.1, 3.0]), 1.1 * critical[0])
    np.testing.assert_allclose(ends, 0, atol=1e-5)
    between = float(np.sqrt(critical.prod()))
    one = byol_fixed_points(NOISE, between, TAU, LAM)
    assert one.collapses.tolist() == [False, True]
    start = np.array([0.6, 0.6])
    np.testing.assert_allclose(
        settle(start, start / SPEED**0.5, between), np.array(one.learned), atol=1e-5
    )
    # A predictor far above the barrier, but with too little weight behind it, falls through it.
    assert float(one.barrier[0]) < 2
    np.testing.assert_allclose(settle(np.array([2.0, 2.0]), np.ones(2), between), 0, atol=1e-5)


@pytest.mark.witness("byol-fixed-points")
def test_fixed_points_are_roots_with_their_limits():
    noise, eta = (
        jnp.array([0.0, 0.5, 3.0, 1.0, 1.0, 2.0]),
        jnp.array([0.05] * 3 + [0.125, 0.126, 0]),
    )
    found = byol_fixed_points(noise, eta)
    for p in (found.learned[:3], found.barrier[:3]):
        assert_close(p - (1 + noise[:3]) * p**2, eta[:3], cond=10)
    # At the critical decay both meet; above it all collapse; without decay none does.
    assert found.collapses.tolist() == [False] * 4 + [True, False]
    assert found.learned[3:5].tolist() == [0.25, 0]
    assert found.barrier[3:].tolist() == [0.25, np.inf, 0]
    assert_close(found.learned[5], jnp.asarray(1 / 3))
    nothing = byol_fixed_points(0 * noise, 0 * eta, shared=0.0)
    assert nothing.collapses.all()
    assert not nothing.learned.any()
    slope = jax.jit(jax.grad(lambda eta: byol_fixed_points(noise, eta).learned[1]))(eta)
    assert_close(slope[1], -1 / jnp.sqrt(1 - 4 * eta[1] * 1.5), cond=10)
    traced = jax.jit(byol_fixed_points)(noise - 0.1, eta)
    assert jnp.isnan(traced.learned).tolist() == [True] + [False] * 5
    with pytest.raises(ValueError, match=r"weight_decay must lie in \[0, .*got -1"):
        linssl.theory.byol_fixed_points(0.5, -1.0)


@pytest.mark.parametrize("unit", [1e-300, 1e-100, 1e-30, 1e-12, 1e12, 1e30, 1e100, 1e300])
def test_units_of_the_moments_are_those_of_the_decay_and_change_no_fixed_point(unit):
    moments = jnp.stack(
        [jnp.asarray(v) for v in ([0.5, 1.0, 3.0], [0.05, 0.2, 0.04], [2.0, 1.0, 0.9])]
    )
    least, most = (float(v) for v in (jnp.finfo(moments.dtype).tiny, jnp.finfo(moments.dtype).max))
    if not least < unit < most:
        pytest.skip("beyond this precision")
    noise, decay, shared = moments
    want = byol_fixed_points(noise, decay, 0.9, shared)
    assert want.collapses.tolist() == [False, True, False]
    for scale, target in ((unit, 1.0), (unit**0.5, unit**-0.25), (1.0, unit**0.5)):
        # w is in units of 1/root(S); p is in units of the target.
        got = byol_fixed_points(
            scale * noise, scale * target**2 * decay, 0.9 * target, scale * shared
        )
        assert_close(got.learned / target, want.learned)
        assert_close(got.barrier[::2] / target, want.barrier[::2])
        assert_close(got.collapse_decay / target / target / scale, want.collapse_decay)
        assert got.collapses.tolist() == want.collapses.tolist()


def test_a_large_target_makes_up_for_little_that_is_shared():
    found = byol_fixed_points(1.0, 0.1, 1e30, 1e-30)
    assert_close(found.collapse_decay, 0.25)
    assert not found.collapses
