"""The engine against the library's own road, scikit-learn, and sampling."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

import linssl
from linssl.augmentations import Image
from linssl.data.targets import check_targets
from linssl.diagnosis.rows import DataRows
from linssl.diagnosis.spec import Setting, parse_augmentation
from linssl.diagnosis.units import find_units
from linssl.recommendation.coordinates import Coordinates, find_coordinates
from linssl.recommendation.evaluate import encode, evaluate, probe
from linssl.recommendation.families import families_for
from linssl.recommendation.laws import law_of
from linssl.recommendation.parts import ALL, Folds

pytestmark = pytest.mark.x64
IMAGE = Image(4, 4)
RNG = np.random.default_rng(0)
N = 240
Y = RNG.integers(0, 3, N)
PLATE = RNG.integers(0, 4, N)
X = RNG.standard_normal((N, 16)) * np.linspace(1, 2, 16) + 2
X += RNG.standard_normal((3, 16))[Y] + RNG.standard_normal((4, 16))[PLATE]


def folds_of(X, coordinates=None, nuisance=None):
    rows = DataRows(X)
    at = find_coordinates(rows) if coordinates is None else coordinates
    targets = None if nuisance is None else check_targets(nuisance, len(X))
    return Folds(rows, at, check_targets(Y[: len(X)], len(X)), targets, find_units(X, None), 0)


def turned():
    """All directions, in coordinates that aren't the features."""
    return Coordinates(np.linalg.qr(RNG.standard_normal((16, 16)))[0], 16)


def space(W):
    return np.linalg.qr(W.T)[0] @ np.linalg.qr(W.T)[0].T


WORDS = ("noise:0.1", "dropout:0.3", "mixup:0.5", "brightness:0.4", "mask:0.5", "cutout:2")
WORDS += ("shifts:1", "flips:0.5", "turns:0.75", "crops:0.8", "blur:1")


@pytest.mark.parametrize("at", [None, turned()], ids=["features", "coordinates"])
@pytest.mark.parametrize("word", WORDS)
def test_moments_are_those_of_the_road(word, at):
    folds = folds_of(X, at)
    a = parse_augmentation(word, Setting(16, folds.variance, IMAGE))
    found = law_of(a, folds.coordinates)(folds.part(ALL))
    views, clean = linssl.two_views(X, a), linssl.view_and_clean(X, a)
    down = folds.coordinates.spread_down
    for mine, theirs in (
        (found.shared, views.shared),
        (found.spread, views.covariance - views.shared),
        (found.cross, clean.cross),
    ):
        np.testing.assert_allclose(mine, down(np.asarray(theirs)), atol=1e-9)


def test_encoders_are_those_of_the_objectives():
    folds = folds_of(X)
    a = parse_augmentation("blur:1+noise:0.1", Setting(16, folds.variance, IMAGE))
    found = encode(law_of(a, folds.coordinates)(folds.part(ALL)), 0.0, 3)
    je = linssl.joint_embedding(linssl.two_views(X, a), 3)
    rc = linssl.reconstruction(linssl.view_and_clean(X, a), 3)
    for W, solution in zip(found.encoders, (je, rc), strict=True):
        np.testing.assert_allclose(space(W[:3]), space(np.asarray(solution.encoder)), atol=1e-8)


def test_families_that_are_solved_once_have_one_space_at_every_strength():
    # Theory, section 14: one shape of noise, whatever its size; of isotropic noise for both.
    folds = folds_of(X)
    part, to = folds.part(ALL), Setting(16, folds.variance, IMAGE)
    told = {}
    for family in families_for("images", IMAGE, False):
        for p, paradigm in enumerate(("joint_embedding", "reconstruction")):
            found = [
                encode(family.law(s, to, folds.coordinates)(part), 0.0, 3).encoders[p][:3]
                for s in family.strengths
            ]
            apart = max(np.abs(space(W) - space(found[0])).max() for W in found)
            if paradigm in family.flat:
                assert apart < 1e-7, (family.name, paradigm)
            told[family.name, paradigm] = apart
    assert told["scaled-noise", "reconstruction"] > 1e-3  # so that the test can fail
    assert told["mask", "reconstruction"] > 1e-3


def test_probes_are_the_discriminants_of_scikit_learn():
    folds = folds_of(X)
    part, W = folds.part(ALL), RNG.standard_normal((4, 16))
    mine = probe(W, part, part.label, True, [4])[0]
    theirs = LinearDiscriminantAnalysis().fit(X @ W.T, Y)
    np.testing.assert_array_equal(mine(X @ W.T).argmax(1), theirs.predict(X @ W.T))


def test_scores_are_those_of_scikit_learn_on_the_same_folds():
    folds = folds_of(X)
    to = Setting(16, folds.variance, None)
    family = families_for("table", None, False)[1]  # noise in proportion
    grid = evaluate(folds, to, [family], [2])
    right = 0
    for b in range(4):
        learnt = np.concatenate([folds.rows[f] for f in folds.beside(b)])
        scored = np.concatenate([folds.rows[f] for f in folds.block(b)])
        Z = X[learnt] / X[learnt].std(0)
        V = np.linalg.svd(Z - Z.mean(0), full_matrices=False)[2][:2] / X[learnt].std(0)
        theirs = LinearDiscriminantAnalysis().fit(X[learnt] @ V.T, Y[learnt])
        right += np.sum(theirs.predict(X[scored] @ V.T) == Y[scored])
    mine = next(i for i, c in enumerate(grid.choices) if c.paradigm == "joint_embedding")
    assert grid.scores.value[mine] == pytest.approx(right / N)


def test_fewer_rows_than_features_lose_nothing_under_isotropic_noise():
    wide = np.random.default_rng(1).standard_normal((40, 90))
    whole = folds_of(wide, Coordinates(None, 90))
    span = folds_of(wide, find_coordinates(DataRows(wide), 60))
    assert span.coordinates.exact
    assert span.coordinates.size <= 40
    for folds, found in ((whole, []), (span, [])):
        a = parse_augmentation("noise:0.1", Setting(90, folds.variance, None))
        for W in encode(law_of(a, folds.coordinates)(folds.part(ALL)), 0.0, 3).encoders:
            found.append(space(folds.coordinates.up(W[:3])))
        if folds is whole:
            kept = found
    for a, b in zip(kept, found, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-8)


def test_the_covariance_of_a_nuisance_is_that_of_its_means_without_chance():
    rng = np.random.default_rng(2)
    means, got = 0.5 * rng.standard_normal((4, 16)), []
    for _ in range(40):
        u = rng.permutation(np.repeat(np.arange(4), 60))
        folds = folds_of(rng.standard_normal((N, 16)) + means[u], nuisance=u)
        got.append(np.trace(folds.part(ALL).nuisance_covariance))
    wanted = np.trace(np.cov(means.T, bias=True))
    # Negative directions are taken out, which adds a little of what chance does.
    assert -4 * np.std(got) / 40**0.5 < np.mean(got) - wanted < 0.3


def test_leading_directions_say_what_they_leave_out():
    rows = DataRows(np.random.default_rng(3).standard_normal((300, 50)) * np.geomspace(1, 1e-3, 50))
    at = find_coordinates(rows, 10)
    C = np.cov(rows.values.T, bias=True)
    least = 1 - np.linalg.eigvalsh(C)[-10:].sum() / np.trace(C)
    assert at.left_out == pytest.approx(least, abs=1e-4)
    mean = rows.values.mean(0)
    np.testing.assert_allclose(at.up(at.down(mean)), mean, atol=1e-12)
