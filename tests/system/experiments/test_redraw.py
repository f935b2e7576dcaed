"""A figure can be drawn again from its numbers on disk, and is the same."""

import importlib
import json
import shutil

import numpy as np
import pytest
from PIL import Image
from scripts import run_experiment

from experiments.shared import result
from linssl.plotting import house_style
from tools.figures.gallery import REFERENCE, experiments
from tools.figures.renew import picture


def difference_from_the_kept(name, found, tmp_path):
    """The size of a drawing less that of the picture kept, and what a pixel differs by, of 255."""
    draw = importlib.import_module(f"experiments.{name}").draw
    with house_style():
        draw(found).savefig(tmp_path / f"{name}.png")
    drawn = picture(tmp_path / f"{name}.png", found.caption).convert("RGB")
    with Image.open(REFERENCE / f"{name}.png") as image:
        kept = image.convert("RGB")
    size = np.minimum(drawn.size, kept.size)
    pixels = [np.asarray(x.crop((0, 0, *size)), float) for x in (drawn, kept)]
    return np.subtract(drawn.size, kept.size), np.mean(np.abs(pixels[0] - pixels[1]))


@pytest.mark.parametrize("name", experiments())
def test_the_reference_redrawn_is_the_picture_that_is_kept(name, tmp_path):
    size, pixel = difference_from_the_kept(name, result.read(REFERENCE, name), tmp_path)
    assert not size.any()
    assert pixel < 1  # 0 with one matplotlib; another may set letters a little differently


def test_a_drawing_of_other_numbers_is_another_picture(tmp_path):
    found = result.read(REFERENCE, "sample_size")
    found.table["distance"] = found.table["distance"].to_numpy()[::-1]
    assert difference_from_the_kept("sample_size", found, tmp_path)[1] > 1


@pytest.mark.x64
def test_a_run_redrawn_gives_the_same_bytes_and_solves_nothing(digits_folder, tmp_path):
    name = "phase_diagram"
    numbers = [*digits_folder.glob(f"{name}*.csv"), digits_folder / f"{name}.json"]
    for file in numbers:
        shutil.copy(file, tmp_path)
    run_experiment(name, tmp_path, "nonesuch", "--redraw")  # of data that aren't there
    for suffix in ("png", "pdf"):
        file = f"{name}.{suffix}"
        assert (tmp_path / file).read_bytes() == (digits_folder / file).read_bytes()
    for file in numbers:
        assert (tmp_path / file.name).read_bytes() == file.read_bytes()


def test_without_numbers_there_is_nothing_to_redraw(tmp_path):
    done = run_experiment("phase_diagram", tmp_path, "digits", "--redraw", check=False)
    assert done.returncode == 1
    assert "error: no phase_diagram.json in" in done.stderr
    assert "run without --redraw first" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_written_is_what_is_read(tmp_path):
    from experiments import shared

    grid = {"samples": (np.inf, 1000), "kind": ("none", "both")}
    table = shared.tidy(grid, value=np.array([[1 / 3, np.nan], [-np.inf, 1e-300]]))
    more = {"theory": shared.tidy({"x": [1, 2]}, y=np.array([0.1, 0.2]))}
    record = {"caption": "As it is.", "data": "path/to/set.npz", "seeds": 3}
    result.write(tmp_path, "one", shared.Result(table, record, more))
    found = result.read(tmp_path, "one")
    assert [*found.table] == ["samples", "kind", "value"]
    assert found.table["kind"].tolist() == ["none", "both", "none", "both"]
    for column in ("samples", "value"):  # numbers have 9 digits on disk
        np.testing.assert_allclose(found.table[column], table[column], rtol=1e-8)
    np.testing.assert_array_equal(found.more["theory"], more["theory"])
    assert found.caption == "As it is."
    assert found.data == "set"
    assert record.items() <= found.record.items()
    assert [*found.record["tables"]] == ["one", "one_theory"]
    assert found.record["tables"]["one"] == {"rows": 4, "columns": ["samples", "kind", "value"]}
    assert json.loads((tmp_path / "one.json").read_text())["drawn"] == {}


@pytest.mark.parametrize(
    ("file", "spoil", "message"),
    [
        (
            "sample_size.csv",
            lambda text: text[: len(text) // 2],
            r"must have 180 rows of .*; got \d+",
        ),
        ("sample_size.csv", lambda _: "", "must have 180 rows .*got 0 of nothing"),
        ("sample_size.csv", lambda _: "a,b\n1,2\n", "got 1 of a, b"),
        ("sample_size.json", lambda text: text[:100], "must be the record of sample_size"),
        ("sample_size.json", lambda _: "[]", "must be the record of sample_size"),
        ("sample_size.json", lambda text: text.replace("sample_size", "dynamics", 1), "the record"),
    ],
)
def test_damaged_numbers_are_not_drawn(tmp_path, file, spoil, message):
    for suffix in ("csv", "json"):
        shutil.copy(REFERENCE / f"sample_size.{suffix}", tmp_path)
    (tmp_path / file).write_text(spoil((tmp_path / file).read_text()))
    with pytest.raises(ValueError, match=message):
        result.read(tmp_path, "sample_size")
