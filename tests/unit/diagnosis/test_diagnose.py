"""What is not diagnosed, and the words that say so."""

import numpy as np
import pytest

import linssl
from linssl.data import targets
from linssl.diagnosis import inputs, spec


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("shift:2", "got 'shift:2' in 'shift:2'. The words are noise"),
        ("shifts:two", "augmentation shifts must have a whole number"),
        ("shifts:1.5", "augmentation shifts must have a whole number"),
        ("cutout", "augmentation cutout must have a whole number"),
        ("noise:-1", "must have a number >= 0"),
        ("dropout:1", r"augmentation 'dropout:1' .* keep must be in \(0, 1\]"),
        ("flips+", "got '' in 'flips\\+'"),
    ],
)
def test_bad_words_are_explained(text, message):
    with pytest.raises(ValueError, match=message):
        spec.parse_augmentation(text, spec.Setting(64, 0.1, linssl.augmentations.Image(8, 8)))


X = np.random.default_rng(0).standard_normal((40, 6))
Y = np.arange(40) % 2
TABLE = X.astype(object)
TABLE[3, [1, 4]] = "NA", None
HOLES = np.where(np.isin(np.arange(6), (1, 4)), np.nan, X)


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (X.astype(str), {}, "data must hold numbers; got ndarray of shape .*, an array of <U"),
        (TABLE, {}, "2 of 6 columns don't: 1, 4, the first of which has float, str. Encode"),
        ([[1.0, 2.0], [3.0]] * 20, {}, "data must be an array; got list: .*inhomogeneous"),
        (1e160 * X, {}, "columns .* vary by .*e.160 or more, up to .*e.160. Change"),
        (1e-200 * X, {}, "columns .* vary by .*e-200 or more, up to .*e-200. Change"),
        (X[:1], {}, "data must have at least 32 samples, for errors; got 1"),
        (X[:, 0], {}, r"data must be \(n, d\) samples"),
        (
            HOLES,
            {},
            r"got NaN \(missing values\) in 2 of 6 columns, 40 of 40 rows: 1, 4\. Type --impute",
        ),
        (np.broadcast_to(X[:, :1], (40, 40_000)), {}, "second moment of 40,000 x 40,000 numbers"),
        (np.ones((40, 6)), {}, "every column is constant"),
        (X * 1e-9 + 1e3, {}, r"columns \[0, 1, 2, 3, 4, 5\] have a mean so far beyond"),
        (X, {"labels": Y[:39]}, r"labels must be \(40,\) or \(40, e\)"),
        (X, {"labels": Y[:0]}, r"non-empty \(n,\) or \(n, e\) array; got \(0,\)"),
        (X, {"labels": 0 * Y}, "labels must hold at least two classes; all are 0"),
        (X, {"labels": Y + 1j * Y}, "labels must be text, numbers or booleans; got .* complex128"),
        (X, {"labels": Y.astype("M8[D]")}, r"or booleans; got an array of datetime64\[D\]"),
        (X, {"labels": np.zeros((40, 1001))}, "must be 1,000 numbers a sample at most; got 1,001"),
        (X, {"labels": np.array([1, "a"] * 20, object)}, "got objects of type int, str"),
        (X, {"labels": np.array([2**70, 1] * 20, object)}, "or booleans; got an array of object"),
        (X, {"labels": [[1], [1, 2]] * 20}, "labels must be an array; got list: .*inhomogeneous"),
        (X + 1j, {}, "data must be real; got an array of complex128"),
        (X.astype("M8[s]"), {}, r"data must hold numbers; got .*, an array of datetime64\[s\]"),
        (X, {"labels": np.arange(40)}, "got 40 different ones in 40 samples"),
        (X, {"labels": np.where(Y, np.nan, 1.0)}, "got 20 that are NaN.* first at row 1"),
        (X, {"labels": np.full((40, 1), 3.0)}, "labels must vary; target 0 is 3 always"),
        (X, {"groups": Y[:39]}, r"groups must be \(40,\), one for each instance; got \(39,\)"),
        (X, {"groups": 0 * Y}, "groups must be at least 16, for errors over groups; got 1"),
        (X, {"groups": np.arange(40) % 15}, "groups must be at least 16, .* got 15"),
        (X, {"groups": np.where(Y, np.nan, 1.0)}, "groups must be finite and not missing; got 20"),
        (X, {"groups": np.full(40, "NaT", "M8[D]")}, "groups must be finite and not missing"),
        (X, {"groups": ["a", None] * 20}, "groups must be finite and not missing; got 20"),
        (X, {"groups": np.ma.array(Y, mask=Y)}, "groups must have no masked entries"),
        (X, {"groups": X}, r"groups must be \(40,\), one for each instance; got \(40, 6\)"),
        (X, {"groups": X[:, 0]}, "groups must be class names; got the fraction"),
        (np.tile(X[:20], (2, 1)), {}, "at least 32 samples that differ, .* got 20 among 40"),
        (X, {"dim": 7}, "dim must be between 1 and 6"),
        (X, {"tolerance": 1.5}, r"tolerance must lie in \[0, 1\); got 1.5"),
        (X, {"tolerance": float("nan")}, r"tolerance must lie in \[0, 1\); got nan"),
        (X, {"seed": -1}, "seed must be a whole number >= 0; got -1"),
        (X, {"seed": 2**32}, "seed must be a whole number from 0 to 4294967295; got 4294967296"),
        (X, {"views_per_sample": 0}, "views_per_sample must be a whole number >= 2; got 0"),
        (X, {"image_shape": (2, 2)}, "image_shape must have 6 values, as the data; got 2 x 2 = 4"),
        (X, {"augmentation": "shifts:1"}, "is for images, and 6 features aren't a square one"),
        (X, {"augmentation": linssl.GaussianNoise([1.0] * 5)}, "GaussianNoise is for 5"),
        (X, {"augmentation": "flips", "view": np.sign}, "exclude each other; got both"),
        (X, {"view": np.sign}, "at least 320 samples for a view that is called; got 40"),
    ],
)
def test_what_cannot_be_diagnosed_is_refused(data, options, message):
    with pytest.raises(ValueError, match=message):
        linssl.diagnose(data, **options)


