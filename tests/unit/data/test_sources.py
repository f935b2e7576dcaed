"""Sources: slices read what was written, and what can't be read is an error that says where."""

import os
import pickle
import shutil
import sys

import h5py
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import zarr
from dask import array as dask_array
from helpers import any_types
from PIL import Image
from safetensors.numpy import save_file
from scipy import sparse

from linssl import diagnose, same_instance
from linssl.data import Source, open_source
from linssl.estimators import JointEmbedding
from linssl.pairs import stream_moments

X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
Y = np.arange(20) % 4
S = sparse.random_array((20, 3), density=0.5, format="csr", rng=np.random.default_rng(1))


def write(path, kind, **arrays):
    """Write named arrays, or the one called X, to a file of a kind."""
    file = path / f"data{kind}"
    if kind == ".npy":
        np.save(file, arrays["X"])
    elif kind == ".npz":
        np.savez(file, **arrays)
    elif kind == ".h5":
        with h5py.File(file, "w") as root:
            for name, values in arrays.items():
                root[name] = values
    elif kind == ".zarr":
        root = zarr.open_group(file, mode="w")
        for name, values in arrays.items():
            root.create_array(name, data=np.asarray(values), chunks=(5, *values.shape[1:]))
    else:
        save_file(arrays, file)
    return file


NAMED = (".npz", ".h5", ".zarr", ".safetensors")


# ---- what is written is what is read


@pytest.mark.parametrize("kind", [".npy", *NAMED])
@pytest.mark.parametrize("values", [X, X.reshape(4, 3, 5), (X * 9).astype(np.uint8)])
def test_slices_read_what_was_written(tmp_path, kind, values):
    source = open_source(write(tmp_path, kind, X=values))
    assert (source.shape, source.dtype, len(source)) == (values.shape, values.dtype, len(values))
    for rows in (slice(None), slice(2, 3), slice(3, 3), slice(-2, None), slice(1, 99), slice(3, 1)):
        got = source[rows]
        assert type(got) is np.ndarray
        np.testing.assert_array_equal(got, values[rows])
        assert got.dtype == values.dtype


@pytest.mark.parametrize("kind", NAMED)
def test_arrays_of_one_value_a_row_are_columns(tmp_path, kind):
    source = open_source(write(tmp_path, kind, emb=X, y=Y, mean=X.mean(0)))
    assert source.columns == ("y",)
    np.testing.assert_array_equal(source.column("y"), Y)
    with pytest.raises(ValueError, match=r"data\.\w+ has no column 'batch'; it has y\."):
        source.column("batch")


@pytest.mark.parametrize("kind", NAMED)
def test_one_of_several_arrays_must_be_named(tmp_path, kind):
    file = write(tmp_path, kind, a=X, b=2 * X)
    with pytest.raises(
        ValueError, match=r"layer= \(--layer\) must name it; got a \(20, 3\), b \(20, 3\)"
    ):
        open_source(file)
    with pytest.raises(ValueError, match=r"has no 'c'; it holds a \(20, 3\), b \(20, 3\)"):
        open_source(file, layer="c")
    np.testing.assert_array_equal(open_source(file, layer="b")[:], 2 * X)
    np.testing.assert_array_equal(open_source(write(tmp_path, kind, X=X, b=2 * X))[:], X)


@pytest.mark.parametrize("kind", [".npy", *NAMED])
def test_a_pickled_source_opens_its_file_again(tmp_path, kind):
    source = open_source(write(tmp_path, kind, X=X))
    stored = pickle.dumps(source)
    assert len(stored) < 3000 + 200 * (kind == ".npz")
    np.testing.assert_array_equal(pickle.loads(stored)[3:7], X[3:7])


@pytest.mark.parametrize("kind", [".npy", *NAMED])
def test_a_relative_path_is_found_from_elsewhere(tmp_path, kind, monkeypatch):
    write(tmp_path, kind, X=X)
    monkeypatch.chdir(tmp_path)
    stored = pickle.dumps(open_source(f"data{kind}"))
    monkeypatch.chdir("/")
    np.testing.assert_array_equal(pickle.loads(stored)[3:7], X[3:7])


def test_groups_of_hdf5_are_searched_and_text_is_read(tmp_path):
    with h5py.File(tmp_path / "data.hdf5", "w") as root:
        root["deep/er/x"] = X
        root["deep/names"] = [f"row {i}" for i in range(20)]
    source = open_source(tmp_path / "data.hdf5")
    assert source.where.endswith("data.hdf5: deep/er/x")
    assert source.column("deep/names")[2] == "row 2"
    np.testing.assert_array_equal(open_source(tmp_path / "data.hdf5", layer="/deep/er/x")[:], X)


