"""The law of augmentation: what it does to the moments of views, and of any pair."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, assert_sampled, covariance, invertible, jax_key

import linssl
from linssl import (
    Augmentation,
    GaussianNoise,
    PairMoments,
    augment,
    augment_sides,
    compose,
    same_instance,
    two_views,
    view_and_clean,
    with_label,
)
from linssl.augmentations import Effect
from linssl.linalg.structure import dense, diagonal, trace

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

    def effect(self, covariance, mean):
        A, raw = self.linear(), dense(covariance) + jnp.outer(mean, mean)
        spread = 0.25 * A @ raw @ A.T + 0.09 * jnp.eye(self.size)
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

    def effect(self, covariance, mean):
        del covariance, mean
        return Effect(jnp.zeros(self.size), self.matrix, self.offset)


def maps(size, seed):
    """None, and every kind of map with and without an offset."""
    matrices = (None, jnp.linspace(0.5, -1.5, size), invertible(seed, size))
    offsets = (None, jnp.linspace(-1.0, 2.0, size))
    return [None, *(FixedMap(size, A, b) for A, b in itertools.product(matrices, offsets))]


def general_pair(d=D, e=2, seed=0):
    """A pair of different sizes that aren't centred."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((30, d)) + np.arange(d)
    return with_label(x, x @ rng.standard_normal((d, e)) + rng.standard_normal((30, e)) + 1)


def diagonal_pair():
    """A population pair that is diagonal throughout, with means."""
    return PairMoments(
        first=[9.0, 8.0, 7.0],
        second=[6.0, 5.0, 9.0],
        cross=[1.0, -1.0, 0.5],
        mean_first=[1.0, 0.0, -2.0],
        mean_second=[0.5, 1.0, 0.0],
        count=np.inf,
        draws=np.inf,
    )


def homogeneous(a, size):
    """The affine mean map as a matrix that acts on (x, 1)."""
    _, A, b, _ = (None,) * 4 if a is None else a.effect(None, None)
    full = np.eye(size + 1)
    full[:size, :size] = np.eye(size) if A is None else np.asarray(dense(A))
    full[:size, size] = 0 if b is None else np.asarray(b)
    return full


def with_ones(moment, mean_u, mean_v):
    """Raw moments of (u, 1) with (v, 1)."""
    column, row = np.asarray(mean_u)[:, None], np.asarray(mean_v)[None, :]
    return np.block([[np.asarray(dense(moment)) + column * row, column], [row, np.ones((1, 1))]])


# ---- the law


@pytest.mark.witness("view-moments")
@pytest.mark.parametrize("pair", [general_pair(), diagonal_pair()], ids=["dense", "diagonal"])
def test_affine_maps_act_on_moments_as_matrices_act_on_homogeneous_coordinates(pair):
    d, e = len(pair.mean_first), len(pair.mean_second)
    left_maps, right_maps = maps(d, 1), maps(e, 5)
    # Every second partner of each: no two kinds of maps are left apart.
    for i, j in itertools.product(range(len(left_maps)), range(len(right_maps))):
        if (i + j) % 2:
            continue
        a, b = left_maps[i], right_maps[j]
        got = augment_sides(pair, a, b)
        A, B = homogeneous(a, d), homogeneous(b, e)
        u, v, U, V = pair.mean_first, pair.mean_second, got.mean_first, got.mean_second
        for moment, left, right, want in (
            (got.first, U, U, A @ with_ones(pair.first, u, u) @ A.T),
            (got.second, V, V, B @ with_ones(pair.second, v, v) @ B.T),
            (got.cross, U, V, A @ with_ones(pair.cross, u, v) @ B.T),
        ):
            # float32 wants are written in numpy's float64: compare at the precision of what came.
            got_raw = with_ones(moment, left, right)
            assert_close(got_raw.astype(moment.dtype), want.astype(moment.dtype), cond=10)


