"""Tables as sources: features are numbers, by blocks of rows; errors name the line or the row."""

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from dask import dataframe
from helpers import any_types
from pyarrow import parquet

from linssl.data import open_source, read_arrays
from linssl.data.sources import csv_rows, parquet_rows

N = 50
A = np.random.default_rng(0).normal(size=N)
COLUMNS = {"a": A, "b": np.arange(N) * 3, "c": np.arange(N) % 2 == 0}
BATCH = np.array(["u", "v"])[np.arange(N) % 2]
WANT = np.stack([A, np.arange(N) * 3, np.arange(N) % 2 == 0], axis=1)


def table(path, kind, columns, **options):
    """Write columns to a file of a kind, or return them as a DataFrame."""
    if kind == "DataFrame":
        return pd.DataFrame(columns, index=pd.RangeIndex(7, 7 + len(next(iter(columns.values())))))
    file = path / f"data{kind}"
    if kind == ".parquet":
        parquet.write_table(pa.table(columns), file, **({"row_group_size": 8} | options))
    else:
        rows = zip(*(np.asarray(v).tolist() for v in columns.values()), strict=True)
        lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
        file.write_text("\n".join(lines).replace("True", "1").replace("False", "0"))
    return file


KINDS = (".csv", ".parquet", "DataFrame")


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    monkeypatch.setattr(csv_rows, "MARKS", 4)
    monkeypatch.setattr(csv_rows, "AT_ONCE", 25)
    monkeypatch.setattr(parquet_rows, "BATCH", 9)


@pytest.mark.parametrize("kind", KINDS)
def test_slices_are_the_features(tmp_path, kind):
    data = table(tmp_path, kind, COLUMNS | {"y": np.arange(N) % 3, "batch": BATCH})
    source = open_source(data, columns=["batch"])
    assert (source.shape, source.dtype, source.names) == ((N, 3), float, ("a", "b", "c"))
    rng = np.random.default_rng(0)
    for start, stop in [(0, N), (0, 5), (5, 23), (23, N), (4, 4), *rng.integers(0, N, (40, 2))]:
        np.testing.assert_array_equal(source[start:stop], WANT[start:stop])
    assert source.columns == ("y", "batch")
    np.testing.assert_array_equal(source.column("y"), np.arange(N) % 3)
    np.testing.assert_array_equal(source.column("batch"), BATCH)
    again = pickle.loads(pickle.dumps(source))
    np.testing.assert_array_equal(again[9:31], WANT[9:31])
    np.testing.assert_array_equal(again.column("batch"), BATCH)


