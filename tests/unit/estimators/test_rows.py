"""Estimators take rows as people hold them, and never hold them twice."""

import tracemalloc
from types import SimpleNamespace

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import zarr
from scipy import sparse

from linssl.data import open_source
from linssl.estimators import JointEmbedding, SemanticJointEmbedding
from linssl.linalg import averages
from linssl.pairs import centring

RNG = np.random.default_rng(0)
LABELS = np.repeat(["cat", "dog", "eel"], 10)
X = (RNG.normal(size=(30, 4)) * [2, 1, 3, 1] + np.repeat(np.eye(3, 4), 10, 0) * 4).astype("f4")
TABLE = pd.DataFrame(X, columns=list("abcd"))


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """The same rows as files and objects of many kinds."""
    folder = tmp_path_factory.mktemp("held")
    np.save(folder / "x.npy", X)
    TABLE.to_csv(folder / "x.csv", index=False)
    with h5py.File(folder / "x.h5", "w") as file:
        file["X"] = X
    zarr.save_array(folder / "x.zarr", X)
    with h5py.File(folder / "x.h5") as file:
        yield {
            "path": folder / "x.npy",
            "text": str(folder / "x.csv"),
            "memmap": np.load(folder / "x.npy", mmap_mode="r"),
            "hdf5": file["X"],
            "zarr": zarr.open_array(folder / "x.zarr"),
            "source": open_source(folder / "x.h5"),
            "csr": sparse.csr_array(X),
            "csc": sparse.csc_matrix(X),
            "coo": sparse.coo_array(X),
            "pandas": TABLE,
            "anndata": anndata.AnnData(sparse.csr_matrix(X)),
        }


@pytest.mark.parametrize("model", [JointEmbedding(2), SemanticJointEmbedding(2)])
def test_rows_of_any_kind_have_the_codes_of_the_same_array(model, held, monkeypatch):
    monkeypatch.setattr(averages, "MOST", 8)
    wanted = model.fit(X, LABELS).transform(X)
    for data in held.values():
        codes = model.fit(data, LABELS).transform(data)
        assert codes.dtype == (np.float64 if data is held["text"] else np.float32)
        np.testing.assert_allclose(codes, wanted, rtol=1e-4, atol=1e-5)
        assert model.n_features_in_ == 4


def test_names_of_a_source_are_those_of_the_features(held):
    model = JointEmbedding(2).fit(open_source(held["text"]))
    assert model.feature_names_in_.tolist() == list("abcd")
    assert model.transform(TABLE).shape == (30, 2)
    for other in (TABLE[list("bacd")], open_source(TABLE[list("bacd")])):
        with pytest.raises(ValueError, match="feature names should match"):
            model.transform(other)
    with pytest.raises(ValueError, match="expecting 4 features"):
        JointEmbedding(2).fit(held["source"]).transform(open_source(X[:, :3]))


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, bool])
def test_integers_and_halves_are_what_they_are_in_double(dtype):
    rows = (X > 1).astype(dtype) if dtype is bool else np.abs(X * 9).astype(dtype)
    wanted = JointEmbedding(2).fit(rows.astype(float)).transform(rows.astype(float))
    for data in (rows, sparse.csr_array(rows)) if dtype is not np.float16 else (rows,):
        codes = JointEmbedding(2).fit(data).transform(data)
        assert codes.dtype == np.float64
        np.testing.assert_allclose(codes, wanted, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (open_source(np.ones((5, 2, 2))), r"X must be \(n, d\); got \(5, 2, 2\)"),
        (open_source(np.ones((1, 2))), "X must have 2 rows or more; got 1"),
        (open_source(np.array([[1.0, 2], [np.nan, 2]])), "must be finite; got 1 NaN or inf"),
        (sparse.csr_array(np.array([[1.0, 2], [np.nan, 2]])), "contains NaN"),
    ],
)
def test_rows_that_are_no_data_are_refused(data, match):
    with pytest.raises(ValueError, match=match):
        JointEmbedding(1).fit(data)


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_a_mapped_file_is_not_copied(dtype, tmp_path, monkeypatch):
    n, d = 40_000, 32
    np.save(tmp_path / "x.npy", (np.arange(n * d).reshape(n, d) ** 2 % 251).astype(dtype))
    monkeypatch.setattr(averages, "MOST", 256)
    monkeypatch.setattr(centring, "AT_ONCE", 2**13)
    rows, labels = np.load(tmp_path / "x.npy", mmap_mode="r"), np.arange(n) % 4
    for model in (JointEmbedding(1), SemanticJointEmbedding(1)):
        model.fit(rows, labels)
        tracemalloc.start()
        model.fit(rows, labels).transform(rows)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 0.4 * 8 * n * d  # a copy in single precision is .5; labels .03 each


def test_genes_that_share_a_name_are_told():
    data = SimpleNamespace(X=X, obs=pd.DataFrame(), var=None, layers={}, obsm={})
    data.var_names = ["A", "B", "A", "C"]
    with pytest.raises(ValueError, match=r"name of a feature once, .*got A more than once in"):
        JointEmbedding().fit(data)
