"""What holds the data makes no difference, and what isn't in them is said."""

import cells
import numpy as np
import pytest
from scipy import sparse

import linssl
from linssl.data.preparation import Preparation
from linssl.data.sources import open_source
from linssl.diagnosis import opened
from linssl.diagnosis.opened import open_data

NAMED = {"labels": "kind", "groups": "donor", "batch": ["plate"]}
FILES = ("csv", "parquet", "npz", "h5", "h5ad")


def same(found, names):
    np.testing.assert_allclose(found.rows.doubles(np.arange(cells.N)), cells.COUNTS, rtol=1e-6)
    np.testing.assert_array_equal(found.labels, cells.KIND)
    np.testing.assert_array_equal(found.groups, cells.DONOR)
    np.testing.assert_array_equal(found.batches["plate"], cells.PLATE)
    assert found.names == names


@pytest.mark.parametrize("kind", FILES)
def test_files_of_every_kind_are_the_same_data(kind, tmp_path):
    path = cells.write(kind, tmp_path)
    names = cells.GENES if kind in ("csv", "parquet", "h5ad") else None
    for data in (path, str(path)):
        found = open_data(data, **NAMED)
        same(found, names)
        assert found.called == "kind"
        assert found.notes == ()


def test_objects_of_every_kind_are_the_same_data(tmp_path):
    for data in (cells.table(), cells.annotated(), open_source(cells.annotated())):
        same(open_data(data, **NAMED), cells.GENES)
    np.save(tmp_path / "x.npy", cells.COUNTS)
    arrays = {"labels": cells.KIND, "groups": cells.DONOR, "batch": {"plate": cells.PLATE}}
    for data in (
        cells.COUNTS,
        cells.COUNTS.tolist(),
        np.load(tmp_path / "x.npy", mmap_mode="r"),
        sparse.csr_matrix(cells.COUNTS),
        sparse.csc_array(cells.COUNTS),
        pytest.importorskip("dask.array").from_array(cells.COUNTS, chunks=(64, 6)),
    ):
        same(open_data(data, **arrays), None)


def test_what_is_asked_for_may_lie_in_a_file_or_be_nothing(tmp_path):
    np.save(tmp_path / "plate.npy", cells.PLATE)
    path = str(tmp_path / "plate.npy")
    found = open_data(cells.annotated(), batch={"plate": path}, labels="none", groups="none")
    np.testing.assert_array_equal(found.batches["plate"], cells.PLATE)
    assert found.labels is None
    assert found.groups is None
    both = open_data(cells.annotated(), batch=["plate", "donor"])
    assert list(both.batches) == ["plate", "donor"]
    lone = open_data(cells.COUNTS, batch=cells.PLATE.tolist())  # of text, as names of columns are
    assert list(lone.batches) == ["batch"]


def test_labels_and_groups_of_the_data_are_taken_unasked(tmp_path):
    table = cells.table().drop(columns=["plate", "donor"]).rename(columns={"kind": "y"})
    np.testing.assert_array_equal(open_data(table).labels, cells.KIND)
    held = {"X_train": cells.COUNTS, "y_train": cells.KIND, "groups": cells.DONOR}
    np.savez(tmp_path / "a.npz", **held, X_test=cells.COUNTS[:3], y_test=cells.KIND[:3])
    found = open_data(tmp_path / "a.npz")
    np.testing.assert_array_equal(found.labels, cells.KIND)
    np.testing.assert_array_equal(found.groups, cells.DONOR)
    assert open_data("digits").labels.shape == (1347,)


def test_rows_are_drawn_from_what_memory_does_not_hold(monkeypatch):
    monkeypatch.setattr(opened, "IN_MEMORY", 8 * 6 * 100)
    monkeypatch.setattr(opened, "AT_ONCE", 6 * 64)
    found, again = (open_data(cells.annotated(), **NAMED, seed=3) for _ in range(2))
    rows = np.sort(np.random.default_rng(3).choice(cells.N, 100, replace=False))
    assert sparse.issparse(found.rows.values)  # until a fold is read
    np.testing.assert_array_equal(found.rows.values.toarray(), cells.COUNTS[rows])
    np.testing.assert_array_equal(found.labels, cells.KIND[rows])
    np.testing.assert_array_equal(found.batches["plate"], again.batches["plate"])
    assert found.notes[0].startswith("100 of 400 rows were read, drawn at random (--seed)")
    dense = open_data(cells.annotated(), dense=True, seed=3).rows.values
    np.testing.assert_array_equal(dense, cells.COUNTS[rows])
    with pytest.raises(
        ValueError, match=r"labels must be \(400,\), one for each row; got \(100,\)"
    ):
        open_data(cells.annotated(), cells.KIND[:100])
    assert open_data(cells.COUNTS).notes == ()  # in memory as it is


def test_a_gene_that_comes_twice_is_told_by_its_column():
    data = cells.annotated()
    data.var_names = ["a", "b", "a", "c", "d", "e"]
    assert open_data(data).names == ("a (column 0)", "b", "a (column 2)", "c", "d", "e")


