"""The law of augmentation: what it does to the moments of any pair."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, assert_sampled, covariance, invertible, jax_key

from linssl import (
    Augmentation,
    Effect,
    GaussianNoise,
    PairMoments,
    augment,
    compose,
    same_instance,
    with_label,
)
from linssl._structure import dense, diagonal, trace

D = 3


class RandomScale(Augmentation):
    """τ(x) = s A x + b + ε, E s = 2, Var s = 1/4, ε ~ N(0, 0.09 I): a mean map, offset and spread.

    Σ = Var(s) A E[xxᵀ] Aᵀ + 0.09 I depends on the data.
    """

    size: int = eqx.field(static=True)
    matrix: jax.Array | None = None
    offset: jax.Array | None = None

    def linear(self):
        return jnp.eye(self.size) if self.matrix is None else dense(self.matrix)

    def sample(self, key, x):
        scale_key, noise_key = jax.random.split(key)
        scale = 2 + 0.5 * jax.random.normal(scale_key, (*x.shape[:-1], 1), x.dtype)
        noise = 0.3 * jax.random.normal(noise_key, x.shape, x.dtype)
        mapped = scale * (x @ self.linear().T) + noise
        return mapped if self.offset is None else mapped + self.offset[None, :]

    def moments(self, second, mean):
        del mean
        A = self.linear()
        spread = 0.25 * A @ dense(second) @ A.T + 0.09 * jnp.eye(self.size)
        mean_map = 2 * (jnp.ones(self.size) if self.matrix is None else self.matrix)
        return Effect(spread, mean_map, self.offset)


class FixedMap(Augmentation):
    """τ(x) = A x + b, not random: Σ = 0, kept diagonal."""

    size: int = eqx.field(static=True)
    matrix: jax.Array | None = None
    offset: jax.Array | None = None

    def sample(self, key, x):
        del key
        mapped = x if self.matrix is None else x @ dense(self.matrix).T
        return mapped if self.offset is None else mapped + self.offset[None, :]

    def moments(self, second, mean):
        del second, mean
        return Effect(jnp.zeros(self.size), self.matrix, self.offset)


def maps(size, seed):
    """None, and every kind of map with and without an offset."""
    matrices = (None, jnp.linspace(0.5, -1.5, size), invertible(seed, size))
    offsets = (None, jnp.linspace(-1.0, 2.0, size))
    return [None, *(FixedMap(size, A, b) for A, b in itertools.product(matrices, offsets))]


def general_pair(d=D, e=2, seed=0):
    """An uncentred pair of different sizes."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((30, d)) + np.arange(d)
    return with_label(x, x @ rng.standard_normal((d, e)) + rng.standard_normal((30, e)) + 1)


def diagonal_pair():
    """A population pair that is diagonal throughout; its means need not vanish for the law."""
    return PairMoments(
        first=jnp.array([9.0, 8.0, 7.0]),
        second=jnp.array([6.0, 5.0, 9.0]),
        cross=jnp.array([1.0, -1.0, 0.5]),
        mean_first=jnp.array([1.0, 0.0, -2.0]),
        mean_second=jnp.array([0.5, 1.0, 0.0]),
        count=jnp.array(jnp.inf),
    )


def homogeneous(a, size):
    """The affine mean map as a matrix that acts on (x, 1)."""
    _, A, b = (None, None, None) if a is None else a.moments(None, None)
    full = np.eye(size + 1)
    full[:size, :size] = np.eye(size) if A is None else np.asarray(dense(A))
    full[:size, size] = 0 if b is None else np.asarray(b)
    return full


def with_ones(moment, mean_u, mean_v):
    """Raw moments of (u, 1) with (v, 1)."""
    column, row = np.asarray(mean_u)[:, None], np.asarray(mean_v)[None, :]
    return np.block([[np.asarray(dense(moment)), column], [row, np.ones((1, 1))]])


