"""AdaSSL: the closed form against its own end-to-end linear model, its channel, and its limits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy
from helpers import assert_close, assert_sampled, covariance, eps, invertible, rotation
from problems import clean_and_view, two_views

import linssl
from linssl import Status
from linssl.objectives import adassl

D, K = 3, 2
SPECTRA = {"spread": (0.95, 0.7, 0.3), "close": (0.8, 0.75, 0.1)}
BETAS = (0.05, 0.4, 0.8)


def gaussian_pair(correlation, seed=0):
    """X and x+ of given canonical correlations, both mixed by invertible maps."""
    rho = np.asarray(correlation, float)
    A, B = (np.asarray(invertible(seed + i, rho.size, 3.0), float) for i in (0, 1))
    S, C = (jnp.asarray((M @ M.T + (M @ M.T).T) / 2) for M in (A, B))
    zero = jnp.zeros(rho.size, S.dtype)
    return linssl.PairMoments(S, C, (A * rho) @ B.T, zero, zero, np.inf, np.inf)


def end_to_end(form, theta, S, C, G, beta):
    """Population loss of encoders, predictor, q(r|x, x+) and p(r|x), from moments alone."""
    cut = 5 * K * D
    W, F, B, Cq, M = theta[:cut].reshape(5, K, D)
    H, root_q, root_p = theta[cut:].reshape(3, K, K)
    half_q, half_p = (
        jnp.tril(R, -1) + jnp.diag(jnp.exp(jnp.diagonal(R))) for R in (root_q, root_p)
    )
    if form == "distillation":
        W = jnp.linalg.solve(jnp.linalg.cholesky(W @ C @ W.T), W)
    joint, both = jnp.block([[S, G], [G.T, C]]), jnp.hstack([B, Cq])
    noise = half_q @ half_q.T
    r_joint = both @ joint  # E[r (x, x+)^T]
    rr = both @ joint @ both.T + noise
    xr = r_joint[:, :D].T
    ff = F @ S @ F.T + F @ xr @ H.T + (F @ xr @ H.T).T + H @ rr @ H.T
    gf = W @ (G.T @ F.T + r_joint[:, D:].T @ H.T)
    gg = W @ C @ W.T
    shift = jnp.hstack([B - M, Cq])
    second = noise + shift @ joint @ shift.T
    kl = jnp.trace(jax.scipy.linalg.cho_solve((half_p, True), second)) - K
    kl = kl / 2 + jnp.sum(jnp.log(jnp.diagonal(half_p)) - jnp.log(jnp.diagonal(half_q)))
    if form == "distillation":
        return (jnp.trace(gg) - 2 * jnp.trace(gf) + jnp.trace(ff)) / 2 + beta * kl
    return K / 2 - jnp.trace(gf) + jnp.trace(ff @ gg) / 2 + beta * kl


@pytest.fixture(scope="module")
def optimum():
    """Best end-to-end loss of three L-BFGS runs from random starts."""
    compiled = jax.jit(jax.value_and_grad(end_to_end, argnums=1), static_argnums=0)

    def solve(form, pair, beta):
        def both(theta):
            value, grad = compiled(
                form, jnp.asarray(theta), pair.first, pair.second, pair.cross, jnp.asarray(beta)
            )
            return float(value), np.asarray(grad)

        starts = 0.5 * np.random.default_rng(0).standard_normal((3, 5 * K * D + 3 * K * K))
        options = {"maxiter": 5000, "maxfun": 10_000, "ftol": 1e-14, "gtol": 1e-9, "maxcor": 30}
        runs = (
            scipy.optimize.minimize(both, x, jac=True, method="L-BFGS-B", options=options)
            for x in starts
        )
        return min(run.fun for run in runs)

    return solve


@pytest.mark.witness("adassl")
@pytest.mark.x64
@pytest.mark.parametrize("spectrum", SPECTRA.values(), ids=SPECTRA)
@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("form", ["distillation", "bilinear"])
def test_the_end_to_end_linear_model_reaches_the_closed_form_and_no_better(
    optimum, spectrum, beta, form
):
    pair = gaussian_pair(spectrum)
    closed = float(linssl.check(adassl(pair, K, beta)).loss)
    best = optimum(form, pair, beta)
    assert abs(best - closed) < 1e-4
    assert best > closed - 1e-9


def channel(s, dim):
    """Parameters of q and p in canonical coordinates: gain, variance of q, variance of p."""
    eta, left = (np.asarray(a, float)[:dim] for a in (s.uncertainty, s.distortion))
    gain = 1 - left / eta
    return gain, left * gain, eta - left


@pytest.mark.witness("lifted-weights")
@pytest.mark.x64
@pytest.mark.parametrize("beta", BETAS)
def test_lifted_weights_solve_the_generalised_eigenproblem(beta):
    rho = np.array(SPECTRA["spread"])
    pair = gaussian_pair(rho)
    s = linssl.check(adassl(pair, D, beta))
    gain, noise, _ = channel(s, D)
    # The joint law of (x, r, x+) for r = gain (b - rho a) + noise, and Cov(x+ | x, r) from it.
    W, V = np.asarray(s.encoder), np.asarray(s.second_encoder)
    S, C, G = (np.asarray(m) for m in (pair.first, pair.second, pair.cross))
    joint = np.block([[S, G], [G.T, C]])
    read = np.hstack([-(gain * rho)[:, None] * W, gain[:, None] * V])
    full = np.block([[joint, joint @ read.T], [read @ joint, read @ joint @ read.T]])
    full[2 * D :, 2 * D :] += np.diag(noise)
    used = [*range(D), *(2 * D + np.flatnonzero(gain > 0))]
    known, cross = full[np.ix_(used, used)], full[D : 2 * D, used]
    remaining = C - cross @ np.linalg.solve(known, cross.T)
    squares = scipy.linalg.eigh(C - remaining, C, eigvals_only=True)[::-1]
    np.testing.assert_allclose(squares, np.sort(s.weight)[::-1], atol=1e-12)
    np.testing.assert_allclose(s.weight, np.maximum(rho**2, 1 - beta), atol=1e-12)


@pytest.mark.witness("adassl")
@pytest.mark.x64
def test_sampled_pairs_have_the_loss_and_the_rate(key):
    pair, beta, n = gaussian_pair(SPECTRA["spread"]), 0.2, 40_000
    s = linssl.check(adassl(pair, K, beta))
    joint = jnp.block([[pair.first, pair.cross], [pair.cross.T, pair.second]])
    keys = jax.random.split(key)
    both = jax.random.normal(keys[0], (n, 2 * D)) @ jnp.linalg.cholesky(joint).T
    a, b = np.asarray(s(both[:, :D])), np.asarray(both[:, D:] @ s.second_encoder.T)
    gain, q, p = (c[None, :] for c in channel(s, K))
    used = gain > 0
    mean = gain * (b - np.asarray(s.correlation)[None, :K] * a)
    r = mean + np.sqrt(q) * np.asarray(jax.random.normal(keys[1], (n, K)))
    error = b - np.asarray(s.correlation)[None, :K] * a - r
    p, q = (np.where(used, v, 1) for v in (p, q))  # without r the log ratio is 0
    log_ratio = used * (r**2 / p - (r - mean) ** 2 / q + np.log(p / q)) / 2
    assert_sampled(error**2, s.distortion[:K])
    assert_sampled(log_ratio, s.rate[:K])
    assert_sampled(np.sum(error**2 / 2 + beta * log_ratio, 1), s.loss)


@pytest.mark.witness("adassl")
def test_a_high_price_is_joint_embedding_exactly():
    C, Theta = clean_and_view(0)
    je = linssl.joint_embedding(two_views(C, Theta), 2)
    views = two_views(C, Theta).as_pair()
    highest = float(jnp.max(adassl(views, 2, 1.0).uncertainty))
    for pair in (views, gaussian_pair(SPECTRA["spread"])):
        cca = linssl.canonical_correlation(pair, 2)
        for beta in (1.0, 7.0, jnp.inf):
            s = adassl(pair, 2, beta)
            assert (s.encoder == cca.encoder).all()
            assert (s.second_encoder == cca.second_encoder).all()
            assert (s.spectrum == cca.spectrum).all()
            assert s.gap == cca.gap
            assert (s.rate == 0).all()
            assert_close(s.loss, jnp.sum(1 - cca.spectrum[:2] ** 2) / 2)
    s = adassl(views, 2, highest)
    assert (s.rate == 0).all()
    for W in (s.encoder, s.second_encoder):  # row by row; only signs are free
        sign = jnp.sign(jnp.sum(W * je.encoder, 1, keepdims=True))
        assert_close(sign * W, je.encoder, cond=400 / float(je.gap))


def test_the_latent_changes_weights_but_neither_encoders_nor_order():
    pair = gaussian_pair(SPECTRA["spread"])
    cheap, dear = adassl(pair, 2, 0.01), adassl(pair, 2, 1.0)
    assert (cheap.encoder == dear.encoder).all()
    assert_close(cheap.weight[:2], jnp.full(2, 0.99))  # tied, and yet identified:
    assert int(cheap.status) == 0
    assert cheap.gap > 0.3
    assert (jnp.diff(cheap.value) < 0).all()
    assert (jnp.diff(dear.weight) < 0).all()
    ties = adassl(gaussian_pair((0.8, 0.5, 0.5)), 2, 0.5)
    assert int(ties.status) == Status.NO_GAP


@pytest.mark.x64
def test_the_loss_falls_with_a_cheaper_latent_at_the_slope_of_the_rate():
    pair = gaussian_pair(SPECTRA["spread"])
    betas = jnp.asarray([0.02, 0.1, 0.3, 0.6, 0.95, 1.5])

    def cell(beta):
        s = adassl(pair, 2, beta)
        slope = jax.grad(lambda b: adassl(pair, 2, b).loss)(beta)
        return {"slope": slope, "rate": jnp.sum(s.rate[:2]), "loss": s.loss, "status": s.status}

    got = linssl.runtime.over_cells(cell, beta=betas)
    assert_close(got["slope"], got["rate"])
    assert (jnp.diff(got["loss"]) >= 0).all()
    assert (got["status"] == 0).all()
    assert_close(got["loss"][2], adassl(pair, 2, betas[2]).loss)


def test_a_target_without_noise_of_its_own_needs_no_latent():
    C = covariance([2.0, 1.0, 0.5], 0)
    A = invertible(3, D, 2.0).astype(C.dtype)
    zero = jnp.zeros(D, C.dtype)
    s = adassl(linssl.PairMoments(C, A @ C @ A.T, C @ A.T, zero, zero, jnp.inf, jnp.inf), 3, 0.3)
    assert int(s.status) == 0
    assert_close(s.weight, jnp.ones(D, C.dtype), cond=10)
    assert (s.rate == 0).all()
    assert np.abs(s.loss) < 1e3 * eps(C)


@pytest.mark.parametrize(("beta", "weight"), [(0.3, 0.7), (1.0, 0.0), (2.0, 0.0)])
def test_without_dependence_the_weight_comes_from_the_latent_alone(beta, weight):
    pair = gaussian_pair((0.0, 0.0, 0.0))
    s = adassl(pair, 2, beta)
    assert int(s.status) == Status.NO_GAP | Status.BEYOND_RANK
    assert_close(s.weight, jnp.full(D, weight, s.weight.dtype))
    assert_close(s.uncertainty, jnp.ones(D, s.weight.dtype))


def test_a_nearly_free_latent_explains_everything():
    pair = gaussian_pair(SPECTRA["spread"])
    s = adassl(pair, 2, 1e-3)
    assert int(s.status) == 0
    assert_close(s.distortion, jnp.full(D, 1e-3, s.weight.dtype), cond=1e3)
    assert s.loss < 0.01
    # Where rounding decides what is uncertain, the numbers stay and the status says so.
    exact = adassl(gaussian_pair((1.0, 0.5, 0.3)), 2, 10 * eps(pair.cross))
    assert int(exact.status) & Status.ILL_CONDITIONED


def test_a_singular_target_is_said():
    good = gaussian_pair(SPECTRA["spread"])
    null = jnp.diag(jnp.asarray([1.0, 1.0, 0.0], good.first.dtype))
    rest = good.mean_first, good.mean_second, good.count, good.draws
    C, G = null @ good.second @ null, good.cross @ null
    for pair in (
        linssl.PairMoments(good.first, C, G, *rest),
        linssl.PairMoments(C, good.first, G.T, *rest),
    ):
        s = adassl(pair, 2, 0.5)
        assert int(s.status) == Status.SINGULAR
        fields = (s.encoder, s.second_encoder, s.weight, s.rate, s.value, s.loss)
        assert all(jnp.isnan(a).all() for a in fields)
        with pytest.raises(linssl.objectives.NumericalTroubleError, match="GaussianNoise"):
            linssl.check(s)


def test_sides_of_different_size_and_a_rotated_code_fit():
    x = np.random.default_rng(0).standard_normal((60, 4))
    y = x[:, :2] @ np.asarray(rotation(0, 2)) + 0.5
    pair = linssl.pairs.two_modalities(x, y + 0.3 * x[:, 2:])
    s = adassl(pair, 2, 0.5)
    assert s.encoder.shape == (2, 4)
    assert s.second_encoder.shape == (2, 2)
    assert s.weight.shape == s.correlation.shape == (2,)


@pytest.mark.parametrize("beta", [0, -1.0, np.nan])
def test_a_free_latent_is_refused(beta):
    with pytest.raises(ValueError, match=r"copies the target free of charge\) must lie in \(0, i"):
        adassl(gaussian_pair(SPECTRA["spread"]), 2, beta)


def test_a_free_latent_inside_a_trace_is_unbounded():
    pair = gaussian_pair(SPECTRA["spread"])
    s = jax.jit(lambda beta: adassl(pair, 2, beta))(jnp.asarray(-0.5))
    assert int(s.status) == Status.UNBOUNDED
    assert jnp.isnan(s.encoder).all()
    assert "copies the target at no price" in linssl.explain(s)
