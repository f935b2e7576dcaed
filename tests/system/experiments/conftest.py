"""One run of every experiment, shared by the tests that read what it made."""

import os
from pathlib import Path

import pytest
from scripts import make_figures


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
    make_figures(out, "sample_size", data=request.param)
    return out


@pytest.fixture(scope="session")
def digits_folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("digits")
    make_figures(out, "alignment_threshold", "phase_diagram")
    return out


@pytest.fixture(scope="session")
def images_folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("images")
    make_figures(out, "corruptions", "semantic_pairs", "embedding", "augmentations")
    return out
