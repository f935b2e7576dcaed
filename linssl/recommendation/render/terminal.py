"""A recommendation in a terminal."""

from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from linssl.diagnosis.phrases import KNOWN_AS, NAMES, rounded
from linssl.diagnosis.render.terminal import listed
from linssl.recommendation.facts import Curve, Facts
from linssl.recommendation.words import headline, points, score

LISTED = 12  # rows of the table
OF_TABLE = (
    "Strength and codes of each family were chosen on other rows than those that score it; in the "
    "answer above, the family too. Behind is what is recommended less this, on the same rows."
)


def renderable(r: Facts) -> Any:
    """Return what rich prints."""
    parts: list[Any] = [Text(headline(r), style="bold"), Text(r.reason), Text()]
    if r.table:
        parts += [_titled("Best of each paradigm and family, on rows unseen"), _table(r), Text()]
    if r.curves:
        parts += [
            _titled(f"{_metric(r)} against strength, with the best number of codes"),
            _curves(r),
            Text(),
        ]
    if r.recommended is not None and len(r.by_dim) > 1:
        parts += [_titled(f"{_metric(r)} against codes"), Text(dims_text(r)), Text()]
    if r.recommended is None:
        parts += [_titled("What each augmentation calls irrelevant"), _shaken(r), Text()]
    parts += listed("Nuisance", nuisance_lines(r)) + listed("Samples", learning_lines(r))
    parts += listed("What to do next", r.next_steps) + listed("Notes", r.notes)
    parts += [Text(KNOWN_AS, style="dim"), Text(provenance(r), style="dim")]
    return Group(*parts)


def _metric(r: Facts) -> str:
    return "Accuracy" if r.metric == "accuracy" else "R²"


def table_head(r: Facts) -> tuple[str, ...]:
    """Return the heads of the table's columns."""
    unit, behind = ("accuracy, %", "points behind") if r.metric == "accuracy" else ("R²", "behind")
    return ("paradigm", "augmentation", "codes", unit, behind)


def table_rows(r: Facts, most: int = LISTED) -> list[tuple[str, ...]]:
    """Return rows of the table: paradigm, augmentation, codes, score, behind."""
    rows = []
    for row in r.table[:most]:
        value = score(row.value, r.metric).removesuffix(" %")
        error, behind = (_bare(v, r) for v in (row.error, row.behind))
        told = ("tie" if row.tie else behind,)
        rows.append(
            (NAMES[row.paradigm], row.augmentation, str(row.dim), f"{value} ± {error}", *told)
        )
    return rows


def _bare(value: float, r: Facts) -> str:
    return points(value, r.metric).removesuffix(" points")


def _table(r: Facts) -> Table:
    found = Table(*table_head(r))
    found.columns[1].overflow = "fold"  # no word of an augmentation is cut
    for row in table_rows(r):
        found.add_row(*map(Text, row))
    more = f"and {len(r.table) - LISTED} that score less. " if len(r.table) > LISTED else ""
    found.caption = more + OF_TABLE
    return found


def curve_text(c: Curve, metric: str) -> str:
    """Write a curve as strength: score."""
    pairs = []
    for strength, value, ranked in zip(c.strengths, c.values, c.ranked, strict=True):
        told = score(value, metric).removesuffix(" %")
        pairs.append(f"{strength:g}: {told}" if ranked else f"({strength:g}: {told})")
    return "   ".join(pairs)


def dims_text(r: Facts) -> str:
    """Write what the recommended setting scores as number of codes: score."""
    assert r.recommended is not None
    pairs = [f"{k}: {score(value, r.metric).removesuffix(' %')}" for k, value, _ in r.by_dim]
    return f"{r.recommended.augmentation}  {'   '.join(pairs)}"


def _curves(r: Facts) -> Table:
    rows = Table.grid(padding=(0, 2))
    for c in sorted(r.curves, key=lambda c: (c.family, c.paradigm)):
        rows.add_row(Text(c.family), Text(NAMES[c.paradigm]), Text(curve_text(c, r.metric)))
    return rows


def shaken_rows(r: Facts) -> list[tuple[str, ...]]:
    """Return rows of what augmentations call irrelevant."""
    found = []
    for s in r.shaken:
        most = ", ".join(f"{name} {100 * share:.0f} %" for name, share in s.features[:3])
        scores = " ".join(rounded(v, 2) for v in s.joint_embedding[:6])
        other = " ".join(rounded(v, 2) for v in s.reconstruction[:6])
        found.append((s.augmentation, f"{100 * s.share:.0f} %", most or "all alike", scores, other))
    return found


def _shaken(r: Facts) -> Table:
    found = Table(
        "augmentation",
        "shakes",
        "most of all",
        "joint embedding, scores",
        "reconstruction, of first",
    )
    for row in shaken_rows(r):
        found.add_row(*map(Text, row))
    return found


def nuisance_lines(r: Facts) -> tuple[str, ...]:
    """Say what is told of the nuisance, before and after."""
    t = r.nuisance
    if t is None:
        return ()

    def told(value: float, error: float | None) -> str:
        return (
            f"{score(value, t.metric)} ± {points(error or 0.0, t.metric).removesuffix(' points')}"
        )

    lines = [
        f"{t.name}: all features tell it with {t.metric} {told(t.features, t.features_error)}, "
        f"chance {score(t.chance, t.metric)}."
    ]
    if t.codes is not None:
        lines.append(f"The recommended codes tell it with {told(t.codes, t.codes_error)}.")
    if t.centred is not None:
        error = _bare(t.centred_error or 0.0, r)
        lines.append(
            f"Centred by it instead, isotropic noise has {r.metric} {score(t.centred, r.metric)} ± "
            f"{error} of the labels with {t.centred_dim} codes; new rows then need their level."
        )
    return tuple(lines)


def learning_lines(r: Facts) -> tuple[str, ...]:
    """Say whether samples are enough."""
    found = r.learning
    if found is None:
        return ()
    gain = f"{points(found.gain, r.metric)} ± {points(found.gain_error, r.metric)}"
    twice = f"Learnt from twice as many rows, the setting gains {gain}"
    if found.enough:
        return (f"{twice}: {r.samples:,} are enough, within a point.",)
    if found.samples is not None:
        return (f"{twice}: more would help, about {found.samples:,}.",)
    return (f"{twice}: whether more would help by a point can't be told.",)


def provenance(r: Facts) -> str:
    """Say what was looked at, with what."""
    versions = ", ".join(f"{name} {number}" for name, number in r.versions.items())
    return (
        f"n = {r.samples:,}, d = {r.features:,}, {r.kind}; labels: {r.labels}; seed {r.seed}. "
        f"{versions}."
    )


def _titled(title: str) -> Text:
    return Text(title, style="bold")
