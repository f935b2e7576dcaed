"""What was asked to be explored."""

from typing import Any, NamedTuple


class Asked(NamedTuple):
    """What was asked to be explored, as for `recommend`."""

    data: Any
    labels: Any = None
    nuisance: Any = None
    groups: Any = None
    layer: str | None = None
    drop: tuple[str, ...] = ()
    impute: str | None = None
    standardise: bool = False
    kind: str | None = None
    image_shape: Any = None
    channels: str | None = None
    numeric: bool = False
    seed: int = 0
