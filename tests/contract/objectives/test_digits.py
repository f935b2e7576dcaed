"""Digits that the data have reach the cut, and those that they lack are said to be lacking."""

import jax
import numpy as np
import pytest
from scipy.linalg import subspace_angles

import linssl
from linssl import Status, objectives
from linssl.augmentations import Dropout, GaussianNoise

NOISE = GaussianNoise(np.full(6, 0.5))
OBJECTIVES = {
    "joint_embedding": lambda X: linssl.joint_embedding(linssl.two_views(X, NOISE), 2),
    "reconstruction": lambda X: linssl.reconstruction(linssl.view_and_clean(X, NOISE), 2),
    "canonical_correlation": lambda X: linssl.canonical_correlation(
        linssl.two_views(X, NOISE).as_pair(), 2
    ),
    "alignment_only": lambda X: objectives.alignment_only(linssl.two_views(X, NOISE), 2),
    "barlow_twins": lambda X: objectives.barlow_twins(linssl.two_views(X, NOISE), 2),
}


def of_gap(gap, seed, n=500, d=6):
    """Rows of mean 0 whose second and third variances, 3, differ by a share."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    X = np.linalg.svd(X - X.mean(0), full_matrices=False)[0] * n**0.5
    variances = np.array([4, 3, 3 * (1 - gap), 1, 1, 1])
    return X * variances**0.5 @ np.linalg.qr(rng.standard_normal((d, d)))[0]


def apart(s, t):
    return np.sin(subspace_angles(np.asarray(s.encoder).T, np.asarray(t.encoder).T).max())


@pytest.mark.x64
@pytest.mark.parametrize("solve", OBJECTIVES.values(), ids=OBJECTIVES)
def test_a_mean_hides_no_gap_of_data_that_hold_it(solve):
    for seed in range(5):
        X = of_gap(1e-6, seed)
        s = solve(X + 1e5)
        assert int(s.status) == 0
        assert apart(s, solve(X)) < 1e-3


@pytest.mark.x64
@pytest.mark.parametrize("solve", OBJECTIVES.values(), ids=OBJECTIVES)
@pytest.mark.parametrize(("mean", "clear", "lost"), [(10, 1e-4, 1e-8), (1e3, 1e-2, 1e-6)])
def test_a_gap_that_steps_of_the_data_hide_is_none(solve, mean, clear, lost):
    # Steps of single precision correlate with the data by chance, and make a gap of their own.
    for seed in range(5):
        X = of_gap(clear, seed)
        s = solve((X + mean).astype(np.float32))
        assert int(s.status) == 0
        assert apart(s, solve(X)) < 0.1
        assert int(solve((of_gap(lost, seed) + mean).astype(np.float32)).status) == Status.NO_GAP


@pytest.mark.parametrize("noise", [1e-4, 1e-2, 1.0])
def test_a_loss_that_little_noise_leaves_keeps_its_digits(noise):
    rng = np.random.default_rng(0)
    pixels = rng.standard_normal((500, 8)) @ rng.standard_normal((8, 8)) * 30 + 128
    X = np.clip(pixels.round(), 0, 255)
    g = np.linalg.eigvalsh(np.cov(X.T, bias=True))[::-1] / noise
    kind = np.dtype(jax.dtypes.canonicalize_dtype(float))
    views = linssl.two_views(X.astype(kind), GaussianNoise(np.full(8, noise, kind)))
    for dim in (1, 3):
        s = linssl.joint_embedding(views, dim)
        assert int(s.status) == 0
        np.testing.assert_allclose(s.loss, 2 * np.sum(1 / (1 + g[:dim])), rtol=1e-5)


def test_small_scores_that_little_noise_leaves_no_digits_are_said_to_have_none():
    rng = np.random.default_rng(0)
    kind = np.dtype(jax.dtypes.canonicalize_dtype(float))
    theta = 1e-3
    for small, lost in ((1e3, False), (0.1, True)):
        share = np.array([1, 0.5, 0.2, 3 * small * np.finfo(kind).eps, small * np.finfo(kind).eps])
        g = share / (0.01 * np.finfo(kind).eps)
        X = rng.standard_normal((500, 5)) * (theta * g) ** 0.5
        X = X @ np.linalg.qr(rng.standard_normal((5, 5)))[0]
        views = linssl.two_views(X.astype(kind), GaussianNoise(np.full(5, theta, kind)))
        s = linssl.joint_embedding(views, 2)
        assert int(s.status) == (Status.ILL_CONDITIONED if lost else Status.OK)
        g = np.linalg.eigvalsh(np.cov(X.T, bias=True))[::-1] / theta
        np.testing.assert_allclose(s.loss, 2 * np.sum(1 / (1 + g[:2])), rtol=1e-5)


@pytest.mark.x64
@pytest.mark.parametrize("mean", [0, 1e3, 1e6])
def test_correlations_of_two_masks_beside_a_mean_are_those_of_long_doubles(mean):
    X = np.random.default_rng(0).standard_normal((500, 3)) + mean
    pair = linssl.augment_sides(linssl.same_instance(X).as_pair(), Dropout(0.3), Dropout(0.2))
    about = X.astype(np.longdouble) - X.astype(np.longdouble).mean(0)
    C = about.T @ about / len(X)
    raw = np.diag(C) + X.astype(np.longdouble).mean(0) ** 2
    first, second = (C + np.diag((1 - q) / q * raw) for q in (0.3, 0.2))
    F, H = (np.linalg.cholesky(np.asarray(M, float)) for M in (first, second))
    want = np.linalg.svd(np.linalg.solve(F, np.linalg.solve(H, np.asarray(C, float)).T).T)[1]
    np.testing.assert_allclose(linssl.canonical_correlation(pair, 1).spectrum, want, rtol=1e-8)


@pytest.mark.x64
@pytest.mark.parametrize("name", ["joint_embedding", "reconstruction"])
def test_a_strong_feature_hides_no_blurred_one(name):
    rng = np.random.default_rng(0)
    noise = GaussianNoise(np.full(4, 0.1))
    for mean, lost in ((1e3, False), (1e7, True)):
        X = rng.standard_normal((500, 4)) * [1e6, 1, 0.5, 0.2] + [0, mean, 0, 0]
        data = X.astype(np.float32)
        solve = {
            "joint_embedding": lambda x: linssl.joint_embedding(linssl.two_views(x, noise), 1),
            "reconstruction": lambda x: linssl.reconstruction(linssl.view_and_clean(x, noise), 1),
        }[name]
        s = solve(data)
        assert int(s.status) == (Status.SINGULAR if lost else Status.OK)
        if not lost:
            np.testing.assert_allclose(s.spectrum, solve(X).spectrum, rtol=1e-4)
