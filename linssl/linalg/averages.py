"""Means and covariances of rows: on the host where the rows are known, in JAX where traced.

The first row is subtracted before anything is summed, so that a large mean costs no digits and a
constant column is exactly 0.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from linssl.arguments import Numbers, as_float, is_concrete, on_host, require_room
from linssl.linalg.structure import exact_products

FIRST, MOST = 64, 8192  # rows that all are centred on, and rows in memory as doubles
AT_ONCE = 2**24  # numbers, where fewer rows have as many
Rows = Array | np.ndarray  # (n, d); numpy where they are known


class Average(NamedTuple):
    r"""Mean and covariance of rows.

    Args:
        covariance: $\frac1n \sum (x - \mu)(x - \mu)^T$, (d, d), symmetric to the bit.
        mean: $\mu$, (d,).
        rounding: (d,), the variance that rounding has put on each feature; see `blurred`.
    """

    covariance: Float[Array, "d d"]
    mean: Float[Array, " d"]
    rounding: Float[Array, " d"]

    def cut(self, start: int, stop: int | None) -> "Average":
        """Return the average of some columns."""
        part = slice(start, stop)
        return Average(self.covariance[part, part], self.mean[part], self.rounding[part])


def as_rows(name: str, values: Numbers) -> Rows:
    """Return rows (n, d) as they are, on the host where they are known, or raise.

    Nothing is copied. Whether known rows are finite is found while they are summed.
    """
    X = as_float(values, name) if not is_concrete(values) else on_host(values, name)
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(f"{name} must be a non-empty (n, d) array of samples; got {X.shape}.")
    require_room(X.shape[1], 8)
    return X


def average(kept: DTypeLike | None = None, /, **sides: Rows) -> Average:
    """Average rows of several sides, side by side, in double precision where they are known.

    Args:
        kept: precision of the result; None is the finest of all sides.
        sides: (n, d_1), (n, d_2), ... from `as_rows`, by the names that errors give them.

    Raises:
        ValueError: NaN or inf in rows that are known, or numbers whose mean or variance no number
            of their precision holds, as too large or too small.
    """
    finest = np.result_type(*(as_float(side[:1]).dtype for side in sides.values()))
    dtype = finest if kept is None else np.dtype(kept)
    if not is_concrete(*sides.values()):
        rows = [as_float(side).astype(finest) for side in sides.values()]
        return Average(*(a.astype(dtype) for a in _traced(jnp.concatenate(rows, axis=1))))
    host = {name: np.asarray(side) for name, side in sides.items()}
    C, mean = _summed(host)
    eps = [np.full(x.shape[1], precision(x.dtype, finest)) for x in host.values()]
    with np.errstate(over="ignore", invalid="ignore"):
        blur = blurred(np.concatenate(eps), mean, np.diagonal(C))
        found = [a.astype(dtype, copy=False) for a in (C, mean, blur)]
    if not all(np.isfinite(a).all() for a in found) and np.isfinite(C).all():
        names = " and ".join(sides)
        raise ValueError(f"{names} overflows {dtype}: rescale it, or use double precision.")
    variance = np.diagonal(C)
    if ((variance > 0) & (variance < float(jnp.finfo(dtype).tiny))).any():
        names = " and ".join(sides)
        raise ValueError(
            f"{names} must vary by more than squares of {dtype} hold; got a standard deviation of "
            f"{variance[variance > 0].min() ** 0.5:.2g}: rescale it, or use double precision."
        )
    with jax.ensure_compile_time_eval():
        return Average(*(jnp.asarray(a) for a in found))


@exact_products
@jax.jit
def _traced(X: Float[Array, "n d"]) -> Average:
    shift = X[:1]
    around = X - shift
    mean = jnp.mean(around, 0)
    around = around - mean[None]
    C = around.T @ around / len(X)
    C = jnp.tril(C) + jnp.tril(C, -1).T  # a product need not be symmetric to the last bit
    mean, eps = shift[0] + mean, float(jnp.finfo(X.dtype).eps)
    return Average(C, mean, blurred(eps, mean, jnp.diagonal(C)))


def blurred(eps: Any, mean: Any, variance: Any) -> Any:
    r"""Return the variance that rounding puts on each feature, $\epsilon^2 (\mu^2 + \sigma^2)$.

    Rounding is noise of that size; by itself it makes what depends on others look free. A constant
    is rounded alike in all rows, which is no noise.
    """
    varies = (variance > 0).astype(variance.dtype)
    return (varies * (eps * mean)) ** 2 + eps**2 * variance


def precision(given: np.dtype, kept: np.dtype) -> float:
    """Return the relative rounding of numbers as they came, or as their mean is kept if coarser."""
    real = given if given.kind in "fV" and given.itemsize < 8 else np.dtype(np.float64)
    return float(max(jnp.finfo(real).eps, jnp.finfo(kept).eps))


def _summed(named: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the covariance and the mean, a block of rows at a time.

    About the mean of the first rows, whatever the mean of all: n rows beside FIRST of them lie at
    most a few roots of n / FIRST deviations away, and what cancels in the end is that, squared.
    Products go to one place: room for a new one would cost as much as adding it.
    """
    sides = list(named.values())
    n, d = len(sides[0]), sum(side.shape[1] for side in sides)
    shift = np.concatenate([side[0].astype(np.float64) for side in sides])
    most = min(max(AT_ONCE // d, FIRST), MOST)
    buffer, C, total = np.empty((min(n, most), d)), np.zeros((d, d)), np.zeros(d)
    product = np.empty((d, d))
    with np.errstate(over="ignore", invalid="ignore"):
        first = buffer[:FIRST]
        _fill(first, [side[:FIRST] for side in sides], shift)
        shift = shift + first.mean(0)
        for start in range(0, n, most):
            block = buffer[: min(most, n - start)]
            _fill(block, [side[start : start + most] for side in sides], shift)
            step = block.sum(0)
            if not np.isfinite(step).all():
                _refuse(named, start, most)
            total += step
            C += np.matmul(block.T, block, out=product)
        mean = total / n
        C /= n
        C -= np.outer(mean, mean)
        return C, shift + mean


def _fill(block: np.ndarray, sides: list[np.ndarray], shift: np.ndarray) -> None:
    """Write rows about a shift into a block, in double precision."""
    at = 0
    for side in sides:
        columns = slice(at, at := at + side.shape[1])
        if side.dtype.kind in "bV":
            side = side.astype(np.float64)
        np.subtract(side, shift[columns], out=block[:, columns], dtype=np.float64)


def _refuse(sides: Mapping[str, np.ndarray], start: int, rows: int) -> None:
    """Raise where rows aren't finite, saying where; sums that overflow are left to the status."""
    for name, side in sides.items():
        bad = ~np.isfinite(side[start : start + rows].astype(np.float64))
        if bad.any():
            row, column = np.argwhere(bad)[0]
            total = np.sum(~np.isfinite(side.astype(np.float64)))
            raise ValueError(
                f"{name} must be finite; got {total} NaN or inf, the first at row {start + row}, "
                f"column {column}. Drop or impute them first."
            )
