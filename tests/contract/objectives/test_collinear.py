"""Features that depend on others are told, whatever their mean: rounding of it is no variance."""

import numpy as np
import pytest

import linssl
from linssl import pairs
from linssl.objectives import (
    Status,
    info_nce,
    plda,
    soft_constraint,
    spectral_contrastive,
)

LABELS = np.arange(200) % 3
OBJECTIVES = {
    "joint_embedding": lambda X: linssl.joint_embedding(linssl.same_class(X, LABELS), 2),
    "groups": lambda X: linssl.joint_embedding(in_groups(X), 2),
    "soft_constraint": lambda X: soft_constraint(linssl.same_class(X, LABELS), 2, 0.1),
    "spectral_contrastive": lambda X: spectral_contrastive(linssl.same_class(X, LABELS), 2),
    "info_nce": lambda X: info_nce(linssl.same_class(X, LABELS).as_pair(), 2),
    "plda": lambda X: plda(in_groups(X), 2, 2),
    "supervised": lambda X: linssl.supervised(linssl.with_label(X, targets())),
    "canonical_correlation": lambda X: linssl.canonical_correlation(
        linssl.with_label(X, targets()), 1
    ),
}


def in_groups(X):
    return pairs.groups(np.stack([X[::2], X[1::2]], 1))


def targets():
    return np.random.default_rng(9).standard_normal((200, 2))


def a_sum(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(200, 5)) + 0.5 * rng.normal(size=(3, 5))[LABELS] + 100
    return np.c_[X, X[:, 0] + X[:, 1]]


def percentages(seed):
    return 100 * np.random.default_rng(seed).dirichlet(np.ones(6), size=200)


def years(seed):
    rng = np.random.default_rng(seed)
    birth, age = 1950 + rng.integers(0, 50, 200), rng.integers(1, 80, 200)
    return np.c_[birth, age, birth + age, rng.standard_normal((200, 3))].astype(float)


@pytest.mark.x64
@pytest.mark.parametrize("make", [a_sum, percentages, years])
@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_feature_that_others_make_is_singular_beside_any_mean(name, make):
    for seed in (0, 7, 19):
        X = make(seed)
        for rows in (X, X - X.mean(0), X + 1e4):
            assert int(OBJECTIVES[name](rows).status) == Status.SINGULAR


@pytest.mark.x64
def test_as_many_rows_as_features_are_singular_beside_a_mean():
    for seed in range(20):
        X = np.random.default_rng(seed).standard_normal((6, 6)) + 10
        views = linssl.two_views(X, linssl.GaussianNoise(np.zeros(6)))
        assert int(linssl.joint_embedding(views, 2).status) & Status.SINGULAR
