"""Monotone steps to a fixed point, accelerated where they crawl and never made worse by it."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array

Point: TypeAlias = tuple[Array, ...]
PATIENCE = 10  # rounds without progress before it is called the end of this precision


class Climb(NamedTuple):
    """Where an iteration stands: its point, the loss and gradient norm there, steps so far.

    `mark` is the gradient norm when there was progress last, `idle` rounds ago.
    """

    point: Point
    loss: Array
    gradient: Array
    steps: Array
    mark: Array
    idle: Array


def climb(
    step: Callable[[Point], Point],
    measure: Callable[[Point], tuple[Array, Array]],
    inside: Callable[[Point], Point],
    start: Point,
    enough: Callable[[Point], Array],
    limit: Array,
) -> Climb:
    r"""Repeat a step that never raises the loss, with squared extrapolation between (SQUAREM).

    With $r = F(\theta) - \theta$ and $v = F(F(\theta)) - F(\theta) - r$ the extrapolated point is
    $\theta + 2ar + a^2 v$, $a = \max(1, |r|/|v|)$. After a step F from there it is taken if its
    loss is below that of three plain steps, so that the loss never rises; where rounding hides
    which is lower, the smaller gradient decides.

    Args:
        step: F.
        measure: the loss, and the norm of its gradient.
        inside: moves a point that left the domain back to its edge.
        start: the first point.
        enough: the gradient norm at which to stop.
        limit: most steps, in rounds of four.

    Source: Varadhan2008.
    """

    def onward(c: Climb) -> Array:
        unfinished = (c.gradient > enough(c.point)) & (c.idle < PATIENCE)
        return unfinished & (c.steps < limit)

    def again(point: Point, _: None) -> tuple[Point, Point]:
        point = step(point)
        return point, point

    def advance(c: Climb) -> Climb:
        twice, once = jax.lax.scan(again, c.point, length=2)
        once = tuple(x[0] for x in once)
        r = [b - a for a, b in zip(c.point, once, strict=True)]
        v = [b - a - d for a, b, d in zip(once, twice, r, strict=True)]
        size_r, size_v = (jnp.sqrt(sum(jnp.sum(x**2) for x in xs)) for xs in (r, v))
        a = jnp.maximum(1, size_r / jnp.where(size_v > 0, size_v, jnp.inf))
        far = inside(tuple(p + 2 * a * x + a**2 * y for p, x, y in zip(c.point, r, v, strict=True)))

        def finish(point: Point) -> tuple[Point, tuple[Array, Array]]:
            point = step(point)
            return point, measure(point)

        both = tuple(jnp.stack(views) for views in zip(twice, far, strict=True))
        points, (losses, norms) = jax.lax.map(finish, both)
        taken = _lowest(losses, norms)
        loss, norm = losses[taken], norms[taken]
        rounding = 4 * jnp.finfo(loss.dtype).eps * jnp.abs(loss)
        moved = (loss < c.loss - rounding) | (norm < c.mark / 2)
        point = tuple(x[taken] for x in points)
        mark, idle = jnp.where(moved, norm, c.mark), jnp.where(moved, 0, c.idle + 1)
        return Climb(point, loss, norm, c.steps + 4, mark, idle)

    zero, unknown = jnp.asarray(0, jnp.int32), jnp.full((), jnp.inf, start[0].dtype)
    return jax.lax.while_loop(onward, advance, Climb(start, unknown, unknown, zero, unknown, zero))


def best_of(climbs: Climb) -> Climb:
    """Return the best of several climbs, stacked."""
    best = _lowest(climbs.loss, climbs.gradient)
    return jax.tree_util.tree_map(lambda x: x[best], climbs)


def _lowest(losses: Array, norms: Array) -> Array:
    """Return which loss is lowest; among those that rounding can't tell, the flattest; not NaN."""
    losses = jnp.where(jnp.isnan(losses), jnp.inf, losses)
    lowest = jnp.min(losses)
    rounding = 4 * jnp.finfo(losses.dtype).eps * jnp.abs(lowest)
    return jnp.argmin(jnp.where(losses <= lowest + rounding, norms, jnp.inf))
