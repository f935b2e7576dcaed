"""Benchmarks compare equals: the naive loop and the library agree, and the list is complete."""

import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import linssl
from benchmarks import naive
from benchmarks.contents import BENCHMARKS

ROOT = Path(__file__).parents[3]
NAMED = {
    "figure2_vs_naive",
    "phase_map_vs_naive",
    "n_independence",
    "cell_vs_lapack",
    "two_devices",
    "joint_embedding_vs_sklearn_cca",
    "sweep_peak_memory_gb",
}


@pytest.mark.x64
def test_the_naive_loop_computes_what_the_library_does():
    rng, k, q, alpha = np.random.default_rng(0), 3, 4, 0.7
    noise, base = np.linspace(1.0, 0.5, q), np.repeat([0.6, 0.006], [k, q])
    X = naive.draw_spiked(rng, np.linspace(2.0, 1.0, k), noise, 200)
    gamma = jnp.asarray(np.append(np.zeros(k), noise))
    view = linssl.AlignedNoise(jnp.asarray(base), gamma, alpha)
    axes = jnp.eye(k, k + q)
    got = [
        linssl.subspace_distance(solution.encoder, axes)
        for solution in (
            linssl.joint_embedding(linssl.two_views(X, view), k),
            linssl.reconstruction(linssl.view_and_clean(X, view), k),
        )
    ]
    np.testing.assert_allclose(got, naive.phase_cell(X, noise, base, alpha, k), rtol=1e-9)


def test_every_promised_benchmark_is_listed_and_has_its_last_result():
    assert {b.name for b in BENCHMARKS} >= NAMED
    results = json.loads((ROOT / "benchmarks" / "results.json").read_text())
    assert set(results) >= NAMED
    for result in results.values():
        assert {"ratio", "unit", "detail"} <= set(result)
