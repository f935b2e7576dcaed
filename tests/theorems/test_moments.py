"""Moments of pairs: averages that no mean or type of number costs a digit, and their merging."""

import functools
import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import SEEDS, assert_close
from hypothesis import given
from hypothesis import strategies as st

import linssl
from linssl import GaussianNoise, PairMoments, Status, Views, augment, merge, pairs, same_instance
from linssl.linalg import averages
from linssl.linalg.structure import dense


def samples(seed, n=20, d=3, e=2, shift=1.0):
    rng = np.random.default_rng(seed)
    u = rng.standard_normal((n, d)) + shift
    return u, u @ rng.standard_normal((d, e)) + rng.standard_normal((n, e)) - shift


def in_deviations(got, want):
    """The largest error of a covariance, in units of the deviations of both features."""
    got, want = np.asarray(dense(got), float), np.asarray(want, float)
    deviation = np.sqrt(np.where(np.diag(want) > 0, np.diag(want), 1))
    return (np.abs(got - want) / np.outer(deviation, deviation)).max()


def assert_equal_moments(got, want, cond=1.0):
    for left, right in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
        assert_close(left, right, cond=cond)


# ---- averages


@given(SEEDS)
def test_moments_of_samples_are_their_covariances_and_means(seed):
    u, v = samples(seed)
    pair = PairMoments.from_samples(u, v)
    want = np.cov(np.hstack([u, v]).T, bias=True).astype(pair.first.dtype)
    for got, block in (
        (pair.first, want[:3, :3]), (pair.second, want[3:, 3:]), (pair.cross, want[:3, 3:]),
    ):  # fmt: skip
        assert_close(got, block)
    assert_close(pair.mean_first, u.mean(0).astype(pair.first.dtype), cond=10)
    assert (float(pair.count), float(pair.draws)) == (20, 19)


@given(SEEDS)
def test_sums_inside_a_trace_are_those_outside(seed):
    x = jnp.asarray(samples(seed)[0])
    assert_equal_moments(jax.jit(same_instance)(x), same_instance(x), cond=10)


def as_type(values, kind):
    if kind == "bool":
        return values > 0
    if kind == "int":
        return np.round(values * 100).astype(np.int64)
    return values.astype({"big-endian": ">f8", "half": np.float16}.get(kind, kind))


@pytest.mark.parametrize("kind", ["float64", "big-endian", "float32", "half", "int", "bool"])
def test_numbers_of_any_type_are_averaged_in_double_precision(kind):
    x = as_type(np.random.default_rng(0).standard_normal((5000, 4)) + 1, kind)
    got = same_instance(x).shared
    want = np.cov(x.astype(float).T, bias=True)
    assert got.dtype == (jnp.float32 if kind in ("float32", "half") else jnp.result_type(float))
    assert in_deviations(got, want) < (1e-6 if got.dtype == jnp.float32 else 1e-12)


@pytest.mark.x64
@pytest.mark.parametrize("mean", [1e2, 1e5, 1e8])
@pytest.mark.parametrize("kind", ["float64", "big-endian", "int"])
def test_a_mean_costs_no_digits(mean, kind):
    rng = np.random.default_rng(1)
    near = rng.standard_normal((9000, 5)) @ rng.standard_normal((5, 5))
    far = as_type(near + mean * np.array([1, -1, 1, 0, 2]), kind)
    by_hand = far.astype(float) - far[0].astype(float)  # exact: numbers of one size
    want = np.cov(by_hand.T, bias=True)
    for got in (same_instance(far).shared, PairMoments.from_samples(far, far).cross):
        assert in_deviations(got, want) < 1e-9
    two = pairs.groups(far.reshape(-1, 2, 5))
    assert in_deviations(two.covariance, want) < 1e-9


@pytest.mark.x64
def test_a_mean_of_1e4_spreads_costs_single_precision_data_no_more_than_they_have_lost():
    rng = np.random.default_rng(2)
    far = (rng.standard_normal((9000, 5)) + 1e4).astype(np.float32)
    want = np.cov((far.astype(float) - 1e4).T, bias=True)
    assert in_deviations(same_instance(far).shared, want) < 1e-6


