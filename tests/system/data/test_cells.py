"""Real cells: the layout of 2018, and what today's anndata makes of it, are read alike."""

import os
import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy import sparse

from linssl.data import open_source

FILE = Path(os.environ.get("LINSSL_DATA", ""), "pbmc.h5ad")
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="needs $LINSSL_DATA/pbmc.h5ad")
LABELS = ("bulk_labels", "phase", "louvain", "n_genes")


@pytest.fixture(scope="module")
def rewritten(tmp_path_factory):
    """What anndata makes of it, as it reads and writes by itself."""
    file = tmp_path_factory.mktemp("cells") / "today.h5ad"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import anndata
        import pandas as pd

        old = anndata.read_h5ad(FILE)
        for frame in (old.obs, old.var, old.raw.var):
            frame.index = pd.Index(list(map(str, frame.index)), dtype=object)
            for name, column in frame.items():
                if column.dtype == "category":
                    texts = pd.Index(list(map(str, column.cat.categories)), dtype=object)
                    frame[name] = pd.Categorical.from_codes(column.cat.codes, texts)
        old.write_h5ad(file)
    with h5py.File(file) as root:
        assert "codes" in root["obs/bulk_labels"]
    return file


def test_it_names_genes_labels_and_phases():
    source = open_source(FILE, layer="raw")
    assert (source.shape, source.dtype) == ((700, 765), np.float32)
    assert source.names[:2] == ("HES4", "TNFRSF4")
    names, counts = np.unique(source.column("bulk_labels"), return_counts=True)
    assert (len(names), counts.min(), names[0]) == (10, 8, "CD14+ Monocyte")
    names, counts = np.unique(source.column("phase"), return_counts=True)
    assert (list(names), counts.min()) == (["G1", "G2M", "S"], 17)
    counts = np.expm1(source[0:50].toarray().astype(float))
    least = np.min(counts, axis=1, where=counts > 0, initial=np.inf, keepdims=True)
    molecules = counts / least
    # Logarithms are stored to three decimals: half of the last one, in each of both.
    assert (np.abs(molecules - np.round(molecules)) <= 2e-3 * molecules).all()


@pytest.mark.parametrize("layer", [None, "raw", "obsm/X_pca", "obsm/X_umap"])
def test_the_same_is_read_of_both_layouts(rewritten, layer):
    old, new = open_source(FILE, layer=layer), open_source(rewritten, layer=layer)
    assert (old.shape, old.dtype, old.names) == (new.shape, new.dtype, new.names)
    for start in (0, 300, 699):
        blocks = [source[start : start + 250] for source in (old, new)]
        np.testing.assert_array_equal(*(b.toarray() if sparse.issparse(b) else b for b in blocks))
    assert set(old.columns) == set(new.columns) >= set(LABELS)
    for name in LABELS:
        np.testing.assert_array_equal(old.column(name), new.column(name))
