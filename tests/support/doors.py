"""What a public function should make of an input, and whether it did."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import any_arrays
import long_double as ld
import numpy as np
from any_arrays import Thrown

from linssl.estimators.base import NumericalTroubleWarning
from linssl.linalg.status import FATAL, Status
from linssl.objectives import NumericalTroubleError

Found = tuple[dict[str, Any], int]
STEPS = 30  # roundings of the moments, each, that a result may be off: sums of up to 64 rows


@dataclass(frozen=True)
class Want:
    """What is right: numbers and how far they may be off; None where it must be refused.

    Args:
        numbers: by name, (wanted, tolerance).
        clear: whether nothing excuses a status: the condition is below 1e6, in a precision that
            holds ten times that, draws are more than 2d, and no score ties at the cut.
        border: whether refusing is right too, as rounding decides.
        lost: whether no numbers are there, and there must be a status.
        floor: what any number may be off by: squares below it the precision doesn't hold.
    """

    numbers: dict[str, tuple[Any, Any]] | None = field(default_factory=dict)
    clear: bool = True
    border: bool = False
    lost: bool = False
    floor: float = 0.0


REFUSED = Want(None)


@dataclass(frozen=True)
class Door:
    """A public function, how to hand it an input, and what is right."""

    call: Callable[[Thrown], Found]
    want: Callable[[Thrown], Want]
    accepts: Callable[[tuple[int, int]], bool] = lambda shape: True
    errors: tuple[type[Exception], ...] = (ValueError,)
    slow: bool = False


def judge(door: Door, case: Thrown, wanted: Want) -> str:
    """Return "right", "status", "refused", or "unsure" where rounding leaves no oracle; or raise.

    Anything else is an AssertionError, or whatever came instead of an answer.
    """
    try:
        numbers, status = _called(door, case)
    except door.errors as error:
        if wanted.numbers is None or wanted.border:
            return "refused"
        raise AssertionError(f"refused: {error}") from error
    assert wanted.numbers is not None or wanted.border, f"not refused; got {numbers}"
    if wanted.numbers is None:
        return "status" if status else "right"
    assert not (wanted.clear and status), f"{Status(status)!r}, but nothing is wrong"
    if status & FATAL:
        return "status"
    assert status or not wanted.lost, f"no status, but there are no such numbers; got {numbers}"
    if status & (Status.ILL_CONDITIONED | Status.NOT_CONVERGED) or wanted.lost:
        return "status"
    for name, (value, tolerance) in wanted.numbers.items():
        _compare(name, numbers[name], value, tolerance + wanted.floor)
    if status:
        return "status"
    return "right" if wanted.numbers else "unsure"


def _called(door: Door, case: Thrown) -> Found:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return door.call(case)


def _compare(name: str, found: Any, wanted: Any, tolerance: Any) -> None:
    found, wanted = np.asarray(found, np.longdouble), np.asarray(wanted, np.longdouble)
    assert found.shape == wanted.shape, f"{name}: shape {found.shape}, not {wanted.shape}"
    with np.errstate(invalid="ignore"):
        off = np.abs(found - wanted)
    same = (found == wanted) | (np.isnan(found) & np.isnan(wanted))
    assert (same | (off <= tolerance)).all(), (
        f"{name}: {found.tolist()}, not {wanted.tolist()}; off by {off.max():g}, "
        f"tolerance {np.max(tolerance):g}"
    )


def fitted(run: Callable[[], Found]) -> Found:
    """Run what warns or raises for a status, and return that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumericalTroubleWarning)
        try:
            return run()
        except NumericalTroubleError as error:
            name = str(error).split(":")[0].split(" in ")[0]
            return {}, int(Status[name])


@dataclass(frozen=True)
class Rows:
    """What is known of data that are sound: their moments in long double."""

    X: np.ndarray
    dtype: Any
    S: np.ndarray
    mean: np.ndarray
    eps: float
    came: float  # rounding of the data

    @property
    def deviation(self) -> np.ndarray:
        return np.sqrt(np.diagonal(self.S))

    @property
    def mean_off(self) -> np.ndarray:
        """How far a mean may be off."""
        return STEPS * self.eps * (np.abs(self.mean) + self.deviation)

    @property
    def off(self) -> np.ndarray:
        """How far a covariance may be off."""
        return STEPS * self.eps * np.outer(self.deviation, self.deviation)

    def hidden(self, variance: np.ndarray | float, cond: float = 1.0) -> float:
        """What steps of the data hide of scores: their variance, and what they are correlated by
        chance with the data, relative to variances that scores are of.
        """
        varies = np.diagonal(self.S) > 0
        share = float(np.sum((self.blur / np.where(varies, variance, 1))[varies])) * cond
        return share + 2 * (share / len(self.X)) ** 0.5

    @property
    def blur(self) -> np.ndarray:
        """The variance that rounding puts on each feature."""
        varies = np.diagonal(self.S) > 0
        return varies * self.came**2 * (self.mean**2 + np.diagonal(self.S))


