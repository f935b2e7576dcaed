"""The linear SimVAE: its likelihood, exact directions, EM, posteriors, and what it keeps."""

import sys
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import SEEDS, assert_close, assert_sampled, eps
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from views import (
    D,
    J,
    K,
    commuting,
    covariance_of_group,
    crossed,
    dense_nll,
    generic,
    log_density,
    lowest,
    population,
    sharing,
)  # fmt: skip

import linssl
from linssl import Status, pairs, simvae
from linssl.objectives.latent.channels import Channels, channels
from linssl.objectives.latent.em import em_step, measure, revived
from linssl.theory.latents.directions import best_size, gain_of

KNOWN = {"style": 0.5, "noise": 0.3}


def fitted_groups(seed=0, n=40):
    """Groups far from 0, about their mean, and the model fitted to them."""
    x = np.random.default_rng(seed).standard_normal((n, J, D)) + 3.0
    x[:, :, :2] += 2 * x[:, :1, :2]
    mean = x.mean((0, 1))
    return x, x - mean, simvae(pairs.groups(x), K, J)


@pytest.mark.witness("simvae-likelihood")
@pytest.mark.x64
@pytest.mark.parametrize("group_size", [1, 2, J, 5])
def test_likelihood_is_that_of_the_dense_normal_about_the_mean(group_size):
    _, _, model = fitted_groups()
    W, s, v = (np.asarray(m) for m in (model.decoder, model.noise, model.style))
    y = np.random.default_rng(1).standard_normal((6, group_size, D))
    want = log_density(y, W, s, v)
    found = np.asarray(model.log_likelihood(y + np.asarray(model.mean)))
    assert np.abs(found / want - 1).max() < 1e-12


@pytest.mark.x64
def test_loss_is_minus_the_mean_log_likelihood_of_the_groups():
    x, around, model = fitted_groups()
    W, s, v = (np.asarray(m) for m in (model.decoder, model.noise, model.style))
    assert abs(float(model.loss) + log_density(around, W, s, v).mean()) < 1e-10
    assert_close(model.loss, -jnp.mean(model.log_likelihood(x)))  # nobody centres the groups
    W = np.random.default_rng(2).standard_normal((D, K))
    elsewhere = float(dense_nll(pairs.groups(x), W, 0.4, 0.7, J))
    assert abs(elsewhere + log_density(around, W, 0.4, 0.7).mean()) < 1e-10


@pytest.mark.witness("simvae-cubic")
@pytest.mark.x64
@pytest.mark.parametrize("group_size", [1, 2, J])
@pytest.mark.parametrize("seed", range(2))
def test_commuting_moments_are_solved_exactly_at_known_noise(seed, group_size):
    # One view: a quadratic in each direction, probabilistic PCA. More: the cubic.
    views = commuting(seed)
    found = linssl.check(simvae(views, K, group_size, **KNOWN))

    def loss(x):
        return dense_nll(views, x.reshape(D, K), KNOWN["noise"], KNOWN["style"], group_size)

    best = lowest(loss, D * K, seed)
    assert abs(float(found.loss) - best) < 1e-9
    assert float(found.loss) < best + 1e-12 * abs(best)
    assert int(found.iterations) == 8  # a round of either climb finds nothing better
    none = float(dense_nll(views, jnp.zeros((D, K)), 0.3, 0.5, group_size))
    assert_close(none - jnp.sum(found.spectrum[:K]), found.loss)  # the gains are what they say


