"""Learning dynamics: closed forms against flows of matrices, their own equations, and limits."""

import itertools
import os
from decimal import Decimal

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
from helpers import (
    SEEDS,
    assert_close,
    assert_sampled,
    covariance,
    eps,
    rotation,
    same_rows,
)
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import linssl
from linssl.testing import spectra
from linssl.theory import barlow_twins_dynamics, denoising_dynamics, jepa_dynamics, mae_dynamics

x64 = pytest.mark.x64
MAKERS = {"jepa": jepa_dynamics, "mae": mae_dynamics}
CASES = list(itertools.product(MAKERS, (1, 2)))
U, Q = np.asarray(rotation(1, 3), float), np.asarray(rotation(2, 3), float)
LAM, SIGMA = np.array([1.0, 0.8, 0.3]), np.array([1.2, 2.0, 0.5])
EIGENVALUES = np.array([1.0, 0.4, -0.3])
START = np.array([0.2, 0.3, 0.1])
TIMES = np.array([0.0, 0.5, 2.0, 5.0, 12.0, 30.0])
TWO_OF_THREE = 1e-3 * np.random.default_rng(5).standard_normal((3, 3)) * [[1.0], [1.0], [0.0]]
SEEDED, SAMPLES, MIDDLE = 24, 20_000, 4  # sampled problems, seen at TIMES[MIDDLE]


def flow(layers, problem):
    """Integrate dW/dt = -gradient of a loss of matrices; layers (3, d, d) are V, W2 and W1."""
    S, G, (twins, latent, pixels), deep = problem

    def loss(layers):
        V, W2, W1 = layers
        W = W2 @ W1
        target = jnp.where(latent > 0, jax.lax.stop_gradient(W), jnp.eye(len(S)))
        P = V @ W  # E|P x - T y|^2/2, but for what no parameter moves
        predicted = jnp.trace(P @ S @ P.T) / 2 - jnp.trace(P @ G @ target.T)
        apart = jnp.sum((W1 @ G @ W1.T - jnp.eye(len(S))) ** 2)
        return (latent + pixels) * predicted + twins * apart

    moves = jnp.stack([jnp.ones_like(deep), deep, jnp.ones_like(deep)])[:, None, None]
    return diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, layers, _: -moves * jax.grad(loss)(layers)),
        diffrax.Tsit5(),
        t0=0.0,
        t1=TIMES[-1],
        dt0=1e-3,
        y0=layers,
        saveat=diffrax.SaveAt(ts=jnp.asarray(TIMES)),
        stepsize_controller=diffrax.PIDController(rtol=1e-8, atol=1e-10),
        max_steps=None,
    ).ys


def aligned(kind, depth):
    """Balanced layers on the axes of the moments, with the product START."""
    a = START ** (1 / depth)
    V = Q * a @ Q.T if kind == "jepa" else U * a @ Q.T
    return np.stack([V, np.eye(3) if depth == 1 else Q * a @ Q.T, Q * a @ U.T])


def moments(lam, sigma):
    return (U * sigma) @ U.T, (U * lam) @ U.T


@pytest.fixture(scope="module")
def flows():
    """All flows of matrices, in one batch: ten layers of time, (problem, time, 3, d, d)."""
    S, G = moments(LAM, SIGMA)
    layers = [aligned(*case) for case in CASES]
    problems = [(S, G, [0.0, kind == "jepa", kind == "mae"], depth - 1.0) for kind, depth in CASES]
    alone = np.stack([np.eye(3)] * 3)
    for W1 in (Q * START @ U.T, TWO_OF_THREE):
        layers.append(np.stack([*alone[:2], W1]))
        problems.append((S, moments(EIGENVALUES, SIGMA)[1], [1.0, 0.0, 0.0], 0.0))
    for seed in range(SEEDED):  # y = rho x + noise on each axis
        x, noise = np.random.default_rng(seed).standard_normal((2, SAMPLES, 3))
        x = x * np.sqrt(SIGMA)
        x, y = x @ U.T, (x * (LAM / SIGMA) + 0.5 * noise) @ U.T
        layers.append(aligned("jepa", 2))
        problems.append((x.T @ x / SAMPLES, x.T @ y / SAMPLES, [0.0, 1.0, 0.0], 1.0))
    columns = [jnp.asarray(np.array(c, float)) for c in zip(*problems, strict=True)]
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        return np.asarray(jax.jit(jax.vmap(flow))(jnp.asarray(np.stack(layers)), columns))


