"""The figures show what the theory claims, read from the numbers that were plotted."""

import json
import os

import jax
import numpy as np
import pytest
from scripts import make_figures, read_table, run_experiment

import linssl

# Experiments set double precision themselves; once is enough.
pytestmark = [pytest.mark.x64, pytest.mark.timeout(240)]

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
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
        if min(abs(square - t) for t in thresholds) > 1e-4:  # and not a matter of rounding
            assert row["region"] == names[tuple(int(square > t) for t in thresholds)]


def test_every_figure_has_its_four_files_and_provenance(digits_folder):
    for name in ("alignment_threshold", "phase_diagram"):
        assert (digits_folder / f"{name}.pdf").read_bytes().startswith(b"%PDF")
        assert (digits_folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        record = json.loads((digits_folder / f"{name}.json").read_text())
        assert {"caption", "data", "data_sha256", "dtype", "device", "versions"} <= set(record)
        assert record["dtype"] == "float64"


def test_a_script_gives_the_same_bytes_again(digits_folder, tmp_path):
    run_experiment("phase_diagram", tmp_path)
    for suffix in ("csv", "pdf"):
        name = f"phase_diagram.{suffix}"
        assert (tmp_path / name).read_bytes() == (digits_folder / name).read_bytes()


def test_unknown_data_is_one_line_not_a_traceback(tmp_path):
    done = run_experiment("phase_diagram", tmp_path, "nonesuch", check=False)
    assert done.returncode == 1
    assert "error: data set 'nonesuch' is unknown; known here: digits" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "ends", "left"),
    [("missing.npz", "^error: .*no file at missing.npz", []), ("X.npy", "^3$", ["rank >= 15"])],
)
def test_data_that_cannot_be_used_are_told(tmp_path, monkeypatch, data, ends, left):
    from experiments import sample_size, shared

    X = np.random.default_rng(0).standard_normal((50, 2)) @ np.ones((2, 30))
    np.save(tmp_path / "X.npy", X)
    out = tmp_path / "out"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["sample_size", "--data", data, "--out", str(out)])
    with pytest.raises(SystemExit, match=ends):
        shared.run("sample_size", sample_size.solve, sample_size.draw, "")
    files = list(out.iterdir()) if out.exists() else []
    assert [file.name for file in files] == ["sample_size.unfit"] * len(left)
    assert all(why in file.read_text() for why, file in zip(left, files, strict=True))


def test_data_without_labels_and_with_few_features_still_run(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "X.npy", rng.standard_normal((400, 24)) * np.geomspace(1, 0.2, 24))
    make_figures(tmp_path, "sample_size", data=tmp_path / "X.npy")
    assert len(read_table(tmp_path / "sample_size.csv")) == 180


def rows_of(folder, name):
    return read_table(folder / f"{name}.csv")


def test_corruptions_cover_the_grid_and_aligning_helps_against_a_background(images_folder):
    rows = rows_of(images_folder, "corruptions")
    columns = ["corruption", "severity", "objective", "dim", "alpha", "accuracy", "se"]
    assert list(rows[0]) == columns
    assert len(rows) == len(rows_of(images_folder, "corruptions_shifts")) == 4 * 5 * 3 * 4 * 8
    curve = {
        (r["objective"], float(r["alpha"])): float(r["accuracy"])
        for r in rows
        if (r["corruption"], r["severity"], r["dim"]) == ("background", "5", "16")
    }
    alphas = sorted({alpha for _, alpha in curve})
    assert alphas == [0, 0.125, 0.25, 0.5, 1, 2, 4, 8]
    enough = {}
    for name in ("joint_embedding", "reconstruction"):
        best = max(curve[name, alpha] for alpha in alphas)
        assert best > curve[name, 0] + 0.1
        enough[name] = min(alpha for alpha in alphas if curve[name, alpha] >= 0.9 * best)
    assert enough["joint_embedding"] <= enough["reconstruction"] / 2
    beside = rows_of(images_folder, "corruptions_beside_quoted")
    at = [r for r in beside if (r["corruption"], r["severity"]) == ("pixelate", "5")]
    assert {r["model"]: float(r["percent"]) for r in at}["MAE"] == 46.8
    ours = {r["model"]: float(r["percent"]) for r in at if r["source"].startswith("here")}
    assert ours.keys() == {"supervised", "joint_embedding", "reconstruction"}