@pytest.mark.x64
@pytest.mark.parametrize("case", ["noise and style", "style", "noise", "neither"])
@pytest.mark.parametrize("seed", range(2))
def test_em_reaches_what_an_optimiser_reaches_and_its_gradient_is_zero(seed, case):
    views = generic(seed)
    fixed = {name: value for name, value in KNOWN.items() if name not in case}
    found = linssl.check(simvae(views, K, J, **fixed))

    def loss(x):
        s = fixed.get("noise", jnp.exp(x[-1]))
        v = fixed.get("style", jnp.exp(x[-2]))
        return dense_nll(views, x[:-2].reshape(D, K), s, v, J)

    best = lowest(loss, D * K + 2, seed)
    assert abs(float(found.loss) - best) < 1e-8
    assert float(found.loss) < best + 1e-11
    at = jnp.append(found.decoder.ravel(), jnp.log(jnp.stack([found.style, found.noise])))
    # EM stops at 1.5e-10 in scaled units; W is of order 1 in these.
    assert jnp.max(jnp.abs(jax.grad(loss)(at))) < 1e-8
    assert float(found.gradient) < 1e-9


@given(SEEDS, st.sampled_from([("exact", True, True), ("exact", False, False),
                               ("plug-in", True, True)]))  # fmt: skip
def test_no_step_of_em_raises_the_loss(seed, case):
    prior, *flags = case
    moments, _ = channels(generic(seed % 50), jnp.asarray(float(J)), prior)
    rng = np.random.default_rng(seed)
    s, r = np.exp(rng.uniform(-3, 1)), rng.uniform(0.05, 0.95)
    point = tuple(jnp.asarray(x) for x in (rng.standard_normal((D, K)), s, r))
    losses = np.asarray(_steps(moments, point, tuple(flags)))
    rounding = 100 * eps(losses) * (np.abs(losses).max() + 1 / s)
    assert (np.diff(losses) <= rounding).all()


@partial(jax.jit, static_argnums=2)
def _steps(moments, point, flags):
    dim = jnp.asarray(point[0].shape[1], jnp.int32)

    def step(point, _):
        new = em_step(moments, point, dim, *flags)
        return new, measure(moments, new, True, True)[0]

    return jax.lax.scan(step, point, length=30)[1]


def test_acceleration_never_raises_the_loss_either():
    views = generic(3)
    losses = [float(simvae(views, K, J, iterations=n).loss) for n in (4, 8, 12, 16, 24, 40)]
    assert (np.diff(losses) <= 100 * eps(views.mean) * abs(losses[0])).all()
    assert int(simvae(views, K, J, iterations=4).status) & Status.NOT_CONVERGED
    assert int(simvae(views, K, J).status) == 0


@pytest.mark.witness("simvae-cubic")
@given(SEEDS, st.sampled_from([1, 2, 3, 10]), st.sampled_from(["exact", "plug-in"]))
def test_no_size_of_a_direction_beats_the_best_root(seed, group_size, prior):
    # 50 directions from 1e-3 to 1e6 times the noise, against every size on a fine grid.
    rng = np.random.default_rng(seed)
    r = jnp.asarray(rng.choice([0.0, 1.0, rng.uniform(), 10 ** rng.uniform(-4, 0)]))
    b, w = (jnp.asarray(10 ** rng.uniform(-3, 6, 50)) for _ in range(2))
    n = jnp.asarray(float(group_size), b.dtype)
    size, gain = _best(prior, n, r.astype(b.dtype), b, w)
    assert np.isfinite(size).all()
    assert (np.asarray(gain) >= 0).all()
    grid = jnp.asarray(np.append(0, np.logspace(-5, 11, 2000)))
    tried = np.asarray(_tried(prior, n, r.astype(b.dtype), b, w, grid))
    scale = np.asarray(b + n * w)
    assert (tried.max(0) <= np.asarray(gain) + 50 * eps(b) * scale).all()


_best = jax.jit(best_size, static_argnums=0)