def strengths(layers):
    """Sizes of the encoder along the axes, and how far from these it points."""
    turned = Q.T @ layers[..., 1, :, :] @ layers[..., 2, :, :] @ U
    sizes = np.diagonal(turned, axis1=-2, axis2=-1)
    return sizes, np.abs(turned - sizes[..., None] * np.eye(3)).max()


@pytest.mark.witness("jepa-trajectory", "masked-autoencoder-trajectory", "predictive-limits")
@x64
@pytest.mark.parametrize("case", range(len(CASES)), ids=str)
def test_balanced_aligned_matrices_follow_jepa_and_mae_at_depth_1_and_2(flows, case):
    kind, depth = CASES[case]
    got = MAKERS[kind](LAM, SIGMA, depth, START)(TIMES)
    sizes, off = strengths(flows[case])
    np.testing.assert_allclose(got, sizes, rtol=1e-6)
    assert off < 1e-6
    V, W2, W1 = np.moveaxis(flows[case][-1], 0, 0)
    np.testing.assert_allclose(
        V.T @ V, W2 @ W1 @ W1.T @ W2.T if depth == 1 else W2 @ W2.T, atol=1e-6
    )


@pytest.mark.witness("barlow-twins-trajectory")
@x64
def test_aligned_barlow_twins_follow_from_any_size_of_start(flows):
    sizes, off = strengths(flows[len(CASES)])
    got = barlow_twins_dynamics(EIGENVALUES, START)(TIMES)
    np.testing.assert_allclose(got, sizes, rtol=1e-5, atol=1e-8)  # the integrator's
    assert off < 1e-6


@pytest.mark.witness("barlow-twins")
@x64
def test_small_random_barlow_twins_select_top_eigenvectors_of_g_at_the_times_of_gram_schmidt(flows):
    W = flows[len(CASES) + 1, :, 2, :2]  # two codes of three features
    assert same_rows(W[-1], U[:, :2].T) < 1e-2
    values = np.linalg.svd(W, compute_uv=False)
    # What Gram-Schmidt in the order of falling g leaves of the start.
    start = np.abs(np.diagonal(np.linalg.qr(TWO_OF_THREE[:2] @ U)[1]))
    got = np.sort(barlow_twins_dynamics(EIGENVALUES[:2], start)(TIMES), axis=1)[:, ::-1]
    np.testing.assert_allclose(got[2:], values[2:], rtol=1e-3)


@x64
def test_flows_under_sampled_moments_scatter_around_the_closed_form(flows):
    sizes, _ = strengths(flows[-SEEDED:, MIDDLE])
    assert_sampled(sizes, jepa_dynamics(LAM, SIGMA, 2, START)(TIMES[MIDDLE]))


def everything(kind, depth, lam, sigma, start, times):
    """Strengths at times and their derivatives; learning times, and strengths there."""

    def at(by):  # derivatives in log lambda, log sigma, log start and log t
        made = MAKERS[kind](lam * by[0], sigma * by[1], depth, start * by[2])
        return made(then * by[3])

    trajectory = MAKERS[kind](lam, sigma, depth, start)
    learned = trajectory.learning_time(0.7)
    then = jnp.concatenate([times, jnp.where(jnp.isfinite(learned), learned, 0)])
    jacobian = {"jepa": jax.jacfwd, "mae": jax.jacrev}[kind](at)(jnp.ones(4))
    w = at(jnp.ones(4))
    return w[:3], jacobian[:3], learned, jnp.diagonal(w[3:]), trajectory.limit


EVERYTHING = jax.jit(everything, static_argnums=(0, 1))
DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"


def as_floats(*arrays):
    return [jnp.asarray(np.asarray(a), jnp.result_type(float)) for a in arrays]


