"""What every experiment is told."""

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Options:
    """Options of every experiment."""

    data: str = "digits"
    """digits, the NAME of a file $LINSSL_DATA/NAME.npz, or a path."""
    out: Path = Path("figures")
    """Folder for the PDF, PNG, CSV and JSON."""
    full: bool = False
    """More seeds and finer grids, as `make figures-full` runs it."""
    redraw: bool = False
    """Draw the numbers in OUT again, its CSV and JSON, without solving."""

    @property
    def name(self) -> str:
        """The data set's name, for captions."""
        return Path(self.data).stem
