"""`linssl diagnose`, as a user types it, and as a hostile one does."""

import json
import os
import warnings
import zipfile
from pathlib import Path

import cells
import numpy as np
import pytest

import linssl
from linssl.cli import main
from linssl.diagnosis.opened import open_data

VIEWS = """
import time
import numpy as np
print("loud")
def noisy(x):
    return x + np.random.standard_normal(x.shape)
def broken(x):
    return 1 / 0
def hanging(x):
    while True:
        pass
def shrinking(x):
    return x[:-1]
def nan(x):
    return x * np.nan
def masked(x):
    return np.ma.masked_array(x, x > 0)
def lazy(x):
    return (value for value in x)
def named(x):
    return {"x": x}
def ragged(x):
    return [[1], [1, 2]]
def ending(x):
    import os
    os._exit(3)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((512, 8)) * np.arange(1, 9), np.arange(512) % 2
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", y)
    np.savez(tmp_path / "both.npz", X=X + 3 * y[:, None], y=y)
    (tmp_path / "myviews.py").write_text(VIEWS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capfd, text):
    main(["diagnose", *text.split()])
    return capfd.readouterr().out


def test_json_is_all_that_is_printed_and_a_view_may_be_loud(folder, capfd):
    record = json.loads(run(capfd, "x.npy --view myviews:noisy --dim 2 --json"))
    assert record["recommendation"] == "either"  # isotropic noise: both are PCA
    assert record["augmentation"] == "myviews:noisy, 8 views of each"
    assert record["samples"] == 512


def test_labels_come_from_the_data_or_a_file_or_not_at_all(folder, capfd):
    for text, labels in (
        ("both.npz", "2 classes"),
        ("both.npz --labels none --dim 2", "none"),
        ("x.npy --labels y.npy --numeric", "1 numeric target, scaled to variance 1"),
    ):
        assert json.loads(run(capfd, f"{text} --json"))["labels"] == labels


def test_words_and_a_page_are_written(folder, capfd):
    out = run(capfd, "both.npz --html report.html")
    assert "What to do next" in out
    assert "Report with figures: report.html" in out
    assert "<h2>What to do next</h2>" in (folder / "report.html").read_text()


def test_the_name_of_the_page_is_no_markup_and_is_not_wrapped(folder, capfd):
    name = f"[red]{'long' * 40}[x].html"
    out = run(capfd, f"both.npz --dim 1 --html {name}")
    assert out.endswith(f"Report with figures: {name}\n")
    assert (folder / name).is_file()


def test_a_page_that_cannot_be_written_costs_no_words(folder, capfd, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    for options, words in (("", "What to do next"), ("--json", '"recommendation"')):
        with pytest.raises(SystemExit, match=r"error: \[Errno 28\] No space left on device"):
            main(["diagnose", *f"both.npz --dim 1 --html report.html {options}".split()])
        assert words in capfd.readouterr().out


def test_a_page_where_nobody_may_write_is_refused_before_the_work(folder, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    with pytest.raises(SystemExit, match=r"html must be a file that can be written; report\.html"):
        main(["diagnose", "nope.npy", "--html", "report.html"])


def claim(path, shape):
    """A .npy whose header claims more than the file holds."""
    with path.open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        file.write(b"\0" * 80)


def test_a_header_that_claims_ten_gigabytes_is_refused(folder):
    claim(folder / "big.npy", (1_250_000, 1000))
    with zipfile.ZipFile(folder / "big.npz", "w") as archive:
        archive.write(folder / "big.npy", "X.npy")
    for name in ("big.npy", "big.npz"):
        with pytest.raises(SystemExit, match=r"claims an array of \(1250000, 1000\), 10 GB"):
            main(["diagnose", name])


class Bomb:
    def __reduce__(self):
        import os

        return os.mkdir, ("executed",)


def test_a_pickle_is_never_executed(folder):
    np.savez(folder / "bomb.npz", X=np.array([[Bomb()]], dtype=object))
    np.save(folder / "bomb.npy", np.array([Bomb()], dtype=object))
    for text in ("bomb.npz", "x.npy --labels bomb.npy"):
        with pytest.raises(SystemExit, match=r"pickled, which may run|allow_pickle=False"):
            main(["diagnose", *text.split()])
    assert not (folder / "executed").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("--view myviews:broken", r"failed: ZeroDivisionError: division by zero \(.*line 8\)"),
        ("--view myviews:hanging --view-timeout 0.5", "hangs: one call took more than 0.5 s"),
        ("--view myviews:shrinking", r"as many values as it gets, 8, shape \(8,\); got shape"),
        ("--view myviews:nan", "view must return finite numbers; got NaN or inf"),
        ("--view myviews:masked", "none masked; got MaskedArray with masked entries"),
        ("--view myviews:lazy", "array of real numbers, none masked; got generator of object"),
        ("--view myviews:named", "array of real numbers, none masked; got dict of object"),
        ("--view myviews:ragged", "array of real numbers, none masked; got list: .*inhomogeneous"),
        ("--view myviews:noisy --seed -1", "seed must be a whole number >= 0; got -1"),
        (
            "--view myviews:noisy --seed 4294967296",
            "seed must be a whole number from 0 to 4294967295",
        ),
        ("--view myviews:ending", "ended its own process"),
        ("--view myviews:absent", "failed: AttributeError: module 'myviews' has no"),
        ("--view nowhere:view", "failed: ModuleNotFoundError: No module named 'nowhere'"),
        ("--view worker:main", "failed: ModuleNotFoundError: No module named 'worker'"),
        ("--view myviews", "view must be module:function; got 'myviews'"),
        ("--view myviews:noisy --view-timeout 0", "view_timeout must be > 0 seconds"),
        ("--image 2by3", "image must be a shape such as 28x28"),
        (
            "--labels z",
            r"labels must be a column of the data \(they have none\), a file .* got 'z'",
        ),
        ("--group z", "groups must be a column of the data .* got 'z'"),
        ("--batch z", "batch must be a column of the data .* got 'z'"),
        ("--batch y.npy --batch y.npy", r"batch must name each column once; got 'y\.npy' twice"),
        ("--labels y.npy --batch y.npy", r"batch 'y\.npy' must be other than labels"),
        ("--layer raw", "x.npy holds one array: layer must be None; got 'raw'"),
        ("--html .", "html must be a file to be written; . is a folder"),
        ("--html nowhere/report.html", "html must be in a folder that exists"),
    ],
)
def test_bad_input_is_one_line_not_a_traceback(folder, text, message):
    with pytest.raises(SystemExit, match=f"error: .*{message}"):
        main(["diagnose", "x.npy", *text.split()])


@pytest.mark.parametrize("text", ["nope.npy", "x.npy --labels nope.npy"])
def test_a_file_that_is_not_there_is_named(folder, text):
    with pytest.raises(SystemExit, match=r"error: .*nope\.npy"):
        main(["diagnose", *text.split()])


def test_columns_of_a_file_are_labels_groups_and_batches(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    cells.write("h5ad", tmp_path)
    np.save("plate.npy", cells.PLATE)
    asked = "--layer X --labels kind --group donor --dim 2 --batch plate --batch plate.npy --json"
    record = json.loads(run(capfd, f"cells.h5ad {asked}"))
    assert (record["groups"], record["labels"]) == (40, "3 classes (kind)")
    plate, again = record["batches"]
    assert (plate["name"], again["name"]) == ("plate", "plate.npy")
    assert plate["share"] == again["share"]
    options = {"layer": "X", "groups": "donor", "batch": ["plate", "plate.npy"], "dim": 2}
    assert record == json.loads(linssl.diagnose("cells.h5ad", "kind", **options).to_json())


PBMC = Path(os.environ.get("LINSSL_DATA", "nowhere"), "pbmc.h5ad")


@pytest.mark.skipif(not PBMC.is_file(), reason="needs pbmc.h5ad in $LINSSL_DATA")
def test_cells_name_their_genes_and_the_layout_of_the_file_makes_no_difference(tmp_path, capfd):
    text = f"{PBMC} --layer raw --labels bulk_labels --batch phase"
    record = json.loads(run(capfd, f"{text} --json"))
    (phase,) = record["batches"]
    cycle = {"STMN1", "HMGB2", "PCNA"}  # genes of the cell cycle, as phase is one of it
    assert {f["name"] for f in phase["features"][:3]} == cycle
    assert 0.01 < phase["share"] < 0.025
    assert {"CST3", "LYZ"} < {f["name"] for f in record["named_features"]["joint_embedding"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import anndata
        import pandas as pd

        with pd.option_context("future.infer_string", False):  # anndata writes no other text
            anndata.read_h5ad(PBMC).write_h5ad(tmp_path / "today.h5ad")
    asked = {"labels": "bulk_labels", "batch": "phase", "layer": "raw"}
    old, new = (open_data(path, **asked) for path in (PBMC, tmp_path / "today.h5ad"))
    assert old.names == new.names
    np.testing.assert_array_equal(old.rows.values.toarray(), new.rows.values.toarray())
    np.testing.assert_array_equal(old.batches["phase"], new.batches["phase"])
    np.testing.assert_array_equal(old.labels, new.labels)