@pytest.mark.parametrize("kind", [".csv", ".parquet"])
def test_it_reads_what_read_arrays_does(tmp_path, kind):
    file = table(tmp_path, kind, COLUMNS | {"label": BATCH})
    arrays, source = read_arrays(file), open_source(file)
    np.testing.assert_array_equal(source[:], arrays["X"])
    np.testing.assert_array_equal(source.column("label"), arrays["y"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("columns", "options", "match"),
    [
        ({"x": A}, {"columns": ["donor"]}, r"has no column 'donor'; it has \['x'\]"),
        ({"x": A, "class": BATCH}, {}, r"column 'class' looks like labels: .*columns=\['class'\]"),
        ({"x": A, "Unnamed: 0": np.arange(N)}, {}, r"column 'Unnamed: 0' looks like an index"),
        ({"x": A, "id": np.arange(N)}, {}, r"column 'id' .*leave it out \(--drop 'id'\)"),
        ({"y": A}, {}, r"must have at least one feature column; got \['y'\]"),
        ({"x": A}, {"layer": "x"}, r"(layer must be None|layer= names a column of lists).*got 'x'"),
    ],
)
def test_what_are_no_features_is_said(tmp_path, kind, columns, options, match):
    with pytest.raises(ValueError, match=match):
        open_source(table(tmp_path, kind, columns), **options)


@pytest.mark.parametrize("kind", KINDS)
def test_an_index_that_is_named_is_a_column(tmp_path, kind):
    source = open_source(table(tmp_path, kind, {"x": A, "id": np.arange(N)}), columns=["id"])
    np.testing.assert_array_equal(source.column("id"), np.arange(N))


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_of_text_is_refused_when_it_is_opened(tmp_path, kind):
    with pytest.raises(
        ValueError, match=r"column 'x' must hold numbers; got 'u' in .*(line 2|row 0)"
    ):
        open_source(table(tmp_path, kind, {"a": A, "x": BATCH}))


@pytest.mark.parametrize(("kind", "place"), [(".csv", "line 42"), (".parquet", "row 40")])
def test_text_among_numbers_is_named_by_its_place(tmp_path, kind, place):
    texts = A.astype(str)
    texts[40] = "1,5" if kind == ".parquet" else "1;5"
    source = open_source(table(tmp_path, kind, {"a": A, "x": texts}))
    np.testing.assert_array_equal(source[0:40][:, 1], A[:40])
    with pytest.raises(ValueError, match=rf"column 'x' must hold numbers; got '1.5' in {place}\. .*"
                       r"columns=\['x'\]"):  # fmt: skip
        source[33:44]
    np.testing.assert_array_equal(source[33:40][:, 0], A[33:40])  # nothing is skipped after it


# ---- .csv


def text(tmp_path, content, encoding="utf-8"):
    (tmp_path / "data.csv").write_bytes(content.encode(encoding))
    return tmp_path / "data.csv"


def test_quotes_blanks_and_line_ends_of_csv(tmp_path):
    rows = "".join(f' {i},"{i}.5" ,"no, {i}"\r\n' for i in range(9))
    source = open_source(text(tmp_path, "a,b ,y\r\n" + rows + "\r\n\r\n", "utf-8-sig"))
    assert source.names == ("a", "b")
    np.testing.assert_array_equal(source[5:9][:, 0], [5.0, 6, 7, 8])
    assert source.column("y")[7] == "no, 7"


ROWS = "".join(f"{i},{i}.5\n" for i in range(30))
CSV = {
    "nothing": ("", "must have a header row and at least one row of data"),
    "a header alone": ("a,b\n", "must have a header row and at least one row of data"),
    "no header": (ROWS, "must begin with a header row of names; got numbers"),
    "semicolons": ("a;b\n1;2\n", "must have commas between its columns"),
    "names that come twice": ("a,a\n1,2\n", r"one column a name; got \['a'\] more than once"),
    "no name": ("a,,b\n1,2,3\n", "a name for every column; column 1 has none"),
    "a blank line": ("a,b\n" + ROWS + "\n1,2\n", "no blank lines .* Got line 32"),
}


@pytest.mark.parametrize(("content", "match"), CSV.values(), ids=CSV)
def test_what_is_no_table_is_refused_when_it_is_opened(tmp_path, content, match):
    with pytest.raises(ValueError, match=rf"data\.csv.* {match}"):
        open_source(text(tmp_path, content))


LATE = {
    "a field more": (
        "7,8,9\n",
        "a header name for each column; got 2 names for 3 columns in line 32",
    ),
    "a field less": ("7\n", "got 2 names for 1 columns in line 32"),
    "an open quote": ('7,"8\n9,9\n', "one row a line; got .* quotation mark that isn't closed"),
    "no number": ("7,1_000\n", "column 'b' must hold numbers; got '1_000' in line 32"),
}


@pytest.mark.parametrize(("content", "match"), LATE.values(), ids=LATE)
def test_a_bad_line_far_down_is_named_when_it_is_read(tmp_path, content, match):
    source = open_source(text(tmp_path, "a,b\n" + ROWS + content + "1,2\n"))
    np.testing.assert_array_equal(source[0:28][:, 1], np.arange(28) + 0.5)
    with pytest.raises(ValueError, match=match):
        source[20:]


@pytest.mark.parametrize("gap", ["", "NA", "null", " "])
def test_a_gap_in_a_csv_is_nan(tmp_path, gap):
    source = open_source(text(tmp_path, f"a,b\n1,2\n7,{gap}\n"))
    np.testing.assert_array_equal(source[0:2], [[1, 2], [7, np.nan]])


def test_codes_of_digits_stay_names(tmp_path):
    source = open_source(text(tmp_path, "a,y\n1,007\n2,010\n3,7\n"))
    np.testing.assert_array_equal(source.column("y"), ["007", "010", "7"])


def test_labels_that_are_missing_are_refused(tmp_path):
    source = open_source(text(tmp_path, "a,y\n1,u\n2,\n3,v\n"))
    with pytest.raises(ValueError, match=r"data\.csv: column 'y' must be .*got 1 .*at row 1: ''"):
        source.column("y")


# ---- .parquet


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_row_groups_of_any_size_are_read_alike(tmp_path, size):
    source = open_source(table(tmp_path, ".parquet", COLUMNS, row_group_size=size))
    for start, stop in [(0, 20), (20, 21), (21, N), (3, 3), (40, 45), (2, 48)]:
        np.testing.assert_array_equal(source[start:stop], WANT[start:stop])


def test_threads_share_a_parquet(tmp_path):
    source = open_source(table(tmp_path, ".parquet", COLUMNS))
    starts = np.random.default_rng(0).integers(0, 40, 60).tolist()
    with ThreadPoolExecutor(4) as pool:
        blocks = list(pool.map(lambda start: source[start : start + 9], starts))
    for start, block in zip(starts, blocks, strict=True):
        np.testing.assert_array_equal(block, WANT[start : start + 9])


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float32()), pa.list_(pa.float32(), 4), pa.large_list(pa.float32())]
)
def test_a_column_of_lists_is_rows_by_itself(tmp_path, kind):
    codes = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)
    file = table(tmp_path, ".parquet", {"code": pa.array(codes.tolist(), kind), "y": BATCH})
    with pytest.raises(ValueError, match=r"column 'code' holds lists: layer='code' takes them"):
        open_source(file)
    source = open_source(file, layer="code")
    assert (source.dtype, source.names, source.columns) == (np.float32, None, ("y",))
    np.testing.assert_array_equal(source[13:38], codes[13:38])


