"""Figures take parameters, and say in words what doesn't fit: options, data and images."""

import json

import numpy as np
import pytest
from scripts import read_table, run_experiment

from experiments import phase_diagram, sample_size, shared
from experiments.shared.options import between, positive, whole

pytestmark = [pytest.mark.x64, pytest.mark.timeout(120)]
RNG = np.random.default_rng(0)


def save(folder, shape, *, test=False, labels=True):
    arrays = {"X_train" if test else "X": RNG.random((120, *shape))}
    if labels:
        arrays["y_train" if test else "y"] = np.arange(120) % 3
    if test:
        arrays |= {"X_test": RNG.random((40, *shape)), "y_test": np.arange(40) % 3}
    path = folder / "images.npz"
    np.savez(path, **arrays)
    return str(path)


def test_a_figure_takes_its_own_dimensions_alignments_seeds_and_noise(tmp_path):
    options = sample_size.Options(out=tmp_path, k=3, alphas=(5.0, 0.5), seeds=2, noise=(1.0,))
    shared.make("sample_size", sample_size.solve, sample_size.draw, options)
    rows = read_table(tmp_path / "sample_size.csv")
    record = json.loads((tmp_path / "sample_size.json").read_text())
    assert {row["noise"] for row in rows} == {"noise 1"}
    assert {float(row["alpha"]) for row in rows} == {0.5, 5.0}
    assert record["embedding_dim"] == 3
    assert record["seeds"] == 2
    assert (tmp_path / "sample_size.png").is_file()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (sample_size.Options(k=40), r"k must be 2 to 32, for \(1347, 64\); got 40"),
        (sample_size.Options(k=1), "k must be 2 to 32"),
        (sample_size.Options(seeds=0), "seeds must be 1 or more; got 0"),
        (sample_size.Options(alphas=()), r"alphas must be different numbers above 0; got \[\]"),
        (sample_size.Options(noise=(1.0, -1.0)), "noise must be different numbers above 0"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_the_work(options, says):
    with pytest.raises(ValueError, match=says):
        sample_size.solve(options)


def test_the_ends_of_an_axis_are_two_numbers():
    with pytest.raises(ValueError, match="alphas must be 2 or more different numbers above 0"):
        phase_diagram.solve(phase_diagram.Options(alphas=(1.0, 1.0)))
    np.testing.assert_allclose(between("alphas", (4.0, 1.0), 3), [1, 2, 4])
    np.testing.assert_array_equal(positive("alphas", (2.0, 1.0)), [1, 2])
    assert whole("seeds", None, 5, 1) == 5
    with pytest.raises(ValueError, match="k must be 1 to 4; got 9"):
        whole("k", 9, 2, 1, 4)


def test_colour_and_oblong_images_are_images(tmp_path):
    images, shape = shared.load_images(save(tmp_path, (6, 5, 3), test=True))
    assert shape == (6, 5, 3)
    assert images.train.shape == (120, 6, 5, 3)
    problem = shared.corrupted(images, "background", 3)
    assert problem.x.shape == (120, 90)
    assert problem.gamma.shape == (90, 90)


def test_large_images_are_averaged_over_blocks(tmp_path):
    images, shape = shared.load_images(save(tmp_path, (32, 32, 3), test=True))
    assert shape == (16, 16, 3)
    with np.load(tmp_path / "images.npz") as stored:
        first = stored["X_train"][0, :2, :2].mean((0, 1))
    np.testing.assert_allclose(images.train[0, 0, 0], first)


def test_a_quarter_is_held_out_where_there_is_no_test_set(tmp_path):
    images, _ = shared.load_images(save(tmp_path, (5, 5)))
    assert (len(images.train), len(images.test)) == (90, 30)
    assert len(images.labels) == 90


@pytest.mark.parametrize(
    ("shape", "labels", "says"),
    [
        ((30,), True, "must hold images"),
        ((2, 9, 1), True, "must have images of 4 x 4 or more"),
        ((6, 5), True, r"must hold images, \(n, side, side\)"),
        ((5, 5), False, r"has no labels \(y\)"),
    ],
)
def test_data_that_a_figure_is_not_about_are_named(tmp_path, shape, labels, says):
    with pytest.raises(shared.UnfitError, match=says):
        shared.load_images(save(tmp_path, shape, labels=labels))


def test_a_script_tells_why_it_is_left_out_and_ends_with_3(tmp_path):
    path = save(tmp_path, (30,))
    done = run_experiment("embedding", tmp_path, path, check=False)
    assert done.returncode == 3
    assert "left out: embedding: " in done.stdout
    assert "must hold images" in (tmp_path / "embedding.unfit").read_text()
