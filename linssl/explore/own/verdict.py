"""The verdict on data in words: who is better, what is lost, and whether rows are enough."""

from typing import NamedTuple

import numpy as np

from linssl.diagnosis import rule
from linssl.diagnosis.estimates import Estimate
from linssl.diagnosis.measure import PARADIGMS
from linssl.diagnosis.phrases import HEADLINES, NAMES, headline_of, rounded, with_error
from linssl.explore.own.data import Ready
from linssl.explore.own.model import Numbers, dims_of, score
from linssl.explore.own.state import View
from linssl.explore.plain_numbers import plain

TOLERANCE = 0.1  # share of what all features tell above chance that may be lost, as for `diagnose`


class Verdict(NamedTuple):
    """A headline, a sentence for each paradigm, and remarks; plain text."""

    headline: str
    paradigms: dict[str, str]
    remarks: list[str]


def verdict(view: View, numbers: Numbers, ready: Ready) -> Verdict:
    """Put the numbers of a view in words."""
    setting = f"{view.family} {plain(view.strength)}, k = {view.dim}"
    remarks = [f"{view.family}: {ready.families[view.family].meaning}.", *ready.notes]
    if numbers.floored:
        remarks.append("Views got noise of 1/1000 of the mean variance, to be solved at all.")
    if numbers.scores is None:
        said = "Without labels nothing says which of the two keeps what matters. Name --labels."
        return Verdict(said, {}, remarks)
    at = ready.dims.index(view.dim)
    both = [score(numbers, p, at) for p in (0, 1)]
    features = with_error(*numbers.scores.of(len(numbers.scores.good) - 1))
    lines = {
        name: _line(e, numbers.more, p, at, ready)
        for p, (name, e) in enumerate(zip(PARADIGMS, both, strict=True))
    }
    remarks.insert(
        0,
        f"Held-out {metric(ready)} ± its standard error. All features, from all rows, have "
        f"{features}, nothing has {rounded(numbers.scores.chance, 3)}.",
    )
    return Verdict(f"{_headline(numbers, at, ready)} ({setting})", lines, remarks)


def metric(ready: Ready) -> str:
    """Name what is scored."""
    assert ready.targets is not None
    return "R²" if ready.targets.classes is None else "accuracy"


def _headline(numbers: Numbers, at: int, ready: Ready) -> str:
    """Decide by the rule of `diagnose`, and say it in its words."""
    scores = numbers.scores
    assert scores is not None
    je, rc, all_features = at, dims_of(numbers) + at, len(scores.good) - 1
    both = [scores.of(way).value for way in (je, rc)]
    arbitrary = [NAMES[name] for name, value in zip(PARADIGMS, both, strict=True) if value != value]
    if arbitrary:
        who = " and ".join(arbitrary)
        return f"{HEADLINES['undecided']}: scores tie at this k, so codes of {who} are arbitrary"
    difference, best = scores.difference(je, rc), scores.of(all_features)
    signal = best._replace(value=best.value - scores.chance)
    keeps_je, keeps_rc = (scores.margin(way, all_features, TOLERANCE) for way in (je, rc))
    found, _ = rule.verdict(difference, (keeps_je, keeps_rc), signal)
    said = headline_of(found, both, difference, metric(ready))
    if found != "undecided":
        return said
    if signal.sign < 1:
        return f"{said}: no linear probe predicts the labels"
    return f"{said}: either may be better by more than {rule.INDIFFERENT:g}"


def _line(e: Estimate, more: Numbers | None, p: int, at: int, ready: Ready) -> str:
    if not np.isfinite(e.value):
        return "is arbitrary here: its scores tie at the cut."
    if more is None:
        return f"{with_error(*e)}."
    other = score(more, p, at)
    said = f"{with_error(*e)}; from all {max(ready.parts):,} rows {with_error(*other)}"
    gain = Estimate(other.value - e.value, float(np.hypot(other.error, e.error)))
    return f"{said}: {'too few' if gain.sign > 0 else 'enough, within errors'}."
