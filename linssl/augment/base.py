"""What an augmentation is, and the one law by which it acts on the moments of a pair."""

import abc
from typing import Any, NamedTuple, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Key

from linssl._checks import describe
from linssl._digits import mark_constant, steady
from linssl._structure import (
    Moment,
    Numbers,
    add,
    as_float,
    dense,
    diagonal,
    exact_products,
    multiply,
    transpose,
)
from linssl.moments import PairMoments, require_pair

MaybeAugmentation = TypeVar("MaybeAugmentation", bound="Augmentation | None")


class Effect(NamedTuple):
    r"""What an augmentation does to a side of a pair, in its moments.

    Args:
        spread: $\Sigma = E[\mathrm{Cov}(\tau(x) | x)]$, (d, d) or (d,).
        linear: $\bar A$: (d, d), (d,) where it is diagonal, () for a multiple of the identity, and
            None for the identity.
        offset: $\bar b$, (d,), None where it is 0.

    Source: derived.
    """

    spread: Moment
    linear: Array | None = None
    offset: Float[Array, " d"] | None = None


class Augmentation(eqx.Module):
    r"""A random affine map $\tau(x) = A x + b + \varepsilon$, independent of x.

    A family gives the simulator (`sample`) and the theory (`moments`) from the same fields, so
    that each can check the other. With $\bar A = E[A]$, $\bar b = E[b]$:

    $$ E[\tau(x) | x] = \bar A x + \bar b, \qquad \Sigma = E[\mathrm{Cov}(\tau(x) | x)] $$

    Source: derived; random linear augmentations.
    """

    @abc.abstractmethod
    def sample(self, key: Key[Array, ""], x: Float[Array, "*batch d"]) -> Float[Array, "*batch d"]:
        """Draw one independent view of each row of x. Source: derived."""

    @abc.abstractmethod
    def moments(self, second: Moment, mean: Float[Array, " d"]) -> Effect:
        r"""Return $\Sigma$, $\bar A$ and $\bar b$ from raw $E[xx^T]$ and E[x]. Source: derived."""

    def input_size(self) -> int | None:
        """Return the number of features it is for, None for any. Source: derived."""
        return None


def as_rows(a: Augmentation, x: Numbers) -> Array:
    """Return what is to be augmented as a float array (..., d), or raise where d doesn't fit.

    Source: derived (validation).
    """
    array = as_float(x, "x")
    size = a.input_size()
    if array.ndim == 0 or (size is not None and array.shape[-1] != size):
        wanted = "(..., d)" if size is None else f"(..., {size})"
        raise ValueError(f"x must be {wanted}; got {array.shape}.")
    return array


class Transformed(NamedTuple):
    r"""One side of a pair after an augmentation: what `augment` and `compose` put together.

    Args:
        second: raw $E[\tau\tau^T]$.
        mean: $E[\tau]$.
        linear: $\bar A$, None for the identity.
        offset: $\bar b$, None for 0.
        spread: $\Sigma$, None without augmentation.

    Source: derived.
    """

    second: Array
    mean: Array
    linear: Array | None
    offset: Array | None
    spread: Array | None


def augment(
    pair: PairMoments, first: Augmentation | None = None, second: Augmentation | None = None
) -> PairMoments:
    r"""Augment both sides of a pair, independently given the pair.

    $$ S' = \bar A_a S \bar A_a^T + \Sigma_a(S), \quad C' = \bar A_b C \bar A_b^T + \Sigma_b(C),
       \quad G' = \bar A_a G \bar A_b^T $$

    plus the terms of $\bar b$ where an augmentation has a mean offset. Raw moments in, raw
    moments out, in the precision of the pair. The result is exchangeable if the pair is and both
    sides get the same object; then $\Sigma' = \bar A_a \Sigma \bar A_a^T + \Sigma_a$ is carried
    exactly.

    Args:
        pair: moments of (u, v).
        first: $a$, acts on u; None leaves u clean.
        second: $b$, acts on v; None leaves v clean.

    Raises:
        ValueError: not a pair, not augmentations, or an augmentation of another size than its side.

    Source: derived (law of total covariance); the views of JEvRC, section 3.

    """
    require_pair(pair)
    for name, a in (("first", first), ("second", second)):
        if not (a is None or isinstance(a, Augmentation)):
            raise ValueError(f"{name} must be an Augmentation or None; got {describe(a)}.")
    same = pair.exchangeable and first is second
    at_once = all(a is None or is_built_in(a) for a in (first, second))
    # By one program: run one by one, forty operations compile on their own.
    run = _augmented_at_once if at_once else _augmented
    return run(pair, first, None if same else second, same)


def is_built_in(a: Augmentation) -> bool:
    """Say whether an augmentation and all its parts are this library's, and safe to compile.

    Others may compute by NumPy, branch on values, or read what changes outside their arrays: a
    program that was compiled once would go on with what it was. Source: derived (bookkeeping).
    """
    leaves = jax.tree_util.tree_leaves(
        a, is_leaf=lambda x: isinstance(x, Augmentation) and x is not a
    )
    parts = [leaf for leaf in leaves if isinstance(leaf, Augmentation)]
    return type(a).__module__.startswith("linssl.") and all(map(is_built_in, parts))


