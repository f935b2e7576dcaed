"""What makes no pairs of one instance, and the words that say so."""

import numpy as np
import pytest

import linssl
from linssl import same_instance, with_label
from linssl.pairs import one_hot, same_instance_population

X = np.random.default_rng(0).standard_normal((12, 3)) + 1
Y = np.random.default_rng(1).standard_normal((12, 2)) - 1
NAMES = np.array(["cat", "dog", "ant"] * 4)


def with_bad(values, bad):
    values = values.copy()
    values[4, 1] = bad
    return values


BAD_DATA = [
    (X[0], r"must be a non-empty \(n, d\) array of samples; got \(3,\)"),
    (X[None], r"must be a non-empty \(n, d\) array of samples; got \(1, 12, 3\)"),
    (X[:0], r"must be a non-empty \(n, d\) array of samples; got \(0, 3\)"),
    (X[:, :0], r"must be a non-empty \(n, d\) array of samples; got \(12, 0\)"),
    (with_bad(X, np.nan), "must be finite; got 1 NaN or inf, the first at row 4, column 1"),
    (with_bad(X, -np.inf), "must be finite; got 1 NaN or inf, the first at row 4, column 1"),
    (with_bad(X.astype(object), "a"), "must hold numbers; 1 of 3 columns don't: 1, .* float, str"),
    ([[1.0, 2.0], [3.0]], "must be an array; got list: .*inhomogeneous shape"),
]


@pytest.mark.parametrize(("data", "match"), BAD_DATA)
def test_data_that_are_not_numbers_in_rows_are_refused(data, match):
    with pytest.raises(ValueError, match=f"data {match}"):
        same_instance(data)
    with pytest.raises(ValueError, match=f"data {match}"):
        with_label(data, Y)


@pytest.mark.parametrize(
    ("values", "match"),
    [
        (np.ones((2, 3)), r"must be \(d, d\), or \(d,\) for a diagonal; got \(2, 3\)"),
        (np.ones((1, 3)), r"must be \(d, d\), or \(d,\) for a diagonal; got \(1, 3\)"),
        (np.ones((2, 2, 2)), r"must be \(d, d\), or \(d,\) for a diagonal; got \(2, 2, 2\)"),
        (np.float64(2), r"must be \(d, d\), or \(d,\) for a diagonal; got \(\)"),
        (np.ones(0), r"must be \(d, d\), or \(d,\) for a diagonal; got \(0,\)"),
        (np.array([1.0, -2.0]), "must hold variances >= 0; got -2"),
        (np.array([1.0, np.nan]), "must be finite; got 1 NaN or inf"),
        (np.array([[1.0, 2.0], [0.0, 1.0]]), "must be symmetric"),
        (np.array([[1.0, 2.0], [2.0, 1.0]]), "must be positive semi-definite; .* is -1"),
    ],
)
def test_what_is_not_a_covariance_is_refused(values, match):
    with pytest.raises(ValueError, match=f"covariance {match}"):
        same_instance_population(values)


@pytest.mark.parametrize(
    ("mean", "match"),
    [
        (np.ones(3), r"mean must be \(2,\), one for each feature; got \(3,\)"),
        (np.ones(1), r"mean must be \(2,\), one for each feature; got \(1,\)"),
        (np.float64(0), r"mean must be \(2,\), one for each feature; got \(\)"),
        (np.array([0.0, np.nan]), "mean must be finite"),
    ],
)
def test_bad_mean_is_refused(mean, match):
    with pytest.raises(ValueError, match=match):
        same_instance_population(np.ones(2), mean)


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        (Y[:5], r"labels must have 12 rows, one for each instance; got \(5, 2\)"),
        (NAMES[:5], r"labels must have 12 rows, one for each instance; got \(5, 3\)"),
        (Y[None], r"labels must be a non-empty \(n, d\) array of samples; got \(1, 12, 2\)"),
        (np.float64(1), r"labels must be a non-empty \(n, d\) array of samples; got \(\)"),
        (with_bad(Y, np.nan), "labels must be finite; got 1 NaN or inf, the first at row 4"),
        (with_bad(Y.astype(object), "a"), "labels must hold numbers; 1 of 2 columns don't"),
        (Y[:, 0], r"labels must be class names; got the fraction .* labels\[:, None\]"),
        (np.full(12, np.nan), "labels must be finite and not missing; got 12 that"),
        (np.array(["a", None] * 6, object), "not missing; got 6 that .* at row 1: 'None'"),
        (np.array(["a", np.nan] * 6, object), "not missing; got 6 that .* at row 1: 'nan'"),
    ],
)
def test_bad_labels_are_refused(labels, match):
    with pytest.raises(ValueError, match=match):
        with_label(X, labels)


@pytest.mark.x64
@pytest.mark.parametrize(
    ("size", "match"),
    [(1e30, "data and labels overflows float32: rescale it"), (1e-30, "squares of float32 hold")],
)
def test_targets_beyond_the_precision_of_the_data_are_refused(size, match):
    with pytest.raises(ValueError, match=match):
        with_label(X.astype(np.float32), size * Y)
    assert np.isfinite(with_label(X, size * Y).second).all()


@pytest.mark.parametrize("labels", [[], np.ones((3, 2), int), 3])
def test_class_names_are_one_dimensional_and_not_empty(labels):
    with pytest.raises(ValueError, match=r"labels must be (a non-empty )?\(n,\).*; got"):
        one_hot(labels)


def test_features_beyond_memory_are_refused_before_anything_is_built():
    # 224 x 224 x 3: its second moment would take 181 GB in double precision.
    image = np.zeros((2, 224 * 224 * 3), np.float32)
    message = r"150,528 features .* [\d,]+ GB.*PCA .* patches"
    for call in (
        lambda: linssl.same_instance(image),
        lambda: linssl.with_label(image, [0, 1]),
        lambda: linssl.pairs.two_modalities(image, image),
        lambda: linssl.same_class(image, [0, 1]),
        lambda: linssl.pairs.estimate_pair(lambda x: x, np.zeros((20, 224, 224, 3), np.uint8)),
        lambda: linssl.augmentations.shifts(linssl.augmentations.Image(224, 224, 3), 1),
    ):
        with pytest.raises(ValueError, match=message):
            call()