@pytest.mark.parametrize("matrix", [None, jnp.array([0.5, 1.0, -1.5]), invertible(0, D)])
@pytest.mark.parametrize("offset", [None, jnp.array([2.0, -1.0, 0.5])])
@pytest.mark.parametrize("composed", [False, True])
def test_sampled_moments_of_a_custom_augmentation_equal_the_law(matrix, offset, composed, key):
    x = np.random.default_rng(0).standard_normal((40, D)) + np.array([2.0, 0.0, -1.0])
    a, b = RandomScale(D, matrix, offset), GaussianNoise(covariance([0.5, 1.0, 2.0], 1))
    a = compose(linssl.augmentations.Dropout(0.7), a, b) if composed else a
    stacked = jnp.tile(jnp.asarray(x), (300, 1))
    keys = jax.random.split(key, 3)
    u, u_again = (np.asarray(a.sample(k, stacked), float) for k in keys[:2])
    v = np.asarray(b.sample(keys[2], stacked), float)
    data = same_instance(x).as_pair()
    for left, right, pair in (
        (u, u_again, two_views(x, a).as_pair()),
        (u, v, augment_sides(data, a, b)),
        (v, u, augment_sides(data, b, a)),
        (u, np.asarray(stacked, float), view_and_clean(x, a)),
    ):
        assert_sampled(left, pair.mean_first)
        assert_sampled(right, pair.mean_second)
        left, right = left - np.asarray(pair.mean_first), right - np.asarray(pair.mean_second)
        assert_sampled(left[:, :, None] * left[:, None, :], dense(pair.first))
        assert_sampled(right[:, :, None] * right[:, None, :], dense(pair.second))
        assert_sampled(left[:, :, None] * right[:, None, :], dense(pair.cross))


@pytest.mark.parametrize("matrix", [None, jnp.array([0.5, 1.0, -1.5]), invertible(0, D)])
@pytest.mark.parametrize("offset", [None, jnp.array([2.0, -1.0, 0.5])])
def test_a_second_augmentation_spreads_what_the_first_one_made(matrix, offset):
    x = np.random.default_rng(0).standard_normal((40, D)) + np.array([2.0, 0.0, -1.0])
    a, noise = RandomScale(D, matrix, offset), GaussianNoise(jnp.ones(D))
    views = augment(two_views(x, noise), a)
    C, mean, A = np.cov(x.T, bias=True), x.mean(0), np.asarray(a.linear(), float)
    b = 0 if offset is None else np.asarray(offset, float)
    raw = C + np.eye(D) + np.outer(mean, mean)
    dtype = views.shared.dtype
    spread = 4 * A @ A.T + 0.25 * A @ raw @ A.T + 0.09 * np.eye(D)
    assert_close(views.shared, (4 * A @ C @ A.T).astype(dtype), cond=10)
    assert_close(views.spread, spread.astype(dtype), cond=10)
    assert_close(views.mean, (2 * A @ mean + b).astype(dtype), cond=10)
    together = two_views(x, compose(noise, a))
    for name in ("shared", "spread", "mean"):
        assert_close(getattr(together, name), getattr(views, name), cond=10)


# ---- means


def test_additive_noise_does_not_see_the_mean():
    x = np.random.default_rng(0).standard_normal((40, D)) + 3
    a = GaussianNoise(covariance([0.5, 1.0, 2.0], 1))
    got, want = two_views(x, a), two_views(x - x.mean(0), a)
    assert_close(got.shared, want.shared, cond=10)
    assert_close(got.spread, want.spread)
    assert_close(got.mean, x.mean(0).astype(got.mean.dtype), cond=10)


def test_what_acts_on_raw_data_spreads_the_mean_too():
    x = np.random.default_rng(0).standard_normal((40, D)) + 3
    mean = x.mean(0)
    for a, want in (
        (RandomScale(D), 0.25 * np.outer(mean, mean)),
        (linssl.augmentations.Brightness(0.5, 1.5), np.outer(mean, mean) / 12),
        (linssl.augmentations.Dropout(0.6), 0.24 * np.diag(mean**2)),
        (linssl.augmentations.Dropout(0.6, rescaled=True), 0.4 / 0.6 * np.diag(mean**2)),
        (linssl.augmentations.PatchMask([0, 0, 1], 0.6), 0.24 * np.outer(mean, mean) * PATCH),
    ):
        raw, centred = two_views(x, a), two_views(x - mean, a)
        difference = np.asarray(dense(raw.spread) - dense(centred.spread))
        assert_close(difference, want.astype(difference.dtype), cond=20)
        assert_close(raw.shared, centred.shared, cond=20)


PATCH = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]])


def test_what_is_masked_is_zero_whatever_the_mean(key):
    view = linssl.augmentations.Dropout(0.5).sample(key, jnp.full((200, D), 7.0))
    assert set(np.unique(view)) == {0.0, 7.0}


# ---- sides


