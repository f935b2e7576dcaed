"""Numbers that are hard on a diagnosis: scales, redundant columns, few samples, rare labels."""

import numpy as np
import pytest

import linssl
from linssl.diagnosis import measure


def rows(n=400, d=4):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, d)) @ rng.standard_normal((d, d)), rng


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
