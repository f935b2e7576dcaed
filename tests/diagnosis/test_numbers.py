"""Numbers that are hard on a diagnosis: scales, redundant columns, few samples, rare labels."""

import numpy as np
import pytest

import linssl
from linssl.diagnosis import measure


def rows(n=400, d=4):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, d)) @ rng.standard_normal((d, d)), rng


@pytest.mark.x64
def test_redundant_columns_are_spanned_by_the_others():
    X, rng = rows()
    X = np.hstack([X, X @ rng.standard_normal((4, 3)), np.zeros((400, 1))])
    S = X.T @ X / 400
    pair = linssl.PairMoments(S, np.eye(1), np.zeros((8, 1)), np.zeros(8), np.zeros(1), 400.0)
    F, blurred = measure.whitening(pair)
    np.testing.assert_allclose(F @ S @ F.T, np.eye(4), atol=1e-10)
    np.testing.assert_allclose(S @ F.T @ F @ S, S, atol=1e-9)
    assert blurred == 0


@pytest.mark.x64
def test_a_ceiling_above_one_is_refused():
    more = linssl.PairMoments(np.eye(2), np.eye(1), [[1.0], [0.5]], np.zeros(2), np.zeros(1), 400.0)
    with pytest.raises(ValueError, match="codes explain more than all of the labels"):
        measure.best_r2(more)


def test_labels_too_rare_for_errors_are_refused():
    X, _ = rows()
    y = np.zeros(400, int)
    y[7] = 1
    with pytest.raises(ValueError, match="all but 1 of 400 are alike"):
        linssl.diagnose(X, y)
    with pytest.raises(ValueError, match="all but 1 of 400 are alike"):
        linssl.diagnose(X, y[:, None] * 0.5)


def test_a_class_that_is_missing_in_a_half_does_no_harm():
    X, _ = rows()
    y = (X[:, 0] > 0).astype(int)
    d = linssl.diagnose(X, y, dim=1)
    y[7] = 2
    e = linssl.diagnose(X, y, dim=1)
    assert np.isfinite(e.ceiling_error)
    assert e.ceiling == pytest.approx(d.ceiling, abs=0.02)


@pytest.mark.parametrize("scale", [1e155, 1e300, 1e-155])
def test_a_scale_whose_squares_are_no_numbers_is_named(scale):
    X, _ = rows()
    with pytest.raises(ValueError, match=r"columns \[1, 3\] vary by .*e[+-]\d+ to"):
        linssl.diagnose(X * np.where(np.arange(4) % 2, scale, 1.0))


@pytest.mark.parametrize("scale", [1e68, 1e-68])
def test_any_other_scale_changes_nothing(scale):
    X, _ = rows()
    y = X[:, :1] + X[:, 2:3] ** 2
    d, e = (linssl.diagnose(X * s, y) for s in (1.0, scale))
    assert e.recommendation == d.recommendation
    assert e.ceiling == pytest.approx(d.ceiling, rel=1e-9)
    assert e.reconstruction.kept == pytest.approx(d.reconstruction.kept, rel=1e-9)