@pytest.mark.parametrize("constant", [0.0, 5.0, 1 / 3, 1e6, 1e30])
def test_a_constant_column_has_exactly_no_variance(constant):
    u, v = samples(0)
    u[:, 1] = constant
    classes = np.arange(20) % 2
    merged = functools.reduce(merge, [same_instance(u[i : i + 4]) for i in range(0, 20, 4)])
    for S in (
        PairMoments.from_samples(u, v).first,
        same_instance(u).shared,
        jax.jit(same_instance)(jnp.asarray(u)).shared,
        pairs.groups(u.reshape(10, 2, 3)).covariance,
        linssl.same_class(u, classes).shared,
        merged.shared,
    ):
        assert not S[1].any()
        assert not S[:, 1].any()
        assert S[0, 0] != 0


def test_not_a_number_is_not_averaged_away():
    for bad in (jnp.nan, jnp.inf):
        data = jnp.ones((4, 2)).at[:, 0].set(jnp.arange(4.0)).at[2, 1].set(bad)
        S = jax.jit(same_instance)(data).shared
        assert jnp.isnan(S[1, 1])
        assert S[0, 0] == 1.25


@pytest.mark.x64
def test_data_are_not_copied():
    x = np.random.default_rng(0).standard_normal((20_000, 60))
    x.flags.writeable = False
    assert linssl.linalg.averages.as_rows("data", x) is x


def test_moments_of_data_are_differentiable():
    x = jnp.asarray(np.random.default_rng(0).standard_normal((20, 3)))
    a = GaussianNoise(jnp.ones(3))

    def loss(x):
        views = merge(same_instance(x[:10]), same_instance(x[10:]))
        return linssl.joint_embedding(augment(views, a), 1).loss

    assert jnp.isfinite(jax.grad(loss)(x)).all()


# ---- what depends on others beside a mean


@pytest.mark.x64
@pytest.mark.parametrize("kind", ["float64", "float32"])
@pytest.mark.parametrize("mean", [0.0, 100.0])
def test_a_feature_that_others_determine_is_singular_beside_any_mean(kind, mean):
    rng, y = np.random.default_rng(19), np.arange(200) % 3
    x = rng.normal(size=(200, 5)) + 0.5 * rng.normal(size=(3, 5))[y] + mean
    x = np.c_[x, x[:, 0] + x[:, 1]].astype(kind)
    views = linssl.same_class(x, y)
    label = linssl.with_label(x, y)
    for solution in (
        linssl.joint_embedding(views, 2),
        linssl.objectives.soft_constraint(views, 2, 1.0),
        linssl.canonical_correlation(label, 2),
        linssl.supervised(label),
        linssl.joint_embedding(pairs.groups(x.reshape(-1, 2, 6)), 2),
    ):
        assert int(solution.status) & Status.SINGULAR, linssl.explain(solution)


@pytest.mark.x64
def test_percentages_that_sum_to_100_are_singular():
    x = np.random.default_rng(0).dirichlet(np.ones(5), 400).astype(np.float32) * 100
    status = int(linssl.joint_embedding(linssl.same_class(x, np.arange(400) % 2), 1).status)
    assert status & Status.SINGULAR


@pytest.mark.x64
def test_rounding_of_the_data_is_judged_in_every_precision_and_survives_merging():
    far = 1000 + np.random.default_rng(0).standard_normal((400, 2))
    noise = GaussianNoise(np.full(2, 1e-3))
    for kind in (jnp.bfloat16, np.float16):  # steps of 4 and .5 beside a spread of 1
        half = same_instance(np.asarray(far, kind))
        assert int(linssl.joint_embedding(augment(half, noise), 1).status) & Status.SINGULAR
    single = np.asarray(1e6 + 0.05 * (far - 1000), np.float32)
    whole = same_instance(single)
    parts = functools.reduce(merge, [same_instance(part) for part in np.split(single, 20)])
    np.testing.assert_allclose(parts.rounding, whole.rounding, rtol=1e-3)
    assert not same_instance(np.full((5, 1), 1e6, np.float32)).rounding.any()  # a constant has none
    # About 0 the mean is variance, and all digits are there.
    one = augment(same_instance(single[:, :1]).about_zero(), GaussianNoise([1e-3]))
    assert int(linssl.joint_embedding(one, 1).status) == 0


@pytest.mark.skipif(jax.config.jax_enable_x64, reason="double precision keeps the mean")
def test_a_mean_that_single_precision_does_not_keep_is_said_to_cost_the_codes_their_digits():
    x = np.random.default_rng(0).standard_normal((50, 2)) + 1e8
    found = linssl.joint_embedding(augment(same_instance(x), GaussianNoise(np.ones(2))), 1)
    assert int(found.status) & Status.SINGULAR


