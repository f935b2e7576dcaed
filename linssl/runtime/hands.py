"""Hands for work units: any executor; a unit that loses its worker is tried again."""

import collections
import pickle
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from typing import Any

RETRIES = 3  # of a unit whose worker was lost
LISTEN = 0.2  # seconds between two looks at whether to stop
NO_LOSS = (pickle.PicklingError, TypeError, AttributeError, ImportError)  # of what can't travel
Made = Executor | Callable[[], Executor]


class WorkerLostError(RuntimeError):
    """Workers were lost more often than a unit is tried."""


class Hands:
    """The executor that does the work, made anew when it breaks and we know how.

    Args:
        executor: an executor, or a function that makes one: then a broken one is made anew. None
            is threads of this process.
        threads: how many, for None.
    """

    def __init__(self, executor: Made | None, threads: int):
        self.given = executor if isinstance(executor, Executor) else None
        self.make = executor if callable(executor) else None
        if executor is None:
            self.make = lambda: ThreadPoolExecutor(threads, "linssl")
        if self.given is None and self.make is None:
            raise ValueError(f"executor must be an Executor or make one; got {executor!r}.")
        self.current: Executor | None = self.given

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future:
        """Hand one call out."""
        if self.current is None:
            self.current = self._made()
        try:
            return self.current.submit(function, *arguments)
        except BrokenExecutor as error:
            if self.make is None:
                raise WorkerLostError(
                    f"the executor broke ({error}) and can't be used again. Finished units are "
                    "safe; pass a function that makes the executor, and it is made anew."
                ) from error
            self.current.shutdown(wait=False)
            self.current = self._made()
            return self.current.submit(function, *arguments)

    def _made(self) -> Executor:
        assert self.make is not None
        made = self.make()
        if not isinstance(made, Executor):
            raise ValueError(f"executor must be an Executor or make one; it made {made!r}.")
        return made

    def ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return what a worker answers before there is any work."""
        try:
            return self.submit(function, *arguments).result()
        except BrokenExecutor as error:
            raise WorkerLostError(
                f"a worker died before its first unit ({error}). A script that starts processes "
                'must keep its own work under `if __name__ == "__main__":`.'
            ) from error

    def __enter__(self) -> "Hands":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self.make is not None and self.current is not None:
            at_once = kind is not None and issubclass(kind, KeyboardInterrupt)
            self.current.shutdown(wait=not at_once, cancel_futures=True)


def hand_out(
    hands: Hands,
    units: Iterable[int],
    call: Callable[[int], tuple[Any, ...]],
    in_flight: int,
    stopping: Callable[[], bool],
    named: Callable[[int], str] = "unit {}".format,
) -> Iterator[tuple[int, Any]]:
    """Yield each unit with what its call returned, as they are done.

    Functions return their own errors as data: what is raised in a future is a lost worker, or
    what can't be sent to one. When a worker takes an executor along, all units under way are lost;
    what is lost twice is then tried alone, so that the unit that is given up is the one that kills.

    Args:
        hands: who does it.
        units: their numbers, in the order in which they are begun.
        call: the function of a unit, and its arguments.
        in_flight: units under way at once.
        stopping: whether to begin no more; what is under way is still yielded.
        named: what errors call a unit.

    Raises:
        WorkerLostError: a unit lost its worker four times.
        ValueError: a unit can't be pickled.
    """
    todo = collections.deque(units)
    lost: collections.Counter[int] = collections.Counter()
    under_way: dict[Future, int] = {}
    while under_way or (todo and not stopping()):
        while todo and not stopping():
            alone = any(lost[unit] > 1 for unit in (todo[0], *under_way.values()))
            if len(under_way) >= (1 if alone else in_flight):
                break
            unit = todo.popleft()
            under_way[hands.submit(*call(unit))] = unit
        finished, _ = wait(under_way, timeout=LISTEN, return_when=FIRST_COMPLETED)
        for future in finished:
            unit = under_way.pop(future)
            error = future.exception()
            if error is None:
                yield unit, future.result()
                continue
            if isinstance(error, NO_LOSS):
                raise ValueError(
                    f"{named(unit)} can't travel to a worker: {error}. What it needs must be "
                    "picklable, and known there; threads of this process need neither."
                ) from error
            lost[unit] += 1
            if lost[unit] > RETRIES:
                raise WorkerLostError(
                    f"{named(unit)} lost its worker {lost[unit]} times ({error!r}). Does it run "
                    "out of memory? Finished units are safe."
                ) from error
            todo.appendleft(unit)


def portable(error: Exception) -> Exception:
    """Return an error that can travel: itself, or its words."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # objects of any library raise errors of any kind
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
