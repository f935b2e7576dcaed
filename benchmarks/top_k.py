"""All eigenvectors, or only the leading k? LAPACK both ways, ARPACK, and subspace iteration."""

import numpy as np

from benchmarks import timing
from benchmarks.process import Process

HERE = "benchmarks.top_k"
CASES = {32: 60, 100: 30, 256: 8, 784: 2}  # d: calls per turn
FEW = 10  # k, besides d/2


def vs_dense() -> dict:
    """Run on one BLAS thread, as cells do."""
    with Process(f"{HERE}:measure", devices=1, env={"OPENBLAS_NUM_THREADS": "1"}) as process:
        return process()


def measure(repeats: int = 3) -> dict:
    """Milliseconds per decomposition, by d, k and method; at the top of the same matrices."""
    table = {}
    for d, calls in CASES.items():
        for k in (d // 2, FEW):
            table[f"d={d}, k={k}"] = _case(d, k, calls, repeats)
    here = table["d=100, k=50"]
    rivals = {name: ms for name, ms in here.items() if name.endswith("ms") and "dense" not in name}
    fastest = min(rivals, key=rivals.__getitem__)
    return {
        "ratio": rivals[fastest] / here["dense_evd_ms"],
        "unit": "x",
        "detail": {"fastest_top_k_at_d_100_k_50": fastest, "table": table},
    }


def _case(d: int, k: int, calls: int, repeats: int) -> dict:
    import jax.numpy as jnp
    import scipy.linalg
    import scipy.sparse.linalg

    from benchmarks.subspace import subspace_iteration, whitened_moment

    M = whitened_moment(d)
    on_device, cut = jnp.asarray(M), (d - k, d - 1)

    def dense(driver):
        return scipy.linalg.eigh(M, driver=driver, check_finite=False)[1][:, -k:]

    def lapack(driver):
        return scipy.linalg.eigh(M, driver=driver, subset_by_index=cut, check_finite=False)[1]

    methods = {
        "dense_evd": lambda: dense("evd"),
        "dense_jax": lambda: jnp.linalg.eigh(on_device, symmetrize_input=False)[1],
        "lapack_evr": lambda: lapack("evr"),
        "lapack_evx": lambda: lapack("evx"),
        "arpack": lambda: scipy.sparse.linalg.eigsh(M, k)[1],
        "subspace_iteration": lambda: subspace_iteration(on_device, k)[0],
    }
    wanted = dense("evd")
    _, residual, steps = subspace_iteration(on_device, k)
    wrong = []
    for name, method in methods.items():
        basis = np.asarray(method())[:, -k:]
        lost = float(np.sum((wanted - basis @ (basis.T @ wanted)) ** 2) / k)
        if lost > 1e-12:  # only the one that says itself that it hasn't converged may be wrong
            assert name == "subspace_iteration", f"{name} loses {lost:.1e} of the subspace"
            wrong.append(name)
    # Slow ones get fewer calls, so that the table is made in a minute.
    turns = {
        n: max(1, calls // (10 if n in ("arpack", "subspace_iteration") else 1)) for n in methods
    }
    sides = {
        n: lambda m=m, c=turns[n]: [timing.finish(m()) for _ in range(c)]
        for n, m in methods.items()
    }
    times = timing.alternate(sides, repeats)
    return {
        **{f"{n}_ms": float(f"{1e3 * min(t) / turns[n]:.3g}") for n, t in times.items()},
        "subspace_steps": int(steps),
        "subspace_residual": float(f"{float(residual):.1e}"),
        "subspace_converged": "subspace_iteration" not in wrong,
    }
