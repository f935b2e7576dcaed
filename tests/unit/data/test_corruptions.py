"""Corruptions: of the stated size, harsher with severity, and nothing but the seed at random."""

import itertools

import numpy as np
import pytest
from helpers import any_types

from linssl.data import corrupt
from linssl.data.corruptions import CORRUPTIONS

IMAGES = np.random.default_rng(0).uniform(size=(200, 8, 8))


@pytest.mark.parametrize("side", [8, 28])
def test_backgrounds_are_smooth_and_of_the_stated_deviation(side):
    for severity in (1, 5):
        change = corrupt(np.zeros((300, side, side)), "background", severity)
        assert abs(change.std() - severity / 5) < 1e-9
        # neighbours are alike: a Gaussian filter of s pixels correlates them by exp(-1/(4 s^2))
        s = side / 7
        neighbours = np.mean(change[:, :, 1:] * change[:, :, :-1]) / change.var()
        assert abs(neighbours - np.exp(-1 / (4 * s**2))) < 0.05


def test_gaussian_noise_has_the_stated_deviation():
    change = corrupt(IMAGES, "gaussian_noise", 5) - IMAGES
    assert abs(change.std() - 0.38) < 5 * 0.38 / np.sqrt(2 * change.size)


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_each_severity_changes_more_and_a_seed_repeats(kind):
    sizes = [np.square(corrupt(IMAGES, kind, s) - IMAGES).mean() for s in range(1, 6)]
    assert all(b >= a for a, b in itertools.pairwise(sizes))
    assert sizes[-1] > sizes[0] > 0
    np.testing.assert_array_equal(corrupt(IMAGES, kind, 3, 7), corrupt(IMAGES, kind, 3, 7))
    random = kind in ("gaussian_noise", "background")
    assert (corrupt(IMAGES, kind, 3, 7) != corrupt(IMAGES, kind, 3, 8)).any() == random


@pytest.mark.parametrize("kind", ["pixelate", "zoom_blur"])
def test_averages_keep_flat_images_and_are_linear(kind):
    for severity in range(1, 6):
        np.testing.assert_allclose(corrupt(np.ones((1, 28, 28)), kind, severity), 1)
        both = corrupt((IMAGES + IMAGES[::-1]) / 2, kind, severity)
        apart = (corrupt(IMAGES, kind, severity) + corrupt(IMAGES[::-1], kind, severity)) / 2
        np.testing.assert_allclose(both, apart, atol=1e-12)


def test_coarse_pixels_are_block_means_where_they_divide_the_side():
    got = corrupt(IMAGES, "pixelate", 2)  # 4 x 4 of 8 x 8
    means = IMAGES.reshape(-1, 4, 2, 4, 2).mean((2, 4))
    np.testing.assert_allclose(got, means.repeat(2, 1).repeat(2, 2), atol=1e-12)


@pytest.mark.parametrize(
    ("images", "kind", "severity", "match"),
    [
        (
            IMAGES[:0],
            "background",
            1,
            r"images must be \(n, .* with channels last; got \(0, 8, 8\)",
        ),
        (255 * IMAGES, "pixelate", 1, r"images must have pixels in \[0, 1\]; got 0.* to 254"),
        (IMAGES - IMAGES.mean(), "zoom_blur", 1, r"must have pixels in \[0, 1\]; got -0"),
        (np.full((2, 4, 4), np.nan), "pixelate", 1, r"must have pixels in \[0, 1\]; got nan"),
        (IMAGES, "pixelate", 1.0, r"severity must be a whole number from 1 to 5; got 1\.0"),
        (IMAGES, "fog", 1, "kind must be one of gaussian_noise, pixelate, .*; got 'fog'"),
        (IMAGES, "background", 6, "severity must be a whole number from 1 to 5; got 6"),
    ],
)
def test_unknown_corruptions_are_refused(images, kind, severity, match):
    with pytest.raises(ValueError, match=match), any_types():
        corrupt(images, kind, severity)


@pytest.mark.parametrize("kind", ["pixelate", "zoom_blur"])
def test_each_channel_of_a_coloured_image_is_corrupted_as_a_grey_one(kind):
    x = np.random.default_rng(0).random((3, 6, 8, 2))
    got = corrupt(x, kind, 3)
    for channel in range(2):
        np.testing.assert_allclose(got[..., channel], corrupt(x[..., channel], kind, 3))


def test_noise_of_channels_is_drawn_apart():
    x = np.full((4, 8, 8, 2), 0.5)
    for kind in ("gaussian_noise", "background"):
        a, b = np.moveaxis(corrupt(x, kind, 2) - x, -1, 0)
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.5
