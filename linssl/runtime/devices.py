"""Where cells run: the devices of this process, one thread each, and one BLAS thread for all."""

import contextlib
import queue
import threading
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import scipy.linalg  # noqa: F401  jax takes LAPACK from it: loaded now, so that it is limited
from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_free: queue.SimpleQueue[Any] = queue.SimpleQueue()
_known: list[Any] = []
_limits: list[Any] = []
_users = 0


@contextlib.contextmanager
def free_device() -> Iterator[Any]:
    """Hand out one device of this process that no other thread has, as the default device.

    Every batch is a program for a single device, so its bits don't depend on how many there are.
    (One program partitioned over devices would: XLA fuses it differently.)
    """
    with _lock:
        if not _known:
            _known.extend(jax.local_devices())
            for device in _known:
                _free.put(device)
    device = _free.get()
    try:
        with jax.default_device(device):
            yield device
    finally:
        _free.put(device)


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Run LAPACK on one thread while any sweep of this process runs, then as before.

    The parallelism is over cells. Threads inside a decomposition of a hundred columns would only
    fight for the cores (3.4 times slower on two), and their number could change the last bits.
    """
    global _users
    with _lock:
        _users += 1
        if _users == 1:
            _limits.append(ThreadpoolController().limit(limits=1, user_api="blas"))
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _limits.pop().restore_original_limits()


def in_double_precision() -> bool:
    """Say whether this thread works in double precision."""
    return jnp.result_type(float) == jnp.float64