@pytest.mark.parametrize(
    ("lists", "match"),
    [
        ([[1.0, 2.0]] * 9 + [[3.0]], r"'code' must have 2 numbers in every row; got 1 .* in row 9"),
        ([[1.0, 2.0]] * 9 + [None], r"must have 2 numbers in every row; got nothing in row 9"),
        ([[1, 2]] * 9 + [[3, None]], r"no missing numbers in its lists; got 1 from row \d on"),
    ],
)
def test_lists_that_are_no_rows_are_refused(tmp_path, lists, match):
    source = open_source(table(tmp_path, ".parquet", {"code": lists}), layer="code")
    with pytest.raises(ValueError, match=match):
        source[:]


def test_lists_of_text_or_nothing_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must hold real numbers; got .* of object"):
        open_source(table(tmp_path, ".parquet", {"code": [["a"]]}), layer="code")
    empty = pa.array([None], pa.list_(pa.float64()))
    with pytest.raises(ValueError, match=r"at least one row and one feature; got \(1, 0\)"):
        open_source(table(tmp_path, ".parquet", {"code": empty}), layer="code")


def test_gaps_of_parquet_are_nan_and_categories_are_text(tmp_path):
    columns = {"a": pa.array([1, None, 3]), "b": pa.array([True, None, False])}
    batch = pa.array(["u", "v", "u"]).dictionary_encode()
    source = open_source(table(tmp_path, ".parquet", columns | {"y": batch}))
    np.testing.assert_array_equal(source[:], [[1, 1], [np.nan, np.nan], [3, 0]])
    np.testing.assert_array_equal(source.column("y"), ["u", "v", "u"])


def test_single_precision_of_parquet_is_kept(tmp_path):
    values = A.astype(np.float32)
    source = open_source(table(tmp_path, ".parquet", {"a": values, "b": values.astype("f2")}))
    assert source.dtype == np.float32
    np.testing.assert_array_equal(source[:][:, 0], values)


def test_an_index_that_was_written_is_refused(tmp_path):
    frame = pd.DataFrame({"x": A}, index=pd.Index(np.arange(N), name="cell"))
    frame.to_parquet(tmp_path / "data.parquet")
    with pytest.raises(ValueError, match=r"must have no index .*got \['cell'\]: reset_index"):
        open_source(tmp_path / "data.parquet")
    frame.rename_axis(None).set_axis(list(map(str, range(N)))).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(ValueError, match=r"must have a name for every column; column 1 has none"):
        open_source(tmp_path / "b.parquet")


@pytest.mark.parametrize("share", [0.3, 0.99])
def test_parquet_that_is_cut_off_is_refused(tmp_path, share):
    file = table(tmp_path, ".parquet", COLUMNS)
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    with pytest.raises(ValueError, match=r"data\.parquet can't be read as \.parquet: "):
        open_source(file)


