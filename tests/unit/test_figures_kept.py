"""What is kept of figures is whole, and new figures that differ from it are found."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from tools.figures.compare import differences
from tools.figures.gallery import REFERENCE, about, experiments, sections
from tools.figures.renew import LIMIT, renew

TABLE = """name,x,distance,se,region,map
theory,1,inf,0,JE,3.5
theory,2,0.123456789,0,RC,4.5
theory,3,1e-17,0,RC,4.5
measured,1,0.2,0.01,RC,5.5
measured,2,-0.5,nan,RC,6.5
"""
RECORD = {
    "data": "digits",
    "data_sha256": "abc",
    "tables": ["one", "one_more"],
    "drawn": {"distance": "se", "region": None, "map": None},
}


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A figure, and the same kept as reference."""
    monkeypatch.setattr("tools.figures.compare.experiments", lambda: ["one"])
    both = tmp_path / "made", tmp_path / "kept"
    for folder in both:
        folder.mkdir()
        (folder / "one.json").write_text(json.dumps(RECORD))
        for table in RECORD["tables"]:
            (folder / f"{table}.csv").write_text(TABLE)
    return both


def edited(file, old, new):
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


def test_equal_figures_have_no_differences(folders):
    assert differences(*folders) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.123456789", "0.123456790"),  # rounding: less than a millionth
        ("1e-17", "-3e-16"),  # zero, beside the column's other numbers
        ("0.2,0.01", "0.219,0.01"),  # a draw, within two of its errors
        ("0.2,0.01", "0.2,0.014"),  # and its error, within half of itself
        ("0.01,RC,5.5", "0.01,JE,-5.5"),  # what rounding may change at will
    ],
)
def test_what_rounding_may_change_is_no_difference(folders, old, new):
    edited(folders[0] / "one.csv", old, new)
    assert differences(*folders) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "0.123456789",
            "0.123469135",
            "one.csv: distance in row 3 is 0.123469135",
        ),
        ("inf", "1e300", "one.csv: distance in row 2 is 1e300, not inf"),
        ("inf", "nan", "one.csv: distance in row 2 is nan, not inf"),
        ("1e-17", "1e-7", "one.csv: distance in row 4 is 1e-7, not 1e-17"),
        ("0.2,0.01", "0.23,0.01", "one.csv: distance in row 5 is 0.23, not 0.2 (± 2.0e-02)"),
        ("0.2,0.01", "0.17,0.01", "one.csv: distance in row 5 is 0.17, not 0.2 (± 2.0e-02)"),
        ("0.2,0.01", "0.2,0.03", "one.csv: se in row 5 is 0.03, not 0.01"),
        ("-0.5,nan", "-0.50005,nan", "one.csv: distance in row 6 is -0.50005, not -0.5"),
        ("measured,1", "measured,1.0001", "one.csv: x in row 5 is 1.0001, not 1"),
        ("theory,1", "theorie,1", "one.csv: name in row 2 is theorie, not theory"),
        ("se,region", "error,region", "one.csv: columns are name, x, distance, error, region, map"),
        ("theory,1,inf,0,JE,3.5\n", "", "one.csv: has 4 rows, not 5"),
    ],
)
@pytest.mark.parametrize("side", ["made", "kept"])
def test_a_number_of_either_table_that_is_changed_is_found(folders, side, old, new, message):
    made, kept = folders
    edited((made if side == "made" else kept) / "one.csv", old, new)
    (found,) = differences(made, kept)
    if side == "made":
        assert found.startswith(message)
    assert found.startswith("one.csv: ")


def test_more_than_one_changed_number_of_a_column_are_counted(folders):
    made = folders[0] / "one.csv"
    made.write_text(made.read_text().replace("theory", "theorie"))
    (found,) = differences(*folders)
    assert found.endswith(", and 2 more")


@pytest.mark.parametrize("file", ["one.csv", "one_more.csv", "one.json"])
def test_a_missing_file_is_found(folders, file):
    (folders[0] / file).unlink()
    (found,) = differences(*folders)
    assert found.endswith("isn't there")
    assert file in found


