"""Files: what is written is what is read, and what can't be read is a ValueError that says why."""

import sys

import numpy as np
import pytest
from helpers import any_types

from linssl.data import read_arrays
from linssl.data.files import read_labels

X = np.array([[1.0, 2.0], [3.0, 4.5], [5.0, -6.0]])
Y = np.array([0, 1, 1])


def npz(path, **arrays):
    np.savez(path / "data.npz", **arrays)
    return path / "data.npz"


def csv(path, text):
    file = path / "data.csv"
    file.write_text(text, encoding="utf-8")
    return file


def parquet(path, **columns):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    write_table(pyarrow.table(columns), path / "data.parquet")
    return path / "data.parquet"


# ---- what is written is what is read


def test_npy_holds_inputs_only(tmp_path):
    np.save(tmp_path / "data.npy", X)
    arrays = read_arrays(tmp_path / "data.npy")
    assert list(arrays) == ["X"]
    np.testing.assert_array_equal(arrays["X"], X)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    "names",
    [("X",), ("X", "y"), ("X_train", "y_train"), ("X_train", "y_train", "X_test", "y_test")],
)
def test_npz_round_trip(tmp_path, save, names):
    want = {name: X if name[0] == "X" else Y for name in names}
    save(tmp_path / "data.npz", **want)
    got = read_arrays(str(tmp_path / "data.npz"))
    assert list(got) == list(names)
    for name in names:
        np.testing.assert_array_equal(got[name], want[name])
        assert got[name].dtype == want[name].dtype


def test_test_set_may_have_its_own_length_and_no_labels(tmp_path):
    got = read_arrays(npz(tmp_path, X_train=X, y_train=Y, X_test=X[:1]))
    assert sorted(got) == ["X_test", "X_train", "y_train"]
    assert len(got["X_test"]) == 1


def test_images_are_flattened_row_major(tmp_path):
    images = np.arange(24).reshape(2, 3, 4)
    got = read_arrays(npz(tmp_path, X=images))["X"]
    np.testing.assert_array_equal(got, np.arange(24).reshape(2, 12))


def test_csv_splits_the_label_from_the_features(tmp_path):
    for label in ("y", "label"):
        got = read_arrays(csv(tmp_path, f"a,{label},b\n1,0,2\n3,1,4.5\n5,1,-6\n"))
        np.testing.assert_array_equal(got["X"], X)
        np.testing.assert_array_equal(got["y"], Y)


def test_csv_without_labels_has_inputs_only(tmp_path):
    assert list(read_arrays(csv(tmp_path, "a,b\n1,2\n"))) == ["X"]


def test_csv_of_one_feature_and_one_row_is_a_matrix(tmp_path):
    assert read_arrays(csv(tmp_path, "a\n7\n"))["X"].shape == (1, 1)


def test_csv_quotes_byte_order_mark_blank_lines_at_the_end_and_windows_ends_are_understood(
    tmp_path,
):
    text = '\ufeff"a","b, in m","y"\r\n"1",2,"cat, big"\r\n3, 4.5, dog \r\n5,-6,"dog"\r\n\r\n \n'
    file = tmp_path / "data.csv"
    file.write_bytes(text.encode())
    got = read_arrays(file)
    np.testing.assert_array_equal(got["X"], X)
    np.testing.assert_array_equal(got["y"], ["cat, big", "dog", "dog"])


def test_a_suffix_in_capitals_is_one(tmp_path):
    csv(tmp_path, "a,y\n1,0\n").rename(tmp_path / "data.CSV")
    assert read_arrays(tmp_path / "data.CSV")["X"].tolist() == [[1.0]]
    with pytest.raises(ValueError, match="column 'a' must hold numbers; got 'x' in line 2"):
        read_arrays(csv(tmp_path, "a,y\nx,0\n").rename(tmp_path / "bad.CSV"))


