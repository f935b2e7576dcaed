"""Every maker of pairs reads whatever `open_source` opens, in blocks, to the dense answer."""

import tracemalloc

import h5py
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import zarr
from dask import array as dask_array
from scipy import sparse

import linssl
from linssl import same_instance, with_label
from linssl.data import open_source
from linssl.linalg import averages
from linssl.pairs import (
    SemanticPairs,
    centring,
    class_tuples,
    groups,
    held_by,
    same_class,
    stream_moments,
    two_modalities,
)

RNG = np.random.default_rng(0)
X = (RNG.normal(size=(150, 4)) * (RNG.random((150, 4)) < 0.6) + [9, 0, 0, 1]).astype(np.float32)
KIND = np.array(["ant", "cat", "dog"])[np.arange(150) % 3]
WARD = np.array(["A", "B"])[np.arange(150) // 75]
WEIGHT = np.arange(150) % 4 + 0.5
VIEWS = RNG.normal(size=(150, 3, 4)).astype(np.float32) + 3
COLUMNS = {"kind": KIND, "ward": WARD, "weight": WEIGHT}
TABLE = pd.DataFrame(X, columns=list("abcd")).assign(**COLUMNS)
MAKERS = {
    "same_instance": lambda x: same_instance(x),
    "centred": lambda x: same_instance(x, WARD),
    "weighted": lambda x: same_instance(x, weights=WEIGHT),
    "with_label": lambda x: with_label(x, KIND),
    "with_label, centred": lambda x: with_label(x, X[:, :2] ** 2, WARD),
    "same_class": lambda x: same_class(x, KIND, 0.7, 0.2),
    "same_class, with replacement": lambda x: same_class(x, KIND, 0.7, 0.2, distinct=False),
    "held_by": lambda x: held_by(x, WARD),
    "class_tuples": lambda x: groups(class_tuples(x, KIND, 2, jax.random.key(0))),
    "two_modalities": lambda x: two_modalities(x, x, WARD),
}


def alike(found, wanted):
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """The same rows as files and objects of many kinds, read a few at a time."""
    folder = tmp_path_factory.mktemp("held")
    np.save(folder / "x.npy", X)
    with h5py.File(folder / "x.h5", "w") as file:
        file["X"] = X
    zarr.save_array(folder / "x.zarr", X)
    anndata = pytest.importorskip("anndata")
    with h5py.File(folder / "x.h5") as file:
        yield {
            ".npy": folder / "x.npy",
            "text": str(folder / "x.h5"),
            "memmap": np.load(folder / "x.npy", mmap_mode="r"),
            "hdf5": file["X"],
            "zarr": zarr.open_array(folder / "x.zarr"),
            "csr": sparse.csr_array(X),
            "coo": sparse.coo_array(X),
            "dask": dask_array.from_array(X, chunks=(7, 4)),
            "source": open_source(folder / "x.h5"),
            "pandas": pd.DataFrame(X, columns=list("abcd")),
            "anndata": anndata.AnnData(sparse.csr_matrix(X)),
        }


@pytest.mark.parametrize("maker", MAKERS)
def test_rows_of_any_kind_make_the_pairs_of_the_same_array(held, maker, monkeypatch):
    wanted = MAKERS[maker](X)
    monkeypatch.setattr(averages, "MOST", 16)
    monkeypatch.setattr(centring, "AT_ONCE", 64)
    for data in held.values():
        alike(MAKERS[maker](data), wanted)


@pytest.mark.parametrize("kind", [".npy", ".h5", ".zarr", "memmap", "dask"])
@pytest.mark.parametrize("by", [None, WARD])
def test_groups_of_any_kind_make_the_pairs_of_the_same_array(kind, by, tmp_path, monkeypatch):
    file, wanted = tmp_path / f"x{kind}", groups(VIEWS, by)
    monkeypatch.setattr(centring, "AT_ONCE", 60)
    data = {"dask": dask_array.from_array(VIEWS, chunks=(7, 3, 4))}.get(kind, file)
    if kind == ".h5":
        with h5py.File(file, "w") as opened:
            opened["X"] = VIEWS
    elif kind == ".zarr":
        zarr.save_array(file, VIEWS)
    elif kind != "dask":
        np.save(tmp_path / "x.npy", VIEWS)
        data = np.load(tmp_path / "x.npy", mmap_mode="r") if kind == "memmap" else file
    alike(groups(data, by), wanted)
    alike(held_by(data, WARD), held_by(VIEWS, WARD))


def test_what_tells_of_rows_may_be_a_column_of_the_data(tmp_path):
    file, views = tmp_path / "table.csv", tmp_path / "views.h5"
    TABLE.to_csv(file, index=False)
    with h5py.File(views, "w") as opened:
        opened["X"], opened["ward"] = VIEWS, WARD.astype("S1")
    source = ["kind", "ward", "weight"]
    for rows in (open_source(TABLE, columns=source), open_source(file, columns=source)):
        alike(with_label(rows, "kind", "ward"), with_label(X, KIND, WARD))
        alike(same_class(rows, "kind"), same_class(X, KIND))
        alike(same_instance(rows, "ward"), same_instance(X, WARD))
        alike(same_instance(rows, weights="weight"), same_instance(X, weights=WEIGHT))
        alike(stream_moments(rows, weights="weight"), same_instance(X, weights=WEIGHT))
        alike(held_by(rows, "ward"), held_by(X, WARD))
        alike(two_modalities(rows, X, "ward"), two_modalities(X, X, WARD))
    TABLE[["a", "b", "kind", "ward"]].to_csv(file, index=False)
    alike(with_label(file, "kind", "ward"), with_label(X[:, :2], KIND, WARD))
    alike(groups(views, "ward"), groups(VIEWS, WARD))


def test_a_column_that_is_named_is_no_feature():
    alike(with_label(TABLE[["a", "b", "kind"]], "kind"), with_label(X[:, :2], KIND))
    alike(same_class(TABLE[["a", "b", "kind"]], "kind"), same_class(X[:, :2], KIND))
    alike(
        same_instance(TABLE[["a", "weight"]], weights="weight"),
        same_instance(X[:, :1], weights=WEIGHT),
    )
    labelled = TABLE[["a", "b"]].assign(label=np.arange(150) % 3)
    assert same_instance(labelled).mean.shape == (2,)  # one rule for tables: `label` is none


def test_labels_may_be_a_file(tmp_path):
    np.save(tmp_path / "labels.npy", KIND)
    alike(with_label(X, tmp_path / "labels.npy"), with_label(X, KIND))
    alike(same_class(X, str(tmp_path / "labels.npy")), same_class(X, KIND))


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: with_label(X, "kind"), "labels must be a column of the data .they have none., a "),
        (lambda: same_class(X, "kind"), "labels must be a column of the data"),
        (lambda: with_label(TABLE[["a", "kind"]], "kin"), "data has no column 'kin'"),
        (lambda: same_instance(X, "ward"), "by must be a column .* or names .n,.; got 'ward'"),
        (lambda: groups(VIEWS, "ward"), "by must be a column"),
        (lambda: same_instance(X, weights="w"), "weights must be a column"),
        (lambda: same_instance(X, WARD, weights=WEIGHT), "weights must be None with by"),
        (lambda: same_instance(X, weights=WEIGHT[:5]), r"weights must be \(150,\), one for each"),
        (lambda: same_instance(X, weights=-WEIGHT), "weights must be finite and >= 0; got -0.5"),
        (lambda: same_instance(X, weights=0 * WEIGHT), "weights must not all be 0"),
        (lambda: jax.jit(lambda w: same_instance(X, weights=w))(WEIGHT), "weights must be concre"),
        (lambda: groups(sparse.csr_array(X)), r"x must be \(n, J, d\)"),
        (lambda: groups(np.lib.stride_tricks.as_strided(VIEWS)[:, :1]), "x must have J >= 2"),
    ],
)
def test_what_is_asked_for_and_is_not_there_is_said(make, match):
    with pytest.raises(ValueError, match=match):
        make()


