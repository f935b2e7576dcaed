"""What `linssl threshold --samples` adds: thresholds of n samples, and what is open about them."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

SHARE = 0.9  # of the signal, that is worth calling kept
STEPS = 40  # of bisection
OPEN = "where it begins is open: no formula is known"


@dataclasses.dataclass(frozen=True)
class WithSamples:
    """Of one paradigm: where it begins to find every signal, and where it keeps most of them."""

    begins: float | None  # None where it is open
    keeps: float | None  # None where no alpha is enough

    def record(self) -> dict[str, Any]:
        """Return what JSON says."""
        found = {"begins_at_alpha": self.begins, "keeps_90_percent_from_alpha": self.keeps}
        return found | ({"open": OPEN} if self.begins is None else {})

    def in_words(self) -> tuple[str, str]:
        """Return both, for a table."""
        begins = OPEN if self.begins is None else f"alpha > {self.begins:.6g}"
        return begins, "no alpha found" if self.keeps is None else f"alpha > {self.keeps:.6g}"


def with_samples(spectra: tuple[Any, Any, Any, Any], samples: int) -> dict[str, WithSamples]:
    """Return both paradigms' thresholds for n samples, centred by their own mean.

    Args:
        spectra: signal, noise, and what the base adds to each.
        samples: n.

    Raises:
        ValueError: too few samples for so many signals.
    """
    from linssl.theory import detection_threshold, spiked_joint_embedding, spiked_reconstruction

    signals = len(spectra[0])
    if samples < signals + 2:
        raise ValueError(
            f"samples must be a number >= {signals + 2}, two more than signals; got {samples}."
        )
    count = samples - 1  # the mean takes one

    def keeps(predict: Callable) -> float | None:
        return _least(lambda alpha: float(predict(*spectra, alpha, count).distance) <= 1 - SHARE)

    begins = float(detection_threshold(*spectra, count).alpha)
    return {
        "joint_embedding": WithSamples(begins, keeps(spiked_joint_embedding)),
        "reconstruction": WithSamples(None, keeps(spiked_reconstruction)),
    }


def _least(enough: Callable[[float], bool]) -> float | None:
    """Return the alpha from which it is enough, up to 1000, or None."""
    grid = [0.0, *np.geomspace(1e-2, 1e3, 41)]
    at = len(grid)
    while at and enough(grid[at - 1]):  # from above: enough from there on
        at -= 1
    if at == len(grid):
        return None
    if at == 0:
        return 0.0
    low, high = grid[at - 1], grid[at]
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high if math.isfinite(high) else None
