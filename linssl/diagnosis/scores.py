r"""The task's own metric on samples that nothing was learnt from, with its error by folds."""

from typing import NamedTuple

import numpy as np

from linssl.diagnosis.estimates import Estimate

# Folds are scored by probes that were learnt from much the same rows, so what differs between folds
# alone is too little: over 720 planted problems of 100 to 3 000 rows, deviations from what 20 000
# fresh rows say were 1.0 to 1.37 times as large, 1.15 in the mean, and that two errors cover 95 %
# with 15 degrees of freedom asks for 1.06 more.
SHARED = 1.2


class Scores(NamedTuple):
    r"""Accuracy (classes) or R² (numbers) of some choices, fold by fold.

    $$ a_c = o + \frac{\sum_f g_{cf}}{\sum_f s_f} $$

    Args:
        good: $g$, (..., F): hits of each choice in each fold; of numbers, minus squared errors.
        size: $s$, (F,): rows of each fold; of numbers, squares about the mean.
        offset: $o$: 0 for classes, 1 for numbers.
        chance: what a probe on nothing has: the share of the largest class, or 0.

    Source: derived (cross-fitting).
    """

    good: np.ndarray
    size: np.ndarray
    offset: float
    chance: float

    @property
    def value(self) -> np.ndarray:
        """The metric of each choice, (...)."""
        return self.offset + self.good.sum(-1) / self.size.sum()

    def of(self, choice: int | tuple[int, ...]) -> Estimate:
        """Return the metric of one choice."""
        e = _ratio(self.good[choice], self.size)
        return e._replace(value=self.offset + e.value)

    def difference(self, a: int | tuple[int, ...], b: int | tuple[int, ...]) -> Estimate:
        """Return how much better choice a is than b: both on the same rows, so that what makes a
        fold hard for both doesn't count as error.
        """
        return _ratio(self.good[a] - self.good[b], self.size)

    def margin(
        self, a: int | tuple[int, ...], best: int | tuple[int, ...], tolerance: float
    ) -> Estimate:
        r"""Return by how much a keeps all but a share `tolerance` of what `best` has above chance.

        $$ (a_a - \text{chance}) - (1 - \text{tolerance}) (a_b - \text{chance}) $$

        Source: derived (the rule).
        """
        above = self.offset - self.chance
        e = _ratio(self.good[a] - (1 - tolerance) * self.good[best], self.size)
        return e._replace(value=e.value + tolerance * above)


def _ratio(good: np.ndarray, size: np.ndarray) -> Estimate:
    r"""Return $r = \sum g / \sum s$, with c for `SHARED` in its error:

    $$ \mathrm{se}^2 = c^2 \frac{F}{F-1} \sum_f (g_f - r s_f)^2 \Big/ \Big(\sum s\Big)^2 $$

    Source: derived (the ratio estimator over folds); BatesHastieTibshirani2024 (why c > 1).
    """
    total, F = size.sum(), len(size)
    r = good.sum() / total
    error = np.sqrt(np.sum((good - r * size) ** 2) * F / (F - 1)) / total
    return Estimate(float(r), SHARED * float(error))
