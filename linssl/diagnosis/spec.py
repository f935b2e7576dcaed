"""The small language of augmentations: `shifts:2+noise:0.01`."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from linssl.augmentations import (
    Augmentation,
    Brightness,
    Dropout,
    GaussianNoise,
    Image,
    Mixup,
    PatchMask,
    RandomMask,
    blurs,
    compose,
    crops,
    cutout_masks,
    flip,
    image_patches,
    quarter_turns,
    shifts,
)
from linssl.data.images import cannot_be_told

DEFAULT = "noise:0.1"


class Setting(NamedTuple):
    """What an augmentation is for.

    Args:
        features: d.
        variance: mean of a feature's.
        image: shape; None where instances are no images, or in an order that nothing tells.
        unordered: their sides in the latter case.
    """

    features: int
    variance: float
    image: Image | None
    unordered: tuple[int, ...] = ()


class _Word(NamedTuple):
    make: Callable[[Setting, float], Augmentation]
    default: float | None
    meaning: str
    needs_image: bool = False
    whole: bool = False


def _noise(to: Setting, share: float) -> Augmentation:
    return GaussianNoise(np.full(to.features, share * to.variance))


def _image(to: Setting) -> Image:
    assert to.image is not None  # parse_augmentation has asked
    return to.image


def _patches(to: Setting, share: float) -> Augmentation:
    image = _image(to)
    return PatchMask(image_patches(image, max(1, min(image[:2]) // 4)), 1 - share)


def _crops(to: Setting, share: float) -> Augmentation:
    image = _image(to)
    h, w = share * image.height, share * image.width
    down, right = image.height - h, image.width - w
    starts = [(0, 0), (0, right), (down, 0), (down, right), (down / 2, right / 2)]
    return crops(image, [(*start, h, w) for start in starts])


def _turns(to: Setting, share: float) -> Augmentation:
    return quarter_turns(_image(to), [1 - share, share / 3, share / 3, share / 3])


WORDS = {
    "noise": _Word(_noise, 0.1, "Gaussian noise, its variance over the mean one of a feature"),
    "dropout": _Word(lambda _, p: Dropout(1 - p), 0.5, "each feature to 0, with this probability"),
    "brightness": _Word(lambda _, b: Brightness(1 - b, 1 + b), 0.4, "scaled by 1 - b to 1 + b"),
    "mixup": _Word(lambda _, low: Mixup(low), 0.5, "mixed with others, own share at least this"),
    "mask": _Word(_patches, 0.5, "each of 16 or so patches to 0, with this probability", True),
    "cutout": _Word(
        lambda to, side: RandomMask(cutout_masks(_image(to), int(side))),
        None, "a square hole of this side, in pixels", True, True,
    ),
    "shifts": _Word(
        lambda to, r: shifts(_image(to), int(r)), 1, "by up to so many pixels each way", True, True
    ),
    "flips": _Word(
        lambda to, p: flip(_image(to), p), 0.5, "mirrored, with this probability", True
    ),
    "turns": _Word(_turns, 0.75, "by 90, 180 or 270 degrees, with this probability", True),
    "crops": _Word(_crops, 0.8, "five boxes with this share of the sides, resized", True),
    "blur": _Word(
        lambda to, w: blurs(_image(to), [0.0, w]), 1.0, "half of the views, by so many pixels", True
    ),
}  # fmt: skip


def parse_augmentation(spec: str, to: Setting) -> Augmentation:
    """Build the augmentation that a text names: words joined by +, the first applied first.

    Args:
        spec: such as "noise:0.1", "dropout:0.3", "mask:0.5", "shifts:2+noise:0.01" or "flips";
            the words, and what their numbers mean, are in `WORDS`.
        to: what it is for.

    Raises:
        ValueError: an unknown word, a number that isn't one or doesn't fit, or a word for images
            where the shape of an image isn't known.
    """
    return compose(*(_part(part.strip(), spec, to) for part in spec.split("+")))


def _part(part: str, spec: str, to: Setting) -> Augmentation:
    name, colon, text = part.partition(":")
    word = WORDS.get(name)
    if word is None:
        raise ValueError(
            f"augmentation must be words joined by +, such as shifts:2+noise:0.01; got {part!r} "
            f"in {spec!r}. The words are {', '.join(WORDS)}."
        )
    if word.needs_image and to.unordered:
        raise ValueError(
            f"augmentation {part!r} is for images, and those of {to.unordered} "
            f"{cannot_be_told(to.unordered)}"
        )
    if word.needs_image and to.image is None:
        raise ValueError(
            f"augmentation {part!r} is for images, and {to.features} features aren't a square one: "
            "give the shape, image_shape=(height, width, channels) or --image 28x28x1."
        )
    try:
        number = float(text) if colon else word.default
    except ValueError:
        number = None
    if number is None or not np.isfinite(number) or (word.whole and number % 1):
        kind = "a whole number" if word.whole else "a number"
        raise ValueError(f"augmentation {name} must have {kind}: {word.meaning}; got {part!r}.")
    if number < 0:
        raise ValueError(f"augmentation {name} must have a number >= 0; got {part!r}.")
    try:
        return word.make(to, number)
    except ValueError as error:
        raise ValueError(f"augmentation {part!r} ({word.meaning}): {error}") from error
