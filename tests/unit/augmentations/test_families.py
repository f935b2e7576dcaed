"""What makes no augmentation of a family, and the words that say so."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import any_types

from linssl import GaussianNoise, compose
from linssl.augmentations import (
    Brightness,
    CyclicFilters,
    Dropout,
    FixedCountMask,
    Image,
    Matrices,
    Mixup,
    PatchMask,
    PixelMoves,
    RandomMask,
    Separable,
    blurs,
    crops,
    cutout_masks,
    cyclic_shifts,
    flip,
    image_patches,
    quarter_turns,
    shifts,
)

IMAGE = Image(4, 4)
PATCHES = image_patches(IMAGE, 2)
EYE = np.eye(4)
BAD = {
    "never kept": (lambda: Dropout(0.0), r"keep must be in \(0, 1\], and 0 never keeps"),
    "keep": (lambda: PatchMask(PATCHES, 1.5), r"keep must be in \(0, 1\]"),
    "no mask keeps": (lambda: RandomMask([[1.0, 0.0]]), "none keeps feature 1"),
    "kept": (lambda: FixedCountMask(PATCHES, 5), "from 1 to 4; got 5"),
    "one patch": (lambda: FixedCountMask([0, 0], 1), r"numbered 0 to P - 1, P >= 2; got \[0\]"),
    "patches": (lambda: PatchMask([0.5, 1.0], 0.5), r"patches must be \(d,\) whole numbers"),
    "sum": (lambda: flip(IMAGE, 1.2), r"probability must be a scalar in \[0, 1\]; got 1.2"),
    "not one": (lambda: Matrices([EYE, EYE], [0.9, 0.9]), "sum to one; got a sum of 1.8"),
    "negative": (lambda: Matrices([EYE, EYE], [1.5, -0.5]), "a smallest of -0.5"),
    "number": (lambda: Matrices([EYE, EYE], [1.0]), r"probabilities must be \(2,\)"),
    "NaN": (lambda: Matrices([EYE * np.nan]), "matrices must be finite"),
    "NaN kernel": (lambda: CyclicFilters(np.full((1, 4, 4), np.nan), IMAGE), "kernels must be fin"),
    "infinite rows": (lambda: Separable([EYE + np.inf], [EYE], IMAGE), "rows must be finite"),
    "NaN column": (lambda: Separable([EYE], [EYE * np.nan], IMAGE), "columns must be finite"),
    "NaN mask": (lambda: RandomMask([[np.nan, 1.0]]), "masks must be finite"),
    "matrices": (lambda: Matrices(EYE), r"matrices must be \(P, d, d\); got \(4, 4\)"),
    "reach": (lambda: shifts(IMAGE, 4), "whole number from 0 to 3; got 4"),
    "cyclic reach": (
        lambda: cyclic_shifts(IMAGE, -1),
        "whole number from 0 to 3; got -1",
    ),
    "turned": (lambda: quarter_turns((2, 3)), r"square to be turned; got \(2, 3, 1\)"),
    "box": (lambda: crops(IMAGE, [[0, 0, 5, 2]]), "boxes must lie within"),
    "NaN box": (lambda: crops(IMAGE, [[0, 0, np.nan, 2]]), "boxes must lie within"),
    "width": (lambda: blurs(IMAGE, [-1.0]), "widths must be finite and >= 0"),
    "hole": (lambda: cutout_masks(IMAGE, 4), "size must be a whole number from 1 to 3; got 4"),
    "image": (lambda: flip((0, 3)), r"image must be \(height, width\)"),
    "a side": (lambda: shifts((8, 7.5), 1), r"image must be \(height, width\) .*; got \(8, 7\.5\)"),
    "a flag": (lambda: shifts(IMAGE, True), "reach must be a whole number .*; got True"),
    "a fraction": (lambda: cutout_masks((8, 8), 2.5), r"size must be a whole number .*; got 2\.5"),
    "text": (lambda: image_patches((8, 8), "2"), "size must be a whole number >= 1; got '2'"),
    "a patch": (lambda: image_patches((8, 8), 1.5), r"size must be a whole number >= 1; got 1\.5"),
    "colours first": (
        lambda: shifts((3, 8, 8), 1),
        "which looks like channels first",
    ),
    "grey first": (lambda: flip((1, 28, 28)), "looks like channels first: np.moveaxis"),
    "small, colours first": (lambda: flip((3, 4, 4)), "looks like channels first"),
    "oblong, grey first": (lambda: flip((1, 8, 12)), "looks like channels first"),
    "bands first": (lambda: flip((12, 9, 9)), "looks like channels first"),
    "sources": (lambda: PixelMoves([[0, 4]]), "sources must be -1 to 1; got 0 to 4"),
    "no sources": (lambda: PixelMoves(np.zeros((0, 4), int)), r"sources must be \(P, d\)"),
    "kernels": (lambda: CyclicFilters(np.zeros((0, 4, 4)), IMAGE), r"kernels must be \(P, 4, 4\)"),
    "rows": (lambda: Separable(1.0, 1.0, IMAGE), r"rows and columns must be \(P, 4, 4\)"),
    "brightness": (lambda: Brightness(2.0, 1.0), "low <= high"),
    "mixup": (lambda: Mixup(1.5), r"low must be in \[0, 1\]"),
    "alone": (lambda: Mixup(0.5).sample(jax.random.key(0), jnp.ones(3)), "rows to draw partners"),
    "nothing": (compose, "at least one augmentation; got none"),
    "several": (lambda: compose(GaussianNoise([1.0]), GaussianNoise([1.0, 1.0])), "one size"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_makes_no_augmentation_is_refused(case):
    call, match = BAD[case]
    with pytest.raises(ValueError, match=match), any_types():
        call()


@pytest.mark.parametrize("case", sorted(BAD.keys() - {"alone", "several", "nothing"}))
def test_what_is_known_to_make_none_is_refused_inside_a_trace_too(case):
    call, match = BAD[case]

    @jax.jit
    def traced(t):
        call()
        return t

    with pytest.raises(ValueError, match=match), any_types():
        traced(jnp.ones(()))
