"""Many features on their leading directions: the same problem where these hold all of it."""

import jax
import numpy as np
import pytest

import linssl
from linssl.augmentations import GaussianNoise, flip
from linssl.diagnosis import reduced
from linssl.diagnosis.batches import Batches, centred, sums_of
from linssl.diagnosis.called import called_view
from linssl.diagnosis.reduced import reduce_rows, reduced_source
from linssl.diagnosis.rows import DataRows
from linssl.diagnosis.samples import Samples
from linssl.pairs.black_box import estimate_parts

RNG = np.random.default_rng(0)
N, D, RANK = 400, 36, 6
Y = RNG.integers(0, 2, N)
LOW = RNG.normal(size=(N, RANK)) * [5, 4, 3, 2, 1.5, 1] + 4 * Y[:, None] * (np.arange(RANK) == 1)
X = LOW @ np.linalg.qr(RNG.normal(size=(D, RANK)))[0].T + 7


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(reduced, "MOST_FEATURES", 20)
    monkeypatch.setattr(reduced, "DIRECTIONS", RANK)


@pytest.mark.parametrize("size", [1.0, 1e40])  # of which single precision has no squares
@pytest.mark.parametrize("n", [N, 30])  # more rows than features, and fewer
def test_directions_are_the_leading_ones(small, n, size):
    wide = size * (X + 0.1 * RNG.normal(size=X.shape))[:n]
    found = reduce_rows(DataRows(wide))
    values, vectors = np.linalg.eigh(np.cov(wide.T, bias=True))
    P, Q = vectors[:, -RANK:], found.basis
    np.testing.assert_allclose(Q.T @ Q, np.eye(RANK), atol=1e-12)
    np.testing.assert_allclose(P @ P.T, Q @ Q.T, atol=1e-4)  # single precision, by features
    assert found.share == pytest.approx(values[-RANK:].sum() / values.sum(), rel=1e-6)
    np.testing.assert_allclose(
        found.project(wide), (wide - wide.mean(0)) @ Q, atol=1e-12 * np.abs(wide).max()
    )


def test_nothing_changes_where_directions_hold_all(small, monkeypatch):
    found = linssl.diagnose(X, Y, augmentation="noise:0.5")
    monkeypatch.setattr(reduced, "MOST_FEATURES", 1024)
    whole = linssl.diagnose(X, Y, augmentation="noise:0.5")
    assert found.recommendation == whole.recommendation
    for p in ("joint_embedding", "reconstruction"):
        a, b = getattr(found, p), getattr(whole, p)
        np.testing.assert_allclose(a.spectrum[:RANK], b.spectrum[:RANK], rtol=1e-6)
        assert a.kept == pytest.approx(b.kept, abs=1e-6)
        u, v = (np.array(r.directions[0]) for r in (a, b))
        assert abs(u @ v) == pytest.approx(np.linalg.norm(u) * np.linalg.norm(v), rel=1e-6)
    assert any("leading 6 of 36 directions, which hold 100 % of the" in n for n in found.notes)
    assert not any("directions, which hold" in note for note in whole.notes)


def test_noise_is_turned_exactly():
    theta = RNG.random(D)
    root = RNG.normal(size=(D, D))
    to = reduced.Reduced(DataRows(LOW), np.linalg.qr(RNG.normal(size=(D, RANK)))[0], *[None] * 4)
    for noise, dense in ((theta, np.diag(theta)), (root @ root.T,) * 2):
        found = reduced_source(GaussianNoise(noise), to, DataRows(X), [], 0)
        np.testing.assert_allclose(found.covariance, to.basis.T @ dense @ to.basis, rtol=1e-9)
    assert (
        reduced_source(GaussianNoise(np.full(D, 0.5)), to, DataRows(X), [], 0).covariance.ndim == 1
    )


def test_drawn_views_are_the_projected_moments_within_their_errors(small):
    images, a = DataRows(X), flip((6, 6, 1), 0.5)
    to, folds = reduce_rows(images), np.array_split(np.arange(N), 16)
    drawn = reduced_source(a, to, images, folds, 0).plain
    with jax.enable_x64(True):
        exact = linssl.two_views(X, a)
    for part in ("shared", "spread"):
        wanted = to.basis.T @ np.asarray(getattr(exact, part)) @ to.basis
        found = np.array([np.asarray(getattr(views, part)) for views, _ in drawn])
        error = found.std(0, ddof=1) / 4
        # Averages over folds of 25 rows, of divisor n, lack a 25th of what is shared.
        short = np.abs(wanted) / 25 if part == "shared" else 0
        assert (np.abs(found.mean(0) - wanted) < 5 * error + short).mean() > 0.99


def test_variances_stay_those_of_a_feature(small):
    to, by = reduce_rows(DataRows(X)), np.arange(N) % 4
    folds = np.array_split(np.arange(N), 16)
    source = estimate_parts(lambda x: 5 * x, to.rows.values, folds, 2).plain
    with jax.enable_x64(True):
        samples, whole = Samples(to.rows, None, 0), Samples(X, None, 0)
        samples.variance = to.variances.mean()
        assert samples.variance == pytest.approx(whole.variance)
        assert called_view(source, samples).scale == pytest.approx(25, rel=0.1)  # not 25 D / RANK
        batches = Batches("by", ("0", "1", "2", "3"), by)
        few, all_of_it = (centred(s, batches, sums_of(s, batches)) for s in (samples, whole))
    assert few.variance == pytest.approx(all_of_it.variance)


def test_images_are_reduced_and_shown_as_images(small):
    found = linssl.diagnose(X.reshape(N, 6, 6), Y, augmentation="flips", dim=2)
    assert found.image == (6, 6, 1)
    assert len(found.reconstruction.directions[0]) == D


def test_few_rows_of_many_features_say_what_they_can():
    wide = np.random.default_rng(1).normal(size=(60, 1500))
    found = linssl.diagnose(wide, np.arange(60) % 2)
    (note,) = [n for n in found.notes if n.startswith("All was computed")]
    assert "leading 15 of 1,500 directions" in note
    assert "60 rows can't tell what more directions hold from chance" in note
    with pytest.raises(ValueError, match="dim must be between 1 and 15"):
        linssl.diagnose(wide, np.arange(60) % 2, dim=16)
    with pytest.raises(ValueError, match="every column is constant"):
        linssl.diagnose(np.ones((60, 1500)) * np.arange(1500))
    with pytest.raises(ValueError, match="far beyond their spread that no digits are left"):
        linssl.diagnose(wide + 1e14)
