"""JEvRC, section 4: who converges to the clean solution, as alignment or as the sample grows."""

import jax.numpy as jnp
import numpy as np
import pytest
from helpers import SEEDS, assert_close, eps, same_rows
from hypothesis import given
from hypothesis import strategies as st

import linssl

K, Q = 3, 3
LAM, GAM = np.array([3.0, 2.0, 1.0]), np.array([5.0, 3.0, 2.0])
BASE = np.repeat([0.6, 0.006], 3)
pytestmark = pytest.mark.x64  # alpha = 1e4 needs more digits than single precision has


def draw(n, seed=0):
    """Clean samples, corrupted samples and labels, (n, K + Q) and (n, 2)."""
    rng = np.random.default_rng(seed)
    clean = np.concatenate([rng.standard_normal((n, K)) * np.sqrt(LAM), np.zeros((n, Q))], 1)
    noise = np.concatenate([np.zeros((n, K)), rng.standard_normal((n, Q)) * np.sqrt(GAM)], 1)
    labels = clean[:, :K] @ rng.standard_normal((K, 2)) + rng.standard_normal((n, 2))
    return clean, clean + noise, labels


def distances(sample, alpha, dim=K, base=BASE):
    """Squared distance of supervised (relative), JE and RC to their clean solutions."""
    gamma = jnp.asarray(np.concatenate([np.zeros(K), GAM]))
    a = linssl.AlignedNoise(jnp.asarray(base), gamma, jnp.asarray(float(alpha)))
    clean, noisy, labels = sample

    def solve(X):
        label = linssl.augment_sides(linssl.with_label(X, labels), a, None)
        return (
            linssl.supervised(label).predictor,
            linssl.joint_embedding(linssl.two_views(X, a), dim).encoder,
            linssl.reconstruction(linssl.view_and_clean(X, a), dim).encoder,
        )

    (V, W, E), (V_n, W_n, E_n) = solve(clean), solve(noisy)
    return np.array(
        [
            linssl.metrics.relative_error(V_n, V) ** 2,
            linssl.subspace_distance(W_n, W),
            linssl.subspace_distance(E_n, E),
        ]
    )


@pytest.mark.witness("infinite-alignment")
@pytest.mark.parametrize("n", [4, 5, 50])  # K signals about their mean, in K + 1 rows
def test_infinite_alignment_recovers_all_at_any_n_and_distance_falls_like_alpha_to_minus_4(
    n,
):
    sample = draw(n)
    far, farther = distances(sample, 1e2), distances(sample, 1e3)
    assert (farther < 1e-6).all()
    np.testing.assert_allclose(far / farther, 1e4, rtol=0.1)


@pytest.mark.witness("infinite-alignment")
def test_fewer_samples_than_signals_never_determine_ssl():
    gamma = jnp.asarray(np.concatenate([np.zeros(K), GAM]))
    a = linssl.AlignedNoise(jnp.asarray(BASE), gamma, jnp.asarray(1e4))
    sample = draw(3)
    for X in sample[:2]:  # three samples span two directions about their mean: the third is any
        for solution in (
            linssl.joint_embedding(linssl.two_views(X, a), K),
            linssl.reconstruction(linssl.view_and_clean(X, a), K),
        ):
            assert linssl.Status(int(solution.status)) & linssl.Status.BEYOND_RANK
    assert distances(sample, 1e4)[0] < 1e-8  # supervised converges for any n


def test_a_smaller_embedding_converges_for_joint_embedding_but_not_for_reconstruction():
    result = distances(draw(50), 1e4, dim=2)
    assert result[1] < 1e-8
    assert result[2] > 1e-6
    # It is stuck, not slow: more alignment changes nothing.
    assert distances(draw(50), 1e5, dim=2)[2] == pytest.approx(result[2], rel=1e-2)


def test_a_larger_embedding_is_stuck():
    result = distances(draw(50), 1e5, dim=4)
    assert (result[1:] > 1e-4).all()


def population(alpha, base=BASE):
    """The same distances at n = infinity, from exact moments."""
    gamma = np.concatenate([np.zeros(K), GAM])
    a = linssl.AlignedNoise(jnp.asarray(base), jnp.asarray(gamma), jnp.asarray(float(alpha)))
    clean = np.concatenate([LAM, np.zeros(Q)])

    def solve(C):
        data = linssl.pairs.same_instance_population(C)
        return (
            linssl.joint_embedding(linssl.two_views(data, a), K).encoder,
            linssl.reconstruction(linssl.view_and_clean(data, a), K).encoder,
        )

    return [
        float(linssl.subspace_distance(x, y))
        for x, y in zip(solve(clean + gamma), solve(clean), strict=True)
    ]


