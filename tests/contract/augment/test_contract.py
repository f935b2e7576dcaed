"""One contract for every augmentation: the simulator and the theory are the same object."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, assert_sampled, covariance

from linssl import (
    AlignedNoise,
    Brightness,
    CyclicFilters,
    Dropout,
    FixedCountMask,
    GaussianNoise,
    Image,
    Matrices,
    Mixture,
    Mixup,
    Offset,
    PatchMask,
    RandomMask,
    augment,
    blurs,
    compose,
    crops,
    cutout_masks,
    cyclic_shifts,
    flip,
    image_patches,
    quarter_turns,
    same_instance,
    same_instance_population,
    shifts,
)
from linssl._structure import dense

IMAGE = Image(2, 2, 2)
D = IMAGE.features
DIAGONAL, DENSE = jnp.linspace(0.5, 2.0, D), covariance(np.linspace(0.5, 2.0, D), 1)
ON_NOISE = jnp.asarray([0.0] * (D - 2) + [1.0, 3.0])
SINGULAR = covariance([0.0] * (D - 1) + [1.5], 2)
PATCHES = image_patches(IMAGE, 1)
rng = np.random.default_rng(3)
NOISE = {
    "no noise": GaussianNoise(jnp.zeros(D)),
    "diagonal noise": GaussianNoise(DIAGONAL),
    "dense noise": GaussianNoise(DENSE),
    "singular noise": GaussianNoise(SINGULAR),
    "aligned, diagonals": AlignedNoise(DIAGONAL, ON_NOISE, 1.5),
    "aligned, dense base": AlignedNoise(DENSE, ON_NOISE, 1.5),
    "aligned, dense noise": AlignedNoise(DIAGONAL, SINGULAR, 1.5),
    "aligned, dense both": AlignedNoise(DENSE, SINGULAR, 0.5),
    "aligned, alpha = 0": AlignedNoise(jnp.zeros(D), SINGULAR, 0),
}
FAMILIES = {
    "brightness": Brightness(0.4, 1.8),
    "offset": Offset(0.7),
    "dropout": Dropout(0.7),
    "dropout by feature": Dropout(jnp.linspace(0.3, 1.0, D)),
    "rescaled dropout": Dropout(0.6, rescaled=True),
    "patches": PatchMask(PATCHES, 0.4),
    "fixed count": FixedCountMask(PATCHES, 3),
    "masks": RandomMask(rng.uniform(size=(3, D)), [0.2, 0.5, 0.3]),
    "cutout": RandomMask(cutout_masks(IMAGE, 1)),
    "matrices": Matrices(rng.standard_normal((3, D, D)), [0.2, 0.5, 0.3]),
    "shifts": shifts(IMAGE, 1),
    "flip": flip(IMAGE, 0.3),
    "quarter turns": quarter_turns(IMAGE, [0.1, 0.2, 0.3, 0.4]),
    "blurs": blurs(IMAGE, [0.0, 0.5, 2.0]),
    "crops": crops(IMAGE, [[0, 0, 2, 2], [0, 0.5, 1.5, 1], [0.2, 0.1, 1, 1.7]]),
    "cyclic shifts": cyclic_shifts(IMAGE, 1),
    "cyclic filters": CyclicFilters(rng.standard_normal((3, 2, 2)), IMAGE, [0.2, 0.5, 0.3]),
    "mixup": Mixup(0.4),
    "mixture": Mixture([Offset(0.7), Dropout(0.6)], [0.3, 0.7]),
}


def random_composition(seed):
    """Two to four augmentations of any family, in any order."""
    rng = np.random.default_rng(seed)
    pool = list((NOISE | FAMILIES).values())
    return compose(*(pool[i] for i in rng.integers(0, len(pool), rng.integers(2, 5))))


COMPOSITIONS = {f"composition {seed}": random_composition(seed) for seed in range(5)}
AUGMENTATIONS = NOISE | FAMILIES | COMPOSITIONS
ROWS, VIEWS = 40, 300
CLEAN = np.random.default_rng(0).standard_normal((ROWS, D)) @ np.asarray(DENSE)
MEANS = {"zero mean": np.zeros(D), "non-zero mean": np.linspace(3.0, -2.0, D)}


@pytest.fixture(params=AUGMENTATIONS, name="a")
def augmentation(request):
    return AUGMENTATIONS[request.param]


@pytest.fixture(params=MEANS)
def data(request):
    return jnp.asarray(CLEAN - CLEAN.mean(0) + MEANS[request.param])


@eqx.filter_jit
def draw(a, data, key):
    return a.sample(key, jnp.tile(data, (VIEWS, 1)))


@eqx.filter_jit
def moments(a, data):
    """The pair of two views, the pair with the clean target, and the spread."""
    same = same_instance(data)
    spread = a.moments(same.first, same.mean_first).spread
    return augment(same, a, a), augment(same, a, None), spread


def views(a, data, key, number):
    """`number` independent views of every row, stacked: instance i is at rows i, i + n, ..."""
    return [np.asarray(draw(a, data, k), float) for k in jax.random.split(key, number)]


def products(u, v):
    return u[:, :, None] * v[:, None, :]


def test_sampled_moments_equal_the_exact_ones(a, data, key):
    u, v = views(a, data, key, 2)
    x = np.tile(np.asarray(data, float), (VIEWS, 1))
    pair, to_clean, spread = moments(a, data)
    for samples, want in (
        (products(u, u), dense(pair.first)),
        (products(v, v), dense(pair.second)),
        (products(u, v), dense(pair.cross)),
        (u, pair.mean_first),
        (v, pair.mean_second),
        (products(u, x), dense(to_clean.cross)),
        (products(x, x), dense(to_clean.second)),
        (products(u - v, u - v) / 2, dense(spread)),
    ):
        assert_sampled(samples, want)
    assert not to_clean.exchangeable


def test_first_minus_cross_is_positive_semidefinite(a, data):
    pair, _, _ = moments(a, data)
    S, G = (np.asarray(dense(m), float) for m in (pair.first, pair.cross))
    rounding = 20 * float(jnp.finfo(pair.first.dtype).eps) * np.abs(S).max()
    assert np.linalg.eigvalsh(S - G).min() >= -rounding


def test_within_is_first_minus_cross(a, data):
    pair, _, _ = moments(a, data)
    assert pair.exchangeable
    assert_close(dense(pair.within) + dense(pair.cross), dense(pair.first))


@pytest.mark.parametrize("seed", range(6))
def test_composing_is_associative_and_does_one_after_the_other(seed):
    pool = list(AUGMENTATIONS.values())
    a, b, c = (pool[i] for i in np.random.default_rng(seed).integers(0, len(pool), 3))
    left, right = compose(compose(a, b), c), compose(a, compose(b, c))
    assert eqx.tree_equal(left, right)

    @eqx.filter_jit
    def one_by_one(parts, data):
        pair = same_instance(data)
        for part in parts:
            pair = augment(pair, part, part)
        return pair

    data = jnp.asarray(CLEAN + MEANS["non-zero mean"])
    once, step = moments(left, data)[0], one_by_one((a, b, c), data)
    for got, want in zip(
        (once.first, once.cross, once.mean_first, once.within),
        (step.first, step.cross, step.mean_first, step.within),
        strict=True,
    ):
        assert_close(dense(got), dense(want), cond=10)


def test_within_keeps_the_structure_of_the_spread(a, data):
    pair, _, spread = moments(a, data)
    assert pair.within.ndim == spread.ndim


def test_diagonal_populations_stay_diagonal_where_the_spread_is():
    population = same_instance_population(jnp.ones(D))
    for name in ("diagonal noise", "aligned, diagonals"):
        a = AUGMENTATIONS[name]
        pair = augment(population, a, a)
        assert {m.ndim for m in (pair.first, pair.second, pair.cross, pair.within)} == {1}


@pytest.mark.parametrize("name", NOISE | FAMILIES)
def test_compiled_equals_eager(name, key):
    a = AUGMENTATIONS[name]
    data = jnp.asarray(CLEAN + MEANS["non-zero mean"])
    assert_close(eqx.filter_jit(a.sample)(key, data), a.sample(key, data))
    pair = augment(same_instance(data), a, a)
    for got, want in zip(jax.tree.leaves(moments(a, data)[0]), jax.tree.leaves(pair), strict=True):
        assert_close(got, want, cond=10)


def test_pytree_round_trip(a):
    leaves, structure = jax.tree.flatten(a)
    assert eqx.tree_equal(jax.tree.unflatten(structure, leaves), a)
    assert all(isinstance(leaf, jax.Array) for leaf in leaves)


def test_views_and_moments_keep_shape_and_precision(a, key):
    for dtype in (jnp.float32, jnp.result_type(float)):
        for shape in ((2, D), (2, 4, D)):
            got = jax.eval_shape(a.sample, key, jax.ShapeDtypeStruct(shape, dtype))
            assert (got.shape, got.dtype) == (shape, jnp.dtype(dtype))
        data = jax.ShapeDtypeStruct((ROWS, D), dtype)
        pair, _, _ = eqx.filter_eval_shape(moments, a, data)
        assert pair.first.dtype == pair.cross.dtype == dtype


def test_every_row_gets_its_own_draw_and_a_key_its_own_views(a, key):
    data = jnp.asarray(CLEAN + MEANS["non-zero mean"])
    view = draw(a, data, key)
    np.testing.assert_array_equal(draw(a, data, key), view)
    if jnp.any(dense(moments(a, data)[2]) > 1e-6):
        assert len(np.unique(view.reshape(VIEWS, ROWS, D)[:, 0], axis=0)) > 1
        assert (draw(a, data, jax.random.key(1)) != view).any()


def test_data_of_another_size_is_refused(a, key):
    if a.input_size() is None:
        return
    for d in (1, D + 1):
        with pytest.raises(ValueError, match=rf"x must be \(..., {D}\); got \(.*{d}\)"):
            a.sample(key, jnp.zeros((2, d)))
        with pytest.raises(ValueError, match=f"is for {D} features; that side of the pair has {d}"):
            augment(same_instance(jnp.ones((3, d))), a, a)


STRENGTHS = {
    "brightness": lambda t: Brightness(1 - t, 1 + t),
    "offset": Offset,
    "dropout": Dropout,
    "rescaled dropout": lambda t: Dropout(t, rescaled=True),
    "patches": lambda t: PatchMask(PATCHES, t),
    "masks": lambda t: RandomMask(jnp.stack([jnp.ones(D), jnp.arange(1.0, D + 1)]), mixed(t)),
    "matrices": lambda t: Matrices(jnp.stack([jnp.eye(D), t * jnp.ones((D, D))])),
    "shifts": lambda t: shifts(IMAGE, 1, jnp.concatenate([jnp.full(8, t / 8), 1 - t[None]])),
    "flip": lambda t: flip(IMAGE, t),
    "blurs": lambda t: blurs(IMAGE, t[None] * 2),
    "crops": lambda t: crops(IMAGE, jnp.stack([0 * t, 0 * t, 1 + 0.3 * t, 2 - t])[None]),
    "cyclic filters": lambda t: CyclicFilters(
        jnp.stack([jnp.eye(2), t * jnp.ones((2, 2))]), IMAGE, mixed(t)
    ),
    "mixup": Mixup,
    "gaussian": lambda t: GaussianNoise(t * DENSE),
    "aligned": lambda t: AlignedNoise(DENSE, ON_NOISE, t),
    "composition": lambda t: compose(flip(IMAGE, t), Dropout(t), Mixup(t), Offset(t)),
}


def mixed(t):
    return jnp.stack([t, 1 - t])


@pytest.mark.x64
@pytest.mark.parametrize("name", STRENGTHS)
def test_strengths_have_gradients_and_sweep_by_vmap(name, key):
    strengths, step = jnp.asarray([0.3, 0.55, 0.8]), 1e-5
    weight = jnp.asarray(np.random.default_rng(1).standard_normal((2, D, D)))
    data = jnp.asarray(CLEAN + MEANS["non-zero mean"])

    @jax.jit
    def law(t):
        a = STRENGTHS[name](t)
        pair = augment(same_instance(data), a, a)
        return jnp.stack([dense(pair.first), dense(pair.cross)])

    @jax.jit
    def drawn(t):
        return STRENGTHS[name](t).sample(key, data)

    batch, views = jax.vmap(law)(strengths), jax.vmap(drawn)(strengths)
    slope = jax.jit(jax.vmap(jax.grad(lambda t: jnp.sum(weight * law(t)))))(strengths)
    for i, t in enumerate(strengths):
        assert_close(batch[i], law(t), cond=10)
        assert_close(views[i], drawn(t), cond=10)
        want = jnp.sum(weight * (law(t + step) - law(t - step))) / (2 * step)
        np.testing.assert_allclose(slope[i], want, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("base", [DIAGONAL, DENSE])
@pytest.mark.parametrize("noise", [ON_NOISE, SINGULAR])
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
