"""The sweep on an accelerator, in float64, against this machine's CPU.

`python -m benchmarks.device` measures, in a few minutes, and prints JSON.

Three questions: cells per second at d = 32, 100 and 256; whether a batch of decompositions above 32
columns runs as a batch, or as a loop in disguise; and whether subspace iteration, which is mostly
matrix products, does better there. Without an accelerator it runs all the same, on the CPU alone,
which shows that it works and nothing else: `--small` is for that.
"""

import argparse
import functools
import json
import os

import numpy as np

from benchmarks import timing
from benchmarks.process import Process

HERE = "benchmarks.device"
FEATURES = (32, 100, 256)


@functools.cache
def _sweep(d: int, cells: int):
    from benchmarks.cells import sweep

    return sweep(max(cells // 100, 1), min(cells, 100), d // 2, n=[1e5])


def run_sweep(d: int, cells: int, memory: float = 4e9) -> int:
    """Solve about that many cells on this process's devices; return how many it was."""
    import linssl

    problem = _sweep(d, cells)
    assert np.isfinite(linssl.run_sweep(problem, memory=memory)["distance"].values).all()
    return problem.cells


def batched(d: int, batch: int, repeats: int) -> dict:
    """Milliseconds per matrix for one and for a batch, by eigh and by subspace iteration."""
    import jax
    import jax.numpy as jnp
    from threadpoolctl import threadpool_limits

    from benchmarks.subspace import subspace_iteration, whitened_moment

    threadpool_limits(1, user_api="blas")  # on CPU: as cells run, and steadier

    k = d // 2
    some = np.stack([whitened_moment(d, seed) for seed in range(min(batch, 8))])
    many = jnp.asarray(np.resize(some, (batch, d, d)))

    def eigh(M):
        return jnp.linalg.eigh(M, symmetrize_input=False)[1][..., -k:]

    # On CPU a vmap of decompositions isn't how cells run: there it is a loop, as in the library.
    spread = jax.vmap if jax.default_backend() != "cpu" else lambda f: lambda x: jax.lax.map(f, x)
    by_eigh, by_products = (
        jax.jit(spread(eigh)),
        jax.jit(spread(lambda M: subspace_iteration(M, k))),
    )
    wanted, (found, residual, steps) = by_eigh(many), by_products(many)
    lost = jnp.mean((wanted - found @ (jnp.swapaxes(found, 1, 2) @ wanted)) ** 2) * d
    times = timing.alternate(
        {
            "eigh_one": lambda: by_eigh(many[:1]),
            "eigh_batch": lambda: by_eigh(many),
            "products_one": lambda: by_products(many[:1]),
            "products_batch": lambda: by_products(many),
        },
        repeats,
    )
    ms = {n: 1e3 * min(t) / (batch if n.endswith("batch") else 1) for n, t in times.items()}
    return {
        **{f"{n}_ms_a_matrix": float(f"{t:.3g}") for n, t in ms.items()},
        "eigh_batch_speedup": ms["eigh_one"] / ms["eigh_batch"],
        "products_vs_eigh_in_batch": ms["eigh_batch"] / ms["products_batch"],
        "residual_worst": float(jnp.max(residual)),
        "steps_worst": int(jnp.max(steps)),
        "share_of_subspace_lost": float(lost),
    }


def main() -> None:
    """Measure, and print JSON."""
    parser = argparse.ArgumentParser("python -m benchmarks.device", description=__doc__)
    parser.add_argument("--small", action="store_true", help="sizes that a CPU does in a minute")
    small = parser.parse_args().small

    import jax

    jax.config.update("jax_enable_x64", True)
    device = jax.devices()[0]
    report = {"device": device.device_kind, "platform": device.platform, "sweep": {}, "batch": {}}
    if small:
        print("small sizes: a test of the script, not a measurement")
    cpu = {"JAX_PLATFORMS": "cpu"}
    with Process(f"{HERE}:run_sweep", devices=os.cpu_count(), env=cpu, timeout=600) as host:
        for d in FEATURES[:2] if small else FEATURES:
            # The CPU gets fewer cells: its time per cell doesn't depend on how many there are.
            sizes = {"d": d, "cells": 200 if small else 10_000}
            on_host = {"d": d, "cells": 200 if small else {32: 4000, 100: 2000}.get(d, 400)}
            sides = {"device": lambda s=sizes: run_sweep(**s), "cpu": lambda s=on_host: host(**s)}
            times = timing.alternate(sides, 2)
            rates = {
                name: side["cells"] / min(times[name])
                for name, side in (("device", sizes), ("cpu", on_host))
            }
            report["sweep"][str(d)] = {
                **{f"{name}_cells_per_s": float(f"{r:.4g}") for name, r in rates.items()},
                "ratio": rates["device"] / rates["cpu"],
            }
    for d in FEATURES[:2] if small else FEATURES:
        report["batch"][str(d)] = batched(d, 20 if small else 1000, 3)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
