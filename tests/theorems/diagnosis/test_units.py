"""Rows that belong together: they are never parted, and are worth what independent ones are."""

import json

import jax
import numpy as np
import planted
import pytest

import linssl
from linssl.diagnosis import effective, samples, units

RNG = np.random.default_rng(0)


def of_subjects(count=50, rows=20, likeness=0.5, seed=0):
    """Standard normal rows (n, 10), correlated in a subject, and whose they are."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(count), rows)
    theirs, own = rng.standard_normal((count, 10)), rng.standard_normal((count * rows, 10))
    return np.sqrt(likeness) * theirs[who] + np.sqrt(1 - likeness) * own, who


def numbers(d):
    return [
        [r.kept, r.kept_error, r.margin, r.margin_error, *r.spectrum, *r.spectrum_error]
        for r in (d.joint_embedding, d.reconstruction)
    ]


@pytest.mark.parametrize("times", [4, 20])
@pytest.mark.parametrize("named", [False, True])
def test_copies_say_what_one_of_each_says(times, named):
    X, Y, _, a, *_ = planted.problem(0, 128)
    one = linssl.diagnose(X, Y, augmentation=a, dim=5)
    groups = np.tile(np.arange(128), times) if named else None
    many = linssl.diagnose(
        np.tile(X, (times, 1)), np.tile(Y, (times, 1)), augmentation=a, dim=5, groups=groups
    )
    np.testing.assert_allclose(numbers(many), numbers(one), rtol=1e-5, atol=1e-9)
    assert many.ceiling == pytest.approx(one.ceiling, rel=1e-6)
    assert many.effective_samples == pytest.approx(128)
    assert many.copies == 128 * (times - 1)
    assert many.recommendation == one.recommendation


def test_two_errors_over_groups_hold_the_truth_and_over_rows_do_not():
    inside, outside = [], []
    for seed in range(8):
        rows = of_subjects(seed=seed)
        with jax.enable_x64(True):
            X, Y, spiked, a, *law = planted.problem(seed, 1000, rows=rows[0])
            truth = planted.margins_with_labels(spiked, a, *law, 5, tolerance=1)  # R² itself
        for groups, found in ((rows[1], inside), (None, outside)):
            d = linssl.diagnose(X, Y, augmentation=a, dim=5, groups=groups)
            both = zip(truth, (d.joint_embedding, d.reconstruction), strict=True)
            found += [abs(m - r.kept) <= 2 * r.kept_error for m, r in both]
    assert np.mean(inside) >= 0.8  # of 16; in 400 it is .89, with .92 for independent rows
    assert np.mean(outside) <= 0.7  # .60 of 400


@pytest.mark.parametrize("likeness", [(0.0, 0.5), (0.5, 0.5), (0.9, 0.9), (1.0, 1.0)])
def test_chance_explains_as_much_as_the_design_effect_says(likeness):
    of_x, of_y = likeness
    explained, expected = [], []
    for seed in range(60):
        x, who = of_subjects(40, 10, of_x, seed)
        y = of_subjects(40, 10, of_y, seed + 1000)[0][:, :2]
        x, y = x[:, :4] - x[:, :4].mean(0), y - y.mean(0)
        B = np.linalg.lstsq(x, y)[0]
        e = y - x @ B
        chosen = units.find_units(x, who)
        rows = ((x[r], e[r], first) for r, first in effective.chunks_of(chosen))
        shared = effective.dependence(rows, 400, x.T @ x / 400, np.sum(e**2) / 400)
        explained.append(1 - np.sum(e**2) / np.sum(y**2))
        expected.append(4 * effective.design_effect(np.eye(4), shared) / 400)
    error = np.std(explained) / 60**0.5
    # A residual that has lost k of 40 groups' directions looks a little less alike.
    assert np.mean(expected) == pytest.approx(np.mean(explained), abs=3 * error, rel=0.1)


def test_no_fold_splits_a_group_and_folds_are_balanced():
    sizes = np.random.default_rng(0).integers(1, 40, 100)
    names = RNG.permutation(np.repeat([f"s{i}" for i in range(100)], sizes))
    X = RNG.standard_normal((len(names), 3))
    folds = units.deal(units.find_units(X, names), 0)
    assert np.sort(np.concatenate(folds)).tolist() == list(range(len(names)))
    held = [set(names[rows]) for rows in folds]
    assert sum(map(len, held)) == 100
    assert max(map(len, folds)) - min(map(len, folds)) <= sizes.max()  # as the greedy rule has it


def test_rows_that_are_equal_are_in_one_fold_and_minus_zero_is_zero():
    X = np.repeat(RNG.standard_normal((64, 3)), 2, axis=0)
    X[:2] = [[0.0, 1, 2], [-0.0, 1, 2]]
    found = units.find_units(X, None)
    assert (found.count, found.copies, found.apart) == (64, 64, 0)
    assert all(len(rows) == 8 for rows in units.deal(found, 3))


def test_rows_of_few_values_are_equal_by_chance():
    X = RNG.integers(0, 2, (400, 4))
    found = units.find_units(X, None)
    assert found.count == 400
    assert found.copies == found.apart == 384
    d = linssl.diagnose(X, X[:, 0] ^ (RNG.random(400) < 0.2), dim=1)
    assert "with so few values, as many are equal by chance" in str(d).replace("\n", " ")
    assert d.effective_samples == 400


@pytest.mark.x64
def test_independent_rows_are_dealt_as_ever():
    order = np.random.default_rng(5).permutation(100)
    X = RNG.standard_normal((100, 3))
    with jax.enable_x64(True):
        rows = samples.Samples(X, None, 5).rows
    for fold in range(16):
        np.testing.assert_array_equal(rows[fold], np.sort(order[fold::16]))


def test_a_report_says_what_belongs_together():
    x, who = of_subjects()
    d = linssl.diagnose(x[:, :6], x[:, 6:7] + x[:, :1], groups=who, dim=1)
    text = " ".join(str(d).split())
    assert "1,000 rows are of 50 groups, none of which was split" in text
    assert "n = 1,000 in 50 groups" in text
    assert "16 folds of the data, which split no group" in d.to_html()
    record = json.loads(d.to_json())
    assert (record["groups"], record["copies"]) == (50, 0)
    assert 50 < record["effective_samples"] < 300
    apart = linssl.diagnose(np.tile(x[:, :6], (2, 1)), groups=np.arange(2000), dim=1)
    assert any("1,000 of them of rows in other groups" in note for note in apart.notes)
    assert apart.effective_samples == 2000