def test_ten_thousand_classes_are_refused_before_anything_is_made_of_them():
    with pytest.raises(ValueError, match="1,000 at most; got 10,000 different ones in 60,000"):
        linssl.diagnose(np.zeros((60_000, 2)), np.arange(60_000) % 10_000)


@pytest.mark.parametrize("wrong", ["a", 1.5, True, None])
def test_a_setting_that_is_not_a_whole_number_is_refused_by_name(wrong):
    with pytest.raises(ValueError, match=f"seed must be a whole number >= 0; got {wrong!r}"):
        inputs.as_whole("seed", wrong, 0)


@pytest.mark.parametrize("wrong", ["a", True, None, 1j])
def test_a_setting_that_is_not_a_number_is_refused_by_name(wrong):
    with pytest.raises(ValueError, match=f"tolerance must be a number; got {wrong!r}"):
        inputs.as_real("tolerance", wrong)


@pytest.mark.parametrize("absent", [None, float("nan"), np.datetime64("NaT"), "", "<NA>"])
def test_a_label_that_is_missing_is_no_class(absent):
    labels = ["cat", "dog"] * 20
    labels[3] = absent
    with pytest.raises(ValueError, match=r"got 1 that are NaN, inf, None, NA.* first at row 3"):
        targets.check_targets(labels, 40)


@pytest.mark.parametrize("wrong", [5, "28x28", (2.0, 3), (2, "3"), np.ones((2, 3))])
def test_a_shape_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match=r"image must be \(height, width\) or .*; got "):
        inputs.find_images(X, X, wrong)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda x: np.ma.masked_array(x, x > 0), "got MaskedArray with masked entries"),
        (lambda x: {"x": x}, "got dict of object"),
        (lambda x: [[1], [1, 2]], "got list: .*inhomogeneous"),
        (lambda x: x + 1j, "got ndarray of complex128"),
    ],
)
def test_a_view_that_is_no_array_of_numbers_is_refused(made, message):
    with pytest.raises(ValueError, match=f"array of real numbers, none masked; {message}"):
        linssl.diagnose(np.tile(X, (8, 1)), view=made)
