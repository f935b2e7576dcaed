"""Annotated matrices: both layouts of .h5ad, .zarr and AnnData hold the same, by one reader."""

import pickle
import warnings
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from scipy import sparse

from linssl.data import open_source
from linssl.data.sources import sparse_rows

N, D = 12, 5
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, D)).astype(np.float32)
RAW = sparse.random_array((N, D + 2), density=0.4, format="csr", dtype=np.float32, rng=RNG)
BATCH = np.array(["b", "a", "c"])[np.arange(N) % 3]
GENES = [f"g{i}" for i in range(D + 2)]


def today(**more):
    """Return an AnnData; text is of Python's type, as anndata knows no other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import anndata
        import pandas as pd

        def text(values):
            return pd.Index(list(values), dtype=object)

        codes = {"codes": [1, 0, 2] * 4, "categories": text("abc")}
        obs = {"batch": pd.Categorical.from_codes(**codes), "score": np.arange(N) / 8}
        obs["whole"] = pd.array(range(N), "Int64")
        obs["flag"] = pd.array([True, False] * 6, "boolean")
        obs["gap"] = pd.array([None, *range(1, N)], "Int64")
        obs["text"] = text("uvwxyz" * 2)
        obs["unknown"] = pd.Categorical.from_codes([-1, 0, 1] * 4, categories=text("uv"))
        index = text(f"cell {i}" for i in range(N))
        data = anndata.AnnData(RAW, pd.DataFrame(obs, index=index), pd.DataFrame(index=text(GENES)))
        raw, data = data, data[:, :D].copy()
        data.raw, data.X = raw, X
        data.layers["counts"] = raw.X[:, :D]
        data.layers["by column"] = raw.X[:, :D].tocsc()
        data.obsm["X_pca"] = X[:, :2]
        data.layers.update(more)
        return data


def written(path, data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write = data.write_zarr if path.suffix == ".zarr" else data.write_h5ad
        write(path, convert_strings_to_categoricals=False)
    return path


def old(path):
    """Write the layout of 2018: tables of compound type, and categories beside them."""
    obs = np.zeros(N, [("index", "S8"), ("batch", "i1"), ("score", "<f8"), ("text", "S1")])
    obs["batch"], obs["score"], obs["text"] = [1, 0, 2] * 4, np.arange(N) / 8, list("uvwxyz" * 2)
    with h5py.File(path, "w") as root:
        root["X"], root["obs"] = X, obs
        root["var"] = np.array(
            [(g.encode(), 0.5) for g in GENES[:D]], [("index", "S4"), ("m", "f4")]
        )
        root["raw.var"] = np.array([(g.encode(),) for g in GENES], [("index", "S4")])
        root["uns/batch_categories"] = np.array([b"a", b"b", b"c"])
        root["obsm"] = np.array([(row,) for row in X[:, :2]], [("X_pca", "<f4", (2,))])
        for name, matrix in {"raw.X": RAW, "layers/counts": RAW[:, :D]}.items():
            group = root.create_group(name)
            group.attrs["h5sparse_format"] = "csr"
            group.attrs["h5sparse_shape"] = matrix.shape
            for part in sparse_rows.PARTS:
                group[part] = getattr(matrix, part)
    return path


@pytest.fixture(scope="module", params=["old .h5ad", ".h5ad", ".zarr", "AnnData"])
def data(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("annotated")
    if request.param == "AnnData":
        return today()
    if request.param == "old .h5ad":
        return old(path / "old.h5ad")
    return written(path / f"data{request.param}", today())


def dense(block):
    return block.toarray() if sparse.issparse(block) else block


@pytest.mark.parametrize(
    ("layer", "want", "names"),
    [
        (None, X, GENES[:D]),
        ("X", X, GENES[:D]),
        ("raw", RAW, GENES),
        ("counts", RAW[:, :D], GENES[:D]),
        ("layers/counts", RAW[:, :D], GENES[:D]),
        ("obsm/X_pca", X[:, :2], None),
    ],
)
def test_every_layer_is_rows_with_its_names(data, layer, want, names):
    source = open_source(data, layer=layer)
    assert source.names == (names if names is None else tuple(names))
    assert (source.shape, source.dtype) == (want.shape, np.float32)
    for rows in (slice(0, N), slice(4, 9), slice(11, 12), slice(2, 2)):
        assert sparse.issparse(source[rows]) == sparse.issparse(want)
        np.testing.assert_array_equal(dense(source[rows]), dense(want)[rows])
    again = pickle.loads(pickle.dumps(source))
    np.testing.assert_array_equal(dense(again[3:7]), dense(want)[3:7])
    np.testing.assert_array_equal(again.column("batch"), BATCH)


def test_columns_tell_of_the_rows(data):
    source = open_source(data)
    want = {"batch": BATCH, "score": np.arange(N) / 8, "text": np.array(list("uvwxyz" * 2))}
    if "whole" in source.columns:
        want |= {"whole": np.arange(N), "flag": np.arange(N) % 2 == 0}
    for name, values in want.items():
        got = source.column(name)
        np.testing.assert_array_equal(got, values)
        assert got.dtype.kind == values.dtype.kind
    assert "X: 12 x 5 of float32; features g0, g1, g2, g3, g4; columns batch" in source.describe()


def test_what_is_not_there_is_named_with_what_is(data):
    with pytest.raises(ValueError, match=r"has no layer 'nope'; layer= may be X, raw/X, .*obsm/X"):
        open_source(data, layer="nope")
    with pytest.raises(ValueError, match=r"has no column 'donor'; it has .*batch.*score"):
        open_source(data).column("donor")


@pytest.mark.parametrize("kind", [".h5ad", ".zarr", None])
def test_missing_labels_are_refused(tmp_path, kind):
    source = open_source(today() if kind is None else written(tmp_path / f"d{kind}", today()))
    for name, count in {"gap": 1, "unknown": 4}.items():
        with pytest.raises(
            ValueError, match=rf"column '{name}' must be .*not missing; got {count} .*at row 0"
        ):
            source.column(name)


@pytest.mark.parametrize("kind", [".h5ad", ".zarr"])
def test_columns_of_a_matrix_are_turned_once(tmp_path, kind, monkeypatch):
    file = written(tmp_path / f"data{kind}", today())
    source = open_source(file, layer="by column")
    np.testing.assert_array_equal(source[3:8].toarray(), RAW.toarray()[3:8, :D])
    assert "stored by columns (csc): held in memory by rows, " in source.describe()
    monkeypatch.setattr(sparse_rows, "MOST_BYTES", 100)
    with pytest.raises(
        ValueError, match=r"layers/by column is stored by columns \(csc\).*tocsr\(\)"
    ):
        open_source(file, layer="by column")


def test_two_layers_of_one_name_must_be_told_apart(tmp_path):
    data = today(raw=2 * X)
    for source in (data, written(tmp_path / "data.h5ad", data)):
        with pytest.raises(ValueError, match=r"two layers 'raw': .*\['raw/X', 'layers/raw'\]"):
            open_source(source, layer="raw")
        np.testing.assert_array_equal(open_source(source, layer="layers/raw")[:], 2 * X)
        assert open_source(source, layer="raw/X").shape == RAW.shape


def test_what_holds_no_rows_at_all_is_refused():
    with pytest.raises(ValueError, match="data holds no rows: no X, no raw, no layers and no obsm"):
        open_source(SimpleNamespace(X=None, obs=None, var=None, layers={}, obsm={}))


def test_a_file_without_x_has_its_layers(tmp_path):
    data = today()
    data.X = None
    for source in (data, written(tmp_path / "data.h5ad", data)):
        with pytest.raises(ValueError, match=r"has no layer 'X'; layer= may be raw/X, layers/"):
            open_source(source)
        assert open_source(source, layer="counts").shape == (N, D)


def test_categories_of_the_layout_between(tmp_path):
    """Of anndata 0.7: codes whose attribute refers to their categories."""
    with h5py.File(tmp_path / "data.h5ad", "w") as root:
        root["X"] = X
        root["obs/batch"] = np.array([1, 0, 2] * 4, np.int8)
        root["obs/__categories/batch"] = np.array(["a", "b", "c"], object)
        root["obs/batch"].attrs["categories"] = root["obs/__categories/batch"].ref
    source = open_source(tmp_path / "data.h5ad")
    assert (source.names, source.columns) == (None, ("batch",))
    np.testing.assert_array_equal(source.column("batch"), BATCH)


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_matrix, np.asarray])
def test_a_matrix_that_anndata_left_in_its_file_is_read(tmp_path, form):
    data, want = today(), RAW.toarray()[:, :D]
    data.X = form(want)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import anndata

        backed = anndata.read_h5ad(written(tmp_path / "data.h5ad", data), backed="r")
        for source in (open_source(backed), open_source(backed.X)):
            got = source[3:9]
            np.testing.assert_array_equal(got.toarray() if sparse.issparse(got) else got, want[3:9])


def test_text_with_a_mask_is_read(tmp_path):
    with h5py.File(tmp_path / "data.h5ad", "w") as root:
        root["X"] = X
        root["obs/batch/values"] = BATCH.astype(object)
        root["obs/batch/mask"] = np.zeros(N, bool)
    np.testing.assert_array_equal(open_source(tmp_path / "data.h5ad").column("batch"), BATCH)


@pytest.mark.parametrize("kind", ["csr", "csc"])
@pytest.mark.parametrize("numbers", [">f4", ">f8", "<f2", "i2", "?"])
def test_numbers_of_any_type_and_order_are_read(tmp_path, kind, numbers):
    matrix = (9 * RAW).asformat(kind)
    with h5py.File(tmp_path / "data.h5ad", "w") as root:
        group = root.create_group("X")
        group.attrs.update({"encoding-type": f"{kind}_matrix", "shape": RAW.shape})
        for part, dtype in zip(sparse_rows.PARTS, (numbers, ">i4", ">i8"), strict=True):
            group[part] = getattr(matrix, part).astype(dtype)
    block = open_source(tmp_path / "data.h5ad")[2:9]
    want = np.where(RAW.toarray() != 0, (9 * RAW).toarray().astype(numbers), 0)
    np.testing.assert_array_equal(block.toarray(), want[2:9])


# ---- damage


def damaged(tmp_path, change):
    file = written(tmp_path / "data.h5ad", today())
    with h5py.File(file, "r+") as root:
        change(root)
    return file


def replace(root, name, values):
    attrs = dict(root[name].attrs)
    del root[name]
    root[name] = values
    root[name].attrs.update(attrs)


def put(root, name, at, value):
    root[name][at] = value


COUNTS = RAW[:, :D].tocsr()
MATRICES = {
    "short indptr": (
        lambda root: replace(root, "layers/counts/indptr", COUNTS.indptr[:-1]),
        r"layers/counts: indptr must be 13 whole numbers, one more than its rows; got \(12,\)",
    ),
    "indptr that ends early": (
        lambda root: put(root, "layers/counts/indptr", -1, COUNTS.nnz - 1),
        rf"indptr must (not fall|go from 0 to the {COUNTS.nnz} numbers of data)",
    ),
    "indptr that falls": (
        lambda root: put(root, "layers/counts/indptr", 4, 99),
        r"layers/counts: indptr must not fall; it does at row 4",
    ),
    "data of another length": (
        lambda root: replace(root, "layers/counts/data", COUNTS.data[:-2]),
        rf"data and indices must be of one length; got \({COUNTS.nnz - 2},\) and",
    ),
    "half of the data": (
        lambda root: (
            root.__delitem__("layers/counts/data"),
            root["layers/counts"].create_dataset("data", (COUNTS.nnz,), "f4", chunks=(5,)),
            put(root, "layers/counts/data", slice(0, 10), 1.0),
        ),
        r"layers/counts: data: \d of \d chunks were never written, and would read as 0\.0",
    ),
    "indices that are fractions": (
        lambda root: replace(root, "layers/counts/indices", COUNTS.indices / 2),
        r"layers/counts: indices must be whole numbers; got float64",
    ),
    "lost indices": (
        lambda root: root.__delitem__("layers/counts/indices"),
        r"must hold data, indices and indptr of a sparse matrix; indices is missing",
    ),
    "no shape": (
        lambda root: root["layers/counts"].attrs.__delitem__("shape"),
        r"layers/counts must say whether it is csr or csc, and its shape",
    ),
    "names of other features": (
        lambda root: replace(root, "var/_index", np.array(GENES[:3], object)),
        r"layers/counts must have a name for each of its 5 features; got 3 names",
    ),
    "a table": (
        lambda root: (root.__delitem__("layers/counts"), root.copy("obs", "layers/counts")),
        r"layers/counts must be an array, or a csr or csc matrix; got a dataframe of \['_index",
    ),
}


@pytest.mark.parametrize(("change", "match"), MATRICES.values(), ids=MATRICES)
def test_a_damaged_matrix_says_how(tmp_path, change, match):
    with pytest.raises(ValueError, match=rf"data\.h5ad.*{match}"):
        open_source(damaged(tmp_path, change), layer="counts")


@pytest.mark.parametrize("wrong", [D, -1])
def test_a_wrong_index_says_in_which_row(tmp_path, wrong):
    row = 7
    at = COUNTS.indptr[row + 1] - 1
    assert COUNTS.indptr[row] <= at
    file = damaged(tmp_path, lambda root: put(root, "layers/counts/indices", at, wrong))
    source = open_source(file, layer="counts")
    assert source[0:row].shape == (row, D)
    with pytest.raises(
        ValueError, match=rf"data\.h5ad: layers/counts: row 7: indices must .* 0 to 4; got {wrong}"
    ):
        source[5:9]


def test_a_wrong_index_of_a_column_says_in_which(tmp_path):
    file = damaged(tmp_path, lambda root: put(root, "layers/by column/indices", 0, N))
    with pytest.raises(ValueError, match=r"by column: column 0: indices must lie in 0 to 11"):
        open_source(file, layer="by column")


COLUMNS = {
    "no codes": (
        lambda root: root.__delitem__("obs/batch/codes"),
        r"obs/batch must hold codes and categories; codes is missing\. It holds \['categories'\]",
    ),
    "no categories": (
        lambda root: root.__delitem__("obs/batch/categories"),
        r"obs/batch must hold codes and categories; categories is missing",
    ),
    "codes out of range": (
        lambda root: put(root, "obs/batch/codes", 4, 3),
        r"obs/batch must have codes from 0 to 2, of its 3 .*got 1 others, the first 3 at row 4",
    ),
    "codes of another length": (
        lambda root: replace(root, "obs/batch/codes", np.zeros(3, np.int8)),
        r"column 'batch' must be \(12,\), one a row; got \(3,\)",
    ),
    "codes that are fractions": (
        lambda root: replace(root, "obs/batch/codes", np.zeros(N)),
        r"obs/batch must have codes \(n,\) of whole numbers; got \(12,\) of float64",
    ),
    "an unknown encoding": (
        lambda root: (root.__delitem__("obs/batch"), root.create_group("obs/batch")),
        r"obs/batch must hold values and mask; values and mask are missing",
    ),
}


@pytest.mark.parametrize(("change", "match"), COLUMNS.values(), ids=COLUMNS)
def test_a_damaged_column_says_how(tmp_path, change, match):
    source = open_source(damaged(tmp_path, change))
    assert source[:].shape == (N, D)
    with pytest.raises(ValueError, match=rf"data\.h5ad: {match}"):
        source.column("batch")


def test_old_codes_out_of_range_say_where(tmp_path):
    with h5py.File(old(tmp_path / "old.h5ad"), "r+") as root:
        replace(root, "uns/batch_categories", np.array([b"a", b"b"]))
    with pytest.raises(ValueError, match=r"obs/batch must have codes .*got 4 .*first 2 at row 2"):
        open_source(tmp_path / "old.h5ad").column("batch")