def _augmented(
    pair: PairMoments, first: Augmentation | None, second: Augmentation | None, same: bool
) -> PairMoments:
    """Augment both sides."""
    first, second = (as_precise(a, pair.first.dtype) for a in (first, second))
    u = transform(first, pair.first, pair.mean_first, "first")
    v = u if same else transform(second, pair.second, pair.mean_second, "second")
    G = _cross(u, v, pair)
    if same:
        # What noise does to S doesn't enter: a feature that is constant but for noise is so in G.
        constant = steady(pair.cross, pair.mean_first, pair.first)
        G = mark_constant(G, u.mean, _still(constant, u.linear))
    within = pair.within if same else None
    if within is not None and u.spread is not None:
        # The offset is the same in S and in G, so only the linear part and the spread remain.
        within = add(between(u.linear, within, u.linear), u.spread.astype(within.dtype))
    return PairMoments(
        u.second, v.second, G, u.mean, v.mean, pair.count, within=within, exchangeable=same
    )


_augmented_at_once = eqx.filter_jit(_augmented)


def as_precise(a: MaybeAugmentation, dtype: DTypeLike) -> MaybeAugmentation:
    """Give an augmentation at least the precision of a pair.

    A spread computed in less may be rounded in two ways inside one program, and S - G then isn't
    what is carried as within.

    Source: derived (bookkeeping).
    """

    def raised(x: Any) -> Any:
        real = eqx.is_inexact_array(x) and jnp.issubdtype(x.dtype, jnp.floating)
        return x.astype(dtype) if real and x.dtype.itemsize < jnp.dtype(dtype).itemsize else x

    return jax.tree_util.tree_map(raised, a)


@exact_products
def transform(
    a: Augmentation | None, second: Moment, mean: Float[Array, " d"], name: str
) -> Transformed:
    r"""Return the moments of an augmented side, and what made them.

    $$ E[\tau\tau^T] = E[(\bar A x + \bar b)(\bar A x + \bar b)^T] + \Sigma $$

    Args:
        a: the augmentation; None leaves the side as it is.
        second: raw $E[xx^T]$.
        mean: E[x].
        name: of the side, for error messages.

    Raises:
        ValueError: an augmentation of another size than the side.

    Source: derived (law of total covariance).
    """
    if a is None:
        return Transformed(second, mean, None, None, None)
    dtype, d = second.dtype, second.shape[0]
    if a.input_size() not in (None, d):
        raise ValueError(
            f"{name}: {type(a).__name__} is for {a.input_size()} features; that side of the "
            f"pair has {d}."
        )
    spread, A, b = (None if p is None else p.astype(dtype) for p in a.moments(second, mean))
    assert spread is not None
    for part in (spread, A, b):
        if part is not None and part.ndim and part.shape[0] != d:
            raise ValueError(
                f"{name}: {type(a).__name__} is for {part.shape[0]} features; that side of the "
                f"pair has {d}."
            )
    moved = apply(A, mean)
    product, new_mean = between(A, second, A), moved
    if b is not None:
        new_mean = moved + b
        product = dense(product) + jnp.outer(b, new_mean) + jnp.outer(moved, b)
    # Nothing is spread beyond rounding.
    rounding = jnp.square(8 * d * jnp.finfo(dtype).eps * new_mean)
    constant = _still(diagonal(second) == mean * mean, A) & (diagonal(spread) <= rounding)
    total = add(product, spread)
    total = total if total.ndim == 1 else (total + total.T) / 2
    return Transformed(mark_constant(total, new_mean, constant), new_mean, A, b, spread)


def _still(constant: Array, A: Array | None) -> Array:
    """Say which features are made of constant ones only."""
    if A is None or A.ndim < 2:
        return constant
    return ~jnp.any((A != 0) & ~constant[None, :], axis=1)


@exact_products
def _cross(u: Transformed, v: Transformed, pair: PairMoments) -> Array:
    r"""Return $E[(\bar A_a u + \bar b_a)(\bar A_b v + \bar b_b)^T]$."""
    product = between(u.linear, pair.cross, v.linear)
    if u.offset is not None:
        product = dense(product) + jnp.outer(u.offset, v.mean)
    if v.offset is not None:
        product = dense(product) + jnp.outer(apply(u.linear, pair.mean_first), v.offset)
    return product


@exact_products
def about_mean(second: Moment, mean: Float[Array, " d"]) -> Float[Array, "d d"]:
    """Return the covariance, in which a constant is exactly 0 throughout. Source: derived."""
    varies = diagonal(second) != mean * mean
    C = dense(second) - jnp.outer(mean, mean)
    return jnp.where(varies[:, None] & varies[None, :], C, 0)


@exact_products
def apply(A: Array | None, mean: Array) -> Array:
    r"""Return $\bar A \mu$, where None is the identity. Source: derived."""
    if A is None:
        return mean
    A = A.astype(mean.dtype)
    return A @ mean if A.ndim == 2 else A * mean


@exact_products
def between(left: Array | None, moment: Array, right: Array | None) -> Array:
    r"""Return $A M B^T$, where None is the identity and a scalar a multiple of it.

    Source: derived.
    """
    if left is not None:  # a scalar times a scalar, too
        moment = multiply(left, moment) if left.ndim and moment.ndim else left * moment
    if right is None:
        return moment
    return multiply(moment, transpose(right)) if right.ndim else moment * right
