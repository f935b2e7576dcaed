"""Barlow Twins: make the cross moment of the codes white; where small weights lead."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array

from linssl.arguments import require_dim
from linssl.linalg.pencil import code_root
from linssl.linalg.status import Status, cut_status
from linssl.linalg.structure import exact_products, multiply
from linssl.moments import Views, require_views
from linssl.objectives.alignment import axes_rounding, principal_axes
from linssl.objectives.solution import Solution, finished


def barlow_twins(views: Views, dim: int) -> Solution:
    r"""Follow $\dot W = -\nabla \|W G W^T - I_k\|^2$ from small weights to its end.

    $$ G = Q\, \mathrm{diag}(g)\, Q^T, \quad W^* = \mathrm{diag}(g_i^{-1/2})\, Q_k^T, \quad
       \mathrm{loss} = \#\{i \le k : g_i \le 0\} $$

    The loss chooses no subspace: every W with $W G W^T = I$ has 0. The path does: from weights of
    size ε → 0 direction i grows at a rate in proportion to $g_i$, one after the other, and the k
    largest fill the code first. So it keeps the subspace of `alignment_only`, not that of
    `joint_embedding`: what is selected is $g$, not $\omega$. Directions with $g_i \le 0$ fade, and
    their rows are 0. Unique up to a rotation of the code. The codes aren't normalised by their
    own variances, as those of the paper are.

    Args:
        views: from `two_views(data, a)`; reads $G$ alone.
        dim: $k$, 1 <= k <= d.

    Returns:
        `Solution` with encoder $W^*$ (k, d) and spectrum $g$ (d,), in units of variance. NO_GAP
        where $g_k = g_{k+1}$: the start decides there. COLLAPSED where $g_k \le 0$.

    Raises:
        ValueError: not views, or dim out of range.

    Source: Simon2023; the objective is that of Zbontar2021.
    """
    require_views(views, "barlow_twins")
    require_dim(dim, views.mean.shape[0], "the number of features")
    return _solve(views, dim)


@exact_products
@partial(jax.jit, static_argnames="dim")
def _solve(views: Views, dim: int) -> Solution:
    g, Q, status = principal_axes(views.shared, dim)
    gap, cut = cut_status(g, dim, axes_rounding(g, views))
    grows = g[:dim] > axes_rounding(g) * jnp.max(jnp.abs(g))
    size = jnp.where(grows, 1 / jnp.where(grows, g[:dim], 1), 0)
    form = multiply(Q, jnp.where(status == 0, views.shared, 0)) @ Q.T
    loss = jnp.sum(jnp.where(grows, 0.0, 1.0).astype(g.dtype))
    # What fades is 0 whichever it is, so that no cut among it matters.
    cut = jnp.where(grows[-1], cut, Status.COLLAPSED)
    return finished(
        encoder=code_root(size, form, _slope(size, g[:dim], grows)) @ Q,
        spectrum=g,
        gap=gap,
        loss=loss,
        status=status,
        cut=cut,
        sides=views,
    )


def _slope(size: Array, g: Array, grows: Array) -> Array:
    """Return the slopes of 1/g between two that grow, -1/(g h), or one alone, 1/(g (g - h))."""
    one = grows[:, None] != grows[None, :]
    apart = jnp.where(one, jnp.abs(g[:, None] - g[None, :]), 1)
    across = jnp.where(one, (size[:, None] + size[None, :]) / apart, 0)
    return jax.lax.stop_gradient(across - size[:, None] * size[None, :])
