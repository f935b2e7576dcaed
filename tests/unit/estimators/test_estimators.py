"""What no estimator takes, and the words that say so."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.exceptions import NotFittedError

import linssl
from linssl.estimators import (
    JointEmbedding,
    Reconstruction,
    SemanticJointEmbedding,
    SimVAE,
)

RNG = np.random.default_rng(0)
LABELS = np.repeat(["cat", "dog", "eel"], 10)
X = RNG.standard_normal((30, 4)) * [2, 1, 3, 1] + 5 + 2 * RNG.standard_normal((3, 4)).repeat(10, 0)


MISTAKES = {
    "no labels": (SemanticJointEmbedding(), X, None, "requires y to be passed"),
    "a missing label": (
        SemanticJointEmbedding(),
        X,
        ["a", None] * 15,
        "must be finite and not missing",
    ),
    "one class": (SemanticJointEmbedding(), X, ["a"] * 30, "y must hold at least two classes"),
    "a regression target": (
        SemanticJointEmbedding(),
        X,
        X[:, 0],
        "y must be class names; got the fraction",
    ),
    "one row": (JointEmbedding(), X[:1], None, "minimum of 2 is required"),
    "NaN": (SimVAE(), np.full((5, 4), np.nan), None, "contains NaN"),
    "both infinities": (SimVAE(), np.array([[np.inf, 1.0], [-np.inf, 2.0]]), None, "infinity"),
    "both, with labels": (
        SemanticJointEmbedding(),
        np.where(X > 5, np.inf, -np.inf),
        LABELS,
        "infinity",
    ),
    "complex numbers": (Reconstruction(), X + 1j, None, "Complex data not supported"),
    "overflow": (JointEmbedding(), X * 1e200, None, "X overflows when squared"),
    "too many dims": (JointEmbedding(5), X, None, "dim must be between 1 and 4 .*; got 5"),
    "a negative share": (JointEmbedding(augmentation=-1.0), X, None, "augmentation .* got -1"),
    "another size": (
        JointEmbedding(augmentation=linssl.GaussianNoise([1.0, 1.0])),
        X,
        None,
        "augmentation is for 2 features; X has 4",
    ),
    "words": (JointEmbedding().set_params(augmentation="mask"), X, None, "augmentation .* got str"),
    "another size of noise": (JointEmbedding(aligned=np.ones(3)), X, None, "aligned is for 3 feat"),
    "no covariance": (Reconstruction(aligned=-np.ones(4)), X, None, "aligned must hold variances"),
    "nothing to scale": (JointEmbedding(alpha=2.0), X, None, "alpha scales aligned, which is None"),
    "a negative alpha": (JointEmbedding(alpha=-1.0), X, None, "alpha must be a number"),
    "an alpha beyond any float": (JointEmbedding(alpha=10**400), X, None, "alpha must be a num"),
    "a share beyond any float": (
        JointEmbedding(augmentation=10**400),
        X,
        None,
        "augmentation must",
    ),
    "a share that overflows": (
        JointEmbedding(augmentation=1e308),
        X,
        None,
        "augmentation .* overf",
    ),
    "an alpha that overflows": (
        JointEmbedding(aligned=np.ones(4), alpha=1e200),
        X,
        None,
        r"alpha squared times aligned overflows; got alpha = 1e\+200",
    ),
    "a fraction": (SemanticJointEmbedding(fraction=2.0), X, LABELS, "fraction must be a scalar in"),
    "one view": (SimVAE(group_size=1), X, None, "style must be given for group_size = 1"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_refused_by_name(mistake):
    model, rows, labels, message = MISTAKES[mistake]
    with pytest.raises(ValueError, match=message):
        model.fit(rows, labels)


def test_infinities_of_both_signs_are_refused_without_a_warning():
    both, fitted = np.array([[np.inf], [-np.inf]]), Reconstruction(1).fit(X)
    for call in (fitted.transform, fitted.inverse_transform):
        with pytest.raises(ValueError, match="infinity"):
            call(both * np.ones(4 if call == fitted.transform else 1))


def test_an_encoder_decodes_dense_codes_alone():
    with pytest.raises(TypeError, match="Sparse data was passed"):
        Reconstruction(1).fit(X).inverse_transform(scipy.sparse.csr_array(X[:, :1]))


FRAME = pd.DataFrame(X, columns=list("abcd"))
TABLES = {
    "another order": pd.Series([0, 0.1, 1, 9], index=list("dcba")),
    "rows and columns in another order": pd.DataFrame(np.eye(4), list("bacd"), list("bacd")),
    "other names": pd.DataFrame(np.eye(4), list("wxyz"), list("wxyz")),
}


@pytest.mark.parametrize("table", TABLES)
def test_noise_of_other_names_than_the_features_is_refused(table):
    with pytest.raises(ValueError, match=r"aligned must name the features .* X has a, b, c, d\."):
        JointEmbedding(1, aligned=TABLES[table]).fit(FRAME)


def test_after_a_fit_that_failed_nothing_of_the_one_before_is_left():
    model = JointEmbedding(2).fit(X)
    with pytest.raises(ValueError, match="dim must be between"):
        model.fit(X[:, :1])
    with pytest.raises(NotFittedError, match="is not fitted yet"):  # one column would broadcast
        model.transform(X[:, :1])
    assert model.fit(X).transform(X).shape == (30, 2)
