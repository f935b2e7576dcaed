"""The search for the weakest augmentation: scipy's SLSQP on exact gradients."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from scipy.optimize import minimize

from linssl.design.criterion import GAP, KEPT, SOFT, STRENGTH, values_and_slopes
from linssl.design.families import DesignFamily
from linssl.design.wanted import Wanted

BLUR = 0.1  # of the soft gap, in units of the gap
ROOM = 1e-6  # by which a bound may be missed
TIGHT = 1e-3  # a gap that exceeds what is asked for by more is sharpened
PRECISION = 1e-9  # of the strength, in units of the data's variance


class Search:
    """Evaluates points, remembers the weakest that does and the one nearest to it.

    Args:
        wanted: the problem.
        family: the augmentations.
        gap: asked for.
        share: asked for, of what the best codes keep.

    Source: derived (optimisation).
    """

    def __init__(self, wanted: Wanted, family: DesignFamily, gap: float, share: float):
        self.wanted, self.family = wanted, family
        self.asked = np.array([gap, share])
        self.variance = float(jnp.trace(wanted.covariance))
        self.evaluations, self.blur = 0, BLUR * gap
        self.weakest: np.ndarray | None = None
        self.nearest: np.ndarray | None = None
        self.least, self.shortfall = np.inf, np.inf
        self._at: tuple = (None,)

    def __call__(self, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return values and slopes at a point. Source: derived."""
        key = p.tobytes(), self.blur
        if self._at[0] != key:
            self._at = (key, *self._judge(p))
        return self._at[1], self._at[2]

    def _judge(self, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.evaluations += 1
        found = values_and_slopes(self.wanted, self.family, jnp.asarray(p), jnp.asarray(self.blur))
        values, sound, slopes = (np.asarray(a) for a in found)
        if not (sound and np.isfinite(values).all() and np.isfinite(slopes).all()):
            # Nothing is known here but that it won't do: the line search turns back.
            return np.array([1e3 * self.variance, -1.0, -1.0, -1.0]), np.zeros_like(slopes)
        shortfall = self._shortfall(values)
        if shortfall < self.shortfall:
            self.nearest, self.shortfall = p.copy(), shortfall
        if shortfall <= ROOM and values[STRENGTH] < self.least:
            self.weakest, self.least = p.copy(), float(values[STRENGTH])
        return values, slopes

    def _shortfall(self, values: np.ndarray) -> float:
        """By how much the worse of gap and share is missed, relative; 0 where neither is."""
        return float(np.max(np.maximum(1 - values[[GAP, KEPT]] / self.asked, 0)))

    def run(self, iterations: int) -> None:
        """Search from each start until one does, and then sharpen it.

        Source: derived (sequential quadratic programming).
        """
        low, high = self.family.box()
        for start in self.family.starts():
            self._from(np.clip(start, low, high), iterations)
            if self.weakest is not None:
                break
        else:
            return
        for _ in range(2):
            values, _ = self(self.weakest)
            if values[GAP] <= (1 + TIGHT) * self.asked[0]:
                break
            self.blur /= 5
            self._minimise(self.weakest, iterations, (SOFT, KEPT))

    def _from(self, start: np.ndarray, iterations: int) -> None:
        # A subspace may be kept not at all on one side of a crossing and wholly on the other:
        # there only the gap says where to go.
        both = (SOFT, KEPT)
        stages = [both] if self.wanted.subspace is None else [(SOFT,), both]
        p = start
        for stage in stages:
            p = self._minimise(p, iterations, stage)
            if self.weakest is not None:
                return
        p = self._approach(self.nearest if self.nearest is not None else p, iterations, stages[0])
        self._minimise(p, iterations, both)

    def _minimise(self, p: np.ndarray, iterations: int, bounds: tuple[int, ...]) -> np.ndarray:
        """Make it as weak as the bounds allow."""
        return self._slsqp(
            p,
            lambda p: self(p)[0][STRENGTH] / self.variance,
            lambda p: self(p)[1][STRENGTH] / self.variance,
            lambda p: self._margins(p, bounds),
            lambda p: self._margin_slopes(p, bounds),
            iterations,
        )

    def _approach(self, p: np.ndarray, iterations: int, bounds: tuple[int, ...]) -> np.ndarray:
        """Come as near as possible: the least s with every margin above -s."""
        n = p.size
        worst = max(0.0, float(-np.min(self._margins(p, bounds))))
        one = np.ones((len(bounds), 1))
        gradient = np.append(np.zeros(n), 1.0)
        found = self._slsqp(
            np.append(p, worst),
            lambda q: q[-1],
            lambda _: gradient,
            lambda q: self._margins(q[:-1], bounds) + q[-1],
            lambda q: np.hstack([self._margin_slopes(q[:-1], bounds), one]),
            iterations,
            slack=True,
        )
        return found[:-1]

    def _margins(self, p: np.ndarray, bounds: tuple[int, ...]) -> np.ndarray:
        index = np.array(bounds)
        return self(p)[0][index] / self.asked[index - SOFT] - 1

    def _margin_slopes(self, p: np.ndarray, bounds: tuple[int, ...]) -> np.ndarray:
        index = np.array(bounds)
        return self(p)[1][index] / self.asked[index - SOFT][:, None]

    def _slsqp(
        self, start: np.ndarray, value: Callable, slope: Callable, margins: Callable,
        margin_slopes: Callable, iterations: int, slack: bool = False,
    ) -> np.ndarray:  # fmt: skip
        low, high = self.family.box()
        ones = np.ones(low.size)
        if slack:
            low, high, ones = np.append(low, 0), np.append(high, np.inf), np.append(ones, 0)
        constraints = [{"type": "ineq", "fun": margins, "jac": margin_slopes}]
        if self.family.simplex:
            constraints.append({"type": "eq", "fun": lambda p: p @ ones - 1, "jac": lambda _: ones})
        found = minimize(
            value,
            start,
            jac=slope,
            bounds=np.stack([low, high], axis=1),
            constraints=constraints,
            method="SLSQP",
            options={"maxiter": iterations, "ftol": PRECISION},
        )
        return np.clip(found.x, low, high) if np.isfinite(found.x).all() else start
