"""Progress on stderr: a bar with rate and time left on a terminal, elsewhere a line at times."""

import contextlib
import time
from collections.abc import Callable, Iterator

EVERY = 10.0  # seconds between lines where there is no terminal


@contextlib.contextmanager
def reporting(what: str, first: str = "compiling") -> Iterator[Callable[[int, int], None]]:
    """Give a function to call with (done, total) of what is counted.

    Args:
        what: is counted, such as cells.
        first: is done before anything is.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task(f"{what}: {first}", total=None, rate="")
        begun: tuple[float, int] | None = None
        last_line, first_step = 0.0, True

        def report(done: int, total: int) -> None:
            nonlocal begun, last_line, first_step
            now = time.monotonic()
            if begun is None:
                # What a store holds already isn't speed.
                begun, last_line = (now, done), now
                progress.reset(task, total=total, completed=done)
                if done and done < total:
                    console.print(f"resuming: {done:,} of {total:,} {what} are there.")
                return
            if first_step and done < total:
                # The first step compiles, which isn't speed.
                begun, first_step = (now, done), False
                progress.update(task, description=what, completed=done)
                return
            rate = (done - begun[1]) / max(now - begun[0], 1e-9)
            text = f"{rate:,.0f} {what}/s" if rate >= 1 else f"{1 / rate:,.0f} s each"
            progress.update(task, description=what, completed=done, rate=text)
            if not console.is_terminal and now - last_line >= EVERY:
                last_line = now
                left = (total - done) / max(rate, 1e-9)
                console.print(f"{done:,} of {total:,} {what}, {text}, {left:,.0f} s left")

        yield report


class Steps:
    """Counts steps as they are done, for whoever watches."""

    def __init__(self, report: Callable[[int, int], None] | None, total: int):
        self.report, self.total, self.done = report, total, -1
        self()

    def __call__(self) -> None:
        """Count one more."""
        self.done += 1
        if self.report is not None:
            self.report(min(self.done, self.total), self.total)