def test_parquet_that_is_damaged_inside_says_in_which_rows(tmp_path):
    file = table(tmp_path, ".parquet", {"a": A}, row_group_size=25, use_dictionary=False)
    content = bytearray(file.read_bytes())
    at = parquet.ParquetFile(file).metadata.row_group(1).column(0).data_page_offset
    content[at : at + 60] = b"\xff" * 60
    file.write_bytes(content)
    source = open_source(file)
    with pytest.raises(ValueError, match=r"data\.parquet: rows 20 to 50 can't be read: "):
        source[20:50]


def test_no_rows_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"at least one row and one feature; got \(0, 1\)"):
        open_source(table(tmp_path, ".parquet", {"a": np.zeros(0)}))
    with pytest.raises(ValueError, match=r"at least one row and one feature; got \(0, 1\)"):
        open_source(pd.DataFrame({"a": np.zeros(0)}))


def test_pyarrow_that_is_missing_says_what_installs_it(tmp_path, monkeypatch):
    file = table(tmp_path, ".parquet", COLUMNS)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"pyarrow is missing: pip install 'linssl\[data\]'"):
        open_source(file)


# ---- DataFrames


NUMBERS = {
    "booleans": pd.Series([True, False, True]),
    "nullable integers": pd.array([1, None, 3], "Int64"),
    "nullable booleans": pd.array([True, None, False], "boolean"),
    "nullable floats": pd.array([1.5, None, 2.5], "Float32"),
    "integers of pyarrow": pd.array([1, None, 3], "int64[pyarrow]"),
    "floats of pyarrow": pd.array([1.5, None, 3.5], "double[pyarrow]"),
    "booleans of pyarrow": pd.array([True, None, False], "bool[pyarrow]"),
    "objects": pd.Series([1, 2.5, True], dtype=object),
    "sparse": pd.arrays.SparseArray([0.0, 1.0, 0.0]),
}


@pytest.mark.parametrize("values", NUMBERS.values(), ids=NUMBERS)
def test_numbers_of_a_frame_are_read_and_gaps_are_nan(values):
    source = open_source(pd.DataFrame({"a": [1, 2, 3], "x": values}))
    want = [np.nan if pd.isna(v) else float(v) for v in values]
    np.testing.assert_array_equal(source[0:3], np.stack([[1, 2, 3], want], axis=1))
    np.testing.assert_array_equal(source[1:2][0, 1], want[1])


TEXT = {
    "text": ["1", "2", "3"],
    "categories of numbers": pd.Categorical([1, 2, 1]),
    "dates": pd.to_datetime(["2020-01-01"] * 3),
    "complex numbers": np.ones(3, complex),
    "mixed": pd.Series([1, "2", 3], dtype=object),
    "text of pyarrow": pd.array(["1", "2", "3"], "string[pyarrow]"),
}


@pytest.mark.parametrize("values", TEXT.values(), ids=TEXT)
def test_what_is_no_number_is_no_feature(values):
    frame = pd.DataFrame({"a": [1, 2, 3], "x": values})
    with pytest.raises(
        ValueError, match=r"column 'x' must hold numbers; got .* in row \d, of type"
    ):
        open_source(frame)[:]
    assert open_source(frame, columns=["x"]).names == ("a",)


LABELS = {
    "categories": (pd.Categorical(["u", "v", "u"]), ["u", "v", "u"]),
    "categories of numbers": (pd.Categorical([3, 1, 3]), [3, 1, 3]),
    "nullable integers": (pd.array([1, 2, 3], "Int64"), [1, 2, 3]),
    "text of pyarrow": (pd.array(["u", "v", "u"], "string[pyarrow]"), ["u", "v", "u"]),
    "integers of pyarrow": (pd.array([1, 2, 3], "int64[pyarrow]"), [1, 2, 3]),
    "booleans": ([True, False, True], [True, False, True]),
}


@pytest.mark.parametrize(("values", "want"), LABELS.values(), ids=LABELS)
def test_columns_of_a_frame_are_labels(values, want):
    got = open_source(pd.DataFrame({"a": [1, 2, 3], "y": values})).column("y")
    np.testing.assert_array_equal(got, want)
    assert got.dtype.kind == np.asarray(want).dtype.kind


