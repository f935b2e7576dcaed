"""Arithmetic on second moments in which a 1-D array stands for a diagonal matrix.

Population problems are often diagonal; keeping that structure saves a factorisation and memory.
"""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

P = ParamSpec("P")
T = TypeVar("T")
Moment = Float[Array, "d d"] | Float[Array, " d"]


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
