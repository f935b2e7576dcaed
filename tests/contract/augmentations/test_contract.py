"""One contract for every augmentation: the simulator and the theory are the same object."""

import functools
import inspect
from typing import Any, NamedTuple

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
DIAGONAL, DENSE = np.linspace(0.5, 2.0, D), covariance(np.linspace(0.5, 2.0, D), 1)
ON_NOISE = np.asarray([0.0] * (D - 2) + [1.0, 3.0])
SINGULAR = covariance([0.0] * (D - 1) + [1.5], 2)
PATCHES = image_patches(IMAGE, 1)


def normal(*shape):
    return np.random.default_rng(3).standard_normal(shape)


# Made when they are asked for, so that reading this file compiles nothing.
NOISE = {
    "no noise": lambda: GaussianNoise(np.zeros(D)),
    "diagonal noise": lambda: GaussianNoise(DIAGONAL),
    "dense noise": lambda: GaussianNoise(DENSE),
    "singular noise": lambda: GaussianNoise(SINGULAR),
    "aligned, diagonals": lambda: AlignedNoise(DIAGONAL, ON_NOISE, 1.5),
    "aligned, dense base": lambda: AlignedNoise(DENSE, ON_NOISE, 1.5),
    "aligned, dense noise": lambda: AlignedNoise(DIAGONAL, SINGULAR, 1.5),
    "aligned, dense both": lambda: AlignedNoise(DENSE, SINGULAR, 0.5),
    "aligned, alpha = 0": lambda: AlignedNoise(np.zeros(D), SINGULAR, 0),
}
FAMILIES = {
    "brightness": lambda: Brightness(0.4, 1.8),
    "offset": lambda: Offset(0.7),
    "dropout": lambda: Dropout(0.7),
    "dropout by feature": lambda: Dropout(np.linspace(0.3, 1.0, D)),
    "rescaled dropout": lambda: Dropout(0.6, rescaled=True),
    "patches": lambda: PatchMask(PATCHES, 0.4),
    "fixed count": lambda: FixedCountMask(PATCHES, 3),
    "masks": lambda: RandomMask(np.random.default_rng(0).uniform(size=(3, D)), [0.2, 0.5, 0.3]),
    "cutout": lambda: RandomMask(cutout_masks(IMAGE, 1)),
    "matrices": lambda: Matrices(normal(3, D, D), [0.2, 0.5, 0.3]),
    "shifts": lambda: shifts(IMAGE, 1),
    "flip": lambda: flip(IMAGE, 0.3),
    "quarter turns": lambda: quarter_turns(IMAGE, [0.1, 0.2, 0.3, 0.4]),
    "blurs": lambda: blurs(IMAGE, [0.0, 0.5, 2.0]),
    "crops": lambda: crops(IMAGE, [[0, 0, 2, 2], [0, 0.5, 1.5, 1], [0.2, 0.1, 1, 1.7]]),
    "cyclic shifts": lambda: cyclic_shifts(IMAGE, 1),
    "cyclic filters": lambda: CyclicFilters(normal(3, 2, 2), IMAGE, [0.2, 0.5, 0.3]),
    "mixup": lambda: Mixup(0.4),
    "mixture": lambda: Mixture([Offset(0.7), Dropout(0.6)], [0.3, 0.7]),
}


def test_every_public_augmentation_keeps_the_contract():
    known = {type(made(name)) for name in AUGMENTATIONS}
    public = {
        value
        for value in vars(linssl.augmentations).values()
        if isinstance(value, type) and issubclass(value, linssl.Augmentation)
    }
    missing = {value for value in public if not inspect.isabstract(value)} - known
    assert not missing, f"in FAMILIES and STRENGTHS of this file: {missing}"


def random_composition(seed):
    """Two to four augmentations of any family, in any order."""
    rng = np.random.default_rng(seed)
    pool = list(NOISE | FAMILIES)
    return compose(*(made(pool[i]) for i in rng.integers(0, len(pool), rng.integers(2, 5))))


COMPOSITIONS = {
    f"composition {seed}": functools.partial(random_composition, seed) for seed in range(5)
}
AUGMENTATIONS = NOISE | FAMILIES | COMPOSITIONS


@functools.cache
def made(name):
    return AUGMENTATIONS[name]()


def everyone(names=AUGMENTATIONS):
    return {name: made(name) for name in names}


