"""Evaluate a run of cells on one device: the innermost loop of every sweep."""

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from linssl.runtime.devices import free_device
from linssl.sweep.binding import Bound, Values


@eqx.filter_jit
def _batch(bound: Bound, columns: Values, fresh: Array, on_cpu: bool) -> Values:
    def one(values: Values) -> Values:
        return bound.outputs(bound.drawn(values), values)

    if not on_cpu:
        return jax.vmap(one)(columns)
    if bound.draw is None:
        return jax.lax.map(one, columns)

    # Neighbours share a draw: it is carried along, and made anew only where it changes. Always
    # at the same place in the same loop, so that its bits don't depend on where a batch starts.
    def step(carried: PyTree, cell: tuple[Values, Array]) -> tuple[PyTree, Values]:
        values, anew = cell
        drawn = jax.lax.cond(anew, lambda: bound.drawn(values), lambda: carried)
        return drawn, bound.outputs(drawn, values)

    first = jax.tree_util.tree_map(lambda column: column[0], columns)
    start = jax.tree_util.tree_map(_blank, jax.eval_shape(bound.drawn, first))
    return jax.lax.scan(step, start, (columns, fresh))[1]


def _blank(like: jax.ShapeDtypeStruct) -> Array:
    if jnp.issubdtype(like.dtype, jax.dtypes.prng_key):
        return jnp.broadcast_to(jax.random.key(0, impl="threefry2x32"), like.shape)
    return jnp.zeros(like.shape, like.dtype)


def evaluate(
    bound: Bound, columns: Mapping[str, np.ndarray], draws: np.ndarray, size: int
) -> dict[str, np.ndarray]:
    """Solve m cells in batches of one fixed shape, on a device that is free.

    Args:
        bound: what to solve.
        columns: (m,) values of each axis and of the seed.
        draws: (m,) number of the draw that each cell belongs to; equal ones are neighbours.
        size: cells a batch, >= 2 (XLA inlines a loop of one, and rounds it differently).

    Returns:
        arrays by output name, with m in front, on the host.
    """
    m = len(draws)
    parts = []
    with free_device() as device:
        for start in range(0, m, size):
            # The last batch repeats its last cell: nothing compiles twice.
            rows = np.minimum(np.arange(start, start + size), m - 1)
            batch = {name: jnp.asarray(column[rows]) for name, column in columns.items()}
            fresh = jnp.asarray(np.diff(draws[rows], prepend=-1) != 0)
            result = _batch(bound, batch, fresh, device.platform == "cpu")
            parts.append(jax.tree_util.tree_map(np.asarray, result))
    return {name: np.concatenate([part[name] for part in parts])[:m] for name in parts[0]}
