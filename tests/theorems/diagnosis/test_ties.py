"""Scores that tie: codes that nothing identifies, and that no number of samples would."""

import json

import jax
import numpy as np
import pytest

import linssl
from linssl.diagnosis import measure, nuisance, samples

SHAKEN = linssl.GaussianNoise(np.array([1.0, 0, 0, 0, 0, 0]))


def rows():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((512, 6)) @ rng.standard_normal((6, 6))
    return X, X[:, :2] @ [[1.0], [0.5]] + 0.5 * rng.standard_normal((512, 1))


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize(
    "views",
    [
        {"augmentation": "noise:0"},
        {"augmentation": "dropout:0+brightness:0"},
        {"view": lambda x: x},
        {"augmentation": "mixup:0.5"},  # shakes every direction alike
        {"augmentation": SHAKEN},  # five directions aren't shaken, and two of them are taken
    ],
)
def test_codes_whose_scores_tie_are_undecided_whatever_the_samples(views, labelled):
    X, y = rows()
    d = linssl.diagnose(X, y if labelled else None, dim=2, **views)
    assert d.recommendation == "undecided"
    assert d.samples_to_decide is None
    assert d.joint_embedding.keeps is None
    assert d.joint_embedding.arbitrary
    assert not d.reconstruction.arbitrary
    assert "scores of joint embedding tie at the cut, codes 2 and 3" in d.reason
    assert any("more samples don't help" in step for step in d.next_steps)
    alike = views.get("augmentation") not in ("mixup:0.5", SHAKEN)
    assert any("views of an instance don't differ" in note for note in d.notes) == alike
    assert json.loads(d.to_json())["joint_embedding"]["kept_error"] is None


def test_views_that_agree_tie_where_noise_had_to_be_added():
    X, y = rows()
    X = np.hstack([X, np.full((512, 1), 3.0)])  # constant, so that moments are singular
    d = linssl.diagnose(X, y, augmentation="noise:0", dim=2)
    assert d.noise_floor > 0
    assert d.recommendation == "undecided"
    assert "arbitrary" in str(d)
    assert "arbitrary" in d.to_html()


def test_all_codes_together_leave_nothing_to_tie():
    X, y = rows()
    d = linssl.diagnose(X, y, augmentation="noise:0", dim=6)
    assert d.recommendation == "either"


def test_scores_that_nearly_tie_in_a_sample_are_no_tie():
    X = np.random.default_rng(0).standard_normal((512, 6))  # all alike in the population
    d = linssl.diagnose(X, X[:, :1], augmentation="noise:0.1", dim=2)
    assert not d.joint_embedding.arbitrary
    assert not d.joint_embedding.identified


@pytest.mark.x64
def test_both_solvers_see_a_tie_and_an_alignment_that_leaves_one_is_left_out():
    X, _ = rows()
    with jax.enable_x64(True):
        parts = samples.Samples(X, None, 0)
        sample = parts.of(samples.ALL, SHAKEN, 0.0)
        for encoded in (measure.solve(sample, 6), measure.solve_leading(sample, 6)):
            assert encoded.tied(2) == (True, False)
            assert encoded.tied(5) == (False, False)  # the sixth is what is shaken
        Gamma = np.diag([0.0, 0, 0, 0, 0, 1])  # aligned with, four still tie
        assert nuisance.search(sample, Gamma, 2, lambda *_: np.zeros(2)) == []
        assert len(nuisance.search(sample, Gamma, 4, lambda *_: np.zeros(2))) == 6


def test_codes_that_are_not_shaken_tie_where_noise_had_to_be_added():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((512, 4, 4))
    shared = X[:, 0, 0] + X[:, 0, 3]
    X[:, 0, [0, 3]] += 2 * shared[:, None]  # alike on both sides: a flip leaves it alone
    X[:, 3, 1:3] = 0  # constant, so that moments are singular
    d = linssl.diagnose(X, (shared > 0).astype(int), augmentation="flips")
    assert d.noise_floor > 0
    assert d.recommendation == "undecided"
    assert d.joint_embedding.arbitrary


@pytest.mark.x64  # noise in single precision breaks the tie
@pytest.mark.parametrize(("shaken", "keeps"), [((0.0, 0.2), True), ((0.5, 0.0), False)])
def test_a_tie_whose_every_choice_has_one_verdict_has_that(shaken, keeps):
    # Labels are of the first direction alone; five of joint embedding's codes tie that have nothing
    # of them, and the sixth comes first, or last: any three codes keep them, or none do.
    rng = np.random.default_rng(1)
    X = rng.standard_normal((600, 6)) * [2.0, 1.5, 1, 0.8, 0.6, 0.4]
    y = X[:, :1] + 0.2 * rng.standard_normal((600, 1))
    root = np.linalg.cholesky(np.cov(X.T, bias=True))
    noise = root @ np.diag([shaken[0], *[shaken[1]] * 5]) @ root.T
    d = linssl.diagnose(X, y, augmentation=linssl.GaussianNoise(noise), dim=3)
    assert not d.joint_embedding.arbitrary
    assert d.joint_embedding.keeps is keeps
    assert any("any choice among them has the same verdict" in note for note in d.notes)