@pytest.mark.witness("simvae-cubic")
@pytest.mark.x64
def test_the_cubic_has_two_maxima_and_the_better_is_taken():
    # Little style: a small size fits the content alone, and a large one what the contrasts hold.
    # Which is better changes with the variance within, and the size jumps.
    n, r, beta = 3, 0.99, 4.0
    plus, minus = 1 + (n - 1) * r, 1 - r
    found = []
    for omega in (4.0, 6.0):
        first = np.polynomial.Polynomial([1 - beta, plus]) * [1, 2 * minus, minus**2]
        second = np.polynomial.Polynomial([1 - omega, minus]) * [1, 2 * plus, plus**2]
        roots = (plus * first + (n - 1) * minus * second).roots()
        assert (roots.imag == 0).all()
        assert (roots > 0).all()
        x = np.append(roots.real, 0)
        gains = (beta * plus * x / (1 + plus * x) - np.log1p(plus * x)) / 2
        gains += (n - 1) * (omega * minus * x / (1 + minus * x) - np.log1p(minus * x)) / 2
        at = [jnp.asarray(y) for y in (float(n), r, [beta], [omega])]
        size, gain = _best("exact", *at)
        np.testing.assert_allclose(size[0], x[gains.argmax()], rtol=1e-9)
        np.testing.assert_allclose(gain[0], gains.max(), rtol=1e-12)
        found.append(float(size[0]))
    assert found[1] > 100 * found[0]


@partial(jax.jit, static_argnums=0)
def _tried(prior, n, r, b, w, grid):
    return jax.vmap(lambda x: gain_of(prior, n, r, b, w, jnp.full_like(b, x)))(grid)


@pytest.mark.witness("simvae-posterior", "content-given-a-group")
@pytest.mark.x64
def test_posteriors_are_those_of_dense_conditioning():
    x, around, model = fitted_groups()
    W, s, v = (np.asarray(m) for m in (model.decoder, model.noise, model.style))
    one = model.posterior(x[0, 0])
    t = 1 + v
    gain = t * W.T @ np.linalg.inv(t * W @ W.T + s * np.eye(D))
    np.testing.assert_allclose(model.encoder, gain, atol=1e-12)
    np.testing.assert_allclose(one.mean, gain @ around[0, 0], atol=1e-12)
    np.testing.assert_allclose(one.covariance, t * np.eye(K) - t * gain @ W, atol=1e-12)
    for n in (1, J, 4):
        y = np.random.default_rng(3).standard_normal((2, n, D))
        C = covariance_of_group(W, s, v, n)
        codes = np.ones((n, n)) + v * np.eye(n)
        with_content = np.kron(np.ones((1, n)), W.T)  # Cov(y, x)
        with_codes = np.kron(codes, W.T)  # Cov(z, x)
        found = model.group_posterior(y + np.asarray(model.mean))
        for got, cross, prior in (
            (found.content, with_content, np.eye(K)),
            (found.codes, with_codes, np.kron(codes, np.eye(K))),
        ):
            mean = (cross @ np.linalg.solve(C, y.reshape(2, -1).T)).T
            np.testing.assert_allclose(np.asarray(got.mean).reshape(2, -1), mean, atol=1e-11)
            spread = prior - cross @ np.linalg.solve(C, cross.T)
            np.testing.assert_allclose(got.covariance, spread[:K, :K], atol=1e-11)


@pytest.mark.witness("simvae-likelihood")
def test_sampled_groups_have_the_loss_that_was_promised():
    # Data of the model itself: the population's minimum is its entropy.
    rng = np.random.default_rng(0)
    W, s, v = rng.standard_normal((D, K)), 0.3, 0.5
    C = covariance_of_group(W, s, v, J)
    model = linssl.check(simvae(sharing(C[:D, :D], C[:D, D : 2 * D]), K, J))
    np.testing.assert_allclose(
        [model.noise, model.style], [s, v], rtol=1e3 * eps(model.loss) ** 0.5
    )
    n = 4000
    y = rng.standard_normal((n, 1, K)) + np.sqrt(v) * rng.standard_normal((n, J, K))
    x = y @ W.T + np.sqrt(s) * rng.standard_normal((n, J, D))
    assert_sampled(-model.log_likelihood(x), model.loss)
    assert_sampled(x[:, 0] @ np.asarray(model.encoder).T, np.zeros(K))


