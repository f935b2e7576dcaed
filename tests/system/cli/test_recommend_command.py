"""`linssl recommend`, as a user types it."""

import json

import numpy as np
import pytest

from linssl.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    y, plate = rng.integers(0, 2, 200), rng.integers(0, 4, 200)
    X = rng.standard_normal((200, 4)) + 3 * y[:, None] * np.eye(4)[0] + 2 * np.eye(4)[plate]
    lines = ["a,b,c,d,plate,kind"]
    lines += [
        ",".join(f"{v:.4f}" for v in x) + f",p{p},{'ill' if label else 'well'}"
        for x, p, label in zip(X, plate, y, strict=True)
    ]
    (tmp_path / "cells.csv").write_text("\n".join(lines))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capfd, text):
    main(["recommend", *text.split()])
    return capfd.readouterr().out


def test_a_table_with_labels_and_a_nuisance_gets_a_setting(folder, capfd):
    text = "cells.csv --labels kind --nuisance plate --dim 1"
    found = json.loads(run(capfd, f"{text} --json --html report.html"))
    one = found["recommended"]
    assert one["paradigm"] in ("joint_embedding", "reconstruction")
    assert one["dim"] == 1
    assert one["interval"][0] <= one["accuracy"] <= one["interval"][1]
    assert found["nuisance"]["name"] == "plate"
    assert found["features"] == 4
    assert "Best of each paradigm" in (folder / "report.html").read_text()


@pytest.fixture
def mixed(folder):
    """The cells with a number that names the row, a column of text, and two gaps."""
    lines = (folder / "cells.csv").read_text().splitlines()
    lines = ["id,site," + lines[0]] + [
        f"{i},{'abc'[i % 3]},{line}" for i, line in enumerate(lines[1:])
    ]
    for at in (5, 17):
        cells = lines[at].split(",")
        cells[2] = ""
        lines[at] = ",".join(cells)
    (folder / "mixed.csv").write_text("\n".join(lines))
    return folder


def test_a_table_of_text_and_gaps_is_prepared_as_it_is_asked_to_be(mixed, capfd):
    text = "mixed.csv --labels kind --nuisance plate --drop id --impute median --standardise"
    found = json.loads(run(capfd, f"{text} --dim 1 --json"))
    assert found["features"] == 4 + 3  # numbers, and one for each site
    assert found["nuisance"]["name"] == "plate"
    notes = " ".join(found["notes"])
    for words in ("2 missing values", "site", "mean 0 and variance 1"):
        assert words in notes


def test_gaps_are_refused_where_nothing_says_what_becomes_of_them(mixed):
    with pytest.raises(SystemExit, match="impute"):
        main(["recommend", "mixed.csv", "--labels", "kind", "--drop", "id"])


@pytest.mark.parametrize(
    ("plates", "message"),
    [
        (["p0", "p1"] * 99, r"nuisance must be .*200.* got .*198"),
        (
            ["p0", "p1"] * 99 + ["", "p1"],
            "plate must have no missing labels; got 1 of 200 in",
        ),
        (["p0"] * 200, "nuisance must hold at least two classes"),
    ],
    ids=["too few rows", "a gap", "one level"],
)
def test_a_nuisance_that_doesnt_fit_is_refused_by_its_name(folder, plates, message):
    (folder / "plates.csv").write_text("\n".join(["plate", *(f'"{p}"' for p in plates)]))
    with pytest.raises(SystemExit, match=message):
        main(["recommend", "cells.csv", "--labels", "kind", "--nuisance", "plates.csv"])


def test_what_is_no_column_is_said(folder):
    with pytest.raises(SystemExit, match="has no column 'donor'; it has"):
        main(["recommend", "cells.csv", "--labels", "kind", "--nuisance", "donor"])


def test_a_page_that_cant_be_written_is_refused_before_the_work(folder):
    with pytest.raises(SystemExit, match="html must be in a folder that exists"):
        main(["recommend", "cells.csv", "--labels", "kind", "--html", "nowhere/x.html"])


def test_help_says_what_it_is_for(capfd):
    with pytest.raises(SystemExit):
        main(["recommend", "--help"])
    told = capfd.readouterr().out
    for words in ("--nuisance", "--group", "linssl recommend cells.h5ad"):
        assert words in told