ROWS, VIEWS = 40, 300
CLEAN = np.random.default_rng(0).standard_normal((ROWS, D)) @ np.asarray(DENSE)
SPREADS = CLEAN.std(0) * np.resize([1, -1, 1], D)
MEANS = {
    "zero mean": np.zeros(D),
    "a mean like the spread": np.linspace(3.0, -2.0, D),
    "a mean of 100 spreads": 100 * SPREADS,
}


@pytest.fixture(params=AUGMENTATIONS)
def name(request):
    return request.param


@pytest.fixture
def a(name):
    return made(name)


@pytest.fixture(params=MEANS)
def mean(request):
    return request.param


def test_a_view_keeps_the_names_of_its_features(a):
    names, others = [f"pixel {i}" for i in range(D)], [f"target {i}" for i in range(D)]
    views = same_instance_population(jnp.ones(D)).named(names)
    pair = views.as_pair().named(names, others)
    found = jax.eval_shape(lambda v: augment(v, a), views)  # traced, and not compiled
    assert found.features == tuple(names)
    for first, second in ((a, None), (None, a)):
        found = jax.eval_shape(lambda p, f=first, s=second: augment_sides(p, f, s), pair)
        assert found.features_first == tuple(names)
        assert found.features_second == tuple(others)


@functools.cache
def data_of(mean):
    return jnp.asarray(CLEAN - CLEAN.mean(0) + MEANS[mean])


@pytest.fixture
def data(mean):
    return data_of(mean)


@pytest.fixture
def plain():
    return data_of("a mean like the spread")


class Law(NamedTuple):
    """What an augmentation makes of data, exactly."""

    views: linssl.Views
    clean: linssl.PairMoments
    sides: list[linssl.PairMoments]  # each with a draw of its own, of one object and of two
    effect: Any


# One program for all of them: most of the time goes into making programs, not into running them.
@eqx.filter_jit
def laws_of(augmentations, data):
    same = same_instance(data)

    def law(a):
        others = a, jax.tree.map(jnp.array, a)
        sides = [augment_sides(same.as_pair(), a, other) for other in others]
        effect = a.effect(same.covariance, same.mean)
        return Law(two_views(data, a), view_and_clean(data, a), sides, effect)

    return {name: law(a) for name, a in augmentations.items()}


@functools.cache
def laws(mean):
    return laws_of(everyone(), data_of(mean))


@eqx.filter_jit
def sample(augmentations, data, key):
    return {name: a.sample(key, data) for name, a in augmentations.items()}


@functools.cache
def draws(mean, seed):
    """One view of every row by every family, many times: instance i is at rows i, i + n, ..."""
    x = jnp.tile(data_of(mean), (VIEWS, 1))
    return jax.tree.map(np.asarray, sample(everyone(), x, jax.random.key(seed)))


@pytest.fixture(scope="module", autouse=True)
def forget():
    """Give the memory of all draws back."""
    yield
    draws.cache_clear()


def products(u, v, mean_u=0.0, mean_v=0.0):
    """Products about means that are known, so that their errors are those of a covariance."""
    u, v = u - np.asarray(mean_u, float), v - np.asarray(mean_v, float)
    return u[:, :, None] * v[:, None, :]


@pytest.mark.witness(
    "two-views",
    "view-and-clean",
    "gaussian-noise",
    "aligned-noise",
    "dropout",
    "rescaled-dropout",
    "patch-mask",
    "fixed-count-mask",
    "mask-law",
    "brightness",
    "offset",
    "cyclic-filters",
    "quarter-turns",
    "separable-maps",
    "mixup",
    "nearly-equal-maps",
    "mixture",
)
def test_sampled_moments_equal_the_exact_ones(name, mean):
    u, v = (draws(mean, seed)[name].astype(float) for seed in (0, 1))
    x = np.tile(np.asarray(data_of(mean), float), (VIEWS, 1))
    views, clean, *_ = laws(mean)[name]
    about, centre = views.mean, x[:ROWS].mean(0)
    for samples, want in (
        (products(u, u, about, about), dense(views.covariance)),
        (products(u, v, about, about), dense(views.shared)),
        (products(u - v, u - v) / 2, dense(views.spread)),
        (u, about),
        (v, clean.mean_first),
        (products(v, v, about, about), dense(clean.first)),
        (products(u, x, about, centre), dense(clean.cross)),
        (products(x, x, centre, centre), dense(clean.second)),
    ):
        assert_sampled(samples, want)


