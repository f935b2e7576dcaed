"""Classes and batches that can't be told apart, and the words that say so."""

import jax
import numpy as np
import pytest

from linssl import same_class

X = np.random.default_rng(0).standard_normal((12, 2))
CLASS, BATCH = np.repeat([0, 1, 2], 4), np.tile(["a", "b"], 6)
BAD = {
    "confounded": (
        (X, CLASS, CLASS),
        r"join all of them; classes 1, 2 \(by number, in sorted order\) share no batch .* Drop",
    ),
    "one apart": ((X, CLASS, np.where(CLASS == 0, "z", BATCH)), "join all of them; classes 0 "),
    "no rows left": (
        (X[:4], [0, 0, 1, 1], [0, 1, 1, 2]),
        "by must leave rows .* 2 classes and 3 batches fit 4 of 4 rows",
    ),
    "one batch": ((X, CLASS, ["a"] * 12), "by must name two batches at least; got one"),
    "another length": ((X, CLASS, BATCH[:5]), r"by must be \(12,\).*got \(5,\)"),
    "a class of one": ((X, [0] * 11 + [1], BATCH), "two instances in each class"),
}


@pytest.mark.parametrize("case", BAD)
def test_layouts_that_tell_nothing_are_refused(case):
    (data, labels, by), match = BAD[case]
    with pytest.raises(ValueError, match=match):
        same_class(data, labels, by=by)


def test_replacement_and_tracing_are_refused():
    with pytest.raises(ValueError, match="distinct must be True with by"):
        same_class(X, CLASS, by=BATCH, distinct=False)
    with pytest.raises(ValueError, match="by must be concrete, and the data that it centres"):
        jax.jit(lambda x: same_class(x, CLASS, by=BATCH).shared)(X)
