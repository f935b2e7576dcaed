"""Arrays as users may hand them over: any dtype, order and mask, of any numbers, in few shapes."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import jax
import ml_dtypes
import numpy as np
from hypothesis import strategies as st

SHAPES = (
    *((0, 3), (4, 0)),  # empty
    *((1, 1), (1, 3)),  # one row
    *((2, 3), (3, 4)),  # n < d
    *((3, 3), (4, 4)),  # n = d
    *((40, 1), (40, 3), (40, 4), (64, 3)),
)
OFTEN = {(40, 1): 3, (40, 3): 5, (40, 4): 5, (64, 3): 5}  # the others once

REAL = {
    "bool": 1,
    **dict.fromkeys(("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"), 1),
    **{"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8, "longdouble": 2},
    **{">f4": 1, ">f8": 2, ">i4": 1, ">u2": 1, "object": 2, "fractions": 1},
}
OTHER = dict.fromkeys(("text", "dates", "complex", "structured", "missing"), 1)
ORDERS = ("C", "F", "every other row", "every other column", "reversed", "read-only", "turned")
MASKS = {"none": 24, "nothing masked": 2, "masked": 1}
NUMBERS = {
    "plain": 8,
    "mean": 8,
    "constant": 2,
    "collinear": 2,
    "scales": 3,
    "units": 2,
    "nan": 1,
    "inf": 1,
}


@dataclass(frozen=True)
class Thrown:
    """One input: what its numbers are like, and what they are dressed in."""

    shape: tuple[int, int]
    dtype: str
    order: str
    mask: str
    numbers: str
    power: int  # of ten: the mean over the spread, or the units
    share: float  # of the noise in the variance, where there is some
    seed: int

    @property
    def rng(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)

    @property
    def values(self) -> np.ndarray:
        """The numbers, (n, d), in double precision, before they are dressed."""
        n, d = self.shape
        rng = self.rng
        X = rng.standard_normal((n, d)) @ (np.eye(d) + 0.3 * rng.standard_normal((d, d)))
        if self.numbers == "mean":
            X = X + 10.0**self.power * rng.uniform(0.5, 1, d) * rng.choice([-1, 1], d)
        elif self.numbers == "scales":
            X = X * 10.0 ** rng.integers(-self.power, self.power + 1, d)
        elif self.numbers == "units":
            X = X * 10.0 ** rng.integers(-4 * self.power, 4 * self.power + 1)
        elif self.numbers == "constant" and d:
            X[:, rng.integers(d)] = rng.standard_normal() * 10.0**self.power
        elif self.numbers == "collinear" and d > 1:
            X[:, -1] = X[:, 0] if d == 2 else X[:, 0] - 2 * X[:, 1]
        return X

    def dress(self, values: Any, spoil: bool = True) -> Any:
        """Return values as an array of this dtype, order and mask, with what isn't finite."""
        values = np.array(values, float)
        if spoil and self.numbers in ("nan", "inf") and values.size:
            at = self.rng.integers(values.size)
            values.flat[at] = np.nan if self.numbers == "nan" else np.inf
        array = _ordered(_typed(values, self.dtype), self.order)
        if self.mask == "none" or not spoil:
            return array
        hidden = np.zeros(array.shape, bool)
        if self.mask == "masked" and hidden.size:
            hidden.flat[self.rng.integers(hidden.size)] = True
        return np.ma.masked_array(array, hidden)

    @property
    def x(self) -> Any:
        """The data, dressed."""
        return self.dress(self.values)


def read(dressed: Any) -> np.ndarray | None:
    """Return what an array holds, in long double: None where that is no array of real numbers."""
    array = np.asarray(dressed)
    if array.dtype.names or np.ma.is_masked(dressed):
        return None
    if array.dtype.kind == "O" and any(v is None for v in array.flat):
        return None
    if array.dtype.kind not in "fiubO" and array.dtype != ml_dtypes.bfloat16:
        return None
    if array.dtype.kind == "O":
        array = np.array([float(v) for v in array.flat]).reshape(array.shape)
    return array.astype(np.longdouble)


def sound(plain: np.ndarray | None) -> bool:
    """Say whether all is a number, and there is one."""
    return plain is not None and plain.size > 0 and bool(np.isfinite(plain).all())


