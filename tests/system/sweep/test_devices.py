"""Several host devices: the same bits, no hang, and all of them at work."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

THREADS = """
import jax, linssl
from threadpoolctl import threadpool_info
def look(a):
    blas = [m["num_threads"] for m in threadpool_info() if m["user_api"] == "blas"]
    assert blas and set(blas) == {1}, blas
    return a
def cell(key, *, a):
    a = jax.numpy.linalg.eigh(a * jax.numpy.eye(3))[0][0]
    return {"x": jax.pure_callback(look, jax.ShapeDtypeStruct((), a.dtype), a)}
linssl.run_sweep(linssl.Sweep(cell, {"a": [1.0, 2.0]}))
"""
CODE = """
import hashlib, sys
import jax
devices, calls = int(sys.argv[1]), int(sys.argv[2])
jax.config.update("jax_num_cpu_devices", devices)
jax.config.update("jax_enable_x64", True)
import numpy as np
import linssl
from linssl.sweep.cells import spiked, spiked_draw
axes = {"noise_variance": [0.1, 1.0, 10.0], "alpha": np.linspace(0, 3, 7), "n": [1000]}
for _ in range(calls):
    table = linssl.run_sweep(linssl.Sweep(spiked, axes, 2, draw=spiked_draw))
columns, _ = linssl.runtime.grid(a=np.linspace(0.1, 1, 50))
f = lambda a: jax.numpy.linalg.eigh(a * jax.numpy.eye(4) + jax.numpy.ones((4, 4)))[1]
batched = linssl.runtime.over_cells(f, lambda *_: None, **columns)
assert len(jax.local_devices()) == devices
bits = table["distance"].values.tobytes() + np.asarray(batched).tobytes()
print(hashlib.sha256(bits).hexdigest())
"""
LIMITS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")  # which `make test` sets
UNLIMITED = {name: value for name, value in os.environ.items() if name not in LIMITS}


def digest(devices, calls=1, **env):
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(devices), str(calls)],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,  # the watchdog
        cwd=Path(__file__).parents[3],
        env=UNLIMITED | env,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_blas_has_one_thread_also_where_nothing_has_loaded_it_before():
    # Loaded during the sweep it would have as many as there are cores, and they fight.
    subprocess.run([sys.executable, "-c", THREADS], check=True, timeout=60, env=UNLIMITED)


@pytest.mark.x64
@pytest.mark.timeout(3600)
def test_no_sweep_hangs_in_fresh_processes_and_bits_depend_on_no_devices_or_threads():
    deep = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
    processes, calls = (52, 20) if deep else (3, 1)
    outcomes = set()
    for i in range(processes):
        threads = {} if i % 2 else {"OPENBLAS_NUM_THREADS": "1"}
        outcomes.add(digest(1 + i % 3, calls, **threads))  # under its watchdog
    assert len(outcomes) == 1
