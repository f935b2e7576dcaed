"""`linssl theorems`: the catalogue, and its checks, run now."""

import dataclasses
import difflib
import sys
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from linssl.theorems import Theorem


@dataclasses.dataclass(frozen=True)
class List:
    """List every theorem, identity and threshold: name, statement, source, function."""


@dataclasses.dataclass(frozen=True)
class Show:
    """Show all that is known of theorems: symbols, source, function, tolerance, tests."""

    names: tyro.conf.Positional[tuple[str, ...]]
    """Of theorems."""


@dataclasses.dataclass(frozen=True)
class Check:
    """Check theorems now, on random problems; exit with 1 if one fails.

    Each compares a function of the library with an independent computation, and prints the
    largest relative difference over the problems beside what rounding allows.

    For example:
      linssl theorems check
      linssl theorems check joint-embedding reconstruction --seed 1 --problems 10
    """

    names: tyro.conf.Positional[tuple[str, ...]] = ()
    """Of theorems; none is all."""
    seed: int = 0
    """Of the problems."""
    problems: int = 3
    """How many for each theorem."""


@dataclasses.dataclass(frozen=True)
class Theorems:
    """The theorems, identities and thresholds of the library, and their checks.

    For example:
      linssl theorems
      linssl theorems show joint-embedding
      linssl theorems check
    """

    command: tyro.conf.OmitSubcommandPrefixes[
        Annotated[List, tyro.conf.subcommand("list")]
        | Annotated[Show, tyro.conf.subcommand("show")]
        | Annotated[Check, tyro.conf.subcommand("check")]
    ]


def theorems(options: List | Show | Check) -> None:
    """List, show or check theorems."""
    if isinstance(options, Check):
        _check(options)
    elif isinstance(options, Show):
        _show(_chosen(options.names))
    else:
        _list()


def _chosen(names: tuple[str, ...]) -> list["Theorem"]:
    """Return theorems by name; exit with 2 and near names where there is none."""
    from linssl.theorems import CATALOGUE

    for name in names:
        if name not in CATALOGUE:
            near = difflib.get_close_matches(name, CATALOGUE, 3, 0.5)
            near += [other for other in CATALOGUE if name in other and other not in near][:5]
            hint = f"did you mean {', '.join(near)}?" if near else "`linssl theorems` lists them."
            print(f"error: no theorem is named '{name}'; {hint}", file=sys.stderr)
            raise SystemExit(2)
    return [CATALOGUE[name] for name in names or CATALOGUE]


def _list() -> None:
    from rich.table import Table
    from rich.text import Text

    from linssl.runtime.terminal import console
    from linssl.theorems import ROOMS

    out = console()
    for room in ROOMS:
        table = Table("name", "statement", "source", "function", title=room.title, expand=True)
        table.columns[0].ratio, table.columns[1].ratio = 3, 6
        table.columns[2].ratio, table.columns[3].ratio = 2, 3
        table.columns[0].overflow = table.columns[3].overflow = "fold"  # names stay whole
        for t in room.theorems:
            # As text: brackets of formulas would be read as colours.
            table.add_row(*map(Text, (t.name, t.statement, t.source, t.function)))
        out.print(table)
    out.print(f"{sum(len(room.theorems) for room in ROOMS)} entries")


def _show(chosen: list["Theorem"]) -> None:
    for t in chosen:
        print(f"{t.name}: {t.statement}\n  where      {t.symbols}\n  source     {t.source}")
        print(f"  function   {t.function}\n  tolerance  {t.tolerance:g} ({t.reason})")


def _check(options: Check) -> None:
    for name, value, least in (("problems", options.problems, 1), ("seed", options.seed, 0)):
        if value < least:
            raise ValueError(f"{name} must be >= {least}; got {value}.")
    chosen, failed = _chosen(options.names), []
    width = max(len(t.name) for t in chosen)
    print(f"{'theorem':{width}}  residual  tolerance")
    for t in chosen:
        residual = t.residual(options.seed, options.problems)
        good = residual <= t.tolerance  # not so for NaN
        row = f"{t.name:{width}}  {residual:<8.1e}  {t.tolerance:<9.0e}"
        print(f"{row}  {'ok' if good else 'FAILED'}", flush=True)
        failed += [] if good else [t.name]
    print(f"{len(chosen) - len(failed)} of {len(chosen)} hold on {options.problems} problems each")
    if failed:
        print(f"error: failed: {', '.join(failed)}", file=sys.stderr)
        raise SystemExit(1)