@pytest.mark.parametrize("kind", FILES)
def test_a_column_that_is_not_there_is_told_with_those_that_are(kind, tmp_path):
    path = cells.write(kind, tmp_path)
    message = r"has no column 'sex'; it has .*'plate'"
    if kind in ("npz", "h5", "h5ad"):
        message = r"batch must be a column of the data \(.*plate.*\), a file .*; got 'sex'"
    with pytest.raises(ValueError, match=message):
        linssl.diagnose(path, batch="sex")


def gaps(values):
    return np.where(values == "p", None, values)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch": np.zeros(400)}, "batch must name two batches at least; all 400 rows are of 0"),
        ({"batch": gaps(cells.PLATE)}, "batch must be finite and not missing; got "),
        ({"batch": {"plate": gaps(cells.PLATE)}}, "batch 'plate' must be finite and not missing"),
        ({"batch": np.ma.array(np.arange(400) % 2, mask=True)}, "batch must have no masked"),
        ({"batch": cells.PLATE[:9]}, r"batch must be \(400,\), one for each instance; got \(9,\)"),
        ({"batch": {"of": cells.PLATE[:9]}}, r"batch 'of' must be \(400,\), .* got \(9,\)"),
        ({"batch": np.arange(400) // 2}, "batch must name few batches beside the rows, .* got 200"),
        ({"batch": cells.COUNTS[:, 0]}, "batch must be class names; got the fraction"),
        ({"batch": ["a", "a"]}, "batch must name each column once; got 'a' twice"),
        ({"batch": "plate"}, r"batch must be a column of the data \(they have none\), a file"),
        ({"batch": "of.npy"}, r"no file at of\.npy"),
        ({"batch": np.unique(cells.KIND, return_inverse=True)[1]}, "must be other than labels"),
        ({"layer": "raw"}, "data are one array: layer must be None; got 'raw'"),
        ({"groups": "donor"}, r"groups must be a column of the data \(they have none\)"),
    ],
)
def test_what_are_no_batches_is_refused(options, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        linssl.diagnose(cells.COUNTS, cells.KIND, **options)


def test_numbers_that_are_missing_are_told_by_the_names_of_their_columns():
    table = cells.table()
    table.loc[7, "gene 3"] = np.nan
    with pytest.raises(ValueError, match=r"in 1 of 6 columns, 1 of 400 rows: gene 3\. Type --imp"):
        linssl.diagnose(table, "kind", batch="plate", groups="donor")
    few = sparse.csr_matrix(cells.COUNTS[:20])
    with pytest.raises(ValueError, match="data must have at least 32 samples, for errors; got 20"):
        linssl.diagnose(few)


def test_text_among_features_is_encoded_and_told():
    found = open_data(cells.table(), "kind", groups="donor")
    assert found.names == (*cells.GENES, "plate=p", "plate=q", "plate=r", "plate=s")
    np.testing.assert_array_equal(
        found.rows.values[:, 6:].argmax(1), np.unique(cells.PLATE, return_inverse=True)[1]
    )
    assert found.rows.dtype == np.float32
    assert found.notes[0].startswith("Text became one feature for each level: plate (4). If it")
    with pytest.raises(ValueError, match=r"\(--labels 'class', .*\(--drop 'class'\)"):
        linssl.diagnose(cells.table().rename(columns={"kind": "class"}))


def test_a_nuisance_is_read_as_labels_are(tmp_path):
    np.save(tmp_path / "plate.npy", cells.PLATE)
    for data in (cells.table(), cells.annotated()):
        found = open_data(data, "kind", "donor", nuisance="plate")
        np.testing.assert_array_equal(found.nuisance, cells.PLATE)
        assert found.names == cells.GENES
    found = open_data(cells.COUNTS, nuisance=str(tmp_path / "plate.npy"))
    np.testing.assert_array_equal(found.nuisance, cells.PLATE)


def test_what_is_dropped_is_left_out_before_anything_looks_at_it():
    table = cells.table().assign(id=range(cells.N), when="2024-01-02")
    drop = Preparation(("id", "when", "donor", "plate", "gene 1"))
    found = open_data(table, "kind", preparation=drop)
    assert found.names == tuple(name for name in cells.GENES if name != "gene 1")
    assert found.notes == ()
    dropped = open_data(cells.annotated(), "kind", preparation=Preparation(("gene 1",)))
    assert dropped.names == found.names
    np.testing.assert_array_equal(dropped.rows.values.toarray(), found.rows.values)
    with pytest.raises(ValueError, match="no column 'gene 9' to drop; it has gene 0, "):
        open_data(cells.annotated(), preparation=Preparation(("gene 9",)))
    with pytest.raises(ValueError, match="has no names of columns, and drop names 'a'"):
        linssl.diagnose(cells.COUNTS, drop="a")


def test_a_name_of_no_data_set_is_told():
    with pytest.raises(ValueError, match="data set 'nowhere' is unknown; known here: digits"):
        linssl.diagnose("nowhere")
