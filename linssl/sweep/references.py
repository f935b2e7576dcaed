"""What functions of user code refer to: globals, helpers and their globals, whole modules.

Code of installed libraries isn't looked into: their versions stand for it.
"""

import dis
import functools
import inspect
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import equinox as eqx

INSTALLED = {"site-packages", "dist-packages"}  # folders of libraries


def references(roots: Iterable[object]) -> dict[str, Any]:
    """Return by name all that functions of user code in these values refer to, through others too.

    Functions, methods and classes that they refer to are followed, in containers and closures too.
    """
    found: dict[str, Any] = {}
    todo, known = [f for root in roots for f in _functions(root)], set()
    while todo:
        function = todo.pop()
        if id(function) in known:
            continue
        known.add(id(function))
        named = {f"{function.__module__}.{n}": v for n, v in sorted(_globals(function).items())}
        found |= named
        todo += [f for value in (*named.values(), *_held(function)) for f in _functions(value)]
    return found


def of_library(value: object) -> bool:
    """Say whether a function, a class or a module comes with an installed library."""
    name = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
    if not isinstance(name, str) or name in ("__main__", "__mp_main__"):
        return False
    top = name.partition(".")[0]
    file = getattr(sys.modules.get(name), "__file__", None)
    return (
        top in sys.stdlib_module_names
        or top == "linssl"
        or (file is not None and bool(INSTALLED & set(Path(file).parts)))
    )


def methods(kind: type) -> dict[str, types.FunctionType]:
    """Return the functions of a class of user code, and of those that it is made of, by name."""
    found = {}
    for name in sorted({n for c in kind.__mro__ if not of_library(c) for n in vars(c)}):
        value = getattr(kind, name, None)
        value = value.fget if isinstance(value, property) else value
        plain = inspect.unwrap(value) if callable(value) else None
        plain = getattr(plain, "__func__", plain)
        # A dataclass writes some of its own, from fields that are looked at anyway.
        if inspect.isfunction(plain) and plain.__code__.co_filename != "<string>":
            found[name] = plain
    return found


def _held(function: types.FunctionType) -> list[Any]:
    cells = [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
    return [*cells, *(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]


def _is_filled(cell: types.CellType) -> bool:
    try:
        return bool([cell.cell_contents])
    except ValueError:  # a name that its function hasn't set yet
        return False


def _functions(value: object, depth: int = 3) -> Iterator[types.FunctionType]:
    """Yield the functions of user code in a value, to some depth of containers."""
    if isinstance(value, eqx.Partial | functools.partial):
        value = [value.func, value.args, value.keywords]
    plain: Any = inspect.unwrap(value) if callable(value) else value
    plain = getattr(plain, "__func__", plain)
    if inspect.isfunction(plain):
        if not of_library(plain):
            yield plain
    elif isinstance(value, Mapping | list | tuple | set | frozenset) and depth:
        inner: Iterable[object] = value.values() if isinstance(value, Mapping) else value
        for part in inner:
            yield from _functions(part, depth - 1)
    else:
        kind = plain if inspect.isclass(plain) else type(plain)
        if not of_library(kind):
            yield from methods(kind).values()


def _globals(function: Callable[..., Any]) -> dict[str, Any]:
    """Return what the names in a function refer to now; of modules, what it may take from them."""
    codes = list(_codes(function.__code__))
    attributes = {name for code in codes for name in code.co_names}
    found: dict[str, Any] = {}
    for step in (step for code in codes for step in dis.get_instructions(code)):
        name = step.argval
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME") and name in function.__globals__:
            found |= _attributes(name, function.__globals__[name], attributes, ())
        elif step.opname == "IMPORT_NAME":
            package = function.__globals__.get("__package__") or ""
            for module in {name, f"{package}.{name}".strip(".")} & sys.modules.keys():
                found |= _attributes(module, sys.modules[module], attributes, ())
    return found


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _codes(inner)


def _attributes(name: str, value: Any, wanted: set[str], above: tuple[int, ...]) -> dict[str, Any]:
    if not inspect.ismodule(value):
        return {name: value}
    if of_library(value) or id(value) in above:
        return {}
    found: dict[str, Any] = {}
    for attribute in sorted(wanted & vars(value).keys()):
        inner = vars(value)[attribute]
        found |= _attributes(f"{name}.{attribute}", inner, wanted, (*above, id(value)))
    return found
