"""What every experiment is told, and what some of them are."""

import dataclasses
from pathlib import Path

import numpy as np


@dataclasses.dataclass(frozen=True)
class Options:
    """Options of every experiment; those that take more add fields to it."""

    data: str = "digits"
    """digits, the NAME of a file $LINSSL_DATA/NAME.npz, or a path."""
    out: Path = Path("figures")
    """Folder for the PDF, PNG, CSV and JSON."""
    full: bool = False
    """More seeds and finer grids, as `make figures-full` runs it."""
    redraw: bool = False
    """Draw the numbers in OUT again, its CSV and JSON, without solving."""

    @property
    def name(self) -> str:
        """The data set's name, for captions."""
        return Path(self.data).stem


def whole(name: str, given: int | None, usual: int, least: int, most: int | None = None) -> int:
    """Return what was given, or what is usual.

    Raises:
        ValueError: less or more than makes sense here.
    """
    value = usual if given is None else given
    if given is not None and not (least <= given and (most is None or given <= most)):
        span = f"{least} or more" if most is None else f"{least} to {most}"
        raise ValueError(f"{name} must be {span}; got {given}.")
    return value


def positive(name: str, given: tuple[float, ...], least: int = 1) -> np.ndarray:
    """Return numbers above 0 in ascending order.

    Raises:
        ValueError: too few, equal ones, or one that isn't above 0.
    """
    values = np.array(sorted(given), float)
    fine = len(values) >= least and np.isfinite(values).all() and (values > 0).all()
    if not fine or len(np.unique(values)) < len(values):
        many = f"{least} or more different" if least > 1 else "different"
        raise ValueError(f"{name} must be {many} numbers above 0; got {list(given)}.")
    return values


def between(name: str, ends: tuple[float, float], points: int) -> np.ndarray:
    """Return points from one end of an axis to the other, evenly on a log scale.

    Raises:
        ValueError: ends that aren't two different numbers above 0.
    """
    low, high = positive(name, ends, least=2)
    return np.geomspace(low, high, points)
