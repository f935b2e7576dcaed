"""Views of data whose mean is far beyond their spread."""

import jax.numpy as jnp
import numpy as np
import pytest

import linssl
from linssl.augment import Augmentation, augment
from linssl.augment.base import Effect
from linssl.diagnosis import samples, spec
from linssl.diagnosis.about_mean import views_about_mean
from linssl.pairing import same_instance

pytestmark = pytest.mark.x64

IMAGE = linssl.Image(4, 4)
OTHERS = {
    "aligned": linssl.AlignedNoise(np.full(16, 0.1), np.eye(16), 1.0),
    "mixture": linssl.Mixture([linssl.Dropout(0.5), linssl.shifts(IMAGE, 1), linssl.Mixup(0.5)]),
    "cyclic": linssl.cyclic_shifts(IMAGE, 1),
    "offset": linssl.Offset(0.3),
    "chain": linssl.compose(
        linssl.shifts(IMAGE, 1),
        linssl.Mixup(0.5),
        linssl.Dropout(0.7),
        linssl.blurs(IMAGE, [0.0, 1]),
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


def views_at(a, mean):
    X = rows()
    C = jnp.asarray(np.cov(X.T, bias=True))
    return views_about_mean(a, C, jnp.asarray(X.mean(0) + mean), jnp.asarray(300.0))


@pytest.mark.parametrize("name", [*spec.WORDS, *OTHERS])
def test_they_are_what_raw_moments_say_where_means_are_moderate(name):
    a, mean = made(name), np.random.default_rng(1).standard_normal(16)
    same = same_instance(rows() + mean)
    wanted = augment(same, a, a).centred(), augment(same, a, None).centred()
    for got, want in zip(views_at(a, mean), wanted, strict=True):
        assert got.exchangeable == want.exchangeable
        for field in ("first", "second", "cross"):
            np.testing.assert_allclose(getattr(got, field), getattr(want, field), atol=1e-12)
    np.testing.assert_allclose(got.mean_first, 0)


@pytest.mark.parametrize("name", ["noise", "shifts", "flips", "turns", "mixup", "cyclic", "offset"])
def test_a_mean_that_an_augmentation_leaves_where_it_is_says_nothing(name):
    # Away from the border, where shifts by whole pixels bring in zeros.
    a = linssl.cyclic_shifts(IMAGE, 1) if name == "shifts" else made(name)
    for far, near in zip(views_at(a, 1e8), views_at(a, 0.0), strict=True):
        np.testing.assert_allclose(far.first, near.first, atol=1e-7)  # 1e8 eps: of the data
        np.testing.assert_allclose(far.cross, near.cross, atol=1e-12)


class Scaled(Augmentation):
    """Somebody else's: half of the views are doubled."""

    def sample(self, key, x):
        raise NotImplementedError

    def moments(self, second, mean):
        return Effect(0.25 * second, jnp.asarray(1.5))


def test_the_ceiling_is_the_same_wherever_correlated_data_lie():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 1)) + 1e-2 * rng.standard_normal((400, 6))
    y = 100 * (X[:, :1] - X[:, 1:2]) + 0.3 * rng.standard_normal((400, 1))
    near, far = (linssl.diagnose(1e4 * X + mean, y) for mean in (0, 1e8))
    assert near.ceiling > 0.9
    assert far.ceiling == pytest.approx(near.ceiling, rel=1e-6)
    assert far.held_out_ceiling == pytest.approx(near.held_out_ceiling, rel=1e-6)
    assert far.reconstruction.kept == pytest.approx(near.reconstruction.kept, abs=1e-6)


def test_the_mean_of_what_others_augment_must_leave_digits():
    near = linssl.diagnose(rows() + 1, augmentation=Scaled(), dim=2)
    assert near.features == 16
    with pytest.raises(ValueError, match="Scaled, which isn't one of linssl's own"):
        linssl.diagnose(rows() + 1e5, augmentation=Scaled(), dim=2)


def test_data_that_came_without_digits_are_refused():
    assert linssl.diagnose((rows() + 1e5).astype("float32")).features == 16
    with pytest.raises(ValueError, match=r"columns \[0, 1, 2, .* no digits are left in float32"):
        linssl.diagnose((rows() + 1e8).astype("float32"))


def test_what_varies_only_beside_an_outlier_is_named():
    X = rows()
    X[:, 5] *= 1e-9
    X[7, 5] = 1e6
    with pytest.raises(ValueError, match=r"columns \[5\] hold outliers"):
        linssl.diagnose(X)


def test_constant_columns_are_constant_wherever_they_lie():
    X = rows()
    X[:, 3] = 1 / 3
    parts = samples.Samples(X + 1e8, None, 0)
    np.testing.assert_array_equal(parts.constant, [3])
    assert parts.groups[0].first[3, 3] == 0
