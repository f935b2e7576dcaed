"""The phase map, 100 x 100 x 10 seeds at n = 1e5 and d = 100, against naive cells timed between."""

import numpy as np

from benchmarks import naive, problems, timing
from benchmarks.process import Process, Tolerant

HERE = "benchmarks.phase_map"
PINNED = {"OPENBLAS_NUM_THREADS": "1"}
CELLS_A_TURN = 3  # naive cells between two seeds of the map


def naive_cells(seed: int, points: int) -> dict:
    """A few cells, anywhere on the map: where they are, and their distances (JE, RC)."""
    problem = problems.phase_map(points)
    rng = np.random.default_rng([3, seed])
    cells, distances = [], []
    for _ in range(CELLS_A_TURN):
        i, j = (int(rng.integers(len(a))) for a in (problem.magnitudes, problem.alphas))
        noise = problem.magnitudes[i] * problem.spread
        X = naive.draw_spiked(rng, problem.signal, noise, problem.n)
        found = naive.phase_cell(X, noise, problems.base_variances(), problem.alphas[j], problems.K)
        cells.append([i, j])
        distances.append(found.tolist())
    return {"cells": cells, "distances": distances}


def naive_decompositions(cells: int) -> None:
    """Cells that share a draw already made: what is left of the naive loop then."""
    problem = problems.phase_map()
    rng = np.random.default_rng(4)
    X = naive.draw_spiked(rng, problem.signal, problem.spread, 1000)
    for j in range(cells):
        alpha = problem.alphas[j % len(problem.alphas)]
        naive.phase_cell(X, problem.spread, problems.base_variances(), alpha, problems.K)


def sweep(seeds, points: int = 100):
    """The map as a sweep."""
    import linssl
    from linssl.sweep import cells

    problem = problems.phase_map(points)
    return linssl.Sweep(
        cells.spiked,
        {"noise_variance": problem.magnitudes, "alpha": problem.alphas},
        seeds=seeds,
        draw=cells.spiked_draw,
        constants={
            "n": problem.n,
            "signal_directions": problems.K,
            "noise_directions": problems.Q,
        },
    )


def linssl_map(seed: int, points: int) -> list:
    """One seed of the map: distances (noise, alpha, objective)."""
    import linssl

    table = linssl.run_sweep(sweep([seed], points))
    assert not (table["status"].values & ~np.int64(32 | 64)).any()  # gaps may close at a threshold
    distance = table["distance"].sel(objective=["joint_embedding", "reconstruction"])
    return distance.isel(seed=0).transpose("noise_variance", "alpha", "objective").values.tolist()


def same_draw_error() -> float:
    """Worst difference between the two codes on the same samples, over a few cells."""
    import jax.numpy as jnp

    import linssl
    from linssl.sweep import cells

    problem, worst = problems.phase_map(), 0.0
    for magnitude, alpha in ((0.05, 1.0), (3.0, 0.3), (30.0, 10.0)):
        noise = magnitude * problem.spread
        X = naive.draw_spiked(np.random.default_rng(5), problem.signal, noise, 2000)
        wanted = naive.phase_cell(X, noise, problems.base_variances(), alpha, problems.K)
        got = cells.spiked(
            (linssl.same_instance(X).shared, jnp.asarray(len(X), float)),
            noise_variance=magnitude,
            alpha=alpha,
            signal_directions=problems.K,
            noise_directions=problems.Q,
        )["distance"]
        found = np.array([float(got["joint_embedding"]), float(got["reconstruction"])])
        worst = max(worst, float(np.max(np.abs(found / wanted - 1))))
    return worst


def vs_naive(points: int = 100) -> dict:
    """How many times faster the whole map is than its cells one by one, compilation included.

    The naive cells run with BLAS on all cores, as it comes, and on one; the faster counts.
    """
    problem = problems.phase_map(points)
    times: dict[str, list[float]] = {n: [] for n in ("all threads", "pinned", "linssl", "shared")}
    maps, sampled = [], []
    with (
        Process(f"{HERE}:naive_cells", timeout=40) as on_all_cores,
        Process(f"{HERE}:naive_cells", env=PINNED) as pinned,
        Process(f"{HERE}:naive_decompositions", env=PINNED) as shared,
        Process(f"{HERE}:linssl_map", devices=2, timeout=240) as fast,
        Process(f"{HERE}:same_draw_error", devices=1) as same_draw,
    ):
        error = same_draw()
        assert error < 1e-6, f"the two codes differ by {error:.1e} on the same samples"
        as_it_comes = Tolerant(on_all_cores)
        for side in (as_it_comes, pinned):  # warm
            side(seed=problem.seeds, points=points)
        shared(cells=1)
        for seed in range(problem.seeds):
            here = {"seed": seed, "points": points}
            times["all threads"].append(timing.seconds(lambda h=here: as_it_comes(**h)))
            times["pinned"].append(timing.seconds(lambda h=here: sampled.append(pinned(**h))))
            times["linssl"].append(timing.seconds(lambda h=here: maps.append(fast(**h))))
            times["shared"].append(timing.seconds(lambda: shared(cells=20)))
        peak = fast.peak_gb
    agreement = compare(np.array(maps), sampled)
    cells, total = problem.cells, sum(times["linssl"])
    ms = {n: 1e3 * float(np.median(times[n])) / CELLS_A_TURN for n in ("all threads", "pinned")}
    if as_it_comes.failed:
        del ms["all threads"]
    faster = min(ms, key=ms.__getitem__)
    return {
        "ratio": ms[faster] / 1e3 * cells / total,
        "unit": "x",
        "detail": {
            "cells": cells,
            "linssl_total_s": total,
            "linssl_ms_a_cell": 1e3 * total / cells,
            "linssl_first_seed_s": times["linssl"][0],  # with compilation
            "linssl_median_seed_s": float(np.median(times["linssl"])),
            "linssl_peak_gb": peak,
            "naive_ms_a_cell": ms,
            "faster_naive": faster,
            "naive_cells_timed": CELLS_A_TURN * problem.seeds,
            "naive_ms_a_cell_when_draws_are_shared": 1e3 * min(times["shared"]) / 20,
            "same_samples_worst_relative_difference": error,
            **agreement,
        },
    }


def compare(maps: np.ndarray, sampled: list[dict]) -> dict:
    """Check the sampled naive cells against the spread of the map's seeds at the same place."""
    where = np.array([cell for turn in sampled for cell in turn["cells"]])
    wanted = np.array([d for turn in sampled for d in turn["distances"]])
    there = maps[:, where[:, 0], where[:, 1]]  # (seed, cell, objective)
    seeds = len(maps)
    spread = there.std(0, ddof=1) * np.sqrt(1 + 1 / seeds) + 1e-3 * there.mean(0)
    z = (wanted - there.mean(0)) / spread
    assert np.isfinite(z).all()
    assert np.sqrt(np.mean(z**2)) < 2.5, f"the two loops disagree: {z}"
    return {"z_rms": float(np.sqrt(np.mean(z**2))), "z_max": float(np.max(np.abs(z)))}
