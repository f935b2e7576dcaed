"""What every experiment is told, and how its script starts."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import jax
import tyro

from linssl.plotting import house_style


@dataclasses.dataclass(frozen=True)
class Options:
    """Options of every experiment."""

    data: str = "digits"
    """digits, the NAME of a file $LINSSL_DATA/NAME.npz, or a path."""
    out: Path = Path("figures")
    """Folder for the PDF, PNG, CSV and JSON."""
    full: bool = False
    """More seeds and finer grids, as `make figures-full` runs it."""

    @property
    def name(self) -> str:
        """The data set's name, for captions."""
        return Path(self.data).stem


def run(experiment: Callable[[Options], None], description: str | None) -> None:
    """Run an experiment as a script: read its options, set double precision, go."""
    options = tyro.cli(Options, description=description)
    jax.config.update("jax_enable_x64", True)
    try:
        with house_style():
            experiment(options)
    except (ValueError, FileNotFoundError, ImportError) as error:
        raise SystemExit(f"error: {error}") from None
