"""The rule as a function of numbers: ranks first, and asks then what is lost."""

import itertools

import numpy as np
import pytest

from linssl.diagnosis.estimates import Estimate
from linssl.diagnosis.rule import INDIFFERENT, verdict
from linssl.diagnosis.scores import SHARED, Scores

SEEN = Estimate(0.5, 0.01)  # the best probe, above chance
KEPT, LOST, UNSURE = Estimate(0.1, 0.01), Estimate(-0.1, 0.01), Estimate(0.01, 0.02)
ERRORS = (0.0, 0.001, 0.004, 0.006, 0.1)
GRID = [
    # As they come: margins differ by the difference, and no error is above the sum of the others.
    (Estimate(apart, e), (Estimate(margin + apart, je), Estimate(margin, rc)))
    for apart in (-0.3, -0.02, -0.008, 0.0, 0.004, 0.012, 0.3)
    for margin in (-0.1, -0.01, 0.01, 0.1)
    for e, je, rc in itertools.product(ERRORS, repeat=3)
    if 2 * max(e, je, rc) <= e + je + rc
]


@pytest.mark.parametrize(
    ("difference", "margins", "said"),
    [
        ((0.86, 0.004), (KEPT, LOST), "joint_embedding"),
        ((0.3, 0.1), (UNSURE, LOST), "joint_embedding"),  # better for sure: what it loses isn't
        ((0.3, 0.1), (KEPT, KEPT), "joint_embedding"),
        ((0.3, 0.1), (LOST, LOST), "neither"),
        ((0.0, 0.1), (LOST, LOST), "neither"),  # whichever is better
        ((-0.3, 0.1), (LOST, KEPT), "reconstruction"),
        ((0.0, 0.0), (KEPT, KEPT), "either"),
        ((0.002, 0.003), (KEPT, KEPT), "either"),
        ((0.002, 0.003), (UNSURE, UNSURE), "either"),
        ((0.004, 0.005), (KEPT, KEPT), "joint_embedding"),  # a tie or better: right in both cases
        ((0.004, 0.02), (KEPT, KEPT), "undecided"),
        ((0.3, np.inf), (KEPT, KEPT), "undecided"),
    ],
)
def test_the_better_one_unless_it_is_lost(difference, margins, said):
    assert verdict(Estimate(*difference), margins, SEEN)[0] == said


def test_nothing_is_recommended_where_nothing_is_seen():
    assert verdict(Estimate(0.3, 0.01), (KEPT, LOST), Estimate(0.01, 0.01))[0] == "undecided"


def test_swapping_the_paradigms_swaps_the_answer():
    other = {"joint_embedding": "reconstruction", "reconstruction": "joint_embedding"}
    for difference, (je, rc) in GRID:
        said = verdict(difference, (je, rc), SEEN)[0]
        turned = verdict(difference._replace(value=-difference.value), (rc, je), SEEN)[0]
        assert turned == other.get(said, said)


def test_more_accuracy_never_turns_the_answer_against_a_paradigm():
    order = {"reconstruction": 0, "either": 1, "undecided": 1, "joint_embedding": 2}
    for difference, (je, rc) in GRID:
        before = verdict(difference, (je, rc), SEEN)[0]
        for more in (0.001, 0.01, 0.1, 1):
            raised = je._replace(value=je.value + more)
            after = verdict(difference._replace(value=difference.value + more), (raised, rc), SEEN)[
                0
            ]
            if "neither" not in (before, after):
                assert order[after] >= order[before]
            assert not (before == "joint_embedding" and after == "neither")


def test_what_is_recommended_is_never_worse_by_more_than_what_does_not_matter():
    for difference, margins in GRID:
        said = verdict(difference, margins, SEEN)[0]
        worst = 2 * difference.error - difference.value * (-1 if said == "reconstruction" else 1)
        if said in ("joint_embedding", "reconstruction"):
            assert worst <= INDIFFERENT


def test_samples_that_would_decide_do():
    for difference, margins in GRID:
        said, deciding = verdict(difference, margins, SEEN)
        if said == "undecided":
            assert deciding is not None
            times = (2 * deciding.error / deciding.value) ** 2
            assert times > 1
            enough = difference._replace(error=difference.error / np.sqrt(1.01 * times))
            assert verdict(enough, margins, SEEN)[0] != "undecided"


def test_scores_of_folds_are_accuracies_and_differences_pair_them():
    rng = np.random.default_rng(0)
    size = rng.integers(30, 40, 16).astype(float)
    hard = rng.uniform(0.5, 0.9, 16)  # folds are hard for both alike
    scores = Scores(np.stack([size * hard, size * (hard - 0.1), size * 0.95]), size, 0.0, 0.25)
    assert scores.of(0).value == pytest.approx(np.sum(size * hard) / size.sum())
    assert scores.difference(0, 1).value == pytest.approx(0.1)
    assert scores.difference(0, 1).error == pytest.approx(0, abs=1e-12)
    assert scores.of(0).error > 0.01
    margin = scores.margin(0, 2, 0.1)
    assert margin.value == pytest.approx(scores.value[0] - 0.25 - 0.9 * (0.95 - 0.25))
    even = Scores(np.array([hard]), np.ones(16), 0.0, 0.25).of(0)
    assert even.error == pytest.approx(SHARED * hard.std(ddof=1) / 4)
