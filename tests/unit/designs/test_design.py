"""What is not designed, and the words that say so."""

import jax.numpy as jnp
import numpy as np
import pytest
from helpers import any_types

import linssl
from linssl.augmentations import Dropout
from linssl.designs import AlignmentFamily, DropoutFamily, MixtureFamily, NoiseFamily

D, M = 6, 2
SIGNAL, NOISE = [3.0, 2.0], [5.0, 1.5, 0.5, 0.5]
BASE = [0.6, 0.5, 0.05, 0.02, 0.1, 0.1]
SAME = linssl.pairs.same_instance_population(np.diag(SIGNAL + NOISE))
AXES = np.eye(M, D)
SHAKE = NoiseFamily(np.full(D, 1e-3), 4.0)
X = np.random.default_rng(0).standard_normal((40, D))
Y = np.arange(40) % 3
GOOD = {"data": X, "family": SHAKE, "labels": Y}
HOSTILE = [
    ({"labels": np.ones(40)}, "labels must hold at least two classes"),
    ({"labels": Y[:5]}, r"labels must be \(40,\)"),
    ({"labels": np.full(40, np.nan)}, "labels must be finite"),
    ({"labels": None}, "exactly one of labels and subspace"),
    ({"subspace": AXES}, "exactly one of labels and subspace"),
    ({"labels": None, "subspace": np.ones((2, D))}, "full rank; got 2 rows of rank 1"),
    ({"labels": None, "subspace": np.zeros((1, D))}, "full rank; got 1 rows of rank 0"),
    ({"labels": None, "subspace": np.full((1, D), np.nan)}, "subspace must be finite"),
    ({"labels": None, "subspace": np.ones((1, 3))}, r"subspace must be \(m, 6\)"),
    ({"labels": None, "subspace": AXES, "dim": 1}, "dim must be at least 2"),
    ({"labels": None, "subspace": np.eye(1, D), "data": X * np.r_[0, np.ones(D - 1)]}, "constant"),
    ({"data": np.where(X > 2, np.nan, X)}, "data must be finite"),
    ({"data": np.ones((40, D))}, "data must vary"),
    ({"data": SAME}, r"data must be \(n, d\) samples for labels"),
    ({"data": linssl.two_views(SAME, linssl.GaussianNoise(BASE)), "labels": None,
      "subspace": AXES}, "clean moments"),
    ({"gap": 1.5}, r"gap must lie in \(0, 1\)"),
    ({"gap": 0.0}, r"gap must lie in \(0, 1\)"),
    ({"gap": np.nan}, r"gap must lie in \(0, 1\)"),
    ({"gap": "x"}, "gap must hold numbers"),
    ({"gap": [0.1, 0.2]}, r"gap must be one number; got an array of shape \(2,\)"),
    ({"tolerance": "x"}, "tolerance must hold numbers"),
    ({"tolerance": 1.0}, r"tolerance must lie in \[0, 1\)"),
    ({"evaluations": 0}, "evaluations must be a number >= 1; got 0"),
    ({"evaluations": np.int64(0)}, "evaluations must be a number >= 1"),
    ({"dim": D}, "dim must be between 1 and 5"),
    ({"family": DropoutFamily(3)}, "DropoutFamily is for 3"),
    ({"family": AlignmentFamily(np.zeros((D, D)), np.diag([0.0] + [1.0] * (D - 1))),
      "labels": None, "subspace": np.eye(M, D, 1), "data": X * np.r_[0, np.ones(D - 1)]},
     "can't be factored"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), HOSTILE, ids=[m for _, m in HOSTILE])
def test_what_cannot_be_designed_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        linssl.design(**(GOOD | change))


def test_a_pair_of_two_sides_is_no_data():
    pair = linssl.view_and_clean(SAME, linssl.GaussianNoise(BASE))
    with any_types(), pytest.raises(ValueError, match="data must be clean moments"):
        linssl.design(pair, SHAKE, subspace=AXES)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AlignmentFamily(BASE, [0.0] * D), "noise must not be 0"),
        (lambda: AlignmentFamily(BASE, [1.0]), "equal sizes; got 6 and 1"),
        (lambda: AlignmentFamily(BASE, BASE, np.inf), "most must be positive and finite"),
        (lambda: AlignmentFamily(BASE, BASE, -1.0), "most must be positive.*got -1"),
        (lambda: AlignmentFamily(BASE, BASE, 1e200), "and its square; got 1e\\+200"),
        (lambda: AlignmentFamily(BASE, BASE, "a"), "most must hold numbers"),
        (lambda: DropoutFamily(3, "a"), "least must hold numbers"),
        (lambda: DropoutFamily(3, 0.1, [0.1]), "noise must be one number"),
        (lambda: NoiseFamily([0.1, 0.1], 0.1), "most must be above least"),
        (lambda: NoiseFamily([-0.1, 0.1], 1.0), "least must hold variances"),
        (lambda: NoiseFamily([0.1, 0.1], [1.0] * 3), "most must be a scalar or"),
        (lambda: DropoutFamily(3, 1.0), r"least must lie in \(0, 1\)"),
        (lambda: DropoutFamily(0), "features must be >= 1"),
        (lambda: DropoutFamily(3, 0.1, -1.0), "noise must be a variance"),
        (lambda: MixtureFamily([Dropout(0.5)]), "two or more"),
        (lambda: MixtureFamily([]), "one or more augmentations"),
        (lambda: MixtureFamily([Dropout([0.5]), SHAKE.augmentation(jnp.ones(D))]),
         r"of one size; got \[1, 6\]"),
    ],
)  # fmt: skip
def test_families_that_are_none_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