@pytest.mark.witness("view-moments")
def test_the_spread_is_a_covariance(name, mean):
    views = laws(mean)[name].views
    S, spread = (np.asarray(dense(m), float) for m in (views.covariance, views.spread))
    np.testing.assert_array_equal(spread, spread.T)
    rounding = 20 * float(jnp.finfo(views.spread.dtype).eps) * np.abs(S).max()
    assert np.linalg.eigvalsh(spread).min() >= -rounding


def test_two_views_are_augmented_copies_of_one_instance(name, a, mean, data):
    views, same = two_views(data, a), same_instance(data)
    assert eqx.tree_equal(views, augment(same, a))
    linear = laws(mean)[name].effect.linear
    A = np.eye(D) if linear is None else np.asarray(linear, float)
    A = np.diag(np.broadcast_to(A, D)) if A.ndim < 2 else A
    want = A @ np.asarray(same.covariance, float) @ A.T
    assert_close(dense(views.shared), want.astype(views.shared.dtype), cond=10)


def test_each_side_gets_a_draw_of_its_own(name):
    law = laws("a mean like the spread")[name]
    for sides in law.sides:
        pair = law.views.as_pair()
        for got, want in zip(jax.tree.leaves(sides), jax.tree.leaves(pair), strict=True):
            assert_close(got, want, cond=10)


@eqx.filter_jit
def at_once_and_one_by_one(chains, data):
    def one_by_one(parts):
        return functools.reduce(augment, parts, same_instance(data))

    return [(two_views(data, compose(*parts)), one_by_one(parts)) for parts in chains]


@functools.cache
def chains():
    pool = list(AUGMENTATIONS)
    picks = (np.random.default_rng(seed).integers(0, len(pool), 3) for seed in range(6))
    return [tuple(made(pool[i]) for i in pick) for pick in picks]


@pytest.mark.witness("composition")
def test_composing_is_associative_and_does_one_after_the_other(plain):
    for a, b, c in chains():
        assert eqx.tree_equal(compose(compose(a, b), c), compose(a, compose(b, c)))
    for once, step in at_once_and_one_by_one(chains(), plain):
        for name in ("shared", "spread", "mean"):
            assert_close(dense(getattr(once, name)), dense(getattr(step, name)), cond=10)
        assert step.draws <= once.draws


def test_views_keep_the_structure_of_the_spread(name):
    views, *_, effect = laws("zero mean")[name]
    assert views.spread.ndim == effect.spread.ndim


def test_diagonal_populations_stay_diagonal_where_the_spread_is():
    population = same_instance_population(jnp.ones(D))
    for name in ("diagonal noise", "aligned, diagonals"):
        views = augment(population, made(name))
        assert {m.ndim for m in (views.shared, views.spread, views.covariance)} == {1}


# ---- draws


MAPS = {
    "fixed count": 4, "masks": 3, "cutout": 4, "matrices": 3, "shifts": 9, "flip": 2,
    "quarter turns": 4, "blurs": 3, "crops": 3, "cyclic shifts": 9, "cyclic filters": 3,
}  # fmt: skip


@pytest.mark.parametrize("name", NOISE | FAMILIES)
def test_finite_families_say_of_how_many_maps_they_are(name):
    found = laws("zero mean")[name].effect.maps
    assert (None if found is None else int(found)) == MAPS.get(name)


def numbers_of_maps(*augmentations):
    same = same_instance(CLEAN)
    # In one program, of nothing else.
    count = eqx.filter_jit(lambda C, mean: [a.effect(C, mean).maps for a in augmentations])
    found = count(same.covariance, same.mean)
    return [None if maps is None else int(maps) for maps in found]


def test_numbers_of_maps_multiply_in_a_composition_and_add_in_a_mixture():
    finite = [made(name) for name in ("flip", "blurs", "masks")]
    noise = [made(name) for name in ("dense noise", "dropout")]
    assert numbers_of_maps(
        compose(*finite),
        compose(noise[0], finite[0], noise[1], finite[1]),
        compose(*noise),
        Mixture(finite),
        Mixture(noise),
    ) == [2 * 3 * 3, 2 * 3, None, 2 + 3 + 3, None]


