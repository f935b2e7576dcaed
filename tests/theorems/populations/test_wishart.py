"""Moments without samples have the law of moments of samples, for any n, n < d included."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, assert_sampled, covariance, jax_key
from scipy.stats import kstest

import linssl

DRAWS = 3000


@partial(jax.jit, static_argnums=0)
def over_keys(function, keys, arguments):
    return jax.lax.map(lambda key: function(key, *arguments), keys)


def draws(function, *arguments, count=DRAWS, seed=0):
    """Stack `function(key, *arguments)` over keys, on host arrays; compiled once a function."""
    keys = jax.random.split(jax_key(seed), count)
    return jax.tree_util.tree_map(np.asarray, over_keys(function, keys, arguments))


def noise_rows(C, n):
    """DRAWS samples of n rows of covariance C, by numpy alone."""
    values, Q = np.linalg.eigh(np.diag(C) if np.ndim(C) == 1 else np.asarray(C, float))
    rng = np.random.default_rng(1)
    return rng.standard_normal((DRAWS, n, len(values))) @ (Q * np.sqrt(values.clip(0))).T


def averages(u, v):
    """Cov(u, v) over the rows of every sample, divisor n."""
    u, v = (x - x.mean(1, keepdims=True) for x in (u, v))
    return np.einsum("kni,knj->kij", u, v) / u.shape[1]


def same_law(a, b):
    """Two-sample check of mean and variance of every entry, within 5 standard errors."""
    # Of entries that don't vary at all: a root by eigenvectors, squared, in the precision of a.
    rounding = max(1e-5, 300 * float(np.finfo(a.dtype).eps)) * np.abs(a).max()
    for power, x, y in ((1, a, b), (2, (a - a.mean(0)) ** 2, (b - b.mean(0)) ** 2)):
        error = np.sqrt(x.var(0) / len(x) + y.var(0) / len(y))
        assert (np.abs(x.mean(0) - y.mean(0)) <= 5 * error + rounding**power).all()


@pytest.mark.parametrize("m", [1, 3, 50])
def test_wishart_has_its_mean_variance_and_rank(m):
    d = 4
    W = draws(lambda key: linssl.populations.wishart_root(key, m, d))
    W = W @ W.swapaxes(1, 2)
    assert_sampled(W, m * np.eye(d))
    # Var W_ij = m (1 + [i = j]); the variance's own error comes with its squares.
    assert_sampled((W - m * np.eye(d)) ** 2, m * (1 + np.eye(d)))
    assert (np.linalg.matrix_rank(W[:50], tol=1e-3) == min(m, d)).all()


@pytest.mark.parametrize("m", [0, -3])
def test_wishart_without_degrees_of_freedom_is_zero(m):
    assert_close(linssl.populations.wishart_root(jax_key(0), m, 3), jnp.zeros((3, 3)))


@pytest.mark.x64
def test_wishart_at_a_million_million_samples_is_the_covariance_to_a_millionth():
    n = 1e12
    W = draws(lambda key: linssl.populations.wishart_root(key, n, 3), count=400) / np.sqrt(n)
    W = W @ W.swapaxes(1, 2)
    assert np.abs(W - np.eye(3)).max() < 1e-5
    assert_sampled((W - np.eye(3)) ** 2 * n, 1 + np.eye(3))


@pytest.mark.parametrize("n", [1e3, 1e7, 1e10, 1e12])
def test_covariances_of_many_samples_keep_their_fluctuation_up_to_the_steps_of_the_precision(n):
    C = jnp.array([1.0, 3.0])
    S = draws(lambda key: linssl.populations.gaussian_moments(key, C, n)[0])
    z = (S.astype(float) - np.diag(C) * (1 - 1 / n)) * np.sqrt(n)
    assert_sampled(z, np.zeros((2, 2)))
    assert_sampled(z**2, np.array([[2.0, 3.0], [3.0, 18.0]]))
    steps = np.sqrt(2 / n) / float(np.finfo(S.dtype).eps)  # of the precision, in a deviation
    assert len(np.unique(S[:, 0, 0])) > min(2 * steps, 1000)


@pytest.mark.parametrize("n", [1, 2, 40])
@pytest.mark.parametrize("shape", ["diagonal", "dense", "singular"])
def test_gaussian_moments_have_the_law_of_sampled_ones(n, shape):
    spectrum = [2.0, 1.0, 0.0 if shape == "singular" else 0.3]
    C = jnp.asarray(spectrum) if shape == "diagonal" else covariance(spectrum, 0)
    noise = linssl.GaussianNoise(C)

    def sampled(key):
        views = linssl.same_instance(noise.sample(key, jnp.zeros((n, 3), C.dtype)))
        return views.shared, views.mean

    for a, b in zip(
        draws(lambda key: linssl.populations.gaussian_moments(key, C, n)),
        draws(sampled, seed=1),
        strict=True,
    ):
        same_law(a, b)


CLEAN = np.random.default_rng(0).standard_normal((60, 4)) * [2.0, 1.0, 0.0, 0.0] + [1, 0, 0, 0]
LABELS = CLEAN[:, :2] @ np.array([[1.0, 0.5], [0.2, -1.0]]) + np.random.default_rng(1).normal(
    size=(60, 2)
)
GAMMAS = {
    "on the noise": jnp.asarray([0.0, 0.0, 3.0, 1.0]),
    "on everything": jnp.asarray([0.5, 0.1, 3.0, 1.0]),
    "dense": covariance([3.0, 1.0, 0.5, 0.0], 5),
}


def labelled_moments(key, data, Gamma):
    label = data.sample_moments(key, Gamma).label
    assert label is not None
    return label.first, label.cross, label.mean_first, label.second


@pytest.mark.parametrize("n", [1, 3, 60])
@pytest.mark.parametrize("Gamma", GAMMAS.values(), ids=GAMMAS)
def test_noisy_moments_have_the_law_of_sampled_ones(n, Gamma):
    X, Y = CLEAN[:n], LABELS[:n]
    data = linssl.NoisyData.from_pair(linssl.with_label(jnp.asarray(X), jnp.asarray(Y)))
    x, y = X + noise_rows(Gamma, n), np.broadcast_to(Y, (DRAWS, *Y.shape))
    sampled = averages(x, x), averages(x, y), x.mean(1), averages(y, y)
    for a, b in zip(draws(labelled_moments, data, Gamma), sampled, strict=True):
        same_law(a, b)


@pytest.mark.x64
@pytest.mark.parametrize("n", [2, 4, 30])
def test_distances_from_exact_and_from_sampled_moments_pass_kolmogorov_smirnov(n):
    population = linssl.populations.Spiked([3.0, 1.5], [4.0, 2.0, 1.0])
    view = population.aligned(0.3, 0.8)

    def distances(data):
        data = data if n > 2 else data.about_zero()  # else one direction is all there is
        je = linssl.joint_embedding(linssl.two_views(data, view), 2)
        rc = linssl.reconstruction(linssl.view_and_clean(data, view), 2)
        axes = jnp.eye(2, 5)
        return jnp.stack([linssl.subspace_distance(s.encoder, axes) for s in (je, rc)])

    exact = draws(lambda key: distances(population.sample_moments(key, n).corrupted), count=2000)
    sampled = draws(
        lambda key: distances(linssl.same_instance(population.sample(key, n).corrupted)),
        count=2000,
        seed=1,
    )
    for which in (0, 1):
        assert kstest(exact[:, which], sampled[:, which]).pvalue > 1e-3


def test_clean_and_corrupted_moments_of_one_draw_share_their_signal():
    draw = linssl.populations.Spiked([3.0, 1.5], [4.0]).sample_moments(jax_key(0), 10)
    assert_close(draw.clean.shared[:2, :2], draw.corrupted.shared[:2, :2])
    assert_close(draw.clean.shared[2], jnp.zeros(3))
    assert_close(draw.clean.mean[:2], draw.corrupted.mean[:2])
    assert_close(draw.clean.mean[2:], jnp.zeros(1))


def test_no_noise_gives_the_clean_moments_back():
    pair = linssl.with_label(CLEAN, LABELS)
    same, label = linssl.NoisyData.from_pair(pair).sample_moments(jax_key(0), jnp.zeros(4))
    assert label is not None
    for got, want in (
        (same.shared, pair.first), (label.cross, pair.cross), (label.second, pair.second),
        (label.mean_second, pair.mean_second), (same.mean, pair.mean_first),
        (label.draws, pair.draws), (same.count, pair.count),
    ):  # fmt: skip
        assert_close(got, want, cond=10.0)


@pytest.mark.parametrize("Gamma", [jnp.asarray([3.0, 1.0]), covariance([3.0, 1.0], 5)], ids=str)
@pytest.mark.parametrize("n", [1, 3, 60])
def test_appended_noise_is_noise_on_features_that_clean_data_lack(n, Gamma):
    X, Y = jnp.asarray(CLEAN[:n, :2]), jnp.asarray(LABELS[:n])
    data = linssl.NoisyData.from_pair(linssl.with_label(X, Y), appended=2)
    noise = linssl.GaussianNoise(Gamma)

    def exact(key):
        same, label = data.sample_moments(key, Gamma)
        assert label is not None
        return same.shared, label.first, label.cross, label.mean_first, label.second

    def sampled(key):
        rows = jnp.concatenate([X, noise.sample(key, jnp.zeros((n, 2), X.dtype))], axis=1)
        label = linssl.with_label(rows, Y)
        return label.first, label.first, label.cross, label.mean_first, label.second

    for a, b in zip(draws(exact), draws(sampled, seed=1), strict=True):
        same_law(a, b)


def test_no_appended_noise_leaves_zeros_behind_the_features():
    pair = linssl.with_label(CLEAN[:, :2], LABELS)
    data = linssl.NoisyData.from_pair(pair, appended=3)
    label = data.sample_moments(jax_key(0), jnp.zeros(3)).label
    assert label is not None
    assert_close(label.first[:2, :2], pair.first, cond=10.0)
    assert_close(label.cross[:2], pair.cross, cond=10.0)
    assert_close(label.second, pair.second, cond=10.0)
    assert float(jnp.max(jnp.abs(label.first[2:]))) == 0
    assert float(jnp.max(jnp.abs(label.cross[2:]))) == 0


def test_same_instance_data_have_no_label():
    data = linssl.NoisyData.from_pair(linssl.same_instance(CLEAN))
    assert data.sample_moments(jax_key(0), jnp.ones(4)).label is None


def test_n_is_traced_so_that_a_sweep_over_it_compiles_once():
    traces = []

    def cell(n):
        traces.append(n)
        return (
            linssl.populations.Spiked([1.0], [1.0]).sample_moments(jax_key(0), n).corrupted.shared
        )

    found = linssl.runtime.over_cells(cell, n=jnp.asarray([1.0, 10.0, 1e6]))
    assert len(traces) == 1
    assert np.isfinite(found).all()
