"""Named data sets: bundled, in $LINSSL_DATA, or at a path."""

from pathlib import Path

import numpy as np
import pytest

from linssl.data import load_dataset
from linssl.data.named import is_name
from linssl.diagnosis.opened import open_data

X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LINSSL_DATA", str(tmp_path))
    return tmp_path


def test_digits_are_scaled_pixels_split_in_order():
    from sklearn.datasets import load_digits

    digits, (pixels, labels) = load_dataset(), load_digits(return_X_y=True)
    assert digits.name == "digits"
    assert digits.X_train.shape == (1347, 64)
    assert digits.X_test.shape == (450, 64)
    assert digits.X_train.min() == 0
    assert digits.X_train.max() == 1
    np.testing.assert_array_equal(np.concatenate([digits.X_train, digits.X_test]) * 16, pixels)
    np.testing.assert_array_equal(np.concatenate([digits.y_train, digits.y_test]), labels)


def test_a_name_is_an_npz_in_the_data_folder(folder):
    np.savez(folder / "mine.v2.npz", X_train=X, y_train=[0, 1, 0], X_test=X[:1], y_test=[1])
    data = load_dataset("mine.v2")
    assert data.name == "mine.v2"
    np.testing.assert_array_equal(data.X_train, X)
    np.testing.assert_array_equal(data.y_train, [0, 1, 0])
    np.testing.assert_array_equal(data.X_test, X[:1])
    np.testing.assert_array_equal(data.y_test, [1])


def test_a_path_needs_no_data_folder(folder, monkeypatch):
    monkeypatch.delenv("LINSSL_DATA")
    np.save(folder / "mine.npy", X)
    data = load_dataset(str(folder / "mine.npy"))
    np.testing.assert_array_equal(data.X_train, X)
    assert (data.y_train, data.X_test, data.y_test) == (None, None, None)
    np.testing.assert_array_equal(load_dataset(folder / "mine.npy").X_train, X)


def test_a_name_may_come_as_a_path():
    assert load_dataset(Path("digits")).X_train.shape == (1347, 64)


def test_a_name_is_one_rule_for_all_that_take_one(folder, monkeypatch):
    rows = np.random.default_rng(0).normal(size=(40, 2))
    np.savez(folder / "mnist.v2.npz", X=rows)
    monkeypatch.chdir(folder)
    assert (is_name("mnist.v2"), is_name("mnist")) == (True, True)
    assert not any(map(is_name, ("mnist.npy", "mnist.v2.npz", "a/mnist")))
    assert len(load_dataset("mnist.v2").X_train) == len(open_data("mnist.v2").rows) == 40
    np.savez(folder / "mine", X=X)
    (folder / "mine.npz").rename(folder / "mine")  # a path that is there is no name
    assert not is_name("mine")
    for read in (load_dataset, open_data):
        with pytest.raises(ValueError, match="mine must end in one of"):
            read("mine")


def test_x_and_y_without_a_split_are_the_training_set(folder):
    np.savez(folder / "mine.npz", X=X, y=["a", "b", "a"])
    data = load_dataset("mine")
    np.testing.assert_array_equal(data.X_train, X)
    np.testing.assert_array_equal(data.y_train, ["a", "b", "a"])
    assert data.X_test is None


def test_only_eight_bit_pixels_are_scaled(folder):
    pixels = np.array([[[0, 255], [51, 102]]], np.uint8)
    np.savez(folder / "pixels.npz", X=pixels)
    np.savez(folder / "wide.npz", X=pixels.astype(np.uint16))
    np.testing.assert_allclose(load_dataset("pixels").X_train, [[0, 1, 0.2, 0.4]])
    np.testing.assert_array_equal(load_dataset("wide").X_train, [[0, 255, 51, 102]])
    assert load_dataset("wide").X_train.dtype == float


def test_unknown_name_is_refused_with_what_is_known(folder, monkeypatch):
    np.savez(folder / "b.npz", X=X)
    np.savez(folder / "a.npz", X=X)
    with pytest.raises(ValueError, match=r"'mnist' is unknown; known here: digits, a, b \(\$LINS"):
        load_dataset("mnist")
    monkeypatch.setenv("LINSSL_DATA", str(folder / "nowhere"))
    with pytest.raises(ValueError, match=r"known here: digits \(\$LINSSL_DATA is .*nowhere"):
        load_dataset("mnist")
    monkeypatch.delenv("LINSSL_DATA")
    with pytest.raises(ValueError, match=r"known here: digits \(\$LINSSL_DATA is not set"):
        load_dataset("mnist")
    with pytest.raises(ValueError, match="name must be a text or a path; got ''"):
        load_dataset("")


@pytest.mark.parametrize("name", ["mine.csv", "folder/mine", "./mine.npz"])
def test_path_without_a_file_is_refused(name):
    with pytest.raises(FileNotFoundError, match=r"no file at .*mine"):
        load_dataset(name)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("part", ["X_train", "X_test"])
def test_numbers_that_are_not_finite_are_refused(folder, bad, part):
    arrays = {"X_train": X.copy(), "X_test": X.copy()}
    arrays[part][1, 0] = bad
    np.savez(folder / "mine.npz", **arrays)
    with pytest.raises(ValueError, match="got 1 NaN or inf, the first at row 1, column 0"):
        load_dataset("mine")


def test_test_set_of_other_features_is_refused(folder):
    np.savez(folder / "mine.npz", X_train=X, X_test=X[:, :1])
    with pytest.raises(ValueError, match="must have equal features; got 2 and 1"):
        load_dataset("mine")


def test_test_set_of_another_scale_is_refused(folder):
    np.savez(folder / "mine.npz", X_train=X.astype(np.uint8), X_test=X)
    with pytest.raises(ValueError, match="both be 8-bit pixels, or neither; got uint8 and float64"):
        load_dataset("mine")


def test_corrupt_file_is_refused(folder):
    (folder / "mine.npz").write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(ValueError, match=r"mine.npz can't be read as .npz"):
        load_dataset("mine")
