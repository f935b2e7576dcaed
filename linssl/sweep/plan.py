"""How a sweep is cut: cells into batches of one shape, batches into work units."""

from numbers import Real
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from linssl.sweep.spec import Sweep

CELLS_A_BATCH = {"cpu": 256}  # at most, one after the other; elsewhere side by side:
CELLS_SIDE_BY_SIDE = 1024
BATCHES = 32  # at least about so many, to share among devices
UNITS = 200  # at most about so many: what a kill may lose, against files to write


class Plan(NamedTuple):
    """Cells, cells a work unit, and cells a batch; a unit is whole batches."""

    cells: int
    unit: int
    batch: int

    @property
    def units(self) -> int:
        """How many there are."""
        return -(-self.cells // self.unit)

    def of(self, unit: int) -> slice:
        """The cells of a unit; the last may have fewer."""
        return slice(unit * self.unit, min((unit + 1) * self.unit, self.cells))

    def cells_in(self, finished: np.ndarray) -> int:
        """How many cells the finished units (units,) have."""
        short = self.units * self.unit - self.cells if finished[-1] else 0
        return int(finished.sum()) * self.unit - short


def make_plan(sweep: Sweep, memory: float) -> Plan:
    """Cut a sweep so that a unit takes no more than `memory` bytes.

    Counted are inputs and outputs of a unit, and where cells run side by side what each of them
    works in.

    Raises:
        ValueError: a memory that is no number, or that two cells don't fit in.
    """
    if not isinstance(memory, Real) or isinstance(memory, bool):
        raise ValueError(f"memory must be a number of bytes; got {memory!r}.")
    platform = jax.default_backend()
    outputs = sum(o.dtype.itemsize * _product(o.shape) for o in sweep.outputs.values())
    row = outputs + 8 * len(sweep.order)
    side_by_side = row if platform == "cpu" else row + _working_set(sweep)
    if not memory >= 2 * side_by_side:
        raise ValueError(
            f"memory must be at least {2 * side_by_side} bytes, for two cells; got {memory:g}."
        )
    memory = min(memory, 2.0**60)
    most = CELLS_A_BATCH.get(platform, CELLS_SIDE_BY_SIDE)
    wanted = -(-sweep.cells // BATCHES) if platform == "cpu" else sweep.cells
    batch = max(2, min(most, wanted, int(memory // side_by_side)))
    batches = -(-sweep.cells // batch)
    a_unit = max(1, min(int(memory // (row * batch)), -(-batches // UNITS)))
    return Plan(sweep.cells, batch * a_unit, batch)


def _working_set(sweep: Sweep) -> int:
    """Bytes of temporaries that one cell needs, as its compiled program says."""
    values = {name: jnp.asarray(c[0]) for name, c in sweep.columns(0, 1)[0].items()}
    bound = sweep.bound
    compiled = jax.jit(lambda v: bound.outputs(bound.drawn(v), v)).lower(values).compile()
    analysis = compiled.memory_analysis()
    return 0 if analysis is None else int(analysis.temp_size_in_bytes)


def _product(shape: tuple[int, ...]) -> int:
    size = 1
    for s in shape:
        size *= s
    return size
