"""A function in a process of its own: with its own threads, devices, caches and peak memory.

`Process("module:function", devices=2)` starts one and keeps it, so that two sides of a comparison
take turns on one machine without sharing a thread pool or a compilation cache. Arguments and
results travel as JSON. The child of a child ends with it: its input closes.
"""

import contextlib
import importlib
import json
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any

# What a caller's shell may have set, and a researcher's has not.
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
CACHE = (
    "JAX_COMPILATION_CACHE_DIR",
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES",
)


class ProcessError(RuntimeError):
    """The other process failed, or ran out of time."""


class Process:
    """A running `module:function`; call it with keywords, as often as needed.

    Args:
        target: what to call. A function that is called often keeps its state itself.
        devices: number of host devices, or None for a process that leaves jax alone.
        env: environment variables, beyond this process's own without thread and cache settings.
        timeout: seconds that one call may take.
    """

    def __init__(
        self,
        target: str,
        *,
        devices: int | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 300,
    ):
        self.target, self.timeout = target, timeout
        self.peak_gb = 0.0
        kept = {k: v for k, v in os.environ.items() if k not in (*THREADS, *CACHE)}
        self._child = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.process", target, str(devices or 0)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**kept, **(env or {})},
        )

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, error: object, *_: object) -> None:
        assert self._child.stdin is not None
        if error is not None:  # nobody waits for its answer any more
            self._child.kill()
        with contextlib.suppress(BrokenPipeError):
            self._child.stdin.close()
        try:
            self._child.wait(10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def __call__(self, **arguments: Any) -> Any:
        """Call the function there, and return what it returned."""
        child = self._child
        assert child.stdin is not None
        assert child.stdout is not None
        clock = threading.Timer(self.timeout, child.kill)
        clock.start()
        try:
            child.stdin.write(json.dumps(arguments) + "\n")
            child.stdin.flush()
            line = child.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            clock.cancel()
        if not line:
            raise ProcessError(
                f"{self.target} died (exit code {child.wait()}) or took over {self.timeout:g} s."
            )
        answer = json.loads(line)
        self.peak_gb = answer["peak_gb"]
        return answer["result"]


class Tolerant:
    """Calls a process until it fails once, and never after: for a side that may be hopeless.

    OpenBLAS on more threads than there are free cores can be a hundred times slower than on one.
    """

    def __init__(self, process: Process):
        self.process, self.failed = process, False

    def __call__(self, **arguments: Any) -> Any:
        """Return what the process returns, or None."""
        if self.failed:
            return None
        try:
            return self.process(**arguments)
        except ProcessError:
            self.failed = True
            return None


def _serve(target: str, devices: int) -> None:
    # Answers go where stdout was; whatever else prints goes to stderr.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if devices:
        import jax

        jax.config.update("jax_enable_x64", True)
        jax.config.update("jax_num_cpu_devices", devices)
    module, _, name = target.partition(":")
    function = getattr(importlib.import_module(module), name)
    for line in sys.stdin:
        result = function(**json.loads(line))
        # ru_maxrss is in KiB on Linux.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
        answers.write(json.dumps({"result": result, "peak_gb": peak}) + "\n")
        answers.flush()


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]))
