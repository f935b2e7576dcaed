"""Means and covariances of rows: on the host where the rows are known, in JAX where traced.

The first row is subtracted before anything is summed, so that a large mean costs no digits and a
constant column is exactly 0. Rows are read by slices, a block at a time, and may lie in a file.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from linssl.arguments import Numbers, as_float, describe, is_concrete, on_host, require_room
from linssl.linalg.structure import exact_products

FIRST, MOST = 64, 8192  # rows that all are centred on, and rows in memory as doubles
AT_ONCE = 2**24  # numbers, where fewer rows have as many
Rows = Array | np.ndarray  # (n, d); numpy where they are known


@runtime_checkable
class RowSource(Protocol):
    """Rows that are read by slices: of a file, a cluster's array, or a sparse matrix (csr)."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, d)."""
        ...

    @property
    def dtype(self) -> Any:
        """Of numpy."""
        ...

    def __getitem__(self, rows: Any, /) -> Any:
        """Return the rows of a slice, as an array or sparse."""
        ...


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


def as_source(name: str, values: Any) -> Any:
    """Return rows that are read by slices as they are, and others as `as_rows` does, or raise.

    Read by slices is what has a shape, a dtype of numpy and slices, but is no array in memory; an
    array mapped into memory, too. Of sparse matrices csr is; others become csr.
    """
    if not is_sliced(values):
        return as_rows(name, values)
    if len(values.shape) != 2 or 0 in values.shape:
        raise ValueError(f"{name} must be a non-empty (n, d) array of samples; got {values.shape}.")
    require_numbers(name, values)
    require_room(values.shape[1], 8)
    return as_csr(name, values) if hasattr(values, "tocsr") else values


def as_csr(name: str, values: Any) -> Any:
    """Return a sparse matrix by rows, or raise where its parts don't fit together.

    scipy looks at its indices only when asked, and reads and writes foreign memory by wrong ones.
    """
    if hasattr(values, "check_format"):
        try:
            values.check_format(full_check=True)
        except ValueError as error:
            raise ValueError(f"{name} is damaged: {error}.") from error
    return values.tocsr()


def require_numbers(name: str, values: Any) -> None:
    """Raise where what is read by slices holds no real numbers."""
    dtype = np.dtype(values.dtype)
    if dtype.kind not in "fiub" and dtype != jnp.bfloat16:
        raise ValueError(f"{name} must hold numbers; got {describe(values)}, of {dtype}.")


def shape_of(values: Any) -> tuple[int, ...]:
    """Return the shape of an array, of what has slices, or of lists of numbers."""
    return tuple(values.shape) if hasattr(values, "shape") else np.shape(values)


def is_sliced(values: Any) -> bool:
    """Say whether rows are read by slices: of what has a shape, a dtype of numpy and slices.

    No array in memory is, but one that is mapped into it.
    """
    if isinstance(values, np.ndarray | np.generic | jax.Array) and not isinstance(
        values, np.memmap
    ):
        return False
    sliced = hasattr(values, "__getitem__") or hasattr(values, "tocsr")
    found = isinstance(getattr(values, "dtype", None), np.dtype)
    return sliced and found and isinstance(getattr(values, "shape", None), tuple)


def average(
    kept: DTypeLike | None = None,
    weights: np.ndarray | None = None,
    /,
    **sides: Rows | RowSource,
) -> Average:
    """Average rows of several sides, side by side, in double precision where they are known.

    Args:
        kept: precision of the result; None is the finest of all sides.
        weights: of the rows, known as these must be, from `as_weights`; None is 1.
        sides: (n, d_1), (n, d_2), ... from `as_rows` or `as_source`, by the names that errors give
            them.

    Raises:
        ValueError: NaN or inf in rows that are known, or numbers whose mean or variance no number
            of their precision holds, as too large or too small.
    """
    finest = np.result_type(*(float_type(side.dtype) for side in sides.values()))
    dtype = finest if kept is None else np.dtype(kept)
    if not is_concrete(*sides.values()):
        known: list[Any] = list(sides.values())
        rows = [as_float(side).astype(finest) for side in known]
        return Average(*(a.astype(dtype) for a in _traced(jnp.concatenate(rows, axis=1))))
    host = {n: np.asarray(s) if isinstance(s, jax.Array) else s for n, s in sides.items()}
    total = summed(host, None, weights)
    eps = [np.full(x.shape[1], precision(x.dtype, finest)) for x in host.values()]
    return as_average(" and ".join(sides), dtype, total, np.concatenate(eps))