def test_a_zarr_array_is_a_store_too(tmp_path):
    zarr.save(tmp_path / "one.zarr", X)
    np.testing.assert_array_equal(open_source(tmp_path / "one.zarr")[4:9], X[4:9])
    with pytest.raises(ValueError, match=r"one\.zarr holds one array: it has no layer 'X'"):
        open_source(tmp_path / "one.zarr", layer="X")


def test_bfloat16_of_safetensors_is_kept(tmp_path):
    values = np.asarray(jnp.asarray(X, jnp.bfloat16))
    source = open_source(write(tmp_path, ".safetensors", X=values))
    assert source.dtype == jnp.bfloat16
    np.testing.assert_array_equal(source[2:5].astype(float), values[2:5].astype(float))


def test_sparse_rows_stay_sparse(tmp_path):
    sparse.save_npz(tmp_path / "sparse.npz", S)
    for source in map(open_source, (S, S.tocsc(), sparse.coo_matrix(S), tmp_path / "sparse.npz")):
        assert isinstance(source[2:9], sparse.csr_array)
        np.testing.assert_array_equal(source[2:9].toarray(), S.toarray()[2:9])
        assert "20 x 3 of sparse float64" in source.describe()


def test_entries_that_come_twice_are_summed_in_a_copy():
    twice = sparse.csr_array((np.ones(3), [1, 1, 0], [0, 2, 3]), (2, 2))
    np.testing.assert_array_equal(open_source(twice)[:].data, [2.0, 1.0])
    assert twice.nnz == 3


class Packed:
    """What looks like a tensor of torch: a type of its own, and numpy by request."""

    dtype = "torch.float32"

    def __init__(self, values):
        self.values, self.shape = values, values.shape

    def __getitem__(self, rows):
        return type(self)(self.values[rows])

    def __dlpack__(self, **options):
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()


class Tensor(Packed):
    def __array__(self, dtype=None, copy=None):
        return self.values


@pytest.mark.parametrize(
    "make",
    [
        np.asarray, jnp.asarray, np.ndarray.tolist, Tensor, Packed, zarr.array,
        lambda x: dask_array.from_array(x, chunks=7), open_source,
    ],
)  # fmt: skip
def test_objects_with_slices_are_sources(make):
    values = X if make is not np.ndarray.tolist else X.astype(float)
    with any_types():
        source = open_source(make(values))
    assert isinstance(source, Source)
    assert (source.shape, source.dtype) == (values.shape, values.dtype)
    np.testing.assert_array_equal(source[5:11], values[5:11])


def test_an_open_data_set_of_hdf5_is_a_source(tmp_path):
    with h5py.File(write(tmp_path, ".h5", X=X)) as root:
        np.testing.assert_array_equal(open_source(root["X"])[5:11], X[5:11])


@pytest.mark.parametrize("take", [open_source, same_instance, diagnose, JointEmbedding().fit])
def test_a_data_set_of_a_closed_file_is_refused(tmp_path, take):
    with h5py.File(write(tmp_path, ".h5", X=X)) as root:
        closed = root["X"]
    with pytest.raises(ValueError, match="data are a data set of an HDF5 file that is closed"):
        take(closed)


@pytest.mark.parametrize("mode", ["r", "r+"])
def test_an_open_data_set_is_pickled_by_its_file_and_place(tmp_path, mode):
    write(tmp_path, ".h5", X=X)
    with h5py.File(tmp_path / "data.h5", mode) as root:
        source = open_source(root["X"])
        pickled = pickle.dumps(source)
    assert (len(pickled) < 2000, source.part) == (True, "X")
    np.testing.assert_array_equal(pickle.loads(pickled)[3:7], X[3:7])


def test_a_data_set_that_no_other_process_can_open_says_why():
    with h5py.File("memory.h5", "w", driver="core", backing_store=False) as root:
        root["X"] = X
        source = open_source(root["X"])
        np.testing.assert_array_equal(source[3:7], X[3:7])
        with pytest.raises(ValueError, match=r"opened by another process: its file is in memory"):
            pickle.dumps(source)
        unnamed = open_source(root.create_dataset(None, data=X))
        with pytest.raises(ValueError, match="by another process: it has no name in its file"):
            pickle.dumps(unnamed)


