"""What makes no pairs of a class, and the words that say so."""

import jax.numpy as jnp
import numpy as np
import pytest

from linssl import same_class
from linssl.pairs import SemanticPairs, within_superclass

D = 3
SIZES = (2, 3, 5)


def labelled(seed=0, sizes=SIZES, d=D):
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    data = rng.standard_normal((len(sizes), d))[labels] * 2 + rng.standard_normal((len(labels), d))
    return data + 1.0, labels


X, Y = labelled()
BAD = {
    "one class": (lambda: same_class(X, np.zeros(10, int)), "at least two classes; got one"),
    "a class of one": (
        lambda: same_class(X, [0] * 9 + [1]),
        r"two instances in each class.*class number 1 .* has 1\. Drop it, or pass distinct=False",
    ),
    "another length": (lambda: same_class(X, Y[:5]), r"labels must be \(10,\).*got \(5,\)"),
    "p": (lambda: same_class(X, Y, 1.2), r"fraction must be a scalar in \[0, 1\]; got 1.2"),
    "q": (lambda: same_class(X, Y, 1, -0.1), r"mislabelled must be a scalar in \[0, 1\]; got -0.1"),
    "not one-hot": (lambda: same_class(X, np.full((10, 2), 0.5)), "one-hot rows of 0 and one 1"),
    "no law": (
        lambda: same_class(X, Y, confusion=lambda pi: jnp.outer(pi, pi) / 2),
        "symmetric .* sum of 0.5",
    ),
    "superclasses": (
        lambda: same_class(X, Y, confusion=within_superclass([0, 1])),
        r"superclasses must be \(3,\), one a class; got \(2,\)",
    ),
    "sizes": (
        lambda: SemanticPairs.population(np.ones(2), np.ones(3)),
        "must have one size; got 2, 3 and 2",
    ),
    "indefinite": (lambda: SemanticPairs.population(-np.ones(2), np.ones(2)), "between must hold"),
    "data": (lambda: SemanticPairs.population(np.ones((3, 2)), np.ones(2)), r"between must be \(d"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_makes_no_pairs_is_refused(case):
    call, match = BAD[case]
    with pytest.raises(ValueError, match=match):
        call()
