r"""Strategies for property tests of linear problems; they need `pip install 'linssl[testing]'`.

Each draws problems of a size that is given, with a condition that is bounded, and shrinks to
plain ones. All else is as with any strategy of hypothesis:

    @hypothesis.given(testing.views(4))
    def test_my_objective_needs_no_units(views): ...
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from linssl.arguments import require_whole
from linssl.augmentations import (
    AlignedNoise,
    Augmentation,
    Brightness,
    Dropout,
    FixedCountMask,
    GaussianNoise,
    Mixture,
    Mixup,
    Offset,
    RandomMask,
    compose,
)
from linssl.moments import PairMoments, Views

try:
    from hypothesis import strategies as st
except ImportError as error:
    raise ImportError("hypothesis is missing: pip install 'linssl[testing]'.") from error

__all__ = ["augmentations", "covariances", "pairs", "rotated", "spectra", "views"]

SEEDS = st.integers(0, 2**16)
MEAN = 3.0  # the largest, in either direction


def spectra(size: int, low: float = 0.1, high: float = 10.0) -> st.SearchStrategy[np.ndarray]:
    """Variances, (size,), even on a log scale: of condition at most high / low.

    Args:
        size: how many.
        low: the smallest that is drawn, > 0.
        high: the largest.

    Raises:
        ValueError: no size, or not 0 < low <= high < inf.
    """
    _require(size, low, high)
    logs = st.lists(st.floats(np.log(low), np.log(high)), min_size=size, max_size=size)
    return logs.map(lambda drawn: np.clip(np.exp(np.array(drawn)), low, high))


def covariances(size: int, low: float = 0.1, high: float = 10.0) -> st.SearchStrategy[np.ndarray]:
    """Covariances, (size, size), with eigenvalues as of `spectra` and any rotation.

    Args:
        size: of a side.
        low: the smallest eigenvalue that is drawn, > 0.
        high: the largest.

    Raises:
        ValueError: no size, or not 0 < low <= high < inf.
    """
    return st.builds(rotated, spectra(size, low, high), SEEDS)


def rotated(spectrum: np.ndarray, seed: int) -> np.ndarray:
    """Return the covariance with these eigenvalues, turned at random and exactly symmetric.

    Args:
        spectrum: its eigenvalues, (d,).
        seed: of the rotation.
    """
    size = len(spectrum)
    Q = np.linalg.qr(np.random.default_rng(seed).standard_normal((size, size)))[0]
    C = (Q * np.asarray(spectrum, float)) @ Q.T
    return (C + C.T) / 2


def views(size: int, low: float = 0.1, high: float = 10.0) -> st.SearchStrategy[Views]:
    """Two views of a population, of any mean: what they share and their spread don't commute.

    Args:
        size: $d$.
        low: the smallest eigenvalue of either that is drawn, > 0.
        high: the largest.

    Raises:
        ValueError: no size, or not 0 < low <= high < inf.
    """
    parts = covariances(size, low, high), covariances(size, low, high), _means(size)
    return st.builds(lambda G, spread, mean: Views(G, spread, mean, np.inf, np.inf), *parts)


def pairs(
    first: int, second: int | None = None, low: float = 0.1, high: float = 10.0
) -> st.SearchStrategy[PairMoments]:
    """Pairs (u, v) of a population, of any means: blocks of the covariance of both.

    Args:
        first: $d$, of u.
        second: $e$, of v; None is d.
        low: the smallest eigenvalue of the joint covariance that is drawn, > 0.
        high: the largest.

    Raises:
        ValueError: no size, or not 0 < low <= high < inf.
    """
    e = first if second is None else second
    _require(first, low, high)
    _require(e, low, high, "second")

    def cut(C: np.ndarray, m: np.ndarray) -> PairMoments:
        d = first
        S, T, G = C[:d, :d], C[d:, d:], C[:d, d:]
        return PairMoments(S, T, G, m[:d], m[d:], np.inf, np.inf)

    return st.builds(cut, covariances(first + e, low, high), _means(first + e))


def augmentations(
    size: int, low: float = 0.1, high: float = 10.0
) -> st.SearchStrategy[Augmentation]:
    """Augmentations of any family that needs no image, mixtures, and compositions of two.

    Every one ends with Gaussian noise on all features, so that no view is singular.

    Args:
        size: $d$.
        low: the least variance of noise, > 0.
        high: the largest.

    Raises:
        ValueError: no size, or not 0 < low <= high < inf.
    """
    _require(size, low, high)
    return _augmentation(size, low, high)


@st.composite
def _augmentation(draw: Callable[..., Any], size: int, low: float, high: float) -> Augmentation:
    one = st.one_of(*_families(size, low, high))
    parts = draw(st.lists(one | st.tuples(one, one).map(Mixture), min_size=1, max_size=2))
    return compose(*parts, GaussianNoise(draw(spectra(size, low, high))))


def _families(size: int, low: float, high: float) -> list[st.SearchStrategy[Augmentation]]:
    """Strategies of single families, the plainest first."""
    share, noise = st.floats(0.1, 1), covariances(size, low, high)
    mask = st.lists(st.sampled_from([1.0, 0.0]), min_size=size, max_size=size)
    masks = st.lists(mask, min_size=1, max_size=2)
    whole = np.ones(size)  # so that every feature is kept by one of them
    return [
        st.builds(GaussianNoise, spectra(size, low, high)),
        st.builds(GaussianNoise, noise),
        st.builds(AlignedNoise, spectra(size, low, high), noise, st.floats(0, 3)),
        st.builds(Dropout, share, rescaled=st.booleans()),
        st.builds(FixedCountMask, st.just(np.arange(size)), st.integers(1, size)),
        masks.map(lambda drawn: RandomMask(np.array([whole, *drawn]))),
        st.builds(Brightness, share, st.floats(1, 2)),
        st.builds(Offset, share),
        st.builds(Mixup, share),
    ]


def _means(size: int) -> st.SearchStrategy[np.ndarray]:
    return st.lists(st.floats(-MEAN, MEAN), min_size=size, max_size=size).map(np.array)


def _require(size: int, low: float, high: float, name: str = "size") -> None:
    require_whole(name, size, 1)
    if not 0 < low <= high < np.inf:
        raise ValueError(f"low and high must be 0 < low <= high < inf; got {low:g} and {high:g}.")
