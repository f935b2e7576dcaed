"""One contract for every augmentation: the simulator and the theory are the same object."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, assert_sampled, covariance

from linssl import AlignedNoise, GaussianNoise, augment, same_instance, same_instance_population
from linssl._structure import dense

D = 3
DIAGONAL, DENSE = jnp.array([0.5, 1.0, 2.0]), covariance([0.5, 1.0, 2.0], 1)
SINGULAR = covariance([0.0, 0.0, 1.5], 2)
AUGMENTATIONS = {
    "no noise": GaussianNoise(jnp.zeros(D)),
    "diagonal noise": GaussianNoise(DIAGONAL),
    "dense noise": GaussianNoise(DENSE),
    "singular noise": GaussianNoise(SINGULAR),
    "aligned, diagonals": AlignedNoise(DIAGONAL, jnp.array([0.0, 0.0, 3.0]), 1.5),
    "aligned, dense base": AlignedNoise(DENSE, jnp.array([0.0, 0.0, 3.0]), 1.5),
    "aligned, dense noise": AlignedNoise(DIAGONAL, SINGULAR, 1.5),
    "aligned, dense both": AlignedNoise(DENSE, SINGULAR, 0.5),
    "aligned, alpha = 0": AlignedNoise(jnp.zeros(D), SINGULAR, 0),
}
ROWS, VIEWS = 40, 300
CLEAN = np.random.default_rng(0).standard_normal((ROWS, D)) @ np.asarray(DENSE)
MEANS = {"zero mean": np.zeros(D), "non-zero mean": np.array([3.0, -2.0, 0.5])}


@pytest.fixture(params=AUGMENTATIONS, name="a")
def augmentation(request):
    return AUGMENTATIONS[request.param]


@pytest.fixture(params=MEANS)
def data(request):
    return jnp.asarray(CLEAN - CLEAN.mean(0) + MEANS[request.param])


def views(a, data, key, number):
    """`number` independent views of every row, stacked: instance i is at rows i, i + n, ..."""
    stacked = jnp.tile(data, (VIEWS, 1))
    return [np.asarray(a.sample(k, stacked), float) for k in jax.random.split(key, number)]


def products(u, v):
    return u[:, :, None] * v[:, None, :]


def test_sampled_moments_of_two_views_equal_the_exact_moments(a, data, key):
    pair = augment(same_instance(data), a, a)
    u, v = views(a, data, key, 2)
    for samples, want in (
        (products(u, u), dense(pair.first)),
        (products(v, v), dense(pair.second)),
        (products(u, v), dense(pair.cross)),
        (u, pair.mean_first),
        (v, pair.mean_second),
    ):
        assert_sampled(samples, want)


def test_sampled_moments_of_a_view_and_its_clean_target_equal_the_exact_moments(a, data, key):
    pair = augment(same_instance(data), a, None)
    (u,), x = views(a, data, key, 1), np.tile(np.asarray(data, float), (VIEWS, 1))
    assert_sampled(products(u, x), dense(pair.cross))
    assert_sampled(products(x, x), dense(pair.second))
    assert not pair.exchangeable


def test_sampled_spread_within_an_instance_equals_spread(a, data, key):
    second, mean = same_instance(data).first, same_instance(data).mean_first
    u, v = views(a, data, key, 2)
    assert_sampled(products(u - v, u - v) / 2, dense(a.spread(second, mean)))


def test_first_minus_cross_is_positive_semidefinite(a, data):
    pair = augment(same_instance(data), a, a)
    S, G = (np.asarray(dense(m), float) for m in (pair.first, pair.cross))
    rounding = 10 * float(jnp.finfo(pair.first.dtype).eps) * np.abs(S).max()
    assert np.linalg.eigvalsh(S - G).min() >= -rounding


def test_within_is_first_minus_cross(a, data):
    pair = augment(same_instance(data), a, a)
    assert pair.exchangeable
    assert_close(dense(pair.within) + dense(pair.cross), dense(pair.first))


def test_within_keeps_the_structure_of_the_spread(a, data):
    pair = augment(same_instance(data), a, a)
    assert pair.within.ndim == a.spread(pair.first, pair.mean_first).ndim


def test_diagonal_populations_stay_diagonal_where_the_spread_is():
    population = same_instance_population(jnp.ones(D))
    for name in ("diagonal noise", "aligned, diagonals"):
        a = AUGMENTATIONS[name]
        pair = augment(population, a, a)
        assert {m.ndim for m in (pair.first, pair.second, pair.cross, pair.within)} == {1}


def test_compiled_equals_eager(a, data, key):
    assert_close(eqx.filter_jit(a.sample)(key, data), a.sample(key, data))

    def law(b, x):
        return augment(same_instance(x), b, b)

    for got, want in zip(
        jax.tree.leaves(eqx.filter_jit(law)(a, data)), jax.tree.leaves(law(a, data)), strict=True
    ):
        assert_close(got, want)


def test_pytree_round_trip(a):
    leaves, structure = jax.tree.flatten(a)
    assert eqx.tree_equal(jax.tree.unflatten(structure, leaves), a)
    assert all(isinstance(leaf, jax.Array) for leaf in leaves)


def test_views_keep_shape_and_precision(a, key):
    for shape in ((D,), (4, D), (2, 4, D)):
        for dtype in (jnp.float32, jnp.result_type(float)):
            got = a.sample(key, jnp.ones(shape, dtype))
            assert (got.shape, got.dtype) == (shape, jnp.dtype(dtype))
            assert jnp.isfinite(got).all()


def test_every_row_gets_its_own_draw_and_a_key_its_own_views(a, key):
    x = jnp.zeros((5, D))
    view = a.sample(key, x)
    np.testing.assert_array_equal(a.sample(key, x), view)
    if dense(a.spread(jnp.ones(D), jnp.zeros(D))).any():
        assert len(np.unique(view, axis=0)) == 5
        assert (a.sample(jax.random.key(1), x) != view).any()


def test_data_of_another_size_is_refused(a, key):
    for d in (1, D + 1):
        with pytest.raises(ValueError, match=rf"x must be \(..., 3\); got \(2, {d}\)"):
            a.sample(key, jnp.zeros((2, d)))


@pytest.mark.parametrize("covariance", [jnp.ones(1), jnp.ones((1, 1))])
def test_noise_for_one_feature_is_not_shared_among_many(covariance, key):
    with pytest.raises(ValueError, match=r"x must be \(..., 1\); got \(2, 3\)"):
        GaussianNoise(covariance).sample(key, jnp.zeros((2, 3)))


@pytest.mark.parametrize("base", [DIAGONAL, DENSE])
@pytest.mark.parametrize("noise", [jnp.array([0.0, 1.0, 2.0]), SINGULAR])
def test_sweeping_alpha_by_vmap_equals_a_loop(base, noise, data, key):
    alphas = jnp.array([0.0, 0.5, 10.0])

    def one(alpha):
        a = AlignedNoise(base, noise, alpha)
        pair = augment(same_instance(data), a, a)
        return pair.first, pair.within, a.sample(key, data)

    for i, alpha in enumerate(alphas):
        for got, want in zip(jax.vmap(one)(alphas), one(alpha), strict=True):
            assert_close(got[i], want)


def test_noise_on_noise_is_noise_of_the_summed_covariance(data):
    pair = same_instance(data)
    a, b, both = (GaussianNoise(m) for m in (DENSE, SINGULAR, DENSE + SINGULAR))
    twice, once = augment(augment(pair, a, a), b, b), augment(pair, both, both)
    for got, want in zip(jax.tree.leaves(twice), jax.tree.leaves(once), strict=True):
        assert_close(got, want)


def test_aligned_noise_without_alignment_is_its_base_noise(data):
    pair, a, b = same_instance(data), AlignedNoise(DENSE, SINGULAR, 0), GaussianNoise(DENSE)
    for got, want in zip(
        jax.tree.leaves(augment(pair, a, a)), jax.tree.leaves(augment(pair, b, b)), strict=True
    ):
        assert_close(got, want)


def test_draws_from_a_singular_covariance_stay_on_its_range(key):
    # Rounding makes zero eigenvalues negative; their root was NaN once.
    for seed in range(5):
        thin = np.random.default_rng(seed).standard_normal((8, 2))
        view = GaussianNoise(thin @ thin.T).sample(key, jnp.zeros((20, 8)))
        Q = np.linalg.qr(thin)[0]
        outside = view - (view @ Q.astype(view.dtype)) @ Q.T.astype(view.dtype)
        # A rounded zero eigenvalue is eps, a deviation its root.
        assert jnp.abs(outside).max() < 30 * jnp.sqrt(jnp.finfo(view.dtype).eps)


BAD = {
    "rectangular": (np.ones((2, 3)), r"must be \(d, d\), or \(d,\) for a diagonal; got \(2, 3\)"),
    "3-D": (np.ones((2, 2, 2)), r"must be \(d, d\), or \(d,\) for a diagonal; got \(2, 2, 2\)"),
    "0-D": (np.float64(1.0), r"must be \(d, d\), or \(d,\) for a diagonal; got \(\)"),
    "negative variance": (np.array([1.0, -1.0]), "must hold variances >= 0; got -1"),
    "NaN": (np.array([1.0, np.nan]), "must be finite; got 1 NaN or inf"),
    "inf": (np.array([[np.inf, 0.0], [0.0, 1.0]]), "must be finite; got 1 NaN or inf"),
    "not symmetric": (np.array([[1.0, 0.5], [0.0, 1.0]]), "must be symmetric; entries differ"),
    "indefinite": (np.array([[1.0, 2.0], [2.0, 1.0]]), "must be positive semi-definite; its"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_not_a_covariance_is_refused(case):
    values, match = BAD[case]
    good = np.ones(2)
    with pytest.raises(ValueError, match=f"covariance {match}"):
        GaussianNoise(values)
    with pytest.raises(ValueError, match=f"base {match}"):
        AlignedNoise(values, good, 1.0)
    with pytest.raises(ValueError, match=f"noise {match}"):
        AlignedNoise(good, values, 1.0)


@pytest.mark.parametrize(
    ("noise", "alpha", "match"),
    [
        (np.ones(3), 1.0, "base and noise must have equal sizes; got 2 and 3"),
        (np.ones(2), np.ones(2), r"alpha must be a scalar; got shape \(2,\)"),
        (np.ones(2), -0.5, "alpha must be finite and >= 0; got -0.5"),
        (np.ones(2), np.nan, "alpha must be finite and >= 0; got nan"),
    ],
)
def test_bad_alignment_is_refused(noise, alpha, match):
    with pytest.raises(ValueError, match=match):
        AlignedNoise(np.ones(2), noise, alpha)


def test_objects_are_refused():
    with pytest.raises(ValueError, match="number"):
        GaussianNoise(np.array([1.0, None], object))
