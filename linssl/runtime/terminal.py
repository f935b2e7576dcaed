"""Where words and tables are printed: never so narrow that numbers lose their digits."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

NARROWEST = 72  # columns: a terminal with fewer folds lines, where rich would cut them


def console() -> "Console":
    """Return a console of standard output, as wide as the terminal but for the narrowest ones."""
    from rich.console import Console

    found = Console(highlight=False)
    return found if found.width >= NARROWEST else Console(highlight=False, width=NARROWEST)