def test_csv_hash_is_not_a_comment(tmp_path):
    got = read_arrays(csv(tmp_path, "a,y\n1,cat#1\n2,cat#2\n"))
    np.testing.assert_array_equal(got["y"], ["cat#1", "cat#2"])


def test_parquet_agrees_with_csv(tmp_path):
    got = read_arrays(parquet(tmp_path, a=X[:, 0], b=X[:, 1], y=["u", "v", "v"]))
    want = read_arrays(csv(tmp_path, "a,b,y\n1,2,u\n3,4.5,v\n5,-6,v\n"))
    np.testing.assert_array_equal(got["X"], want["X"])
    np.testing.assert_array_equal(got["y"].astype(str), want["y"])


def test_parquet_labels_are_as_stored(tmp_path):
    labels = np.array([2**53, 2**53 + 1, 5])  # these collide as floats
    got = read_arrays(parquet(tmp_path, a=X[:, 0], y=labels))["y"]
    np.testing.assert_array_equal(got, labels)
    assert got.dtype.kind == "i"


# ---- what can't be read


def test_missing_file_is_refused(tmp_path):
    for name in ("none.npz", "."):
        with pytest.raises(FileNotFoundError, match=r"no file at .*; pass a path to one of .npy"):
            read_arrays(tmp_path / name)


@pytest.mark.parametrize("name", ["data.txt", "data", "data.npz.bak", "data.pkl"])
def test_unknown_suffix_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ValueError, match=r"must end in one of .npy, .npz, .csv, .parquet; got '"):
        read_arrays(tmp_path / name)


@pytest.mark.parametrize("suffix", ["npy", "npz", "parquet"])
@pytest.mark.parametrize("content", [b"", b"not a file of that kind", b"PK\x03\x04", b"\x93NUMPY"])
def test_other_bytes_are_refused(tmp_path, suffix, content):
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    file = tmp_path / f"data.{suffix}"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=rf"data.{suffix} can't be read as .{suffix}: "):
        read_arrays(file)


def written(path, kind):
    if kind == "npy":
        np.save(path / "data.npy", X)
        return path / "data.npy"
    if kind == "parquet":
        return parquet(path, a=X[:, 0], y=Y)
    save = np.savez if kind == "npz" else np.savez_compressed
    save(path / "data.npz", X=X, y=Y)
    return path / "data.npz"


