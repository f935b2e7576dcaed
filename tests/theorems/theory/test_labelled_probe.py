"""A probe fitted to n labels costs what least squares on Gaussians does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, assert_sampled

import linssl
from linssl.theory import labelled_probe_risk


@pytest.mark.witness("labelled-probe")
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("n", [9, 30])
def test_fitted_probes_have_the_expected_risk(n, intercept):
    # Codes of 6 features and a label that depends on all of them; the risk is that of the moments.
    rng, draws, k = np.random.default_rng(n), 4000, 3
    S = np.cov(rng.standard_normal((7, 20)))
    root, W = np.linalg.cholesky(S), rng.standard_normal((k, 6))
    pair = linssl.PairMoments(
        jnp.asarray(S[:6, :6]), jnp.asarray(S[6:, 6:]), jnp.asarray(S[:6, 6:]),
        jnp.zeros(6), jnp.zeros(1), np.inf, np.inf,
    )  # fmt: skip
    risk = float(jax.jit(linssl.metrics.probe_risk)(W, pair))
    rows = rng.standard_normal((draws, n, 7)) @ root.T
    Z, y = rows[..., :6] @ W.T, rows[..., 6:]
    if intercept:
        Z = np.concatenate([Z, np.ones((draws, n, 1))], 2)
    B = (np.linalg.pinv(Z) @ y)[..., 0]
    # |y - bz - a|^2 over a fresh draw, exactly: a quadratic form of the moments
    loss = np.append(B[:, :k] @ -W, np.ones((draws, 1)), 1)
    got = np.einsum("ni,ij,nj->n", loss, S, loss) + (B[:, k] ** 2 if intercept else 0)
    assert_sampled(got, float(labelled_probe_risk(risk, k, n, intercept=intercept)))


def test_limits_of_infinitely_many_and_of_too_few_labels():
    R = jnp.asarray([0.5, 0.0])
    assert_close(labelled_probe_risk(R, 3, np.inf), R)
    n, k = 20, 3
    want = (n + 1) * (n - 2) / (n * (n - k - 2))
    assert_close(labelled_probe_risk(1.0, k, n), jnp.asarray(want))
    assert_close(
        labelled_probe_risk(1.0, k, n, intercept=False), jnp.asarray((n - 1) / (n - k - 1))
    )
    assert jnp.isinf(labelled_probe_risk(1.0, 3, [4, 5])).all()
    assert jnp.isinf(labelled_probe_risk(1.0, 3, [3, 4], intercept=False)).all()
    assert labelled_probe_risk(0.0, 3, 4) == 0
    assert jnp.isnan(jax.jit(lambda n: labelled_probe_risk(1.0, 3, n))(3))
    with pytest.raises(ValueError, match=r"labels must be whole numbers >= 4.*got 3"):
        labelled_probe_risk(1.0, 3, 3)
    with pytest.raises(ValueError, match=r"labels must be whole numbers >= 4.*got 7.5"):
        labelled_probe_risk(1.0, 3, 7.5)
    with pytest.raises(ValueError, match=r"risk must lie in \[0, inf\]; got -1"):
        labelled_probe_risk(-1.0, 3, 10)
    with pytest.raises(ValueError, match=r"dim must be a whole number >= 1; got 0"):
        labelled_probe_risk(1.0, 0, 10)
