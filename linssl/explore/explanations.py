"""The verdict in words: who keeps the signal, what it would take, and from how many pairs."""

import math
from typing import NamedTuple

import numpy as np

from linssl.explore.model import OBJECTIVES, SIZES, Numbers
from linssl.explore.plain_numbers import LEAST, percent, plain
from linssl.explore.state import View
from linssl.plotting import LABELS

REGIMES = {
    (True, True): "Both keep the signal",
    (True, False): "Only joint embedding keeps the signal",
    (False, True): "Only reconstruction keeps the signal",
    (False, False): "Neither keeps the signal",
}


class Verdict(NamedTuple):
    """A headline, a sentence for each objective, and remarks; plain text."""

    headline: str
    objectives: dict[str, str]
    remarks: list[str]


def keeps(view: View, numbers: Numbers) -> tuple[bool, bool]:
    r"""Return whether $\alpha^2$ exceeds each objective's unclipped square.

    Source: JEvRC, section 4.
    """
    je, rc = (bool(view.alpha**2 > square) for square in numbers.squares)
    return je, rc


def enough(view: View, numbers: Numbers) -> tuple[bool, bool]:
    """Return whether n pairs lose less than half a signal direction, in the mean over seeds."""
    cut = 0.5 / min(view.dim, view.signals)
    je, rc = (bool(lost < cut) for lost in numbers.distance[:, -1])
    return je, rc


def verdict(view: View, numbers: Numbers) -> Verdict:
    """Put the numbers of a view in words."""
    limit, now = keeps(view, numbers), enough(view, numbers)
    headline = REGIMES[limit]
    failing = [LABELS[o].lower() for o, a, b in zip(OBJECTIVES, limit, now, strict=True) if a > b]
    if failing:
        headline += f", but n = {view.n:,} is too few for {' and '.join(failing)}"
    sentences = {name: _sentence(i, view, numbers) for i, name in enumerate(OBJECTIVES)}
    return Verdict(f"{headline}.", sentences, _remarks(view, numbers))


def _sentence(i: int, view: View, numbers: Numbers) -> str:
    """One objective: its threshold, what it loses for infinitely many pairs, and from n."""
    square, kept = float(numbers.squares[i]), keeps(view, numbers)[i]
    needed = math.sqrt(max(square, 0))
    if square < 0:
        above = "keeps it at every α"
    elif kept:
        above = f"keeps it: α = {plain(view.alpha)} is above {plain(needed)}"
    else:
        above = f"loses it: α = {plain(view.alpha)} is below {plain(needed)}"
    lost, error = numbers.distance[i, -1], numbers.error[i, -1]
    found = f"{above}. Lost from n = {view.n:,} pairs: {percent(lost)}"
    found += f" ± {percent(error)}" if error >= LEAST else ""
    if not kept:
        return f"{found}; from infinitely many pairs: {percent(numbers.limit[i])}."
    cut = 0.5 / min(view.dim, view.signals)
    below = numbers.distance[i, :-1] < cut
    first = int(np.argmin(below[::-1])) if not below.all() else below.size
    if first and not lost < cut:
        return f"{found}; about {_round(SIZES[below.size - first])} are enough."
    return f"{found}."


def _remarks(view: View, numbers: Numbers) -> list[str]:
    """What the pairing, the embedding dimension and AdaSSL's latent do."""
    remarks = []
    if view.dim < view.signals:
        remarks.append(f"k = {view.dim} of {view.signals} signals: the strongest count.")
    elif view.dim > view.signals:
        spare = min(view.dim - view.signals, view.noises)
        remarks.append(f"k = {view.dim} leaves room for {spare} of {view.noises} noise directions.")
    if view.fraction > 0:
        parts = []
        for name, critical in zip(OBJECTIVES, numbers.fractions, strict=True):
            word = "more" if view.fraction > critical else "less"
            parts.append(f"{word} than the {critical:.2f} that {LABELS[name].lower()} needs")
        said = " and ".join(parts)
        remarks.append(
            f"Pairs of one class: p = {plain(view.fraction)} is {said} to do without alignment."
        )
    if view.beta < 1:
        k = min(view.dim, len(numbers.lifted))
        lifted = int(np.sum(numbers.lifted[:k] > numbers.scores[0, :k] + 1e-12))
        remarks.append(
            f"A hint at β = {plain(view.beta)} a nat (AdaSSL) lifts {lifted} of the {k} kept "
            f"directions to {math.sqrt(1 - view.beta):.2f}, for {numbers.rate:.2f} nats. It "
            "changes their weights, not which are kept."
        )
    return remarks


def _round(size: float) -> str:
    """Write a number of pairs with two digits."""
    return plain(float(f"{size:.2g}"))
