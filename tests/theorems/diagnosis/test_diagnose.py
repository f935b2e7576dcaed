"""Diagnosis: the rule on planted problems, what it says, and what it refuses."""

import dataclasses
import html
import json
import re

import jax
import numpy as np
import planted
import pytest

import linssl
from linssl.data import targets
from linssl.diagnosis import explained, inputs, measure, nuisance, samples, spec
from linssl.diagnosis.rule import INDIFFERENT
from linssl.linalg.structure import dense
from linssl.pairs.black_box import estimate_parts


@pytest.fixture(scope="module")
def digits():
    """Half of the digits, and what they are."""
    data = linssl.load_dataset("digits")
    return data.X_train[:640], data.y_train[:640]


@pytest.fixture(scope="module")
def labelled(digits):
    return linssl.diagnose(*digits, augmentation="noise:0.1", dim=4)


def test_without_labels_the_recommendation_is_the_populations_or_none():
    said, truth = [], []
    for seed in range(12):
        with jax.enable_x64(True):
            X, _, spiked, augmentation, *_ = planted.problem(seed, 512)
            truth.append(
                planted.verdict(planted.margins_without(spiked, augmentation, planted.SIGNALS))
            )
        d = linssl.diagnose(X, augmentation=augmentation, dim=planted.SIGNALS)
        said.append(d.recommendation)
    sure = [pair for pair in zip(said, truth, strict=True) if pair[0] != "undecided"]
    assert len(sure) >= 6
    assert sum(one == other for one, other in sure) >= 0.95 * len(sure)
    assert len(set(truth)) >= 2  # no single answer would do


def test_what_is_recommended_is_best_on_fresh_rows_within_a_point():
    said, right, within = [], [], []
    for seed in range(16):
        with jax.enable_x64(True):
            d, je, rc, best = planted.on_fresh_rows(seed, 512, 0.003 if seed % 2 else planted.BASE)
        said.append(d.recommendation)
        right.append(
            {
                "joint_embedding": je >= rc - INDIFFERENT,
                "reconstruction": rc >= je - INDIFFERENT,
                "either": abs(je - rc) <= INDIFFERENT,
                "neither": max(je, rc) < 0.9 * best,
                "undecided": True,
            }[d.recommendation]
        )
        within.append(abs(d.difference - (je - rc)) <= 2 * d.difference_error)
    assert sum(right) >= 0.95 * len(right)
    assert said.count("undecided") <= 0.15 * len(said)
    assert len(set(said)) >= 3  # no single answer would do
    assert sum(within) >= 0.8 * len(within)  # of 16


@pytest.mark.x64
def test_leading_codes_are_those_of_the_objectives(digits):
    X, _ = digits
    parts = samples.Samples(X, None, 0)
    noise = spec.parse_augmentation("shifts:1+noise:0.01", setting(parts, 64))
    sample = parts.of(samples.ALL, noise, 0.0)
    full, leading = measure.solve(sample, 32), measure.solve_leading(sample, 5)
    np.testing.assert_allclose(leading.spectra, full.spectra[:, :5], rtol=1e-10)
    for a, b in zip(full.encoders, leading.encoders, strict=True):
        assert linssl.subspace_distance(a[:5], b) < 1e-12


def setting(parts, features):
    return spec.Setting(
        features, parts.variance, linssl.augmentations.Image(8, 8) if features == 64 else None
    )


def test_errors_of_half_samples_are_exact_for_means():
    y = np.random.default_rng(0).standard_normal(samples.FOLDS)
    deviations = [y[half].mean() - y.mean() for half in samples.halves()]
    assert np.mean(np.square(deviations)) == pytest.approx(y.var(ddof=1) / len(y))


@pytest.mark.x64
def test_the_ceiling_is_the_best_linear_predictor_less_chance():
    rng = np.random.default_rng(0)
    X, noise = rng.standard_normal((400, 8)), rng.standard_normal((400, 2))
    X[:, 7] = X[:, 6]  # redundant: it counts for nothing

    def pair(Y):
        x, y = X - X.mean(0), Y - Y.mean(0)
        zeros = np.zeros(8), np.zeros(2)
        return linssl.PairMoments(x.T @ x / 400, y.T @ y / 400, x.T @ y / 400, *zeros, 400, 399)

    best = explained.best_r2(pair(X[:, :2] + noise))
    every = explained.adjusted_r2(np.eye(8)[:7], pair(X[:, :2] + noise))
    assert best[1] == pytest.approx(every, rel=1e-6)
    assert (np.diff(best) >= 0).all()
    assert best[1] == pytest.approx(0.5, abs=0.1)
    assert explained.best_r2(pair(noise))[-1] < 0.03  # in the sample about 7 / 400 is chance


