"""What callers hand over, checked once. Shapes always; values only where they are concrete.

Inside a trace value checks do nothing: there the same trouble becomes a solution's status.
"""

import os
from collections.abc import Sequence
from numbers import Real
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, ArrayLike


@runtime_checkable
class Table(Protocol):
    """What numpy makes an array of, such as a frame or a series of pandas."""

    def __array__(self) -> np.ndarray: ...


Numbers: TypeAlias = ArrayLike | Sequence[Any] | Table
NAMED = 8  # columns, or kinds, that a message names
ENCODE = "Encode text and categories first, such as by sklearn.preprocessing.OneHotEncoder."


def as_float(values: Numbers, name: str = "values") -> Array:
    """Return `values` as a floating array, of single precision at least.

    Integers go through double precision on the host: in single precision jax would wrap them.
    Values that aren't traced stay concrete inside a trace, so that they can be checked there too.
    """
    with jax.ensure_compile_time_eval():
        return _as_float(values, name)


def _as_float(values: Numbers, name: str) -> Array:
    if not any(isinstance(leaf, jax.Array) for leaf in jax.tree_util.tree_leaves(values)):
        host = on_host(values, name)
        values = host.astype(float) if host.dtype.kind in "iub" else host
    elif not isinstance(values, jax.Array | list | tuple):
        raise ValueError(f"{name} must be an array of numbers; got {type(values).__name__}.")
    with np.errstate(over="ignore"):  # infinities are found, and explained, by the checks
        array = jnp.asarray(values)
    if jnp.issubdtype(array.dtype, jnp.complexfloating):
        raise ValueError(f"{name} must be real; got an array of {array.dtype}.")
    if not jnp.issubdtype(array.dtype, jnp.floating):
        array = array.astype(jnp.result_type(float))
    # Half precision overflows at 65 504, which a second moment soon reaches.
    return array.astype(jnp.float32) if array.dtype.itemsize < 4 else array


def on_host(values: Numbers, name: str) -> np.ndarray:
    """Return known real numbers as a numpy array, not copied where they are one, or raise."""
    refuse_masked(name, values)
    host = as_array(name, values)
    if host.dtype.kind == "O":  # such as a table of several types
        host = _of_objects(name, host)
    if host.dtype.kind == "c":
        raise ValueError(f"{name} must be real; got an array of {host.dtype}.")
    if host.dtype.kind not in "fiub" and host.dtype != jnp.bfloat16:
        raise ValueError(
            f"{name} must hold numbers; got {describe(values)}, an array of {host.dtype}. {ENCODE}"
        )
    if host.dtype.kind == "f" and host.dtype.itemsize > 8:  # no array of JAX holds more
        return host.astype(np.float64)
    return host if host.dtype.isnative else host.astype(host.dtype.newbyteorder("="))


def refuse_masked(name: str, values: object) -> None:
    """Raise where entries are masked: numpy would read what lies below the mask."""
    rows: Sequence[Any] = values if isinstance(values, list | tuple) else [values]
    masks = [np.ma.getmask(row) for row in rows]
    if any(mask.dtype.names is None and mask.any() for mask in masks):  # no record holds numbers
        raise ValueError(f"{name} must have no masked entries: fill or drop them first.")


def as_array(name: str, values: object) -> np.ndarray:
    """Return values as an array, or raise where they are ragged or sparse."""
    if hasattr(values, "toarray"):
        raise ValueError(
            f"{name} must be dense; got {describe(values)}, which is sparse: pass its .toarray()."
        )
    try:
        return np.asarray(detached(values))
    except (ValueError, TypeError) as error:  # ragged, or an object that makes no array
        raise ValueError(f"{name} must be an array; got {describe(values)}: {error}") from None


def detached(value: Any) -> Any:
    """Return a torch tensor without its gradient, in the memory that numpy reads; else the same."""
    return value.detach().cpu() if is_tensor(value) else value


def is_tensor(value: object) -> bool:
    """Say whether this is a tensor of torch, by what it can do: torch isn't imported."""
    return hasattr(value, "detach")


def is_number(kind: type) -> bool:
    """Say whether this is a type of real numbers."""
    return issubclass(kind, Real | np.bool_)


