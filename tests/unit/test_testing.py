"""Strategies of problems: what they draw is of the size and the condition that was asked for."""

import importlib
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linssl import PairMoments, Views, testing

ROUNDING = 1e-5  # the rounding of single precision, of moments of size 10


def test_without_hypothesis_the_module_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    monkeypatch.delitem(sys.modules, "linssl.testing")
    with pytest.raises(ImportError, match=r"hypothesis is missing: pip install 'linssl\[testing\]"):
        importlib.import_module("linssl.testing")


def eigenvalues(moment):
    return np.linalg.eigvalsh(np.asarray(moment, float))


def assert_between(values, low, high):
    assert values.min() >= low * (1 - ROUNDING) - ROUNDING
    assert values.max() <= high * (1 + ROUNDING)


@given(st.data(), st.integers(1, 4))
def test_moments_have_the_size_and_the_eigenvalues_that_were_asked_for(data, d):
    spectrum, C = (
        data.draw(testing.spectra(d, 0.5, 2.0)),
        data.draw(testing.covariances(d, 0.5, 2.0)),
    )
    assert spectrum.shape == (d,)
    assert_between(spectrum, 0.5, 2.0)
    assert_between(eigenvalues(C), 0.5, 2.0)
    np.testing.assert_array_equal(C, C.T)
    views, pair = data.draw(testing.views(d, 0.5, 2.0)), data.draw(testing.pairs(d, 2, 0.5, 2.0))
    assert isinstance(views, Views)
    assert_between(eigenvalues(views.shared), 0.5, 2.0)
    assert_between(eigenvalues(views.spread), 0.5, 2.0)
    assert isinstance(pair, PairMoments)
    joint = np.block([[pair.first, pair.cross], [pair.cross.T, pair.second]])
    assert pair.cross.shape == (d, 2)
    assert_between(eigenvalues(joint), 0.5, 2.0)
    assert np.isinf([views.count, views.draws, pair.count, pair.draws]).all()


FAMILIES = (
    *("AlignedNoise", "Brightness", "Dropout", "FixedCountMask", "GaussianNoise", "Mixture"),
    *("Mixup", "Offset", "RandomMask"),
)


def names(augmentation):
    """The families of all parts, in mixtures too."""
    parts = getattr(augmentation, "parts", ())
    return {type(augmentation).__name__}.union(*map(names, parts))


def test_augmentations_of_every_family_are_drawn_and_noise_on_all_features_comes_last():
    seen = set()

    @settings(max_examples=50)
    @given(testing.augmentations(3, low=0.2))
    def run(augmentation):
        seen.update(names(augmentation))
        *_, last = augmentation.parts
        assert augmentation.input_size() == 3
        assert_between(np.asarray(last.covariance), 0.2, 10)

    run()
    assert seen == {"Composition", *FAMILIES}


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: testing.spectra(0), "size must be a whole number >= 1; got 0"),
        (
            lambda: testing.spectra(2, 0.0, 1.0),
            "must be 0 < low <= high < inf; got 0 and 1",
        ),
        (lambda: testing.covariances(2, 3.0, 1.0), "got 3 and 1"),
        (lambda: testing.views(2, 1.0, float("inf")), "got 1 and inf"),
        (lambda: testing.pairs(2, 0), "second must be a whole number >= 1; got 0"),
        (lambda: testing.augmentations(-1), "size must be a whole number >= 1; got -1"),
    ],
)
def test_what_is_no_size_or_range_is_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()