def kept(*dressed: Any) -> Any:
    """Return the precision in which numbers are kept: single where they came in less."""
    single = all(_half(np.asarray(a).dtype) for a in dressed) or not jax.config.jax_enable_x64
    return np.float32 if single else np.float64


def precision(dressed: Any, dtype: Any) -> float:
    """Return the rounding of numbers as they came, or as they are kept if that is coarser."""
    came = np.asarray(dressed).dtype
    eps = float(ml_dtypes.finfo(came).eps) if _half(came) else 2.0**-52
    return max(eps, float(np.finfo(dtype).eps))


def _half(dtype: np.dtype) -> bool:
    return dtype == ml_dtypes.bfloat16 or (dtype.kind == "f" and dtype.itemsize < 8)


def _typed(values: np.ndarray, name: str) -> np.ndarray:
    whole = np.nan_to_num(np.rint(values * 8), nan=0, posinf=100, neginf=-100)
    with np.errstate(over="ignore", invalid="ignore"):
        if name == "bool":
            return values > 0
        if name in OTHER:
            return _odd(values, whole, name)
        if name == "object":
            return values.astype(object)
        if name == "fractions":
            if not np.isfinite(values).all():
                return values.astype(object)
            found = np.empty(values.shape, object)
            found.flat = [
                Fraction(v) if i % 2 else v for i, v in enumerate(values.ravel().tolist())
            ]
            return found
        dtype = np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)
        if dtype.kind in "iu":
            whole = whole - min(whole.min(initial=0), 0) if dtype.kind == "u" else whole
            info = np.iinfo(dtype)
            top = min(info.max, 2**53)
            return np.clip(whole, max(info.min, -(2**53)), top).astype(dtype)
        return values.astype(dtype)


def _odd(values: np.ndarray, whole: np.ndarray, name: str) -> np.ndarray:
    """Return what is no array of real numbers."""
    if name == "text":
        return values.astype(str)
    if name == "dates":
        return np.clip(whole, -1e6, 1e6).astype(int).astype("datetime64[s]")
    if name == "complex":
        return values + 1j
    if name == "structured":
        found = np.zeros(values.shape, [("a", float), ("b", int)])
        found["a"] = values
        return found
    found = values.astype(object)
    if found.size:
        found.flat[0] = None
    return found


def _ordered(array: np.ndarray, order: str) -> np.ndarray:
    if order == "F":
        return np.asfortranarray(array)
    if order == "every other row" and array.ndim:
        return np.repeat(array, 2, 0)[::2]
    if order == "every other column" and array.ndim:
        return np.repeat(array, 2, -1)[..., ::2]
    if order == "reversed" and array.ndim:
        return array[::-1].copy()[::-1]
    if order == "turned":
        return array.T.copy().T
    array = np.ascontiguousarray(array) if array.ndim else array
    if order == "read-only":
        array.flags.writeable = False
    return array


def _shuffled(weights: dict[Any, int], seed: int) -> st.SearchStrategy:
    """Draw by weight; which comes first, and so is thrown at least, depends on the seed."""
    options = [option for option, weight in weights.items() for _ in range(weight)]
    order = np.random.default_rng(seed).permutation(len(options))
    return st.sampled_from([options[i] for i in order])


def thrown(seed: int, accepted: Callable[[tuple[int, int]], bool]) -> st.SearchStrategy[Thrown]:
    """Throw inputs of the accepted shapes; the first ones differ between seeds."""
    shapes = {shape: OFTEN.get(shape, 1) for shape in SHAPES if accepted(shape)}
    return st.builds(
        Thrown,
        shape=_shuffled(shapes, seed),
        dtype=_shuffled(REAL | OTHER, seed + 1),
        order=_shuffled(dict.fromkeys(ORDERS, 1), seed + 2),
        mask=_shuffled(MASKS, seed + 3),
        numbers=_shuffled(NUMBERS, seed + 4),
        power=_shuffled(dict.fromkeys(range(9), 1), seed + 5),
        share=_shuffled(dict.fromkeys((0.001, 0.05, 0.3, 1.0, 5.0), 1), seed + 6),
        seed=st.integers(0, 2**32 - 1).map(lambda drawn: drawn + seed),
    )