@pytest.mark.witness("jepa-trajectory", "masked-autoencoder-trajectory", "predictive-times")
@x64
@pytest.mark.parametrize(
    ("kind", "L"),
    [*itertools.product(MAKERS, (1, 2, 3, 4))] if DEEP else [("jepa", 2), ("mae", 2)],
)
@given(spectra(3, 0.1, 10.0), spectra(3, 0.1, 10.0), spectra(3, 1e-3, 30.0), st.floats(-2, 3))
def test_trajectories_solve_their_equation_invert_and_have_derivatives(
    kind, L, lam, rho, start, scale
):
    times = 10.0**scale * np.array([0.0, 0.3, 1.0])
    found = EVERYTHING(kind, L, *as_floats(lam, lam / rho, start, times))
    w, jacobian, learned, then, limit = jax.device_get(found)
    power = 3 - 1 / L if kind == "jepa" else 2 - 1 / L

    def speed(w):
        return L * lam * w**power, -L * lam / rho * w**3

    np.testing.assert_allclose(w[0], start, rtol=1e-12)
    by_lam, by_sigma, by_start, by_time = np.moveaxis(jacobian, -1, 0)
    terms = [times[:, None] * s for s in speed(w)]
    largest = sum(map(abs, terms)) + w
    for got, want in (
        (by_time, sum(terms)),  # the equation itself
        (by_start * sum(speed(start)), start * sum(speed(w))),  # a flow carries its speed along
        (by_lam + by_sigma, by_time),  # the units of time, and of strength
        (L * (by_start - w), L * power * by_lam - by_lam * L + 2 * L * by_sigma),
    ):
        scale = largest * np.maximum(1, np.max(np.abs(speed(start)), 0) / w)
        assert np.all(np.abs(got - want) <= 1e-7 * scale)
    np.testing.assert_allclose(limit, rho ** (L if kind == "jepa" else L / (L + 1)), rtol=1e-12)
    above = start >= 0.7 * limit
    assert np.all((learned == 0) == above)
    # A time of many digits leaves few to a sharp step: rounding, times d log w/d log t.
    cond = 1 + learned * abs(sum(speed(0.7 * limit))) / limit
    assert np.all(np.abs(then / (0.7 * limit) - 1)[~above] <= 1e3 * eps(w) * cond[~above])


@pytest.mark.witness("barlow-twins-trajectory", "denoising-trajectory")
@x64
@given(spectra(3, 0.05, 20.0), st.lists(st.floats(0, 5), min_size=3, max_size=3), SEEDS)
def test_logistic_flows_solve_their_equations_exactly(lam, noise, seed):
    start = np.random.default_rng(seed).uniform(0.01, 2.0, 3)
    e, g, times = np.array(noise), lam * [1, 1, -1], [0.0, 0.2, 3.0]
    found = jax.device_get(logistic(*as_floats(g, lam, e, start, times)))
    (s, ds), (w, dw), half, tau = found
    for slope, terms in (
        (ds, (4 * g * s, -4 * g**2 * s**3)),
        (dw, (2 * lam * w, -2 * (lam + e) * w**2)),
    ):
        assert np.all(np.abs(slope - sum(terms)) <= 1e-9 * (abs(terms[0]) + abs(terms[1])))
    assert_close(s[0], start)
    assert_close(w[0], start)
    want = 0.5 * lam / (lam + e)
    np.testing.assert_allclose(half[start < want], want[start < want], rtol=1e-9)
    early = (start**2 * g < 0.5) & (g > 0)
    np.testing.assert_allclose((tau**2 * g)[early], 0.5, rtol=1e-9)


@jax.jit
def logistic(g, lam, e, start, times):
    twins, denoising = barlow_twins_dynamics(g, start), denoising_dynamics(lam, e, start)
    slopes = [jax.jvp(f, (times,), (jnp.ones_like(times),)) for f in (twins, denoising)]
    tau = twins.learning_time()
    reached = twins(jnp.where(jnp.isfinite(tau), tau, 0))
    return *slopes, jnp.diagonal(denoising(denoising.learning_time())), jnp.diagonal(reached)


@pytest.mark.witness("barlow-twins-time")
def test_learning_time_of_small_starts_is_the_papers():
    got = barlow_twins_dynamics([2.0, 0.5, 0.0, -1.0], 1e-4)
    want = -np.log(1e-8 * np.array([2.0, 0.5])) / (8 * np.array([2.0, 0.5]))
    np.testing.assert_allclose(got.learning_time()[:2], want, rtol=1e-5)
    assert np.isinf(got.learning_time()[2:]).all()
    assert got.order().tolist() == [0, 1, 2, 3]
    end = got(np.full((2, 3), np.inf))
    assert end.shape == (2, 3, 4)
    assert_close(end[1, 2], np.array([0.5**0.5, 2**0.5, 1e-4, 0.0], end.dtype))


