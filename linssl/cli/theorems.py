"""`linssl theorems`: the catalogue, and its checks, run now."""

import dataclasses
import difflib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from linssl.theorems import Room, Theorem


@dataclasses.dataclass(frozen=True)
class List:
    """List every theorem, identity and threshold: name, statement, source, function."""

    module: str | None = None
    """Of theorems of your own, as for check."""


@dataclasses.dataclass(frozen=True)
class Show:
    """Show all that is known of theorems: symbols, source, function, tolerance, tests."""

    names: tyro.conf.Positional[tuple[str, ...]]
    """Of theorems."""
    module: str | None = None
    """Of theorems of your own, as for check."""


@dataclasses.dataclass(frozen=True)
class Check:
    """Check theorems now, on random problems; exit with 1 if one fails.

    Each compares a function of the library with an independent computation, and prints the
    largest relative difference over the problems beside what rounding allows.

    For example:
      linssl theorems check
      linssl theorems check joint-embedding reconstruction --seed 1 --problems 10
      linssl theorems check --module my_theorems
    """

    names: tyro.conf.Positional[tuple[str, ...]] = ()
    """Of theorems; none is all."""
    seed: int = 0
    """Of the problems."""
    problems: int = 3
    """How many for each theorem."""
    module: str | None = None
    """Of theorems of your own, installed or in this folder, in place of the library's: it defines
    a linssl.theorems.Room, and checks below @room.theorem(...)."""


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
    rooms = _rooms(options.module)
    if isinstance(options, Check):
        _check(options, _chosen(options.names, rooms))
    elif isinstance(options, Show):
        _show(_chosen(options.names, rooms))
    else:
        _list(rooms)


def _rooms(module: str | None) -> tuple["Room", ...]:
    from linssl.theorems import ROOMS, rooms_of

    if module is None:
        return ROOMS
    if (folder := str(Path.cwd())) not in sys.path:
        sys.path.append(folder)
    return rooms_of(module)


def _chosen(names: tuple[str, ...], rooms: tuple["Room", ...]) -> list["Theorem"]:
    """Return theorems by name; exit with 2 and near names where there is none."""
    known = {t.name: t for room in rooms for t in room.theorems}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 3, 0.5)
            near += [other for other in known if name in other and other not in near][:5]
            hint = f"did you mean {', '.join(near)}?" if near else "`linssl theorems` lists them."
            print(f"error: no theorem is named '{name}'; {hint}", file=sys.stderr)
            raise SystemExit(2)
    return [known[name] for name in names or known]


def _list(rooms: tuple["Room", ...]) -> None:
    from rich.table import Table
    from rich.text import Text

    from linssl.runtime.terminal import console

    out = console()
    for room in rooms:
        table = Table("name", "statement", "source", "function", title=room.title, expand=True)
        table.columns[0].ratio, table.columns[1].ratio = 3, 6
        table.columns[2].ratio, table.columns[3].ratio = 2, 3
        table.columns[0].overflow = table.columns[3].overflow = "fold"  # names stay whole
        for t in room.theorems:
            # As text: brackets of formulas would be read as colours.
            table.add_row(*map(Text, (t.name, t.statement, t.source, t.function)))
        out.print(table)
    out.print(f"{sum(len(room.theorems) for room in rooms)} entries")


def _show(chosen: list["Theorem"]) -> None:
    for t in chosen:
        print(f"{t.name}: {t.statement}\n  where      {t.symbols}\n  source     {t.source}")
        print(f"  function   {t.function}\n  tolerance  {t.tolerance:g} ({t.reason})")


def _check(options: Check, chosen: list["Theorem"]) -> None:
    for name, value, least in (("problems", options.problems, 1), ("seed", options.seed, 0)):
        if value < least:
            raise ValueError(f"{name} must be >= {least}; got {value}.")
    failed = []
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
