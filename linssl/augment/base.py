"""What an augmentation is, and the one law by which it acts on the moments of a pair."""

import abc

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from linssl._checks import describe
from linssl._structure import Moment, add, dense, diagonal, exact_products, multiply, transpose
from linssl.moments import PairMoments, mark_constant, require_pair


class Augmentation(eqx.Module):
    r"""A random affine map $\tau(x) = A x + b + \varepsilon$, independent of x.

    A family gives the simulator (`sample`) and the theory (`linear`, `offset`, `spread`) from the
    same fields, so that each can check the other. With $\bar A = E[A]$, $\bar b = E[b]$:

    $$ E[\tau(x) | x] = \bar A x + \bar b, \qquad \Sigma = E[\mathrm{Cov}(\tau(x) | x)] $$

    Source: derived; random linear augmentations.
    """

    @abc.abstractmethod
    def sample(self, key: Key[Array, ""], x: Float[Array, "*batch d"]) -> Float[Array, "*batch d"]:
        """Draw one independent view of each row of x. Source: derived."""

    @abc.abstractmethod
    def spread(self, second: Moment, mean: Float[Array, " d"]) -> Moment:
        r"""Return $\Sigma = E[\mathrm{Cov}(\tau(x)|x)]$ from raw $E[xx^T]$ and E[x].

        Source: derived.
        """

    def mean_map(self) -> Array | None:
        r"""Return $\bar A$: (d, d), (d,) where it is diagonal, None where it is the identity.

        Source: derived.
        """
        return None

    def mean_offset(self) -> Float[Array, " d"] | None:
        r"""Return $\bar b$, (d,), or None where it is 0. Source: derived."""
        return None


@exact_products
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
    S, m = _one_side(first, pair.first, pair.mean_first, "first")
    C, v = _one_side(second, pair.second, pair.mean_second, "second")
    G = _expected_product(first, second, pair.cross, pair.mean_first, pair.mean_second)
    within = pair.within if same else None
    if within is not None and first is not None:
        # The offset is the same in S and in G, so only the linear part and the spread remain.
        within = add(
            _between(first.mean_map(), within, first.mean_map()),
            first.spread(pair.first, pair.mean_first).astype(within.dtype),
        )
    return PairMoments(S, C, G, m, v, pair.count, within=within, exchangeable=same)


def _one_side(a: Augmentation | None, moment: Array, mean: Array, name: str) -> tuple[Array, Array]:
    """Return the second moment and the mean of an augmented side."""
    if a is None:
        return moment, mean
    spread = a.spread(moment, mean).astype(moment.dtype)
    for part in (spread, a.mean_map(), a.mean_offset()):
        if part is not None and part.shape[0] != moment.shape[0]:
            raise ValueError(
                f"{name}: {type(a).__name__} is for {part.shape[0]} features; "
                f"that side of the pair has {moment.shape[0]}."
            )
    mapped = add(_expected_product(a, a, moment, mean, mean), spread)
    new_mean, A = _expected(a, mean), a.mean_map()
    constant = (diagonal(moment) == mean * mean) & (diagonal(spread) == 0)
    if A is not None and A.ndim == 2:
        constant = jnp.zeros_like(constant)
    return mark_constant(mapped, new_mean, constant), new_mean


def _expected(a: Augmentation | None, mean: Array) -> Array:
    r"""Return $\bar A \mu + \bar b$."""
    if a is None:
        return mean
    A, b = (None if t is None else t.astype(mean.dtype) for t in (a.mean_map(), a.mean_offset()))
    linear = mean if A is None else (A * mean if A.ndim == 1 else A @ mean)
    return linear if b is None else linear + b


def _expected_product(
    a: Augmentation | None, b: Augmentation | None, moment: Array, mean_u: Array, mean_v: Array
) -> Array:
    r"""Return $E[(\bar A_a u + \bar b_a)(\bar A_b v + \bar b_b)^T]$ for raw $E[uv^T]$."""
    A, B = (None if t is None else t.mean_map() for t in (a, b))
    product = _between(A, moment, B)
    offset_a, offset_b = (None if t is None else t.mean_offset() for t in (a, b))
    if offset_a is not None:
        offset_a = offset_a.astype(mean_v.dtype)
        product = dense(product) + jnp.outer(offset_a, _expected(b, mean_v))
    if offset_b is not None:
        linear_u = _expected(a, mean_u) - (0 if offset_a is None else offset_a)
        product = dense(product) + jnp.outer(linear_u, offset_b.astype(mean_u.dtype))
    return product


def _between(left: Array | None, moment: Array, right: Array | None) -> Array:
    r"""Return $A M B^T$, where None is the identity."""
    if left is not None:
        moment = multiply(left.astype(moment.dtype), moment)
    return moment if right is None else multiply(moment, transpose(right.astype(moment.dtype)))