@given(SEEDS)
def test_rotated_and_scaled_data_have_the_same_solution_mapped_along(seed):
    views = generic(seed % 100)
    Q = np.linalg.qr(np.random.default_rng(seed).standard_normal((D, D)))[0] * 3.0
    turned = population(*(Q @ np.asarray(M, float) @ Q.T for M in (views.shared, views.spread)))
    one, other = simvae(views, K, J, **KNOWN), simvae(turned, K, J, style=0.5, noise=2.7)
    assert_close(other.loss, one.loss + J * D * np.log(3.0).item(), cond=100)
    P = one.decoder @ one.decoder.T
    tolerance = 1e3 * eps(P) ** 0.5 if float(one.gap) > 0.1 else np.inf
    assert np.abs(other.decoder @ other.decoder.T - Q @ P @ Q.T).max() < tolerance * 100


def test_diagonal_moments_are_solved_as_dense_ones_are():
    flat = commuting(4, diagonal=True)
    full = population(jnp.diag(flat.shared), jnp.diag(flat.spread))
    one, other = simvae(flat, K, J, **KNOWN), simvae(full, K, J, **KNOWN)
    assert_close(one.loss, other.loss)
    assert_close(one.spectrum, other.spectrum, cond=10)
    assert_close(jnp.abs(one.decoder), jnp.abs(other.decoder), cond=1e4)


def r_squared(encoder, S, signal):
    """Share of the signal's variance (all its axes alike) that a linear probe of codes gets."""
    rows = np.asarray(encoder, float)
    cross = signal[:, None] * np.eye(len(S))[:, signal > 0]  # E[x t^T]: noise tells nothing of t
    coded = rows @ cross
    explained = coded.T @ np.linalg.pinv(rows @ S @ rows.T, rcond=1e-10) @ coded
    return np.trace(explained) / signal.sum()


def test_joint_embedding_drops_style_and_simvae_keeps_it_at_the_price_of_dimensions():
    content, style = np.array([4.0, 3.0, 0, 0, 0]), np.array([0, 0, 6.0, 0, 0])
    noise = np.full(D, 0.1)

    def solve(content):
        S = np.diag(content + style + noise)
        views = population(np.diag(content), np.diag(style + noise))
        model = linssl.check(simvae(views, K, 2, noise=0.1, style=1.0))
        return S, views, [r_squared(model.encoder, S, kind) for kind in (content, style)]

    S, views, (of_content, of_style) = solve(content)
    for k in (1, 2):  # up to the rank of G
        je = linssl.check(linssl.joint_embedding(views, k))
        assert r_squared(je.encoder, S, style) < 1e-10
        assert r_squared(je.encoder, S, content) > 0.5 * k - 0.1
    assert int(linssl.joint_embedding(views, 3).status) & Status.BEYOND_RANK  # arbitrary there
    # Two codes for three axes: one of content made way for style.
    assert of_style > 0.98
    assert 0.5 < of_content < 0.6
    _, _, (of_content, of_style) = solve(content * [1, 0, 0, 0, 0])
    assert of_style > 0.98  # 6 in 6.1
    assert of_content > 0.97  # 4 in 4.1


