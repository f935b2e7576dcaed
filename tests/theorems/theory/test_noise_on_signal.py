"""Noise that also covers the signal: the linear conditions, and the reversed case."""

import jax.numpy as jnp
import numpy as np
import pytest
from helpers import SEEDS
from hypothesis import given

import linssl

K, Q = 2, 3


def kept(lam, gam, th_s, th_n, gam_s, alpha):
    """Whether JE and RC span the signal axes, on the solved problem."""
    covariance = np.concatenate([lam + gam_s, gam])
    noise = np.concatenate([gam_s, gam])
    a = linssl.AlignedNoise(jnp.asarray(np.concatenate([th_s, th_n])), jnp.asarray(noise), alpha)
    data = linssl.pairs.same_instance_population(covariance)
    encoders = (
        linssl.joint_embedding(linssl.two_views(data, a), K).encoder,
        linssl.reconstruction(linssl.view_and_clean(data, a), K).encoder,
    )
    axes = jnp.eye(K, K + Q)
    return [float(linssl.subspace_distance(e, axes)) < 0.5 / K for e in encoders]


def draw(seed):
    rng = np.random.default_rng(seed)
    return [np.exp(rng.uniform(-1.5, 1.5, size)) for size in (K, Q, K, Q, K)]


@pytest.mark.witness("noise-on-signal")
@pytest.mark.x64
@given(SEEDS)
def test_the_interval_is_where_the_solved_problem_keeps_the_signal(seed):
    lam, gam, th_s, th_n, gam_s = draw(seed)
    intervals = linssl.theory.alignment_interval(lam, gam, th_s, th_n, gam_s)
    for square in np.concatenate([[0.0], np.geomspace(1e-3, 1e3, 25)]):
        measured = kept(lam, gam, th_s, th_n, gam_s, np.sqrt(square))
        for i, works in zip(intervals, measured, strict=True):
            low, high = float(i.lower_squared), float(i.upper_squared)
            if min(abs(square - low), abs(square - high)) > 1e-6 * max(square, 1):
                assert works == (low < square < high), (square, low, high)


@given(SEEDS)
def test_without_noise_on_the_signal_it_is_the_plain_threshold(seed):
    lam, gam, th_s, th_n, _ = draw(seed)
    t = linssl.alignment_thresholds(lam, gam, th_s, th_n)
    je, rc = linssl.theory.alignment_interval(lam, gam, th_s, th_n, 0.0)
    np.testing.assert_allclose(je.lower_squared, t.joint_embedding_squared, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(rc.lower_squared, t.reconstruction_squared, rtol=1e-3, atol=1e-4)
    assert np.isinf(rc.upper_squared)
    assert not bool(rc.reversed)


@pytest.mark.witness("noise-on-signal")
@given(SEEDS)
def test_joint_embedding_is_never_reversed(seed):
    je, _ = linssl.theory.alignment_interval(*draw(seed))
    assert not bool(je.reversed)
    assert not bool(je.empty)


def test_reconstruction_is_reversed_where_noise_outweighs_signal_squared():
    # (lambda + gamma_i)^2 = 4 < gamma_i gamma_j = 10: more alignment hurts.
    je, rc = linssl.theory.alignment_interval([1.0], [10.0], 0.5, 0.5, [1.0])
    assert bool(rc.reversed)
    assert rc.lower_squared == -np.inf
    assert np.isfinite(rc.upper_squared)
    assert np.isfinite(je.lower_squared)


@pytest.mark.witness("noise-on-signal")
def test_reversed_alignment_works_below_and_fails_above():
    # Strong base noise on the nuisance makes alpha = 0 work; alignment then spoils it.
    lam, gam, th_s, th_n, gam_s = ([1.0], [10.0], 0.01, 1000.0, [1.0])
    _, rc = linssl.theory.alignment_interval(lam, gam, th_s, th_n, gam_s)
    assert bool(rc.reversed)
    assert not bool(rc.empty)
    assert rc.upper_squared > 0


@pytest.mark.parametrize("which", range(5))
@pytest.mark.parametrize("bad", [-1.0, np.nan])
def test_traced_values_that_are_no_variances_give_nan(which, bad):
    import jax

    values = [jnp.ones(2), jnp.ones(2), jnp.ones(2), jnp.ones(2), jnp.ones(2)]
    values[which] = jnp.array([1.0, bad])
    for interval in jax.jit(linssl.theory.alignment_interval)(*values):
        assert np.isnan([interval.lower_squared, interval.upper_squared]).all()
