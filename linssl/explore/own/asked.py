"""What was asked to be explored."""

from typing import Any, NamedTuple


class Asked(NamedTuple):
    """What was asked to be explored, as for `diagnose`."""

    data: Any
    labels: Any = None
    groups: Any = None
    layer: str | None = None
    numeric: bool = False
    seed: int = 0
