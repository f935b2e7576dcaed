"""The files of a figure: NAME.pdf, NAME.png, NAME.csv and NAME.json."""

import csv
import json
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import numpy as np
from matplotlib.figure import Figure


def write_figure(
    folder: Path,
    name: str,
    figure: Figure,
    columns: Mapping[str, Iterable[Any]],
    provenance: Mapping[str, Any],
) -> None:
    """Write a figure, its numbers and where they come from.

    The PDF and the CSV carry no date and numbers of 9 digits, so that equal runs give equal
    bytes. What can fail, drawing, comes first, and the PDF last.

    Args:
        folder: created if need be.
        name: of the figure.
        figure: from `new_figure`.
        columns: the plotted numbers by column name, of equal length; the CSV's one header row.
        provenance: what the experiment says of itself; versions, device and dtype are added.

    Raises:
        ValueError: columns of different length.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / f"{name}.csv", columns)
    figure.savefig(folder / f"{name}.png", metadata={"Software": None})
    packages = ("linssl", "jax", "numpy", "scipy", "matplotlib", "scikit-learn")
    record = {
        "figure": name,
        **provenance,
        "dtype": str(np.dtype(jax.numpy.result_type(float))),
        "device": jax.devices()[0].device_kind,
        "python": platform.python_version(),
        "versions": {package: version(package) for package in packages},
    }
    (folder / f"{name}.json").write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    figure.savefig(folder / f"{name}.pdf", metadata={"CreationDate": None})


def write_table(path: Path, columns: Mapping[str, Iterable[Any]]) -> None:
    """Write columns of equal length as CSV, numbers with 9 digits.

    Args:
        path: of the file.
        columns: by name; the one header row.

    Raises:
        ValueError: columns of different length.
    """
    values = [list(column) for column in columns.values()]
    if len({len(column) for column in values}) != 1:
        raise ValueError(
            "columns must be of equal length; got "
            f"{dict(zip(columns, map(len, values), strict=True))}."
        )
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_format(v) for v in row] for row in zip(*values, strict=True))


def _format(value: Any) -> str:
    if isinstance(value, (str, bool, np.bool_, int, np.integer)):
        return str(value)
    return f"{float(value):.9g}"