@pytest.mark.parametrize("at", [(0, 0, 0), (100, 2, 1)])
def test_a_bad_number_in_one_block_of_groups_is_named(at, tmp_path, monkeypatch):
    monkeypatch.setattr(centring, "AT_ONCE", 60)
    values = VIEWS.copy()
    values[at] = np.nan
    np.save(tmp_path / "x.npy", values)
    with pytest.raises(ValueError, match=rf"x must be finite; .* first at \({at[0]}, {at[1]}, "):
        groups(tmp_path / "x.npy")


def test_weights_are_those_of_stream_moments_and_equal_ones_are_none():
    alike(same_instance(X, weights=WEIGHT), stream_moments(X, weights=WEIGHT))
    repeated = np.repeat(np.arange(150), (2 * WEIGHT).astype(int))
    counted = same_instance(X, weights=WEIGHT)
    alike(counted.shared, same_instance(X[repeated]).shared)
    assert counted.count == pytest.approx(WEIGHT.sum() ** 2 / (WEIGHT**2).sum())
    for a, b in zip(
        jax.tree.leaves(same_instance(X, weights=np.full(150, 3.0))),
        jax.tree.leaves(same_instance(X)),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


def test_traced_rows_make_the_same_class_pairs():
    for distinct in (True, False):
        wanted = same_class(X, KIND, 0.7, 0.2, distinct=distinct)
        alike(jax.jit(lambda x, d=distinct: same_class(x, KIND, 0.7, 0.2, distinct=d))(X), wanted)
    hot = linssl.pairs.one_hot(KIND)
    found = jax.jit(lambda y: SemanticPairs.from_labels(X, y))(hot)
    alike(found, SemanticPairs.from_labels(X, KIND))
    alike(jax.jit(groups)(VIEWS), groups(VIEWS))


def test_known_rows_are_summed_on_the_host_inside_of_a_trace_too():
    wanted = same_class(X, KIND, 0.7, 0.2).shared
    alike(jax.jit(lambda p: same_class(X, KIND, p, 0.2).shared)(0.7), wanted)
    traced_law = lambda a: same_class(X, KIND, 0.7, 0.2, lambda f: a * jnp.outer(f, f)).shared  # noqa: E731
    alike(jax.jit(traced_law)(1.0), wanted)


MOST = 0.4  # of the rows in double, beside blocks


@pytest.mark.parametrize("maker", ["with_label", "same_class", "groups"])
def test_no_copy_of_all_rows_is_made(maker, tmp_path, monkeypatch):
    n, d = 24_000, 32
    np.save(tmp_path / "x.npy", np.ones((n, d), np.float32) * np.arange(d))
    rows = np.load(tmp_path / "x.npy", mmap_mode="r+")
    monkeypatch.setattr(averages, "MOST", 256)
    monkeypatch.setattr(centring, "AT_ONCE", 2**13)
    labels = np.arange(n) % 4
    make = {
        "with_label": lambda: with_label(rows, labels),
        "same_class": lambda: same_class(rows, labels),
        "groups": lambda: groups(rows.reshape(-1, 2, d)),
    }[maker]
    make()
    tracemalloc.start()
    make()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MOST * 8 * n * d