def test_maps_that_are_never_drawn_do_not_count():
    assert numbers_of_maps(
        Matrices(made("matrices").matrices, [0.5, 0.5, 0.0]),
        RandomMask(np.eye(3, D) + 1.0, [1.0, 0.0, 0.0]),
        FixedCountMask(PATCHES, 4),  # all are kept
        Mixture([made("diagonal noise"), made("flip")], [1.0, 0.0]),
    ) == [2, 1, 1, 1]
    exact = same_instance(CLEAN[:6])
    assert augment(exact, FixedCountMask(PATCHES, 4)).draws == np.inf
    assert augment(exact, FixedCountMask(PATCHES, 1)).draws == 6 * 3


@eqx.filter_jit
def draws_after(augmentations, few, exact, label, dropout):
    """Draws of groups, of exact views, of these in two steps, of two sides, and beside clean."""

    def after(a):
        sides = augment_sides(label, a, None), augment_sides(label.swapped(), None, a)
        clean = augment_sides(exact.as_pair(), a, None)
        found = augment(few, a), augment(exact, a), augment(augment(exact, a), dropout)
        return [moments.draws for moments in (*found, *sides, clean)]

    return {name: after(a) for name, a in augmentations.items()}


def test_draws_are_never_raised():
    few = linssl.pairs.groups(CLEAN[:6].reshape(2, 3, D))  # 4 draws of 6 rows
    exact = same_instance(CLEAN[:6])
    label = linssl.with_label(CLEAN[:6], np.arange(6.0)[:, None])
    assert few.draws == 4
    kinds = everyone(["diagonal noise", "dropout", "flip", "masks", "mixup"])
    for name, found in draws_after(kinds, few, exact, label, made("dropout")).items():
        own = 6 * (MAPS.get(name, np.inf) - 1)
        assert [float(draws) for draws in found] == [4, own, own, 5, 5, own]


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
    "no noise": lambda: GaussianNoise(KEPT),
    "aligned": lambda: AlignedNoise(KEPT, np.zeros(D), 1.0),
    "matrices": lambda: Matrices([np.roll(np.eye(D), shift, 0) for shift in (0, 2, 4)]),
    "averages": lambda: Matrices(averaging()),
    "mixture of averages": lambda: Mixture([Matrices(m[None]) for m in averaging()]),
    "mixture": lambda: Mixture([flip(IMAGE), blurs(IMAGE, [1.0]), GaussianNoise(KEPT)]),
    "mixup": lambda: Mixup(0.3),
    **{
        name: FAMILIES[name]
        for name in ("flip", "quarter turns", "blurs", "crops", "cyclic shifts")
    },
}


@eqx.filter_jit
def solved_beside_noise(augmentations, noise, same):
    """Statuses where each is followed by noise: at once, in two steps, and against clean."""

    def status(a):
        whole = compose(a, noise)
        views = augment(same, whole), augment(augment(same, a), noise)
        solutions = [linssl.joint_embedding(v, 1) for v in views]
        clean = augment_sides(same.as_pair(), whole, None)
        return [s.status for s in (*solutions, linssl.reconstruction(clean, 1))]

    return {name: status(a) for name, a in augmentations.items()}


@pytest.mark.parametrize(
    "constant", [0.7, *(pytest.param(c, marks=pytest.mark.x64) for c in (100.1, 1e6))]
)
def test_constants_that_are_kept_are_singular_and_never_score(constant):
    x = CLEAN.copy()
    x[:, 1::2] = constant
    keeping = {name: make() for name, make in KEEPING.items()}
    found = solved_beside_noise(keeping, GaussianNoise(KEPT), same_instance(x))
    for name, statuses in found.items():
        assert all(linssl.Status.SINGULAR in linssl.Status(int(s)) for s in statuses), name


# ---- programs


@pytest.fixture(scope="module")
def compiled_views():
    data = data_of("a mean like the spread")
    return sample(everyone(NOISE | FAMILIES), data, jax.random.key(0))


@pytest.mark.parametrize("name", NOISE | FAMILIES)
def test_compiled_equals_eager(name, a, plain, key, compiled_views):
    assert_close(compiled_views[name], a.sample(key, plain))
    compiled, alone = laws("a mean like the spread")[name].views, two_views(plain, a)
    for field in ("shared", "spread", "mean", "draws"):
        assert_close(getattr(compiled, field), getattr(alone, field), cond=10)


def test_pytree_round_trip(a):
    leaves, structure = jax.tree.flatten(a)
    assert eqx.tree_equal(jax.tree.unflatten(structure, leaves), a)
    assert all(isinstance(leaf, jax.Array) for leaf in leaves)


