"""Few draws are flagged, whoever made the views and whatever is done to them after."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import linssl
from linssl import GaussianNoise, Status, augment, merge, pairs, two_views

D = 12
CHANCE = Status.FEW_SAMPLES | Status.SINGULAR
NOISE = GaussianNoise(np.full(D, 0.3))


def groups(rng, draws):
    J = int(rng.integers(2, 4))
    n = max(draws // (J - 1), 1)
    return pairs.groups(rng.standard_normal((n, J, D)) + 3), n * (J - 1)


def class_mates(rng, draws):
    K = int(rng.integers(2, 5))
    y = np.arange(draws + K) % K
    x = rng.standard_normal((draws + K, D))
    small = np.bincount(y).min() < 2
    p, q = rng.uniform(0.05, 1), rng.uniform(0, 0.5)
    return linssl.same_class(x, y, p, q, distinct=not small), draws


def tuples(rng, draws):
    n = max(draws, 1)
    x = rng.standard_normal((2 * n, D))
    found = linssl.pairs.class_tuples(x, np.zeros(2 * n, int), 2, jax.random.key(0))
    return pairs.groups(found), n


def merged(rng, draws):
    parts = [groups(rng, max(draws // 3, 1)) for _ in range(4)]
    sizes = {views.group_size for views, _ in parts}
    parts = [part for part in parts if part[0].group_size == min(sizes)][:3]
    return functools.reduce(merge, [v for v, _ in parts]), sum(n for _, n in parts)


def few_maps(rng, draws):
    """A flip of few rows: exact moments of a family of two maps."""
    flip = linssl.augmentations.flip((2, D // 2), 0.5)
    return two_views(rng.standard_normal((max(draws, 2), D)), flip), max(draws, 2)


def fixed_counts(rng, draws):
    """Masks that keep one of three patches: a code of equal parts is the same in all views."""
    n = max(draws // 2, 1)
    mask = linssl.augmentations.FixedCountMask(np.arange(D) // (D // 3), 1)
    return two_views(rng.standard_normal((n, D)), mask), 2 * n


SIZES = [1, 2, 5, 6, D - 1, D]  # few, since each shape is compiled
MAKERS = [groups, class_mates, tuples, merged, few_maps, fixed_counts]
AFTER = [None, NOISE, GaussianNoise(np.full(D, 1e-6)), linssl.augmentations.Dropout(0.7)]


@pytest.mark.witness("draws-of-views")
@pytest.mark.parametrize("maker", MAKERS)
def test_no_more_draws_than_features_is_flagged_each_time(maker):
    seen = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        views, draws = maker(rng, int(rng.choice(SIZES)))
        after = AFTER[seed % len(AFTER)]
        views = views if after is None else augment(views, after)
        assert float(views.draws) == draws
        flagged = bool(int(linssl.joint_embedding(views, 2).status) & CHANCE)
        assert flagged == (draws <= D), (maker.__name__, seed, draws)
        seen += draws <= D
    assert seen >= 20


@pytest.mark.witness("draws-of-views")
def test_exact_spread_is_never_flagged_for_its_draws():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((int(rng.integers(2, 40)), D)) + rng.uniform(-3, 3)
        for a in (NOISE, linssl.compose(linssl.augmentations.Dropout(0.6), NOISE)):
            views = two_views(x, a)
            assert jnp.isinf(views.draws)
            assert int(linssl.joint_embedding(views, 1).status) == 0


NO_SHARE = np.random.default_rng(0).standard_normal((20, 2, 30))


@pytest.mark.parametrize("noise", [0.0, 1e-6, 1e-4, 1e-2])
def test_twenty_groups_of_pure_noise_in_thirty_dimensions_are_flagged(noise):
    views = augment(pairs.groups(NO_SHARE), GaussianNoise(np.full(30, noise)))
    for solve in (
        linssl.joint_embedding,
        linssl.objectives.invariance_only,
        linssl.objectives.spectral_contrastive,
    ):
        assert int(solve(views, 10).status) & Status.FEW_SAMPLES
    assert int(linssl.objectives.plda(views, 10, 2).status) & Status.FEW_SAMPLES
    for solve in (linssl.simvae, linssl.objectives.factorised_simvae):
        assert int(solve(views, 3, 2, style=0.5, noise=0.5).status) & Status.FEW_SAMPLES


@pytest.mark.x64
def test_codes_that_simvae_keeps_of_few_groups_of_noise_are_flagged():
    s = linssl.simvae(pairs.groups(NO_SHARE), 3, 2, style=0.5)
    assert int(s.status) == Status.FEW_SAMPLES


def test_what_is_sound_is_not_flagged():
    rng = np.random.default_rng(1)
    many = pairs.groups(rng.standard_normal((400, 2, 30)))
    assert not int(linssl.joint_embedding(many, 10).status) & CHANCE
    assert not int(linssl.simvae(many, 3, 2, style=0.5, noise=0.5).status) & CHANCE
    few = rng.standard_normal((20, 30))
    assert not int(linssl.joint_embedding(two_views(few, GaussianNoise([0.1] * 30)), 10).status)
    a = GaussianNoise([0.1] * 30)
    sides = linssl.augment_sides(
        linssl.same_instance(rng.standard_normal((45, 30))).as_pair(), a, a
    )
    assert int(linssl.canonical_correlation(sides, 10).status) == 0


def test_random_labels_of_as_many_rows_as_features_are_flagged():
    rng, d = np.random.default_rng(2), 12
    for n, flagged in ((d + 1, True), (d + 2, False)):
        label = linssl.with_label(rng.standard_normal((n, d)), rng.standard_normal((n, 1)))
        solution = linssl.supervised(label)
        assert bool(int(solution.status) & Status.FEW_SAMPLES) == flagged
        for solve in (linssl.canonical_correlation, linssl.objectives.info_nce):
            assert int(solve(label, 1).status) & Status.FEW_SAMPLES  # n <= d + e + 1


def test_estimated_views_have_the_draws_of_their_calls():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((20, 60))
    estimate = linssl.pairs.estimate_pair(lambda row: row + 0.1 * rng.standard_normal(60), x, 3)
    assert float(estimate.views.draws) == float(estimate.clean.draws) == 40
    assert int(linssl.joint_embedding(estimate.views, 2).status) & CHANCE
    assert int(linssl.reconstruction(estimate.clean, 2).status) & CHANCE