@pytest.mark.parametrize("pair", [general_pair(), diagonal_pair()], ids=["dense", "diagonal"])
def test_affine_maps_act_on_moments_as_matrices_act_on_homogeneous_coordinates(pair):
    d, e = len(pair.mean_first), len(pair.mean_second)
    for a, b in itertools.product(maps(d, 1), maps(e, 5)):
        got = augment(pair, a, b)
        A, B = homogeneous(a, d), homogeneous(b, e)
        u, v = pair.mean_first, pair.mean_second
        for moment, mean, want in (
            (got.first, got.mean_first, A @ with_ones(pair.first, u, u) @ A.T),
            (got.second, got.mean_second, B @ with_ones(pair.second, v, v) @ B.T),
            (got.cross, got.mean_first, A @ with_ones(pair.cross, u, v) @ B.T),
        ):
            # float32 wants are written in numpy's float64: compare at the precision of what came.
            assert_close(dense(moment), want[:-1, :-1].astype(moment.dtype))
            assert_close(mean, want[:-1, -1].astype(mean.dtype), cond=10)


@pytest.mark.parametrize("matrix", [None, jnp.array([0.5, 1.0, -1.5]), invertible(0, D)])
@pytest.mark.parametrize("offset", [None, jnp.array([2.0, -1.0, 0.5])])
def test_sampled_moments_of_a_custom_augmentation_equal_the_law_on_uncentred_data(
    matrix, offset, key
):
    x = np.random.default_rng(0).standard_normal((40, D)) + np.array([2.0, 0.0, -1.0])
    a, b = RandomScale(D, matrix, offset), GaussianNoise(covariance([0.5, 1.0, 2.0], 1))
    stacked = jnp.tile(jnp.asarray(x), (300, 1))
    keys = jax.random.split(key, 3)
    u, u_again = (np.asarray(a.sample(k, stacked), float) for k in keys[:2])
    v = np.asarray(b.sample(keys[2], stacked), float)
    for left, right, pair in (
        (u, u_again, augment(same_instance(x), a, a)),
        (u, v, augment(same_instance(x), a, b)),
        (v, u, augment(same_instance(x), b, a)),
        (u, np.asarray(stacked, float), augment(same_instance(x), a, None)),
    ):
        assert_sampled(left[:, :, None] * left[:, None, :], dense(pair.first))
        assert_sampled(right[:, :, None] * right[:, None, :], dense(pair.second))
        assert_sampled(left[:, :, None] * right[:, None, :], dense(pair.cross))
        assert_sampled(left, pair.mean_first)
        assert_sampled(right, pair.mean_second)


@pytest.mark.parametrize("matrix", [None, jnp.array([0.5, 1.0, -1.5]), invertible(0, D)])
@pytest.mark.parametrize("offset", [None, jnp.array([2.0, -1.0, 0.5])])
def test_within_stays_first_minus_cross_through_two_augmentations(matrix, offset):
    x = np.random.default_rng(0).standard_normal((40, D)) + np.array([2.0, 0.0, -1.0])
    a, noise = RandomScale(D, matrix, offset), GaussianNoise(jnp.ones(D))
    pair = augment(augment(same_instance(x), noise, noise), a, a)
    assert pair.exchangeable
    assert_close(dense(pair.within) + dense(pair.cross), dense(pair.first))
    np.testing.assert_array_equal(pair.second, pair.first)


def test_centred_law_is_the_law_of_centred_data():
    # For additive noise only: a spread that reads E[xx^T] sees the mean.
    x = np.random.default_rng(0).standard_normal((40, D)) + 3
    a = GaussianNoise(covariance([0.5, 1.0, 2.0], 1))
    got = augment(same_instance(x), a, a).centred()
    want = augment(same_instance(x - x.mean(0)), a, a)
    # Raw moments are about 10 where centred ones are about 1.
    assert_close(got.first, want.first, cond=20)
    assert_close(got.cross, want.cross, cond=20)


def test_a_spread_that_reads_raw_moments_is_not_that_of_centred_data():
    x = np.random.default_rng(0).standard_normal((40, D)) + 3
    a = RandomScale(D)
    raw = augment(same_instance(x), a, a).centred()
    centred = augment(same_instance(x - x.mean(0)), a, a).centred()
    mean = x.mean(0)
    difference = np.asarray(raw.first - centred.first)
    assert_close(difference, 0.25 * np.outer(mean, mean).astype(difference.dtype), cond=20)


def test_result_is_exchangeable_only_for_the_same_object_on_an_exchangeable_pair():
    x = np.random.default_rng(0).standard_normal((10, D))
    a, twin = GaussianNoise(jnp.ones(D)), GaussianNoise(jnp.ones(D))
    same, other = same_instance(x), PairMoments.from_samples(x, x[::-1].copy())
    for pair, first, second, want in (
        (same, a, a, True),
        (same, None, None, True),
        (same, a, twin, False),
        (same, a, None, False),
        (same, None, a, False),
        (other, a, a, False),
        (other, None, None, False),
    ):
        got = augment(pair, first, second)
        assert got.exchangeable is want
        assert (got.within is not None) is want


