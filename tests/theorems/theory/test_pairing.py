"""The pairing thresholds are where solved problems switch, in alignment and in pairing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import SEEDS, assert_close
from hypothesis import assume, given
from hypothesis import strategies as st

import linssl
from linssl.pairs import SemanticPairs
from linssl.theory import pairing_thresholds

K, Q = 2, 3


def problem(seed):
    rng = np.random.default_rng(seed)
    kappa, g = rng.uniform(0.5, 2.0, K), np.exp(rng.uniform(-1, 3, Q))
    return kappa, g, rng.uniform(0.1, 1.0, K), rng.uniform(0.01, 0.2, Q)


@jax.jit
def class_scores_minus_noise(kappa, g, base, alpha, p, q):
    """The worst class score less the best noise score, for JE and RC, by solving."""
    zero = jnp.zeros(Q)
    between = jnp.concatenate([kappa, zero])
    noise = jnp.concatenate([jnp.zeros(K), g])
    return worst(SemanticPairs.population(between, noise), noise, base, alpha, p, q)


def worst(pairs, noise, base, alpha, p, q):
    views, a = pairs.pair(p, q), linssl.AlignedNoise(base, noise, alpha)
    je = linssl.joint_embedding(linssl.two_views(views, a), K)
    rc = linssl.reconstruction(linssl.view_and_clean(views, a), K)
    axes = jnp.eye(K, K + Q)
    return jnp.stack([linssl.subspace_distance(s.encoder, axes) for s in (je, rc)])


def switching(kept, low, high):
    """Bisect for where `kept` becomes true."""
    for _ in range(45):
        middle = (low + high) / 2
        low, high = (low, middle) if kept(middle) else (middle, high)
    return high


@pytest.mark.witness("alignment-with-pairing")
@pytest.mark.x64
@given(SEEDS, st.floats(0, 0.9), st.floats(0, 0.9))
def test_measured_alignment_is_the_threshold(seed, p, q):
    kappa, g, theta_i, theta_j = problem(seed)
    theory = pairing_thresholds(kappa, g, theta_i, theta_j, p, q)
    base = jnp.asarray(np.append(theta_i, theta_j))
    for i, want in enumerate((theory.joint_embedding, theory.reconstruction)):
        if float(want) == 0:
            assert class_scores_minus_noise(kappa, g, base, 1e-6, p, q)[i] < 0.5 / K
            continue
        measured = switching(
            lambda a, i=i: class_scores_minus_noise(kappa, g, base, a, p, q)[i] < 0.5 / K, 0.0, 1e3
        )
        np.testing.assert_allclose(measured, want, rtol=1e-6)


@pytest.mark.witness("pairing-without-alignment")
@pytest.mark.x64
@given(SEEDS, st.floats(0, 0.95))
def test_measured_pairing_is_the_critical_fraction(seed, q):
    kappa, g, theta_i, theta_j = problem(seed)
    theory = pairing_thresholds(kappa, g, theta_i, theta_j, 0.0, q)
    base = jnp.asarray(np.append(theta_i, theta_j))
    for i, want in enumerate((theory.joint_embedding_fraction, theory.reconstruction_fraction)):
        assume(float(want) < 0.9999)
        kept = class_scores_minus_noise(kappa, g, base, 0.0, 0.0, q)[i] < 0.5 / K
        assert bool(kept) == (float(want) == 0)
        if not kept:
            measured = switching(
                lambda p, i=i: class_scores_minus_noise(kappa, g, base, 0.0, p, q)[i] < 0.5 / K,
                0.0,
                1.0,
            )
            np.testing.assert_allclose(measured, want, rtol=1e-6)


@pytest.mark.witness("pairing-without-alignment")
@pytest.mark.x64
@pytest.mark.parametrize("seed", range(3))
def test_on_sampled_classes_both_switch_within_one_percent_of_the_formulas(seed):
    kappa, g, theta_i, theta_j = problem(seed)
    # Beyond what works without alignment. Below what makes RC slow: chance correlations tilt its
    # encoder by sqrt(g / n), and at g = 38 it takes six million samples to come within 1 %.
    g = np.minimum(4 * g, 10)
    rng, n = np.random.default_rng(seed), 2_400_000
    simplex = np.linalg.svd(np.eye(K + 1) - 1 / (K + 1))[0][:, :K] * np.sqrt((K + 1) * kappa)
    labels = np.arange(n) % (K + 1)
    x = np.hstack([simplex[labels], rng.standard_normal((n, Q)) * np.sqrt(g)])
    pairs = SemanticPairs.from_labels(x, labels)
    noise, base = np.append(np.zeros(K), g), np.append(theta_i, theta_j)
    solve = jax.jit(lambda alpha, p, q: worst(pairs, noise, base, alpha, p, q))
    p, q = 0.3, 0.2
    theory = pairing_thresholds(kappa, g, theta_i, theta_j, p, q)
    alphas = theory.joint_embedding, theory.reconstruction
    fractions = theory.joint_embedding_fraction, theory.reconstruction_fraction
    for i, (alpha, fraction) in enumerate(zip(alphas, fractions, strict=True)):
        # A threshold of 0 is none: nothing switches.
        if alpha > 0.3:
            got = switching(lambda a, i=i: solve(a, p, q)[i] < 0.5 / K, 0.0, 1e3)
            np.testing.assert_allclose(got, alpha, rtol=0.01)
        if fraction > 0.05:
            got = switching(lambda share, i=i: solve(0.0, share, q)[i] < 0.5 / K, 0.0, 1.0)
            np.testing.assert_allclose(got, fraction, rtol=0.01)
        assert alpha > 0.3 or fraction > 0.05


@given(SEEDS)
def test_without_pairing_they_are_the_alignment_thresholds(seed):
    kappa, g, theta_i, theta_j = problem(seed)
    got = pairing_thresholds(kappa, g, theta_i, theta_j)
    want = linssl.alignment_thresholds(kappa, g, theta_i, theta_j)
    assert_close(got.joint_embedding_squared, want.joint_embedding_squared, cond=10)
    assert_close(got.reconstruction_squared, want.reconstruction_squared, cond=10)


def test_all_pairs_of_right_labels_need_no_alignment():
    got = pairing_thresholds(1.0, 100.0, 0.6, 0.01, 1.0, 0.0)
    assert got.joint_embedding == got.reconstruction == 0
    assert 0 < got.joint_embedding_fraction < got.reconstruction_fraction < 1
    assert jnp.isnan(pairing_thresholds(1.0, 100.0, 0.6, 0.01, 0.5, 1.0).joint_embedding_fraction)


@pytest.mark.parametrize("unit", [1e-30, 1e-15, 1e15, 1e30])
def test_they_do_not_depend_on_units(unit):
    moments = [1.0, 2.0], [0.5, 3.0], 0.3, 0.1
    got = pairing_thresholds(*(unit * np.array(m) for m in moments), 0.3, 0.1)
    want = pairing_thresholds(*moments, 0.3, 0.1)
    for a, b in zip(*(jax.tree_util.tree_leaves(t) for t in (got, want)), strict=True):
        assert_close(a, b)
