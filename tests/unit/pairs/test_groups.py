"""What makes no groups, and the words that say so."""

import jax
import numpy as np
import pytest

from linssl.pairs import class_tuples, groups

N, D = 12, 3


@pytest.mark.parametrize(
    ("x", "match"),
    [
        ([np.ones((2, D)), np.ones((3, D))], r"groups of one shape \(J, d\); got \(2, 3\) and"),
        (np.ones((4, D)), r"x must be \(n, J, d\), n groups of J views; got shape \(4, 3\)"),
        (np.ones((4, 1, D)), "x must have J >= 2 views a group"),
        (np.full((4, 2, D), np.nan), "x must be finite"),
    ],
)
def test_what_are_no_groups_is_refused(x, match):
    with pytest.raises(ValueError, match=match):
        groups(x)


def test_ragged_groups_are_refused_with_the_reason():
    with pytest.raises(ValueError, match=r"for one J alone\. Fit each size apart"):
        groups([np.ones((2, D)), np.ones((3, D))])


@pytest.mark.parametrize(
    ("labels", "group_size", "match"),
    [
        ([0, 1], 2, r"labels must be \(4,\), one for each instance; got \(2,\)"),
        ([0, 1, 2, 3], 2, "labels must have a class of 2 instances or more; the largest has 1"),
        ([0, 0, 1, 1], 1, "group_size must be a whole number >= 2; got 1"),
    ],
)
def test_labels_that_make_no_tuples_are_refused(labels, group_size, match):
    with pytest.raises(ValueError, match=match):
        class_tuples(np.ones((4, D)), labels, group_size, jax.random.key(0))
