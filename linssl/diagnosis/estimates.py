"""A number and its standard error, and when the error lets it be told from 0."""

from typing import NamedTuple

import numpy as np

SURE = 2.0  # standard errors


class Estimate(NamedTuple):
    """A number and its standard error; `sign` is 0 within two errors of 0, or where unknown.

    The error is NaN where half of the samples say nothing, and inf where no samples would.
    """

    value: float
    error: float

    @property
    def sign(self) -> int:
        """1, -1, or 0 where it can't be told."""
        return int(np.sign(self.value)) if abs(self.value) > SURE * self.error else 0


def estimate(whole: float, parts: list[float]) -> Estimate:
    r"""Return a number with $\mathrm{se}^2 = \mathrm{mean}_r (\theta_r - \theta)^2$ over halves.

    Source: derived (balanced half-samples).
    """
    return Estimate(whole, float(np.sqrt(np.mean(np.square(np.array(parts) - whole)))))
