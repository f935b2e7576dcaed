"""What the explorer of data shows, as a name and three numbers; and the same as an address.

As for the model, an address is anybody's text: what can't be shown is replaced, and told.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from linssl.explore.own.data import Ready
from linssl.explore.plain_numbers import plain
from linssl.explore.state import MOST_NOTES, clipped

ABOUT = {
    "family": "How views differ: what you would do to your data as augmentation.",
    "strength": "How strong it is, in the unit that stands below.",
    "dim": "Embedding dimension: how many codes are learnt.",
    "n": "How many random rows are learnt from. Scores are always of rows that weren't.",
}


@dataclasses.dataclass(frozen=True)
class View:
    """One setting.

    Args:
        family: name of an augmentation.
        strength: of it.
        dim: k.
        n: rows that are learnt from.
    """

    family: str
    strength: float
    dim: int
    n: int


def default(ready: Ready) -> View:
    """Return what is shown first: the first family, a middle strength, a code less than classes."""
    family, targets = next(iter(ready.families)), ready.targets
    wanted = 8 if targets is None else max(targets.size - (targets.classes is not None), 1)
    dim = min(ready.dims, key=lambda k: abs(k - wanted))
    return View(family, middle(ready, family), dim, max(ready.parts))


def middle(ready: Ready, family: str) -> float:
    """Return a strength in the middle of those of a family."""
    steps = ready.steps(family)
    return steps[len(steps) // 2]


def to_query(view: View, ready: Ready) -> dict[str, str]:
    """Write a view as the query of an address."""
    if view == default(ready):
        return {}
    return {name: f"{value:.10g}" if isinstance(value, int | float) else value
            for name, value in dataclasses.asdict(view).items()}  # fmt: skip


def from_query(query: Mapping[str, str | list[str]], ready: Ready) -> tuple[View, list[str]]:
    """Read a view from the query of an address, which may hold anything.

    Returns:
        The nearest view that can be shown, and a sentence for each text that was changed.
    """
    last = {k: str(v[-1] if isinstance(v, list) and v else v) for k, v in query.items()}
    first, notes = default(ready), []
    family = last.pop("family", first.family)
    if family not in ready.families:
        notes.append(f"There is no '{clipped(family)}' for these data: it is {first.family}.")
        family = first.family
    strength = first.strength if family == first.family else middle(ready, family)
    values: dict[str, Any] = {"strength": strength, "dim": first.dim, "n": first.n}
    steps = {"strength": ready.steps(family), "dim": ready.dims, "n": tuple(ready.parts)}
    for name, text in last.items():
        if name not in steps:
            notes.append(f"There is no '{clipped(name)}': ignored.")
            continue
        values[name], said = _read(name, text, steps[name], values[name])
        notes += said
    return View(family, **values), notes[:MOST_NOTES]


def _read(
    name: str, text: str, steps: tuple[int | float, ...], otherwise: int | float
) -> tuple[int | float, list[str]]:
    """Return the step nearest to a number that came as text, and what there is to say."""
    try:
        number = float(text) if len(text) < 40 else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        said = (
            f"{name} must be a finite number; got '{clipped(text)}', so it is {plain(otherwise)}."
        )
        return otherwise, [said]
    inside = min(max(number, steps[0]), steps[-1])
    step = min(steps, key=lambda s: abs(s - inside))
    if abs(step - number) <= 1e-9 * abs(number):
        return step, []
    return step, [
        f"{name} can't be {plain(number)} here: it is {plain(step)}, the nearest there is."
    ]
