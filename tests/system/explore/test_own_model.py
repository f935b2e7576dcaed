"""Data that are explored: numbers are those of scikit-learn's probes, and cost no compilation."""

import contextlib
import csv
import dataclasses
import io
import re

import jax
import jax.monitoring
import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from linssl.augmentations import Image
from linssl.explore.own import page, state
from linssl.explore.own.asked import Asked
from linssl.explore.own.code import as_python
from linssl.explore.own.data import finer, prepare
from linssl.explore.own.figure import DataPanels, tiles
from linssl.explore.own.model import Explorer, score, told_of_features
from linssl.explore.own.verdict import verdict

N, D = 640, 12


def plates(seed=0, n=N):
    """Three classes, told by two features; a plate effect shakes a third, and is the largest."""
    rng = np.random.default_rng(seed)
    y, X = rng.integers(0, 3, n), rng.standard_normal((n, D))
    X[:, 0] += 3 * (y == 0)
    X[:, 1] += 3 * (y == 1)
    X[:, 2] *= 10
    return X, y


@pytest.fixture(scope="module")
def explorer():
    return Explorer(prepare(Asked(*plates())))


def test_scores_are_those_of_a_probe_by_scikit_learn(explorer):
    ready, view = explorer.ready, state.View("dropout", 0.3, 2, 480)
    numbers, at, hits = explorer.solve(view), ready.dims.index(2), 0
    X, y = plates()
    for b in range(4):
        train, test = (
            np.concatenate([ready.folds.rows[f] for f in folds])
            for folds in (ready.folds.beside(b), ready.folds.block(b))
        )
        S = np.cov(X[train].T, bias=True)
        mean = X[train].mean(0)
        Sigma = 0.3 * 0.7 * np.diag(np.diag(S) + mean**2)
        L = np.linalg.cholesky(0.7**2 * S + Sigma)
        _, V = np.linalg.eigh(np.linalg.solve(L, np.linalg.solve(L, 0.7**2 * S).T))
        W = np.linalg.solve(L.T, V[:, -2:]).T
        probe = LinearDiscriminantAnalysis(solver="lsqr").fit(X[train] @ W.T, y[train])
        hits += np.sum(probe.predict(X[test] @ W.T) == y[test])
    assert score(numbers, 0, at).value == pytest.approx(hits / N, abs=1.5 / N)


def test_fewer_rows_score_less_and_all_features_stay_in_sight(explorer):
    few = explorer.solve(state.View("noise", 0.1, 3, 20))
    at = explorer.ready.dims.index(3)
    assert few.more is not None
    assert score(few, 1, at).value < score(few.more, 1, at).value
    assert (few.scores.good[-1] == few.more.scores.good[-1]).all()
    said = verdict(state.View("noise", 0.1, 3, 20), few, explorer.ready)
    assert "from all 480 rows" in said.paradigms["reconstruction"]
    assert said.paradigms["reconstruction"].endswith("too few.")


def test_a_verdict_ranks_and_says_by_what():
    X, y = plates()
    # What tells the classes is measured four times; the rest once, and loudly.
    data = np.concatenate([np.repeat(X[:, :2], 4, 1), 10 * X[:, 3:]], 1)
    explorer = Explorer(prepare(Asked(data, y)))
    view = state.View("dropout", 0.5, 2, 480)
    said = verdict(view, explorer.solve(view), explorer.ready)
    scores = r"held-out accuracy 0\.\d{3} against 0\.\d{3}"
    setting = r"\(dropout 0\.5, k = 2\)"
    assert re.fullmatch(f"Use joint embedding: {scores} {setting}", said.headline)
    assert re.match(r"0\.\d{3} ± 0\.\d{3}", said.paradigms["joint_embedding"])
    view = state.View("noise", 0.1, 2, 480)  # isotropic noise: both have the leading directions
    said = verdict(view, explorer.solve(view), explorer.ready)
    assert said.headline.startswith(("Use either", "Use neither"))


def test_no_slider_compiles_anything(explorer):
    explorer.warm_up()
    ready, compiled = explorer.ready, []

    def listen(event, duration, **_):
        if "compile" in event:
            compiled.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        for family in ready.families:
            for strength in (ready.steps(family)[0], ready.steps(family)[-1]):
                for n in (20, 480):
                    for dim in (1, ready.dims[-1]):
                        explorer.solve(state.View(family, strength, dim, n))
        assert compiled == []
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


def test_pictures_of_tables_and_of_images_and_without_labels(explorer):
    view, panels = state.default(explorer.ready), DataPanels(explorer.ready)
    picture = panels.draw(view, explorer.solve(view))
    assert picture.startswith(b"\x89PNG")
    assert panels.draw(dataclasses.replace(view, dim=5), explorer.solve(view)) != picture
    images = np.random.default_rng(0).random((64, 6, 5, 3))
    unlabelled = Explorer(prepare(Asked(images)))
    assert unlabelled.ready.image == (6, 5, 3)
    view = state.default(unlabelled.ready)
    numbers = unlabelled.solve(view)
    assert DataPanels(unlabelled.ready).png(view, numbers).startswith(b"\x89PNG")
    assert "Name --labels" in verdict(view, numbers, unlabelled.ready).headline
    assert tiles(np.eye(20), Image(4, 5, 1)).shape == (9, 23)


