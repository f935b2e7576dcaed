"""Run a sweep on a cluster, here one of two worker processes.

A sweep is a function of one cell, and values for its keywords. Its bits don't depend on who solves
what, and what is in the store is never solved again. On real machines, a
`distributed.Client("tcp://host:8786")` replaces the local cluster; from a shell,
`linssl sweep run FILE --out STORE --scheduler tcp://host:8786` does.
"""

import tempfile
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from distributed import Client, LocalCluster

import linssl


def cell(_key, *, alpha, noise):
    """Share of the signal that each paradigm loses, for infinite data; nothing here is random."""
    population = linssl.populations.Spiked(np.array([2.0, 1.0]), noise * jnp.array([1.0, 0.5]))
    clean = linssl.pairs.same_instance_population(population.covariance)
    view = population.aligned(np.array([0.6, 0.6, 0.006, 0.006]), alpha)
    je = linssl.joint_embedding(linssl.two_views(clean, view), 2)
    rc = linssl.reconstruction(linssl.view_and_clean(clean, view), 2)
    return {
        "lost": {
            "joint_embedding": linssl.subspace_distance(je.encoder, range(2)),
            "reconstruction": linssl.subspace_distance(rc.encoder, range(2)),
        }
    }


def main():
    """Solve 800 cells on two workers, ask again, and check against one process."""
    sweep = linssl.Sweep(cell, {"alpha": np.geomspace(0.1, 10, 200), "noise": [0.3, 1, 3, 10]})
    with tempfile.TemporaryDirectory() as folder, jax.enable_x64(True):
        store = Path(folder) / "table.zarr"
        with (
            LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster,
            Client(cluster) as client,
        ):
            table = linssl.run_sweep(
                sweep, store, executor=client.get_executor(pure=False), memory=1e5
            )
        print("solutions:", table["lost"].size)

        # The store is enough: the same call, with nothing left to do, only reads it.
        print("resumed, same bits:", linssl.run_sweep(sweep, store).identical(table))
        alone = linssl.run_sweep(sweep)
        print("one process, same bits:", np.array_equal(alone["lost"], table["lost"]))

        print("the signal is kept from alpha = ... on, measured (and in theory):")
        for noise in table["noise"].values:
            t = linssl.alignment_thresholds([2.0, 1.0], [noise, noise / 2], 0.6, 0.006)
            found = []
            for name in ("joint_embedding", "reconstruction"):
                kept = table["lost"].sel(noise=noise, objective=name).values.ravel() < 0.01
                found.append(
                    f"{table['alpha'].values[kept][0]:.2f} ({float(getattr(t, name)):.2f})"
                )
            print(f"noise {noise:4g}: JE {found[0]}, RC {found[1]}")


if __name__ == "__main__":  # worker processes import this file
    main()
