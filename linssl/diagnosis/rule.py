"""The rule: from what each paradigm does for the task, and its error, to a recommendation."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from linssl.diagnosis.attempt import Attempt
from linssl.diagnosis.estimates import SURE, Estimate, estimate
from linssl.diagnosis.facts import Recommendation
from linssl.diagnosis.held_out import HeldOut
from linssl.diagnosis.measure import PARADIGMS, Measured

HALF = 0.5  # of a direction: what counts as one lost
INDIFFERENT = 0.01  # of accuracy or R²: paradigms no further apart are as good as each other


class Compared(NamedTuple):
    """The task's own metric of both paradigms, on samples that nothing was learnt from.

    Args:
        both: of joint embedding and of reconstruction.
        difference: by how much joint embedding is better, on the same samples.
        margins: by how much each keeps all but the tolerated share of what the best probe has.
        best: of the best linear probe on all features.
        signal: by how much that is above chance.
        chance: what a probe on nothing has.
    """

    both: tuple[Estimate, Estimate]
    difference: Estimate
    margins: tuple[Estimate, Estimate]
    best: Estimate
    signal: Estimate
    chance: float


class Judgement(NamedTuple):
    """What was decided, and by which numbers."""

    recommendation: Recommendation
    kept: tuple[Estimate, Estimate]
    margins: tuple[Estimate, Estimate]
    ceiling: Estimate | None
    apart: Estimate
    better: str | None
    deciding: Estimate | None  # what is to be told from 0, where that is undecided
    compared: Compared | None = None  # with labels


def judge(attempt: Attempt, tolerance: float, named: bool) -> Judgement:
    """Apply the rule that `diagnose` documents.

    Args:
        attempt: what all samples say, what each half of them says, and the held-out metric.
        tolerance: share of what the best probe has above chance that may be lost.
        named: whether labels or the augmentation name what is irrelevant.

    Source: derived (the rule).
    """
    if attempt.held_out is None:
        return _by_nuisance(attempt, named)
    return _by_metric(attempt, attempt.held_out, tolerance)


def verdict(
    difference: Estimate, margins: tuple[Estimate, Estimate], signal: Estimate
) -> tuple[Recommendation, Estimate | None]:
    r"""Rank first, then ask what is lost; and say which number decides, where none does.

    With the difference $\Delta$ of joint embedding to reconstruction, its error e and the
    indifference I, joint embedding is safe if $\Delta - 2 e \ge -I$, reconstruction if
    $\Delta + 2 e \le I$: it surely isn't worse by more than I, whatever $\Delta$ turns out to be.
    One safe: that one; both: either; none: undecided. Where the better one, or if that isn't known
    each of them, surely loses the signal: neither.

    Args:
        difference: $\Delta$ and e.
        margins: by how much each paradigm keeps the signal.
        signal: by how much the best probe is above chance.

    Source: derived (the rule).
    """
    if signal.sign < 1:
        return "undecided", signal  # nothing to be kept
    ahead = {1: (0,), -1: (1,), 0: (0, 1)}[difference.sign]
    if all(margins[p].sign < 0 for p in ahead):
        return "neither", None
    apart, error = difference
    safe = apart - SURE * error >= -INDIFFERENT, apart + SURE * error <= INDIFFERENT
    if any(safe):
        return "either" if all(safe) else PARADIGMS[0 if safe[0] else 1], None
    return "undecided", Estimate(abs(apart) + INDIFFERENT, error)


def _by_metric(attempt: Attempt, told: HeldOut, tolerance: float) -> Judgement:
    """Judge by the held-out metric; where codes tie, by what all choices among them agree on."""
    whole, parts = attempt.full, attempt.parts
    options = [
        [told.extreme(p, c) for c in (0, 1)] if tie else [told.codes(p)]
        for p, tie in enumerate(attempt.tied)
    ]
    ways = [compare(told, je, rc, tolerance) for je, rc in product(*options)]
    found = [(verdict(way.difference, way.margins, way.signal), way) for way in ways]
    known = all(k or not tie for k, tie in zip(told.known, attempt.tied, strict=True))
    agreed = known and len({recommendation for (recommendation, _), _ in found}) == 1
    at = min(range(len(ways)), key=lambda i: abs(ways[i].difference.value))
    (recommendation, deciding), way = found[at]
    kept = [_estimated(whole, parts, lambda m, p=p: m.kept[p, 0]) for p in (0, 1)]
    if any(attempt.tied) and agreed and recommendation != "undecided":
        chosen = list(product(*(range(len(o)) for o in options)))[at]
        for p in np.flatnonzero(attempt.tied):
            kept[p] = _estimated(whole, parts, lambda m, p=p: m.choices[p, chosen[p]])
    elif any(attempt.tied):
        kept = _arbitrary(kept, attempt.tied)
        way = compare(told, told.codes(0), told.codes(1), tolerance)
        way = way._replace(
            both=_arbitrary(way.both, attempt.tied),
            margins=_arbitrary(way.margins, attempt.tied),
            difference=way.difference._replace(error=np.inf),
        )
        recommendation, deciding = verdict(way.difference, way.margins, way.signal)
    return Judgement(
        recommendation,
        (kept[0], kept[1]),
        way.margins,
        _estimated(whole, parts, lambda m: m.ceiling[0]),
        _apart(attempt),
        _ahead(way.difference.sign),
        deciding,
        way,
    )


def compare(told: HeldOut, je: int, rc: int, tolerance: float) -> Compared:
    """Compare two choices, of joint embedding and of reconstruction, by the task's own metric."""
    scores, best = told.scores, told.scores.of(told.best)
    return Compared(
        (scores.of(je), scores.of(rc)),
        scores.difference(je, rc),
        (scores.margin(je, told.best, tolerance), scores.margin(rc, told.best, tolerance)),
        best,
        best._replace(value=best.value - scores.chance),
        scores.chance,
    )


