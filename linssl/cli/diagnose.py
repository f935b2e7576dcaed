"""`linssl diagnose`: which paradigm keeps what matters in your data."""

import dataclasses

import tyro

from linssl.cli.data_options import DataOptions
from linssl.cli.reports import ReportOptions


@dataclasses.dataclass(frozen=True)
class Diagnose(ReportOptions, DataOptions):
    """Which paradigm keeps what matters in your data, under your augmentation.

    With labels, what matters is what predicts them; without, what the augmentation
    leaves alone. Says which paradigm to use, how sure that is, and what to do next.

    For example:
      linssl diagnose digits --augmentation shifts:1
      linssl diagnose data.npz --augmentation mask:0.5 --html report.html
      linssl diagnose x.npy --labels y.npy --augmentation dropout:0.3 --dim 8
      linssl diagnose data.csv --view mymodule:view --json
      linssl diagnose images.npy --view mymodule:views_of_a_block --batched
      linssl diagnose pictures --labels folder --augmentation shifts:1+flips
      linssl diagnose data.csv --labels species --group subject
      linssl diagnose patients.csv --labels outcome --drop id --impute median --standardise
      linssl diagnose cells.h5ad --layer raw --labels cell_type --batch donor

    Words of --augmentation, joined by +: noise, dropout, brightness, mixup; and for
    images mask, cutout, shifts, flips, turns, crops, blur. Each takes a number,
    such as shifts:2+noise:0.01.
    """

    batch: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """A column of DATA or a file that says of which batch (plate, donor) a row is: what that
    holds, and whether centring by it helps. Rows of one count as independent, so thin out
    trajectories first. May be given several times."""
    augmentation: str | None = None
    """Words such as shifts:2+noise:0.01; default: noise:0.1."""
    view: str | None = None
    """Your own, as module:function; it gets an instance of DATA as stored, a numpy array,
    and returns a view of it, in its order."""
    batched: bool = False
    """The view takes a block (m, ...) of instances, and draws for each of them apart."""
    view_timeout: float = 60.0
    """Seconds that one call of the view may take."""
    views_per_sample: int | None = None
    """Calls of the view on each sample; default: 2 to 8, as many as make 100 000."""
    dim: int | None = None
    """Number of codes; default: classes less one, or the largest gap."""
    tolerance: float = 0.1
    """Share of what the best codes keep that may be lost."""


def diagnose(options: Diagnose) -> None:
    """Read, diagnose and print."""
    from linssl.diagnosis import diagnose as run
    from linssl.runtime.progress import reporting

    options.require_writable()
    with reporting("steps") as report:
        found = run(
            options.data,
            **options.keywords(),
            batch=list(options.batch) or None,
            augmentation=options.augmentation,
            view=options.view,
            dim=options.dim,
            tolerance=options.tolerance,
            batched=options.batched,
            views_per_sample=options.views_per_sample,
            view_timeout=options.view_timeout,
            report=report,
        )
    options.show(found)