@pytest.mark.x64
def test_what_stands_above_a_flat_base_is_named_exactly_and_from_samples():
    spiked = linssl.populations.Spiked([3.0, 2.0, 1.0, 1.0, 1.0], [5.0, 4.0])
    a = spiked.aligned(0.5, 1.0)
    same = linssl.pairs.same_instance_population(np.diag(np.asarray(spiked.covariance)))
    N, excess = nuisance.shaken(linssl.two_views(same, a), [])
    np.testing.assert_allclose(N @ N.T, np.diag([0, 0, 0, 0, 0, 1, 1]), atol=1e-12)
    np.testing.assert_allclose(excess, np.diag([0, 0, 0, 0, 0, 5, 4]), atol=1e-12)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 7)) * np.sqrt(np.asarray(spiked.covariance))
    spread = np.sqrt(np.asarray(spiked.noise_covariance) + 0.5)
    parts = np.split(np.arange(400), 16)
    noisy = estimate_parts(lambda x: x + spread * rng.standard_normal(7), X, parts, 2)
    views = [v for v, _ in noisy.plain]
    sampled, _ = nuisance.shaken(views[0], [np.asarray(v.spread) for v in views])
    assert sampled.shape == (7, 2)
    assert np.sum(sampled[:5] ** 2) < 0.1
    # Of P masks there are draws too: flat as samples are.
    loud = rng.standard_normal((400, 7)) * np.sqrt([1, 1, 1, 1, 1, 5, 4])
    a = linssl.augmentations.RandomMask(1 - np.eye(7))
    views = [linssl.two_views(loud[part], a) for part in parts]
    holes, _ = nuisance.shaken(views[0], [np.asarray(dense(v.spread)) for v in views])
    assert holes.shape == (7, 2)
    assert np.sum(holes[:5] ** 2) < 0.1
    dropped = linssl.two_views(same, linssl.augmentations.Dropout(0.5))
    assert nuisance.shaken(dropped, [])[0].shape == (7, 0)  # no flat base: nothing is named


def test_under_isotropic_noise_both_paradigms_are_principal_components(digits):
    d = linssl.diagnose(digits[0], dim=3)
    assert d.recommendation == "either"
    assert d.apart < 1e-6
    assert "the default" in d.augmentation
    assert any("labels" in step for step in d.next_steps)


def test_without_labels_a_mask_names_nothing_and_is_undecided(digits):
    d = linssl.diagnose(digits[0], augmentation="mask:0.5")
    assert d.recommendation == "undecided"
    assert "without labels" in d.reason
    assert d.noise_floor > 0  # constant pixels make the moments singular
    assert d.joint_embedding.keeps is None


def test_labels_say_what_is_lost_and_what_would_save_it(labelled):
    d = labelled
    assert d.recommendation == "neither"
    assert d.joint_embedding.kept == pytest.approx(d.reconstruction.kept, abs=1e-9)
    assert d.difference == pytest.approx(0, abs=1e-9)
    assert 0 < d.joint_embedding.alpha <= d.reconstruction.alpha
    assert d.constant  # digits have pixels that never vary
    assert d.held_out_ceiling > 0.8
    assert d.dims[-1] == 16
    assert d.joint_embedding.held_out_by_dim[-1] > d.joint_embedding.held_out_by_dim[0]


def test_the_text_and_the_json_say_the_same(labelled):
    text, record = str(labelled), json.loads(labelled.to_json())
    assert "Use neither as it is" in text
    assert "What to do next" in text
    assert "labels: 10 classes" in text
    assert record["recommendation"] == "neither"
    assert record["joint_embedding"]["kept"] == pytest.approx(labelled.joint_embedding.kept, 1e-5)
    assert record["versions"]["linssl"]
    assert {"seed", "samples", "features", "dtype", "augmentation"} <= set(record)


def test_the_page_is_complete_and_asks_nobody(labelled):
    page = labelled.to_html()
    assert page.count("data:image/png;base64,") == 3
    assert "What to do next" in page
    assert not re.search(r"https?://|<script|<link(?! rel='icon' href='data:)", page)