def rows_of(dressed: Any, dtype: Any = None) -> Rows | None:
    """Return what is known of data, None where they must be refused."""
    X = any_arrays.read(dressed)
    if not any_arrays.sound(X):
        return None
    assert X is not None
    dtype = any_arrays.kept(dressed) if dtype is None else dtype
    S, mean = ld.moments(X)
    return Rows(X, dtype, S, mean, float(np.finfo(dtype).eps), any_arrays.precision(dressed, dtype))


def range_of(*sides: Rows) -> str:
    """Say whether the precision holds these variances: "held", "lost", or "border"."""
    variance = np.concatenate([np.diagonal(rows.S) for rows in sides])
    largest = max(float(np.abs(rows.S).max()) for rows in sides)
    info = np.finfo(np.result_type(*(rows.dtype for rows in sides)))
    top, tiny = float(info.max), float(info.tiny)
    some = variance[variance > 0]
    least = float(some.min()) if some.size else np.inf
    if largest / 2 > top or least < tiny / 2:
        return "lost"
    return "held" if largest < top / 2 and least > tiny * 2 else "border"


def of_rows(numbers: Callable[[Rows], dict[str, tuple[Any, Any]]], least: int = 1, **how: Any):
    """Return the want of a function of data alone, that keeps what it finds."""

    def want(case: Thrown) -> Want:
        rows = rows_of(case.x, **how)
        if rows is None or len(rows.X) < least or range_of(rows) == "lost":
            return REFUSED
        floor = STEPS * float(np.finfo(rows.dtype).tiny)
        return Want(numbers(rows), border=range_of(rows) == "border", floor=floor)

    return want


def noise_of(case: Thrown) -> np.ndarray:
    """Return a variance of noise for each feature: a share of what it has."""
    X = any_arrays.read(case.x)
    if not any_arrays.sound(X):
        return np.ones(max(case.shape[1], 1))
    assert X is not None
    variance = X.var(0)
    largest = variance.max() or np.longdouble(1)
    found = np.asarray(case.share * np.where(variance > 0, variance, largest), float)
    info = np.finfo(any_arrays.kept(found))
    held = np.clip(found, float(info.tiny), float(info.max) / 128)
    return held.astype(info.dtype).astype(float)  # as an augmentation keeps it


def beside(case: Thrown, size: int = 2) -> np.ndarray:
    """Return other numbers for each row, (n, size): partly what the row has."""
    n, d = case.shape
    rng = np.random.default_rng(case.seed + 1)
    own = np.random.default_rng(case.seed).standard_normal((n, d))
    return own @ rng.standard_normal((d, size)) + 0.5 * rng.standard_normal((n, size))


def reliable(S: np.ndarray, blur: np.ndarray, eps: float) -> tuple[float, bool]:
    """Return the relative error of what S whitens, and whether nothing excuses a status."""
    d, cond = len(S), ld.condition(S)
    varies = np.diagonal(S) > 0
    share = float(np.sum(blur[varies] / np.diagonal(S)[varies]))
    # XLA's own products are of S; those of a status, too. Twice what it calls ill-conditioned.
    clear = cond < 1e6 and cond * (4 * eps * d**0.5 + share) < 0.005 and 20 * d * eps * cond < 1
    return min(STEPS * d * eps * cond, 0.1), clear  # an OK hides no more than a tenth


def apart(scores: np.ndarray, dim: int, error: float, hidden: float) -> bool:
    """Say whether scores are clearly apart at the cut, and the last one clearly not 0."""
    known = (10 * error + 2 * hidden) * np.abs(scores).max()
    gap = np.inf if dim == len(scores) else scores[dim - 1] - scores[dim]
    return bool(gap > known and scores[dim - 1] > known)
