"""Arithmetic on second moments in which a 1-D array stands for a diagonal matrix.

Population problems are often diagonal; keeping that structure saves a factorisation and memory.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeAlias, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

P = ParamSpec("P")
T = TypeVar("T")
# What a caller may hand over: anything that jnp.asarray takes, lists included.
Numbers: TypeAlias = ArrayLike | Sequence[Any]
Moment = Float[Array, "d d"] | Float[Array, " d"]


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
    rows = values if isinstance(values, list | tuple) else [values]
    if any(np.ma.is_masked(row) for row in rows):
        raise ValueError(f"{name} must have no masked entries: fill or drop them first.")
    try:
        host = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} must be an array of numbers; numpy says: {error}") from None
    if host.dtype.kind == "c":
        raise ValueError(f"{name} must be real; got an array of {host.dtype}.")
    if host.dtype.kind not in "fiub" and host.dtype != jnp.bfloat16:
        raise ValueError(f"{name} must hold numbers; got an array of {host.dtype}.")
    if host.dtype.kind == "f" and host.dtype.itemsize > 8:  # no array of JAX holds more
        return host.astype(np.float64)
    return host if host.dtype.isnative else host.astype(host.dtype.newbyteorder("="))


def dense(moment: Array) -> Array:
    """Write a diagonal out as a matrix; a matrix stays what it is."""
    return jnp.diag(moment) if moment.ndim == 1 else moment


def diagonal(moment: Array) -> Array:
    """Return the diagonal of a second moment."""
    return moment if moment.ndim == 1 else jnp.diagonal(moment)


def add(a: Array, b: Array) -> Array:
    """Add two second moments; the sum of two diagonals stays a diagonal."""
    return a + b if a.ndim == b.ndim else dense(a) + dense(b)


def multiply(a: Array, b: Array) -> Array:
    """Multiply two matrices, each of which may be a diagonal."""
    if a.ndim == b.ndim == 1:
        return a * b
    if a.ndim == 1:
        return a[:, None] * b
    return a * b[None, :] if b.ndim == 1 else a @ b


def symmetric(moment: Array) -> Array:
    """Return a covariance whose rounding is symmetric too."""
    return moment if moment.ndim == 1 else (moment + moment.T) / 2


def transpose(moment: Array) -> Array:
    """Transpose, where a diagonal is its own."""
    return moment if moment.ndim == 1 else moment.T


def about_zero(covariance: Array, mean: Array) -> Array:
    r"""Return $E[xx^T] = C + \mu\mu^T$, (d, d)."""
    return dense(covariance) + jnp.outer(mean, mean)


def trace(moment: Array) -> Array:
    """Sum of the diagonal."""
    return jnp.sum(diagonal(moment))


def moment_root(second: Array) -> Array:
    """Return R with R^T R = A for a semi-definite (m, m) A: larger rows first, zero rows last.

    Eigenvalues that are zero to working precision are taken as 0: a factorisation that needs
    A definite, or keeps the root of a negative rounding error, would give NaN.
    """
    values, vectors = jnp.linalg.eigh(second)
    zero = values <= values.size * jnp.finfo(values.dtype).eps * values[-1]
    return (jnp.sqrt(jnp.where(zero, 0, values))[:, None] * vectors.T)[::-1]


def covariance_root(covariance: Array) -> Array:
    """Return F with F F^T = C: the deviations of a diagonal, else a matrix."""
    return jnp.sqrt(covariance) if covariance.ndim == 1 else moment_root(covariance).T


def exact_products(function: Callable[P, T]) -> Callable[P, T]:
    """Run a function with full-precision matrix products.

    The default product of float32 matrices is TF32 on GPUs and bfloat16 on TPUs: three digits,
    which moments that are about to be factorised cannot afford.
    """

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        with jax.default_matmul_precision("highest"):
            return function(*args, **kwargs)

    return wrapped


def room_for(dim: int, features: int) -> int:
    """Return K >= k, the size of a code whose part from k on is 0.

    Few numbers, so that few programs are compiled: 16, 64, 256, ... or all features.
    """
    room = 16
    while room < dim:
        room *= 4
    return min(room, features)
