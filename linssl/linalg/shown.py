"""Results print their numbers: scalars and short vectors as they are, matrices by their shape."""

import dataclasses
import html
import textwrap
from typing import Any, TypeVar

import equinox as eqx
import jax
import numpy as np

from linssl.arguments import is_concrete
from linssl.linalg.status import Status

Kind = TypeVar("Kind", bound=type)
SHORT = 8  # entries of a vector that is shown whole
WIDTH = 88  # of what stands on one line
KINDS = {"float": "f", "int": "i", "uint": "u", "complex": "c", "bool": "bool"}


class Shown(eqx.Module):
    """A frozen record of arrays that prints its numbers, in notebooks as a table.

    What isn't there (None) isn't shown. Traced values are shown by their type and shape.
    """

    def __repr__(self) -> str:
        return in_one_or_more_lines(type(self).__name__, fields(self))

    def _repr_html_(self) -> str:
        return as_table(type(self).__name__, fields(self))


def shows_numbers(kind: Kind) -> Kind:
    """Let a named tuple print as `Shown` does."""
    named: Any = kind
    named.__repr__ = lambda self: in_one_or_more_lines(kind.__name__, fields(self))
    named._repr_html_ = lambda self: as_table(kind.__name__, fields(self))
    return kind


def fields(value: Any) -> dict[str, str]:
    """Return the fields of a record in words, by name, but for those that are None."""
    if dataclasses.is_dataclass(value):
        names = [f.name for f in dataclasses.fields(value) if f.repr]
    else:
        names = list(value._fields)
    held = {name: getattr(value, name, None) for name in names}
    return {name: in_words(v, name) for name, v in held.items() if v is not None}


def in_one_or_more_lines(title: str, found: dict[str, str]) -> str:
    """Return a record as Python writes one, on one line where that isn't long."""
    entries = [f"{name}={text}" for name, text in found.items()]
    line = f"{title}({', '.join(entries)})"
    if len(line) <= WIDTH and "\n" not in line:
        return line
    inner = textwrap.indent(",\n".join(entries), "  ")
    return f"{title}(\n{inner}\n)"


def as_table(title: str, found: dict[str, str]) -> str:
    """Return a record as a table of HTML, for notebooks."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
        f"<td style='text-align:left'><pre style='margin:0'>{html.escape(text)}</pre></td></tr>"
        for name, text in found.items()
    )
    return f"<table><caption>{html.escape(title)}</caption><tbody>{rows}</tbody></table>"


def in_words(value: Any, name: str = "") -> str:
    """Return a value as it is shown, whatever it is; a status by the names of its bits."""
    if isinstance(value, jax.Array | np.ndarray | np.generic | jax.ShapeDtypeStruct):
        return _array(value, name == "status")
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple | list) and not hasattr(value, "_fields"):
        shown = _some([in_words(v) for v in value])
        return f"({shown})" if isinstance(value, tuple) else f"[{shown}]"
    return repr(value)


def _array(value: Any, is_status: bool) -> str:
    """Return the numbers of a scalar or a short vector, or else type and shape."""
    shape = ",".join(map(str, value.shape))
    kind = str(value.dtype)
    for long, short in KINDS.items():
        kind = f"{short}{kind.removeprefix(long)}" if kind.startswith(long) else kind
    plain = f"{kind}[{shape}]"
    if not is_concrete(value):
        return f"traced {plain}"
    try:
        host = np.asarray(value)
    except Exception:  # keys, placeholders, and buffers that were given away or are elsewhere
        return plain
    if is_status and host.dtype.kind in "iu":
        return _statuses(host)
    if host.ndim > 1 or (host.dtype.kind not in "fiub" and host.dtype.name != "bfloat16"):
        return plain
    numbers = [_number(v) for v in np.atleast_1d(host).tolist()]
    return f"[{_some(numbers)}]" if host.ndim else numbers[0]


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _some(shown: list[str]) -> str:
    """Return all entries, or the first and the last of many."""
    if len(shown) <= SHORT:
        return ", ".join(shown)
    return f"{', '.join(shown[:3])}, ..., {shown[-1]}; {len(shown)} in all"


def _statuses(bits: np.ndarray) -> str:
    """Return the status of one problem, or how many of a batch have each."""
    values, counts = np.unique(bits, return_counts=True)
    names = [Status(int(value)).name or str(value) for value in values]
    if bits.ndim == 0:
        return names[0]
    held = zip(names, counts, strict=True)
    return ", ".join(f"{name} in {count} of {bits.size}" for name, count in held)
