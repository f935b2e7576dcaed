"""The files of a figure: NAME.csv and NAME.json, and NAME.png and NAME.pdf drawn from these."""

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


def write_figure(folder: Path, name: str, figure: Figure) -> None:
    """Write a figure as PNG and PDF, without dates, so that equal figures give equal bytes.

    Args:
        folder: where to.
        name: of the figure.
        figure: from `new_figure`.
    """
    figure.savefig(folder / f"{name}.png", metadata={"Software": None})
    figure.savefig(folder / f"{name}.pdf", metadata={"CreationDate": None})


def write_record(folder: Path, name: str, provenance: Mapping[str, Any]) -> None:
    """Write where the numbers of a figure come from, as JSON.

    Args:
        folder: where to.
        name: of the figure.
        provenance: what the experiment says of itself; versions, device and dtype are added.
    """
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
