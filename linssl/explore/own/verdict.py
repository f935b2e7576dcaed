"""The verdict on data in words: who is better, what is lost, and whether rows are enough."""

from typing import NamedTuple

import numpy as np

from linssl.diagnosis.estimates import SURE, Estimate
from linssl.diagnosis.measure import PARADIGMS
from linssl.explore.own.data import Ready
from linssl.explore.own.model import Numbers, dims_of, score
from linssl.explore.own.state import View
from linssl.explore.plain_numbers import percent, plain
from linssl.plotting import LABELS

INDIFFERENT = 0.01  # of accuracy or R²: no further apart, they are as good as each other
TOLERANCE = 0.1  # share of what all features tell above chance that may be lost

SAFE = "the safe choice: surely not worse"


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
    features = numbers.scores.of(len(numbers.scores.good) - 1)
    lines = {
        name: _line(e, numbers.more, p, at, ready)
        for p, (name, e) in enumerate(zip(PARADIGMS, both, strict=True))
    }
    kind = metric(ready)
    on_nothing = _value(numbers.scores.chance, ready)
    remarks.insert(
        0,
        f"Held-out {kind} ± its standard error. All features, from all rows, have "
        f"{told(features, ready)}, "
        f"nothing has {on_nothing}.",
    )
    return Verdict(f"{_headline(numbers, at, ready)} ({setting})", lines, remarks)


def metric(ready: Ready) -> str:
    """Name what is scored."""
    assert ready.targets is not None
    return "R²" if ready.targets.classes is None else "accuracy"


def told(e: Estimate, ready: Ready) -> str:
    """Write a metric with its error."""
    return f"{_value(e.value, ready)} ± {_value(e.error, ready)}"


def _value(value: float, ready: Ready) -> str:
    if metric(ready) == "R²":
        return plain(value, 2)
    return percent(value) if value < 0.1 else f"{100 * value:.1f} %"


def _headline(numbers: Numbers, at: int, ready: Ready) -> str:
    """Rank first; then ask what is lost."""
    scores = numbers.scores
    assert scores is not None
    arbitrary = [p for p in (0, 1) if not np.isfinite(score(numbers, p, at).value)]
    if arbitrary:
        names = " and ".join(LABELS[PARADIGMS[p]].lower() for p in arbitrary)
        return f"Scores tie at this k: the codes of {names} are arbitrary"
    je, rc, all_features = at, dims_of(numbers) + at, len(scores.good) - 1
    found = [scores.of(way) for way in (je, rc, all_features)]
    if all(e._replace(value=e.value - scores.chance).sign < 1 for e in found):
        return "Undecided: not even all features surely tell more than chance"
    difference = scores.difference(je, rc)
    margins = [scores.margin(way, all_features, TOLERANCE) for way in (je, rc)]
    ahead = {1: (0,), -1: (1,), 0: (0, 1)}[difference.sign]
    if all(margins[p].sign < 0 for p in ahead):
        better = f", though {LABELS[PARADIGMS[ahead[0]]].lower()} is better" * (len(ahead) == 1)
        return f"Neither keeps what all features tell{better}"
    apart, error = difference
    safe = apart - SURE * error >= -INDIFFERENT, apart + SURE * error <= INDIFFERENT
    if all(safe):
        return "Either: the choice doesn't matter here"
    if any(safe):
        name = LABELS[PARADIGMS[0 if safe[0] else 1]]
        return f"{name} is {f'better by {_gap(apart, ready)}' if difference.sign else SAFE}"
    return "Undecided: the difference is within its error"


def _gap(apart: float, ready: Ready) -> str:
    """Write a difference of the metric."""
    if metric(ready) == "R²":
        return f"{plain(abs(apart), 2)} of R²"
    return f"{100 * abs(apart):.1f} points"


def _line(e: Estimate, more: Numbers | None, p: int, at: int, ready: Ready) -> str:
    if not np.isfinite(e.value):
        return "is arbitrary here: its scores tie at the cut."
    if more is None:
        return f"{told(e, ready)}."
    other = score(more, p, at)
    said = f"{told(e, ready)}; from all {max(ready.parts):,} rows {told(other, ready)}"
    gain = Estimate(other.value - e.value, float(np.hypot(other.error, e.error)))
    return f"{said}: {'too few' if gain.sign > 0 else 'enough, within errors'}."
