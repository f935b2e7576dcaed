"""One cell, JE and RC with sampling and distances: against LAPACK, over n, d, cells and devices."""

import functools

import numpy as np

from benchmarks import problems, timing
from benchmarks.process import Process

HERE = "benchmarks.cells"
PINNED = {"OPENBLAS_NUM_THREADS": "1"}


def sweep(draws: int, alphas: int, directions: int = problems.K, **axes):
    """A sweep of draws (noise magnitudes) x alignments, which share each draw."""
    import linssl
    from linssl.sweep import cells

    return linssl.Sweep(
        cells.spiked,
        {
            "noise_variance": np.geomspace(0.1, 10, draws),
            "alpha": np.geomspace(0.1, 10, alphas),
            **axes,
        },
        draw=cells.spiked_draw,
        constants={"signal_directions": directions, "noise_directions": directions},
    )


def lapack_batch(draws: int, alphas: int) -> np.ndarray:
    """The (cells, 2, d, d) matrices that JE and RC decompose in the cells of `sweep`."""
    import jax
    import jax.numpy as jnp

    from linssl.sweep import cells

    @jax.jit
    def whitened(noise, alphas):
        C, _ = cells.spiked_draw(
            jax.random.fold_in(jax.random.key(0, impl="threefry2x32"), 0),
            noise_variance=noise,
            n=1e5,
            signal_directions=problems.K,
            noise_directions=problems.Q,
        )
        base = jnp.asarray(problems.base_variances())
        gamma = noise * jnp.append(jnp.zeros(problems.K), jnp.linspace(1, 0.2, problems.Q))

        def one(alpha):
            sigma = base + alpha**2 * gamma
            L = jnp.linalg.cholesky(C + jnp.diag(sigma))
            half = jax.scipy.linalg.solve_triangular(L, C, lower=True)
            root = jnp.sqrt(sigma)
            return jnp.stack([C / root[:, None] / root[None, :], half @ half.T])

        return jax.lax.map(one, alphas)

    grid = np.geomspace(0.1, 10, alphas)
    return np.concatenate([np.asarray(whitened(v, grid)) for v in np.geomspace(0.1, 10, draws)])


def cell_vs_lapack() -> dict:
    """Run in a process whose BLAS has one thread; one host device."""
    with Process(f"{HERE}:against_lapack", devices=1, env=PINNED) as process:
        return process()


def against_lapack(draws: int = 16, alphas: int = 100, repeats: int = 4) -> dict:
    """Cell time over that of two bare LAPACK calls on the same matrices."""
    import scipy.linalg

    import linssl

    batch = lapack_batch(draws, alphas)
    cells = draws * alphas
    problem = sweep(draws, alphas, n=[1e5])

    def floor():
        for matrix in batch.reshape(-1, *batch.shape[2:]):
            scipy.linalg.eigh(matrix, driver="evd", check_finite=False)

    # The same problem: the top eigenvectors span what the cell's distance says they do.
    distance = linssl.run_sweep(problem)["distance"].values.reshape(cells, 2)
    names = sorted(["joint_embedding", "reconstruction"])
    _, Q = scipy.linalg.eigh(batch[0, 0], driver="evd")
    sigma = _sigma(0.1, 0.1)
    encoder = Q[:, : -problems.K - 1 : -1].T / np.sqrt(sigma)
    axes = np.eye(problems.K, len(sigma))
    wanted = float(linssl.subspace_distance(encoder, axes))
    found = float(distance[0, names.index("joint_embedding")])
    assert abs(found - wanted) < 1e-9, f"not the same problem: {found} and {wanted}"

    times = timing.alternate(
        {"linssl": lambda: linssl.run_sweep(problem), "lapack": floor}, repeats
    )
    return {
        "ratio": timing.ratio(times, "linssl", "lapack"),
        "unit": "x",
        "detail": {
            "cells": cells,
            "times_a_cell": timing.summary(times, cells),
            "ratio_range": timing.spread(times, "linssl", "lapack"),
        },
    }


def _sigma(noise, alpha):
    gamma = noise * np.append(np.zeros(problems.K), np.linspace(1, 0.2, problems.Q))
    return problems.base_variances() + alpha**2 * gamma


def n_independence() -> dict:
    """Run on one host device."""
    with Process(f"{HERE}:over_n", devices=1) as process:
        return process()


def over_n(cells: int = 300, repeats: int = 7) -> dict:
    """Time of cells that each draw anew, at n = 10^12 over that at n = 10^3; one program."""
    import linssl

    sizes = {f"{n:g}": sweep(cells, 1, n=[n]) for n in (1e3, 1e5, 1e12)}
    times = timing.alternate(
        {name: functools.partial(linssl.run_sweep, s) for name, s in sizes.items()}, repeats
    )
    return {
        "ratio": timing.ratio(times, "1e+12", "1000"),
        "unit": "x",
        "detail": {
            "times_a_cell": timing.summary(times, cells),
            "ratio_range": timing.spread(times, "1e+12", "1000"),
        },
    }


@functools.cache
def _kept(draws: int, alphas: int):
    return sweep(draws, alphas, n=[1e5])


def distances(draws: int = 30, alphas: int = 40) -> list:
    """All distances of a sweep, on whatever devices this process has."""
    import linssl

    return linssl.run_sweep(_kept(draws, alphas))["distance"].values.ravel().tolist()


def two_devices() -> dict:
    """How much two host devices bring, each in a process that takes turns with the other."""
    with (
        Process(f"{HERE}:distances", devices=1) as one,
        Process(f"{HERE}:distances", devices=2) as two,
    ):
        assert one() == two(), "results must not depend on the number of devices"
        times = timing.alternate({"one": one, "two": two}, 5, warm=False)
    return {
        "ratio": timing.ratio(times, "one", "two"),
        "unit": "x",
        "detail": {
            "times": timing.summary(times),
            "ratio_range": timing.spread(times, "one", "two"),
            "cells": 30 * 40,
            "results": "equal, bit for bit",
        },
    }


def scaling() -> dict:
    """Run on one host device, BLAS on one thread."""
    with Process(f"{HERE}:over_d_and_cells", devices=1, env=PINNED) as process:
        return process()


def over_d_and_cells(repeats: int = 3) -> dict:
    """Milliseconds per cell over d, and over the number of cells of one sweep."""
    import linssl

    features = {20: 2000, 32: 2000, 64: 1000, 100: 500, 200: 160, 256: 100}
    by_d = {str(d): sweep(m // 20, 20, d // 2, n=[1e5]) for d, m in features.items()}
    by_cells = {str(m): sweep(m // 20, 20, 10, n=[1e5]) for m in (100, 1000, 10_000)}
    d_times = timing.alternate(
        {name: functools.partial(linssl.run_sweep, s) for name, s in by_d.items()}, repeats
    )
    cell_times = timing.alternate(
        {name: functools.partial(linssl.run_sweep, s) for name, s in by_cells.items()}, repeats
    )
    a_cell = {d: 1e3 * min(d_times[str(d)]) / m for d, m in features.items()}
    growth = np.log(a_cell[256] / a_cell[64]) / np.log(256 / 64)
    return {
        "ratio": float(growth),
        "unit": "power of d",
        "detail": {
            "ms_a_cell_by_d": {str(d): float(f"{t:.3g}") for d, t in a_cell.items()},
            "ms_a_cell_by_cells_at_d_20": {
                name: float(f"{1e3 * min(values) / int(name):.3g}")
                for name, values in cell_times.items()
            },
        },
    }