KINDS = ["npy", "npz", "compressed npz", "parquet"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_truncated_file_is_refused(tmp_path, kind, part):
    file = written(tmp_path, kind)
    content = file.read_bytes()
    file.write_bytes(content[: int(part * len(content))])
    with pytest.raises(ValueError, match=r"data.* can't be read as "):
        read_arrays(file)


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_bytes_never_raise_anything_but_a_value_error_that_names_the_file(tmp_path, kind):
    # zlib.error, TokenError, NotImplementedError and RuntimeError came out before.
    file = written(tmp_path, kind)
    content, rng, refused = file.read_bytes(), np.random.default_rng(0), 0
    for _ in range(200):
        damaged = bytearray(content)
        for place in rng.integers(len(content), size=3):
            damaged[place] = rng.integers(256)
        file.write_bytes(bytes(damaged))
        try:
            read_arrays(file)  # damaged numbers may still be numbers
        except ValueError as error:
            refused += 1
            assert str(file) in str(error)  # noqa: PT017 (only some of the files are refused)
    assert refused > 50


@pytest.mark.parametrize("name", ["X", "y"])
def test_pickled_objects_are_refused(tmp_path, name):
    arrays = {"X": X, "y": Y, name: np.array([["a"], [None], [{}]], object)}
    with pytest.raises(ValueError, match="allow_pickle=False"):
        read_arrays(npz(tmp_path, **arrays))


def test_pickled_npy_is_refused(tmp_path):
    np.save(tmp_path / "data.npy", np.array([[{}]], object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        read_arrays(tmp_path / "data.npy")


def test_zip_of_something_else_is_refused(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "data.npz", "w") as archive:
        archive.writestr("X", "hello")
    with pytest.raises(ValueError, match="X must be a non-empty numeric"):
        read_arrays(tmp_path / "data.npz")


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train"),
        ("y",),
        ("X", "labels"),
        ("X", "y", "X_test"),
        ("X", "X_train"),
        ("X_train", "y_test"),
        ("X_test",),
        (),
    ],
)
def test_missing_or_unknown_keys_are_refused(tmp_path, names):
    with pytest.raises(ValueError, match=r"must hold X_train .* or X .*; got \["):
        read_arrays(npz(tmp_path, **{n: X if n[0] in "Xx" else Y for n in names}))


@pytest.mark.parametrize(
    "values",
    [X[0], X[:0], X[:, :0], X + 0j, X.astype(str), np.float64(3), X.astype("M8[s]")],
    ids=["1-D", "no rows", "no columns", "complex", "text", "0-D", "dates"],
)
def test_inputs_that_are_not_a_numeric_matrix_are_refused(tmp_path, values):
    with pytest.raises(ValueError, match=r"X must be a non-empty numeric \(n, ...\) array; got"):
        read_arrays(npz(tmp_path, X=values))


@pytest.mark.parametrize(
    "labels",
    [Y[:2], np.array([0, 1, 1, 0]), Y[:, None], np.eye(3), np.int64(1)],
    ids=["short", "long", "a column", "one-hot", "0-D"],
)
@pytest.mark.parametrize("names", [("X", "y"), ("X_train", "y_train")])
def test_labels_of_another_shape_are_refused(tmp_path, labels, names):
    with pytest.raises(ValueError, match=rf"{names[1]} must have one label for each of the 3 rows"):
        read_arrays(npz(tmp_path, **dict(zip(names, (X, labels), strict=True))))


def test_test_labels_of_another_length_are_refused(tmp_path):
    with pytest.raises(ValueError, match="y_test must have one label for each of the 2 rows"):
        read_arrays(npz(tmp_path, X_train=X, X_test=X[:2], y_test=Y))


def test_missing_labels_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no missing labels; got 1 of 3 in row 1"):
        read_arrays(npz(tmp_path, X=X, y=np.array([0.0, np.nan, 1.0])))
    with pytest.raises(ValueError, match="no missing labels; got 1 of 2 in line 3"):
        read_arrays(csv(tmp_path, "a,y\n1,cat\n2,\n"))
    with pytest.raises(ValueError, match="no missing labels; got 1 of 2 in row 0"):
        read_arrays(parquet(tmp_path, a=[1.0, 2.0], y=[None, "cat"]))


@pytest.mark.parametrize("word", ["NA", "", "nan", "None", "#N/A", " NULL "])
def test_labels_that_are_missing_in_a_file_of_their_own_are_no_class(tmp_path, word):
    file = csv(tmp_path, f'label,of\ncat,1\n"{word}",2\ndog,3\n{word},4\n')
    with pytest.raises(ValueError, match=r"csv: label must .* got 2 of 4 in lines 3, 5\. Drop"):
        read_labels(file)


def test_ten_thousand_missing_labels_are_counted_not_listed(tmp_path):
    with pytest.raises(ValueError, match=r"got 10,000 of 10,000 in lines 2, 3, .*, 9, \.\.\."):
        read_labels(csv(tmp_path, "y,i\n" + "NA,0\n" * 10_000))


@pytest.mark.parametrize("read", [read_arrays, read_labels])
def test_a_blank_line_in_a_csv_would_shift_rows_and_is_refused(tmp_path, read):
    for text, lines in (("a,y\n1,0\n\n2,1\n", "1: line 3"), ("a\n\n1\n \n2\n\n", "2: lines 2, 4")):
        with pytest.raises(ValueError, match=rf"no blank lines between its rows.* Got {lines}\."):
            read(csv(tmp_path, text))


@pytest.mark.parametrize("read", [read_arrays, read_labels])
def test_a_quotation_mark_that_is_not_closed_swallows_no_rows(tmp_path, read):
    with pytest.raises(ValueError, match="got 3 lines that make 2 rows: look for a quotation mark"):
        read(csv(tmp_path, 'a,y\n1,"cat\n2,dog"\n3,dog\n'))


def test_labels_are_the_column_of_that_name_or_all_columns(tmp_path):
    for text, want in (
        ("id,label\n7,1\n8,0\n", [1, 0]),
        ("id,y\n7,cat\n8,dog\n", ["cat", "dog"]),
        ("anything\ncat\ndog\n", ["cat", "dog"]),
        ("a,b\n1,2\n3,4\n", [[1, 2], [3, 4]]),
    ):
        np.testing.assert_array_equal(read_labels(csv(tmp_path, text)), want)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("1\n2\n", "must begin with a header row of names; got numbers"),
        ("a,b\ncat,dog\n", r"columns of numbers, or one of text, .* got \['a', 'b'\]"),
        ("a,b\n1,dog\n", r"columns of numbers, or one of text, .* got \['a', 'b'\]"),
        (",a\n1,dog\n", "must have a name for every column; column 0 has none"),
        ("a;b\n1;2\n", "commas between its columns, and points in its numbers; got 'a;b'"),
    ],
)
def test_labels_that_cannot_be_told_are_refused(tmp_path, text, match):
    with pytest.raises(ValueError, match=match):
        read_labels(csv(tmp_path, text))