def test_the_probe_of_moments_is_the_librarys_probe():
    from experiments import shared

    data, _ = shared.load_images("digits")
    p = shared.corrupted(data, "background", 3)
    W = np.random.default_rng(0).standard_normal((8, 64))
    with jax.enable_x64(True):
        got = float(shared.probe(W, linssl.with_label(p.x, p.labels), p.test, p.targets))
    want = linssl.metrics.probe_accuracy(W, p.x, data.labels, p.test, data.test_labels, ridge=0.0)
    assert abs(got - want) < 0.005  # a tie or two of 450


def test_semantic_pairs_follow_theory_through_the_measured_points(images_folder):
    rows = rows_of(images_folder, "semantic_pairs")
    columns = ["source", "objective", "p", "q", "alpha", "overlap", "accuracy"]
    assert list(rows[0]) == [*columns, "se_overlap", "se_accuracy"]
    table = {tuple(r[c] for c in columns[:5]): r for r in rows}
    for objective, q, alpha in {(r["objective"], r["q"], r["alpha"]) for r in rows}:
        shares = sorted({float(r["p"]) for r in rows})
        theory, measured = (
            [float(table[s, objective, f"{p:.6g}", q, alpha]["overlap"]) for p in shares]
            for s in ("theory", "simulated")
        )
        assert np.all(np.diff(theory) >= -1e-9)
        assert theory[-1] > 0.999
        assert measured[-1] > 0.99
        # Where half of the classes are kept differs by less than the width of the step.
        half = [np.interp(0.5, np.maximum.accumulate(y), shares) for y in (theory, measured)]
        assert abs(half[0] - half[1]) < 0.1


def test_embeddings_are_ordered_as_in_the_seeds_five_panels(images_folder):
    record = json.loads((images_folder / "embedding.json").read_text())
    sup, sup_bad, je, je_bad, je_aligned = record["accuracy"].values()
    assert min(sup, je) > sup_bad > je_aligned > je_bad + 0.1
    assert {r["label"] for r in rows_of(images_folder, "embedding")} == {str(c) for c in range(10)}


def test_augmentations_have_scores_in_range_and_pca_under_isotropic_noise(images_folder):
    rows = rows_of(images_folder, "augmentations")
    assert len({r["family"] for r in rows}) == 12
    assert all(-1 <= float(r["score"]) <= 1 for r in rows if r["objective"] == "joint_embedding")
    noise = [r for r in rows if r["family"].startswith("noise") and r["index"] == "1"]
    by = {(r["objective"], r["strength"]): r["accuracy"] for r in noise}
    for strength in {s for _, s in by}:
        assert by["joint_embedding", strength] == by["reconstruction", strength]


def test_a_trained_latent_has_the_weights_and_the_pitchfork_of_theory():
    from experiments import one_to_many as experiment

    # As experiments run, with jax's own rules of promotion.
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        key, beta, angle = jax.random.key(0), 0.35, np.deg2rad(30.0)
        found = np.asarray(jax.jit(experiment.weights, static_argnums=0)(500, beta, key))
        use = linssl.theory.water_filling(experiment.ETA, beta)
        threshold = float(linssl.theory.two_modes(experiment.RHO, angle, 1.0).threshold)
        coin = jax.jit(experiment.modes, static_argnums=0)
        told = [float(coin(600, share * threshold, angle, key)) for share in (0.5, 1.4)]
        want = [
            float(linssl.theory.two_modes(1.0, np.pi / 2, 2 * share).order) for share in (0.5, 1.4)
        ]
    # Training of a few seconds is a few hundredths from its optimum; directions are 0 or >= 0.5.
    kept = np.arange(experiment.ETA.size) < experiment.DIM
    np.testing.assert_allclose(found[:-1], kept * np.asarray(use.weight), atol=0.05)
    np.testing.assert_allclose(told, want, atol=0.05)


