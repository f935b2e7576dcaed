"""The one law by which augmentations act on moments, and the two verbs that make the pairs."""

from typing import Any, NamedTuple, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from linssl.arguments import describe
from linssl.augmentations.base import Augmentation, Effect
from linssl.data.sources.opening import Data
from linssl.linalg.structure import Moment, add, exact_products, multiply, symmetric, transpose
from linssl.moments import PairMoments, Views, require_pair, require_views
from linssl.pairs.same_instance import same_instance

MaybeAugmentation = TypeVar("MaybeAugmentation", bound="Augmentation | None")
IMPURE = (
    jax.errors.TracerArrayConversionError,
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerIntegerConversionError,
)


def two_views(x: Data | Views, a: Augmentation) -> Views:
    r"""Make the two views of joint embedding: $\tau_1(x)$ and $\tau_2(x)$, drawn independently.

    $$ G = \bar A\, \mathrm{Cov}(x)\, \bar A^T, \qquad S = G + \Sigma $$

    Args:
        x: data (n, d), or `Views` that are there already (instances of one class, say), each of
            which is augmented.
        a: the augmentation, by its exact moments: nothing is sampled.

    Raises:
        ValueError: data that aren't finite (n, d), or an augmentation of another size.

    Source: derived; the pairs of JEvRC, section 3.
    """
    return augment(as_views(x), a)


def view_and_clean(x: Data | Views, a: Augmentation) -> PairMoments:
    r"""Make the pair of reconstruction: a view $\tau(x)$, and x itself as its target.

    $$ S = \bar A C \bar A^T + \Sigma, \qquad \mathrm{Cov}(\tau, x) = \bar A C, \qquad
       C = \mathrm{Cov}(x) $$

    Args:
        x: data (n, d), or `Views`: of two instances of one class, one is augmented and the other,
            its partner, is the target.
        a: the augmentation, by its exact moments.

    Raises:
        ValueError: data that aren't finite (n, d), or an augmentation of another size.

    Source: derived; the pairs of JEvRC, section 3.
    """
    _require_augmentation(a)
    return augment_sides(as_views(x).as_pair(), a, None)


def as_views(x: Data | Views) -> Views:
    """Return data as an instance paired with itself, and views as they are."""
    if isinstance(x, PairMoments):
        raise ValueError(
            "x must be data (n, d) or Views; got PairMoments, whose sides differ: augment_sides "
            "augments them."
        )
    return x if isinstance(x, Views) else same_instance(x)


def augment(views: Views, a: Augmentation) -> Views:
    r"""Augment two views, independently given the views, by one law.

    $$ G' = \bar A G \bar A^T, \quad \Sigma' = \bar A \Sigma \bar A^T + \Sigma_a(S, \mu), \quad
       \mu' = \bar A \mu + \bar b $$

    Draws are never raised: $\min(\mathrm{draws},\, n(P - 1))$ for one of P maps or masks and for
    a fixed count of P patches, and as they are for noise, dropout and independent patches.

    Names of features stay: a view has the coordinates of its instance, as an image that was moved
    has its pixels, whatever mixes in them. Of maps to other coordinates, such as a random rotation
    (`Matrices`), drop them: `augment(views, a).named(None)`.

    Args:
        views: moments of two views, or of an instance with itself (`same_instance`).
        a: the augmentation.

    Raises:
        ValueError: not views, not an augmentation, or one of another size, or whose `effect` isn't
            computed by JAX.

    Source: derived (law of total covariance).
    """
    require_views(views, "augment")
    _require_augmentation(a)
    return _compiled(_augmented, views, a)


def augment_sides(
    pair: PairMoments, first: Augmentation | None, second: Augmentation | None
) -> PairMoments:
    r"""Augment both sides of a pair, independently given the pair.

    $$ S' = \bar A_a S \bar A_a^T + \Sigma_a, \quad C' = \bar A_b C \bar A_b^T + \Sigma_b,
       \quad G' = \bar A_a G \bar A_b^T $$

    Args:
        pair: moments of (u, v).
        first: $a$, acts on u; None leaves u as it is.
        second: $b$, acts on v; None leaves v as it is. The same augmentation as `first` is fine:
            each side gets a draw of its own.

    Raises:
        ValueError: as `augment`.

    Source: derived (law of total covariance).
    """
    require_pair(pair)
    for name, a in (("first", first), ("second", second)):
        if not (a is None or isinstance(a, Augmentation)):
            raise ValueError(f"{name} must be an Augmentation or None; got {describe(a)}.")
    return _compiled(_augmented_sides, pair, first, second)


def _require_augmentation(a: object) -> None:
    if not isinstance(a, Augmentation):
        raise ValueError(f"a must be an Augmentation; got {describe(a)}.")


class Transformed(NamedTuple):
    r"""Moments of an augmented vector, and what made them.

    Args:
        covariance: $\mathrm{Cov}(\tau)$.
        mean: $E[\tau]$.
        linear: $\bar A$, None for the identity.
        offset: $\bar b$, None for 0.
        spread: $\Sigma$.
        maps: P of a finite family, else None.
    """

    covariance: Moment
    mean: Float[Array, " d"]
    linear: Array | None
    offset: Array | None
    spread: Moment
    maps: int | Array | None