@pytest.mark.witness("alignment-joint-embedding", "alignment-reconstruction")
@pytest.mark.parametrize("which", ["joint_embedding", "reconstruction"])
@pytest.mark.parametrize("factor", [0.98, 1.02])
def test_infinite_data_recovers_ssl_iff_alignment_is_above_threshold(which, factor):
    t = linssl.alignment_thresholds(LAM, GAM, BASE[:K], BASE[K:])
    found = population(factor * float(getattr(t, which)))[which == "reconstruction"]
    assert (found < 1e-12) if factor > 1 else (found > 0.3)


@pytest.mark.parametrize("alpha", [0.0, 0.1, 3.0])
def test_supervised_converges_at_any_alignment_at_the_parametric_rate(alpha):
    small, large = (
        np.mean([distances(draw(n, seed), alpha)[0] for seed in range(8)]) for n in (500, 50_000)
    )
    assert 20 < small / large < 500  # squared error falls like 1/n: 100, up to sampling


@pytest.mark.parametrize(("which", "factor"), [(1, 2.0), (2, 2.0)])
def test_ssl_above_threshold_converges_with_n(which, factor):
    t = linssl.alignment_thresholds(LAM, GAM, BASE[:K], BASE[K:])
    alpha = factor * float((t.joint_embedding, t.reconstruction)[which - 1])
    small, large = (
        np.mean([distances(draw(n, seed), alpha)[which] for seed in range(8)])
        for n in (500, 50_000)
    )
    assert 20 < small / large < 500


def test_ssl_below_threshold_does_not_converge():
    t = linssl.alignment_thresholds(LAM, GAM, BASE[:K], BASE[K:])
    sample = draw(50_000)
    assert distances(sample, 0.7 * float(t.joint_embedding))[1] > 0.3
    assert distances(sample, 0.7 * float(t.reconstruction))[2] > 0.3


def test_base_noise_that_mixes_signal_and_noise_prevents_convergence_even_of_supervised():
    # At n = infinity nothing but this assumption can be at fault.
    plain, mixed = 0.6 * np.eye(K + Q), 0.6 * np.eye(K + Q)
    mixed[0, K] = mixed[K, 0] = 0.5
    alpha = 1.5 * float(linssl.alignment_thresholds(LAM, GAM, 0.6, 0.6).reconstruction)
    assert max(population(alpha, plain)) < 1e-20
    assert min(population(alpha, mixed)) > 1e-12  # small, but far from rounding

    def supervised(base, gamma):
        noise = linssl.AlignedNoise(
            jnp.asarray(base), jnp.asarray(np.concatenate([np.zeros(K), GAM])), jnp.asarray(alpha)
        )
        C, zero = np.concatenate([LAM, gamma]), np.zeros(K + Q)
        pair = linssl.PairMoments(  # the label is the first signal
            C, C[:1], np.diag(C)[:, :1], zero, zero[:1], np.inf, np.inf
        )
        return linssl.supervised(linssl.augment_sides(pair, noise, None)).predictor

    def distance(base):
        return float(
            linssl.metrics.relative_error(supervised(base, GAM), supervised(base, 0 * GAM))
        )

    assert distance(plain) < 1e-12
    assert distance(mixed) > 1e-4


@given(SEEDS, st.floats(0.1, 10.0))
def test_on_clean_data_the_solutions_know_the_signal_axes_only(seed, alpha):
    # The figures take this as known, instead of solving for it.
    k, q, n = 3, 4, 20
    rng = np.random.default_rng(seed)
    clean = np.hstack([rng.standard_normal((n, k)), np.zeros((n, q))])
    base = jnp.asarray(rng.uniform(0.1, 1.0, k + q))
    gamma = jnp.asarray(np.r_[np.zeros(k), rng.uniform(0.1, 5.0, q)])
    aligned, axes = linssl.AlignedNoise(base, gamma, alpha), jnp.eye(k, k + q)
    for encoder in (
        linssl.joint_embedding(linssl.two_views(clean, aligned), k).encoder,
        linssl.reconstruction(linssl.view_and_clean(clean, aligned), k).encoder,
    ):
        assert same_rows(encoder, axes) < 1e3 * eps(encoder)
    label = linssl.with_label(clean, clean[:, :2] + rng.standard_normal((n, 2)))
    with_noise, without = (
        linssl.supervised(linssl.augment_sides(label, a, None)).predictor
        for a in (aligned, linssl.GaussianNoise(base))
    )
    assert_close(with_noise, without, cond=10)
    assert_close(with_noise[:, k:], jnp.zeros((2, q)))