def test_nothing_overflows_at_large_times():
    lam, g = np.array([3.0, 0.5, 0.0]), np.array([3.0, 0.5, -2.0])
    for trajectory in (
        barlow_twins_dynamics(g, 0.2),
        denoising_dynamics(lam, [1.0, 0.0, 2.0], 0.2),
        jepa_dynamics(lam, [2.0, 1.0, 2.0], 2, 0.2),
        mae_dynamics(lam, [2.0, 1.0, 2.0], 2, 0.2),
    ):
        got = np.asarray(trajectory(np.array([0.0, 1e3, 1e6, 1e10, 1e30, np.inf])))
        np.testing.assert_allclose(got[0], 0.2, rtol=1e-5)
        np.testing.assert_allclose(got[1:, :2], 5 * [trajectory.limit[:2]], rtol=1e-5)
        assert np.all(np.diff(got[:, 2]) <= 0)
        assert got[-1, 2] == trajectory.limit[2] == 0


LARGE_AND_SMALL = [1e-170, 1e-36, 1e-30, 1e-19, 1e-10, 1.0, 1e20, 1e25, 1e30]


def starts():
    """Of every size that the precision has."""
    return [s for s in LARGE_AND_SMALL if s > jnp.finfo(jnp.result_type(float)).tiny]


@pytest.mark.parametrize("start", starts())
def test_logistic_flows_hold_from_starts_of_any_size(start):
    def power(u0, rate, loss):  # u with du/dt = rate u - loss u^2, in decimals
        grown = [(rate * Decimal(float(t))).exp() for t in times]
        return [u0 * e / (1 + loss * u0 * (e - 1) / rate) for e in grown]

    def assert_follows(trajectory, wanted):
        found = np.asarray(trajectory(times))[:, 0]
        assert_allclose(found, [float(w) for w in wanted], rounding, jnp.finfo(found.dtype).tiny)

    growth = 2 * abs(np.log(start)) + 1
    times = 0.04 * growth * np.array([0.0, 1e-10, 0.5, 0.6, 0.63, 0.66, 3.0])
    times, s0 = jnp.asarray(times), Decimal(float(jnp.asarray(start, float)))
    rounding = 20 * eps(times) * growth
    for g in (Decimal(2), Decimal(-2)):
        wanted = [u.sqrt() for u in power(s0 * s0, 8 * g, 8 * g * g)]
        assert_follows(barlow_twins_dynamics([float(g)], start), wanted)
    wanted = [u.sqrt() for u in power(s0 * s0, Decimal(4), Decimal(2))]
    assert_follows(mae_dynamics([2.0], 1.0, 1, start), wanted)
    assert_follows(denoising_dynamics([2.0], 1.0, start), power(s0, Decimal(4), Decimal(6)))
    for trajectory in (barlow_twins_dynamics([2.0], start), mae_dynamics([2.0], 1.0, 1, start)):
        tau, share = trajectory.learning_time(0.8), 0.8 * trajectory.limit
        assert (start > share) == (tau == 0)
        if start < share:
            assert_allclose(trajectory(tau[0]), share, rounding)


def test_deep_encoders_far_above_their_limit_decay_as_without_covariance():
    times = jnp.asarray([0.0, 1e-30, 1e-20])
    for kind, depth, start in itertools.product(MAKERS, (1, 2, 3), (1e15, 1e25, 9e29)):
        power = {"jepa": 1, "mae": depth + 1}[kind]
        trajectory = MAKERS[kind]([2.0, 0.0], 1.0, depth, start)
        pulled, alone = np.asarray(trajectory(times), float).T
        lasting = 2 * depth * np.asarray(times, float)
        want = 1 / np.sqrt(float(jnp.asarray(start, float)) ** -2.0 + lasting)
        assert_allclose(alone, want, 200 * eps(times))
        held = (float(trajectory.limit[0]) / want) ** (power / depth)  # 1/y^m
        assert np.all(np.abs(pulled / want - 1) <= 200 * eps(times) + held)


