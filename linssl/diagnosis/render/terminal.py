"""A diagnosis in a terminal."""

import io
from typing import Any

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from linssl.diagnosis.facts import Facts
from linssl.diagnosis.phrases import (
    NAMES,
    alpha_in_words,
    kept_in_words,
    margin_in_words,
    verdict_in_words,
    with_error,
)
from linssl.diagnosis.sentences import HEADLINES

WIDTH = 96


def renderable(d: Facts) -> Any:
    """Return what rich prints."""
    title = Text(HEADLINES[d.recommendation], style="bold")
    parts: list[Any] = [title, Text(d.reason), Text(), table(d), Text()]
    parts += _listed("What to do next", d.next_steps) + _listed("Notes", d.notes)
    parts.append(Text(provenance(d), style="dim"))
    return Group(*parts)


def as_text(d: Facts) -> str:
    """Return plain text, without colours."""
    out = io.StringIO()
    Console(file=out, width=WIDTH, color_system=None, highlight=False).print(renderable(d))
    return out.getvalue().rstrip("\n")


def table(d: Facts) -> Table:
    """Return both paradigms side by side."""
    found = Table("", *(name for name in NAMES.values()))
    both = [getattr(d, key) for key in NAMES]
    kept = "codes in the nuisance" if d.ceiling is None else "R² of the labels"
    if d.ceiling is not None or d.joint_embedding.keeps is not None or d.nuisance:
        found.add_row(kept, *(kept_in_words(d, r) for r in both))
        found.add_row("margin", *(margin_in_words(r) for r in both))
        found.add_row("keeps the signal", *(verdict_in_words(r) for r in both))
        found.add_row("alignment needed", *(alpha_in_words(r) for r in both))
    if d.dim in d.dims and both[0].held_out:
        at = d.dims.index(d.dim)
        label = "accuracy" if d.classes else "R²"
        found.add_row(f"held-out {label}", *(f"{r.held_out[at]:.3f}" for r in both))
    found.add_row(
        f"gap after {d.dim}",
        *(
            f"{r.gap:.2g} ± {r.gap_error:.1g}" + ("" if r.identified else ", not sure")
            for r in both
        ),
    )
    return found


def provenance(d: Facts) -> str:
    """Say what was diagnosed, with what."""
    versions = ", ".join(f"{name} {number}" for name, number in d.versions.items())
    ceiling = ""
    if d.ceiling is not None:
        ceiling = f", ceiling R² {with_error(d.ceiling, d.ceiling_error)}"
    groups = "" if d.groups is None else f" in {d.groups:,} groups"
    return (
        f"n = {d.samples:,}{groups}, d = {d.features}, {d.dtype}; k = {d.dim}; labels: {d.labels}"
        f"{ceiling}; augmentation: {d.augmentation}; tolerance {d.tolerance:g}; seed {d.seed}. "
        f"{versions}."
    )


def _listed(title: str, lines: tuple[str, ...]) -> list[Any]:
    if not lines:
        return []
    rows = Table.grid(padding=(0, 1))
    for line in lines:
        rows.add_row("-", Text(line))
    return [Text(title, style="bold"), Padding(rows, (0, 0, 1, 1))]