def test_it_compiles_batches_its_loss_has_gradients_and_bad_traced_values_are_a_status():
    G, spread = generic(1).shared, generic(1).spread

    def solve(style, noise, scale):
        found = simvae(population(scale * G, scale * spread), K, J, style=style, noise=noise)
        return found.loss, found.status

    at, step = np.array([0.3, 0.4, 1.0]), 1e-4 if G.dtype == jnp.float64 else 3e-2
    moved = [at] + [at + sign * step * np.eye(3)[i] for i in range(3) for sign in (1, -1)]
    bad = [[-1.0, 0.4, 1.0], [0.3, 0.0, 1.0], [0.3, np.nan, 1.0], [0.3, 0.4, np.nan]]
    style, noise, scale = jnp.asarray(np.array(moved + bad).T, G.dtype)

    def cell(style, noise, scale):
        return jax.value_and_grad(solve, (0, 1, 2), has_aux=True)(style, noise, scale)

    (values, status), slopes = linssl.runtime.over_cells(
        cell, style=style, noise=noise, scale=scale
    )
    assert_close(values[0], solve(0.3, 0.4, 1.0)[0], cond=100)
    for i, slope in enumerate(slopes):
        difference = (values[2 * i + 1] - values[2 * i + 2]) / (2 * step)
        np.testing.assert_allclose(slope[0], difference, rtol=3e-2)
    assert (status[:7] == 0).all()
    assert ((status[7:] & Status.NOT_FINITE) != 0).all()
    assert np.isnan(values[7:]).all()


def test_direction_formulas_vmap():
    b = jnp.asarray([[3.0, 0.5], [2.0, 9.0]])
    n, r = jnp.asarray(3.0, b.dtype), jnp.asarray(0.5, b.dtype)
    both = jax.jit(jax.vmap(lambda b: best_size("exact", n, r, b, b)[1]))(b)
    assert_close(both[1], _best("exact", n, r, b[1], b[1])[1])


def test_codes_of_all_sizes_share_one_program_and_smaller_rooms_say_the_same(caplog):
    views = generic(4)
    with jax.log_compiles(), caplog.at_level("WARNING", logger="jax"):
        fits = [simvae(views, k, J, prior="plug-in") for k in (1, 2, 3, 4)]
    assert len([m for m in caplog.messages if m.startswith("Compiling jit(_fit)")]) <= 1
    assert [fit.encoder.shape for fit in fits] == [(k, D) for k in (1, 2, 3, 4)]
    assert (np.diff([float(fit.loss) for fit in fits]) < 0).all()


def test_a_code_among_columns_of_zero_is_the_code_alone(monkeypatch):
    views = generic(4)
    roomy = simvae(views, K, J)
    monkeypatch.setattr(sys.modules[simvae.__module__], "room_for", lambda dim, features: dim)
    tight = simvae(views, K, J)
    rounding = 100 * eps(views.mean) * abs(float(tight.loss))
    assert abs(float(roomy.loss) - float(tight.loss)) <= rounding
    # EM stops where its gradient is sqrt(eps) at most; the gains are of first order in that.
    near = eps(views.mean) ** 0.5 * float(tight.spectrum[0])
    np.testing.assert_allclose(roomy.spectrum, tight.spectrum, rtol=0, atol=near)
    assert int(roomy.status) == int(tight.status) == 0


@pytest.mark.x64
@pytest.mark.parametrize("noise", [0.1, 0.4, 0.8])
def test_no_fit_at_a_given_noise_is_better_than_the_free_one(noise):
    # The likelihood has several minima over noise and style; the last case has its lowest at v = 0.
    rng = np.random.default_rng(0)
    drawn = [np.exp(rng.normal(size=(2, 3))) for _ in range(4)]
    at_edge = (1.254452, 3.197666, 0.336818), (0.227834, 0.420417, 1.130369)
    for content, style in (*drawn, at_edge):
        views = linssl.populations.content_style(content, style, 0.2, 3).views
        for k in (5, 6):
            free, given = simvae(views, k, 3), simvae(views, k, 3, noise=noise)
            assert float(free.loss) <= float(given.loss) + 1e-9


@pytest.mark.x64
def test_as_many_codes_as_features_leave_noise_where_the_likelihood_has_its_maximum():
    rng = np.random.default_rng(5)
    W, y = rng.standard_normal((D, K)), rng.standard_normal((40, 1, K))
    z = y + 0.5 * rng.standard_normal((40, 2, K))
    x = z @ W.T + 0.5 * rng.standard_normal((40, 2, D)) @ rng.standard_normal((D, D))
    views = pairs.groups(x)
    found = simvae(views, D, 2)

    def loss(at):
        V, v, s = at[: D * D].reshape(D, D), jnp.exp(at[-2]), jnp.exp(at[-1])
        return dense_nll(views, V, s, v, 2)

    assert float(found.loss) <= lowest(loss, D * D + 2, 0) + 1e-8
    assert float(found.noise) > 0.01