def test_figures_without_reference_and_references_without_figure_are_found(folders):
    made, kept = folders
    (kept / "one.json").rename(kept / "other.json")
    assert differences(made, kept) == [
        f"{kept / 'one.json'} isn't there",
        f"{made / 'other.json'} isn't there",
    ]


@pytest.mark.parametrize(("key", "value"), [("data", "mnist"), ("data_sha256", "xyz")])
def test_figures_of_other_data_are_not_compared(folders, key, value):
    (folders[0] / "one.json").write_text(json.dumps(RECORD | {key: value}))
    (found,) = differences(*folders)
    assert found == f"one: {key} is {value}, not {RECORD[key]}"


def test_renewed_figures_are_those_made_and_pictures_lose_their_caption(tmp_path, monkeypatch):
    monkeypatch.setattr("tools.figures.renew.experiments", lambda: ["one"])
    made, kept = tmp_path / "made", tmp_path / "kept"
    for folder in (made, kept):
        folder.mkdir()
    (kept / "old.csv").write_text(TABLE)
    (made / "one.json").write_text(json.dumps(RECORD | {"caption": "two lines " * 20}))
    for table in RECORD["tables"]:
        (made / f"{table}.csv").write_text(TABLE)
    pixels = np.full((300, 400, 3), 255, np.uint8)
    pixels[50:150], pixels[250:290] = 0, 30  # panels, and a caption of (2 * 8.5 + 8) / 72 inches
    Image.fromarray(pixels).save(made / "one.png")
    renew(made, kept)
    assert sorted(f.name for f in kept.iterdir()) == sorted(f.name for f in made.iterdir())
    for file in ("one.json", "one.csv", "one_more.csv"):
        assert (kept / file).read_bytes() == (made / file).read_bytes()
    with Image.open(kept / "one.png") as image:
        assert 150 < image.height <= 300 - round(25 / 72 * 200)
        assert image.convert("RGB").getextrema() == ((0, 255),) * 3


def test_figures_of_other_data_are_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("tools.figures.renew.experiments", lambda: ["one"])
    (tmp_path / "one.json").write_text(json.dumps(RECORD | {"data": "mnist"}))
    with pytest.raises(SystemExit, match="one is of mnist; the reference is of digits"):
        renew(tmp_path, tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_the_gallery_shows_every_experiment_and_how_to_make_it():
    assert sorted(sections()) == experiments()
    for name, text in sections().items():
        picture, sentence, command = text.split("\n\n")
        assert picture == f"![{about(name)}](reference/{name}.png)"
        assert re.fullmatch(r"\S.*\.", sentence, re.S)
        assert command.startswith(f"`make figures/{name}.pdf`")
        assert f"](../experiments/{name}.py)" in command


def test_the_reference_has_every_experiment_of_digits_and_small_pictures():
    records = [json.loads(file.read_text()) for file in REFERENCE.glob("*.json")]
    assert sorted(record["figure"] for record in records) == experiments()
    assert {record["data"] for record in records} == {"digits", "simulated"}
    tables = {f"{table}.csv" for record in records for table in record["tables"]}
    pictures = {f"{name}.png" for name in experiments()}
    kept = {file.name for file in REFERENCE.iterdir()}
    assert kept == tables | pictures | {f"{name}.json" for name in experiments()}
    assert all((REFERENCE / picture).stat().st_size <= LIMIT for picture in pictures)


def test_columns_that_are_drawn_have_their_errors_beside_them():
    for file in REFERENCE.glob("*.json"):
        record = json.loads(file.read_text())
        headers = [
            (REFERENCE / f"{t}.csv").read_text().partition("\n")[0].split(",")
            for t in record["tables"]
        ]
        for column, error in record["drawn"].items():
            at = [header for header in headers if column in header]
            assert at, (file, column)
            assert all(error is None or error in header for header in at), (file, column)
