"""Experiments are run as a user runs them: as scripts, in a process of their own."""

import csv
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_experiment(name, out, data="digits", *options, check=True):
    """Run one script; return its completed process."""
    told = ["--data", str(data), "--out", str(out), *options]
    return subprocess.run(
        [sys.executable, "-m", f"experiments.{name}", *told],
        cwd=ROOT,
        check=check,
        capture_output=True,
        text=True,
        timeout=280,
    )


def read_table(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