def test_the_stamp_of_a_folder_tells_of_its_files(tmp_path):
    for name in ("b", "a"):
        image = Image.fromarray(np.full((2, 2), 9, np.uint8))
        image.save(tmp_path / f"{name}.png")
    source = open_source(tmp_path)
    stamp = source.stamp
    assert stamp == open_source(tmp_path).stamp
    (tmp_path / "b.png").rename(tmp_path / "c.png")  # the same bytes and times
    assert (source.stamp[:2], source.stamp[2] == stamp[2]) == (stamp[:2], False)


def test_a_map_is_pickled_by_its_file_and_a_view_of_it_by_value(tmp_path):
    map_ = np.memmap(tmp_path / "raw.bin", np.float32, "w+", shape=(1000, 3))
    map_[:20] = X
    whole, view = open_source(map_), open_source(map_[10:20])
    assert len(pickle.dumps(whole)) < 2000
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(whole))[:20], X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(view))[:], X[10:])


def test_npy_files_are_mapped_and_not_held(tmp_path):
    with open(tmp_path / "large.npy", "wb") as stream:  # 40 GB by its header, and a hole
        header = {"descr": "<f4", "fortran_order": False, "shape": (10**7, 1000)}
        np.lib.format.write_array_header_1_0(stream, header)
        stream.truncate(stream.tell() + 4 * 10**10)
    assert open_source(tmp_path / "large.npy")[10**7 - 2 :].shape == (2, 1000)


# ---- what can't be read says where


@pytest.mark.parametrize("kind", [".npy", ".npz", ".h5", ".safetensors"])
@pytest.mark.parametrize("share", [0.5, 0.98])
def test_files_that_are_cut_off_are_refused(tmp_path, kind, share):
    words = r"claims an array of \(900, 10\).* cut off" if kind == ".npy" else "can't be read as"
    file = write(tmp_path, kind, X=np.arange(9000.0).reshape(900, 10))
    os.truncate(file, int(share * file.stat().st_size))
    with pytest.raises(ValueError, match=rf"data\{kind} {words}"):
        open_source(file)


@pytest.mark.parametrize("kind", [".npy", *NAMED])
@pytest.mark.parametrize(
    ("values", "match"),
    [
        (np.zeros((0, 3)), r"at least one row and one feature; got \(0, 3\)"),
        (np.zeros((3, 0)), r"at least one row and one feature; got \(3, 0\)"),
        (np.zeros(3), r"data\.\w+.* must (be|hold one array of rows) \(n, \.\.\.\)"),
        (np.ones((3, 2), np.complex64), r"must hold real numbers; got \(3, 2\) of complex64"),
    ],
)
def test_what_is_no_rows_of_numbers_is_refused(tmp_path, kind, values, match):
    if kind == ".zarr" and not values.size:
        zarr.open_group(tmp_path / "data.zarr", mode="w").create_array(
            "X", shape=values.shape, dtype=values.dtype, chunks=(1, 1)
        )
        file = tmp_path / "data.zarr"
    else:
        file = write(tmp_path, kind, X=values)
    with pytest.raises(ValueError, match=match):
        open_source(file)


def test_pickled_objects_are_refused(tmp_path):
    np.save(tmp_path / "data.npy", np.array([[{}]]), allow_pickle=True)
    with pytest.raises(ValueError, match=r"data\.npy can't be read as \.npy: .*Python objects"):
        open_source(tmp_path / "data.npy")
    np.savez(tmp_path / "data.npz", X=np.array([[{}]]))
    with pytest.raises(ValueError, match=r"data\.npz: X holds Python objects, pickled"):
        open_source(tmp_path / "data.npz")
    with pytest.raises(ValueError, match=r"must hold real numbers; got \(1, 1\) of object"):
        open_source(np.array([[{}]]))


@pytest.mark.parametrize("suffix", [".h5", ".h5ad"])
def test_what_was_half_written_is_not_taken_for_done(tmp_path, suffix):
    file = tmp_path / f"data{suffix}"
    with h5py.File(file, "w") as root:
        data = root.create_dataset("X", (1000, 3), np.float32, chunks=(100, 3))
        data[:250] = 1
    with pytest.raises(ValueError, match=r"X: 7 of 10 chunks were never written.*read as 0\.0"):
        open_source(file)
    with h5py.File(file, "r+") as root:
        assert open_source(root["X"]).shape == (1000, 3)
        root["X"][250:] = 2
    assert open_source(file)[240:260].sum() == 3 * 30
    with h5py.File(file, "w") as root:
        root.create_dataset("X", (1000, 3), np.float32)
    with pytest.raises(ValueError, match=r"X: 1 of 1 chunks were never written"):
        open_source(file)


