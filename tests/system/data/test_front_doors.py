"""Paths and AnnData go through the same doors as arrays."""

import numpy as np
import pytest

import linssl
from linssl import pairs
from linssl.augmentations import GaussianNoise

X = np.random.default_rng(0).standard_normal((60, 4)).astype(np.float32)
NOISE = GaussianNoise(np.full(4, 0.1))


def test_paths_and_annotated_data_make_the_pairs_of_their_rows(tmp_path):
    anndata = pytest.importorskip("anndata")
    path = tmp_path / "x.npy"
    np.save(path, X)
    want = linssl.two_views(X, NOISE)
    for data in (path, str(path), anndata.AnnData(X)):
        np.testing.assert_array_equal(linssl.two_views(data, NOISE).shared, want.shared)
        assert linssl.view_and_clean(data, NOISE).count == 60
        np.testing.assert_array_equal(pairs.stream_moments(data).shared, want.shared)


def test_text_that_is_no_path_has_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file at .*x\.npy"):
        linssl.two_views("x.npy", NOISE)
    with pytest.raises(FileNotFoundError, match=r"no file at .*absent.npy"):
        linssl.two_views(tmp_path / "absent.npy", NOISE)
