"""Which images data are: sides and order are what is certain or was said, and never a guess."""

import numpy as np
import pytest
from helpers import any_types

import linssl
from linssl.diagnosis.inputs import find_images
from linssl.diagnosis.spec import Setting, parse_augmentation

RNG = np.random.default_rng(0)
N = 40
LAST = RNG.normal(size=(N, 6, 7, 3))
FIRST = np.moveaxis(LAST, -1, 1)
FLAT, FLAT_FIRST = LAST.reshape(N, -1), FIRST.reshape(N, -1)


@pytest.mark.parametrize(
    ("data", "shape", "channels"),
    [
        (LAST, None, None),
        (LAST, (6, 7, 3), "last"),
        (FIRST, None, None),
        (FIRST, (3, 6, 7), None),
        (FIRST, None, "first"),
        (FLAT, (6, 7, 3), None),
        (FLAT, np.array([6, 7, 3]), "last"),
        (FLAT_FIRST, (3, 6, 7), None),
        (FLAT_FIRST, [3, 6, 7], "first"),
    ],
)
def test_channels_go_last_and_what_came_stays_as_it_was(data, shape, channels):
    found = find_images(data, data, shape, channels)
    assert found.image == (6, 7, 3)
    np.testing.assert_array_equal(found.X, LAST)
    np.testing.assert_array_equal(found.given.reshape(data.shape), data)
    assert found.given.shape == (FIRST if found.moved else LAST).shape


@pytest.mark.parametrize("sides", [(3, 8, 3), (4, 4, 4), (8, 3, 8), (2, 5, 5), (16, 5, 5)])
def test_an_order_that_nothing_tells_is_asked_for_where_it_matters(sides):
    X = RNG.normal(size=(N, *sides))
    found = find_images(X, X)
    assert (found.image, found.unordered) == (None, sides)
    setting = Setting(X[0].size, 1.0, found.image, found.unordered)
    for words in ("shifts:1", "noise:0.1+mask:0.5"):
        with pytest.raises(ValueError, match=r"those of \(.*may have their channels .*--channels"):
            parse_augmentation(words, setting)
        parse_augmentation(words, Setting(X[0].size, 1.0, linssl.augmentations.Image(*sides)))
    with pytest.raises(ValueError, match="GaussianNoise acts on rows with channels last, and ima"):
        linssl.diagnose(X, augmentation=linssl.GaussianNoise(np.ones(X[0].size)))
    with pytest.raises(ValueError, match=r"image_shape: images of .* may have their channels"):
        find_images(X.reshape(N, -1), X.reshape(N, -1), sides)
    first, last = (find_images(X, X, None, order) for order in ("first", "last"))
    assert first.image == (*sides[1:], sides[0])
    assert first.moved
    assert last.image == sides
    np.testing.assert_array_equal(first.X, np.moveaxis(X, 1, -1))


@pytest.mark.parametrize("sides", [(5, 5), (1, 5, 5), (5, 5, 1), (25, 1), (25,), (5, 5, 5, 5)])
def test_a_square_is_guessed_of_rows_alone(sides):
    X = RNG.normal(size=(N, *sides))
    found = find_images(X, X)
    assert found.guessed == (sides == (25,))
    square = found.image is not None and found.image[:2] == (5, 5)
    assert square == (sides not in ((25, 1), (5, 5, 5, 5)))


@pytest.mark.parametrize(
    ("data", "shape", "message"),
    [
        (FIRST, (6, 7, 3), r"image_shape must be that of an instance, \(3, 6, 7\), in its order"),
        (
            LAST,
            (7, 6, 3),
            r"image_shape must be that of an instance, \(6, 7, 3\), .* got 7 x",
        ),
        (LAST, (18, 7), r"image_shape must be that of an instance, .* got 18 x 7"),
        (LAST, (6, 7), "image_shape must have 126 values, as the data; got 6 x 7 = 42"),
        (FLAT, (6, 7, 4), "image_shape must have 126 values, as the data; got 6 x 7 x 4 = 168"),
        (FLAT, (0, 7, 3), r"image must be \(height, width\)"),
    ],
)
def test_other_sides_than_those_of_the_data_are_refused(data, shape, message):
    with pytest.raises(ValueError, match=message):
        find_images(data, data, shape)


def test_channels_of_no_images_are_refused():
    with pytest.raises(ValueError, match=r"channels are those of images: .*got data \(40, 126\)"):
        linssl.diagnose(FLAT, channels="first")
    with any_types(), pytest.raises(ValueError, match="channels must be first or last, or None"):
        linssl.diagnose(LAST, channels="NCHW")


@pytest.mark.parametrize(
    ("view", "batched", "message"),
    [
        (
            lambda x: np.moveaxis(x, -1, 0),
            False,
            r"in the order .* \(6, 7, 3\); got .*\(3, 6",
        ),
        (
            lambda x: np.moveaxis(x, -1, 1),
            True,
            r"in the order .* \(6, 7, 3\); got .*\(3, 6",
        ),
        (
            lambda x: x[0],
            True,
            r"as many views as it gets .*; got shape \(6, 7, 3\) of 1",
        ),
        (lambda x: x[:, 1:], True, r"as many values as it gets, 126, .*; got shape \(5, 7, 3\)"),
        (lambda x: x.mean(), True, "as many values as it gets, 126, .*; got shape"),
    ],
)
def test_a_view_of_other_values_or_another_order_is_refused(view, batched, message):
    with pytest.raises(ValueError, match=message):
        linssl.diagnose(np.tile(LAST, (8, 1, 1, 1)), view=view, batched=batched)


def test_batches_of_nothing_are_refused():
    with pytest.raises(ValueError, match="batched is for a view; got none"):
        linssl.diagnose(FLAT, batched=True)
    with any_types(), pytest.raises(ValueError, match="batched must be True or False; got 1"):
        linssl.diagnose(FLAT, view=np.sign, batched=1)
