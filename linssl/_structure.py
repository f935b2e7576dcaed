"""Arithmetic on second moments in which a 1-D array stands for a diagonal matrix.

Population problems are often diagonal; keeping that structure saves a factorisation and memory.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeAlias, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

P = ParamSpec("P")
T = TypeVar("T")
# What a caller may hand over: anything that jnp.asarray takes, lists included.
Numbers: TypeAlias = ArrayLike | Sequence[Any]
Moment = Float[Array, "d d"] | Float[Array, " d"]


def as_float(values: Numbers) -> Array:
    """Return `values` as a floating array: integers and booleans become the default float."""
    array = jnp.asarray(values)
    if jnp.issubdtype(array.dtype, jnp.complexfloating):
        raise ValueError(f"moments must be real; got an array of {array.dtype}.")
    if not jnp.issubdtype(array.dtype, jnp.floating):
        array = array.astype(jnp.result_type(float))
    return array


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


def transpose(moment: Array) -> Array:
    """Transpose, where a diagonal is its own."""
    return moment if moment.ndim == 1 else moment.T


def trace(moment: Array) -> Array:
    """Sum of the diagonal."""
    return jnp.sum(diagonal(moment))


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
