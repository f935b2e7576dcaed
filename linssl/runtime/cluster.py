"""Other processes and machines, through dask."""

import contextlib
import signal
from collections.abc import Iterator
from concurrent.futures import Executor

from linssl.runtime.optional import require

MOST_WORKERS = 1024  # processes of one machine
PATIENCE = 60  # seconds to wait for a cluster and its first worker


@contextlib.contextmanager
def local_workers(number: int) -> Iterator[Executor]:
    """Start worker processes on this machine; one that dies is started again.

    Each has one thread, and one device. They leave Ctrl-C to the process that hands out work.

    Raises:
        ValueError: not a whole number >= 1.
        ImportError: without the extra `cluster`.
    """
    if not 1 <= number <= MOST_WORKERS:
        raise ValueError(f"workers must be >= 1, and at most {MOST_WORKERS}; got {number}.")
    distributed = require("distributed", "cluster")

    class LeaveInterrupts(distributed.WorkerPlugin):
        def setup(self, worker: object) -> None:  # noqa: ARG002  dask's signature
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    with (
        distributed.LocalCluster(
            n_workers=number, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.register_plugin(LeaveInterrupts())
        yield client.get_executor(pure=False)


@contextlib.contextmanager
def scheduler(address: str) -> Iterator[tuple[Executor, int]]:
    """Use a dask cluster that is there already: its executor, and its number of threads.

    Raises:
        ValueError: nobody answers at the address, or no worker comes within a minute.
        ImportError: without the extra `cluster`.
    """
    distributed = require("distributed", "cluster")
    try:
        client = distributed.Client(address, timeout=PATIENCE)
    except (OSError, ValueError, TimeoutError) as error:
        raise ValueError(
            f"scheduler must be the address of a dask scheduler; {address} gave: {error}."
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as error:
            raise ValueError(
                f"scheduler {address} has no workers: start some with dask worker {address}."
            ) from error
        yield client.get_executor(pure=False), max(1, sum(client.nthreads().values()))


@contextlib.contextmanager
def elsewhere(
    workers: int | None, address: str | None
) -> Iterator[tuple[Executor | None, int | None]]:
    """Give what a command line asks for: its executor, and the units under way at once.

    Both are None where neither processes nor a cluster are asked for.

    Raises:
        ValueError: both are.
    """
    if workers is not None and address is not None:
        raise ValueError("--workers and --scheduler exclude each other; got both.")
    if workers is not None:
        with local_workers(workers) as executor:
            yield executor, 2 * workers
    elif address is not None:
        with scheduler(address) as (executor, threads):
            yield executor, 2 * threads
    else:
        yield None, None
