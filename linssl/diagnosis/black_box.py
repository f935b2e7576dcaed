"""A view given by its name, run in a process of its own, which can be stopped when it hangs."""

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

LONGEST = 1e6  # seconds: what the system can wait for
WORKER = Path(__file__).with_name("worker.py")


class ViewProcess:
    """Calls `module:function` in another process; a context manager, which ends that process.

    Only that module is imported, from the current folder or the installed packages. Processes that
    the view starts are ended too.

    Args:
        spec: "module:function", from numpy to numpy.
        timeout: seconds that importing, or any one call, may take.
        seed: of numpy's and Python's global random generators in that process.

    Raises:
        ValueError: a name that isn't module:function, a module or function that isn't there, and
            when called: a view that raises, hangs or ends its process.
    """

    def __init__(self, spec: str, timeout: float, seed: int):
        module, _, name = spec.partition(":")
        if not all(part.isidentifier() for part in (*module.split("."), name)):
            raise ValueError(f"view must be module:function; got {spec!r}.")
        if not 0 < timeout <= LONGEST:
            raise ValueError(
                f"view_timeout must be > 0 seconds, {LONGEST:g} at most; got {timeout}."
            )
        self.spec, self.timeout, self.seed = spec, timeout, seed

    def __enter__(self) -> "ViewProcess":
        self._channel, theirs = multiprocessing.Pipe()
        assert isinstance(theirs, Connection)
        with theirs:
            told = [theirs.fileno(), self.spec, self.seed, os.getpid()]
            # -P: the folder of the worker itself isn't a place to import from.
            self._process = subprocess.Popen(
                [sys.executable, "-P", WORKER, *map(str, told)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # so that what the view starts is ended with it
            )
        try:
            self._answer("importing it")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it has ended itself
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._channel.close()

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return a view of one instance, or views of a block of them."""
        try:
            self._channel.send(x)
        except ConnectionError:
            raise ValueError(f"view {self.spec} ended its own process.") from None
        return self._answer("one call")

    def _answer(self, what: str) -> Any:
        if not self._channel.poll(self.timeout):
            raise ValueError(
                f"view {self.spec} hangs: {what} took more than {self.timeout:g} s, and was "
                "stopped. Allow more by view_timeout, or --view-timeout."
            )
        try:
            kind, answer = self._channel.recv()
        except (EOFError, OSError):
            raise ValueError(f"view {self.spec} ended its own process.") from None
        if kind == "error":
            raise ValueError(f"view {self.spec} failed: {answer}")
        return answer