def _of_objects(name: str, host: np.ndarray) -> np.ndarray:
    """Return objects that are all real numbers as floats, or raise, saying in which columns."""
    if host.ndim == 0:
        raise ValueError(f"{name} must hold numbers; got {describe(host.item())}.")
    if 0 in host.shape:
        return host.astype(float)
    rows = host.reshape(len(host), -1)
    kinds = [set(map(type, rows[:, c])) for c in range(rows.shape[1])]
    bad = [c for c, found in enumerate(kinds) if not all(map(is_number, found))]
    if not bad:
        return host.astype(float)
    names = ", ".join(sorted(kind.__name__ for kind in kinds[bad[0]])[:NAMED])
    raise ValueError(
        f"{name} must hold numbers; {len(bad)} of {rows.shape[1]} columns don't: "
        f"{listed(bad)}, the first of which has {names}. {ENCODE}"
    )


def listed(columns: Sequence[int] | np.ndarray) -> str:
    """Name some columns in a message, the first of them where they are many."""
    return ", ".join(map(str, columns[:NAMED])) + (", ..." if len(columns) > NAMED else "")


def is_concrete(*values: object) -> bool:
    """Say whether all values are known now, that is, no one of them is being traced."""
    leaves = jax.tree_util.tree_leaves(values)
    return not any(isinstance(leaf, Tracer) for leaf in leaves)


def within(value: Array, low: float | int, high: float | int) -> Array:
    """Return what lies in [low, high], and NaN else: a traced value that can't be refused.

    NaN moments become NOT_FINITE in a solution's status.
    """
    return jnp.where((value >= low) & (value <= high), value, jnp.nan)


def as_share(name: str, value: Numbers) -> Array:
    """Return a share in [0, 1], or raise; NaN where a traced one isn't."""
    share = as_float(value, name)
    if share.ndim or (is_concrete(value) and not 0 <= float(share) <= 1):
        raise ValueError(f"{name} must be a scalar in [0, 1]; got {value}.")
    return within(share, 0, 1)


def require_covariance(name: str, moment: Array, definite: bool = False) -> None:
    """Raise if a concrete covariance isn't finite, symmetric and positive semi-definite.

    With `definite`, zero variances (or eigenvalues) are refused too. Inside a trace this does
    nothing: there the same trouble becomes a solution's status.
    """
    if not is_concrete(moment):
        return
    values = np.asarray(moment, dtype=float)
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite; got {np.sum(~np.isfinite(values))} NaN or inf.")
    if values.ndim < 2:
        smallest = values.min(initial=np.inf)
        if smallest < 0 or (definite and smallest == 0):
            bound = "> 0" if definite else ">= 0"
            raise ValueError(f"{name} must hold variances {bound}; got {smallest:g}.")
        return
    scale, eps = np.abs(values).max(initial=0.0), float(jnp.finfo(moment.dtype).eps)
    asymmetry = np.abs(values - values.T).max(initial=0.0)
    if asymmetry > np.sqrt(eps) * scale:
        raise ValueError(
            f"{name} must be symmetric; entries differ from the transpose by {asymmetry:g}."
        )
    smallest = np.linalg.eigvalsh((values + values.T) / 2).min(initial=np.inf)
    rounding = 10 * eps * len(values) * scale
    if smallest < -rounding or (definite and smallest <= rounding):
        raise ValueError(
            f"{name} must be positive {'' if definite else 'semi-'}definite; "
            f"its smallest eigenvalue is {smallest:g}."
        )


def describe(value: object) -> str:
    """Say what a wrong argument is: its type, and its shape if it has one."""
    name = value.__name__ + " itself" if isinstance(value, type) else type(value).__name__
    shape = getattr(value, "shape", None)
    return f"{name} of shape {shape}" if isinstance(shape, tuple) else name