def integrated(kind, depth, lam, sigma, start, time):
    """w(t) and its derivatives in lambda, sigma, start and time, integrated."""
    power = 3 - 1 / depth if kind == "jepa" else 2 - 1 / depth

    def speeds(_, y):
        w, by = y[0], y[1:]
        bend = depth * (lam * power * w ** (power - 1) - 3 * sigma * w**2)
        own = depth * np.array([w**power, -(w**3), 0])
        return [depth * (lam * w**power - sigma * w**3), *(bend * by + own)]

    solved = scipy.integrate.solve_ivp(
        speeds, (0, time), [start, 0, 0, 1], method="DOP853", rtol=1e-13, atol=1e-15
    )
    y = solved.y[:, -1]
    return np.append(y, speeds(time, y)[0])


@pytest.mark.parametrize(("kind", "depth"), [*CASES, ("jepa", 5), ("mae", 5)])
def test_far_above_the_limit_strengths_and_derivatives_hold_down_to_no_covariance(kind, depth):
    lam = np.array([1e-4, 1e-5, 1e-6, 1e-7, 1e-9, 1e-13, 1e-30, 0.0])
    lam, sigma, start = as_floats(lam, np.full(8, 1.25), np.full(8, 0.5))

    @jax.jit
    def found(lam, sigma, start, time):
        def at(*args):
            return MAKERS[kind](args[0], args[1], depth, args[2])(args[3])

        by = jax.grad(lambda *args: at(*args).sum(), (0, 1, 2))(lam, sigma, start, time)
        w, by_time = jax.jvp(lambda t: at(lam, sigma, start, t), (time,), (jnp.ones_like(time),))
        return jnp.stack([w, *by, by_time], 1)

    time = jnp.asarray(0.375)
    got = np.asarray(found(lam, sigma, start, time))
    want = np.array([integrated(kind, depth, float(v), 1.25, 0.5, 0.375) for v in lam])
    # Two orders of h = 1/y^m are kept, where it is below eps^{1/3}; nearer to the limit there is
    # the rounding of log(lambda rho^{2L - 1}), next to which the derivative in lambda is of size h.
    rho = np.maximum(np.asarray(lam, float) / 1.25, 1e-40)
    near = rho > 0.2 * eps(got) ** (1 / 3)
    rounding = np.where(near, -40 * depth * np.log(rho) * eps(got), 0)
    lost = np.abs(got / want - 1)
    assert np.all(lost[:, 1] <= rounding / rho + 50 * eps(got) ** (2 / 3))
    assert np.all(np.delete(lost, 1, 1) <= rounding[:, None] + 200 * eps(got))


@pytest.mark.parametrize(
    ("lam", "depth", "start"), [(1e-4, 5, 0.1), (1e-7, 3, 0.5), (1e-3, 8, 0.1)]
)
def test_far_above_the_limit_no_rate_is_too_small_for_the_precision(lam, depth, start):
    got = np.asarray(jepa_dynamics(lam, 1.0, depth, start)(1.0))
    assert_allclose(got, integrated("jepa", depth, lam, 1.0, start, 1.0)[0], 20 * eps(got))


def test_deep_dynamics_are_nan_where_the_precision_cannot_hold_their_rate_or_time():
    start = starts()[0]
    lost = jepa_dynamics([1e-20], 1e-20 / (2 * start ** (1 / 8)), 8, start)
    assert np.isnan(lost(1.0)).all()
    assert np.isnan(jepa_dynamics([1.0], 1.0, 16, start).learning_time(0.01)).all()
    number = jnp.finfo(jnp.result_type(float))
    depth, rho = (8 if number.bits == 32 else 30), 1.5 * float(number.eps) ** (1 / 3)
    above = jax.value_and_grad(lambda s: jepa_dynamics(rho * s, s, depth, 1.0)(1.0))(1.0)
    assert np.isnan(above).all()


def test_dynamics_have_derivatives_where_a_feature_stays():
    def at(g):
        return barlow_twins_dynamics(g, 0.2)(3.0)

    # d/dg of s^2 = s_0^2 / (e^{-8gt} + (1 - e^{-8gt}) g s_0^2) at g = 0 is 8 t s_0^2.
    assert_close(jax.grad(at)(0.0), jnp.asarray(4 * 3.0 * 0.2))


