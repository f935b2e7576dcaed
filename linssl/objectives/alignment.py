"""Alignment without whitening: orthonormal encoders, which see magnitudes that whitened don't."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from linssl.arguments import require_dim
from linssl.linalg.pencil import principal
from linssl.linalg.status import FATAL, Status, cut_status, few
from linssl.linalg.structure import Moment, dense, diagonal, exact_products
from linssl.linalg.whitening import by_chance, whitener
from linssl.moments import Views, require_views
from linssl.objectives.solution import Solution, finished


def alignment_only(views: Views, dim: int) -> Solution:
    r"""Solve $\max_W E[(W\tau_1)^T W\tau_2]$ subject to $W W^T = I_k$.

    $$ G = Q\, \mathrm{diag}(g)\, Q^T, \quad W^* = Q_k^T, \quad
       \mathrm{loss} = -\sum_{i \le k} g_i $$

    Principal components of what two views share. Noise that an augmentation doesn't shake is kept
    by its variance alone, however much the views are aligned: G doesn't change with
    independent noise. Equivariant under rotations and scalings of the data only. The subspace of
    `barlow_twins`. Minimising what views differ by isn't the same without whitening: see
    `invariance_only`.

    Args:
        views: from `two_views(data, a)`; reads $G$ alone.
        dim: $k$, 1 <= k <= d.

    Returns:
        `Solution` with encoder $Q_k^T$ (k, d) and spectrum $g$ (d,), in units of variance.
        BEYOND_RANK where $g_k \le 0$. S may be singular: it isn't read.

    Raises:
        ValueError: not views, or dim out of range.

    Source: derived; BalestrieroLeCun2022.
    """
    require_views(views, "alignment_only")
    require_dim(dim, views.mean.shape[0], "the number of features")
    return _align(views, dim)


def invariance_only(views: Views, dim: int) -> Solution:
    r"""Solve $\min_W E\|W\tau_1 - W\tau_2\|^2$ subject to $W W^T = I_k$.

    $$ S - G = Q\, \mathrm{diag}(\sigma)\, Q^T,\; \sigma \text{ ascending}, \quad W^* = Q_k^T, \quad
       \mathrm{loss} = 2 \sum_{i \le k} \sigma_i $$

    The directions that the augmentation moves least, whether the data vary there or not: a pixel
    that is always black is the best there is (COLLAPSED). Joint embedding is the same with codes
    of variance 1, which rules that out. Equivariant under rotations and scalings only.

    Args:
        views: $G$ and $S = G + \Sigma$, from `two_views(data, a)`.
        dim: $k$, 1 <= k <= d.

    Returns:
        `Solution` with encoder $Q_k^T$ (k, d) and spectrum $-\sigma$ (d,), so that it descends as
        all scores do. COLLAPSED where a code has no variance. S may be singular;
        NOT_FINITE, NOT_SYMMETRIC or INDEFINITE where it is no covariance.

    Raises:
        ValueError: not views, or dim out of range.

    Source: derived; BalestrieroLeCun2022.
    """
    require_views(views, "invariance_only")
    require_dim(dim, views.mean.shape[0], "the number of features")
    return _differ(views, dim)


@exact_products
@partial(jax.jit, static_argnames="dim")
def _align(views: Views, dim: int) -> Solution:
    g, W, status = principal_axes(views.shared, dim)
    gap, cut = cut_status(g, dim, axes_rounding(g, views))
    return finished(
        encoder=W,
        spectrum=g,
        gap=gap,
        loss=-jnp.sum(g[:dim]),
        status=status,
        cut=cut,
        sides=views,
    )


@exact_products
@partial(jax.jit, static_argnames="dim")
def _differ(views: Views, dim: int) -> Solution:
    S, d = views.covariance, views.mean.shape[0]
    score, W, status = principal_axes(-views.spread, dim)
    # S may be singular here: whitening it says what else is wrong.
    status = status | (whitener(S).status & FATAL & ~jnp.int32(Status.SINGULAR))
    total, largest = jnp.max(diagonal(S)), jnp.max(jnp.abs(score))
    known = axes_rounding(score) * largest
    # Where the spread is exact, rounding of the data is none of its own.
    sampled = jnp.isfinite(views.draws)
    blurred = jnp.where(sampled, axes_rounding(score, views), axes_rounding(score))
    gap, cut = cut_status(score, dim, blurred)
    cut = jnp.where((cut & Status.NO_GAP) != 0, Status.NO_GAP, 0)  # scores are never above 0
    too_large = (status == 0) & (score[0] > 10 * known)
    status = status | jnp.where(too_large, Status.INCONSISTENT, 0)
    variance = jnp.sum((W @ dense(S)) * W, axis=1)
    empty = jnp.any(variance <= axes_rounding(score) * total)
    cut = cut | jnp.where(empty, Status.COLLAPSED, 0)
    # Draws span as many directions as there are; every other one looks invariant.
    return finished(
        encoder=W,
        spectrum=score,
        gap=gap,
        loss=-2 * jnp.sum(score[:dim]),
        status=status,
        cut=cut | few(views.draws, d),
        sides=views,
    )


def principal_axes(
    moment: Moment, dim: int
) -> tuple[Float[Array, " d"], Float[Array, "k d"], Int[Array, ""]]:
    """Return eigenvalues, descending, leading rows, and what is wrong with a symmetric matrix."""
    M = dense(moment)
    finite = jnp.all(jnp.isfinite(M))
    asymmetry, scale = jnp.max(jnp.abs(M - M.T)), jnp.max(jnp.abs(M))
    symmetric = asymmetry <= jnp.finfo(M.dtype).eps ** 0.5 * scale
    status = jnp.where(symmetric, 0, Status.NOT_SYMMETRIC)
    status = jnp.where(finite, status, Status.NOT_FINITE).astype(jnp.int32)
    rows, values = principal(jnp.where(status == 0, M, 0), dim)
    return values, rows, status


def axes_rounding(values: Float[Array, " d"], views: Views | None = None) -> Float[Array, ""]:
    """Return the relative error of eigenvalues at this precision, of data rounded as views are."""
    error = jnp.asarray(4 * jnp.finfo(values.dtype).eps * values.size**0.5, values.dtype)
    if views is None:
        return error
    largest = jnp.max(jnp.abs(values))
    blur = jnp.sum(views.rounding) / jnp.where(largest > 0, largest, 1)
    return error + blur + by_chance(blur, views.count)
