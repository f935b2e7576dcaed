"""`linssl compare`: a trained network's codes beside the closed forms."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

if TYPE_CHECKING:
    from linssl.comparison import CodesBeside

DIRECTIONS = 8  # that are printed in words


@dataclasses.dataclass(frozen=True)
class Compare:
    """A trained network's codes beside those of joint embedding and reconstruction.

    What each keeps of labels and nuisance, how much of one can be read from another, each
    direction of the closed forms from the network's codes, and effective ranks: all by
    least squares on the same rows, so that chance explains (directions / rows).

    For example:
      linssl compare codes.npy --data images.npy --augmentation shifts:2+noise:0.01
      linssl compare codes.npy --data cells.h5ad --labels cell_type --nuisance donor
    """

    codes: tyro.conf.Positional[Path]
    """Rows (n, m) in a .npy, .npz or .csv: the codes of the rows of DATA, in their order."""
    data: str
    """What the network encoded: digits, a NAME, a file or a folder as for diagnose."""
    augmentation: str = "noise:0.1"
    """What it was trained with, in words as for diagnose, or the nearest to it."""
    labels: str | None = None
    """A column of DATA, a file, or none; default: y or label in DATA, if any."""
    nuisance: str | None = None
    """A column of DATA or a file, of what should be forgotten, such as a plate."""
    dim: int | None = None
    """Codes of the closed forms; default: as many as the network's."""
    layer: str | None = None
    """Which part of DATA holds the rows."""
    image: str | None = None
    """Sides of an image as a row holds them, such as 28x28."""
    json: bool = False
    """Print JSON instead of words."""


def compare(options: Compare) -> None:
    """Read, compare and print."""
    from linssl.cli.rows import read_rows
    from linssl.comparison import compare_codes
    from linssl.data.files import read_arrays
    from linssl.diagnosis.spec import parse_augmentation

    codes = read_arrays(options.codes).get("X")
    beside = () if options.nuisance is None else (options.nuisance,)
    rows = read_rows(options.data, options.labels, beside, options.layer, options.image)
    if codes is None:
        raise ValueError(f"{options.codes} must hold one array of codes (n, m).")
    found = compare_codes(
        codes,
        rows.X,
        parse_augmentation(options.augmentation, rows.setting),
        options.dim,
        labels=rows.labels,
        nuisance=next(iter(rows.beside.values()), None),
    )
    if options.json:
        print(json.dumps(_record(found), indent=2, allow_nan=False))
    else:
        _print(found)


def _record(found: "CodesBeside") -> dict[str, Any]:
    """Return it with names that JSON can have."""
    of_two = {
        "shared": [{"of": a, "from": b, "r2": v} for (a, b), v in found.shared.items()],
        "alignment": [{"of": [a, b], "cka": v} for (a, b), v in found.alignment.items()],
    }
    directions = {name: values.tolist() for name, values in found.directions.items()}
    return found._asdict() | of_two | {"directions": directions}


def _print(found: "CodesBeside") -> None:
    from rich.table import Table

    from linssl.runtime.terminal import console

    out, words = console(), {name: name.replace("_", " ") for name in found.dims}
    read = {"labels": found.labels, "nuisance": found.nuisance}
    read = {name: values for name, values in read.items() if values}
    table = Table("codes", "directions", "effective rank", *(f"{name}, R²" for name in read))
    for name, word in words.items():
        known = (f"{values[name]:.3f}" for values in read.values())
        table.add_row(word, str(found.dims[name]), f"{found.effective_rank[name]:.1f}", *known)
    out.print(table)
    table = Table("R² of", *(f"from {word}" for word in words.values()))
    for a, word in words.items():
        table.add_row(word, *(f"{found.shared[a, b]:.3f}" if a != b else "" for b in words))
    out.print(table)
    for (a, b), value in found.alignment.items():
        out.print(f"CKA of {words[a]} and {words[b]}: {value:.3f}")
    for name, values in found.directions.items():
        first = ", ".join(f"{value:.2f}" for value in values[:DIRECTIONS])
        more = f", ... {len(values)} in all" if len(values) > DIRECTIONS else ""
        out.print(f"R² of each code of {words[name]} from the network's: {first}{more}")
    chance = found.dims["network"] / found.rows
    out.print(f"{found.rows} rows; by chance {chance:.2g} is explained from the network's codes.")