# ---- merging


@pytest.mark.witness("merge-of-pairs")
@given(SEEDS, st.sampled_from([1, 7, 19]))
def test_merging_batches_is_pooling_their_samples(seed, cut):
    u, v = samples(seed, e=3)
    for make in (PairMoments.from_samples, lambda u, v: pairs.groups(np.stack([u, v], 1))):
        got, want = merge(make(u[:cut], v[:cut]), make(u[cut:], v[cut:])), make(u, v)
        for name in set(vars(want)) - {"rounding", "rounding_first", "rounding_second"}:
            if getattr(want, name) is not None and name != "group_size":
                assert_close(getattr(got, name), getattr(want, name), cond=100)


@pytest.mark.witness("merge-of-views")
@pytest.mark.x64
@pytest.mark.parametrize(("mean", "tolerance"), [(100, 1e-12), (1e8, 1e-7)])
def test_the_order_of_merging_does_not_matter(mean, tolerance):
    x = np.random.default_rng(0).standard_normal((600, 4)) + mean
    parts = [same_instance(x[i : i + 120]) for i in range(0, 600, 120)]
    want = same_instance(x)
    for order in itertools.islice(itertools.permutations(parts), 0, 120, 17):
        got = functools.reduce(merge, order)
        assert in_deviations(got.shared, want.shared) < tolerance
        halves = merge(merge(*order[:2]), functools.reduce(merge, order[2:]))
        assert in_deviations(halves.shared, want.shared) < tolerance


@pytest.mark.witness("draws-of-views", "merge-of-views")
def test_draws_of_parts_add_and_what_is_exact_adds_none():
    x = np.random.default_rng(0).standard_normal((12, 3, 4))
    a, b = pairs.groups(x[:5]), pairs.groups(x[5:])
    assert float(merge(a, b).draws) == float(pairs.groups(x).draws) == 24
    exact = Views(*jax.tree.leaves(b)[:4], jnp.inf, group_size=3)
    assert float(merge(a, exact).draws) == float(merge(exact, a).draws) == 10
    rows = [PairMoments.from_samples(x[i], x[i]) for i in range(4)]
    assert float(functools.reduce(merge, rows).draws) == 11  # 12 rows less one for the mean


def test_merging_with_an_empty_batch_changes_nothing():
    views = same_instance(samples(0)[0])
    empty = eqx.tree_at(lambda v: v.draws, jax.tree.map(jnp.zeros_like, views), jnp.inf)
    assert_equal_moments(merge(empty, views), views)
    assert_equal_moments(merge(views, empty), views)


# ---- means back in, and out


@pytest.mark.witness("raw-moments")
@given(SEEDS)
def test_moments_about_zero_are_raw_moments(seed):
    u, v = samples(seed)
    pair = PairMoments.from_samples(u, v)
    raw = pair.about_zero()
    assert_close(raw.first, (u.T @ u / 20).astype(raw.first.dtype), cond=10)
    assert_close(raw.cross, (u.T @ v / 20).astype(raw.first.dtype), cond=10)
    assert not raw.mean_first.any()
    back = PairMoments.from_raw(
        raw.first, raw.second, raw.cross, pair.mean_first, pair.mean_second, 20, 19
    )
    for name in ("first", "second", "cross"):
        assert_close(getattr(back, name), getattr(pair, name), cond=100)
    views = same_instance(u)
    assert_close(dense(views.about_zero().covariance), raw.first, cond=10)


def test_raw_moments_whose_mean_hides_the_variance_are_singular_and_not_numbers():
    x = np.random.default_rng(0).standard_normal((50, 2))
    x[:, 1] += 1 / float(jnp.finfo(jnp.result_type(float)).eps)
    raw, mean = x.T @ x / 50, x.mean(0)
    pair = PairMoments.from_raw(raw, raw, raw, mean, mean, 50, 49)
    solution = linssl.supervised(pair)
    assert int(solution.status) & Status.SINGULAR
    assert jnp.isnan(solution.encoder).all()


