"""One run of every experiment, shared by the tests that read what it made."""

import os
from pathlib import Path

import pytest
from scripts import ROOT, make_figures

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"


def data_sets():
    """The bundled digits, and in a deep run MNIST too, where the machine has it."""
    folder = os.environ.get("LINSSL_DATA", "")
    mnist = Path(folder) / "mnist.npz"
    reason = "needs $LINSSL_DATA/mnist.npz, and HYPOTHESIS_PROFILE=deep"
    skip = pytest.mark.skipif(not (DEEP and folder and mnist.is_file()), reason=reason)
    return ["digits", pytest.param(mnist, marks=skip, id="mnist")]


@pytest.fixture(scope="session", params=data_sets())
def sample_size_folder(request, tmp_path_factory):
    out = tmp_path_factory.mktemp("sample_size")
    make_figures(out, "sample_size", data=request.param)
    return out


@pytest.fixture(scope="session")
def digits_folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("digits")
    make_figures(out, "alignment_threshold", "phase_diagram")
    return out


@pytest.fixture(scope="session")
def images_folder(tmp_path_factory):
    """What the longest experiments made: their tracked tables, or in a deep run new ones.

    `make figures-check`, a part of `make check`, runs all experiments and compares each number.
    """
    if not DEEP:
        return ROOT / "figures" / "reference"
    out = tmp_path_factory.mktemp("images")
    names = "content_style", "corruptions", "semantic_pairs", "embedding", "augmentations"
    make_figures(out, *names)
    return out
