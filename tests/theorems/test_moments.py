"""Second moments of a pair: averages, centring, merging, swapping, and what is refused."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import SEEDS, assert_close
from hypothesis import given
from hypothesis import strategies as st

import linssl
from linssl import GaussianNoise, PairMoments, augment, merge, same_instance
from linssl._structure import dense


def samples(seed, n=20, d=3, e=2, shift=1.0):
    rng = np.random.default_rng(seed)
    u = rng.standard_normal((n, d)) + shift
    return u, u @ rng.standard_normal((d, e)) + rng.standard_normal((n, e)) - shift


def population(**changes):
    fields = {
        "first": np.ones(2), "second": np.ones(2), "cross": np.zeros(2),
        "mean_first": np.zeros(2), "mean_second": np.zeros(2), "count": np.inf,
    }  # fmt: skip
    return PairMoments(**{**fields, **changes})


def assert_equal_moments(got, want, cond=1.0):
    for name in ("first", "second", "cross", "mean_first", "mean_second"):
        assert_close(dense(getattr(got, name)), dense(getattr(want, name)), cond=cond)
    assert got.exchangeable is want.exchangeable


# ---- averages


@given(SEEDS)
def test_moments_of_samples_are_their_averages(seed):
    u, v = samples(seed)
    pair = PairMoments.from_samples(u, v)
    dtype = pair.first.dtype
    for got, want in (
        (pair.first, np.mean([np.outer(a, a) for a in u], 0)),
        (pair.second, np.mean([np.outer(b, b) for b in v], 0)),
        (pair.cross, np.mean([np.outer(a, b) for a, b in zip(u, v, strict=True)], 0)),
    ):
        assert_close(got, want.astype(dtype))
    np.testing.assert_allclose(pair.mean_first, u.mean(0), atol=50 * jnp.finfo(dtype).eps)
    assert pair.count == 20
    assert not pair.exchangeable
    assert pair.within is None


@given(SEEDS)
def test_exchangeable_moments_are_those_of_both_orders_of_every_pair(seed):
    u, v = samples(seed, e=3)
    pair = PairMoments.from_samples(u, v, exchangeable=True)
    both = PairMoments.from_samples(np.concatenate([u, v]), np.concatenate([v, u]))
    for name in ("first", "second", "cross", "mean_first", "mean_second"):
        # A mean near 0 is a difference of terms near 1.
        assert_close(getattr(pair, name), getattr(both, name), cond=100)
    assert pair.exchangeable
    assert pair.count == 20
    np.testing.assert_array_equal(pair.first, pair.second)
    np.testing.assert_array_equal(pair.cross, pair.cross.T)
    np.testing.assert_array_equal(pair.mean_first, pair.mean_second)


def test_integers_and_booleans_are_numbers():
    pair = PairMoments.from_samples([[1, 2], [3, 4]], np.array([[True], [False]]))
    assert_close(pair.cross, jnp.array([[0.5], [1.0]]))
    assert pair.first.dtype == jnp.result_type(float)


def test_large_integers_are_not_wrapped():
    big = np.array([[2**40], [0]])
    assert_close(PairMoments.from_samples(big, big).mean_first, jnp.array([2.0**39]))


# ---- centring


@given(SEEDS, st.sampled_from([0.0, 1.0, 10.0]))
def test_centred_moments_are_moments_of_centred_samples(seed, shift):
    u, v = samples(seed, shift=shift)
    got = PairMoments.from_samples(u, v).centred()
    want = PairMoments.from_samples(u - u.mean(0), v - v.mean(0))
    for name in ("first", "second", "cross"):
        # Raw moments are (1 + shift^2) times the centred ones, and lose as many digits.
        assert_close(getattr(got, name), getattr(want, name), cond=5 * (1 + shift**2))
    assert not got.mean_first.any()
    assert not got.mean_second.any()
    assert got.count == 20


def test_centring_twice_is_centring_once():
    once = PairMoments.from_samples(*samples(0)).centred()
    assert eqx.tree_equal(once.centred(), once)


@pytest.mark.parametrize("constant", [0.0, 5.0, 1 / 3, 1e6])
def test_constant_column_has_exactly_no_variance(constant):
    u, v = samples(0)
    u[:, 1] = constant
    pair = PairMoments.from_samples(u, v).centred()
    assert not pair.first[1].any()
    assert not pair.first[:, 1].any()
    assert not pair.cross[1].any()
    assert pair.first[0, 0] > 0


def test_variance_lost_in_rounding_is_not_a_number_rather_than_noise_or_zero():
    u = np.random.default_rng(0).standard_normal((50, 2))
    u[:, 1] += 1 / float(jnp.finfo(jnp.result_type(float)).eps)
    pair = PairMoments.from_samples(u, u, exchangeable=True).centred()
    assert jnp.isnan(jnp.stack([pair.first[1, 1], pair.cross[1, 1], pair.first[0, 1]])).all()
    assert pair.first[0, 0] > 0.5


def test_years_in_single_precision_are_said_to_lose_their_variance():
    # Once a column of 1960 +- 15 was centred to 0, and with an augmentation all looked well.
    x = np.random.default_rng(0).standard_normal((500, 3)).astype(np.float32)
    x[:, 0] = 1960 + 15 * x[:, 0]
    a = GaussianNoise(np.full(3, 0.1, np.float32))
    lost = linssl.supervised(augment(linssl.with_label(x, x[:, :1]).centred(), a, None))
    assert "centre the data first" in linssl.explain(lost)
    x -= x.mean(0)
    found = linssl.supervised(augment(linssl.with_label(x, x[:, :1]).centred(), a, None))
    assert int(found.status) == 0
    assert found.predictor[0, 0] > 0.99


@pytest.mark.parametrize("constant", [1 / 3, 1e6])
def test_merged_constant_column_is_still_constant(constant):
    u, v = samples(0)
    u[:, 1] = constant
    parts = [PairMoments.from_samples(u[i : i + 3], v[i : i + 3]) for i in (0, 3, 6)]
    merged = functools.reduce(merge, parts).centred()
    assert not merged.first[1].any()
    assert merged.first[0, 0] > 0


def test_not_a_number_is_not_centred_away():
    # It was once taken for a variance lost in rounding, and set to 0.
    for bad in (jnp.nan, jnp.inf):
        data = jnp.ones((4, 2)).at[:, 0].set(jnp.arange(4.0)).at[2, 1].set(bad)
        pair = jax.jit(lambda x: same_instance(x).centred())(data)
        assert jnp.isnan(pair.first[1, 1])
        assert jnp.isnan(pair.cross[1, 1])
        assert pair.first[0, 0] == 1.25


def test_centred_exchangeable_pair_keeps_within_as_first_minus_cross():
    x = np.random.default_rng(0).standard_normal((30, 3)) + 2
    for covariance in (jnp.ones(3), jnp.eye(3)):
        a = GaussianNoise(covariance)
        pair = augment(same_instance(x), a, a)
        centred = pair.centred()
        assert_close(centred.within, pair.within)
        # Raw moments are about 5 where centred ones are about 1.
        assert_close(dense(centred.within) + centred.cross, centred.first, cond=10)


def test_within_of_a_constant_is_first_minus_cross():
    x = np.random.default_rng(0).standard_normal((30, 2)) + np.array([0.0, 3.0])
    x[:, 1] = 3.0
    for covariance in (jnp.ones(2), jnp.array([[1.0, 0.5], [0.5, 1.0]])):
        a = GaussianNoise(covariance)
        pair = augment(same_instance(x), a, a).centred()
        assert_close(dense(pair.within) + pair.cross, pair.first, cond=20)
        assert_close(dense(pair.within), dense(covariance))


def test_centring_a_pair_that_may_not_be_swapped_forgets_within():
    assert population(within=np.ones(2)).centred().within is None


# ---- merging


@given(SEEDS, st.sampled_from([1, 7, 19]), st.booleans())
def test_merging_batches_is_pooling_their_samples(seed, cut, exchangeable):
    u, v = samples(seed, e=3)
    make = functools.partial(PairMoments.from_samples, exchangeable=exchangeable)
    got = merge(make(u[:cut], v[:cut]), make(u[cut:], v[cut:]))
    # A mean near 0 is a difference of terms near 1.
    assert_equal_moments(got, make(u, v), cond=100)
    assert got.count == 20


def test_merging_is_associative_and_streams():
    u, v = samples(0)
    parts = [PairMoments.from_samples(u[i : i + 5], v[i : i + 5]) for i in range(0, 20, 5)]
    stream = functools.reduce(merge, parts)
    halves = merge(merge(*parts[:2]), merge(*parts[2:]))
    assert_equal_moments(stream, halves, cond=10)
    assert_equal_moments(jax.jit(merge)(*parts[:2]), merge(*parts[:2]))


def test_merging_with_an_empty_batch_changes_nothing():
    pair = PairMoments.from_samples(*samples(0))
    empty = jax.tree.map(jnp.zeros_like, pair)
    assert_equal_moments(merge(empty, pair), pair)
    assert_equal_moments(merge(pair, empty), pair)


def test_merging_weighs_by_count_and_keeps_structure():
    a = population(count=1.0, within=np.ones(2), first=np.ones(2))
    b = population(count=3.0, within=np.ones(2) * 5, first=np.ones(2) * 5)
    assert_close(merge(a, b).first, jnp.full(2, 4.0))
    assert_close(merge(a, b).within, jnp.full(2, 4.0))
    assert merge(a, population(count=3.0)).within is None
    assert_close(merge(a, population(count=1.0, first=np.eye(2))).first, jnp.eye(2))


# ---- swapping


def test_swapped_pair_is_the_pair_of_swapped_samples():
    u, v = samples(0)
    got, want = PairMoments.from_samples(u, v).swapped(), PairMoments.from_samples(v, u)
    assert_equal_moments(got, want)
    assert eqx.tree_equal(got.swapped(), PairMoments.from_samples(u, v))


def test_swapping_keeps_within_only_where_both_orders_are_alike():
    assert population(within=np.ones(2)).swapped().within is None
    pair = population(within=np.ones(2), exchangeable=True)
    assert eqx.tree_equal(pair.swapped(), pair)


# ---- a pytree


def test_pytree_round_trip_keeps_what_is_static():
    pair = population(exchangeable=True, within=np.ones(2))
    leaves, structure = jax.tree.flatten(pair)
    assert len(leaves) == 7
    assert eqx.tree_equal(jax.tree.unflatten(structure, leaves), pair)
    assert jax.jit(lambda p: p)(pair).exchangeable is True


def test_batches_of_pairs_are_centred_by_vmap_as_by_a_loop():
    u = jnp.asarray(np.random.default_rng(0).standard_normal((4, 10, 3)) + 1)
    batch = jax.vmap(lambda x: same_instance(x).centred())(u)
    for i in range(4):
        assert_close(batch.first[i], same_instance(u[i]).centred().first, cond=10)


# ---- what is refused


def test_half_precision_data_do_not_overflow():
    pixels = np.full((4, 2), 300, np.float16)
    assert jnp.isfinite(PairMoments.from_samples(pixels, pixels).first).all()


def test_moments_of_data_are_differentiable():
    x = jnp.asarray(np.random.default_rng(0).standard_normal((20, 3)))
    a = GaussianNoise(jnp.ones(3))

    def loss(x):
        pair = merge(same_instance(x[:10]), same_instance(x[10:])).centred()
        return linssl.joint_embedding(augment(pair, a, a), 1).loss

    assert jnp.isfinite(jax.grad(loss)(x)).all()


def test_a_variance_hidden_by_a_mean_of_the_population_or_by_noise_is_not_zero():
    far = 1 / float(jnp.finfo(jnp.result_type(float)).eps)
    population = linssl.same_instance_population(jnp.array([1e-4, 1.0]), jnp.array([far, 0.0]))
    assert jnp.isnan(population.centred().first[0, 0])
    # Noise that makes S look well resolved doesn't make G so.
    x, a = np.random.default_rng(0).standard_normal((50, 2)), GaussianNoise(jnp.full(2, far))
    hidden = augment(same_instance(x + far**0.6), a, a).centred()
    assert jnp.isnan(jnp.diagonal(hidden.cross)).all()
    # Beside a feature that is well resolved, in units of S, the rounding of another is nothing.
    x, a = x + np.array([far**0.6, 0.0]), GaussianNoise(jnp.array([far, 1.0]))
    beside = linssl.joint_embedding(augment(same_instance(x), a, a).centred(), 1)
    want = linssl.joint_embedding(augment(same_instance(x - x.mean(0)), a, a).centred(), 1)
    np.testing.assert_allclose(beside.spectrum[0], want.spectrum[0], rtol=1e-3)


# ---- what is constant, and what only looks so in the cross moment


def test_views_that_never_share_a_feature_keep_a_cross_moment_of_zero():
    rng = np.random.default_rng(0)
    x, mask = rng.random((400, 3)) + 1, rng.random((400, 3)) < 0.5
    pair = PairMoments.from_samples(x * mask, x * ~mask, exchangeable=True)
    for view in (None, linssl.GaussianNoise(np.full(3, 0.01))):
        got = linssl.augment(pair, view, view)
        np.testing.assert_array_equal(jnp.diagonal(got.cross), 0)


def test_a_feature_that_tells_nothing_of_itself_in_the_partner_is_no_constant():
    swap, zero = jnp.asarray([[0.0, 0.5], [0.5, 0.0]]), jnp.zeros(2)
    known = (None, jnp.eye(2) - swap)
    turn = jnp.asarray([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)
    for within in known:
        pair = PairMoments(
            jnp.eye(2), jnp.eye(2), swap, zero, zero, jnp.inf, within=within, exchangeable=True
        )
        assert_close(pair.centred().cross, swap)
        a = linssl.Matrices(turn[None])
        assert_close(linssl.augment(pair, a, a).cross, jnp.diag(jnp.asarray([0.5, -0.5])))


def test_a_feature_without_a_class_does_not_cost_the_others_theirs():
    rng, labels = np.random.default_rng(0), np.arange(20_000) % 2
    x = rng.standard_normal((labels.size, 4)) + 1.0
    x[:, 0] += 2 * labels
    single = linssl.same_class(x.astype(np.float32), labels).centred()
    solution = linssl.joint_embedding(single, 1)
    assert solution.status == 0
    want = linssl.joint_embedding(linssl.same_class(x - x.mean(0), labels).centred(), 1)
    np.testing.assert_allclose(solution.spectrum[0], want.spectrum[0], rtol=1e-3)


@pytest.mark.x64
def test_digits_that_noise_hides_are_still_missed():
    x = np.random.default_rng(0).standard_normal((500, 3)) + 1e8
    a = linssl.GaussianNoise(np.full(3, 1e8))
    pair = linssl.augment(linssl.same_instance(x), a, a).centred()
    assert linssl.joint_embedding(pair, 1).status & linssl.Status.NOT_FINITE


@pytest.mark.x64
@pytest.mark.parametrize("mean", [1e3, 1e5, 3e5])
def test_centring_leaves_the_moments_of_one_pair_beside_large_means(mean):
    rng = np.random.default_rng(6)
    X = rng.standard_normal((300, 6)) @ rng.standard_normal((6, 6))
    view = linssl.GaussianNoise(np.full(6, 0.1))

    def solved(data):
        pair = linssl.augment(linssl.same_instance(data), view, view).centred()
        return linssl.joint_embedding(pair, 2)

    far, near = solved(X + mean), solved(X)
    assert int(far.status) == int(near.status) == 0
    # Raw moments of size mean^2 are rounded, and centring leaves that.
    assert_close(far.spectrum, near.spectrum, cond=mean**2 / 0.1, factor=20)
