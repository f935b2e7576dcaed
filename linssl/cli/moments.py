"""`linssl moments`: the moments of a file that is too large, or takes too long, for one sitting."""

import dataclasses
import os
import sys
from pathlib import Path

import tyro

TABLES = (".csv", ".parquet")  # where a column is a feature unless it is named
INTERRUPTED = 130  # what a shell expects after Ctrl-C


@dataclasses.dataclass(frozen=True, kw_only=True)
class Moments:
    """Average a file of rows in one pass, a block at a time.

    The same command resumes what was stopped or killed; what is done isn't done again.
    The result, NAME/moments.npz, is read by linssl.load_moments.

    For example:
      linssl moments embeddings.npy --out embeddings
      linssl moments cells.h5ad --layer raw --weights weight --out cells --workers 4
      linssl moments embeddings.zarr --out embeddings --scheduler tcp://host:8786
    """

    file: tyro.conf.Positional[Path]
    """Rows (n, d): .npy, .npz, .csv, .parquet, .zarr, HDF5, .h5ad or .safetensors."""
    out: Path
    """A folder that is made, or resumed."""
    layer: str | None = None
    """Which part of the file, where it has several."""
    columns: tuple[str, ...] = ()
    """Columns of a table that tell of the rows, such as a batch, and are no features."""
    weights: str | None = None
    """A column of the file: a weight >= 0 for each row."""
    blocks: int | None = None
    """In how many blocks; default: of 2^26 numbers each."""
    workers: int | None = None
    """Worker processes to start on this machine; default: threads of this process."""
    scheduler: str | None = None
    """Address of a dask cluster to use instead, as tcp://host:8786."""


def moments(options: Moments) -> None:
    """Average, and say where the result is."""
    import jax

    from linssl.data.sources import open_source
    from linssl.pairs import stream_moments
    from linssl.runtime.cluster import elsewhere
    from linssl.runtime.hands import WorkerLostError
    from linssl.runtime.progress import reporting

    columns = list(options.columns)
    if options.file.suffix.lower() in TABLES and options.weights is not None:
        columns.append(options.weights)
    source = open_source(options.file, layer=options.layer, columns=columns)
    weights = None if options.weights is None else source.column(options.weights)
    try:
        with (
            jax.enable_x64(True),
            elsewhere(options.workers, options.scheduler) as (executor, in_flight),
            reporting("rows", "opening") as report,
        ):
            views = stream_moments(
                source,
                options.out,
                weights=weights,
                executor=executor,
                blocks=options.blocks,
                in_flight=in_flight,
                report=report,
            )
    except WorkerLostError as error:
        raise SystemExit(f"error: {error}") from None
    except KeyboardInterrupt:
        print("\nstopped: the same command resumes.", file=sys.stderr, flush=True)
        os._exit(INTERRUPTED)  # threads that still sum would keep the process alive
    n, d = source.shape
    effective = "" if weights is None else f", {float(views.count):,.1f} by their weights"
    print(f"{options.out} is complete: {n:,} rows{effective}, of {d:,} features.")
    print(f"Next: views = linssl.load_moments({str(options.out / 'moments.npz')!r})")