def require_samples(name: str, values: Numbers) -> Array:
    """Return `values` as an (n, d) array, or raise saying what it was instead."""
    X = as_float(values, name)
    if X.ndim != 2 or X.shape[0] == 0 or X.shape[1] == 0:
        raise ValueError(f"{name} must be a non-empty (n, d) array of samples; got {X.shape}.")
    if is_concrete(X):
        bad = ~np.isfinite(np.asarray(X))
        if bad.any() and np.isfinite(np.asarray(values, dtype=float)).all():
            raise ValueError(f"{name} overflows {X.dtype}: rescale it, or use double precision.")
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise ValueError(
                f"{name} must be finite; got {bad.sum()} NaN or inf, the first at row {row}, "
                f"column {column}. Drop or impute them first."
            )
    return X


CHANNELS = (1, 3)  # grey, or red, green and blue
MOST_CHANNELS = 4  # of a picture: red, green, blue and opacity
MOST_WHOLE = 2**31 - 1  # that a counter of JAX holds
MOST_BYTES = 8e9  # of one second moment; solving takes several


def require_room(features: int, itemsize: int) -> None:
    """Raise where a second moment of so many features is beyond any reasonable memory."""
    size = float(features) ** 2 * itemsize
    if size > MOST_BYTES:
        raise ValueError(
            f"{features:,} features have a second moment of {features:,} x {features:,} numbers, "
            f"{size / 1e9:,.0f} GB, and solving takes several (the limit is {MOST_BYTES / 1e9:g} "
            "GB). Reduce the features first: by PCA (sklearn.decomposition.PCA; where n < d, all n "
            "components lose nothing), by cutting images into patches and pairing those, or by "
            "scaling them down."
        )


def require_dim(dim: object, limit: int, what: str) -> None:
    """Raise unless 1 <= dim <= limit; dim is static, so this is a plain check."""
    if isinstance(dim, bool) or not isinstance(dim, (int, np.integer)):
        raise ValueError(f"dim must be an int; got {dim!r} of type {type(dim).__name__}.")
    if not 1 <= dim <= limit:
        raise ValueError(f"dim must be between 1 and {limit} ({what}); got {dim}.")


def require_whole(name: str, value: Any, least: int, most: int = MOST_WHOLE) -> None:
    """Raise unless this is a whole number of at least, and at most, so many."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    large = isinstance(value, int | np.integer) and value > most
    if not whole or large or value < least:
        wanted = f"from {least} to {most}" if large or most < MOST_WHOLE else f">= {least}"
        raise ValueError(f"{name} must be a whole number {wanted}; got {value!r}.")


def as_path(name: str, value: object) -> Path:
    """Return a text or a path as a path, or raise."""
    if isinstance(value, str | os.PathLike):
        found = os.fspath(value)
        if isinstance(found, str) and found:
            return Path(found)
    raise ValueError(f"{name} must be a text or a path; got {value!r}.")


def require_range(
    name: str, values: Numbers, low: float | int, high: float | int, *, positive: bool = False
) -> Array:
    """Return `values` as floats in [low, high], and above 0 with `positive`.

    What lies outside is refused where it is concrete, and becomes NaN inside a trace. It is judged
    as it came: 1e-50 is positive, though single precision has no such number.
    """
    array = as_float(values, name)
    if is_concrete(array):
        host = np.asarray(values, dtype=float)
        bad = host[~((host >= low) & (host <= high) & ((host > 0) | (not positive)))]
        if bad.size:
            bounds = f"{'(' if positive else '['}{low:g}, {high:g}]"
            raise ValueError(f"{name} must lie in {bounds}; got {bad[0]:g}.")
        return array
    array = within(array, low, high)
    return jnp.where(array > 0, array, jnp.nan) if positive else array


def channels_first(sides: Sequence[int]) -> bool:
    """Say whether three sides are rather those of (channels, height, width).

    Few channels beside a last side that is no number of them; or equal last sides.
    """
    first, second, last = sides
    if first in CHANNELS and second == last and last not in CHANNELS:
        return True
    return (
        first != second
        and min(second, last) > MOST_CHANNELS
        and (first <= MOST_CHANNELS or second == last)
    )


def like(name: str, values: Array, other: Array) -> Array:
    """Return a scalar, or an array of the shape of `other`, in its shape and precision."""
    if values.shape not in ((), other.shape):
        raise ValueError(f"{name} must be a scalar or {other.shape}; got {values.shape}.")
    return jnp.broadcast_to(values.astype(other.dtype), other.shape)