def test_none_leaves_a_side():
    pair, a = general_pair(), GaussianNoise(jnp.ones(D))
    first_only = augment(pair, a)
    np.testing.assert_array_equal(first_only.second, pair.second)
    np.testing.assert_array_equal(first_only.mean_second, pair.mean_second)
    assert_close(diagonal(first_only.first), diagonal(pair.first) + 1)
    second_only = augment(pair, None, GaussianNoise(jnp.ones(2)))
    np.testing.assert_array_equal(second_only.first, pair.first)
    assert_close(trace(second_only.second), trace(pair.second) + 2)
    assert eqx.tree_equal(augment(pair), pair)
    assert eqx.tree_equal(augment(same_instance(jnp.eye(3))), same_instance(jnp.eye(3)))


def test_augmenting_the_swapped_pair_is_swapping_the_augmented_pair():
    pair, a, b = general_pair(), RandomScale(D, offset=jnp.ones(D)), GaussianNoise(jnp.ones(2))
    got, want = augment(pair.swapped(), b, a), augment(pair, a, b).swapped()
    for left, right in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
        assert_close(left, right)


def test_count_is_kept():
    assert augment(general_pair(), GaussianNoise(jnp.ones(D))).count == 30


def test_augmentation_of_another_size_is_refused_naming_the_side():
    pair = general_pair()
    with pytest.raises(ValueError, match=r"first: FixedMap is for 2 features; that side .* has 3"):
        augment(pair, FixedMap(2), None)
    with pytest.raises(ValueError, match=r"second: FixedMap is for 3 features; that side .* has 2"):
        augment(pair, FixedMap(3), FixedMap(3))
    with pytest.raises(ValueError, match=r"first: FixedMap is for 1 features; that side .* has 3"):
        augment(same_instance(jnp.eye(3)), FixedMap(1), FixedMap(1))


def test_mean_map_of_another_size_is_refused():
    # One of size 1 would broadcast, and be read as a multiple of the identity.
    for size in (1, 2):
        match = f"first: FixedMap is for {size} features; that side of the pair has 3"
        for a in (
            FixedMap(D, jnp.ones(size)),
            FixedMap(D, jnp.ones((size, size))),
            FixedMap(D, None, jnp.ones(size)),
        ):
            with pytest.raises(ValueError, match=match):
                augment(general_pair(), a, None)


def test_augment_compiles_and_batches_over_its_parameters():
    pair, variances = same_instance(np.eye(3)), jnp.array([0.1, 1.0, 10.0])

    def first(variance):
        a = GaussianNoise(jnp.full(3, variance))
        return augment(pair, a, a).first

    got = jax.jit(jax.vmap(first))(variances)
    assert_close(got, jnp.stack([first(v) for v in variances]))


def test_the_pair_decides_the_precision():
    with jax.numpy_dtype_promotion("standard"), jax.enable_x64(True):
        pair = same_instance(np.eye(3, dtype=np.float32))
        noise = GaussianNoise(np.ones(3, np.float64))
        assert augment(pair, noise, noise).first.dtype == jnp.float32


def test_a_key_is_all_that_a_sample_depends_on():
    a = RandomScale(D)
    x = jnp.ones((4, D))
    np.testing.assert_array_equal(a.sample(jax_key(1), x), a.sample(jax_key(1), x))


def test_an_augmentation_of_ones_own_may_use_numpy_and_change_its_mind():
    class Level:
        variance = 1.0

    class Own(Augmentation):
        level: Level

        def sample(self, key, x):
            del key
            return x

        def moments(self, second, mean):
            spread = np.full(len(mean), self.level.variance)
            return Effect(
                jnp.asarray(spread if float(mean.max()) < 9 else 2 * spread, second.dtype)
            )

    level = Level()
    pair = same_instance(np.arange(12.0).reshape(4, D) % 5)
    own = Own(level)
    for level.variance in (1.0, 100.0):
        noise = GaussianNoise(jnp.full(D, level.variance))
        for a, b in ((own, noise), (compose(own, noise), compose(noise, noise))):
            assert_close(augment(pair, a, a).first, augment(pair, b, b).first)
