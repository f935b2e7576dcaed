"""The ELBO of an encoder of single views: a bound, its optimum, and its three priors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import SEEDS, assert_close
from hypothesis import given
from hypothesis import strategies as st
from views import (
    D,
    J,
    K,
    commuting,
    crossed,
    dense_nll,
    generic,
    lowest,
    population,
    sharing,
)  # fmt: skip

import linssl
from linssl import Status, simvae
from linssl.objectives import factorised_simvae, simvae_elbo

KNOWN = {"style": 0.5, "noise": 0.3}
PRIORS = ["exact", "plug-in", "flat"]


def tau_of(prior, n, v):
    return {"exact": n + v, "plug-in": n, "flat": np.inf}[prior]


def minus_elbo(views, W, E, Q, s, v, n, prior):
    """-ELBO from the views' joint moments, (Jd, Jd): nothing rotated, nothing optimised."""
    d, k = W.shape
    moments = jnp.kron(jnp.ones((n, n)), views.shared) + jnp.kron(jnp.eye(n), views.spread)
    codes = jnp.kron(jnp.eye(n), E) @ moments @ jnp.kron(jnp.eye(n), E).T + jnp.kron(jnp.eye(n), Q)
    mean = jnp.ones((n, n)) / n  # projects on the mean channel
    fit = 0.0
    for j in range(n):
        M = moments[j * d : (j + 1) * d, j * d : (j + 1) * d]
        rest = jnp.eye(d) - W @ E
        fit += jnp.trace(rest @ M @ rest.T) + jnp.trace(W @ Q @ W.T)
    tau = tau_of(prior, n, v)
    precision = (0 if prior == "flat" else 1 / tau) * mean + (jnp.eye(n) - mean) / v
    prior_term = jnp.sum(jnp.kron(precision, jnp.eye(k)) * codes)
    two_pi = jnp.log(2 * jnp.pi)
    log_tau = jnp.log(n / (2 * jnp.pi)) if prior == "flat" else jnp.log(tau)
    normal = n * d * (two_pi + jnp.log(s)) + n * k * two_pi + k * (log_tau + (n - 1) * jnp.log(v))
    entropy = n * (k * (1 + two_pi) + jnp.linalg.slogdet(Q)[1])
    return (normal + fit / s + prior_term - entropy) / 2


@pytest.mark.witness("factorised-encoder")
@pytest.mark.x64
@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("problem", [commuting, generic])
def test_it_is_the_best_decoder_encoder_and_covariance(prior, problem):
    views = problem(1)
    found = linssl.check(factorised_simvae(views, K, J, **KNOWN, prior=prior))

    def loss(x):
        W, E = x[: D * K].reshape(D, K), x[D * K : 2 * D * K].reshape(K, D)
        L = jnp.exp(x[2 * D * K]) * jnp.eye(K) + x[2 * D * K + 1 :].reshape(K, K)
        return minus_elbo(views, W, E, L @ L.T + 1e-12 * jnp.eye(K), 0.3, 0.5, J, prior)

    best = lowest(loss, 2 * D * K + 1 + K * K, 0, starts=3)
    assert abs(float(found.loss) - best) < 1e-8
    assert float(found.loss) < best + 1e-11
    at = (found.decoder, found.encoder, found.covariance)
    written = float(minus_elbo(views, *at, 0.3, 0.5, J, prior))
    assert abs(float(found.loss) - written) < 1e-10
    bound = simvae_elbo(views, found.decoder, J, **KNOWN, prior=prior)
    assert_close(-bound.value, found.loss)
    assert_close(bound.encoder, found.encoder, cond=100)
    slopes = jax.grad(lambda *a: minus_elbo(views, *a, 0.3, 0.5, J, prior), (0, 1, 2))(*at)
    assert max(float(jnp.max(jnp.abs(slope))) for slope in slopes) < 1e-7
    if problem is commuting:
        assert int(found.iterations) == 4  # the closed form was the solution


@pytest.mark.witness("evidence-bound")
@pytest.mark.x64
@given(SEEDS, st.sampled_from(PRIORS))
def test_no_elbo_is_above_the_log_likelihood(seed, prior):
    rng = np.random.default_rng(seed)
    views, W = generic(seed % 20), rng.standard_normal((D, K)) * rng.exponential(1.0)
    v, s = np.exp(rng.uniform(-2, 2, 2))
    bound = float(simvae_elbo(views, W, J, style=v, noise=s, prior=prior).value)
    if prior == "flat":  # the limit of y ~ N(0, c), whose density is 1 at last
        c = 1e7
        limit = float(dense_nll(views, W, s, v, J, tau=J * c + v)) - K / 2 * np.log(2 * np.pi * c)
        assert bound <= -limit + 1e-3
    else:
        exact = float(dense_nll(views, W, s, v, J, tau=tau_of(prior, J, v)))
        assert bound <= -exact + 1e-9 * abs(exact)


