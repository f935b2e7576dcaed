"""`linssl recommend`: which paradigm, augmentation, strength and number of codes suit a task."""

import dataclasses
from typing import Literal

from linssl.cli.data_options import DataOptions
from linssl.cli.reports import ReportOptions


@dataclasses.dataclass(frozen=True)
class Recommend(ReportOptions, DataOptions):
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

    nuisance: str | None = None
    """A column of DATA or a file that says what is irrelevant, such as plate, donor or
    phase: noise along its means is one more augmentation, and what codes tell of it is told."""
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


def recommend(options: Recommend) -> None:
    """Read, recommend and print."""
    from linssl.recommendation import recommend as run
    from linssl.runtime.progress import reporting

    options.require_writable()
    with reporting("settings") as report:
        found = run(
            options.data,
            nuisance=options.nuisance,
            kind=options.kind,
            view=options.view,
            dim=options.dim,
            batched=options.batched,
            views_per_sample=options.views_per_sample,
            view_timeout=options.view_timeout,
            **options.keywords(),
            report=report,
        )
    options.show(found)