def _by_nuisance(attempt: Attempt, named: bool) -> Judgement:
    """Judge by the directions of the codes that the augmentation names irrelevant."""
    whole, parts, tied = attempt.full, attempt.parts, attempt.tied
    kept = _arbitrary([_estimated(whole, parts, lambda m, p=p: m.kept[p, 0]) for p in (0, 1)], tied)
    for p in np.flatnonzero(np.array(tied) & named):
        nearest = _nearest_choice(whole, parts, int(p))
        kept = (kept[0], nearest or kept[1]) if p else (nearest or kept[0], kept[1])
    je, rc = (e._replace(value=HALF - e.value) for e in kept)
    difference = _estimated(whole, parts, lambda m: m.kept[1, 0] - m.kept[0, 0])  # less is better
    apart = _apart(attempt)
    if any(tied):
        difference = difference._replace(error=np.inf)
    if named:
        recommendation, deciding = _of_margins((je, rc))
    else:
        agree = Estimate(HALF - apart.value, apart.error)
        recommendation, deciding = ("either", None) if agree.sign > 0 else ("undecided", agree)
        deciding = None if agree.sign else deciding  # they do differ: samples don't help
    better = _ahead(difference.sign)
    return Judgement(recommendation, kept, (je, rc), None, apart, better, deciding)


def _nearest_choice(whole: Measured, parts: list[Measured], p: int) -> Estimate | None:
    """Return how much of the nuisance a paradigm has by that choice among tied codes that is
    nearest to the edge; None where choices have different verdicts, or none for sure.
    """
    found = [_estimated(whole, parts, lambda m, c=c: m.choices[p, c]) for c in (0, 1)]
    signs = {e._replace(value=HALF - e.value).sign for e in found if np.isfinite(e.error)}
    one = len(signs) == 1 and 0 not in signs and all(np.isfinite(e.error) for e in found)
    return min(found, key=lambda e: abs(HALF - e.value)) if one else None


def _of_margins(margins: tuple[Estimate, ...]) -> tuple[Recommendation, Estimate | None]:
    je, rc = (m.sign for m in margins)
    if je == 0 or rc == 0:
        unsure = [m for m in margins if m.sign == 0]
        return "undecided", max(unsure, key=lambda m: m.error / max(abs(m.value), 1e-300))
    if je == rc:
        return ("either" if je > 0 else "neither"), None
    return ("joint_embedding" if je > 0 else "reconstruction"), None


def _ahead(sign: int) -> str | None:
    return {1: PARADIGMS[0], -1: PARADIGMS[1], 0: None}[sign]


def _apart(attempt: Attempt) -> Estimate:
    apart = _estimated(attempt.full, attempt.parts, lambda m: m.apart)
    return apart._replace(error=np.inf) if any(attempt.tied) else apart


def _estimated(
    whole: Measured, parts: list[Measured], value: Callable[[Measured], Any]
) -> Estimate:
    return estimate(float(value(whole)), [float(value(m)) for m in parts])


def _arbitrary(both: Sequence[Estimate], tied: tuple[bool, bool]) -> tuple[Estimate, Estimate]:
    """Return both, without an error where the codes are arbitrary."""
    je, rc = (e._replace(error=np.inf) if t else e for e, t in zip(both, tied, strict=True))
    return je, rc
