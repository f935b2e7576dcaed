"""Which function takes which keyword: a cell and its draw, bound to columns of values."""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from linssl.sweep.fingerprint import UNKNOWN, digest, program, read

Values = dict[str, Array]


class Bound(eqx.Module):
    """A cell and its draw, and which columns each of them reads; arrays inside are inputs."""

    cell: Callable[..., Any]
    draw: Callable[..., Any] | None
    cell_reads: tuple[str, ...] = eqx.field(static=True)
    draw_reads: tuple[str, ...] = eqx.field(static=True)
    # Functions that are the same object may hold something else by now, and 1 equals True.
    program: str = eqx.field(static=True, default="")

    def drawn(self, values: Values) -> PyTree:
        """Draw what the cell of these values is about; the key depends on the seed alone."""
        root = jax.random.key(0, impl="threefry2x32")
        key = jax.random.fold_in(root, values["seed"])
        if self.draw is None:
            return key
        return self.draw(key, **{name: values[name] for name in self.draw_reads})

    def cell_of(self, drawn: PyTree, values: Values) -> Any:
        """Return what the cell makes of a draw."""
        return self.cell(drawn, **{name: values[name] for name in self.cell_reads})

    def outputs(self, drawn: PyTree, values: Values) -> Values:
        """Return the same as a flat dict of arrays."""
        return flatten(self.cell_of(drawn, values))


def flatten(result: Mapping[str, Any]) -> Values:
    """Stack what a cell returned by objective, in the order of their names."""

    def flat(value: Any) -> Array:
        if isinstance(value, Mapping):  # jit sorts the names of a dict: so do we, always
            return jnp.stack([jnp.asarray(value[name]) for name in sorted(value)])
        return jnp.asarray(value)

    return {name: flat(value) for name, value in result.items()}


def bind(
    cell: Callable[..., Any],
    draw: Callable[..., Any] | None,
    axes: Iterable[str],
    constants: Mapping[str, Any],
) -> Bound:
    """Give every axis and constant to the functions that name it.

    Raises:
        ValueError: one that no function takes, or a keyword that nothing gives.
    """
    takers = {"cell": _takes("cell", cell)}
    if draw is not None:
        takers["draw"] = _takes("draw", draw)
    columns, known = (*axes, "seed"), sorted({name for t in takers.values() for name in t.names})
    for kind, names in (("axis", columns[:-1]), ("constant", constants)):
        for name in names:
            if not any(t.takes(name) for t in takers.values()):
                close = difflib.get_close_matches(name, known, 1)
                hint = f" Did you mean {close[0]}?" if close else ""
                raise ValueError(
                    f"{kind} {name} must be a keyword of the {' or '.join(takers)}; got {name}, "
                    f"and there are {known}.{hint}"
                )
    for role, t in takers.items():
        missing = [name for name in t.required if name not in {*columns, *constants}]
        if missing:
            raise ValueError(
                f"{role} must get {missing}, each as an axis or a constant; "
                f"got axes {list(columns[:-1])} and constants {list(constants)}."
            )

    def partial(role: str, function: Callable[..., Any]) -> Callable[..., Any]:
        given = {
            k: v.item() if isinstance(v, np.generic) else v
            for k, v in constants.items()
            if takers[role].takes(k)
        }
        return eqx.Partial(function, **given) if given else function

    reads = {
        role: tuple(name for name in columns if t.takes(name, seed_too=False))
        for role, t in takers.items()
    }
    bound_cell, bound_draw = partial("cell", cell), None if draw is None else partial("draw", draw)
    return Bound(
        bound_cell,
        bound_draw,
        reads["cell"],
        reads.get("draw", ()),
        f"{program(bound_cell)} {program(bound_draw)} {digest(_refreshed(bound_cell, bound_draw))}",
    )


_last_read: dict[str, str] = {}


def _refreshed(*functions: object) -> dict[str, str]:
    """Return what functions refer to; where it has changed, let jax forget what it compiled.

    A helper that is jitted itself would go on with what it saw when it was first called.
    """
    now = read(*functions)
    changed = any(_last_read.get(name, value) != value for name, value in now.items())
    if changed:
        jax.clear_caches()
    _last_read.update((n, value) for n, value in now.items() if not value.startswith(UNKNOWN))
    return now


class _Taker(NamedTuple):
    names: tuple[str, ...]
    required: tuple[str, ...]
    anything: bool  # it has **keywords

    def takes(self, name: str, seed_too: bool = True) -> bool:
        return name in self.names or (self.anything and (seed_too or name != "seed"))


def _takes(role: str, function: Callable[..., Any]) -> _Taker:
    """Read a signature; what a Partial has filled in is not there any more."""
    filled: set[str] = set()
    inner, positional = function, 1  # the key, or what was drawn
    while isinstance(inner, eqx.Partial):
        filled |= set(inner.keywords)
        positional += len(inner.args)
        inner = inner.func
    kinds = inspect.Parameter
    parameters = list(inspect.signature(inner).parameters.values())
    ahead = [
        p for p in parameters if p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)
    ]
    variadic = any(p.kind == kinds.VAR_POSITIONAL for p in parameters)
    if len(ahead) < positional and not variadic:
        raise ValueError(
            f"{role} must take {positional} argument(s) ahead of its keywords, the last of them "
            f"the {'key' if role == 'draw' else 'key, or what was drawn'}; got {function!r} with "
            f"{len(ahead)}. Write def {role}(key, *, alpha, ...)."
        )
    named = [
        p
        for p in parameters
        if p not in ahead[:positional]
        and p.kind not in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD)
        and p.name not in filled
    ]
    return _Taker(
        tuple(p.name for p in named),
        tuple(p.name for p in named if p.default is kinds.empty),
        any(p.kind == kinds.VAR_KEYWORD for p in parameters),
    )