@pytest.mark.x64
def test_a_constant_in_raw_moments_stays_one_and_takes_its_row_along():
    w = np.c_[np.full(3000, 1e8 / 3), np.random.default_rng(0).standard_normal((3000, 2))]
    raw, mean = w.T @ w / 3000, w.mean(0)
    pair = PairMoments.from_raw(raw, raw, raw, mean, mean, 3000, 2999)
    assert not pair.first[0].any()
    assert not pair.cross[0].any()
    noisy = linssl.augment_sides(pair, GaussianNoise(np.full(3, 1e-2)), None)
    assert int(linssl.reconstruction(noisy, 1).status) & Status.SINGULAR


@pytest.mark.x64
def test_blocks_of_rows_give_the_moments_of_the_whole(monkeypatch):
    X = np.random.default_rng(0).standard_normal((1000, 3)) * [1, 1e3, 0] + [1e5, 1, 7]
    whole = same_instance(X)
    monkeypatch.setattr(averages, "AT_ONCE", 300)
    parts = same_instance(X)
    np.testing.assert_allclose(parts.shared, whole.shared, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(parts.mean, whole.mean, rtol=1e-14)
    np.testing.assert_array_equal(parts.shared, parts.shared.T)
    assert not parts.shared[2].any()
    X[777, 1] = np.nan
    with pytest.raises(ValueError, match="got 1 NaN or inf, the first at row 777, column 1"):
        same_instance(X)


@pytest.mark.x64
def test_constants_that_turn_out_to_differ_have_the_rounding_of_the_whole():
    rng = np.random.default_rng(0)
    steps = rng.standard_normal((40, 2)).astype(np.float32)
    steps[:, 1] = np.repeat(np.float32([1e4, 1e4 + 1e-3]), 20)  # one unit in the last place apart
    rows = np.c_[rng.standard_normal((60, 2)), 1e8 + 1e-8 * rng.standard_normal(60)]
    for X, size in ((steps, 20), (rows, 1), (rows, 7)):
        whole = same_instance(X)
        batches = [same_instance(X[at : at + size]) for at in range(0, len(X), size)]
        parts = functools.reduce(merge, batches)
        assert np.all(parts.rounding >= 0.5 * np.asarray(whole.rounding))
        noise = GaussianNoise(np.full(X.shape[1], 1e-20, X.dtype))
        for views in (whole, parts):
            assert int(linssl.joint_embedding(augment(views, noise), 1).status) & Status.SINGULAR


# ---- sides


def test_swapped_pair_is_the_pair_of_swapped_samples():
    u, v = samples(0)
    got, want = PairMoments.from_samples(u, v).swapped(), PairMoments.from_samples(v, u)
    assert_equal_moments(got, want, cond=10)
    assert eqx.tree_equal(got.swapped(), PairMoments.from_samples(u, v))


def test_views_as_a_pair_have_two_like_sides():
    views = augment(same_instance(samples(0)[0]), GaussianNoise(jnp.ones(3)))
    pair = views.as_pair()
    np.testing.assert_array_equal(pair.first, views.shared + jnp.eye(3))
    np.testing.assert_array_equal(pair.first, pair.second)
    np.testing.assert_array_equal(pair.cross, views.shared)
    assert pair.draws == views.draws


def test_pytree_round_trip_keeps_what_is_static():
    views = pairs.groups(np.random.default_rng(0).standard_normal((5, 3, 2)))
    leaves, structure = jax.tree.flatten(views)
    assert len(leaves) == 6
    assert eqx.tree_equal(jax.tree.unflatten(structure, leaves), views)
    assert jax.jit(lambda v: v)(views).group_size == 3


def test_batches_of_data_are_averaged_by_vmap_as_by_a_loop():
    u = jnp.asarray(np.random.default_rng(0).standard_normal((4, 10, 3)) + 1)
    batch = jax.vmap(same_instance)(u)
    for i in range(4):
        assert_close(batch.shared[i], same_instance(u[i]).shared, cond=10)


# ---- files


@pytest.mark.parametrize("make", [
    lambda: PairMoments.from_samples(*samples(0)),
    lambda: pairs.groups(np.random.default_rng(0).standard_normal((5, 3, 2))),
    lambda: linssl.pairs.same_instance_population([1.0, 2.0]),
])  # fmt: skip
def test_moments_come_back_from_their_file_to_the_bit(make, tmp_path):
    moments = make()
    linssl.save_moments(moments, tmp_path / "moments.npz")
    assert eqx.tree_equal(linssl.load_moments(tmp_path / "moments.npz"), moments)
    assert [p.name for p in tmp_path.iterdir()] == ["moments.npz"]