def test_trajectories_end_at_their_limits_however_large_the_time():
    lam, noise = [1.0, 0.0, 1e-30, 0.0, 1e30], [1.0, 1.0, 1.0, 0.0, 1e30]
    trajectory = denoising_dynamics(lam, noise, [0.1, 0.1, 0.1, 0.1, 1e-30])
    times = jnp.asarray([3e38, jnp.inf])
    near, end = trajectory(times)
    np.testing.assert_allclose(near, end, rtol=200 * eps(near), atol=1e-35)


@pytest.mark.witness("denoising-is-masked-depth-one")
def test_one_hidden_layer_of_denoising_is_an_autoencoder_of_depth_1():
    lam, e = np.array([2.0, 0.7, 0.0]), np.array([1.0, 0.2, 0.5])
    w = mae_dynamics(lam, lam + e, 1, 0.05**0.5)(TIMES)
    np.testing.assert_allclose(denoising_dynamics(lam, e, 0.05)(TIMES), w**2, rtol=1e-4)


def test_starts_at_and_above_the_limit_and_features_without_covariance():
    for make, limit in ((jepa_dynamics, 0.25), (mae_dynamics, 0.5 ** (2 / 3))):
        at = make([1.0, 1.0, 0.0], 2.0, 2, [limit, 3.0, 3.0])
        w = np.asarray(at(np.array([0.0, 0.01, 0.1, 1.0, 100.0, np.inf])))
        np.testing.assert_allclose(w[:, 0], limit, rtol=1e-5)
        assert np.all(np.diff(w[:-1, 1:], axis=0) < 0)
        assert 0 <= w[-2, 1] / limit - 1 < 1e-5
        np.testing.assert_allclose(w[3, 2], 3 / np.sqrt(1 + 2 * 2 * 2 * 9), rtol=1e-5)
        assert at.learning_time().tolist() == [0, 0, np.inf]
        assert at.order().tolist() == [0, 1, 2]


@pytest.mark.witness("learning-crossing")
@x64
def test_at_equal_covariance_jepa_learns_large_rho_first_and_mae_hardly_cares():
    rho = np.array([0.3, 1.0, 1.0])
    gaps = {}
    for kind, make in MAKERS.items():
        times = [make(np.ones(3), 1 / rho, 2, w).learning_time() for w in (1e-2, 1e-4)]
        gaps[kind] = [float(t[0] - t[1]) for t in times]
    # a_0 = 0.1 and 0.01: the gap of JEPA is (1/0.3 - 1)/(2 a_0^2) and less; that of MAE constant.
    assert gaps["jepa"][0] > 80
    np.testing.assert_allclose(gaps["jepa"][1] * 1e-4, (1 / 0.3 - 1) / 2, rtol=0.1)
    assert max(map(abs, gaps["mae"])) < 1
    np.testing.assert_allclose(gaps["mae"][0], gaps["mae"][1], atol=0.05)


@pytest.mark.witness("learning-crossing")
@x64
def test_two_features_are_learned_together_at_the_crossing_and_nowhere_else():
    rho = np.array([0.9, 0.4, 1.5])
    crossing = linssl.theory.learning_crossing(rho[0], rho[1:], 2, 0.01)
    assert crossing.jepa[0] > crossing.mae[0] > 0.9
    for ratio, make in ((crossing.jepa, jepa_dynamics), (crossing.mae, mae_dynamics)):
        lam = 2 * np.append(1, ratio)
        times = make(lam, lam / rho, 2, 0.01).learning_time()
        np.testing.assert_allclose(times, times[0], rtol=1e-9)
        lam = lam * [1, 0.98, 1.02]
        assert make(lam, lam / rho, 2, 0.01).order().tolist() == [2, 0, 1]


