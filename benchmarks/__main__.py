"""Run all benchmarks, or those that are named: print a table, write benchmarks/results.json."""

import argparse
import json
import os
import platform
import signal
import sys
import time
import traceback
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.contents import BENCHMARKS, Benchmark

RESULTS = Path(__file__).with_name("results.json")


def machine() -> str:
    """The machine and the libraries, in words."""
    model, memory = platform.machine(), 0.0
    cpuinfo, meminfo = Path("/proc/cpuinfo"), Path("/proc/meminfo")
    if cpuinfo.exists():
        names = [x for x in cpuinfo.read_text().splitlines() if x.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    if meminfo.exists():
        memory = int(meminfo.read_text().split()[1]) * 1024 / 1e9
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    packages = ", ".join(f"{p} {version(p)}" for p in ("jax", "numpy", "scipy", "scikit-learn"))
    return (
        f"{cores} cores of {model}, {memory:.0f} GB, {platform.system()}, "
        f"Python {platform.python_version()}, {packages}"
    )


def measure(benchmarks: list[Benchmark], console: Console) -> tuple[dict, list[str]]:
    """Run benchmarks one after the other; return their results, and the names that failed."""
    results, failed, here = {}, [], machine()
    for i, benchmark in enumerate(benchmarks, 1):
        console.print(f"[{i}/{len(benchmarks)}] {benchmark.name} ...", markup=False, end=" ")
        start = time.perf_counter()
        try:
            result = benchmark.measure()
        except Exception:
            console.print("failed")
            traceback.print_exc()
            failed.append(benchmark.name)
            continue
        seconds = time.perf_counter() - start
        result["detail"] |= {"measured_in_s": round(seconds, 1), "machine": here}
        results[benchmark.name] = result
        console.print(f"{_words(result)} in {seconds:.0f} s")
    return results, failed


def _words(result: dict) -> str:
    value = result["ratio"]
    if value is None:
        return str(result["detail"].get("skipped", "not measured"))
    return f"{value:.3g} {result['unit']}"


def table(results: dict) -> Table:
    """Name, measured, target, and whether it is met."""
    shown = Table("benchmark", "measured", "target", "met")
    for benchmark in BENCHMARKS:
        if benchmark.name in results:
            result = results[benchmark.name]
            met = {True: "yes", False: "NO", None: ""}[benchmark.met(result["ratio"])]
            shown.add_row(benchmark.name, _words(result), benchmark.target, met)
    return shown


def main(arguments: list[str]) -> int:
    """Run what is asked for; 0 unless a benchmark failed to run (missing a target isn't that)."""
    names = {b.name: b for b in BENCHMARKS}
    # So that a stop reaches the processes of a benchmark, by way of their `with`.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}")
    wanted = parser.parse_args(arguments).names
    unknown = [name for name in wanted if name not in names]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(names)}")
    results, failed = measure([names[n] for n in wanted or names], Console(stderr=True))
    kept = {}
    if (wanted or failed) and RESULTS.exists():
        kept = json.loads(RESULTS.read_text(encoding="utf-8"))
    merged = kept | results
    ordered = {name: merged[name] for name in names if name in merged}
    RESULTS.write_text(json.dumps(ordered, indent=2) + "\n", encoding="utf-8")
    Console().print(table(results), f"\n{machine()}")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
