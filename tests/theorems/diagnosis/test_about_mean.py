"""Moments of parts of the data, whose mean may be far beyond their spread."""

import jax.numpy as jnp
import numpy as np
import pytest

import linssl
from linssl.augmentations import Augmentation, Effect
from linssl.diagnosis import samples, spec
from linssl.pairs.black_box import estimate_parts

pytestmark = pytest.mark.x64

IMAGE = linssl.augmentations.Image(4, 4)
FAR = 1e8
OTHERS = {
    "aligned": linssl.AlignedNoise(np.full(16, 0.1), np.eye(16), 1.0),
    "mixture": linssl.augmentations.Mixture(
        [
            linssl.augmentations.Dropout(0.5),
            linssl.augmentations.shifts(IMAGE, 1),
            linssl.augmentations.Mixup(0.5),
        ]
    ),
    "cyclic": linssl.augmentations.cyclic_shifts(IMAGE, 1),
    "offset": linssl.augmentations.Offset(0.3),
    "chain": linssl.compose(
        linssl.augmentations.shifts(IMAGE, 1),
        linssl.augmentations.Mixup(0.5),
        linssl.augmentations.Dropout(0.7),
        linssl.augmentations.blurs(IMAGE, [0.0, 1]),
    ),
}


def rows():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 4)) @ rng.standard_normal((4, 16))
    X[:, 3] = 0  # constant
    return X + 0.1 * rng.standard_normal((300, 16)) * (np.arange(16) != 3)


def made(name):
    if name in OTHERS:
        return OTHERS[name]
    word = spec.WORDS[name]
    text = name if word.default is not None else f"{name}:1"
    return spec.parse_augmentation(text, spec.Setting(16, 1.0, IMAGE))


def sample_at(X, a, chosen=samples.ALL):
    return samples.Samples(X, None, 0).of(chosen, a, 0.0)


def assert_alike(got, want, fields, atol=1e-12):
    for field in fields.split():
        np.testing.assert_allclose(getattr(got, field), getattr(want, field), atol=atol)


@pytest.mark.parametrize("name", [*spec.WORDS, *OTHERS])
def test_all_groups_together_say_what_all_rows_do(name):
    a, X = made(name), rows() + np.random.default_rng(1).standard_normal(16)
    sample = sample_at(X, a)
    assert_alike(sample.views, linssl.two_views(X, a), "shared spread mean count draws")
    clean = "first second cross mean_first mean_second count draws"
    assert_alike(sample.clean, linssl.view_and_clean(X, a), clean)


def test_views_that_are_called_are_merged_with_their_means():
    X, half = rows() + 5, samples.halves()[0]
    parts = samples.Samples(X, None, 0)
    found = parts.of(half, estimate_parts(lambda x: 2 * x + 1, X, parts.rows, 2).plain, 0.0)
    X = X[np.concatenate([parts.rows[g] for g in half])]
    np.testing.assert_allclose(found.views.shared, 4 * np.cov(X.T), atol=1e-12)
    np.testing.assert_allclose(found.clean.cross, 2 * np.cov(X.T), atol=1e-12)
    np.testing.assert_allclose(found.views.spread, 0, atol=1e-12)
    np.testing.assert_allclose(found.views.mean, 2 * X.mean(0) + 1)
    assert found.views.draws == len(X)


@pytest.mark.parametrize("name", ["noise", "shifts", "flips", "turns", "mixup", "cyclic", "offset"])
def test_a_mean_that_an_augmentation_leaves_where_it_is_says_nothing(name):
    # Away from the border, where shifts by whole pixels bring in zeros.
    a = linssl.augmentations.cyclic_shifts(IMAGE, 1) if name == "shifts" else made(name)
    far, near = (sample_at(rows() + mean, a) for mean in (FAR, 0.0))
    # The rows themselves are rounded, to FAR eps, and so are their means.
    assert_alike(far.views, near.views, "shared spread", atol=1e-7)
    assert_alike(far.clean, near.clean, "first second cross", atol=1e-7)


class Scaled(Augmentation):
    """Somebody else's: half of the views are doubled."""

    def sample(self, key, x):
        raise NotImplementedError

    def effect(self, covariance, mean):
        return Effect(0.25 * (covariance + jnp.outer(mean, mean)), jnp.asarray(1.5))


class Shaken(Scaled):
    """Somebody else's: noise on the first two."""

    def effect(self, covariance, mean):
        return Effect(0.5 * (jnp.arange(mean.size) < 2).astype(mean.dtype))


def test_the_ceiling_is_the_same_wherever_correlated_data_lie():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 1)) + 1e-2 * rng.standard_normal((400, 6))
    y = 100 * (X[:, :1] - X[:, 1:2]) + 0.3 * rng.standard_normal((400, 1))
    near, far = (linssl.diagnose(1e4 * X + mean, y) for mean in (0, 1e8))
    assert near.ceiling > 0.9
    assert far.ceiling == pytest.approx(near.ceiling, rel=1e-6)
    assert far.held_out_ceiling == pytest.approx(near.held_out_ceiling, rel=1e-6)
    assert far.reconstruction.kept == pytest.approx(near.reconstruction.kept, abs=1e-6)


def test_the_mean_says_nothing_to_what_others_augment_without_it():
    near, far = (linssl.diagnose(rows() + m, augmentation=Shaken(), dim=2) for m in (0, FAR))
    assert far.recommendation == near.recommendation
    for one, other in (
        (far.joint_embedding, near.joint_embedding),
        (far.reconstruction, near.reconstruction),
    ):
        np.testing.assert_allclose(one.spectrum, other.spectrum, rtol=1e-6, atol=1e-9)


def test_a_mean_of_which_others_make_noise_must_leave_digits():
    near = linssl.diagnose(rows() + 1, augmentation=Scaled(), dim=2)
    assert near.features == 16
    with pytest.raises(ValueError, match="means far beyond the spread, of which the augmentation"):
        linssl.diagnose(rows() + FAR, augmentation=Scaled(), dim=2)


def test_data_that_came_without_digits_are_refused():
    assert linssl.diagnose((rows() + 1e5).astype("float32")).features == 16
    with pytest.raises(ValueError, match=r"columns \[0, 1, 2, .* no digits are left in float32"):
        linssl.diagnose((rows() + 1e8).astype("float32"))


def test_an_outlier_costs_the_halves_without_it_no_digits():
    X = rows()
    X[:, 5] *= 1e-9
    X[7, 5] = 1e6
    parts = samples.Samples(X, None, 0)
    for half in samples.halves():
        chosen = np.concatenate([parts.rows[g] for g in half])
        found = parts.of(half, made("noise"), 0.0).clean.second
        np.testing.assert_allclose(found[5, 5], X[chosen, 5].var(), rtol=1e-10)
    assert linssl.diagnose(X, dim=1).recommendation == "either"


def test_constant_columns_are_constant_wherever_they_lie():
    X = rows() + 1e8
    X[:, 3] = 1e8 + 1 / 3
    parts = samples.Samples(X, None, 0)
    np.testing.assert_array_equal(parts.constant, [3])
    clean = parts.of(samples.ALL, made("noise"), 0.0).clean
    assert not clean.second[3].any()
    assert clean.mean_second[3] == X[0, 3]
