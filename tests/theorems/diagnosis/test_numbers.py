"""Numbers that are hard on a diagnosis: scales, redundant columns, few samples, rare labels."""

import numpy as np
import pytest

import linssl
from linssl.diagnosis import explained, phrases


def rows(n=400, d=4):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, d)) @ rng.standard_normal((d, d)), rng


def test_what_two_columns_differ_by_counts_while_digits_tell_it():
    X, rng = rows()
    y = rng.standard_normal((400, 1))
    near = linssl.diagnose(np.hstack([X, X[:, :1] + 4.5e-6 * y]), y)  # correlated 1 - 1e-11
    assert near.ceiling == pytest.approx(1, abs=1e-3)
    assert not any("redundant" in note for note in near.notes)
    lost = linssl.diagnose(np.hstack([X, X[:, :1] + 1e-6 * y]), y)  # 1 - 1e-12 / 2
    assert any("(1 of 5)" in note and "redundant" in note for note in lost.notes)
    same = linssl.diagnose(np.hstack([X, X[:, :1]]), y)
    assert same.ceiling == pytest.approx(linssl.diagnose(X, y).ceiling, abs=1e-9)
    assert not any("redundant" in note for note in same.notes)


@pytest.mark.x64
def test_redundant_columns_are_spanned_by_the_others():
    X, rng = rows()
    X = np.hstack([X, X @ rng.standard_normal((4, 3)), np.zeros((400, 1))])
    S = X.T @ X / 400
    pair = linssl.PairMoments(S, np.eye(1), np.zeros((8, 1)), np.zeros(8), np.zeros(1), 400, 399)
    F, blurred = explained.whitening(pair)
    np.testing.assert_allclose(F @ S @ F.T, np.eye(4), atol=1e-10)
    np.testing.assert_allclose(S @ F.T @ F @ S, S, atol=1e-9)
    assert blurred == 0


@pytest.mark.x64
def test_a_ceiling_above_one_is_refused():
    zeros = np.zeros(2), np.zeros(1)
    more = linssl.PairMoments(np.eye(2), np.eye(1), [[1.0], [0.5]], *zeros, 400, 399)
    with pytest.raises(ValueError, match="codes explain more than all of the labels"):
        explained.best_r2(more)


def test_halves_too_small_for_a_ceiling_of_r2_leave_the_verdict():
    X, _ = rows(100, 60)
    d = linssl.diagnose(X, (X[:, 0] > 0).astype(int))
    assert d.recommendation == "neither"  # the first component of 60 isn't the first column
    assert "100 samples are few for 60 features" in str(d.notes)
    assert "ceiling R² unknown" in " ".join(str(d).split()) or "± unknown" in str(d)
    assert "nan" not in str(d)


def test_a_class_that_is_missing_in_a_half_does_no_harm():
    X, _ = rows()
    y = (X[:, 0] > 0).astype(int)
    d = linssl.diagnose(X, y, dim=1)
    y[7] = 2
    e = linssl.diagnose(X, y, dim=1)
    assert np.isfinite(e.ceiling_error)
    assert e.ceiling == pytest.approx(d.ceiling, abs=0.02)


@pytest.mark.parametrize("scale", [1e68, 1e-68])
def test_any_other_scale_changes_nothing(scale):
    X, _ = rows()
    y = X[:, :1] + X[:, 2:3] ** 2
    d, e = (linssl.diagnose(X * s, y) for s in (1.0, scale))
    assert e.recommendation == d.recommendation
    assert e.ceiling == pytest.approx(d.ceiling, rel=1e-9)
    assert e.reconstruction.kept == pytest.approx(d.reconstruction.kept, rel=1e-9)


def test_one_code_is_singular_and_nothing_is_minus_zero():
    X, rng = rows()
    d = linssl.diagnose(X, X[:, :1] + 0.1 * rng.standard_normal((400, 1)))
    assert "A linear probe on one code has" in d.reason
    assert [phrases.percent(-1e-3), phrases.rounded(-1e-4, 3)] == ["0 %", "0.000"]
    assert phrases.percent(-0.02) == "-2 %"


@pytest.mark.parametrize(
    ("error", "words"), [(0.0, "0.000"), (2e-5, "2e-05"), (4.9e-4, "0.0005"), (0.012, "0.012")]
)
def test_an_error_that_is_not_zero_is_not_written_so(error, words):
    assert phrases.with_error(0.5, error) == f"0.500 ± {words}"


@pytest.mark.parametrize(
    ("tolerance", "words"), [(0.1, "90 %"), (0.001, "99.9 %"), (0.07, "93 %"), (0.0, "100 %")]
)
def test_a_tolerance_is_written_in_full(tolerance, words):
    X, _ = rows()
    d = linssl.diagnose(X, X[:, :1], tolerance=tolerance, dim=1)
    assert f"where {words} is asked for" in d.reason
    assert f"has at least {words} of what" in d.to_html()


def test_labels_too_rare_for_errors_are_refused():
    X, _ = rows()
    y = np.zeros(400, int)
    y[7] = 1
    with pytest.raises(ValueError, match="all but 1 of 400 are alike"):
        linssl.diagnose(X, y)
    with pytest.raises(ValueError, match="all but 1 of 400 are alike"):
        linssl.diagnose(X, y[:, None] * 0.5)
