"""A sweep as text: a TOML file, options of the command line, or both."""

import difflib
import math
import re
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from linssl.arguments import as_path
from linssl.runtime.modules import find_module
from linssl.sweep.spec import Sweep

FIELDS = ("cell", "draw", "seeds", "axes", "constants", "units")
MOST_VALUES = 10**7  # of an axis
SPACINGS = {"geomspace": np.geomspace, "linspace": np.linspace, "arange": np.arange}


def read_config(path: str | Path) -> dict[str, Any]:
    """Read a sweep from TOML, without importing anything.

    ```toml
    cell = "module:function"
    draw = "module:function"     # optional
    seeds = 10                   # or a list of seeds
    [axes]
    alpha = [0.1, 1, 10]
    noise_variance = { geomspace = [0.01, 100, 50] }   # or linspace, arange
    [constants]
    signal_directions = 10
    [units]
    noise_variance = "weakest signal variance"
    ```

    Raises:
        ValueError: no file, not TOML, or a field that isn't one of these.
    """
    try:
        with as_path("path", path).open("rb") as file:
            config = tomllib.loads(file.read().decode("utf-8-sig"))
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} isn't TOML: {error}.") from error
    for name in config:
        if name not in FIELDS:
            close = difflib.get_close_matches(name, FIELDS, 1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise ValueError(f"{path} must hold {', '.join(FIELDS)}; got {name}.{hint}")
    for name in ("axes", "constants", "units"):
        if not isinstance(config.get(name, {}), dict):
            raise ValueError(f"{path} must hold [{name}] as a table; got {config[name]!r}.")
    return config


def make_sweep(config: Mapping[str, Any], folders: Sequence[str | Path] = ()) -> Sweep:
    """Make the sweep that a record as of `read_config` stands for.

    Args:
        config: the fields.
        folders: where modules are looked for, after everything that is installed.

    Raises:
        ValueError: no cell, a function that can't be found, or what `Sweep` refuses.
    """
    if not config.get("cell"):
        raise ValueError('cell must be given as "module:function"; got none.')
    sys.path.extend(str(f) for f in folders if str(f) not in sys.path)
    return Sweep(
        cell=find_function("cell", config["cell"]),
        axes={name: spaced(name, values) for name, values in config.get("axes", {}).items()},
        seeds=config.get("seeds", 1),
        draw=find_function("draw", config["draw"]) if config.get("draw") else None,
        constants=config.get("constants", {}),
        units=config.get("units", {}),
    )


def find_function(role: str, name: object) -> Callable[..., Any]:
    """Import "module:function".

    Raises:
        ValueError: not of that form, or not to be found.
    """
    if not isinstance(name, str) or not re.fullmatch(r"\w+(\.\w+)*:\w+(\.\w+)*", name):
        raise ValueError(f'{role} must be "module:function"; got {name!r}.')
    module_name, _, attributes = name.partition(":")
    places = "among the installed ones, in this folder or beside the TOML file"
    found: Any = find_module(f"{role} {name!r}", module_name, places)
    for attribute in attributes.split("."):
        if not hasattr(found, attribute):
            public = [n for n in dir(found) if callable(getattr(found, n)) and n[0] != "_"]
            close = difflib.get_close_matches(attribute, public, 1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise ValueError(f"{role} {name!r}: {module_name} has no {attribute!r}.{hint}")
        found = getattr(found, attribute)
    return found


def spaced(name: str, values: object) -> np.ndarray:
    """Write out the values of an axis: a list, or {geomspace = [first, last, number]}.

    Raises:
        ValueError: neither.
    """
    if isinstance(values, Mapping) and len(values) == 1:
        ((spacing, arguments),) = values.items()
        if spacing in SPACINGS and isinstance(arguments, list):
            try:
                number = len_of_range(*arguments) if spacing == "arange" else _third(arguments)
                if number > MOST_VALUES:
                    raise ValueError(f"it must hold at most {MOST_VALUES:,} values; got {number:,}")
                if spacing == "arange":
                    return np.arange(*arguments)
                first, last, number = arguments
                with np.errstate(all="ignore"):  # what isn't finite is refused as an axis
                    return SPACINGS[spacing](first, last, int(number))
            except (TypeError, ValueError, IndexError, ArithmeticError) as error:
                raise ValueError(f"axis {name}: {spacing}{tuple(arguments)}: {error}.") from error
    numbers = values if isinstance(values, list) else [values]
    if all(isinstance(v, int | float | bool) for v in numbers) and not isinstance(values, bool):
        return np.asarray(numbers)
    raise ValueError(
        f"axis {name} must be a list of numbers or one of {', '.join(SPACINGS)}, as in "
        f"{{ geomspace = [0.01, 100, 50] }}; got {values!r}."
    )


def _third(arguments: list[Any]) -> int | float:
    """Return the number of values, or raise where it is none."""
    number = arguments[2] if len(arguments) == 3 else None
    if isinstance(number, bool) or not isinstance(number, int | float) or number % 1 or number < 1:
        raise ValueError("it must be [first, last, number], the last a whole one >= 1")
    return number


def len_of_range(*arguments: int | float) -> int:
    """Return how many values numpy.arange gives, before it makes room for them."""
    start, stop = (0, *arguments) if len(arguments) == 1 else arguments[:2]
    return max(0, math.ceil((stop - start) / (arguments[2] if len(arguments) > 2 else 1)))


def parse_option(text: str, kind: str) -> tuple[str, Any]:
    """Read `name=value` as TOML would; `1,2,3` is a list and `geomspace(1,10,4)` a spacing.

    Raises:
        ValueError: no name, or no value.
    """
    name, sign, value = (part.strip() for part in text.partition("="))
    if not (name and sign and value):
        raise ValueError(f"{kind} must be name=value; got {text!r}.")
    value = {"True": "true", "False": "false"}.get(value, value)
    if value == "None":
        raise ValueError(f"{kind} {name}: None can't be given; leave it out.")
    call = re.fullmatch(r"(\w+)\((.*)\)", value)
    if call:
        value = f"{{ {call[1]} = [{call[2]}] }}"
    elif "," in value and value[0] not in "[{\"'":
        value = f"[{value}]"
    # TOML wants digits on both sides of a point, and has no exponent without them
    mended = re.sub(r"(?<![\w.])\.(?=\d)", "0.", re.sub(r"(?<=\d)\.(?![\d])", ".0", value))
    for text in (value, mended):
        try:
            return name, tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            if re.fullmatch(r"[\w.:/-]+", value) and not re.match(r"[\d.+-]", value):
                return name, value  # a bare word
    raise ValueError(f"{kind} {name}: {value!r} isn't a number, a list or a spacing.")