def test_views_keep_shape_and_precision(a, key):
    for dtype in (jnp.float32, jnp.result_type(float)):
        for shape in ((2, D), (2, 4, D)):
            got = jax.eval_shape(a.sample, key, jax.ShapeDtypeStruct(shape, dtype))
            assert (got.shape, got.dtype) == (shape, jnp.dtype(dtype))


def test_moments_keep_precision():
    single = jax.ShapeDtypeStruct((ROWS, D), jnp.float32)
    for dtype, found in (
        (data_of("zero mean").dtype, laws("zero mean")),
        (single.dtype, eqx.filter_eval_shape(laws_of, everyone(), single)),
    ):
        for views, clean, *_ in found.values():
            assert views.shared.dtype == views.spread.dtype == clean.cross.dtype == dtype


@pytest.fixture(scope="module")
def once_more():
    """The same views, by the same key, in another call."""
    x = jnp.tile(data_of("a mean like the spread"), (VIEWS, 1))
    return sample(everyone(), x, jax.random.key(0))


def test_every_row_gets_its_own_draw_and_a_key_its_own_views(name, once_more):
    view, other = (draws("a mean like the spread", seed)[name] for seed in (0, 1))
    np.testing.assert_array_equal(once_more[name], view)
    if np.any(np.asarray(dense(laws("a mean like the spread")[name].views.spread)) > 1e-6):
        assert len(np.unique(view.reshape(VIEWS, ROWS, D)[:, 0], axis=0)) > 1
        assert (other != view).any()


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


POINTS, STEP = np.asarray([0.3, 0.55, 0.8]), 1e-5


@functools.partial(jax.jit, static_argnums=0)
def swept(family, weight, data, key):
    """Moments, their slopes and views, at all strengths at once; the same one by one."""

    def law(t):
        views = two_views(data, family(t))
        return jnp.stack([dense(views.covariance), dense(views.shared)])

    def both(t):
        return law(t), family(t).sample(key, data)

    def slope(t):
        return jax.grad(lambda t: jnp.sum(weight * law(t)))(t)

    t = jnp.asarray(POINTS)
    one_by_one = jax.lax.map(both, jnp.concatenate([t, t + STEP, t - STEP]))
    return jax.vmap(both)(t), jax.vmap(slope)(t), one_by_one


@pytest.mark.x64
@pytest.mark.parametrize("name", STRENGTHS)
def test_strengths_have_gradients_and_sweep_by_vmap(name, plain, key):
    weight = np.random.default_rng(1).standard_normal((2, D, D))
    (batch, views), slope, (laws, drawn) = swept(STRENGTHS[name], weight, plain, key)
    at, above, below = np.split(np.asarray(laws), 3)
    assert_close(batch, at, cond=10)
    assert_close(views, drawn[: len(POINTS)], cond=10)
    want = np.sum(weight * (above - below), (1, 2, 3)) / (2 * STEP)
    np.testing.assert_allclose(slope, want, rtol=1e-6, atol=1e-6)


ALPHAS = np.array([0.0, 0.5, 10.0])


@jax.jit
def swept_by_alpha(base, noise, data, key):
    def one(alpha):
        a = AlignedNoise(base, noise, alpha)
        views = two_views(data, a)
        return views.covariance, views.spread, a.sample(key, data)

    alphas = jnp.asarray(ALPHAS, data.dtype)
    return jax.vmap(one)(alphas), jax.lax.map(one, alphas)


@pytest.mark.parametrize("base", [DIAGONAL, DENSE])
@pytest.mark.parametrize("noise", [ON_NOISE, SINGULAR])
def test_sweeping_alpha_by_vmap_equals_a_loop(base, noise, data, key):
    base, noise = jnp.asarray(base), jnp.asarray(noise)
    batch, loop = swept_by_alpha(base, noise, data, key)
    for got, want in zip(batch, loop, strict=True):
        for i in range(len(ALPHAS)):
            assert_close(got[i], want[i])


def test_noise_on_noise_is_noise_of_the_summed_covariance(data):
    a, b, both = (GaussianNoise(m) for m in (DENSE, SINGULAR, DENSE + SINGULAR))
    twice, once = augment(two_views(data, a), b), two_views(data, both)
    for got, want in zip(jax.tree.leaves(twice), jax.tree.leaves(once), strict=True):
        assert_close(got, want)


@pytest.mark.witness("aligned-noise")
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