def as_weights(weights: Numbers, n: int) -> np.ndarray | None:
    """Return weights, the largest of them 1; None where all are equal; or raise."""
    w = on_host(weights, "weights").astype(np.float64)
    if w.shape != (n,):
        raise ValueError(f"weights must be ({n},), one for each row; got {w.shape}.")
    bad = np.flatnonzero(~(np.isfinite(w) & (w >= 0)))
    if bad.size:
        raise ValueError(
            f"weights must be finite and >= 0; got {w[bad[0]]:g} for row {bad[0]}"
            f"{f', and {bad.size - 1} more' if bad.size > 1 else ''}."
        )
    if not w.any():
        raise ValueError("weights must not all be 0.")
    return None if (w == w[0]).all() else w / w.max()


def effective(n: int, weights: np.ndarray | None) -> Any:
    r"""Return how many rows of one weight vary as much, $W^2 / \sum w_i^2$ (Kish); or n."""
    return n if weights is None else weights.sum() ** 2 / (weights**2).sum()


def as_average(names: str, dtype: DTypeLike, total: "Total", eps: Any) -> Average:
    """Return what was summed in double precision, kept in another, or raise.

    Args:
        names: of the rows, in errors.
        dtype: in which it is kept.
        total: what was summed.
        eps: relative rounding of the rows, one for all or (d,).
    """
    C, mean, kept = total.covariance, total.mean, np.dtype(dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        blur = blurred(eps, mean, np.diagonal(C))
        found = [a.astype(kept, copy=False) for a in (C, mean, blur)]
    if not all(np.isfinite(a).all() for a in found) and np.isfinite(C).all():
        raise ValueError(f"{names} overflows {kept}: rescale it, or use double precision.")
    variance = np.diagonal(C)
    if ((variance > 0) & (variance < float(jnp.finfo(kept).tiny))).any():
        raise ValueError(
            f"{names} must vary by more than squares of {kept} hold; got a standard deviation of "
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


def float_type(given: Any) -> np.dtype:
    """Return the precision in which moments of such numbers are kept."""
    return np.dtype(as_float(np.empty(0, np.dtype(given))).dtype)


def precision(given: np.dtype, kept: np.dtype) -> float:
    """Return the relative rounding of numbers as they came, or as their mean is kept if coarser."""
    half = given.kind in "fV" and given.itemsize < 8
    real = given.newbyteorder("=") if half else np.dtype(np.float64)
    return float(max(jnp.finfo(real).eps, jnp.finfo(kept).eps))


class Total(NamedTuple):
    """The covariance (d, d) and the mean (d,) of rows in double precision, and their weight."""

    covariance: np.ndarray
    mean: np.ndarray
    weight: float


def summed(
    named: Mapping[str, Any],
    rows: range | None = None,
    weights: np.ndarray | None = None,
    begin: int = 0,
) -> Total:
    """Average rows on the host, a block at a time; numpy alone, for any process.

    About the mean of the first rows, whatever the mean of all: n rows beside FIRST of them lie at
    most a few roots of n / FIRST deviations away, and what cancels in the end is that, squared.
    Products go to one place: room for a new one would cost as much as adding it.

    Args:
        named: the sides, of rows that are known, by their names in errors.
        rows: which; None is all.
        weights: of those rows, >= 0; None is 1.
        begin: the number of the first row that the sides hold.

    Raises:
        ValueError: rows that aren't finite, or of another shape or type than the sides have.
    """
    n = next(iter(named.values())).shape[0]
    rows = range(n) if rows is None else rows
    sides = [Side.of(name, side, begin) for name, side in named.items()]
    d = sum(side.features for side in sides)
    most = min(max(AT_ONCE // d, FIRST), MOST)
    buffer, C, total = np.empty((min(len(rows), most), d)), np.zeros((d, d)), np.zeros(d)
    product = np.empty((d, d))
    weight = float(len(rows)) if weights is None else float(weights.sum())
    with np.errstate(over="ignore", invalid="ignore"):
        shift = _centre(sides, rows, weights)
        for start in rows[::most]:
            stop = min(start + most, rows.stop)
            read = [side.read(start, stop) for side in sides]
            block = _fill(buffer[: stop - start], read, shift)
            if weights is None:
                step = block.sum(0)
            else:
                root = np.sqrt(weights[start - rows.start : stop - rows.start])
                block *= root[:, None]
                step = root @ block
            if not np.isfinite(step).all():
                _refuse(sides, read, start, alone=begin + n > stop - start)
            total += step
            C += np.matmul(block.T, block, out=product)
        if weight:
            mean = total / weight
            C /= weight
            C -= np.outer(mean, mean)
            shift = shift + mean
        return Total(C, shift, weight)


class Side(NamedTuple):
    """One side, with the shape and the type that it had at first: a file may change."""

    name: str
    rows: Any
    features: int
    dtype: Any
    begin: int

    @classmethod
    def of(cls, name: str, rows: Any, begin: int = 0) -> "Side":
        """Look at rows, the first of which has the number `begin`."""
        return cls(name, rows, rows.shape[1], rows.dtype, begin)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Return some rows, dense, or raise where they aren't what was promised."""
        block = as_dense(self.rows[start - self.begin : stop - self.begin])
        wanted = (stop - start, self.features)
        if block.shape != wanted or block.dtype != self.dtype:
            raise ValueError(
                f"{self.name} changed while it was read: rows {start} to {stop - 1} must be "
                f"{wanted} of {self.dtype}; got {block.shape} of {block.dtype}."
            )
        return block


def as_dense(block: Any) -> np.ndarray:
    """Return rows that were read, which may be sparse, as an array."""
    return np.asarray(block.toarray() if hasattr(block, "toarray") else block)


def _centre(sides: list[Side], rows: range, weights: np.ndarray | None) -> np.ndarray:
    """Return the mean of the first rows, or of the heaviest run of as many.

    A run has the share of all weight that it has of all rows, at least; the first might have none.
    """
    start = rows.start
    if weights is not None:
        start += FIRST * int(np.argmax(np.add.reduceat(weights, np.arange(0, len(rows), FIRST))))
    stop = min(start + FIRST, rows.stop)
    read = [side.read(start, stop) for side in sides]
    first = np.concatenate([side[0].astype(np.float64) for side in read])
    around = _fill(np.empty((stop - start, len(first))), read, first)
    if weights is None:
        return first + around.mean(0)
    w = weights[start - rows.start : stop - rows.start]
    return first + w @ around / max(w.sum(), np.finfo(float).tiny)


def _fill(block: np.ndarray, sides: list[np.ndarray], shift: np.ndarray) -> np.ndarray:
    """Write rows about a shift into a block, in double precision."""
    at = 0
    for side in sides:
        columns = slice(at, at := at + side.shape[1])
        if side.dtype.kind in "bV":
            side = side.astype(np.float64)
        np.subtract(side, shift[columns], out=block[:, columns], dtype=np.float64)
    return block


def _refuse(sides: list[Side], read: list[np.ndarray], start: int, alone: bool) -> None:
    """Raise where rows aren't finite, saying where; sums that overflow are left to the status."""
    for side, block in zip(sides, read, strict=True):
        bad = ~np.isfinite(block.astype(np.float64))
        if bad.any():
            row, column = np.argwhere(bad)[0]
            seen = f" (in rows {start} to {start + len(block) - 1} alone)" if alone else ""
            raise ValueError(
                f"{side.name} must be finite; got {bad.sum()} NaN or inf, the first at row "
                f"{start + row}, column {column}{seen}. Drop or impute them first."
            )