def test_a_file_of_several_arrays_or_of_another_kind_holds_no_labels(tmp_path):
    with pytest.raises(ValueError, match=r"must hold one array of labels; got \['a', 'b'\]"):
        read_labels(npz(tmp_path, b=Y, a=Y))
    (tmp_path / "y.txt").write_text("1")
    with pytest.raises(ValueError, match=r"must end in one of .npy, .npz, .csv, .parquet; got"):
        read_labels(tmp_path / "y.txt")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "must have a header row and at least one row"),
        ("a,b\n", "must have a header row and at least one row"),
        ("a,b\n\n \n", "must have a header row and at least one row"),
        ("1,2\n3,4\n", "must begin with a header row of names; got numbers"),
        ("a,b\n1,2,3\n", "got 2 names for 3 columns"),
        ("a,b\n1,2\n3\n", r"got 2 names for 1 columns in line 3\."),
        ("a;b\n1;2\n", "commas between its columns, and points in its numbers; got 'a;b'"),
        ("a;b\n1,5;2\n", "commas between its columns, and points in its numbers; got 'a;b'"),
        ('a,b\n"1,5",2\n', r"got '1,5' in line 2\. Decimals have a point"),
        ("a,b\n1,2,\n", r"got 2 names for 3 columns in line 2\. A comma ends it"),
        ("a,b,\n1,2,\n", "no commas at the ends of its lines"),
        ("a,b\n1_2,2\n", "column 'a' must hold numbers; got '1_2' in line 2"),
        ("a,b\n\u0661,2\n", "column 'a' must hold numbers; got '\u0661' in line 2"),
        ("a,b\n0x1F,2\n", "column 'a' must hold numbers; got '0x1F' in line 2"),
        (
            "5.1,?,1.4,setosa\n4.9,3,1.4,setosa\n",
            r"row of names; got \['5.1', '\?', '1.4'\]",
        ),
        ("150,4,setosa,versicolor\n5.1,3.5,1.4,0.2\n", r"of names; got \['150', '4'\] among"),
        ("1,2,cat\n0,1,dog\n2,3,dog\n", "column 'cat' must hold numbers"),
        ("1990,1991,y\n0,1,2\n", r"got \['1990', '1991'\] .* put a letter before"),
        ("a,NA,nan\n0,1,2\n", r"got \['NA', 'nan'\] among them"),
        ("a,b\n1,2\n3,two\n", r"column 'b' must hold numbers; got 'two' in line 3\."),
        ("a,b\n1,\n", "column 'b' must hold numbers; got '' in line 2"),
        ("a,b\n#1,2\n", "column 'a' must hold numbers"),
        ("y\n1\n", "must have at least one feature column"),
        (",a\n0,1\n", "must have a name for every column; column 0 has none"),
        ("a,a\n0,1\n", "must have one column a name"),
        ("a,y,label\n0,1,2\n", "one of y or label"),
    ],
)
def test_bad_csv_is_refused(tmp_path, text, match):
    with pytest.raises(ValueError, match=match):
        read_arrays(csv(tmp_path, text))