@pytest.mark.witness("aligned-modes")
def test_modes_of_aligned_views_are_the_scores_of_joint_embedding_and_reconstruction():
    S, G = (np.asarray(covariance(v, 3)) for v in ([4.7, 2.7, 1.2], [4.0, 2.0, 0.5]))
    means = np.zeros(3, S.dtype), np.zeros(3, S.dtype)
    modes = linssl.theory.aligned_modes(linssl.PairMoments(S, S, G, *means, np.inf, np.inf))
    tolerance = 1e-4 if S.dtype == np.float32 else 1e-10
    np.testing.assert_allclose(modes.covariance, [4.0, 2.0, 0.5], rtol=tolerance)
    np.testing.assert_allclose(modes.variance, [4.7, 2.7, 1.2], rtol=tolerance)
    omega = scipy.linalg.eigh(G, S, eigvals_only=True)[::-1]
    np.testing.assert_allclose(modes.coefficient, omega, rtol=tolerance)
    # Cov(y) = G: rho is no correlation of the pair, but phi^2 is still lambda rho.
    aim = linssl.theory.aligned_modes(linssl.PairMoments(S, G, G, *means, np.inf, np.inf))
    explained = np.linalg.eigvalsh(G @ np.linalg.solve(S, G))[::-1]
    np.testing.assert_allclose(aim.explained, explained, rtol=tolerance)
    turned = aim.directions @ S @ aim.directions.T
    np.testing.assert_allclose(turned, np.diag(aim.variance), atol=tolerance * 10)


def test_moments_without_common_axes_are_refused():
    def refuse(match, *moments):
        means = [np.zeros(len(moments[0])), np.zeros(len(moments[1]))]
        with pytest.raises(ValueError, match=match):
            linssl.theory.aligned_modes(linssl.PairMoments(*moments, *means, np.inf, np.inf))

    eye, one = np.eye(3), np.ones((3, 3))
    skew = np.cross(eye, [1.0, 2.0, 3.0])
    refuse("pair must have aligned moments.*off their axes", np.diag([1.0, 2.0, 3.0]), eye, one)
    refuse("pair must have aligned moments", eye, eye, skew)
    refuse("sides of equal size.*got 3 and 2 features", eye, np.eye(2), np.ones((3, 2)))
    refuse("first must be positive definite", np.diag([1.0, 0.5, 0.0]), eye, np.diag([0.5, 0.3, 0]))
    for cross in (eye, 0 * eye):
        refuse("first must be positive definite", 0 * eye, eye, cross)
    refuse("pair must have finite moments", np.diag([1.0, np.nan, 1.0]), eye, eye)


def test_bad_traced_arguments_give_nan():
    def found(x):
        return barlow_twins_dynamics(1.0, x).learning_time(), jepa_dynamics(
            x, 1.0, 2, 0.1
        ).learning_time()

    assert np.isnan(jax.jit(found)(-1.0)).all()


@x64
def test_a_start_at_the_limit_stays_and_has_a_derivative():
    times = np.array([0.0, 0.5, np.inf])
    found = EVERYTHING("jepa", 2, *as_floats(np.ones(3), 2 * np.ones(3), np.full(3, 0.25), times))
    np.testing.assert_allclose(found[0], 0.25)
    np.testing.assert_allclose(found[1][2, 0, :2], [0.5, -0.5])  # of rho^2
    # Close to the limit y - 1 falls at the rate rho^3.
    np.testing.assert_allclose(found[1][:, 0, 2], 0.25 * np.exp(-times / 8))


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("depth", [6, 12])
def test_single_precision_has_three_digits_of_deep_encoders_on_both_sides_of_the_limit(name, depth):
    y = np.array([0.3, 0.7, 0.95, 1.05, 1.15, 1.3, 1.5, 1.8, 1.95, 2.2, 3.0])  # of every layer
    rho = np.array([0.5, 1.0, 2.0])[:, None] * np.ones_like(y)
    m = 1 if name == "jepa" else depth + 1
    single = [np.float32(v).ravel() for v in (0 * rho + 1, 1 / rho, (y * rho ** (1 / m)) ** depth)]
    times = np.float32([0, 1e-9, 1e-6, 1e-3, 0.03, 1, 30])

    def strengths(dtype):
        lam, sigma, start = (jnp.asarray(v.astype(dtype)) for v in single)
        return np.asarray(MAKERS[name](lam, sigma, depth, start)(times.astype(dtype)), float)

    with jax.enable_x64(True):
        want = strengths(np.float64)
    assert_allclose(strengths(np.float32), want, rtol=1e-3)
