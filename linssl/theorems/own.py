"""Rooms of theorems that a user's own module defines."""

import re

from linssl.runtime.modules import find_module
from linssl.theorems.entry import Room


def rooms_of(module: str) -> tuple[Room, ...]:
    """Return the rooms that a module defines, in its order, as for `linssl theorems --module`.

    Args:
        module: its dotted name; it is imported.

    Raises:
        ValueError: no name, no such module, no room of theorems in it, or a name given twice.
    """
    if not re.fullmatch(r"\w+(\.\w+)*", module) or module.endswith(".py"):
        raise ValueError(
            f"module must be a dotted name, such as my_theorems for my_theorems.py; got {module!r}."
        )
    places = "among the installed ones or in this folder"
    found = vars(find_module(f"module {module!r}", module, places)).values()
    rooms = tuple({id(room): room for room in found if isinstance(room, Room)}.values())
    names = [t.name for room in rooms for t in room.theorems]
    if not names:
        raise ValueError(
            f"module {module!r} has no theorems: it needs a linssl.theorems.Room, and "
            "@room.theorem(...) above each check."
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"module {module!r} names {', '.join(twice)} twice.")
    return rooms
