"""What an experiment found, and its files: the one road from numbers to a figure.

    solve(options) -> Result -> NAME.csv, NAME.json -> Result -> draw(result) -> NAME.png, NAME.pdf

A figure is always drawn from what is on disk, so that drawing it again gives the same picture.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from linssl.plotting import write_record, write_table


class Result(NamedTuple):
    """The numbers of a figure, and what there is to say of them.

    Args:
        table: of NAME.csv; the plotted numbers.
        record: of NAME.json: `caption`; `data`, the data set; `drawn`, the columns of any table
            that depend on draws, each with the column of its standard error, None for what
            rounding may change at will (all others are deterministic); and facts of all kinds.
        more: further tables, of NAME_*.csv, by what their files' names end with.
    """

    table: pd.DataFrame
    record: dict[str, Any]
    more: Mapping[str, pd.DataFrame] = {}

    @property
    def caption(self) -> str:
        """What stands beneath the figure."""
        return self.record["caption"]

    @property
    def data(self) -> str:
        """The data set's name, for titles."""
        return Path(self.record["data"]).stem


def fingerprint(*arrays: np.ndarray) -> dict:
    """Hash data, for the record."""
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays))
    return {"data_sha256": digest.hexdigest()[:16]}


def write(folder: Path, name: str, result: Result) -> None:
    """Write the numbers and the record of a figure."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {name: result.table} | {f"{name}_{end}": part for end, part in result.more.items()}
    for file, table in tables.items():
        write_table(folder / f"{file}.csv", {column: table[column] for column in table})
    sizes = {file: {"rows": len(table), "columns": [*table]} for file, table in tables.items()}
    first = {key: result.record[key] for key in ("caption", "data")}
    write_record(folder, name, first | {"tables": sizes, "drawn": {}} | result.record)


def read(folder: Path, name: str) -> Result:
    """Read what `write` wrote.

    Raises:
        FileNotFoundError: nothing was written there.
        ValueError: a file that isn't what was written, or not all of it.
    """
    file = folder / f"{name}.json"
    if not file.is_file():
        raise FileNotFoundError(f"no {file.name} in {folder}; run without --redraw first.")
    try:
        record = json.loads(file.read_text())
        known = record["figure"] == name and dict(record["tables"])
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise ValueError(f"{file} must be the record of {name}: run without --redraw.")
    tables = {end: _table(folder / f"{end}.csv", size) for end, size in known.items()}
    more = {end.removeprefix(f"{name}_"): table for end, table in tables.items() if end != name}
    return Result(tables[name], record, more)


def _table(path: Path, size: dict[str, Any]) -> pd.DataFrame:
    """Read a table, or raise where it isn't of the size that its record says."""
    try:
        table = pd.read_csv(path)
    except ValueError:  # empty, or not a table
        table = pd.DataFrame()
    if [*table] != size["columns"] or len(table) != size["rows"]:
        raise ValueError(
            f"{path} must have {size['rows']} rows of {', '.join(size['columns'])}, as its record "
            f"says; got {len(table)} of {', '.join(table) or 'nothing'}. Run without --redraw."
        )
    return table
