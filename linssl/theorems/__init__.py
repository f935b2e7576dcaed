"""The catalogue: every theorem, identity and threshold of the library, each with a check.

`CATALOGUE` maps names to theorems; `ROOMS` holds them by kind. `linssl theorems` lists them.
"""

from types import MappingProxyType

from linssl.theorems import (
    adassl,
    augmentations,
    designs,
    dynamics,
    finite,
    moments,
    pairs,
    paradigms,
    relatives,
    selection,
    simvae,
    thresholds,
)
from linssl.theorems.entry import Room as Room
from linssl.theorems.entry import Theorem as Theorem
from linssl.theorems.own import rooms_of as rooms_of

ROOMS: tuple[Room, ...] = tuple(
    module.ROOM
    for module in (
        paradigms, thresholds, moments, augmentations, pairs, simvae, adassl, relatives, selection,
        finite, dynamics, designs,
    )
)  # fmt: skip
CATALOGUE = MappingProxyType({t.name: t for room in ROOMS for t in room.theorems})