def test_names_of_a_frame_are_text_and_unlike():
    assert open_source(pd.DataFrame(np.eye(3))).names == ("0", "1", "2")
    with pytest.raises(ValueError, match=r"data must have one column a name; got \['a'\] more"):
        open_source(pd.DataFrame(np.eye(2), columns=["a", "a"]))


def test_tables_of_dask_say_what_to_pass():
    table = dataframe.from_pandas(pd.DataFrame(WANT, columns=list("abc")), npartitions=3)
    with pytest.raises(
        ValueError, match=r"one of dask: pass its \.compute\(\), or .*to_dask_array"
    ):
        open_source(table)
    source = open_source(table.to_dask_array(lengths=True))
    np.testing.assert_array_equal(source[9:31], WANT[9:31])


class Polars:
    """What looks like a DataFrame of polars: Arrow by request."""

    def __init__(self, table):
        self.table, self.shape = table, table.shape

    def __arrow_c_stream__(self, schema=None):
        return self.table.__arrow_c_stream__(schema)

    def __array__(self, dtype=None, copy=None):
        raise AssertionError("labels among the features")


@pytest.mark.parametrize("make", [Polars, lambda table: table, lambda t: t.to_batches()[0]])
def test_tables_of_arrow_keep_names_and_labels(make):
    gaps = pa.array([None, *range(1, N)])
    table = pa.table(COLUMNS | {"gaps": gaps, "y": BATCH, "ward": pa.array(BATCH)})
    with any_types():
        source = open_source(make(table), columns=["ward"])
        assert (source.names, source.columns) == (("a", "b", "c", "gaps"), ("y", "ward"))
        np.testing.assert_array_equal(source[3:9][:, :3], WANT[3:9])
        np.testing.assert_array_equal(source[0:2][:, 3], [np.nan, 1])
        np.testing.assert_array_equal(source.column("ward"), BATCH)
        with pytest.raises(ValueError, match=r"column 'ward' must hold numbers; got 'u' in row 0"):
            open_source(make(table))


# ---- data sets of batches


class Batches:
    """What looks like a data set of Hugging Face."""

    def __init__(self, columns, made=None):
        self.columns, self.made, self.column_names = columns, made, list(columns)
        self.features = {
            k: SimpleNamespace(dtype=str(np.asarray(v).dtype)) for k, v in columns.items()
        }

    def __len__(self):
        return N

    def select_columns(self, names):
        return Batches({name: self.columns[name] for name in names})

    def with_format(self, kind, dtype=np.float32):
        return Batches(self.columns, dtype)

    def __getitem__(self, rows):
        found = {k: np.asarray(v)[rows] for k, v in self.columns.items()}
        return {k: v.astype(self.made) if v.dtype.kind == "f" else v for k, v in found.items()}


def test_batches_of_a_data_set_are_read_as_stored():
    with any_types():
        source = open_source(Batches({"code": WANT, "y": np.arange(N) % 3, "batch": BATCH}))
        assert (source.shape, source.dtype, source.columns) == ((N, 3), float, ("y", "batch"))
        np.testing.assert_array_equal(source[4:9], WANT[4:9])
        np.testing.assert_array_equal(source.column("batch"), BATCH)
        source = open_source(Batches(COLUMNS | {"y": BATCH}))
        assert source.names == ("a", "b", "c")
        np.testing.assert_array_equal(source[4:9], WANT[4:9])
        with pytest.raises(ValueError, match=r"columns of arrays, \['u', 'v'\]: layer= must name"):
            open_source(Batches({"u": WANT, "v": WANT}))
        with pytest.raises(ValueError, match=r"no column of arrays 'w'; it has \['u'\]"):
            open_source(Batches({"u": WANT}), layer="w")
        with pytest.raises(ValueError, match=r"column 'batch' must hold numbers; got 'u' in row 0"):
            open_source(Batches({"a": A, "batch": BATCH}))


@pytest.mark.parametrize("kept", [["1", "2.5", "3"], pd.Categorical([1, 2, 1])])
def test_numbers_that_are_kept_as_something_else_say_what_makes_numbers_of_them(kept):
    with pytest.raises(ValueError, match=r"must hold numbers; got '?1'? in row 0, .*to_numeric"):
        open_source(pd.DataFrame({"a": [1.0, 2, 3], "b": kept}))
