"""A view of data as a program: a few lines of Python, from public names."""

from pathlib import Path
from typing import Any

from linssl.explore.own.asked import Asked
from linssl.explore.own.data import Ready
from linssl.explore.own.state import View

TEMPLATE = """\
import linssl

found = linssl.diagnose(
    {arguments},
)
print(found)  # the same codes, with the reasons in full
"""
PLACEHOLDER = "your_{}"  # for what came as arrays


def as_python(view: View, ready: Ready) -> str:
    """Write a program that judges the augmentation of a view, with its number of codes."""
    asked: Asked = ready.asked
    text = ready.families[view.family].text(view.strength, 0.0)
    named: dict[str, Any] = {
        "groups": _value("groups", asked.groups),
        "layer": None if asked.layer is None else repr(asked.layer),
        "augmentation": repr(text),
        "dim": view.dim,
        "numeric": asked.numeric or None,
        "seed": asked.seed or None,
    }
    given = [_value("data", asked.data), _value("labels", asked.labels)]
    arguments = [value for value in given if value is not None]
    arguments += [f"{name}={value}" for name, value in named.items() if value is not None]
    return TEMPLATE.format(arguments=",\n    ".join(arguments))


def _value(name: str, given: Any) -> str | None:
    if given is None:
        return None
    return repr(str(given)) if isinstance(given, str | Path) else PLACEHOLDER.format(name)