@pytest.mark.parametrize("name", ["X", "embeddings", None])
def test_a_zarr_that_was_half_written_is_not_taken_for_done(tmp_path, name):
    file = tmp_path / "data.zarr"
    data = zarr.create_array(file, name=name, shape=(1000, 3), chunks=(100, 3), dtype="f4")
    data[:250] = 1
    match = (
        r"data\.zarr.*: 7 of 10 chunks were never written.*read as 0\.0.*write_empty_chunks=True"
    )
    with pytest.raises(ValueError, match=match):
        open_source(file)
    assert open_source(data).shape == (1000, 3)
    data.with_config({"write_empty_chunks": True})[250:] = 0
    assert open_source(file)[240:260].sum() == 3 * 10


def test_a_sparse_zarr_that_was_half_written_is_not_taken_for_done(tmp_path):
    file, S = tmp_path / "data.zarr", sparse.csr_array(np.tril(np.ones((40, 1))))
    node = zarr.create_group(file).create_group("X", attributes={
        "encoding-type": "csr_matrix", "shape": [40, 1]})  # fmt: skip
    for part in ("data", "indices", "indptr"):
        values = getattr(S, part)
        node.create_array(part, shape=values.shape, chunks=(10,), dtype=values.dtype)[:] = values
    assert open_source(file, layer="X")[:].sum() == 40  # of indices that all are 0
    node["data"][10:20] = 0
    with pytest.raises(ValueError, match=r"X: data: 1 of 4 chunks were never written"):
        open_source(file, layer="X")


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".pkl"])
def test_pickles_are_refused_with_what_converts_them(tmp_path, suffix):
    file = tmp_path / f"codes{suffix}"
    file.touch()
    with pytest.raises(ValueError, match=r"is a pickle, .*numpy\.save\('codes\.npy', torch\.load"):
        open_source(file)


def test_unknown_kinds_are_refused(tmp_path):
    (tmp_path / "data.mat").touch()
    with pytest.raises(ValueError, match=r"data\.mat must end in one of \.npy, .*; got '\.mat'"):
        open_source(tmp_path / "data.mat")
    with pytest.raises(FileNotFoundError, match=r"no file at .*data\.npy; pass a path"):
        open_source(tmp_path / "data.npy")
    for wrong in (None, {1.0}, {"X": X}):
        with any_types(), pytest.raises(ValueError, match=r"data .* must be a path, or an array"):
            open_source(wrong)
    with any_types(), pytest.raises(ValueError, match=r"must be \(n, \.\.\.\)"):
        open_source(3)


def test_a_folder_that_is_no_store_is_refused(tmp_path):
    (tmp_path / "data.zarr").mkdir()
    with pytest.raises(ValueError, match=r"data\.zarr can't be read as \.zarr: "):
        open_source(tmp_path / "data.zarr")


def test_arrays_inside_of_a_trace_are_refused():
    with any_types(), pytest.raises(ValueError, match=r"must be concrete, outside of a trace"):
        jax.jit(lambda x: open_source(x)[:])(X)


def test_layers_and_columns_are_refused_where_there_are_none(tmp_path):
    file = write(tmp_path, ".npy", X=X)
    with pytest.raises(ValueError, match=r"data\.npy holds one array: layer must be None; got 'a'"):
        open_source(file, layer="a")
    with pytest.raises(ValueError, match=r"data\.npy is no table: columns must be \(\); got"):
        open_source(file, columns=["a"])
    with pytest.raises(ValueError, match=r"data holds one array: layer must be None"):
        open_source(X, layer="a")
    with pytest.raises(ValueError, match=r"columns must be several names; got 'a'"):
        open_source(X, columns="a")


@pytest.mark.parametrize(
    ("module", "kind"),
    [("h5py", ".h5"), ("h5py", ".h5ad"), ("zarr", ".zarr"), ("safetensors", ".safetensors")],
)
def test_what_is_missing_says_what_installs_it(tmp_path, monkeypatch, module, kind):
    (tmp_path / f"data{kind}").touch()
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf"{module} is missing: pip install 'linssl\[data\]'"):
        open_source(tmp_path / f"data{kind}")


