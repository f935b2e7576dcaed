"""Recommendations as users get them."""

import json
import sys

import numpy as np
import pytest

import linssl
from linssl.recommendation import Recommendation
from linssl.recommendation.families import NOISE

pytestmark = pytest.mark.x64


@pytest.fixture(scope="module")
def plates():
    """Embeddings with a strong effect of plates, and weak classes, as of images of cells."""
    rng = np.random.default_rng(1)
    n, d = 1600, 64
    y, plate = rng.integers(0, 4, n), rng.integers(0, 8, n)
    M, P = 0.5 * rng.standard_normal((4, d)), 3 * rng.standard_normal((8, d))
    X = rng.standard_normal((n, d)) * np.linspace(1.5, 0.3, d) + M[y] + P[plate]
    return X, y, plate


@pytest.fixture(scope="module")
def found(plates) -> Recommendation:
    X, y, plate = plates
    return linssl.recommend(X[:1200], y[:1200], nuisance=plate[:1200], dim=3)


def test_joint_embedding_comes_first_by_far_where_plates_are_the_nuisance(found):
    assert found.answer == "joint_embedding"
    assert found.lead > 0.3
    assert found.recommended.family == "nuisance"
    assert found.table[0].paradigm == "joint_embedding"
    assert found.best["reconstruction"].value < found.recommended.value - 0.3


def test_codes_have_the_accuracy_that_is_told_on_rows_unseen(found, plates):
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    X, y, _ = plates
    probe = LinearDiscriminantAnalysis().fit(found(X[:1200]), y[:1200])
    got = probe.score(found(X[1200:]), y[1200:])
    low, high = found.recommended.interval
    error = 2 * (got * (1 - got) / 400) ** 0.5
    assert low - error < got < high + error


def test_the_nuisance_is_told_before_and_hardly_after(found):
    told = found.nuisance
    assert told.features > 0.95
    assert told.codes < told.chance + 0.15
    assert told.centred is not None


def test_json_has_what_is_promised(found):
    record = json.loads(found.to_json())
    assert set(record) == {
        "answer", "reason", "next_steps", "notes", "recommended", "table", "best", "lead",
        "lead_error", "samples_to_decide", "curves", "by_dim", "nuisance", "learning", "reduction",
        "shaken", "all_features", "all_features_error", "chance", "metric", "samples", "features",
        "kind", "labels", "seed", "versions",
    }  # fmt: skip
    one = record["recommended"]
    assert set(one) == {
        "paradigm", "augmentation", "family", "strength", "noise", "dim", "accuracy", "r2",
        "error", "interval",
    }  # fmt: skip
    assert one["interval"][0] < one["accuracy"] < one["interval"][1]
    assert one["r2"] is None
    assert record["kind"] == "embeddings"


def test_text_and_page_say_the_same(found):
    text, page = str(found), found.to_html()
    for words in ("Use joint embedding with nuisance:", "Centred by it instead", "VICReg"):
        assert words in text
        assert words in page
    assert "http" not in page.replace("http-equiv", "")
    assert "data:image/png;base64" in page


def test_numbers_are_judged_by_r2_and_groups_are_never_parted():
    rng = np.random.default_rng(2)
    X = rng.standard_normal((320, 6)) * np.array([3, 2, 1, 1, 1, 1.0])
    t = X[:, :2] @ np.array([1.0, 1.0]) + rng.standard_normal(320)
    found = linssl.recommend(X, t, groups=np.repeat(np.arange(40), 8))
    assert found.metric == "R²"
    assert found.recommended.accuracy is None
    true = np.var(X[:, :2] @ np.ones(2)) / np.var(t)
    low, high = found.recommended.interval
    assert low < true < high
    assert found.answer == "either"  # both have the two leading directions


def test_where_nearly_all_rows_are_one_class_the_first_step_is_to_balance_them():
    y = np.arange(320) % 20 == 0
    X = np.random.default_rng(6).standard_normal((320, 4))
    found = linssl.recommend(X, y.astype(int), dim=2)
    assert found.next_steps[0].startswith("One class has 95.0 % of the rows, and accuracy hardly")
    assert "were chosen on other rows than those that score it" in " ".join(str(found).split())


def test_without_labels_nothing_is_ranked():
    X = np.random.default_rng(3).standard_normal((64, 6))
    found = linssl.recommend(X, nuisance=np.arange(64) % 2)
    assert found.answer == "unranked"
    assert found.recommended is None
    assert found.table == ()
    noise = found.shaken[0]
    assert noise.share == pytest.approx(0.3 / 1.3)
    assert "Give labels" in str(found)
    assert json.loads(found.to_json())["recommended"] is None
    with pytest.raises(ValueError, match="labels must be given for a setting to be recommended"):
        found(X)


def test_a_view_of_ones_own_is_one_more_family():
    rng = np.random.default_rng(4)
    y = rng.integers(0, 2, 400)
    X = rng.standard_normal((400, 5)) + 2 * y[:, None] * np.eye(5)[0]
    draws = np.random.default_rng(5)
    noisy = lambda x: x + draws.standard_normal(x.shape) * np.array([0, 3, 3, 3, 3.0])  # noqa: E731
    found = linssl.recommend(X, y, view=noisy, views_per_sample=2, dim=1)
    views = [row for row in found.table if row.family == "view"]
    assert views[0].paradigm == "joint_embedding"
    assert views[0].value > 0.75
    assert found.best["joint_embedding"].family == "view"


def test_channels_first_codes_are_those_of_the_rows_as_they_came(monkeypatch):
    door = sys.modules["linssl.recommendation.recommend"]  # hidden by its function
    monkeypatch.setattr(door, "families_for", lambda *_: NOISE)
    rng = np.random.default_rng(6)
    y = rng.integers(0, 2, 96)
    X = rng.standard_normal((96, 3, 6, 6)) + y[:, None, None, None] * rng.standard_normal((3, 6, 6))
    first = linssl.recommend(X, y, dim=1)
    last = linssl.recommend(np.moveaxis(X, 1, -1), y, dim=1)
    assert first.kind == last.kind == "images"
    np.testing.assert_allclose(first(X), last(np.moveaxis(X, 1, -1)), atol=1e-9)


def test_more_codes_than_are_ranked_are_scored_too(found):
    ks = [k for k, _, _ in found.by_dim]
    assert ks == sorted(set(ks))
    assert max(ks) > max(row.dim for row in found.table)
    at = {k: value for k, value, _ in found.by_dim}
    assert at[max(ks)] <= found.all_features + 0.02
    assert "against codes" in str(found)
