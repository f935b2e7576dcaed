"""A view of data as a program: a few lines of Python, from public names."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from linssl.explore.own.asked import Asked
from linssl.explore.own.data import Ready
from linssl.explore.own.state import View
from linssl.recommendation.families import NUISANCE

TEMPLATE = """\
import linssl

found = linssl.{function}(
    {arguments},
)
print(found)  # {comment}
"""
PLACEHOLDER = "your_{}"  # for what came as arrays
BESIDE = ("labels", "nuisance", "groups", "layer")
PREPARED = ("drop", "impute", "standardise", "image_shape", "channels", "numeric", "seed")


def as_python(view: View, ready: Ready) -> str:
    """Write a program that judges the augmentation of a view, with its number of codes.

    What shakes along the nuisance has no word in `diagnose`: `recommend` tries it among others.
    """
    asked: Asked = ready.asked
    by_nuisance = view.family == NUISANCE.name
    beside = [name for name in BESIDE if by_nuisance or name != "nuisance"]
    of_view = {"dim": view.dim}
    if by_nuisance:
        prepared = (*PREPARED, "kind")
    else:
        prepared = PREPARED
        of_view = {"augmentation": ready.families[view.family].text(view.strength, 0.0), **of_view}
    lines = [
        [_value("data", asked.data), *_named(asked, beside)],
        [f"{name}={value!r}" for name, value in of_view.items()],
        _named(asked, prepared),
    ]
    return TEMPLATE.format(
        function="recommend" if by_nuisance else "diagnose",
        arguments=",\n    ".join(", ".join(line) for line in lines if line),
        comment="this among other strengths" if by_nuisance else "the same codes, and the reasons",
    )


def _named(asked: Asked, names: Sequence[str]) -> list[str]:
    """Write what was asked for, where it isn't the default."""
    given = {name: getattr(asked, name) for name in names}
    default = Asked(None)._asdict()
    return [f"{n}={_value(n, v)}" for n, v in given.items() if v is not default[n]]


def _value(name: str, given: Any) -> str:
    if isinstance(given, str | Path):
        return repr(str(given))
    array = name in ("data", *BESIDE)
    return PLACEHOLDER.format(name) if array else repr(given)
