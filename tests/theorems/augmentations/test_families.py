"""The limits and traps of the families that a contract suite does not see."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close

import linssl
from linssl import GaussianNoise, compose, same_instance, two_views
from linssl.augmentations import (
    Brightness,
    CyclicFilters,
    Dropout,
    FixedCountMask,
    Image,
    Matrices,
    Mixture,
    Mixup,
    PatchMask,
    PixelMoves,
    RandomMask,
    blurs,
    crops,
    cyclic_shifts,
    flip,
    image_patches,
    quarter_turns,
    shifts,
)

IMAGE = Image(4, 4)
PATCHES = image_patches(IMAGE, 2)
EYE = np.eye(4)


@pytest.mark.witness("cyclic-filters")
@pytest.mark.x64
def test_fourier_and_pixels_agree_on_cyclic_shifts():
    x = np.random.default_rng(0).uniform(size=(30, 16)) + 1
    index = np.arange(16).reshape(4, 4)
    rolled = [np.roll(index, (a, b), (0, 1)).ravel() for a in (-1, 0, 1) for b in (-1, 0, 1)]
    fourier, pixels = (
        two_views(x, a) for a in (cyclic_shifts(IMAGE, 1), PixelMoves(np.stack(rolled)))
    )
    for name in ("shared", "spread", "mean", "draws"):
        assert_close(getattr(fourier, name), getattr(pixels, name), cond=10)


@pytest.mark.witness("separable-maps")
def test_a_crop_reads_its_box_alone_and_resizes_as_jax_does():
    image = jnp.zeros((8, 8)).at[1].set(100.0).at[2:6, 2:6].set(jnp.arange(16.0).reshape(4, 4))
    got = crops((8, 8), [[2, 2, 4, 4]]).sample(jax.random.key(0), image.reshape(1, -1))
    want = jax.image.resize(image[2:6, 2:6], (8, 8), "bilinear")
    assert_close(got.reshape(8, 8), want, cond=10)


@pytest.mark.parametrize(
    "a",
    [
        Brightness(0.5, 1.0), Dropout(0.9), Dropout(0.3), flip((2, 2)), Matrices(EYE[None]),
        cyclic_shifts((2, 2), 0), PatchMask(np.arange(4), 0.9), Mixup(0.3), quarter_turns((2, 2)),
    ],
    ids=lambda a: type(a).__name__,
)  # fmt: skip
@pytest.mark.parametrize("constant", [0.7, pytest.param(100.1, marks=pytest.mark.x64)])
def test_constant_features_are_no_reason_for_nan(a, constant):
    x = np.random.default_rng(1).standard_normal((50, 4))
    x[:, [0, 1]] = constant
    views = two_views(x, compose(a, GaussianNoise(np.full(4, 0.1))))
    assert jnp.isfinite(views.covariance).all()
    assert jnp.isfinite(views.shared).all()
    assert linssl.joint_embedding(views, 1).status == 0


@pytest.mark.x64
def test_a_large_mean_does_not_leak_into_a_familys_spread():
    x = np.random.default_rng(2).standard_normal((200, 16))
    with jax.enable_x64(False):
        single = shifts((4, 4), 1)  # made in single precision, used in double
    for a in (single, Matrices([np.eye(16), np.eye(16)[::-1], np.roll(np.eye(16), 1, 0)],
                               [0.333333, 0.333333, 0.333334])):  # fmt: skip
        spectra = []
        for mean in (0.0, 3000.0):
            view = compose(a, GaussianNoise(np.full(16, 0.1)))
            views = two_views(x + mean * isinstance(a, Matrices), view)
            spectra.append(linssl.check(linssl.joint_embedding(views, 2)).spectrum)
        np.testing.assert_allclose(spectra[1], spectra[0], atol=1e-10)


@pytest.mark.x64
def test_a_large_mean_does_not_leak_into_cyclic_filters():
    x = np.random.default_rng(2).standard_normal((200, 16))
    for a in (cyclic_shifts(IMAGE, 1), CyclicFilters(np.ones((1, 4, 4)) / 16, IMAGE)):
        small, large = (
            a.effect(same.covariance, same.mean).spread
            for same in (same_instance(x), same_instance(x + 3000.0))
        )
        # Data at a mean m are known to eps m.
        np.testing.assert_allclose(large, small, atol=10 * np.finfo(float).eps * 3000.0)
    constant = jnp.zeros((16, 16)), jnp.full(16, 1e6)
    assert jnp.abs(cyclic_shifts(IMAGE, 1).effect(*constant).spread).max() < 1e-15


IMPOSSIBLE = {
    "mixup": (lambda t: Mixup(2 * t)),
    "dropout": (lambda t: Dropout(1.2 * t)),
    "patches": (lambda t: PatchMask(PATCHES, 1.2 * t)),
    "count": (lambda t: FixedCountMask(PATCHES, 5 * t)),
    "brightness": (lambda t: Brightness(2 * t, t)),
    "blur": (lambda t: blurs(IMAGE, -t[None])),
    "crop": (lambda t: crops(IMAGE, jnp.stack([0 * t, 0 * t, 5 * t, t])[None])),
    "sum": (lambda t: RandomMask(np.ones((2, 16)), jnp.stack([2 * t, 2 * t]))),
    "quarter": (lambda t: Matrices(np.stack([np.eye(16)] * 2), jnp.stack([t, t]) / 4)),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_impossible_strengths_in_a_trace_become_a_status(name):
    x = np.random.default_rng(3).uniform(size=(40, 16))

    @jax.jit
    def status(t):
        view = compose(IMPOSSIBLE[name](t), GaussianNoise(jnp.full(16, 0.1)))
        return linssl.joint_embedding(two_views(x, view), 2).status

    assert linssl.Status(int(status(jnp.asarray(1.0)))) & linssl.Status.NOT_FINITE


def test_masks_with_concrete_patches_work_in_a_trace():
    x = jnp.asarray(np.random.default_rng(4).uniform(size=(40, 16)))
    slope = jax.grad(lambda k: two_views(x, FixedCountMask(PATCHES, k)).covariance.sum())
    assert jnp.isfinite(slope(jnp.asarray(2.0)))


def test_a_tiny_blur_is_no_blur():
    x = jnp.ones((1, 16)) * jnp.arange(16.0)[None]
    for width in (0.0, 1e-30):
        assert_close(blurs(IMAGE, [width]).sample(jax.random.key(0), x), x)


def test_patches_are_numbered_row_by_row_and_kept_whole():
    assert PATCHES.reshape(4, 4)[:, [0, 2]].tolist() == [[0, 1], [0, 1], [2, 3], [2, 3]]
    kept = PatchMask(PATCHES, 0.5).sample(jax.random.key(0), jnp.ones((50, 16)))
    for patch in range(4):
        assert len(np.unique(np.asarray(kept)[:, patch == PATCHES], axis=1).T) == 1
    counts = FixedCountMask(PATCHES, 3).sample(jax.random.key(0), jnp.ones((50, 16))).sum(1)
    assert (counts == 12).all()


def test_a_mixture_made_in_double_precision_has_views_in_single():
    parts = [GaussianNoise(np.ones(4)), Dropout(0.5)]
    with jax.enable_x64(True):
        precise = Mixture(parts, [0.25, 0.75])
    views = precise.sample(jax.random.key(0), jnp.ones((5, 4), jnp.float32))
    assert views.dtype == jnp.float32


@pytest.mark.parametrize("size", [1e2, 1e5])
def test_mixup_beside_large_means_is_that_of_centred_data(size):
    # Its spread is a multiple of the covariance: all scores are one number, and no cut has a gap.
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 4)) * [3.0, 2.0, 1.5, 1.0]
    x = jnp.round((x - x.mean(0)) * 64) / 64  # single precision holds it beside the means
    a, low = Mixup(0.3), 0.3
    away = x + jnp.round(size * jnp.array([[1.0, -2.0, 0.5, 1.0]]))
    je = linssl.joint_embedding(two_views(away, a), 2)
    assert linssl.Status(int(je.status)) == linssl.Status.NO_GAP
    shared = ((1 + low) / 2) ** 2
    want = shared / (shared + (1 - low) ** 2 * 5 / 12)
    assert_close(je.spectrum, jnp.full(4, want), cond=1e3)
    here, there = (linssl.reconstruction(linssl.view_and_clean(v, a), 2) for v in (x, away))
    assert linssl.Status(int(there.status)) == linssl.Status.OK
    assert_close(there.spectrum, here.spectrum, cond=1e3)
