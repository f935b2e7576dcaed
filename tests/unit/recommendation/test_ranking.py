"""The rule, on scores that are made up: nothing is compiled."""

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from linssl.diagnosis.estimates import Estimate
from linssl.diagnosis.scores import Scores
from linssl.recommendation.evaluate import Choice, Grid
from linssl.recommendation.ranking import honest, interval, rank

FOLDS, ROWS = 16, 100


def grid(*hits, chance=0.2, ranked=None):
    """Choices of both paradigms in turn, with shares of hits in each fold."""
    good = ROWS * np.array([np.broadcast_to(h, FOLDS) for h in hits], float)
    paradigms = ["joint_embedding", "reconstruction"] * len(hits)
    ranked = [True] * len(hits) if ranked is None else ranked
    choices = [
        Choice(paradigms[i], "noise", i, 0.0, 2, f"noise:{i}", ranked[i]) for i in range(len(hits))
    ]
    scores = Scores(good, np.full(FOLDS, float(ROWS)), 0.0, chance)
    return Grid(choices, scores, scores._replace(good=good[:1]), [], [], FOLDS * ROWS)


NOISE = np.random.default_rng(0).standard_normal((2, FOLDS))


def test_a_lead_of_more_than_two_errors_and_a_point_is_the_answer():
    found = rank(grid(0.9 + 0.01 * NOISE[0], 0.8 + 0.01 * NOISE[1]))
    assert found.answer == "joint_embedding"
    assert found.chosen == 0
    assert found.tie == [0]


def test_a_lead_of_less_than_a_point_is_a_tie_however_sure_it_is():
    found = rank(grid(0.900, 0.905))
    assert found.answer == "either"
    assert found.chosen == 1
    assert found.tie == [1, 0]


def test_equals_give_the_first():
    assert rank(grid(0.9, 0.9)).chosen == 0


def test_what_may_cost_more_than_a_point_is_undecided_and_says_how_many_samples_decide():
    found = rank(grid(0.8 + 0.1 * NOISE[0], 0.8 + 0.1 * NOISE[1]))
    assert found.answer == "undecided"
    d, s = abs(found.difference.value), found.difference.error
    assert found.samples == pytest.approx((1.645 * s / (d + 0.01)) ** 2)
    assert found.samples > 1


def test_codes_that_tell_nothing_are_undecided():
    found = rank(grid(0.2 + 0.02 * NOISE[0], 0.1, chance=0.2))
    assert found.answer == "undecided"


def test_one_paradigm_that_could_be_judged_is_the_answer():
    alone = grid(0.9, 0.8)
    alone = alone._replace(
        choices=alone.choices[:1], scores=alone.scores._replace(good=alone.scores.good[:1])
    )
    found = rank(alone)
    assert found.answer == "joint_embedding"
    assert found.difference is None


def test_strengths_that_are_only_shown_are_never_chosen():
    found = rank(grid(0.8, 0.7, 0.95, 0.99, ranked=[True, True, False, False]))
    assert found.chosen == 0
    assert found.tie == [0]


def test_choosing_the_best_of_many_equals_is_worth_what_each_is():
    rng = np.random.default_rng(1)
    many, flattered, told = 200, [], []
    for _ in range(100):
        good = rng.binomial(ROWS, 0.7, (many, FOLDS)).astype(float)
        scores = Scores(good, np.full(FOLDS, float(ROWS)), 0.0, 0.0)
        flattered.append(scores.value.max())
        told.append(honest(scores, np.arange(many)).sum() / (FOLDS * ROWS))
    error = np.std(told) / 10
    assert abs(np.mean(told) - 0.7) < 4 * error
    assert np.mean(flattered) - 0.7 > 20 * error


def test_an_interval_reaches_below_the_choice_and_above_the_setting():
    found = grid(0.83 + 0.02 * NOISE[0], 0.5)
    plain = found.scores.of(0)
    low, high = interval(found, 0, Estimate(0.8, 0.01))
    assert low == pytest.approx(0.8 - 2 * 0.01)
    assert high == pytest.approx(plain.value + 2 * plain.error)


def test_all_right_isnt_certain():
    n = FOLDS * ROWS
    low, high = rank(grid(1.0, 0.5)).interval
    wilson = binomtest(n, n).proportion_ci(2 * norm.cdf(2) - 1, "wilson")
    assert low == pytest.approx(wilson.low, abs=1e-9)
    assert high == 1
    squares = grid(0.0, -0.5)  # R² of 1: there folds say it all
    squares = squares._replace(scores=squares.scores._replace(offset=1.0, chance=0.0))
    assert rank(squares).interval == (1, 1)
