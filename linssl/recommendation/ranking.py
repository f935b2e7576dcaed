r"""The rule: from what every setting scores, to one that is recommended, and how sure that is.

What is compared is the task's own metric on rows unseen, and its paired difference. Settings that
aren't surely worse than the best (two standard errors, or one point) tie with it. Choosing the best
of many flatters it: what is reported is what the choice scores on blocks it wasn't made on. That
counts choices that fewer rows got wrong too, and so errs on the low side, as the other does on the
high side: an interval reaches from below the one to above the other.
"""

from typing import Literal, NamedTuple

import numpy as np

from linssl.diagnosis.estimates import SURE, Estimate
from linssl.diagnosis.measure import PARADIGMS
from linssl.diagnosis.scores import Scores
from linssl.recommendation.evaluate import Grid
from linssl.recommendation.parts import ALL, BLOCKS

INDIFFERENT = 0.01  # of accuracy or R²: one point
# What `Scores` widens errors by already holds what folds share and what there being but 16 of them
# adds, so quantiles here are those of a normal law, not of a Student's t: `SURE` for two sides of
# 95 %, and for what could be lost, a question of one side,
LIKELY = 1.645
WRONG = 4  # units more: an accuracy of 1 has no error over folds, yet isn't known to be 1
Answer = Literal["joint_embedding", "reconstruction", "either", "undecided"]


class Ranking(NamedTuple):
    """What the rule says.

    Args:
        answer: the paradigm, "either" or "undecided".
        chosen: the setting that is recommended, by number.
        value: what the choice scores on rows it wasn't made on.
        interval: of 95 %, of what the setting scores on rows unseen.
        by_paradigm: the best of each, by number, and what that choice scores.
        difference: joint embedding's less reconstruction's; None where just one could be judged.
        tie: settings that aren't surely worse than the best, best first.
        informed: how far the choice is above chance.
        samples: about how many would settle what is undecided, as a multiple of those there are.
    """

    answer: Answer
    chosen: int
    value: Estimate
    interval: tuple[float, float]
    by_paradigm: dict[str, tuple[int, Estimate]]
    difference: Estimate | None
    tie: list[int]
    informed: Estimate
    samples: float | None


def rank(grid: Grid) -> Ranking:
    r"""Apply the rule.

    With $\hat d$ the better paradigm's lead and s its error: it is the answer where
    $\hat d > 2 s$ and $\hat d$ is more than a point; else "either" where it isn't likely that more
    than a point is lost by taking it, $1.645 s - \hat d \le 0.01$; else "undecided", until
    $n (1.645 s / (\hat d + 0.01))^2$ samples. Also undecided where codes tell nothing for sure.

    Source: derived (the rule).
    """
    scores = grid.scores
    ranked = np.array([c.ranked for c in grid.choices])
    of = {p: np.flatnonzero(ranked & [c.paradigm == p for c in grid.choices]) for p in PARADIGMS}
    of = {p: which for p, which in of.items() if which.size}
    good = {p: honest(scores, which) for p, which in of.items()}
    best = {p: (best_of(scores, which), _alone(scores, good[p])) for p, which in of.items()}
    difference = None
    if len(of) == 2:
        pair = scores._replace(good=np.stack([good[p] for p in PARADIGMS]))
        difference = pair.difference(0, 1)
    answer, samples = _verdict(difference, next(iter(of)))
    ahead = max(best, key=lambda p: best[p][1].value)  # of equals joint embedding, the first
    chosen, everything = best[ahead][0], np.flatnonzero(ranked)
    value = best[ahead][1] if answer in best else _alone(scores, honest(scores, everything))
    informed = value._replace(value=value.value - scores.chance)
    if informed.sign < 1:
        answer, samples = "undecided", _more(informed)
    tie = _tie(scores, everything)
    reach = interval(grid, chosen, value)
    return Ranking(answer, chosen, value, reach, best, difference, tie, informed, samples)


def interval(grid: Grid, chosen: int, value: Estimate) -> tuple[float, float]:
    r"""Return from below what the choice scores, on blocks it wasn't made on, to above what the
    setting scores on all of them.

    Two errors to each side; an accuracy a of n units reaches down to $n a / (n + 4)$ at least,
    which is Wilson's interval where all are right.

    Source: derived (the rule); Wilson1927.
    """
    plain, n = grid.scores.of(chosen), grid.units
    low = value.value - SURE * value.error
    if grid.scores.offset == 0:  # of classes
        low = min(low, value.value * n / (n + WRONG))
    return low, max(value.value + SURE * value.error, plain.value + SURE * plain.error)


def best_of(scores: Scores, which: np.ndarray) -> int:
    """Return the best of some settings: of equals the first, which has the fewest codes."""
    return int(which[np.argmax(scores.value[which])])


def honest(scores: Scores, which: np.ndarray) -> np.ndarray:
    """Return what choosing the best scores, (16,): in each block, that which is best in the others.

    Source: derived (nested cross-fitting).
    """
    found = np.zeros(len(ALL))
    for b in range(BLOCKS):
        here = b == ALL % BLOCKS
        best = which[np.argmax(scores.good[which][:, ~here].sum(1))]
        found[here] = scores.good[best, here]
    return found


def _alone(scores: Scores, good: np.ndarray) -> Estimate:
    return scores._replace(good=good[None]).of(0)


def _verdict(difference: Estimate | None, only: str) -> tuple[Answer, float | None]:
    if difference is None:
        return ("joint_embedding" if only == PARADIGMS[0] else "reconstruction"), None
    lead, error = abs(difference.value), difference.error
    if lead > max(SURE * error, INDIFFERENT):
        return ("joint_embedding" if difference.value > 0 else "reconstruction"), None
    if LIKELY * error - lead <= INDIFFERENT:
        return "either", None
    return "undecided", (LIKELY * error / (lead + INDIFFERENT)) ** 2


def _more(e: Estimate) -> float | None:
    """Return how many times as many samples would tell a number from 0; None where none would."""
    return (SURE * e.error / e.value) ** 2 if e.value > 0 else None


def _tie(scores: Scores, which: np.ndarray) -> list[int]:
    top = best_of(scores, which)
    lag = [scores.difference(top, int(c)) for c in which]
    same = [
        c for c, e in zip(which, lag, strict=True) if e.value <= max(SURE * e.error, INDIFFERENT)
    ]
    return sorted(map(int, same), key=lambda c: (-scores.value[c], c))
