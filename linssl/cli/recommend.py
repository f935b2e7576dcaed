"""`linssl recommend`: which paradigm, augmentation, strength and number of codes suit a task."""

import dataclasses
from pathlib import Path
from typing import Annotated, Literal

import tyro

from linssl.cli.diagnose import (
    _image,  # pyright: ignore[reportPrivateUsage]
    _require_writable,  # pyright: ignore[reportPrivateUsage]
)


@dataclasses.dataclass(frozen=True)
class Recommend:
    """Which paradigm, augmentation, strength and number of codes suit your data and labels.

    Every setting is solved in closed form on three quarters of the rows and scored on
    the rest, in turn: by accuracy, or R² of numbers. Says which to use, how well it does
    on rows unseen, with an interval, and what would decide what can't be told.

    For example:
      linssl recommend digits
      linssl recommend cells.h5ad --labels cell_type --nuisance phase
      linssl recommend embeddings.npz --nuisance plate.npy --html report.html
      linssl recommend data.csv --labels species --group subject --json
      linssl recommend images.npy --labels y.npy --view mymodule:view
    """

    data: Annotated[str, tyro.conf.Positional]
    """digits, the NAME of a file $LINSSL_DATA/NAME.npz, a .npy, .npz, .csv, .parquet, .h5ad,
    .h5, .zarr or .safetensors, or a folder of .png or .jpg pictures."""
    layer: str | None = None
    """Which part of DATA holds the rows; of an .h5ad X, raw, a layer, or obsm/NAME."""
    labels: str | None = None
    """A column of DATA, a file, or none; default: y or label in DATA, if any."""
    nuisance: str | None = None
    """A column of DATA or a file that says what is irrelevant, such as plate, donor or
    phase: noise along its means is one more augmentation, and what codes tell of it is told."""
    group: str | None = None
    """What rows belong together, such as a subject: a column of DATA, a file, or none;
    default: groups in DATA, if any."""
    numeric: bool = False
    """Whole-number labels are numbers to be predicted, not classes."""
    kind: Literal["table", "embeddings", "images"] | None = None
    """What rows are, which says what augmentations fit; default: by their shape and names,
    which is noted."""
    view: str | None = None
    """Your own augmentation, as module:function: one more to compare."""
    batched: bool = False
    """The view takes a block (m, ...) of instances, and draws for each of them apart."""
    view_timeout: float = 60.0
    """Seconds that one call of the view may take."""
    views_per_sample: int | None = None
    """Calls of the view on each sample; default: 2 to 8, as many as make 100 000."""
    dim: int | None = None
    """Number of codes, the only one tried; default: powers of 2 and classes less one."""
    image: str | None = None
    """Sides of an image as a row holds them, such as 28x28, 32x32x3 or 3x32x32; default:
    those of DATA; or of a row (n, d) a square, if it looks like one, which is noted."""
    channels: Literal["first", "last"] | None = None
    """Where the channels of images are; default: where only one side can be 1, 3 or 4."""
    seed: int = 0
    """Of the folds of samples."""
    json: bool = False
    """Print JSON instead of words."""
    html: Path | None = None
    """Write a report with figures to this file too."""


def recommend(options: Recommend) -> None:
    """Read, recommend and print."""
    from linssl.recommendation import recommend as run
    from linssl.runtime.progress import reporting
    from linssl.runtime.terminal import console

    if options.html is not None:
        _require_writable(options.html)
    with reporting("settings") as report:
        found = run(
            options.data,
            options.labels,
            nuisance=options.nuisance,
            groups=options.group,
            layer=options.layer,
            kind=options.kind,
            view=options.view,
            dim=options.dim,
            image_shape=None if options.image is None else _image(options.image),
            channels=options.channels,
            numeric=options.numeric,
            batched=options.batched,
            views_per_sample=options.views_per_sample,
            view_timeout=options.view_timeout,
            seed=options.seed,
            report=report,
        )
    # The page comes last: if it can't be written, the words are there.
    if options.json:
        print(found.to_json())
    else:
        console().print(found)
    if options.html is not None:
        options.html.write_text(found.to_html(), encoding="utf-8")
        if not options.json:
            print(f"Report with figures: {options.html}")