def test_the_sides_are_two_draws_whether_or_not_the_augmentation_is_the_same_object():
    x = np.random.default_rng(0).standard_normal((10, D)) + 1
    a, twin = (RandomScale(D, invertible(0, D), jnp.ones(D)) for _ in range(2))
    same = same_instance(x).as_pair()
    got = augment_sides(same, a, a)
    assert eqx.tree_equal(got, augment_sides(same, a, twin))
    A = 2 * np.asarray(a.linear(), float)
    assert_close(got.cross, (A @ np.cov(x.T, bias=True) @ A.T).astype(got.cross.dtype), cond=10)
    # The two verbs, not the object, say which pair it is.
    assert type(got) is PairMoments
    assert type(augment(same_instance(x), a)) is type(two_views(x, a)) is linssl.Views
    for left, right in zip(
        jax.tree.leaves(two_views(x, a).as_pair()), jax.tree.leaves(got), strict=True
    ):
        assert_close(left, right, cond=10)


def test_a_pair_whose_sides_differ_is_not_taken_for_views():
    rng = np.random.default_rng(0)
    u, v = rng.standard_normal((2, 20, D))
    pair, a = PairMoments.from_samples(u, v), RandomScale(D)
    got = augment_sides(pair, a, a)
    assert_close(got.cross, 4 * pair.cross, cond=10)
    assert jnp.abs(got.cross - got.cross.T).max() > 0.1


def test_the_clean_side_of_two_of_a_class_is_the_partner():
    rng, y = np.random.default_rng(0), np.arange(40) % 4
    x = rng.standard_normal((40, D)) + rng.standard_normal((4, D))[y]
    mates, a = linssl.same_class(x, y), RandomScale(D, jnp.array([0.5, 1.0, -1.5]))
    pair = view_and_clean(mates, a)
    A = 2 * np.diag([0.5, 1.0, -1.5])
    assert_close(pair.cross, jnp.asarray(A, mates.shared.dtype) @ mates.shared, cond=10)
    np.testing.assert_array_equal(pair.second, mates.covariance)
    np.testing.assert_array_equal(pair.mean_second, mates.mean)
    # An instance with itself has itself as a partner.
    assert_close(view_and_clean(x, a).cross, A @ np.cov(x.T, bias=True), cond=10)


def test_none_leaves_a_side():
    pair, a = general_pair(), GaussianNoise(jnp.ones(D))
    first_only = augment_sides(pair, a, None)
    np.testing.assert_array_equal(first_only.second, pair.second)
    np.testing.assert_array_equal(first_only.mean_second, pair.mean_second)
    assert_close(diagonal(first_only.first), diagonal(pair.first) + 1)
    second_only = augment_sides(pair, None, GaussianNoise(jnp.ones(2)))
    np.testing.assert_array_equal(second_only.first, pair.first)
    assert_close(trace(second_only.second), trace(pair.second) + 2)
    assert eqx.tree_equal(augment_sides(pair, None, None), pair)


def test_augmenting_the_swapped_pair_is_swapping_the_augmented_pair():
    pair, a, b = general_pair(), RandomScale(D, offset=jnp.ones(D)), GaussianNoise(jnp.ones(2))
    got, want = augment_sides(pair.swapped(), b, a), augment_sides(pair, a, b).swapped()
    for left, right in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
        assert_close(left, right)


def test_counts_and_group_sizes_are_kept():
    assert augment_sides(general_pair(), GaussianNoise(jnp.ones(D)), None).count == 30
    views = linssl.pairs.groups(np.random.default_rng(0).standard_normal((5, 4, D)))
    got = augment(views, RandomScale(D))
    assert (got.count, got.group_size) == (5, 4)


# ---- programs


def test_augment_compiles_and_batches_over_its_parameters():
    views, variances = same_instance(np.eye(3)), jnp.array([0.1, 1.0, 10.0])

    def first(variance):
        return augment(views, GaussianNoise(jnp.full(3, variance))).covariance

    got = jax.jit(jax.vmap(first))(variances)
    assert_close(got, jnp.stack([first(v) for v in variances]))


def test_the_data_decide_the_precision():
    with jax.numpy_dtype_promotion("standard"), jax.enable_x64(True):
        noise = GaussianNoise(np.ones(3, np.float64))
        assert two_views(np.eye(3, dtype=np.float32), noise).covariance.dtype == jnp.float32


def test_a_key_is_all_that_a_sample_depends_on():
    a = RandomScale(D)
    x = jnp.ones((4, D))
    np.testing.assert_array_equal(a.sample(jax_key(1), x), a.sample(jax_key(1), x))
