"""The files of a figure, and what they say of its data."""

import hashlib
from collections.abc import Mapping

import numpy as np

from experiments.shared.options import Options
from linssl.plotting import write_figure, write_table


def fingerprint(*arrays: np.ndarray) -> dict:
    """Hash data, for the record."""
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays))
    return {"data_sha256": digest.hexdigest()[:16]}


def save(
    options: Options,
    source: dict,
    name: str,
    figure,
    caption: str,
    table: Mapping,
    *,
    drawn: Mapping[str, str | None] | None = None,
    more: Mapping[str, Mapping] | None = None,
    **facts,
) -> None:
    """Write the files of a figure, with what there is to say of its data.

    Args:
        options: where to, and of which data.
        source: facts of the data.
        name: of the figure.
        figure: as drawn.
        caption: beneath it.
        table: the plotted numbers.
        drawn: columns that depend on draws, in any table, each with the column of its standard
            error; None for what rounding may change at will. All others are deterministic.
        more: further tables, by what their files' names end with.
        facts: for the record.
    """
    others = {f"{name}_{ending}": columns for ending, columns in (more or {}).items()}
    provenance = {"caption": caption, "data": options.data}
    provenance |= {"tables": [name, *others], "drawn": dict(drawn or {})}
    write_figure(options.out, name, figure, table, provenance | source | facts)
    for file, columns in others.items():
        write_table(options.out / f"{file}.csv", columns)
