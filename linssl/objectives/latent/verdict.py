"""What is wrong with a fitted model of groups, and its numbers where nothing fatal is."""

import jax
import jax.numpy as jnp
from jaxtyping import Array

from linssl.linalg.status import FATAL, Status


def verdict(
    fields: dict[str, Array],
    gains: Array,
    dim: Array,
    loss: Array,
    *,
    status: Array,
    converged: Array,
    empty: Array,
    beside: Array,
) -> dict[str, Array]:
    """Complete the fields of a solution by spectrum, gap, loss and status; NaN where that is fatal.

    Args:
        fields: what the solution holds beside those four.
        gains: of all directions, the kept ones first.
        dim: how many are kept.
        loss: the objective's value.
        status: `Status` bits so far.
        converged: whether the gradient vanished.
        empty: whether the codes hold no content.
        beside: the variance of a group beside the noise, whose rounding the loss holds.
    """
    tiny = jnp.finfo(gains.dtype).eps ** 0.5
    last = gains[dim - 1]
    gap = jnp.where(dim < gains.size, last - jnp.append(gains, 0)[dim], jnp.inf)
    # Where moments don't commute a gap of diagonals may be negative: only none at all is a tie.
    eps = jnp.finfo(gains.dtype).eps
    blurred = eps * beside > eps**0.25 * jnp.maximum(jnp.abs(loss), 1)
    tie = (jnp.abs(gap) <= tiny * jnp.maximum(gains[0], 1)) & (last > tiny)
    trouble = (
        jnp.where(converged, 0, Status.NOT_CONVERGED)
        | jnp.where((last <= tiny) | empty, Status.COLLAPSED, 0)
        | jnp.where(tie, Status.NO_GAP, 0)
        | jnp.where(blurred, Status.ILL_CONDITIONED, 0)
    )
    usable = (status & FATAL) == 0
    known = jax.tree_util.tree_map(
        lambda x: jnp.where(usable, x, jnp.asarray(jnp.nan, x.dtype)),
        fields | {"spectrum": gains, "gap": gap, "loss": loss},
    )
    return known | {"status": jnp.where(usable, status | trouble, status).astype(jnp.int32)}