def test_csv_of_another_encoding_is_refused(tmp_path):
    (tmp_path / "data.csv").write_bytes(b"a,y\n1,\xe9\n")
    with pytest.raises(ValueError, match=r"can't be read as .csv: 'utf-8' codec"):
        read_arrays(tmp_path / "data.csv")


@pytest.mark.parametrize(
    "values",
    [["one", "two"], [[1.0], [2.0]], np.array(["2020-01-01", "2021-01-01"], "M8[s]"), [None, "a"]],
    ids=["text", "nested", "dates", "nulls"],
)
def test_parquet_columns_that_are_not_numbers_are_refused(tmp_path, values):
    with pytest.raises(ValueError, match="column 'a' must hold numbers; got"):
        read_arrays(parquet(tmp_path, a=values, b=[1.0, 2.0]))


@pytest.mark.parametrize("read", [read_arrays, read_labels])
def test_the_index_of_a_parquet_is_no_column(tmp_path, read):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    table = pandas.DataFrame({"a": X[:, 0], "b": X[:, 1]}).iloc[[2, 0, 1]]
    table.to_parquet(tmp_path / "data.parquet")
    with pytest.raises(ValueError, match="must have a name for every column; column 2 has none"):
        read(tmp_path / "data.parquet")


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "data.parquet").write_bytes(b"")
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"needs pyarrow: pip install 'linssl\[sweep\]'"):
        read_arrays(tmp_path / "data.parquet")


@pytest.mark.parametrize("name", ["Label", "Y", "class", "TARGET"])
def test_a_column_that_looks_like_labels_is_not_taken_for_a_feature(tmp_path, name):
    (tmp_path / "data.csv").write_text(f"a,b,{name}\n1,2,0\n3,4,1\n")
    with pytest.raises(ValueError, match=f"column '{name}' looks like labels"):
        read_arrays(tmp_path / "data.csv")


def test_missing_categories_of_parquet_are_no_class(tmp_path):
    import pyarrow

    labels = pyarrow.array(["cat", None, "dog"]).dictionary_encode()
    with pytest.raises(ValueError, match="y must have no missing labels; got 1 of 3 in row 1"):
        read_arrays(parquet(tmp_path, a=[1.0, 2.0, 3.0], y=labels))
    labels = pyarrow.array(["cat", "dog", "cat"]).dictionary_encode()
    got = read_arrays(parquet(tmp_path, a=[1.0, 2.0, 3.0], y=labels))["y"]
    assert got.tolist() == ["cat", "dog", "cat"]


