"""What is measured, by name, with its target. A new benchmark is one function and one line here."""

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks import cca, cells, figure2, memory, moments, phase_map, streaming, top_k


class Benchmark(NamedTuple):
    """A function that returns {ratio, unit, detail}, and what its ratio should be, if anything."""

    name: str
    measure: Callable[[], dict[str, Any]]
    sign: str = ""
    bound: float | None = None

    def met(self, value: float | None) -> bool | None:
        """Whether a measured value meets the target; None where there is none."""
        if value is None or self.bound is None:
            return None
        return {">=": operator.ge, "<=": operator.le}[self.sign](value, self.bound)

    @property
    def target(self) -> str:
        """The target in words."""
        return "" if self.bound is None else f"{self.sign} {self.bound:g}"


BENCHMARKS = (
    Benchmark("figure2_vs_naive", figure2.vs_naive, ">=", 20),
    Benchmark("figure2_compile_cold_s", figure2.compile_cold, "<=", 15),
    Benchmark("figure2_compile_cached_s", figure2.compile_cached, "<=", 3),
    Benchmark("phase_map_vs_naive", phase_map.vs_naive, ">=", 150),
    Benchmark("n_independence", cells.n_independence, "<=", 1.1),
    Benchmark("cell_vs_lapack", cells.cell_vs_lapack, "<=", 1.5),
    Benchmark("two_devices", cells.two_devices, ">=", 1.7),
    Benchmark("two_views_vs_numpy", moments.vs_numpy, "<=", 1.15),
    Benchmark("streaming", streaming.vs_numpy, "<=", 1.2),
    Benchmark("joint_embedding_vs_sklearn_cca", cca.vs_sklearn, ">=", 20),
    Benchmark("joint_embedding_vs_cca_zoo", cca.vs_cca_zoo),
    Benchmark("sweep_peak_memory_gb", memory.sweep_peak, "<=", 1.5),
    Benchmark("scaling_in_d_and_cells", cells.scaling),
    Benchmark("top_k_vs_dense", top_k.vs_dense),
)
