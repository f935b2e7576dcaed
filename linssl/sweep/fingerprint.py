"""Values and functions written down so that different ones differ, and digests of that."""

import functools
import hashlib
import inspect
import json
import pickle
import types
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from linssl.names import Names
from linssl.sweep.references import methods, of_library, references

UNKNOWN = "unknown"


def program(function: Callable[..., Any] | None) -> str:
    """Hash what is compiled in: the code, and all that it holds but arrays of a Partial.

    What jax compiled is remembered by the function; this tells whether it still is the same.
    """
    inner, held = function, []
    while isinstance(inner, eqx.Partial):
        _, static = eqx.partition((inner.args, inner.keywords), eqx.is_array)
        held.append([str(jax.tree_util.tree_structure(static))])
        held.append([written(leaf) for leaf in jax.tree_util.tree_leaves(static)])
        inner = inner.func
    return digest([written(inner), held])


def read(*roots: object) -> dict[str, str]:
    """Digest by name all that functions in these values refer to, through other functions too.

    What can't be told from another is "unknown", and differs from itself: nobody can know whether
    it has changed.
    """
    return {name: _contents(value) for name, value in sorted(references(roots).items())}


def _contents(value: Any) -> str:
    try:
        return digest(written(value))
    except (ValueError, RecursionError):
        try:
            return hashlib.sha256(pickle.dumps(value)).hexdigest()[:16]
        except Exception:  # objects of any library raise errors of any kind
            return f"{UNKNOWN} {uuid.uuid4().hex}"


def digest(record: Any) -> str:
    """Hash a JSON record, in any order of its keys."""
    text = json.dumps(record, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def difference(old: Any, new: Any, path: str = "") -> list[str]:
    """Name the entries in which two records differ, for an error message."""
    if isinstance(old, dict) and isinstance(new, dict):
        lines = []
        for name in [*old, *(n for n in new if n not in old)]:
            inner = f"{path}.{name}" if path else name
            lines += difference(old.get(name), new.get(name), inner)
        return lines
    same = digest(old) == digest(new)  # 1 and 1.0 are equal, and two programs
    return [] if same else [f"{path}: {_short(old)} there, {_short(new)} here"]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, list) and len(text) > 60:
        return f"[{value[0]!r}, ..., {value[-1]!r}] ({len(value)} values, {digest(value)[:6]})"
    return text


def named(function: Callable[..., Any]) -> dict[str, Any]:
    """Name a cell or a draw, and write down the data that a Partial filled in."""
    inner, filled = function, []
    while isinstance(inner, eqx.Partial):
        filled.append([inner.args, inner.keywords])
        inner = inner.func
    record = written(inner)
    if not isinstance(record, dict):
        record = {"name": type(inner).__qualname__, "source": digest(record)}
    return record | ({"data": digest(written(filled))} if filled else {})


def written(value: Any, above: tuple[int, ...] = ()) -> Any:
    """Write down a value so that different ones differ; data inside count, addresses don't."""
    if id(value) in above:
        return "itself"
    within = (*above, id(value))
    if value is None or isinstance(value, str | bool | int | float | complex):
        return [type(value).__name__, repr(value)]
    if isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
        value = jax.random.key_data(value)
    if isinstance(value, jax.Array | np.ndarray | np.generic):
        array = np.asarray(value)
        if array.dtype.kind != "O":
            contents = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]
            return {"shape": list(array.shape), "dtype": str(array.dtype), "sha256": contents}
    if isinstance(value, Mapping):
        return {str(name): written(inner, within) for name, inner in value.items()}
    if isinstance(value, list | tuple | Names):
        return [type(value).__name__, [written(inner, within) for inner in value]]
    if isinstance(value, set | frozenset):
        return ["set", sorted(digest(written(inner, within)) for inner in value)]
    if isinstance(value, functools.partial):
        return ["partial", written([value.func, value.args, value.keywords], within)]
    method = getattr(value, "__func__", None)  # equinox has methods of its own
    if method is not None:
        return ["method", written([method, getattr(value, "__self__", None)], within)]
    plain = inspect.unwrap(value) if callable(value) else value
    if inspect.isfunction(plain):
        return _function(plain, within)
    if inspect.isclass(plain) and not of_library(plain):
        own = {name: digest(_code(function)) for name, function in methods(plain).items()}
        plain_values = {n: v for n, v in vars(plain).items() if n[:2] != "__" and _is_plain(v)}
        return [f"{plain.__module__}:{plain.__qualname__}", own, written(plain_values, within)]
    if inspect.isclass(plain) or inspect.isbuiltin(plain) or inspect.ismodule(plain):
        return getattr(plain, "__module__", "") + ":" + getattr(plain, "__qualname__", str(plain))
    if hasattr(value, "__dict__"):
        return [written(type(value)), written(vars(value), within)]
    raise ValueError(
        f"{type(value).__name__} {value!r} can't be told apart from another: give a cell, its draw "
        "and its constants numbers, arrays, functions, or containers and classes of those."
    )


def _is_plain(value: object) -> bool:
    return value is None or isinstance(
        value, str | bool | int | float | complex | list | tuple | dict | np.ndarray | jax.Array
    )


def _function(function: Any, within: tuple[int, ...]) -> dict[str, Any]:
    """Name a function, with digests of its code and of what it holds on to."""
    module = "__main__" if function.__module__ == "__mp_main__" else function.__module__
    record = {"name": f"{module}:{function.__qualname__}", "source": digest(_code(function))}
    held = [
        function.__defaults__,
        function.__kwdefaults__,
        [cell.cell_contents for cell in function.__closure__ or ()],
    ]
    if any(held):
        record["holds"] = digest(written(held, within))
    return record


def _code(function: Any) -> list[Any]:
    """What a function does, wherever it stands and however it is commented."""

    def of(code: types.CodeType) -> list[Any]:
        constants = [of(c) if isinstance(c, types.CodeType) else repr(c) for c in code.co_consts]
        # a docstring is a constant too, but does nothing
        return [code.co_code.hex(), constants, list(code.co_names), list(code.co_varnames)]

    return of(function.__code__)
