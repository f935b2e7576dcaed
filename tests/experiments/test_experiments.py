"""The figures show what the theory claims, read from the numbers that were plotted."""

import json

import numpy as np
import pytest
from conftest import read_table, run_experiment

import linssl

# Experiments set double precision themselves; once is enough.
pytestmark = [pytest.mark.x64, pytest.mark.timeout(240)]

FALLS, FLAT = "falls", "flat"
VERDICTS = {
    **{("supervised", noise, a): FALLS for noise in ("weak", "strong") for a in (0.1, 1, 10)},
    **{("joint_embedding", noise, 0.1): FLAT for noise in ("weak", "strong")},
    **{("joint_embedding", noise, a): FALLS for noise in ("weak", "strong") for a in (1, 10)},
    **{("reconstruction", "weak", a): FALLS for a in (0.1, 1, 10)},
    **{("reconstruction", "strong", a): FLAT for a in (0.1, 1)},
    ("reconstruction", "strong", 10): FALLS,
}


def curve(rows, objective, noise, alpha):
    chosen = [
        row
        for row in rows
        if row["objective"] == objective and row["noise"] == noise and float(row["alpha"]) == alpha
    ]
    chosen.sort(key=lambda row: int(row["n"]))
    return [int(r["n"]) for r in chosen], np.array([float(r["distance"]) for r in chosen])


def verdict(distance):
    """Falls, flat, or neither (None)."""
    if distance[-1] <= distance.max() / 5 and distance[-3] > distance[-2] > distance[-1]:
        return FALLS
    return FLAT if distance[-1] >= distance[0] / 3 else None


def test_there_are_18_verdicts():
    assert len(VERDICTS) == 18


def test_sample_size_has_all_18_verdicts_of_the_seed(sample_size_folder):
    rows = read_table(sample_size_folder / "sample_size.csv")
    assert list(rows[0]) == ["objective", "noise", "alpha", "n", "distance", "se"]
    found = {}
    for key in VERDICTS:
        sizes, distance = curve(rows, *key)
        assert sizes == [100 * 2**i for i in range(10)]
        found[key] = verdict(distance)
    assert found == VERDICTS


def test_sample_size_says_which_sizes_are_resampled_and_has_errors(sample_size_folder):
    record = json.loads((sample_size_folder / "sample_size.json").read_text())
    first = record["resampled_n"][0]
    assert f"n >= {first:,} draws" in record["caption"]
    assert record["seeds"] >= 5
    errors = [float(r["se"]) for r in read_table(sample_size_folder / "sample_size.csv")]
    assert min(errors) > 0


def test_measured_alignment_is_within_one_percent_of_theory_everywhere(digits_folder):
    rows = read_table(digits_folder / "alignment_threshold.csv")
    for objective in ("joint_embedding", "reconstruction"):
        for case in ("diagonal", "rotated"):
            here = [r for r in rows if (r["objective"], r["case"]) == (objective, case)]
            assert len(here) >= 20
            ratio = [float(r["alpha_measured"]) / float(r["alpha_theory"]) for r in here]
            np.testing.assert_allclose(ratio, 1, atol=0.01)


def test_population_phase_diagram_agrees_with_the_thresholds_cell_by_cell(digits_folder):
    rows = [r for r in read_table(digits_folder / "phase_diagram.csv") if r["samples"] == "inf"]
    data = linssl.load_dataset("digits").X_train
    variances = np.sort(np.linalg.eigvalsh(np.cov(data.T, bias=True)))[::-1][:10]
    lam = variances / variances[-1]
    expected = {}
    for noise in {r["noise_variance"] for r in rows}:
        t = linssl.alignment_thresholds(lam, [float(noise)], 0.6, 0.006)
        expected[noise] = float(t.joint_embedding_squared), float(t.reconstruction_squared)
    names = {(0, 0): "none", (1, 0): "JE only", (0, 1): "RC only", (1, 1): "both"}
    assert len(rows) == 1600
    for row in rows:
        square = float(row["alpha"]) ** 2
        thresholds = expected[row["noise_variance"]]
        if min(abs(square - t) for t in thresholds) > 1e-4:  # 6 digits in the CSV
            assert row["region"] == names[tuple(int(square > t) for t in thresholds)]


def test_every_figure_has_its_four_files_and_provenance(digits_folder):
    for name in ("alignment_threshold", "phase_diagram"):
        assert (digits_folder / f"{name}.pdf").read_bytes().startswith(b"%PDF")
        assert (digits_folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        record = json.loads((digits_folder / f"{name}.json").read_text())
        assert {"caption", "data", "data_sha256", "dtype", "device", "versions"} <= set(record)
        assert record["dtype"] == "float64"


def test_two_runs_give_the_same_bytes(digits_folder, tmp_path):
    run_experiment("phase_diagram", tmp_path)
    for suffix in ("csv", "pdf"):
        name = f"phase_diagram.{suffix}"
        assert (tmp_path / name).read_bytes() == (digits_folder / name).read_bytes()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("nonesuch", "error: data set 'nonesuch' is unknown; known here: digits"),
        ("missing.npz", "error: no file at missing.npz"),
    ],
)
def test_unknown_data_is_one_line_not_a_traceback(tmp_path, data, message):
    done = run_experiment("phase_diagram", tmp_path, data, check=False)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_data_without_labels_and_with_few_features_still_run(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "X.npy", rng.standard_normal((400, 24)) * np.geomspace(1, 0.2, 24))
    run_experiment("sample_size", tmp_path, tmp_path / "X.npy")
    assert len(read_table(tmp_path / "sample_size.csv")) == 180


def test_data_of_too_low_rank_is_refused(tmp_path):
    X = np.random.default_rng(0).standard_normal((50, 2)) @ np.ones((2, 30))
    np.save(tmp_path / "X.npy", X)
    done = run_experiment("sample_size", tmp_path, tmp_path / "X.npy", check=False)
    assert "must have rank >= 15" in done.stderr
