"""Modules of a user's own, by name."""

import importlib
from types import ModuleType


def find_module(told: str, name: str, places: str) -> ModuleType:
    """Import a module, or say where it was looked for.

    Args:
        told: what named it, as an error begins.
        name: dotted.
        places: where it was looked for.

    Raises:
        ValueError: it isn't there. What it imports itself and isn't there raises as it does.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # the module is there: what it imports isn't
        raise ValueError(f"{told}: there is no module {error.name!r} {places}.") from error
