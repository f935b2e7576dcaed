"""Batching: the one place that turns a function of one cell into a function of many."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from linssl.arguments import Numbers, is_concrete
from linssl.runtime.devices import free_device, in_double_precision, one_blas_thread

BATCHES = 40  # of a sweep that reports: often enough to watch, too few to slow it


def over_cells(
    cell: Callable[..., PyTree],
    report: Callable[[int, int], None] | None = None,
    /,
    **cells: Numbers,
) -> PyTree:
    """Evaluate `cell(**values)` for every entry of the given columns, compiled once.

    Write `cell` for one problem; the batch is put outside, by what the device is good at: on CPU
    a `lax.map` over cells, on GPU and TPU a `vmap`. (On CPU a vmap over several matrix
    decompositions in one program can deadlock: each holds a thread of the pool while it waits.)
    Where there are several devices, batches of cells go to all of them, with the same results;
    BLAS has one thread meanwhile.
    Compiled once for each `cell` and batch size: pass data through an `eqx.Partial`, whose
    arrays are inputs, rather than a closure, whose arrays are constants of a new program. Like
    every jax function, `cell` must not read globals that change: what it saw is compiled in.

    Args:
        cell: a function of keyword scalars, one entry of each column; it returns arrays of fixed
            shape, in any container.
        report: called with (cells done, cells) about forty times, for a progress bar, first with
            none done; the cells are then run in that many batches of one size.
        cells: columns of equal length m, one a keyword (arrays with m first; keys too).

    Returns:
        What `cell` returns, with m in front of every array.

    Raises:
        ValueError: no columns, or columns of different or zero length.
    """
    columns = {name: as_column(name, values) for name, values in cells.items()}
    lengths = {name: c.shape[0] if c.ndim else None for name, c in columns.items()}
    if len(set(lengths.values())) != 1 or not next(iter(lengths.values())):
        raise ValueError(f"cells must be columns of one length > 0; got lengths {lengths}.")
    m, on_cpu = next(iter(columns.values())).shape[0], jax.default_backend() == "cpu"
    devices = jax.local_device_count()
    if not is_concrete(cell, columns):
        return _compiled(cell, columns, on_cpu)
    with one_blas_thread():
        if report is None and devices == 1:
            return jax.block_until_ready(_compiled(cell, columns, on_cpu))
        try:
            return _in_batches(cell, columns, m, devices, report or silent)
        except jax.errors.UnexpectedTracerError:  # a closure over what is being differentiated
            return _compiled(cell, columns, on_cpu)


def silent(done: int, cells: int) -> None:
    """Report to nobody."""


def _in_batches(
    cell: Callable[..., PyTree],
    columns: dict[str, Array],
    m: int,
    devices: int,
    report: Callable[[int, int], None],
) -> PyTree:
    x64, home = in_double_precision(), jax.local_devices()[0]
    size = max(2, -(-m // BATCHES))  # XLA inlines a loop of one, and rounds it differently
    starts, results = range(0, m, size), []

    def solve(start: int) -> PyTree:
        # Every batch has the same shape, so that nothing compiles twice: the last repeats a cell.
        rows = np.minimum(np.arange(start, start + size), m - 1)
        with jax.enable_x64(x64), free_device() as device:
            here = jax.device_put({name: c[rows] for name, c in columns.items()}, device)
            batch = jax.block_until_ready(_compiled(cell, here, device.platform == "cpu"))
            return jax.device_put(batch, home)

    report(0, m)
    with ThreadPoolExecutor(devices) as pool:
        for start, batch in zip(starts, pool.map(solve, starts), strict=True):
            results.append(batch)
            report(min(start + size, m), m)
    return jax.tree_util.tree_map(lambda *parts: jnp.concatenate(parts)[:m], *results)


def as_column(name: str, values: Numbers) -> Array:
    """Return one column as an array, or raise where jax would wrap its integers."""
    if not isinstance(values, jax.Array):
        host = np.asarray(values)
        kept = jnp.iinfo(jnp.result_type(int))
        if (
            host.dtype.kind in "iu"
            and host.size
            and not (kept.min <= int(host.min()) and int(host.max()) <= kept.max)
        ):
            raise ValueError(
                f"{name} holds integers beyond {kept.dtype}: pass floats, or use double precision."
            )
    return jnp.asarray(values)


@eqx.filter_jit
def _compiled(cell: Callable[..., PyTree], columns: dict[str, Array], on_cpu: bool) -> PyTree:
    if on_cpu:
        return jax.lax.map(lambda values: cell(**values), columns)
    return jax.vmap(lambda values: cell(**values))(columns)


def grid(**axes: Numbers) -> tuple[dict[str, Any], Mapping[str, int]]:
    """Write out every combination of the axes' values, the last axis fastest.

    Args:
        axes: 1-D values, one axis a keyword.

    Returns:
        (columns, sizes): columns for `over_cells`, each of length m = the product of the sizes;
        sizes by name, in order, so that `result.reshape(*sizes.values())` is the grid.

    Raises:
        ValueError: an axis that isn't 1-D and non-empty.
    """
    arrays = {name: as_column(name, values) for name, values in axes.items()}
    for name, values in arrays.items():
        if values.ndim != 1 or values.size == 0:
            raise ValueError(f"axis {name} must be 1-D and not empty; got shape {values.shape}.")
    mesh = jnp.meshgrid(*arrays.values(), indexing="ij")
    columns = {name: m.ravel() for name, m in zip(arrays, mesh, strict=True)}
    return columns, {name: values.size for name, values in arrays.items()}
