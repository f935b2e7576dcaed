"""Families of augmentations that fit a kind of data, and the strengths of each that are tried.

Another kind of data, or another family of one, is one more entry of `FAMILIES`.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

from linssl.augmentations import Image
from linssl.diagnosis.measure import PARADIGMS
from linssl.diagnosis.spec import Setting, parse_augmentation
from linssl.recommendation.coordinates import Coordinates
from linssl.recommendation.laws import Law, ViewMoments, additive, law_of
from linssl.recommendation.parts import Part

Kind = Literal["table", "embeddings", "images"]
KINDS: tuple[Kind, ...] = ("table", "embeddings", "images")
LITTLE = 0.05  # of the mean variance of a feature: noise on top of other augmentations
WIDE = 64  # features without names from which rows of fractions are taken for embeddings
JE, RC = PARADIGMS


class Family(NamedTuple):
    """One way to augment, at several strengths.

    Args:
        name: its word.
        meaning: in words, of a strength.
        strengths: that are tried, ascending.
        law: the law at a strength, for a setting and coordinates.
        flat: paradigms whose codes span the same space at every strength: solved once. Theory says
            so of noise of one shape for joint embedding, and of isotropic noise for both.
        noise: shares of the mean variance that are added on top, as isotropic noise; 0 is none.
        shown: strengths beyond what is natural, for the curve alone: they aren't ranked.
    """

    name: str
    meaning: str
    strengths: tuple[float, ...]
    law: Callable[[float, Setting, Coordinates], Law]
    flat: tuple[str, ...] = ()
    noise: tuple[float, ...] = (0.0,)
    shown: tuple[float, ...] = ()

    def text(self, strength: float, noise: float) -> str:
        """Name a setting in the small language of augmentations, as far as that has the word."""
        own = self.name if self.strengths == (1.0,) else f"{self.name}:{strength:g}"
        return own if noise == 0 else f"{own}+noise:{noise:g}"


def _word(name: str) -> Callable[[float, Setting, Coordinates], Law]:
    """Return the law of a word of the small language."""

    def law(strength: float, to: Setting, at: Coordinates) -> Law:
        return law_of(parse_augmentation(f"{name}:{strength:g}", to), at)

    return law


def _scaled_noise(strength: float, to: Setting, at: Coordinates) -> Law:
    r"""Return noise in proportion to each feature's variance: $\Sigma = s\,\mathrm{diag}\,C$."""
    del to, at

    def law(part: Part) -> ViewMoments:
        variance = part.lifted_diagonal[0]
        return additive(part, part.coordinates.spread_down(strength * variance))

    return law


def _nuisance(strength: float, to: Setting, at: Coordinates) -> Law:
    r"""Return noise along the nuisance: $\Sigma = \alpha^2 \Gamma$, Γ that of its means."""
    del to, at

    def law(part: Part) -> ViewMoments:
        return additive(part, strength**2 * part.nuisance_covariance)

    return law


def _of_word(
    name: str, meaning: str, *strengths: float, flat: tuple[str, ...] = (), noise: bool = False
) -> Family:
    return Family(name, meaning, strengths, _word(name), flat, (0.0, LITTLE) if noise else (0.0,))


NOISE = (
    _of_word("noise", "isotropic noise, as a share of the mean variance of a feature",
             0.03, 0.1, 0.3, 1.0, flat=PARADIGMS),
    Family("scaled-noise", "noise on each feature, as a share of its own variance",
           (0.1, 0.3, 1.0, 3.0), _scaled_noise, (JE,)),
)  # fmt: skip
ROWS = (
    *NOISE,
    _of_word("dropout", "each feature to 0, with this probability", 0.1, 0.3, 0.5, 0.8, flat=(JE,)),
    _of_word("mixup", "mixed with other rows, own share at least this", 0.5, flat=PARADIGMS),
)
NUISANCE = Family(
    "nuisance", "noise along the nuisance's means, alpha times as large as they vary",
    (0.25, 0.5, 1.0, 2.0), _nuisance, noise=(LITTLE,),
    # Noise that much larger than the nuisance itself makes up for any paradigm's failings.
    shown=(4.0, 8.0),
)  # fmt: skip
FAMILIES: dict[Kind, tuple[Family, ...]] = {"table": ROWS, "embeddings": ROWS}


def _of_images(image: Image) -> tuple[Family, ...]:
    """Return the families for images, with holes and shifts that fit their sides."""
    side = min(image.height, image.width)
    holes = tuple(sorted({float(max(side // part, 1)) for part in (4, 2)}))
    reaches = tuple(float(r) for r in (1, 2, 3) if 4 * r <= side)
    found = [
        *NOISE,
        _of_word("mask", "each of 16 or so patches to 0, with this probability",
                 0.2, 0.4, 0.6, 0.8, flat=(JE,), noise=True),
        _of_word("cutout", "a square hole of this side, in pixels", *holes, noise=True),
        _of_word("flips", "mirrored, with this probability", 0.5, noise=True),
        _of_word("crops", "boxes with this share of the sides, resized", 0.9, 0.7, noise=True),
        _of_word("blur", "half of the views, by so many pixels", 0.5, 1.0, 2.0, noise=True),
        _of_word("brightness", "scaled by 1 - b to 1 + b", 0.2, 0.5, noise=True),
    ]  # fmt: skip
    if reaches:
        found.append(_of_word("shifts", "by up to so many pixels each way", *reaches, noise=True))
    if image.height == image.width:
        found.append(_of_word("turns", "by quarter turns, with this probability", 0.75, noise=True))
    return tuple(found)


def families_for(kind: Kind, image: Image | None, nuisance: bool) -> tuple[Family, ...]:
    """Return the families that fit.

    Args:
        kind: of data.
        image: shape, where they are images.
        nuisance: whether one is named.
    """
    fit = _of_images(image) if kind == "images" and image is not None else FAMILIES[kind]
    return (*fit, NUISANCE) if nuisance else fit


def family_of_view(name: str, law: Law) -> Family:
    """Return a view that was called as a family, alone and with a little noise."""

    def made(strength: float, to: Setting, at: Coordinates) -> Law:
        del strength, to, at
        return law

    return Family("view", name, (1.0,), made, noise=(0.0, LITTLE))
