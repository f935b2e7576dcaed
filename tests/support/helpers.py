"""One tolerance, problems from prescribed spectra, and sampling checks by standard error."""

import contextlib

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st
from jaxtyping import config

from linssl.testing import rotated

SEEDS = st.integers(0, 2**16)


def eps(array) -> float:
    """Rounding unit of an array's dtype."""
    return float(jnp.finfo(jnp.asarray(array).dtype).eps)


def assert_close(got, want, *, cond=1.0, factor=200.0):
    """Assert equality to rounding: factor * eps * cond, relative to the largest entry wanted.

    `cond` is the condition number (or 1/gap) by which the problem amplifies rounding; `factor`
    covers the accumulated operations at the small sizes of tests.
    """
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape, (got.shape, want.shape)
    tolerance = factor * max(eps(got), eps(want)) * cond
    scale = max(np.abs(want).max(initial=0.0), 1e-300)
    np.testing.assert_allclose(got, want, rtol=0, atol=tolerance * scale)


def assert_sampled(samples, want, *, errors=5.0):
    """Assert that the mean over axis 0 is `want` within 5 standard errors of that mean."""
    samples, want = np.asarray(samples, float), np.asarray(want, float)
    error = samples.std(0, ddof=1) / np.sqrt(len(samples))
    rounding = 1e3 * np.finfo(np.float32).eps * np.abs(want).max(initial=0.0)
    difference = np.abs(samples.mean(0) - want)
    assert (difference <= errors * error + rounding * 1e-3).all(), (
        difference / np.maximum(error, 1e-300)
    ).max()


def rotation(seed: int, size: int):
    """A random rotation."""
    matrix = np.random.default_rng(seed).standard_normal((size, size))
    return jnp.asarray(np.linalg.qr(matrix)[0])


def covariance(spectrum, seed: int):
    """A symmetric matrix with prescribed eigenvalues and a random rotation, exactly symmetric."""
    return jnp.asarray(rotated(np.asarray(spectrum), seed))


def invertible(seed: int, size: int, cond: float = 10.0):
    """A random invertible matrix with condition number `cond`."""
    U, V = (np.asarray(rotation(seed + i, size), float) for i in (0, 1))
    return jnp.asarray((U * np.geomspace(1, cond, size)) @ V.T)


def same_rows(a, b):
    """Whether two encoders have the same row space, as the largest sine of an angle."""
    Qa, Qb = (np.linalg.qr(np.asarray(m, float).T)[0] for m in (a, b))
    return np.linalg.norm(Qb - Qa @ (Qa.T @ Qb), 2)


def correlated_pair(seed: int, d: int = 4, noise: float = 0.5):
    """Base covariance, augmentation covariance: a generic, well-conditioned problem."""
    rng = np.random.default_rng(seed)
    C = covariance(np.sort(rng.uniform(0.5, 4.0, d))[::-1], seed + 1)
    Theta = covariance(noise * rng.uniform(0.5, 2.0, d), seed + 2)
    return C, Theta


@contextlib.contextmanager
def any_types():
    """Let arguments of any type through, as they are in a user's process, which checks none."""
    config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        config.update("jaxtyping_disable", False)


def jax_key(seed: int):
    return jax.random.key(seed)
