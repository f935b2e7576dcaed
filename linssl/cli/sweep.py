"""`linssl sweep`: run a grid of cells into a store, look at it, and take it out."""

import contextlib
import dataclasses
import os
import re
import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from linssl.sweep.store import Store

MOST_DEVICES = 1024  # each is a thread, and room, from the start
INTERRUPTED = 130  # what a shell expects after Ctrl-C


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    r"""Solve every cell of a sweep that isn't solved yet.

    The sweep is a TOML file, or options, or a file with options that override it. The same command
    resumes what was stopped or killed. Ctrl-C finishes the units under way.

    For example:
      linssl sweep run experiments/phase_map.toml --out phase_map.zarr
      linssl sweep run --cell linssl.sweep.cells:spiked --draw linssl.sweep.cells:spiked_draw \
        --axis "noise_variance=geomspace(0.1,10,9)" alpha=0,1,2 n=1e4 --seeds 5 --out few.zarr
    """

    file: tyro.conf.Positional[Path | None] = None
    """TOML with cell, draw, seeds, [axes], [constants], [units]."""
    out: Path
    """The store: a folder (zarr) that is made, or resumed."""
    cell: str | None = None
    """The function to sweep, as module:function."""
    draw: str | None = None
    """The function that draws what neighbouring cells share, as module:function."""
    axis: tuple[str, ...] = ()
    """name=0.1,1,10 or "name=geomspace(0.1,10,9)" (linspace, arange), one or more."""
    constant: tuple[str, ...] = ()
    """name=value, one or more: fixed keywords."""
    seeds: int | None = None
    """Number of seeds."""
    precision: Literal["float64", "float32"] = "float64"
    """What to compute in."""
    devices: int | None = None
    """Cores of this machine to use, where it computes itself on CPU; default: all."""
    workers: int | None = None
    """Worker processes to start on this machine instead."""
    scheduler: str | None = None
    """Address of a dask cluster to use instead, as tcp://host:8786."""
    memory: str = "256MB"
    """What a work unit may take."""
    repair: bool = False
    """Solve units of the store again that are damaged."""


@dataclasses.dataclass(frozen=True)
class Progress:
    """Say how far a store is, and whether all in it is sound."""

    store: tyro.conf.Positional[Path]
    """The folder that `linssl sweep run --out` made."""


@dataclasses.dataclass(frozen=True)
class Export:
    """Write the table of a store as CSV or parquet, one row a cell (and objective).

    For example:
      linssl sweep export phase_map.zarr phase_map.parquet
    """

    store: tyro.conf.Positional[Path]
    """The folder that `linssl sweep run --out` made."""
    table: tyro.conf.Positional[Path]
    """Where to: NAME.csv or NAME.parquet."""
    partial: bool = False
    """Write the finished cells of an unfinished sweep."""


@dataclasses.dataclass(frozen=True)
class SweepCommand:
    """Solve grids of problems: run, resume, look, export."""

    command: tyro.conf.OmitSubcommandPrefixes[
        Annotated[Run, tyro.conf.subcommand("run")]
        | Annotated[Progress, tyro.conf.subcommand("status")]
        | Annotated[Export, tyro.conf.subcommand("export")]
    ]


