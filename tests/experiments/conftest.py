"""Experiments are run as a user runs them: as scripts, in a process of their own."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run_experiment(name, out, data="digits", check=True):
    """Run one script; return its completed process."""
    return subprocess.run(
        [sys.executable, "-m", f"experiments.{name}", "--data", str(data), "--out", str(out)],
        cwd=ROOT,
        check=check,
        capture_output=True,
        text=True,
        timeout=200,
    )


def read_table(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def data_sets():
    """The bundled digits, and in a deep run MNIST too, where the machine has it."""
    folder = os.environ.get("LINSSL_DATA", "")
    mnist = Path(folder) / "mnist.npz"
    deep = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
    reason = "needs $LINSSL_DATA/mnist.npz, and HYPOTHESIS_PROFILE=deep"
    skip = pytest.mark.skipif(not (deep and folder and mnist.is_file()), reason=reason)
    return ["digits", pytest.param(mnist, marks=skip, id="mnist")]


@pytest.fixture(scope="session", params=data_sets())
def sample_size_folder(request, tmp_path_factory):
    out = tmp_path_factory.mktemp("sample_size")
    run_experiment("sample_size", out, request.param)
    return out


@pytest.fixture(scope="session")
def digits_folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("digits")
    for name in ("alignment_threshold", "phase_diagram"):
        run_experiment(name, out)
    return out


@pytest.fixture(scope="session")
def images_folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("images")
    for name in ("corruptions", "semantic_pairs", "embedding", "augmentations"):
        run_experiment(name, out)
    return out
