"""One contract for every augmentation: the simulator and the theory are the same object."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, assert_sampled, covariance

import linssl
from linssl import (
    AlignedNoise,
    GaussianNoise,
    augment,
    augment_sides,
    compose,
    same_instance,
    two_views,
    view_and_clean,
)
from linssl.augmentations import (
    Brightness,
    CyclicFilters,
    Dropout,
    FixedCountMask,
    Image,
    Matrices,
    Mixture,
    Mixup,
    Offset,
    PatchMask,
    RandomMask,
    blurs,
    crops,
    cutout_masks,
    cyclic_shifts,
    flip,
    image_patches,
    quarter_turns,
    shifts,
)
from linssl.linalg.structure import dense
from linssl.pairs import same_instance_population

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
SPREADS = CLEAN.std(0) * np.resize([1, -1, 1], D)
MEANS = {
    "zero mean": np.zeros(D),
    "a mean like the spread": np.linspace(3.0, -2.0, D),
    "a mean of 100 spreads": 100 * SPREADS,
}


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
    """Two views, the view with its clean target, and the effect on the data."""
    same = same_instance(data)
    effect = a.effect(same.covariance, same.mean)
    return two_views(data, a), view_and_clean(data, a), effect


def drawn_views(a, data, key, number):
    """`number` independent views of every row, stacked: instance i is at rows i, i + n, ..."""
    return [np.asarray(draw(a, data, k), float) for k in jax.random.split(key, number)]


def products(u, v, mean_u=0.0, mean_v=0.0):
    """Products about means that are known, so that their errors are those of a covariance."""
    u, v = u - np.asarray(mean_u, float), v - np.asarray(mean_v, float)
    return u[:, :, None] * v[:, None, :]


def test_sampled_moments_equal_the_exact_ones(a, data, key):
    u, v = drawn_views(a, data, key, 2)
    x = np.tile(np.asarray(data, float), (VIEWS, 1))
    views, clean, _ = moments(a, data)
    mean, centre = views.mean, x[:ROWS].mean(0)
    for samples, want in (
        (products(u, u, mean, mean), dense(views.covariance)),
        (products(u, v, mean, mean), dense(views.shared)),
        (products(u - v, u - v) / 2, dense(views.spread)),
        (u, mean),
        (v, clean.mean_first),
        (products(v, v, mean, mean), dense(clean.first)),
        (products(u, x, mean, centre), dense(clean.cross)),
        (products(x, x, centre, centre), dense(clean.second)),
    ):
        assert_sampled(samples, want)


def test_the_spread_is_a_covariance(a, data):
    views, _, _ = moments(a, data)
    S, spread = (np.asarray(dense(m), float) for m in (views.covariance, views.spread))
    np.testing.assert_array_equal(spread, spread.T)
    rounding = 20 * float(jnp.finfo(views.spread.dtype).eps) * np.abs(S).max()
    assert np.linalg.eigvalsh(spread).min() >= -rounding


def test_two_views_are_augmented_copies_of_one_instance(a, data):
    views, same = two_views(data, a), same_instance(data)
    assert eqx.tree_equal(views, augment(same, a))
    linear = moments(a, data)[2].linear
    A = np.eye(D) if linear is None else np.asarray(linear, float)
    A = np.diag(np.broadcast_to(A, D)) if A.ndim < 2 else A
    want = A @ np.asarray(same.covariance, float) @ A.T
    assert_close(dense(views.shared), want.astype(views.shared.dtype), cond=10)


def test_each_side_gets_a_draw_of_its_own(a):
    data = jnp.asarray(CLEAN + MEANS["a mean like the spread"])
    views, twin = two_views(data, a), jax.tree.map(jnp.array, a)
    for other in (a, twin):
        sides = augment_sides(same_instance(data).as_pair(), a, other)
        for got, want in zip(jax.tree.leaves(sides), jax.tree.leaves(views.as_pair()), strict=True):
            assert_close(got, want, cond=10)


@pytest.mark.parametrize("seed", range(6))
def test_composing_is_associative_and_does_one_after_the_other(seed):
    pool = list(AUGMENTATIONS.values())
    a, b, c = (pool[i] for i in np.random.default_rng(seed).integers(0, len(pool), 3))
    left, right = compose(compose(a, b), c), compose(a, compose(b, c))
    assert eqx.tree_equal(left, right)

    @eqx.filter_jit
    def one_by_one(parts, data):
        views = same_instance(data)
        for part in parts:
            views = augment(views, part)
        return views

    data = jnp.asarray(CLEAN + MEANS["a mean like the spread"])
    once, step = two_views(data, left), one_by_one((a, b, c), data)
    for name in ("shared", "spread", "mean"):
        assert_close(dense(getattr(once, name)), dense(getattr(step, name)), cond=10)
    assert step.draws <= once.draws


def test_views_keep_the_structure_of_the_spread(a):
    views, _, effect = eqx.filter_eval_shape(moments, a, jnp.asarray(CLEAN))
    assert views.spread.ndim == effect.spread.ndim


def test_diagonal_populations_stay_diagonal_where_the_spread_is():
    population = same_instance_population(jnp.ones(D))
    for name in ("diagonal noise", "aligned, diagonals"):
        views = augment(population, AUGMENTATIONS[name])
        assert {m.ndim for m in (views.shared, views.spread, views.covariance)} == {1}


# ---- draws


MAPS = {
    "fixed count": 4, "masks": 3, "cutout": 4, "matrices": 3, "shifts": 9, "flip": 2,
    "quarter turns": 4, "blurs": 3, "crops": 3, "cyclic shifts": 9, "cyclic filters": 3,
}  # fmt: skip


def number_of_maps(a):
    same = same_instance(CLEAN)
    count = eqx.filter_jit(lambda C, mean: a.effect(C, mean).maps)  # a program of that alone
    found = count(same.covariance, same.mean)
    return None if found is None else int(found)


@pytest.mark.parametrize("name", NOISE | FAMILIES)
def test_finite_families_say_of_how_many_maps_they_are(name):
    assert number_of_maps(AUGMENTATIONS[name]) == MAPS.get(name)


def test_numbers_of_maps_multiply_in_a_composition_and_add_in_a_mixture():
    finite = [FAMILIES["flip"], FAMILIES["blurs"], FAMILIES["masks"]]
    noise = [NOISE["dense noise"], FAMILIES["dropout"]]
    assert number_of_maps(compose(*finite)) == 2 * 3 * 3
    assert number_of_maps(compose(noise[0], finite[0], noise[1], finite[1])) == 2 * 3
    assert number_of_maps(compose(*noise)) is None
    assert number_of_maps(Mixture(finite)) == 2 + 3 + 3
    assert number_of_maps(Mixture(noise)) is None


def test_maps_that_are_never_drawn_do_not_count():
    never = Matrices(FAMILIES["matrices"].matrices, [0.5, 0.5, 0.0])
    assert number_of_maps(never) == 2
    assert number_of_maps(RandomMask(np.eye(3, D) + 1.0, [1.0, 0.0, 0.0])) == 1
    assert number_of_maps(FixedCountMask(PATCHES, 4)) == 1  # all are kept
    assert number_of_maps(Mixture([NOISE["diagonal noise"], FAMILIES["flip"]], [1.0, 0.0])) == 1
    exact = same_instance(CLEAN[:6])
    assert augment(exact, FixedCountMask(PATCHES, 4)).draws == np.inf
    assert augment(exact, FixedCountMask(PATCHES, 1)).draws == 6 * 3


@pytest.mark.parametrize("name", ["diagonal noise", "dropout", "flip", "masks", "mixup"])
def test_draws_are_never_raised(name):
    a, P = AUGMENTATIONS[name], MAPS.get(name, np.inf)
    few = linssl.pairs.groups(CLEAN[:6].reshape(2, 3, D))  # 4 draws of 6 rows
    assert few.draws == 4
    assert augment(few, a).draws == min(4, 6 * (P - 1)) == 4
    exact = same_instance(CLEAN[:6])
    assert augment(exact, a).draws == 6 * (P - 1)
    assert augment(augment(exact, a), FAMILIES["dropout"]).draws == 6 * (P - 1)
    label = linssl.with_label(CLEAN[:6], np.arange(6.0)[:, None])
    for pair in (augment_sides(label, a, None), augment_sides(label.swapped(), None, a)):
        assert pair.draws == 5
    assert view_and_clean(CLEAN[:6], a).draws == 6 * (P - 1)


# ---- digits


@pytest.mark.x64
@pytest.mark.parametrize("kind", ["matrices", "masks", "cyclic filters", "mixture"])
def test_maps_that_are_nearly_equal_spread_what_they_differ_by(kind):
    rng, P, p = np.random.default_rng(5), 3, np.array([0.2, 0.5, 0.3])
    eye, kernel = np.eye(D), np.eye(4)[0].reshape(2, 2)
    if kind == "masks":
        masks = 1 + 1e-8 * rng.standard_normal((P, D))
        a, maps = RandomMask(masks, p), masks[:, :, None] * eye
    elif kind == "cyclic filters":
        kernels = kernel + 1e-8 * rng.standard_normal((P, 2, 2))
        a = CyclicFilters(kernels, IMAGE, p)
        maps = np.stack([circulant(k) for k in kernels])
    else:
        maps = eye + 1e-8 * rng.standard_normal((P, D, D))
        a = Matrices(maps, p)
    if kind == "mixture":
        a = Mixture([Matrices(m[None]) for m in maps], p)
    same = same_instance(CLEAN + MEANS["a mean like the spread"])
    wide = np.longdouble  # differences of maps that double precision holds
    maps, C, mean = (np.asarray(m, wide) for m in (maps, same.covariance, same.mean))
    apart = maps - np.einsum("p,pij->ij", p.astype(wide), maps)
    raw = C + np.outer(mean, mean)
    want = np.einsum("p,pij,jk,plk->il", p.astype(wide), apart, raw, apart)
    got = np.asarray(augment(same, a).spread, wide)
    assert np.abs(got - want).max() < 1e-7 * np.abs(want).max()


def circulant(kernel):
    """The matrix of a cyclic filter, a column at a time; channels are filtered alike."""
    columns = []
    for one in np.eye(D):
        image, found = one.reshape(IMAGE), np.zeros(IMAGE)
        for down, right in np.ndindex(2, 2):
            found += kernel[down, right] * np.roll(image, (down, right), (0, 1))
        columns.append(found.ravel())
    return np.stack(columns, 1)


def averaging(maps=6):
    """Maps that write weighted averages of the second channel into it; constant rows stay so."""
    weights = np.random.default_rng(6).dirichlet(np.ones(4), (maps, 4))
    found = np.tile(np.eye(D), (maps, 1, 1))
    found[:, 1::2, 1::2] = weights
    return found


KEPT = np.zeros(D)
KEPT[::2] = 0.1  # noise on the first channel; the second one is constant, and kept
KEEPING = {
    "no noise": GaussianNoise(KEPT),
    "aligned": AlignedNoise(KEPT, np.zeros(D), 1.0),
    "matrices": Matrices([np.eye(D), np.roll(np.eye(D), 2, 0), np.roll(np.eye(D), 4, 0)]),
    "averages": Matrices(averaging()),
    "mixture of averages": Mixture([Matrices(m[None]) for m in averaging()]),
    "mixture": Mixture([flip(IMAGE), blurs(IMAGE, [1.0]), GaussianNoise(KEPT)]),
    "mixup": Mixup(0.3),
    **{
        name: FAMILIES[name]
        for name in ("flip", "quarter turns", "blurs", "crops", "cyclic shifts")
    },
}


@pytest.mark.parametrize(
    "constant", [0.7, *(pytest.param(c, marks=pytest.mark.x64) for c in (100.1, 1e6))]
)
@pytest.mark.parametrize("name", KEEPING)
def test_constants_that_are_kept_are_singular_and_never_score(name, constant):
    x = CLEAN.copy()
    x[:, 1::2] = constant
    whole = compose(KEEPING[name], GaussianNoise(KEPT))
    steps = augment(augment(same_instance(x), KEEPING[name]), GaussianNoise(KEPT))
    for views in (two_views(x, whole), steps):
        assert linssl.Status.SINGULAR in status(linssl.joint_embedding(views, 1))
    assert linssl.Status.SINGULAR in status(linssl.reconstruction(view_and_clean(x, whole), 1))


def status(solution):
    return linssl.Status(int(solution.status))


# ---- programs


@pytest.mark.parametrize("name", NOISE | FAMILIES)
def test_compiled_equals_eager(name, key):
    a = AUGMENTATIONS[name]
    data = jnp.asarray(CLEAN + MEANS["a mean like the spread"])
    assert_close(eqx.filter_jit(a.sample)(key, data), a.sample(key, data))
    views = two_views(data, a)
    for name in ("shared", "spread", "mean", "draws"):
        assert_close(getattr(moments(a, data)[0], name), getattr(views, name), cond=10)


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
        views, clean, _ = eqx.filter_eval_shape(moments, a, data)
        assert views.shared.dtype == views.spread.dtype == clean.cross.dtype == dtype


def test_every_row_gets_its_own_draw_and_a_key_its_own_views(a, key):
    data = jnp.asarray(CLEAN + MEANS["a mean like the spread"])
    view = draw(a, data, key)
    np.testing.assert_array_equal(draw(a, data, key), view)
    if jnp.any(dense(moments(a, data)[0].spread) > 1e-6):
        assert len(np.unique(view.reshape(VIEWS, ROWS, D)[:, 0], axis=0)) > 1
        assert (draw(a, data, jax.random.key(1)) != view).any()


def test_data_of_another_size_is_refused(a, key):
    if a.input_size() is None:
        return
    for d in (1, D + 1):
        with pytest.raises(ValueError, match=rf"x must be \(..., {D}\); got \(.*{d}\)"):
            a.sample(key, jnp.zeros((2, d)))
        with pytest.raises(ValueError, match=f"is for {D} features; that side has {d}"):
            two_views(jnp.ones((3, d)), a)


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
    data = jnp.asarray(CLEAN + MEANS["a mean like the spread"])

    @jax.jit
    def law(t):
        views = two_views(data, STRENGTHS[name](t))
        return jnp.stack([dense(views.covariance), dense(views.shared)])

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
        views = two_views(data, a)
        return views.covariance, views.spread, a.sample(key, data)

    for i, alpha in enumerate(alphas):
        for got, want in zip(jax.vmap(one)(alphas), one(alpha), strict=True):
            assert_close(got[i], want)


def test_noise_on_noise_is_noise_of_the_summed_covariance(data):
    a, b, both = (GaussianNoise(m) for m in (DENSE, SINGULAR, DENSE + SINGULAR))
    twice, once = augment(two_views(data, a), b), two_views(data, both)
    for got, want in zip(jax.tree.leaves(twice), jax.tree.leaves(once), strict=True):
        assert_close(got, want)


def test_aligned_noise_without_alignment_is_its_base_noise(data):
    a, b = AlignedNoise(DENSE, SINGULAR, 0), GaussianNoise(DENSE)
    for got, want in zip(
        jax.tree.leaves(two_views(data, a)), jax.tree.leaves(two_views(data, b)), strict=True
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
