"""The files of a figure: NAME.csv and NAME.json, and NAME.png and NAME.pdf drawn from these."""

import csv
import json
import math
import os
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

import jax
import numpy as np
from matplotlib.figure import Figure

from linssl.arguments import as_path, refuse_masked


def write_figure(folder: str | os.PathLike[str], name: str, figure: Figure) -> None:
    """Write a figure as PNG and PDF, without dates, so that equal figures give equal bytes.

    Args:
        folder: where to.
        name: of the figure.
        figure: from `new_figure`.
    """
    folder = as_path("folder", folder)
    figure.savefig(folder / f"{name}.png", metadata={"Software": None})
    figure.savefig(folder / f"{name}.pdf", metadata={"CreationDate": None})


def write_record(folder: str | os.PathLike[str], name: str, provenance: Mapping[str, Any]) -> None:
    """Write where the numbers of a figure come from, as JSON; NaN and inf, which it lacks, as null.

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
    text = json.dumps(_plain(record), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    (as_path("folder", folder) / f"{name}.json").write_text(text, encoding="utf-8")


def write_table(path: str | os.PathLike[str], columns: Mapping[str, Iterable[Any]]) -> None:
    """Write columns of equal length as CSV, numbers with 9 digits.

    Args:
        path: of the file.
        columns: by name; the one header row.

    Raises:
        ValueError: columns of different length, or entries that are no number and no text.
    """
    for name, column in columns.items():
        refuse_masked(name, column)
    values = [list(column) for column in columns.values()]
    if len({len(column) for column in values}) != 1:
        raise ValueError(
            "columns must be of equal length; got "
            f"{dict(zip(columns, map(len, values), strict=True))}."
        )
    rows = [
        [_format(name, v) for name, v in zip(columns, row, strict=True)]
        for row in zip(*values, strict=True)
    ]
    with as_path("path", path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _format(name: str, value: Any) -> str:
    """Write one entry: whole numbers with all their digits, whatever array they come from."""
    entry = np.asarray(value)
    if isinstance(value, str) or (entry.ndim == 0 and entry.dtype.kind in "biuU"):
        return str(value)
    if isinstance(value, int):  # one that no array holds
        return str(value)
    if entry.ndim or not jax.numpy.issubdtype(entry.dtype, jax.numpy.floating):
        raise ValueError(f"{name} must hold numbers or texts; got {value!r}.")
    return f"{float(value):.9g}"


def _plain(value: Any) -> Any:
    """Return a record as JSON has it: arrays as lists, paths as texts, NaN and inf as null."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.ndarray | np.generic | jax.Array):
        return _plain(np.asarray(value).tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value) if isinstance(value, os.PathLike) else value
