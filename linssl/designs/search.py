"""The search for the weakest: one parameter is scanned, several are left to scipy's SLSQP."""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import scipy  # loads its parts when they are asked for: 0.1 s of every start else

from linssl.designs.criterion import GAP, KEPT, SOFT, STRENGTH, values_and_slopes
from linssl.designs.families import DesignFamily
from linssl.designs.wanted import Wanted

BLUR = 0.1  # of the soft gap, in units of the gap
ROOM = 1e-6  # by which a bound may be missed
COARSE, FINER = 0.03, 0.03  # units of a gap: the largest, and each to the one before
TINY = 1e-4  # gaps below are approached in those steps
TIGHT = 1e-3  # a gap that exceeds what is asked for by more is sharpened
MORE_STARTS = 12  # where the usual ones find nothing
MOST_STEPS = 100  # of one quadratic program after another
PRECISION = 1e-7  # of the strength, in units of the data's variance
STEP = 1.25  # from one point of a single parameter to the next, or of the odds
FAINT, RARE = 1e-8, 1e-6  # the first steps: strength, as a share of the data's, and probability


class _SpentError(Exception):
    """All evaluations are spent."""


class Point(NamedTuple):
    """Parameters, and what `judge` says of them."""

    parameters: np.ndarray
    values: np.ndarray


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
        self.asked, self.unit = np.array([gap, share]), np.array([gap, share])
        self.variance = float(jnp.trace(wanted.covariance))
        self.evaluations, self.most, self.blur = 0, 0, BLUR * gap
        # In units of a tiny gap margins are huge, and kinks sharp: come near in larger ones first.
        steps = int(np.ceil(np.log(gap / COARSE) / np.log(FINER))) if gap < TINY else 0
        self.units = [COARSE * FINER**n for n in range(steps)] + [gap]
        self.weakest: Point | None = None
        self.nearest: Point | None = None
        self._at: tuple = (None,)

    def __call__(self, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return values and slopes at a point."""
        key = p.tobytes(), self.blur
        if self._at[0] != key:
            self._at = (key, *self._judge(p))
        return self._at[1], self._at[2]

    def _judge(self, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.evaluations >= self.most:
            raise _SpentError
        self.evaluations += 1
        found = values_and_slopes(self.wanted, self.family, jnp.asarray(p), jnp.asarray(self.blur))
        values, sound, slopes = (np.asarray(a) for a in found)
        if not (sound and np.isfinite(values).all() and np.isfinite(slopes).all()):
            # Nothing is known here but that it won't do: the line search turns back.
            return np.array([1e3 * self.variance, -1.0, -1.0, -1.0]), np.zeros_like(slopes)
        here, short = Point(p.copy(), values), self._shortfall(values)
        if self.nearest is None or short < self._shortfall(self.nearest.values):
            self.nearest = here
        if short <= ROOM and (
            self.weakest is None or values[STRENGTH] < self.weakest.values[STRENGTH]
        ):
            self.weakest = here
        return values, slopes

    def _shortfall(self, values: np.ndarray) -> float:
        """By how much the worse of gap and share is missed, relative; 0 where neither is."""
        return float(np.max(np.maximum(1 - values[[GAP, KEPT]] / self.asked, 0)))

    def run(self, evaluations: int) -> bool:
        """Search, and say whether that came to its end before all evaluations were spent.

        One parameter is scanned. With several, search from each start until one does, and sharpen.

        Source: derived (root finding; sequential quadratic programming).
        """
        self.most = evaluations
        try:
            if self.family.box()[0].size == 1 + self.family.simplex:
                self._scan()
                return True
            for start in (*self.family.starts(), *self._anywhere()):
                self._from(np.clip(start, *self.family.box()))
                if self.weakest is not None:
                    self._sharpen(self.weakest)
                    break
        except _SpentError:
            return False
        return True

    def _anywhere(self) -> np.ndarray:
        """Return points all over the family, (m, p), each parameter small as often as large."""
        low, high = self.family.box()
        even = scipy.stats.qmc.Halton(low.size, scramble=False).random(1 + MORE_STARTS)[1:]
        share = RARE**even
        if self.family.simplex:
            return share / share.sum(1, keepdims=True)
        return low + share * (high - low)

    def _scan(self) -> None:
        """With one parameter, find every end of what does, of which the weakest is remembered."""
        known: list[tuple[np.ndarray, float]] = []
        for p in self._line():
            known.append((p, self._margin(p)))
            if known[-1][1] >= 0 and not self.family.simplex:
                break  # strength rises from here on
        # Between two points that don't do one may: where the margin has a maximum.
        known += [
            self._top(start, end)
            for (start, a), (_, b), (end, c) in zip(known, known[1:], known[2:], strict=False)
            if max(a, c) <= b < 0 and b > min(a, c) + ROOM
        ]
        known.sort(key=lambda point: point[0][-1])
        for (start, a), (end, b) in pairwise(known):
            if (a >= 0) != (b >= 0):
                margin = self._between(start, end)
                scipy.optimize.brentq(margin, 0.0, 1.0, xtol=1e-15)

    def _top(self, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, float]:
        """Return where the margin is largest between two points, and how large."""
        margin = self._between(start, end)
        s = scipy.optimize.minimize_scalar(lambda s: -margin(s), bounds=(0, 1), method="bounded").x
        return start + s * (end - start), margin(s)

    def _between(self, start: np.ndarray, end: np.ndarray) -> Callable[[float], float]:
        return lambda s: self._margin(start + s * (end - start))

    def _line(self) -> np.ndarray:
        """Return the points of the one parameter, (n, p), from the weakest on if it is no share."""
        low, high = self.family.box()
        if self.family.simplex:
            odds = _steps(RARE, 1 / RARE)
            share = np.concatenate([[0.0], odds / (1 + odds), [1.0]])
            return np.stack([1 - share, share], axis=1)
        room = float(high[0] - low[0])
        rise = float(self(low)[1][STRENGTH][0])
        faint = FAINT * min(room, self.variance / rise if rise > 0 else room)
        return low + np.append(0.0, _steps(faint, room))[:, None]

    def _margin(self, p: np.ndarray) -> float:
        """By how much the worse of gap and share exceeds what is asked for, relative."""
        return float(np.min(self(p)[0][[GAP, KEPT]] / self.asked - 1))

    def _from(self, start: np.ndarray) -> None:
        # A subspace may be kept not at all on one side of a crossing and wholly on the other:
        # there only the gap says where to go.
        both = (SOFT, KEPT)
        stages = [both] if self.wanted.subspace is None else [(SOFT,), both]
        p = start
        for stage in stages:
            p = self._minimise(p, stage)
            if self.weakest is not None:
                return
        self._approach(p if self.nearest is None else self.nearest.parameters, stages[0])
        if self.weakest is not None:
            self._minimise(self.weakest.parameters, both)

    def _sharpen(self, weakest: Point) -> None:
        """Where the soft gap asks for more than the gap, ask again with less blur."""
        for finer in (5, 25):
            if weakest.values[GAP] <= (1 + TIGHT) * self.asked[0]:
                return
            self._minimise(weakest.parameters, (SOFT, KEPT), [self.asked[0] / finer])
            weakest = self.weakest or weakest

    def _minimise(
        self, p: np.ndarray, bounds: tuple[int, ...], units: list[float] | None = None
    ) -> np.ndarray:
        """Make it as weak as the bounds allow."""
        for unit in self.units if units is None else units:
            self.unit[0], self.blur = unit, BLUR * unit
            p = self._slsqp(
                p,
                lambda p: self(p)[0][STRENGTH] / self.variance,
                lambda p: self(p)[1][STRENGTH] / self.variance,
                lambda p: self._margins(p, bounds),
                lambda p: self._margin_slopes(p, bounds),
            )
        return p

    def _approach(self, p: np.ndarray, bounds: tuple[int, ...]) -> np.ndarray:
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
            slack=True,
        )
        return found[:-1]

    def _margins(self, p: np.ndarray, bounds: tuple[int, ...]) -> np.ndarray:
        index = np.array(bounds)
        return (self(p)[0][index] - self.asked[index - SOFT]) / self.unit[index - SOFT]

    def _margin_slopes(self, p: np.ndarray, bounds: tuple[int, ...]) -> np.ndarray:
        index = np.array(bounds)
        return self(p)[1][index] / self.unit[index - SOFT][:, None]

    def _slsqp(
        self, start: np.ndarray, value: Callable, slope: Callable, margins: Callable,
        margin_slopes: Callable, slack: bool = False,
    ) -> np.ndarray:  # fmt: skip
        low, high = self.family.box()
        ones = np.ones(low.size)
        if slack:
            low, high, ones = np.append(low, 0), np.append(high, np.inf), np.append(ones, 0)
        constraints = [{"type": "ineq", "fun": margins, "jac": margin_slopes}]
        if self.family.simplex:
            constraints.append({"type": "eq", "fun": lambda p: p @ ones - 1, "jac": lambda _: ones})
        found = scipy.optimize.minimize(
            value,
            start,
            jac=slope,
            bounds=np.stack([low, high], axis=1),
            constraints=constraints,
            method="SLSQP",
            options={"maxiter": MOST_STEPS, "ftol": PRECISION},
        )
        return np.clip(found.x, low, high) if np.isfinite(found.x).all() else start


def _steps(low: float, high: float) -> np.ndarray:
    return np.geomspace(low, high, 1 + int(np.ceil(np.log(high / low) / np.log(STEP))))