@pytest.mark.parametrize("kind", [".npy", *NAMED])
def test_a_file_that_changes_is_no_longer_the_source(tmp_path, kind):
    source = open_source(write(tmp_path, kind, X=X))
    stored = pickle.dumps(source)
    (tmp_path / "new").mkdir()
    new = write(tmp_path / "new", kind, X=X[:, :2])
    if kind == ".zarr":
        shutil.rmtree(tmp_path / "data.zarr")
    os.replace(new, tmp_path / f"data{kind}")
    with pytest.raises(ValueError, match=r"(has changed since it was|as promised when)"):
        source[0:2]
    with pytest.raises(ValueError, match=r"it was \(20, 3\) of float32, and is \(20, 2\)"):
        pickle.loads(stored)[0:2]


@pytest.mark.parametrize("kind", [".npy", ".npz", ".h5", ".safetensors"])
def test_a_file_that_is_gone_is_said(tmp_path, kind):
    source = open_source(write(tmp_path, kind, X=X))
    os.remove(tmp_path / f"data{kind}")
    with pytest.raises(FileNotFoundError, match=rf"no file at .*data\{kind}: it was moved"):
        source[0:2]


class Fickle:
    """Rows that aren't what they were from row 10 on."""

    shape, dtype = X.shape, X.dtype

    def __init__(self, change):
        self.change = change

    def __getitem__(self, rows):
        return self.change(X[rows]) if rows.start >= 10 else X[rows]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda x: x[:, :2], r"rows 10 to 15 must be \(5, 3\) of float32.*; got \(5, 2\)"),
        (lambda x: x[:4], r"rows 10 to 15 must be \(5, 3\) of float32.*; got \(4, 3\)"),
        (lambda x: x.astype(float), r"rows 10 to 15 must be .*; got \(5, 3\) of float64"),
        (lambda x: np.ma.array(x, mask=x > 0), r"rows 10 to 15 can't be read: .*no masked entries"),
        (lambda x: 1 / 0, r"rows 10 to 15 can't be read: division by zero"),
        (lambda x: None, r"rows 10 to 15 can't be read: rows must be an array"),
    ],
)
def test_rows_that_change_while_they_are_read_are_refused(change, match):
    source = open_source(Fickle(change))
    np.testing.assert_array_equal(source[5:10], X[5:10])
    with pytest.raises(ValueError, match=match):
        source[10:15]


@pytest.mark.parametrize("rows", [3, [1, 2], slice(0, 9, 2), slice(9, 0, -1)])
def test_rows_are_read_by_slices_alone(rows):
    with any_types(), pytest.raises(ValueError, match=r"are read by slices, source\[a:b\]; got"):
        open_source(X)[rows]


@pytest.mark.parametrize(
    ("parts", "match"),
    [
        (([1.0, 2.0], [0, 5], [0, 1, 2]), r"csr_array\) is damaged: .*indices"),
        (([1.0, 2.0], [0, -1], [0, 1, 2]), r"csr_array\) is damaged: .*indices"),
        (([1.0, 2.0], [0, 1], [0, 3, 2]), r"csr_array\) is damaged: .*indptr"),
    ],
)
def test_sparse_rows_that_are_damaged_are_refused(parts, match):
    damaged = sparse.csr_array((2, 3))
    damaged.data, damaged.indices, damaged.indptr = map(np.array, parts)
    with pytest.raises(ValueError, match=match):
        open_source(damaged)
    for average in (same_instance, stream_moments):  # scipy would read, and write, other memory
        for form in (damaged, sparse.csr_matrix(damaged), damaged.T):
            with pytest.raises(ValueError, match=r"(data|source) is damaged: ind"):
                average(form)


def test_masked_rows_and_unknown_lengths_are_refused():
    with pytest.raises(ValueError, match="data must have no masked entries"):
        open_source(np.ma.array(X, mask=X > 0))
    lazy = dask_array.from_array(X, chunks=7)
    with pytest.raises(ValueError, match=r"known number of rows; got .*compute_chunk_sizes"):
        open_source(lazy[lazy[:, 0] > 0])


def test_a_tensor_that_numpy_can_not_have_says_what_to_do():
    class OnDevice(Tensor):
        detach = None

        def __array__(self, dtype=None, copy=None):
            raise TypeError("can't convert cuda:0 device type tensor to numpy")

    with any_types(), pytest.raises(ValueError, match=r"cuda:0 .*\.detach\(\)\.cpu\(\) does"):
        open_source(OnDevice(X))
