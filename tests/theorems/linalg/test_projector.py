"""The projector's derivative: true where it exists, and never NaN."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, covariance

import linssl

D, K = 5, 2
SPECTRA = {
    "simple": [5.0, 4.0, 3.0, 2.0, 1.0],
    "repeated above": [4.0, 4.0, 3.0, 2.0, 1.0],
    "repeated below": [5.0, 4.0, 1.0, 1.0, 1.0],
    "both": [4.0, 4.0, -1.0, -1.0, -1.0],
}
rng = np.random.default_rng(0)
LOOK, STEP = (covariance(rng.standard_normal(D), seed) for seed in (1, 2))


@jax.jit
def seen(M):
    return jnp.sum(LOOK * linssl.linalg.projector(M, K))


slope = jax.jit(lambda M: jnp.sum(jax.grad(seen)(M) * STEP))


@pytest.mark.witness("derivative-of-a-projector")
@pytest.mark.x64
@pytest.mark.parametrize("spectrum", SPECTRA.values(), ids=SPECTRA)
def test_its_derivative_is_that_of_finite_differences_where_eigenvalues_repeat(spectrum):
    M, h = covariance(spectrum, 3), 1e-5
    want = (seen(M + h * STEP) - seen(M - h * STEP)) / (2 * h)
    np.testing.assert_allclose(slope(M), want, rtol=1e-8)  # truncation h^2, rounding eps / h


@pytest.mark.witness("derivative-of-a-projector")
def test_it_projects():
    P = linssl.linalg.projector(covariance(SPECTRA["both"], 3), K)
    assert_close(P @ P, P)
    assert_close(jnp.trace(P), jnp.asarray(float(K)))


def test_its_derivative_is_finite_at_every_tie():
    for spectrum in ([1.0] * D, [0.0] * D, [2.0, 1.0, 1.0, 1.0, 0.0]):
        assert np.isfinite(slope(jnp.diag(jnp.asarray(spectrum))))
