"""Experiments: as a user runs them, in a process of their own, and several in this one."""

import csv
import importlib
import subprocess
import sys
from pathlib import Path

import jax
from helpers import any_types

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


def make_figures(out, *names, data="digits"):
    """Run experiments here, with what their scripts set: no process is started for each."""
    from experiments import shared

    told = {"data": str(data), "out": Path(out)}
    # As experiments run: jax's own rules of promotion, and no types checked.
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"), any_types():
        for name in names:
            experiment = importlib.import_module(f"experiments.{name}")
            options = shared.options_of(experiment.solve)(**told)
            shared.make(name, experiment.solve, experiment.draw, options)


def read_table(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