@exact_products
def transform(a: Augmentation, covariance: Moment, mean: Float[Array, " d"]) -> Transformed:
    r"""Return the moments of an augmented vector: $\bar A C \bar A^T + \Sigma$ and $\bar A \mu +
    \bar b$.

    Raises:
        ValueError: an augmentation of another size than the vector.

    Source: derived (law of total covariance).
    """
    dtype, d = covariance.dtype, covariance.shape[0]
    name = type(a).__name__
    if a.input_size() not in (None, d):
        raise ValueError(f"{name} is for {a.input_size()} features; that side has {d}.")
    effect = as_precise(a, dtype).effect(covariance, mean)
    if not isinstance(effect, Effect):
        raise ValueError(f"{name}.effect must return an Effect; got {describe(effect)}.")
    spread = _part(name, effect, "spread", [(d,), (d, d)], dtype)
    A = None if effect.linear is None else _part(name, effect, "linear", [(), (d,), (d, d)], dtype)
    b = None if effect.offset is None else _part(name, effect, "offset", [(d,)], dtype)
    total = add(between(A, covariance, A), spread)
    moved = apply(A, mean) if b is None else apply(A, mean) + b
    return Transformed(symmetric(total), moved, A, b, symmetric(spread), effect.maps)


def _part(
    name: str, effect: Effect, field: str, shapes: list[tuple[int, ...]], dtype: DTypeLike
) -> Array:
    """Return a part of an effect, or raise where it has no such shape: none is broadcast."""
    wanted = f"{name}.effect must return {field} of a shape in {shapes}"
    if getattr(effect, field) is None:
        raise ValueError(f"{wanted}; got None.")
    part, d = jnp.asarray(getattr(effect, field)), shapes[-1][0]
    if part.ndim and part.shape[0] != d:
        raise ValueError(f"{name} is for {part.shape[0]} features; that side has {d}.")
    if part.shape not in shapes:
        raise ValueError(f"{wanted}; got {part.shape}.")
    return part.astype(dtype)


@eqx.filter_jit
@exact_products
def _augmented(views: Views, a: Augmentation) -> Views:
    S = views.covariance
    u = transform(a, S, views.mean)
    G = symmetric(between(u.linear, views.shared, u.linear))
    spread = symmetric(add(between(u.linear, views.spread, u.linear), u.spread))
    rows = views.count * (views.group_size or 1)
    draws = jnp.minimum(views.draws, _draws(rows, u.maps))
    rounding = _rounding(u, views.mean, views.rounding)
    return Views(G, spread, u.mean, views.count, draws, rounding, views.group_size, views.features)


@eqx.filter_jit
@exact_products
def _augmented_sides(
    pair: PairMoments, first: Augmentation | None, second: Augmentation | None
) -> PairMoments:
    sides = (
        (first, pair.first, pair.mean_first, pair.rounding_first),
        (second, pair.second, pair.mean_second, pair.rounding_second),
    )
    draws, done = pair.draws, []
    for a, S, mean, rounding in sides:
        if a is None:
            done.append((S, mean, rounding, None))
            continue
        u = transform(a, S, mean)
        done.append((u.covariance, u.mean, _rounding(u, mean, rounding), u.linear))
        draws = jnp.minimum(draws, _draws(pair.count, u.maps))
    (S, m, r, A), (C, v, q, B) = done
    G = between(A, pair.cross, B)
    names = pair.features_first, pair.features_second
    return PairMoments(S, C, G, m, v, pair.count, draws, r, q, *names)


def _compiled(run: Any, *arguments: Any) -> Any:
    """Run one compiled program, and say in words where an augmentation can't be compiled."""
    try:
        return run(*arguments)
    except IMPURE as error:
        raise ValueError(
            "an augmentation's effect must be computed by JAX from its fields and arguments, as "
            f"it is compiled: no numpy, no branches on values. {str(error).splitlines()[0]}"
        ) from error


def _draws(rows: Array, maps: int | Array | None) -> Array:
    """Return how many independent differences rows give under one of P maps; inf else."""
    infinite = jnp.full_like(rows, jnp.inf)
    if maps is None:
        return infinite
    P = jnp.asarray(maps).astype(rows.dtype)
    return jnp.where(P < 2, infinite, rows * (P - 1))


def _rounding(u: Transformed, mean: Array, rounding: Array) -> Array:
    """Return the variance that rounding puts on a view: that of x, and that of moving its mean.

    A map of a large mean leaves its rounding, squared, as a variance where there should be none.
    """
    if u.linear is None:
        return rounding
    A = jnp.abs(u.linear)
    if A.ndim < 2:  # rounds nothing that isn't there
        return jnp.square(A) * rounding
    eps = float(jnp.finfo(mean.dtype).eps)
    return jnp.square(A) @ rounding + jnp.square(8 * eps * (A @ jnp.abs(mean)))


def as_precise(a: MaybeAugmentation, dtype: DTypeLike) -> MaybeAugmentation:
    """Give an augmentation at least the precision of a pair.

    A spread computed in less may be rounded in two ways inside one program.
    """

    def raised(x: Any) -> Any:
        real = eqx.is_inexact_array(x) and jnp.issubdtype(x.dtype, jnp.floating)
        return x.astype(dtype) if real and x.dtype.itemsize < jnp.dtype(dtype).itemsize else x

    return jax.tree_util.tree_map(raised, a)


@exact_products
def apply(A: Array | None, mean: Array) -> Array:
    r"""Return $\bar A \mu$, where None is the identity."""
    if A is None:
        return mean
    A = A.astype(mean.dtype)
    return A @ mean if A.ndim == 2 else A * mean


@exact_products
def between(left: Array | None, moment: Array, right: Array | None) -> Array:
    r"""Return $A M B^T$, where None is the identity and a scalar a multiple of it."""
    if left is not None:  # a scalar times a scalar, too
        moment = multiply(left, moment) if left.ndim and moment.ndim else left * moment
    if right is None:
        return moment
    return multiply(moment, transpose(right)) if right.ndim else moment * right