def test_names_are_neither_markup_nor_html(labelled):
    name = "[red]<script>alert(1)</script>[/red]"
    texts = {"reason": name, "next_steps": (name,), "notes": (name,), "augmentation": name}
    d = dataclasses.replace(labelled, labels=name, dtype=name, versions={name: name}, **texts)
    assert "<script" not in d.to_html()
    assert d.to_html().count(html.escape(name)) == 8
    assert str(d).replace("\n", "").count("[red]<script>") == 8


def test_the_same_seed_gives_the_same_diagnosis_and_settings_are_left_alone(digits):
    before = jax.config.jax_enable_x64
    a, b = (linssl.diagnose(digits[0], dim=3, seed=1) for _ in range(2))
    assert a == b
    assert jax.config.jax_enable_x64 == before


def test_numbers_to_be_predicted_count_alike():
    X, Y, _, augmentation, *_ = planted.problem(0, 512)
    d, e = (
        linssl.diagnose(X, y, augmentation=augmentation, dim=5) for y in (Y, Y * [1.0, 1e6] + 3)
    )
    assert d.labels == "2 numeric targets, scaled to variance 1"
    assert not d.classes
    assert d.joint_embedding.held_out
    assert e.ceiling == pytest.approx(d.ceiling, rel=1e-4)


def test_labels_without_signal_are_undecided():
    X, _, _, augmentation, *_ = planted.problem(0, 512)
    y = np.random.default_rng(0).standard_normal((512, 2))
    d = linssl.diagnose(X, y, augmentation=augmentation, dim=5)
    assert d.recommendation == "undecided"
    assert "No linear probe predicts the labels" in d.reason


def test_fewer_samples_than_features_are_judged_all_the_same(digits):
    d = linssl.diagnose(digits[0][:48], digits[1][:48] % 2, dim=3)
    assert d.recommendation == "either"  # isotropic noise: both are principal components
    assert d.ceiling != d.ceiling  # R² of the best codes isn't known, and isn't needed
    assert 0.5 < d.held_out_ceiling <= 1
    assert "48 samples are few for 64 features" in str(d.notes)


def test_every_word_of_the_language_makes_an_augmentation():
    to = spec.Setting(64, 0.1, linssl.augmentations.Image(8, 8))
    for name, word in spec.WORDS.items():
        text = name if word.default is not None else f"{name}:2"
        assert isinstance(spec.parse_augmentation(text, to), linssl.Augmentation)
    both = spec.parse_augmentation("shifts:2 + noise:0.01", to)
    assert isinstance(both, linssl.augmentations.Composition)
    np.testing.assert_allclose(both.parts[1].covariance, 0.001, rtol=1e-6)  # of the mean variance


X = np.random.default_rng(0).standard_normal((40, 6))
Y = np.arange(40) % 2


@pytest.mark.parametrize("dtype", ["Int64", "string", "category", object])
def test_a_label_that_pandas_misses_is_no_class(dtype):
    pandas = pytest.importorskip("pandas")
    labels = [1, 2] * 20 if dtype == "Int64" else ["cat", "dog"] * 20
    assert targets.check_targets(pandas.Series(labels, dtype=dtype), 40).size == 2
    labels[3] = pandas.NA
    with pytest.raises(ValueError, match=r"got 1 that are NaN, inf, None, NA.* first at row 3"):
        targets.check_targets(pandas.Series(labels, dtype=dtype), 40)


def test_numbers_among_objects_are_numbers():
    mixed = np.stack([X[:, 0].astype(object), Y.astype(object), Y.astype(bool).astype(object)], 1)
    np.testing.assert_array_equal(inputs.check_data(mixed), np.stack([X[:, 0], Y, Y], 1))
    ones = np.array([1, 1.0, 2, 2.0] * 10, object)  # as text these are four classes
    assert targets.check_targets(ones, 40).size == 2
    assert targets.check_targets(ones + 0.5, 40).classes is None


def test_targets_of_any_scale_are_scaled_to_variance_one():
    for scale in (1e-300, 1.0, 1e307):
        np.testing.assert_allclose(targets.check_targets(scale * X, 40).values.std(0), 1.0)


def test_settings_may_be_numpys_and_are_stored_as_pythons():
    options = {"dim": np.int64(2), "tolerance": np.float32(0.25), "seed": np.uint8(3)}
    record = json.loads(linssl.diagnose(X, Y, **options).to_json())
    assert [record[name] for name in options] == [2, 0.25, 3]
