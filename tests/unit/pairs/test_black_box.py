"""Views that misbehave, and the words that say so."""

import jax
import numpy as np
import pytest

from linssl.pairs import estimate_pair

D, N = 3, 60
DATA = np.random.default_rng(0).standard_normal((N, D)) * [2.0, 1.0, 0.5] + [3.0, 0.0, -1.0]


class HalfTensor:
    """A tensor of numbers that numpy doesn't have."""

    def detach(self):
        return self

    def cpu(self):
        return self

    def __array__(self, dtype=None, copy=None):
        raise TypeError("Got unsupported ScalarType BFloat16")


shrinking = iter(range(10**6))
BAD = {
    "shapes differ": (lambda: estimate_pair(lambda x: np.ones(2 + next(shrinking) % 2), DATA),
                      r"view must return arrays of one shape; got \[2, 3\] values"),
    "shapes differ later": (
        lambda: estimate_pair(lambda x: np.ones(3 if x[0] == DATA[0, 0] else 2), DATA),
        "arrays of one shape",
    ),
    "NaN": (lambda: estimate_pair(lambda x: x * np.nan, DATA), "got NaN or inf for instance 0"),
    "text": (lambda: estimate_pair(lambda x: "x", DATA), "must return an array of real numbers"),
    "nothing": (lambda: estimate_pair(lambda x: None, DATA), "real numbers; got NoneType"),
    "one view": (lambda: estimate_pair(lambda x: x, DATA, 1), "must be a whole number >= 2"),
    "few": (lambda: estimate_pair(lambda x: x, DATA[:19]), "n >= 20; got float64 of shape"),
    "masked": (
        lambda: estimate_pair(lambda x: x, np.ma.masked_less(DATA, 0)), "no masked entries"
    ),
    "complex": (
        lambda: estimate_pair(lambda k, x: x.astype(complex), DATA, 2, jax.random.key(0)),
        "array of real",
    ),
    "no tensor": (
        lambda: estimate_pair(lambda x: HalfTensor(), DATA),
        "real numbers; got HalfTensor: Got unsupported ScalarType BFloat16",
    ),
    "ragged": (lambda: estimate_pair(lambda x: [[1.0], [1.0, 2.0]], DATA), "numbers; got list: "),
    "one of a block": (
        lambda: estimate_pair(lambda x: x[0], DATA, batched=True),
        r"as many views as it gets instances, with batched=True; got shape \(3,\) of 8",
    ),
    "a number of a block": (
        lambda: estimate_pair(lambda x: x.mean(), DATA, batched=True), r"got shape \(\) of 8"
    ),
    "shapes differ in blocks": (
        lambda: estimate_pair(lambda x: np.ones((len(x), 2 + next(shrinking) % 2)), DATA,
                              batched=True), r"arrays of one shape; got \[2, 3\] values"
    ),
    "NaN in a block": (
        lambda: estimate_pair(lambda x: np.where(x == DATA[7, 1], np.nan, x), DATA, batched=True),
        "got NaN or inf for instance 7",
    ),
    "a key for blocks": (
        lambda: estimate_pair(lambda k, x: x, DATA, 2, jax.random.key(0), batched=True),
        "batched is for a view without a key",
    ),
    "NaN data": (lambda: estimate_pair(lambda x: x, DATA * np.nan), "data must be finite; got 180"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_views_that_misbehave_are_named(case):
    call, match = BAD[case]
    with pytest.raises(ValueError, match=match):
        call()
