"""The process in which a view named on the command line runs. It knows nothing of linssl.

Run as a file, so that it starts at once and imports nothing but numpy and what was asked for.
"""

import contextlib
import importlib
import os
import random
import signal
import sys
import threading
import time
import traceback
from multiprocessing.connection import Connection
from typing import Any

import numpy as np


def last_line(error: BaseException) -> str:
    """Return the last line of a traceback, and where in the user's code it was raised."""
    text = traceback.format_exception_only(error)[-1].strip()
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
    frames = [f for f in frames if "importlib" not in f.filename]
    return f"{text} ({frames[-1].filename}, line {frames[-1].lineno})" if frames else text


def as_view(value: Any) -> np.ndarray:
    """Return a view as an array of real numbers, or raise."""
    wanted = "view must return an array of real numbers, none masked; got"
    if np.ma.is_masked(value):
        raise ValueError(f"{wanted} {type(value).__name__} with masked entries.")
    try:
        # A torch tensor without its gradient, in the memory that numpy reads.
        array = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    except (TypeError, ValueError) as error:  # ragged, or numbers that numpy doesn't have
        raise ValueError(f"{wanted} {type(value).__name__}: {error}") from None
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{wanted} {type(value).__name__} of {array.dtype}.")
    return array


def end_with(parent: int) -> None:
    """End once the parent has, however it did: a view may hang."""
    while os.getppid() == parent:
        time.sleep(1)
    end()


def end() -> None:
    """End this process, and what the view has started."""
    os.killpg(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Load one function, then answer each array with what it makes of it."""
    channel, spec, seed = Connection(int(sys.argv[1])), sys.argv[2], int(sys.argv[3])
    threading.Thread(target=end_with, args=(int(sys.argv[4]),), daemon=True).start()
    os.dup2(2, 1)  # what the view prints must not mix with the report
    sys.path.insert(0, os.getcwd())
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  many views draw from the global generator
    try:
        module, _, name = spec.partition(":")
        view = getattr(importlib.import_module(module), name)
        channel.send(("ready", None))
    except BaseException as error:  # SystemExit too: whatever it is, it is to be told
        channel.send(("error", last_line(error)))
        return
    with contextlib.suppress(EOFError, ConnectionError):  # the caller has gone
        while True:
            x = channel.recv()
            try:
                answer = ("view", as_view(view(x)))
            except BaseException as error:
                answer = ("error", last_line(error))
            channel.send(answer)
    end()


if __name__ == "__main__":
    main()
