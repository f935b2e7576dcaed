"""The gallery, figures/README.md: a section for every experiment, in the order of a story."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "figures" / "reference"


def experiments() -> list[str]:
    """Return the name of every experiment."""
    return sorted({file.stem for file in (ROOT / "experiments").glob("*.py")} - {"__init__"})


def sections() -> dict[str, str]:
    """Return the text of every section of the gallery by name, in its order."""
    _, *parts = re.split(r"^## (\w+)\n", (ROOT / "figures" / "README.md").read_text(), flags=re.M)
    return dict(zip(parts[::2], map(str.strip, parts[1::2]), strict=True))


def about(name: str) -> str:
    """Return what a figure shows: what stands for it where it can't be seen."""
    return re.findall(r"^!\[(.*)\]", sections()[name])[0]