@pytest.mark.x64
def test_a_column_that_the_start_left_empty_is_filled_when_it_would_gain():
    B, W = np.diag([6.0, 4.0, 1.2, 1.1, 1.0]), np.diag([2.0, 1.0, 1.1, 1.1, 1.0])
    moments = Channels(*(jnp.asarray(x) for x in (B, W, 1.0, float(J))), "exact")
    V = jnp.zeros((D, 3)).at[0, 0].set(1.0)
    point, three = (V, jnp.asarray(0.5), jnp.asarray(0.7)), jnp.asarray(3, jnp.int32)
    filled, s, r = jax.jit(revived)(moments, point, three)
    lengths = np.linalg.norm(filled, axis=0)
    assert lengths[0] == pytest.approx(1)
    assert (lengths > 0.1).all()
    loss = jax.jit(lambda P: measure(moments, (P, s, r), True, True)[0])
    before, after = loss(V), loss(filled)
    assert float(after) < float(before)


@pytest.mark.x64
@pytest.mark.parametrize(
    ("seed", "d", "k", "n", "prior", "want"),
    [
        (25028, 6, 5, 4, "plug-in", None),
        (605073, 5, 3, 6, "exact", 21.275217289037883),
        (605091, 5, 4, 3, "exact", 16.476662294580446),
        (105013, 5, 4, 5, "plug-in", 13.842194228606695),
        (105040, 5, 4, 5, "plug-in", 5.258558449275771),
        (105057, 5, 4, 4, "plug-in", 8.102144747462313),
    ],
)
def test_a_stationary_point_without_style_is_left_for_a_better_one(seed, d, k, n, prior, want):
    # References are scipy's best of eighteen starts; EM from the diagonals ends at style 0.
    views = population(*crossed(seed, d))
    found = linssl.check(simvae(views, k, n, prior=prior))
    if want is None:
        np.testing.assert_allclose([found.loss, found.style, found.noise],
                                   [23.211, 0.0587, 0.1193], atol=5e-4)  # fmt: skip
    else:
        assert abs(float(found.loss) - want) < 1e-8
    none = simvae(views, k, n, prior=prior, style=0.0)
    assert float(found.loss) < float(none.loss) - 0.01


@pytest.mark.x64
@pytest.mark.parametrize("prior", ["exact", "plug-in"])
def test_as_many_codes_as_features_reach_the_infimum_without_noise_and_not_below(prior):
    # At s = 0 each channel is kappa_c W W^T, whose best is (B/kappa_+ + (J - 1) W_n/kappa_-)/J.
    for seed in (900000, 900001, 900002):
        C, N = crossed(seed, D)
        axes = np.linalg.eigvals(np.linalg.solve(N, N + J * C)).real

        def without_noise(r, axes=axes, N=N):
            plus, minus = (1 + (J - 1) * r if prior == "exact" else J * r), 1 - r
            sizes = np.log((axes / plus + (J - 1) / minus) / J).sum() + np.linalg.slogdet(N)[1]
            logs = J * sizes + D * (np.log(plus) + (J - 1) * np.log(minus))
            return (logs + J * D * (1 + np.log(2 * np.pi))) / 2

        limit = minimize_scalar(
            without_noise, bounds=(1e-6, 1 - 1e-6), method="bounded", options={"xatol": 1e-10}
        ).fun
        found = simvae(population(C, N), D, J, prior=prior)
        assert int(found.status) == 0
        assert -1e-11 < float(found.loss) - limit < 1e-6
