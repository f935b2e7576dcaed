r"""Roots, with the derivative of the implicit function theorem."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def bisect(
    function: Callable[[Array], Array],
    low: Float[Array, "*shape"],
    high: Float[Array, "*shape"],
    steps: int | None = None,
) -> Float[Array, "*shape"]:
    r"""Find where a function rises through 0, for every entry alone.

    $$ f(x) = 0, \qquad dx = -\frac{df}{f'(x)} $$

    with df the change of f at a fixed x, by whatever f closes over; 0 where f' is. The bracket
    has no derivative.

    Args:
        function: f; entry i of its value reads entry i of x alone.
        low: where f is below 0; the result where it is above 0 everywhere.
        high: where f is above 0; the result where it is below 0 everywhere.
        steps: halvings; None is twice the bits of a mantissa: the last digit of a root that is
            small beside the bracket.

    Returns:
        The upper end that is left, where f >= 0; NaN where f is.

    Source: derived (implicit function theorem).
    """
    # A loop of two lines: optimistix's bisection of such functions, in cells one after the other,
    # took 0.7 to 1.7 times as long, and 1.5 to 4 times as long to compile.
    ends = jax.lax.stop_gradient(jnp.broadcast_arrays(low, high))
    halvings = 2 * jnp.finfo(ends[0].dtype).nmant if steps is None else steps

    def solve(f: Callable[[Array], Array], _: Array) -> Array:
        def halve(_: Array | int, ends: tuple[Array, Array]) -> tuple[Array, Array]:
            middle = (ends[0] + ends[1]) / 2
            above = f(middle) >= 0
            return jnp.where(above, ends[0], middle), jnp.where(above, middle, ends[1])

        root = jax.lax.fori_loop(0, halvings, halve, tuple(ends))[1]
        return jnp.where(jnp.isnan(f(root)), jnp.nan, root)

    def tangent(linear: Callable[[Array], Array], change: Array) -> Array:
        slope = linear(jnp.ones_like(change))
        return jnp.where(slope == 0, 0, change / jnp.where(slope == 0, 1, slope))

    return jax.lax.custom_root(function, ends[1], solve, tangent)


def implicit(function: Callable[[Array], Array], root: Float[Array, " m"]) -> Float[Array, " m"]:
    r"""Give the root of a system, found otherwise, its derivative.

    $$ f(x) = 0, \qquad dx = -f'(x)^{-1}\, df $$

    Args:
        function: f, of as many values as x has.
        root: x.

    Source: derived (implicit function theorem).
    """

    def tangent(linear: Callable[[Array], Array], change: Array) -> Array:
        return jnp.linalg.solve(jax.jacfwd(linear)(jnp.zeros_like(change)), change)

    return jax.lax.custom_root(
        function, jax.lax.stop_gradient(root), lambda _, found: found, tangent
    )
