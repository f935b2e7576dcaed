"""How the script of an experiment starts, and what it does."""

from collections.abc import Callable

import jax
import tyro
from matplotlib.figure import Figure

from experiments.shared.options import Options
from experiments.shared.result import Result, read, write
from linssl.plotting import house_style, write_figure


def run(
    name: str,
    solve: Callable[[Options], Result],
    draw: Callable[[Result], Figure],
    description: str | None,
) -> None:
    """Run an experiment as a script: read its options, set double precision, go."""
    options = tyro.cli(Options, description=description)
    jax.config.update("jax_enable_x64", True)
    try:
        make(name, solve, draw, options)
    except (ValueError, FileNotFoundError, ImportError) as error:
        raise SystemExit(f"error: {error}") from None


def make(
    name: str,
    solve: Callable[[Options], Result],
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
