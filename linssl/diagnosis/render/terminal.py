"""A diagnosis in a terminal."""

import io
import math
from typing import Any

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from linssl.diagnosis.facts import BatchCodes, Facts
from linssl.diagnosis.feature_sentences import feature_lines
from linssl.diagnosis.phrases import (
    KNOWN_AS,
    NAMES,
    alpha_in_words,
    headline,
    held_out_in_words,
    kept_in_words,
    margin_in_words,
    metric,
    verdict_in_words,
    with_error,
)

WIDTH = 96


def renderable(d: Facts) -> Any:
    """Return what rich prints."""
    title = Text(headline(d), style="bold")
    parts: list[Any] = [
        title,
        Text(KNOWN_AS, style="dim"),
        Text(d.reason),
        Text(),
        table(d),
        Text(),
    ]
    parts += listed("What to do next", d.next_steps)
    parts += _batches(d) + _features(d) + listed("Notes", d.notes)
    parts.append(Text(provenance(d), style="dim"))
    return Group(*parts)


def as_text(report: Any) -> str:
    """Return what rich prints of a report, as plain text without colours."""
    out = io.StringIO()
    Console(file=out, width=WIDTH, color_system=None, highlight=False).print(report)
    return out.getvalue().rstrip("\n")


def table(d: Facts) -> Table:
    """Return both paradigms side by side."""
    found = Table("", *(name for name in NAMES.values()))
    both = [getattr(d, key) for key in NAMES]
    if d.ceiling is not None:
        found.add_row(f"held-out {metric(d)}", *(held_out_in_words(r) for r in both))
    elif d.joint_embedding.keeps is not None or d.nuisance:
        found.add_row("codes in the nuisance", *(kept_in_words(d, r) for r in both))
    if d.ceiling is not None or d.joint_embedding.keeps is not None or d.nuisance:
        found.add_row("margin", *(margin_in_words(r) for r in both))
        found.add_row("keeps the signal", *(verdict_in_words(r) for r in both))
        found.add_row("alignment needed", *(alpha_in_words(r) for r in both))
    if d.ceiling is not None:
        found.add_row("R² of the labels", *(kept_in_words(d, r) for r in both))
    found.add_row(
        f"gap after {d.dim}",
        *(
            f"{r.gap:.2g} ± {r.gap_error:.1g}" + ("" if r.identified else ", not sure")
            for r in both
        ),
    )
    return found


def batch_rows(d: Facts) -> list[tuple[str, str, str]]:
    """Return what is told of batches, for joint embedding and for reconstruction."""
    rows = []
    for b in d.batches:
        found = [
            (f"R² of {b.name}", "told"),
            (f"R² of the labels, centred by {b.name}", "kept"),
            ("change by centring", "change"),
        ]
        for what, field in found[: 1 if b.recommendation is None else 3]:
            je, rc = (_number(getattr(b, key), field) for key in NAMES)
            rows.append((what, je, rc))
    return rows


def _number(codes: BatchCodes, field: str) -> str:
    error = getattr(codes, f"{field}_error")
    return "arbitrary" if math.isinf(error) else with_error(getattr(codes, field), error)


def _batches(d: Facts) -> list[Any]:
    if not d.batches:
        return []
    found = Table("", *NAMES.values())
    for row in batch_rows(d):
        found.add_row(*map(Text, row))
    return [*listed("Batches", tuple(b.reason for b in d.batches)), found, Text()]


def _features(d: Facts) -> list[Any]:
    lines = feature_lines(d)
    if not lines:
        return []
    rows = Table.grid(padding=(0, 2))
    for what, which in lines:
        rows.add_row(Text(what), Text(which))
    title = "Features, by the share of their variance that is kept; codes, by correlation"
    return [Text(title, style="bold"), Padding(rows, (0, 0, 1, 1))]


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


def listed(title: str, lines: tuple[str, ...]) -> list[Any]:
    """Return lines under a title; nothing where there are none."""
    if not lines:
        return []
    rows = Table.grid(padding=(0, 1))
    for line in lines:
        rows.add_row("-", Text(line))
    return [Text(title, style="bold"), Padding(rows, (0, 0, 1, 1))]