@pytest.mark.witness("evidence-bound")
@pytest.mark.x64
def test_one_view_has_nothing_to_factorise_and_the_bound_is_tight():
    views = generic(0)
    bound = simvae_elbo(views, np.eye(D)[:, :K], 1, **KNOWN)
    exact = dense_nll(views, jnp.eye(D)[:, :K], 0.3, 0.5, 1)
    assert_close(bound.value, -exact, cond=10)


def test_its_optimum_is_below_that_of_the_likelihood():
    views = generic(2)
    bound = linssl.check(factorised_simvae(views, K, J, **KNOWN))
    assert float(bound.loss) > float(simvae(views, K, J, **KNOWN).loss)


@pytest.mark.x64
def test_a_local_maximum_that_is_no_better_than_none_is_not_taken():
    # Plug-in, J >= 3 and v > 2J(J-1)/(J-2): m = 0 can be a maximum of its own, and the better.
    n, v, b, w = 6, 400.0, 20.0, 0.1
    t, p, a = b + (n - 1) * w, b / n + (n - 1) * w / v, 1 / n + (n - 1) / v
    formula = p / (2 * n) * (1 + np.sqrt(1 - 4 * (n / t - a / p))) - p / t

    def value(m):
        return -(t * p / (m * t + p) + n * np.log(n * m + a)) / 2

    assert formula > 0.1
    assert value(formula) < value(0) - 0.3
    assert value(np.linspace(0, 10, 4001)).argmax() == 0
    S, G = np.eye(D) * t / n, np.eye(D) * (b - w) / n
    found = factorised_simvae(sharing(S, G), K, n, style=v, noise=1.0, prior="plug-in")
    assert np.abs(found.decoder).max() == 0
    assert int(found.status) == Status.COLLAPSED


def test_its_loss_has_gradients():
    views = generic(0)

    @jax.jit
    def loss(style, noise):
        return factorised_simvae(views, K, J, style=style, noise=noise).loss

    at = jnp.asarray([0.5, 0.3])
    step = 1e-4 if at.dtype == jnp.float64 else 3e-2
    slopes = jax.grad(loss, (0, 1))(*at)
    for slope, move in zip(slopes, step * jnp.eye(2), strict=True):
        difference = (loss(*(at + move)) - loss(*(at - move))) / (2 * step)
        np.testing.assert_allclose(slope, difference, rtol=3e-2)


def test_trouble_is_said_or_refused():
    S = np.diag([3.0, 2.0, 1.0, 0.5, 0.2])
    views = sharing(S, S)  # they don't differ
    found = factorised_simvae(views, K, J, **KNOWN, prior="flat")
    assert int(found.status) == Status.UNBOUNDED
    assert np.isnan(found.loss)
    found = factorised_simvae(generic(0), K, J, style=0.5, noise=1e3)
    assert int(found.status) == Status.COLLAPSED
    assert np.abs(found.encoder).max() == 0
    assert np.isnan(simvae_elbo(sharing(S, 2 * S), S[:, :K], J, **KNOWN).value)
    for arguments, match in (
        ({"style": 0.0}, "style must be a scalar > 0 and finite; got 0"),
        ({"prior": "sharp"}, "prior must be 'exact', 'plug-in' or 'flat'; got 'sharp'"),
        ({"group_size": 1, "prior": "flat"}, "group_size must be >= 2 with the flat prior"),
        ({"iterations": -1}, "iterations must be a whole number"),
    ):
        with pytest.raises(ValueError, match=match):
            factorised_simvae(views, **{"dim": K, "group_size": J} | KNOWN | arguments)
    with pytest.raises(ValueError, match=r"decoder must be \(5, k\), k <= 5; got \(2, 5\)"):
        simvae_elbo(views, np.ones((2, D)), J, **KNOWN)


@pytest.mark.x64
def test_axes_of_both_moments_together_find_what_orthogonal_bases_miss():
    # The reference is scipy's best of fourteen starts.
    C, N = crossed(250061, 5)
    v, s = 4.374892289655193, 1.0210376275793733
    found = linssl.check(factorised_simvae(population(C, N), 2, 5, style=v, noise=s, prior="flat"))
    assert abs(float(found.loss) - 43.25258123972577) < 1e-8