def sweep(options: Run | Progress | Export) -> None:
    """Do what was asked, and turn trouble into one line and an exit status."""
    from linssl.sweep import StoreError, SweepStoppedError, WorkerLostError

    try:
        if isinstance(options, Run):
            _run(options)
        elif isinstance(options, Progress):
            _status(options)
        else:
            _export(options)
    except (StoreError, WorkerLostError) as error:
        raise SystemExit(f"error: {error}") from None
    except SweepStoppedError as error:
        print(str(error), file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None


def _run(options: Run) -> None:
    import jax

    here = options.workers is None and options.scheduler is None
    if here:
        _use_cores(options.devices)
    elif options.devices is not None:
        raise ValueError("--devices must go without --workers and --scheduler; got both.")
    with contextlib.ExitStack() as stack:
        stack.enter_context(jax.enable_x64(options.precision == "float64"))
        sweep = _sweep_of(options)
        memory = _bytes(options.memory)
        from linssl import run_sweep
        from linssl.runtime.cluster import elsewhere
        from linssl.runtime.progress import reporting

        executor, in_flight = stack.enter_context(elsewhere(options.workers, options.scheduler))
        stop = stack.enter_context(_stop_on_signals())
        report = stack.enter_context(reporting("cells"))
        table = run_sweep(
            sweep,
            options.out,
            memory=memory,
            repair=options.repair,
            report=report,
            stop=stop,
            executor=executor,
            in_flight=in_flight,
        )
    sizes = " x ".join(f"{size} {name}" for name, size in table.sizes.items())
    print(f"{options.out} is complete: {', '.join(map(str, table.data_vars))} over {sizes}.")
    path = shlex.quote(str(options.out))
    print(f"Next: linssl.open_sweep({str(options.out)!r}), or linssl sweep export {path} TABLE.csv")


def _use_cores(number: int | None) -> None:
    """Make as many host devices as there are cores, where jax hasn't started yet."""
    import jax

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if number is not None and not 1 <= number <= MOST_DEVICES:
        raise ValueError(f"--devices must be >= 1, and at most {MOST_DEVICES}; got {number}.")
    if "xla_force_host_platform_device_count" in os.environ.get("XLA_FLAGS", ""):
        return
    with contextlib.suppress(RuntimeError):  # jax runs already: what it has is what there is
        jax.config.update("jax_num_cpu_devices", number or cores or 1)


def _sweep_of(options: Run) -> Any:
    from linssl.sweep.config import make_sweep, parse_option, read_config

    config = read_config(options.file) if options.file else {}
    for field in ("cell", "draw", "seeds"):
        if getattr(options, field) is not None:
            config[field] = getattr(options, field)
    for field, kind in (("axes", "axis"), ("constants", "constant")):
        pairs = [parse_option(text, f"--{kind}") for text in getattr(options, kind)]
        given = dict(pairs)
        if len(given) < len(pairs):
            raise ValueError(f"--{kind} must name each once; got {[n for n, _ in pairs]}.")
        config[field] = {**config.get(field, {}), **given}
    folders = [Path.cwd()] + ([options.file.resolve().parent] if options.file else [])
    sweep = make_sweep(config, folders)
    if options.scheduler is not None:
        _send_along(sweep, folders)
    return sweep


def _send_along(sweep: Any, folders: list[Path]) -> None:
    """Let modules of the user travel by value: machines of a cluster needn't have them."""
    from linssl.runtime.optional import require

    for function in (sweep.cell, sweep.draw):
        module = sys.modules.get(getattr(function, "__module__", ""))
        file = getattr(module, "__file__", None)
        if module is not None and file and Path(file).resolve().parent in folders:
            require("cloudpickle").register_pickle_by_value(module)


def _bytes(text: str) -> float:
    match = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*([kMGT]?)i?B?\s*", text)
    if not match:
        raise ValueError(f"--memory must be like 256MB or 2GB; got {text!r}.")
    return float(match[1]) * 1000.0 ** " kMGT".index(match[2] or " ")


@contextlib.contextmanager
def _stop_on_signals() -> Iterator[threading.Event]:
    """Stop after the units under way at the first Ctrl-C or SIGTERM; at once at the second."""
    stop, before = threading.Event(), {}

    def handle(number: int, _frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        name = "Ctrl-C" if number == signal.SIGINT else "SIGTERM"
        print(f"\n{name}: finishing the units under way; again stops at once.", file=sys.stderr)

    if threading.current_thread() is threading.main_thread():
        before = {n: signal.signal(n, handle) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    except KeyboardInterrupt:
        print("stopped at once: the same command resumes.", file=sys.stderr)
        os._exit(INTERRUPTED)  # threads that still compute would keep the process alive
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _open(path: Path) -> "Store":
    from linssl.sweep.store import Store

    return Store(path)


def _status(options: Progress) -> None:
    store = _open(options.store)
    frame, plan = store.frame, store.plan
    done = int(store.finished.sum())
    cells = f"{plan.cells_in(store.finished):,} of {plan.cells:,} cells"
    print(f"{options.store}: {cells} ({done} of {plan.units} units).")
    print(f"cell    {store.identity['cell']['name']}")
    if store.identity["draw"]:
        print(f"draw    {store.identity['draw']['name']}")
    for name, values in frame.coordinates.items():
        more = f" to {values[-1]:g}, {len(values)} values" if len(values) > 1 else ""
        print(f"axis    {name}: {values[0]:g}{more}")
    print(f"outputs {', '.join(frame.outputs)}")
    print(f"made    {store.created}, {store.identity['dtype']} on {store.identity['device']}")
    broken = store.damaged()
    if broken:
        from linssl.sweep.store import damage

        raise SystemExit(f"error: {damage(store.path, broken, plan.units)}")
    if done < plan.units:
        print("Unfinished: the same `linssl sweep run` with this --out goes on.")


def _export(options: Export) -> None:
    suffix = options.table.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise ValueError(f"table must end in .csv or .parquet; got {options.table.name}.")
    store = _open(options.store)
    shapes = {n: o["shape"] for n, o in store.frame.outputs.items()}
    inner = {tuple(d for d in o["dims"] if d != "objective") for o in store.frame.outputs.values()}
    if len(inner - {()}) > 1 or any(0 in shape for shape in shapes.values()):
        raise ValueError(
            f"rows can hold scalars and one shape of array; got {shapes}. Read the store with "
            "linssl.open_sweep instead."
        )
    rows = store.dataset(options.partial, masked=False).to_dataframe().reset_index()
    if "finished" in rows:
        rows = rows[rows["finished"].astype(bool)].drop(columns="finished")
    # Written beside its place and moved there: a reader never sees half a table.
    scratch = options.table.with_name(f".{options.table.name}.{os.getpid()}{suffix}")
    try:
        if suffix == ".csv":
            rows.to_csv(scratch, index=False)
        else:
            rows.to_parquet(scratch, index=False)
        scratch.replace(options.table)
    except OSError as error:
        raise ValueError(f"{options.table} can't be written: {error.strerror or error}.") from error
    finally:
        scratch.unlink(missing_ok=True)
    print(f"{options.table}: {len(rows):,} rows of {', '.join(map(str, rows.columns))}.")
