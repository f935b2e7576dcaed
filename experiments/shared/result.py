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
    first = {key: result.record[key] for key in ("caption", "data")}
    write_record(folder, name, first | {"tables": [*tables], "drawn": {}} | result.record)


def read(folder: Path, name: str) -> Result:
    """Read what `write` wrote.

    Raises:
        FileNotFoundError: nothing was written there.
    """
    file = folder / f"{name}.json"
    if not file.is_file():
        raise FileNotFoundError(f"no {file.name} in {folder}; run without --redraw first.")
    record = json.loads(file.read_text())
    table, *more = (pd.read_csv(folder / f"{file}.csv") for file in record["tables"])
    endings = (file.removeprefix(f"{name}_") for file in record["tables"][1:])
    return Result(table, record, dict(zip(endings, more, strict=True)))