def test_data_are_prepared_as_asked_and_the_program_asks_for_the_same(tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.random((64, 24)) * np.arange(1, 25)
    ready = prepare(Asked(pixels, image_shape=[3, 4, 2], channels="last", standardise=True))
    assert ready.image == (3, 4, 2)
    np.testing.assert_allclose(ready.variance, 1)
    program = as_python(state.default(ready), ready)
    assert "    standardise=True, image_shape=[3, 4, 2], channels='last',\n" in program
    file, rows = tmp_path / "a.csv", rng.standard_normal((64, 3))
    lines = [f"{a},{b},{c},{i},{'xyz'[i % 3]}" for i, (a, b, c) in enumerate(rows)]
    lines[0] = ",".join(["", *lines[0].split(",")[1:]])
    file.write_text("\n".join(["a,b,c,id,kind", *lines]) + "\n", encoding="utf-8")
    ready = prepare(Asked(str(file), "kind", drop=("id",), impute="median"))
    assert ready.names == ("a", "b", "c")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(as_python(state.default(ready), ready), {})
    assert "accuracy" in printed.getvalue()


def test_a_nuisance_is_one_more_augmentation_and_the_program_recommends():
    X, y = plates()
    batch = np.random.default_rng(1).integers(0, 8, N)
    X[:, 2] /= 10
    X[:, 3] += 2 * batch
    explorer = Explorer(prepare(Asked(X, y, nuisance=batch)))
    ready = explorer.ready
    headlines = [
        verdict(view, explorer.solve(view), ready).headline
        for view in (state.View("nuisance", 1.0, 2, 480), state.View("noise", 0.1, 2, 480))
    ]
    assert headlines[0].startswith("Use joint embedding")  # it leaves the nuisance alone
    assert headlines[1].startswith("Use neither")  # both keep the batches, which are larger
    program = as_python(state.View("nuisance", 1.0, 2, 480), ready)
    assert "linssl.recommend(\n    your_data, labels=your_labels, nuisance=your_nuisance" in program
    with pytest.raises(ValueError, match=r"nuisance must be \(640,\)"):
        prepare(Asked(X, y, nuisance=batch[:-1]))


def test_features_are_told_by_least_squares(explorer):
    W = np.random.default_rng(1).standard_normal((2, D))
    X = plates()[0]
    told = told_of_features(explorer.ready, W)
    Z = np.column_stack([np.ones(N), X @ W.T])
    rest = X - Z @ np.linalg.lstsq(Z, X, rcond=None)[0]
    np.testing.assert_allclose(told, 1 - rest.var(0) / X.var(0), atol=1e-10)


def test_many_features_are_reduced_and_that_is_said():
    X = np.random.default_rng(0).standard_normal((300, 300))
    ready = prepare(Asked(X, np.arange(300) % 2))
    assert ready.folds.coordinates.size <= 257
    assert "leading directions are used" in " ".join(ready.notes)


def test_an_address_and_a_program_hold_the_view(explorer):
    ready, view = explorer.ready, state.View("dropout", 0.1, 5, 100)
    assert state.from_query(state.to_query(view, ready), ready) == (view, [])
    assert state.to_query(state.default(ready), ready) == {}
    program = as_python(view, ready)
    names = dict(zip(("your_data", "your_labels"), plates(), strict=True))
    with contextlib.redirect_stdout(io.StringIO()):
        exec(program, names)
    assert names["found"].dim == 5
    assert len(program.splitlines()) <= 7


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"family": "<b>"}, "no '<b>' for these data: it is noise"),
        ({"dim": "7"}, "dim can't be 7 here: it is 6"),
        ({"n": "nan"}, "n must be a finite number; got 'nan', so it is 480"),
        ({"strength": "9" * 50}, "strength must be a finite number"),
        ({"evil": "1"}, "There is no 'evil': ignored"),
    ],
)
def test_what_an_address_cannot_mean_is_told(explorer, query, said):
    view, notes = state.from_query(query, explorer.ready)
    assert len(notes) == 1
    assert said in notes[0]
    assert view.n in explorer.ready.parts


def test_the_table_holds_the_scores(explorer):
    view = state.default(explorer.ready)
    numbers = explorer.solve(view)
    rows = list(csv.DictReader(io.StringIO(page.as_csv(view, numbers, explorer.ready))))
    held_out = [r for r in rows if r["panel"] == "held out" and r["paradigm"] == "reconstruction"]
    assert [int(r["x"]) for r in held_out] == list(explorer.ready.dims)
    assert float(held_out[0]["value"]) == score(numbers, 1, 0).value


def test_number_fields_can_show_every_step(explorer):
    assert finer((1.0, 2.0)) == (1.0, 2.0)
    ready = explorer.ready
    for steps in (*map(ready.steps, ready.families), tuple(ready.parts), ready.dims):
        least = min(np.diff(steps), default=1)
        places = (np.array(steps) - steps[0]) / least
        np.testing.assert_allclose(places, places.round(), atol=1e-6)
