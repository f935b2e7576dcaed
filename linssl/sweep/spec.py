"""A sweep: a function of one cell, and the grid of values to call it with."""

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from linssl.arguments import Numbers, as_array, refuse_masked
from linssl.runtime.batching import as_column
from linssl.sweep.binding import Bound, Values, bind, flatten

# The last four are arguments of xarray's `sel`, and would shadow the dimension.
RESERVED = ("seed", "key", "cell", "done", "finished", "objective")
RESERVED += ("method", "tolerance", "drop", "indexers")
MOST_SEEDS = 10**8
MOST_CELLS = 10**10
MOST_INTEGER = 2**63 - 1  # of an array of JAX; a larger one would come out negative


class Output(NamedTuple):
    """Shape and dtype of one output of a cell; its objectives, where they are in front."""

    shape: tuple[int, ...]
    dtype: np.dtype
    objectives: tuple[str, ...] | None

    def dims(self, name: str) -> tuple[str, ...]:
        """Names of its dimensions."""
        inner = self.shape if self.objectives is None else self.shape[1:]
        ahead = () if self.objectives is None else ("objective",)
        return (*ahead, *(f"{name}_{i}" for i in range(len(inner))))


@dataclasses.dataclass(frozen=True, eq=False)
class Sweep:
    """Every combination of the axes' values and seeds, through one cell function.

    `cell(key, *, alpha, n, ...)` solves one problem and returns a dict: of scalars or arrays of
    fixed shape, or of dicts of those, whose names become the coordinate `objective`. It is
    compiled once, so it must be written in jax, and values of axes are traced. With a
    `draw(key, *, n, ...)` the cell gets what that returns in place of the key, and cells that
    differ in no axis of the draw share one: then an alignment axis costs no random numbers.

    The key is fold_in(key(0), seed), of the seed alone: every other axis shares its random
    numbers. So no result depends on batches, order, the number of devices or restarts, bit for
    bit on one type of device.

    What is compiled, and a store, belong to the functions, to what these hold, and to the helpers,
    classes and globals of your code that they refer to: change one, and it is another sweep.
    Installed libraries are told by their versions.

    Args:
        cell: the function; data go in by `equinox.Partial(cell, data)`, ahead of the key.
        axes: 1-D finite, distinct values by keyword of the cell or the draw.
        seeds: the number of seeds (0, 1, ...), or the seeds. Cell and draw may name `seed` too.
        draw: what cells share, or None.
        constants: keywords that are fixed, for whichever of cell and draw takes them; compiled
            in, so they may fix shapes.
        units: of axes and outputs, for the table.

    Raises:
        ValueError: an axis that no function takes, a keyword that nothing gives, values that
            aren't 1-D, finite and distinct, or seeds that aren't distinct whole numbers >= 0.
    """

    cell: Callable[..., Any]
    axes: Mapping[str, Numbers]
    seeds: int | Sequence[int] = 1
    draw: Callable[..., Any] | None = None
    constants: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    units: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        for name in ("cell", "draw"):
            function = getattr(self, name)
            if not callable(function) and not (name == "draw" and function is None):
                raise ValueError(f"{name} must be a function; got {function!r}.")
        for name in ("axes", "constants", "units"):
            given = getattr(self, name)
            if not isinstance(given, Mapping) or not all(isinstance(n, str) for n in given):
                raise ValueError(f"{name} must be a dict, by name; got {given!r}.")
        if not all(isinstance(unit, str) for unit in self.units.values()):
            raise ValueError(f"units must be texts; got {self.units}.")
        axes = {name: _axis(name, values) for name, values in dict(self.axes).items()}
        both = sorted({*axes} & {*self.constants})
        if both:
            raise ValueError(f"an axis can't be a constant too; got both for {both}.")
        # A frozen dataclass sets its fields this way.
        object.__setattr__(self, "axes", axes)
        object.__setattr__(self, "seeds", _seeds(self.seeds))
        object.__setattr__(self, "constants", dict(self.constants))
        object.__setattr__(self, "units", dict(self.units))
        if self.cells > MOST_CELLS:
            raise ValueError(f"a sweep must have at most {MOST_CELLS:,} cells; got {self.cells:,}.")
        _ = self.bound  # complains of keywords that don't fit

    @functools.cached_property
    def bound(self) -> Bound:
        """The cell and the draw, bound to their keywords."""
        return bind(self.cell, self.draw, self.axes, self.constants)

    @property
    def values(self) -> dict[str, np.ndarray]:
        """The coordinate of each dimension: the axes in order, then the seed."""
        return {**self.axes, "seed": np.asarray(self.seeds)}  # pyright: ignore[reportReturnType]

    @functools.cached_property
    def order(self) -> dict[str, int]:
        """The dimensions as cells are run, the last fastest: those of the draw are the slowest."""
        sizes = {name: len(values) for name, values in self.values.items()}
        slow = [n for n in sizes if n == "seed" or n in self.bound.draw_reads]
        return {n: sizes[n] for n in [*slow, *(n for n in sizes if n not in slow)]}

    @property
    def cells(self) -> int:
        """How many there are."""
        return math.prod(self.order.values())

    def columns(self, start: int, stop: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Return the values of cells start to stop, and the number of the draw of each."""
        index = np.unravel_index(np.arange(start, stop), [*self.order.values()])
        columns = {n: self.values[n][i] for n, i in zip(self.order, index, strict=True)}
        fast = [n for n in self.order if n != "seed" and n not in self.bound.draw_reads]
        cells_a_draw = math.prod(self.order[n] for n in fast)
        return columns, np.arange(start, stop) // cells_a_draw

    @property
    def outputs(self) -> dict[str, Output]:
        """What a cell returns, found by tracing it.

        Raises:
            ValueError: not a dict of arrays, or of dicts of arrays of one shape.
        """
        known: dict[Any, dict[str, Output]] = self.__dict__.setdefault("_outputs", {})
        dtype = jnp.result_type(float)
        if dtype not in known:
            known[dtype] = self._traced()
        return known[dtype]

    def _traced(self) -> dict[str, Output]:
        for name, given in self.values.items():
            with np.errstate(over="ignore"):
                kept = np.asarray(as_column(name, given))
            if not np.isfinite(kept).all() or len(np.unique(kept)) < len(given):
                raise ValueError(
                    f"{name} must be finite and distinct in {kept.dtype} too; got {given}. "
                    "Use double precision."
                )
        values = {name: jnp.asarray(c[0]) for name, c in self.columns(0, 1)[0].items()}
        try:
            result = eqx.filter_eval_shape(_one_cell, self.bound, values)
        except Exception as error:
            got = "a random key, since there is no draw" if self.draw is None else "a draw"
            error.add_note(
                f"The cell got {got}, and its axes {list(self.axes)} as numbers that aren't known "
                "while it compiles: what fixes a shape or a branch must be a constant."
            )
            raise
        names = _objectives(result, taken={*self.values, *RESERVED})
        flat = eqx.filter_eval_shape(flatten, result)
        for name, s in flat.items():
            if jnp.issubdtype(s.dtype, jax.dtypes.extended):
                raise ValueError(f"output {name} must hold numbers; got {s.dtype}.")
            if s.dtype == jnp.bfloat16 or jnp.issubdtype(s.dtype, jnp.complexfloating):
                raise ValueError(
                    f"output {name} must be real, of 16, 32 or 64 bits; got {s.dtype}."
                )
        outputs = {n: Output(s.shape, np.dtype(s.dtype), names[n]) for n, s in flat.items()}
        inner = [d for n, o in outputs.items() for d in o.dims(n) if d != "objective"]
        twice = sorted({n for n in inner if n in self.values or n in outputs})
        if twice:
            raise ValueError(
                f"{twice} must not name both an axis or output and the entries of one."
            )
        return outputs


@eqx.filter_jit  # which remembers: a sweep of the same functions over other data isn't traced again
def _one_cell(bound: Bound, values: Values) -> Any:
    return bound.cell_of(bound.drawn(values), values)


def _axis(name: object, values: Numbers) -> np.ndarray:
    if not isinstance(name, str) or not name.isidentifier() or name in RESERVED:
        raise ValueError(
            f"an axis must be named as a keyword, and not {', '.join(RESERVED)}; got {name!r}."
        )
    refuse_masked(f"axis {name}", values)
    array = np.array(as_array(f"axis {name}", values))  # a copy: nobody changes it afterwards
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"axis {name} must be 1-D and not empty; got shape {array.shape}.")
    if array.dtype.kind not in "fiub":
        raise ValueError(
            f"axis {name} must hold numbers; got {array.dtype}. Number the choices, and let the "
            "cell pick: jnp.where(kind == 0, ...)."
        )
    if not np.isfinite(array).all():
        raise ValueError(f"axis {name} must be finite; got {array}.")
    if array.dtype.kind == "u" and array.max() > MOST_INTEGER:
        raise ValueError(
            f"axis {name} must hold whole numbers up to {MOST_INTEGER}; got {array.max()}: pass "
            "floats."
        )
    unique, counts = np.unique(array, return_counts=True)
    if unique.size < array.size:
        raise ValueError(
            f"axis {name} must hold distinct values; got {unique[counts > 1][0]} twice."
        )
    return array.astype({"f": float, "b": bool}.get(array.dtype.kind, np.int64))


def _seeds(seeds: int | Sequence[int]) -> tuple[int, ...]:
    wanted = "seeds must be a number of seeds >= 1, or distinct whole numbers from 0 to 2**32 - 1"
    if isinstance(seeds, int | np.integer) and not isinstance(seeds, bool):
        if seeds > MOST_SEEDS:
            raise ValueError(f"seeds must be at most {MOST_SEEDS:,} of them; got {seeds:,}.")
        seeds = range(seeds)
    array = np.asarray(seeds)
    ok = array.ndim == 1 and array.size and array.dtype.kind in "iu"
    if not ok or array.min() < 0 or array.max() > 2**32 - 1 or len(np.unique(array)) < array.size:
        raise ValueError(f"{wanted}; got {seeds!r}.")
    return tuple(int(s) for s in array)


def _objectives(result: Any, taken: set[str]) -> dict[str, tuple[str, ...] | None]:
    """Check what a cell returned; name the objectives of each output."""
    wanted = "cell must return a dict of arrays, or of dicts of arrays by objective"
    if not isinstance(result, Mapping) or not result:
        raise ValueError(f"{wanted}; got {type(result).__name__}.")
    names: dict[str, tuple[str, ...] | None] = {}
    for name, value in result.items():
        if not isinstance(name, str) or name in taken or not name.isidentifier():
            raise ValueError(
                f"an output must not be named as a dimension or reserved; got {name!r}."
            )
        leaves = list(value.values()) if isinstance(value, Mapping) else [value]
        arrays = (jax.Array, jax.ShapeDtypeStruct, np.ndarray, np.generic, int, float)
        if not leaves or not all(isinstance(leaf, arrays) for leaf in leaves):
            raise ValueError(f"{wanted}; got {type(value).__name__} for {name}.")
        if len({jnp.shape(leaf) for leaf in leaves}) > 1:
            raise ValueError(
                f"{name} must have one shape for every objective; got "
                f"{[jnp.shape(leaf) for leaf in leaves]}."
            )
        if isinstance(value, Mapping) and not all(isinstance(n, str) for n in value):
            raise ValueError(f"the objectives of {name} must be strings; got {list(value)}.")
        names[name] = tuple(sorted(value)) if isinstance(value, Mapping) else None
    distinct = {n for n in names.values() if n is not None}
    if len(distinct) > 1:
        raise ValueError(f"all outputs must have the same objectives; got {sorted(distinct)}.")
    return names