def test_labels_are_the_column_that_is_called_so_and_no_index_beside_it(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("id,Target\n10,1\n11,2\n")
    assert read_labels(path).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("names", ["0,1,2,y", "1,2,3,y", "a,1,2,y"])
def test_columns_may_be_numbered(tmp_path, names):
    got = read_arrays(csv(tmp_path, f"{names}\n1,2,3,0\n4,5,6,1\n"))
    np.testing.assert_array_equal(got["X"], [[1, 2, 3], [4, 5, 6]])


@pytest.mark.parametrize(
    ("texts", "want"),
    [
        (["007", "7", "8"], ["007", "7", "8"]),
        (["1e1", "10", "2"], ["1e1", "10", "2"]),
        (["1_2", "12", "3"], ["1_2", "12", "3"]),
        (["\u0661", "1", "2"], ["\u0661", "1", "2"]),
        (["1e-05", "0.5", "2"], [1e-5, 0.5, 2]),
        (["1e5", "0.5", "-2"], [1e5, 0.5, -2]),
        (["0", "10", "-3"], [0, 10, -3]),
        (["0.50", "-0.50", "1.25"], [0.5, -0.5, 1.25]),
    ],
)
def test_labels_of_digits_are_numbers_only_if_none_of_them_is_a_code(tmp_path, texts, want):
    text = "a,y\n" + "".join(f"{x},{label}\n" for x, label in enumerate(texts))
    for file_text, read in (
        (text, lambda file: read_arrays(file)["y"]),
        (text.replace("a,", "b,"), read_labels),
    ):
        got = read(csv(tmp_path, file_text))
        assert got.tolist() == want


@pytest.mark.parametrize(
    ("texts", "alike"),
    [
        (["1.1", "1.10", "2.0"], r"\['1.1', '1.10'\]"),
        (["1", "1.0", "-2"], r"\['1', '1.0'\]"),
        (["9007199254740993", "9007199254740992"], r"\['9007199254740992', '9007199254740993'\]"),
    ],
)
def test_labels_that_are_one_number_and_two_texts_are_refused(tmp_path, texts, alike):
    for head, tail, read in (("y", "", read_labels), ("y,a", ",1", read_arrays)):
        text = "".join(f"{label}{tail}\n" for label in texts)
        with pytest.raises(ValueError, match=f"y must have one text for each number; got {alike}"):
            read(csv(tmp_path, f"{head}\n{text}"))


INDEXED = {
    "Unnamed: 0.1": [5, 3, 9],
    "...1": [1, 2, 3],
    "row.names": [1, 2, 3],
    "Unnamed: 0": [5, 3, 9],
    "level_0": [0, 0, 1],
    "index": [5, 3, 9],
    "Id": [1, 2, 3],
    "row_id": [7, 5, 6],
}


@pytest.mark.parametrize("name", INDEXED)
def test_an_index_in_a_csv_is_no_feature(tmp_path, name):
    rows = "".join(f"{at},{x},{x}\n" for at, x in zip(INDEXED[name], X[:, 0], strict=True))
    for read in (read_arrays, read_labels):
        with pytest.raises(ValueError, match=f"column '{name}' looks like an index that was"):
            read(csv(tmp_path, f"{name},a,b\n{rows}"))


def test_what_only_sounds_like_an_index_is_a_feature(tmp_path):
    got = read_arrays(csv(tmp_path, "id,row,refractive_index\n0.5,1,1\n1,2,2\n2,2,3\n"))
    assert got["X"].shape == (3, 3)


@pytest.mark.parametrize("index", [["who"], ["who", "when"]])
def test_a_named_index_of_a_parquet_is_no_feature(tmp_path, index):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    table = pandas.DataFrame({"who": [1, 1, 2], "when": [0, 1, 0], "a": X[:, 0]}).set_index(index)
    table.to_parquet(tmp_path / "data.parquet")
    for read in (read_arrays, read_labels):
        with pytest.raises(ValueError, match=r"no index that was written .* got \['who"):
            read(tmp_path / "data.parquet")
    table.reset_index(drop=True).to_parquet(tmp_path / "data.parquet")
    np.testing.assert_array_equal(read_arrays(tmp_path / "data.parquet")["X"][:, -1], X[:, 0])


def test_images_in_a_file_get_their_channels_last_in_an_order_that_is_certain_or_said(tmp_path):
    last = np.random.default_rng(0).integers(0, 256, (2, 8, 9, 3), np.uint8)
    want = last.reshape(2, -1)
    for images in (last, np.moveaxis(last, -1, 1)):
        got = read_arrays(npz(tmp_path, X=images))["X"]
        np.testing.assert_array_equal(got, want)
        assert got.dtype == np.uint8
    odd = last[:, :3, :3]
    file = npz(tmp_path, X=odd)
    with pytest.raises(ValueError, match=r"data\.npz: X: images of \(2, 3, 3, 3\) may have .*both"):
        read_arrays(file)
    got = read_arrays(file, channels="first")["X"]
    np.testing.assert_array_equal(got, np.moveaxis(odd, 1, -1).reshape(2, -1))
    got = read_arrays(file, channels="last")["X"]
    np.testing.assert_array_equal(got, odd.reshape(2, -1))
    with any_types(), pytest.raises(ValueError, match="channels must be first or last, or None"):
        read_arrays(file, channels="chw")
    with pytest.raises(FileNotFoundError, match="but a folder, of which open_source reads pict"):
        read_arrays(tmp_path)


# ---- columns beside features and labels


def test_a_column_that_is_asked_for_is_no_feature(tmp_path):
    text = "a,who,b,y\n1,ann,2,0\n3,bob,4.5,1\n5,bob,-6,1\n"
    got = read_arrays(csv(tmp_path, text), ["who"])
    assert sorted(got) == ["X", "who", "y"]
    np.testing.assert_array_equal(got["X"], X)
    np.testing.assert_array_equal(got["who"], ["ann", "bob", "bob"])
    numbered = csv(tmp_path, text.replace("ann", "7").replace("bob", "8"))
    assert read_arrays(numbered, ["who"])["who"].tolist() == [7.0, 8.0, 8.0]
    stored = parquet(tmp_path, a=X[:, 0], who=["u", "NA", "NA"], id=[1, 2, 3])
    assert read_arrays(stored, ["who", "id"])["who"].tolist() == ["u", "NA", "NA"]
    kept = read_arrays(npz(tmp_path, X=X, groups=Y, batch=Y + 1), ["batch"])
    np.testing.assert_array_equal([kept["groups"], kept["batch"]], [Y, Y + 1])


@pytest.mark.parametrize(
    ("text", "asked", "match"),
    [
        ("a,who\n1,u\n2,v\n", "sex", r"must have a column 'sex', .* got \['a', 'who'\]"),
        ("a,y\n1,u\n2,v\n", "y", "must have a column 'y', beside labels and features"),
        ("a,who\n1,\n2,v\n", "who", "who must have no missing names; got 1 of 2 in line 2"),
        ("a,who\n1,NA\n2,v\n", "who", "another name: 'NA' is one in a .csv, but a name in a .par"),
        ("a,who\n1,7\n2,7.0\n", "who", "who must have one text for each number"),
        ("who\n1\n2\n", "who", "at least one feature column"),
    ],
)
def test_a_column_that_cannot_be_had_is_named(tmp_path, text, asked, match):
    with pytest.raises(ValueError, match=match):
        read_arrays(csv(tmp_path, text), [asked])


def test_a_key_that_is_not_one_for_each_row_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"groups must be \(3,\), one for each row of X; got \(2,"):
        read_arrays(npz(tmp_path, X=X, groups=Y[:2]))
    with pytest.raises(ValueError, match=r"must hold 'who'; got \['X'\]"):
        read_arrays(npz(tmp_path, X=X), ["who"])
    with pytest.raises(ValueError, match=r"X_train.* and nothing else"):
        read_arrays(npz(tmp_path, X=X, who=Y))


@pytest.mark.parametrize("word", ["NA", "null", "N/A"])
def test_a_class_that_is_called_missing_is_kept_by_files_that_know_the_difference(tmp_path, word):
    with pytest.raises(ValueError, match=f"{word!r} is one in a .csv, but a name in a .parquet"):
        read_arrays(csv(tmp_path, f"a,y\n1,{word}\n2,b\n"))
    names = np.array([word, "b", word])
    assert read_arrays(npz(tmp_path, X=X, y=names))["y"].tolist() == names.tolist()
    assert read_arrays(parquet(tmp_path, a=X[:, 0], y=names))["y"].tolist() == names.tolist()