def test_content_and_style_are_kept_as_the_caption_says(images_folder):
    rows = rows_of(images_folder, "content_style")
    assert list(rows[0]) == ["source", "objective", "dim", "r2_content", "r2_style"]
    r2 = {
        (r["source"], r["objective"], int(r["dim"])): (float(r["r2_content"]), float(r["r2_style"]))
        for r in rows
    }
    by_hand = 4 / 4.2 * 4 / 7, 2 / 2.2 * 2 / 7, 1 / 1.2 / 7  # share read, of a share of all
    for k in range(1, 7):
        je, rc, simvae = (
            r2["population", name, k] for name in ("joint_embedding", "reconstruction", "simvae")
        )
        assert je == r2["population", "plda", k]
        assert abs(je[0] - sum(by_hand[:k])) < 1e-5  # the table has six digits
        assert je[1] <= 1e-10
        if k <= 3:  # content first, although two styles are larger than the last content
            assert simvae == je
        assert rc == r2["population", "pca", k]
    assert simvae == rc
    # On images SimVAE's first codes are the shift, and the classes are read from the others'.
    for k in (2, 4, 8):
        assert r2["images", "simvae", k][1] > 0.7 > 0.2 > r2["images", "joint_embedding", k][1]
        assert r2["images", "simvae", k][0] < r2["images", "joint_embedding", k][0]
    accuracy = rows_of(images_folder, "content_style_accuracy")
    assert len(accuracy) == 24
    assert all(0.1 < float(r["accuracy"]) < 0.7 for r in accuracy)
    for row in rows_of(images_folder, "content_style_exchange"):
        assert 1 / int(row["views"]) < float(row["content_for_style"]) <= 1


def test_what_labels_cost_is_what_theory_says():
    from experiments import finite_sample as experiment

    for k in experiment.LABELLED:
        labels = [k + 8, 4 * k]
        mean, error = experiment.labelled(k, labels, 300)
        theory = np.asarray(linssl.theory.labelled_probe_risk(1.0, k, labels))
        assert (np.abs(mean - theory) < 5 * error).all()


@pytest.mark.skipif(
    os.environ.get("HYPOTHESIS_PROFILE") != "deep", reason="HYPOTHESIS_PROFILE=deep"
)
def test_what_samples_find_is_what_theory_says_away_from_thresholds(tmp_path):
    make_figures(tmp_path, "finite_sample")
    rows = rows_of(tmp_path, "finite_sample")
    assert list(rows[0]) == ["panel", "quantity", "x", "theory", "mean", "se"]
    assert len(rows) == 2 * 3 * 12 + 2 * 8
    for row in rows:
        x, theory, mean, se = (float(row[name]) for name in ("x", "theory", "mean", "se"))
        far = row["panel"] == "labels" or (row["panel"] == "uneven" and x > 1000)
        if far or (row["panel"] == "equal" and theory < 0.1):  # thresholds are elsewhere
            assert abs(mean - theory) < max(5 * se, 0.01), row


@pytest.mark.skipif(os.environ.get("HYPOTHESIS_PROFILE") != "deep", reason="a deep run only")
def test_designs_keep_what_was_asked_for_and_are_near_the_best_of_the_grid(tmp_path):
    make_figures(tmp_path, "augmentation_design")
    rows = rows_of(tmp_path, "augmentation_design")
    assert list(rows[0])[:4] == ["kind", "objective", "asked", "strength"]
    for objective in ("joint_embedding", "reconstruction"):
        grid = [r for r in rows if (r["kind"], r["objective"]) == ("grid", objective)]
        assert len(grid) == 200
        best = max(grid, key=lambda r: float(r["accuracy"]))
        designs = [r for r in rows if (r["kind"], r["objective"]) == ("design", objective)]
        near = max(designs, key=lambda r: float(r["accuracy"]))
        assert float(near["accuracy"]) >= float(best["accuracy"]) - 0.005
        if objective == "joint_embedding":  # reconstruction finds no gap that large
            for r in designs:
                assert abs(float(r["kept"]) - float(r["asked"])) < 1e-4
            assert float(near["strength"]) <= float(best["strength"])
