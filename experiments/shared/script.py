"""How the script of an experiment starts, and what it does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import jax
import tyro
from matplotlib.figure import Figure

from experiments.shared.options import Options
from experiments.shared.result import Result, read, write
from experiments.shared.unfit import UnfitError
from linssl.plotting import house_style, write_figure

UNFIT = 3  # exit status: these data aren't for this figure, and why is in NAME.unfit


def run(
    name: str,
    solve: Callable[..., Result],
    draw: Callable[[Result], Figure],
    description: str | None,
) -> None:
    """Run an experiment as a script: read its options, set double precision, go."""
    options = tyro.cli(options_of(solve), description=description)
    jax.config.update("jax_enable_x64", True)
    unfit = options.out / f"{name}.unfit"
    try:
        make(name, solve, draw, options)
    except UnfitError as error:
        _tell(unfit, f"{error}\n")
        print(f"left out: {name}: {error}")
        raise SystemExit(UNFIT) from None
    except (ValueError, FileNotFoundError, ImportError) as error:
        raise SystemExit(f"error: {error}") from None
    unfit.unlink(missing_ok=True)


def options_of(solve: Callable[..., Result]) -> Any:
    """Return the type of the options that an experiment takes."""
    return get_type_hints(solve)["options"]


def make(
    name: str,
    solve: Callable[..., Result],
    draw: Callable[[Result], Figure],
    options: Options,
) -> None:
    """Solve and write the numbers, unless they are there to redraw; then draw what was written.

    Numbers come first: where drawing fails it can be mended, and done again without solving.
    """
    if not options.redraw:
        write(options.out, name, solve(options))
    with house_style():
        write_figure(options.out, name, draw(read(options.out, name)))


def _tell(path: Path, why: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(why, encoding="utf-8")
