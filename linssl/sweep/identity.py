"""What fixes the numbers of a sweep, written down: provenance, and the hash that guards a store."""

import hashlib
import inspect
import json
import platform
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from linssl.sweep.sweep import Sweep

PACKAGES = ("linssl", "jax", "jaxlib", "numpy", "scipy")


def environment() -> dict[str, Any]:
    """Say what this process computes with. Source: derived (provenance)."""
    return {
        "dtype": str(np.dtype(jnp.result_type(float))),
        "device": jax.local_devices()[0].device_kind,
        "python": platform.python_version(),
        "versions": {package: version(package) for package in PACKAGES},
    }


def identity(sweep: Sweep, where: dict[str, Any]) -> dict[str, Any]:
    """Write down everything that a result depends on, to the last bit, as JSON has it.

    The source of cell and draw counts, and the data in them; what they call doesn't, but for the
    versions of the libraries. `where` is the `environment` of the processes that solve it.

    Source: derived (provenance).
    """
    return {
        "cell": _function(sweep.cell),
        "draw": None if sweep.draw is None else _function(sweep.draw),
        "axes": {name: np.asarray(values).tolist() for name, values in sweep.axes.items()},
        "seeds": list(sweep.seeds),  # pyright: ignore[reportArgumentType]
        "constants": {name: _constant(value) for name, value in sweep.constants.items()},
        **where,
    }


def digest(record: Any) -> str:
    """Hash a JSON record, in any order of its keys. Source: derived (provenance)."""
    text = json.dumps(record, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def difference(old: Any, new: Any, path: str = "") -> list[str]:
    """Name the entries in which two records differ, for an error message.

    Source: derived (provenance).
    """
    if isinstance(old, dict) and isinstance(new, dict):
        lines = []
        for name in [*old, *(n for n in new if n not in old)]:
            inner = f"{path}.{name}" if path else name
            lines += difference(old.get(name), new.get(name), inner)
        return lines
    return [] if old == new else [f"{path}: {_short(old)} there, {_short(new)} here"]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, list) and len(text) > 60:
        return f"[{value[0]!r}, ..., {value[-1]!r}] ({len(value)} values, {digest(value)[:6]})"
    return text


def _function(function: Callable[..., Any]) -> dict[str, Any]:
    """Name a function, with a digest of its source and of what a Partial filled in."""
    inner, filled = function, []
    while isinstance(inner, eqx.Partial):
        filled.append((inner.args, inner.keywords))
        inner = inner.func
    name = f"{inner.__module__}:{getattr(inner, '__qualname__', type(inner).__qualname__)}"
    record: dict[str, Any] = {"name": name, "source": _source(inner)}
    if filled:
        leaves, structure = jax.tree_util.tree_flatten(filled)
        record["data"] = digest([str(structure), [_constant(leaf) for leaf in leaves]])
    return record


def _source(function: Any) -> str:
    try:
        return digest(inspect.getsource(inspect.unwrap(function)))
    except (OSError, TypeError):  # typed at a prompt, or an object with __call__
        code = getattr(function, "__code__", None)
        return digest(code.co_code.hex() if code else type(function).__qualname__)


def _constant(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
        value = jax.random.key_data(value)
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        return repr(value)
    if array.dtype.kind == "O":
        return _source(value) if callable(value) else repr(value)
    contents = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]
    return {"shape": list(array.shape), "dtype": str(array.dtype), "sha256": contents}
