"""Compare figures with those kept: `python -m tools.figures.compare FOLDER`; `make figures-check`.

Numbers that nothing is drawn for must be those of the reference, but for rounding. Numbers that
depend on draws (a record's `drawn` names them, and the columns of their errors) are drawn from the
same seeds everywhere, so that they differ only where rounding tips a tie or a step of a descent:
by less than their errors.
"""

import csv
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tools.figures.gallery import REFERENCE, experiments

RELATIVE = 1e-6  # of a deterministic number: another machine's rounding, enlarged by the algebra
ZERO = 1e-12  # of a column's largest number: what is smaller is rounding
ERRORS = 2.0  # of a drawn number, in standard errors: below three
OF_ERROR = 0.5  # of an error itself, which a few seeds don't know better


def differences(made: Path, kept: Path) -> list[str]:
    """Say how the figures in one folder differ from those kept in another, a line each."""
    found = []
    for name in sorted({*experiments(), *(file.stem for file in kept.glob("*.json"))}):
        records = [folder / f"{name}.json" for folder in (made, kept)]
        missing = [f"{file} isn't there" for file in records if not file.is_file()]
        found += missing or of_figure(name, made, kept)
    return found


def of_figure(name: str, made: Path, kept: Path) -> list[str]:
    """Say how one figure differs from the one kept: in its data, or else in its tables."""
    new, old = (json.loads((folder / f"{name}.json").read_text()) for folder in (made, kept))
    for record in (new, old):
        record["tables"] = [*record["tables"]]  # names; sizes are compared with the tables
    for key in ("data", "data_sha256", "tables"):
        if new.get(key) != old.get(key):
            return [f"{name}: {key} is {new.get(key)}, not {old.get(key)}"]
    return [
        f"{table}.csv: {line}"
        for table in old["tables"]
        for line in compared(made / f"{table}.csv", kept / f"{table}.csv", old["drawn"])
    ]


def compared(made: Path, kept: Path, drawn: Mapping[str, str | None]) -> list[str]:
    """Say how one table differs from another, a line for each column."""
    if not made.is_file():
        return ["isn't there"]
    new, old = read(made), read(kept)
    if [*new] != [*old]:
        return [f"columns are {', '.join(new)}; not {', '.join(old)}"]
    shapes = [len(next(iter(table.values()))) for table in (new, old)]
    if shapes[0] != shapes[1]:
        return [f"has {shapes[0]} rows, not {shapes[1]}"]
    found = []
    for name in old:
        if drawn.get(name, "") is None:
            continue
        got, want = number(new[name]), number(old[name])
        bound = allowed(name, old, drawn)
        with np.errstate(invalid="ignore"):  # infinite less infinite
            wrong = (new[name] != old[name]) & ~(np.abs(got - want) <= bound)
        if wrong.any():
            row = int(np.argmax(wrong))
            more = f", and {wrong.sum() - 1} more" if wrong.sum() > 1 else ""
            found.append(
                f"{name} in row {row + 2} is {new[name][row]}, not {old[name][row]} "
                f"(± {bound[row]:.1e}){more}"
            )
    return found


def allowed(name: str, old: Mapping[str, np.ndarray], drawn: Mapping[str, str | None]):
    """Return how far each number of a column may be from the reference."""
    want = size(old[name])
    bound = np.maximum(RELATIVE * want, ZERO * np.max(want, initial=0))
    if name in drawn.values():
        bound = np.maximum(bound, OF_ERROR * want)
    error = drawn.get(name)
    return bound if error is None else np.maximum(bound, ERRORS * size(old[error]))


def size(words: np.ndarray) -> np.ndarray:
    """Return the sizes of numbers; 0 for what is infinite or no number, and has to be the same."""
    return np.nan_to_num(np.abs(number(words)), nan=0.0, posinf=0.0)


def read(file: Path) -> dict[str, np.ndarray]:
    """Read the columns of a table as words."""
    with file.open(newline="", encoding="utf-8") as lines:
        header, *rows = csv.reader(lines)
    return dict(zip(header, np.array(rows).reshape(-1, len(header)).T, strict=True))


def number(words: np.ndarray) -> np.ndarray:
    """Return words as numbers; NaN where they are none."""

    def one(word: str) -> float:
        try:
            return float(word)
        except ValueError:
            return np.nan

    return np.array([one(word) for word in words])


if __name__ == "__main__":
    found = differences(Path(sys.argv[1]), REFERENCE)
    for difference in found:
        print(difference, file=sys.stderr)
    if found:
        sys.exit(f"error: {len(found)} differences from figures/reference")
    print("figures are those of figures/reference")
