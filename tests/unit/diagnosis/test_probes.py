"""Linear probes from moments are those of scikit-learn on rows."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import Ridge

import linssl
from linssl.diagnosis.probes import discriminants, least_squares, ridges
from linssl.diagnosis.ties import extreme_codes

RNG = np.random.default_rng(0)
KIND = RNG.integers(0, 4, 300)
X = RNG.standard_normal((300, 6)) @ RNG.standard_normal((6, 6))
X = X + RNG.standard_normal((4, 6))[KIND] + 3


def moments(x, y):
    u, v = x - x.mean(0), y - y.mean(0)
    n = len(x)
    return linssl.PairMoments(
        u.T @ u / n, v.T @ v / n, u.T @ v / n, x.mean(0), y.mean(0), n, n - 1.0
    )


@pytest.mark.x64
@pytest.mark.parametrize("shrink", [0.0, 0.2])
def test_the_discriminant_is_scikit_learns(shrink):
    scaled = X / X.std(0)
    probe = discriminants(moments(scaled, np.eye(4)[KIND]), (shrink,))[0]
    # Theirs scales to variance 1 within classes, where it shrinks.
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=None).fit(scaled, KIND)
    if shrink == 0:
        ours, want = probe(scaled), theirs.decision_function(scaled)
        apart = (ours - want) - (ours - want).mean(1, keepdims=True)
        np.testing.assert_allclose(apart, 0, atol=1e-8)
    else:
        S_w = sum(np.cov(scaled[c == KIND].T, bias=True) * np.mean(c == KIND) for c in range(4))
        eased = (1 - shrink) * S_w + shrink * np.trace(S_w) / 6 * np.eye(6)
        means = np.stack([scaled[c == KIND].mean(0) for c in range(4)]) - scaled.mean(0)
        np.testing.assert_allclose(probe.weights, np.linalg.solve(eased, means.T), atol=1e-9)


@pytest.mark.x64
def test_shrunk_least_squares_is_ridge_regression():
    y = X[:, :2] + RNG.standard_normal((300, 2))
    plain, shrunk = ridges(moments(X, y), (0.0, 0.1))
    np.testing.assert_allclose(plain(X), least_squares(moments(X, y))(X))
    unit = X.std(0)
    theirs = Ridge(alpha=0.1 * 300).fit((X - X.mean(0)) / unit, y)
    np.testing.assert_allclose(shrunk(X), theirs.predict((X - X.mean(0)) / unit), atol=1e-9)


@pytest.mark.x64
def test_choices_among_tied_codes_that_tell_the_least_and_the_most():
    label = moments(X, X[:, 2:3] + 0.1 * RNG.standard_normal((300, 1)))
    W = np.linalg.qr(RNG.standard_normal((6, 6)))[0]
    found = extreme_codes(W, 3, (1, 5), label)
    assert found is not None

    def r2(V):
        return float(linssl.probe_r2(V, label))

    least, most = (r2(V) for V in found)
    for _ in range(20):  # any other choice lies between
        U = np.linalg.qr(RNG.standard_normal((4, 4)))[0][:2]
        assert least - 1e-9 <= r2(np.vstack([W[:1], U @ W[1:5]])) <= most + 1e-9
    assert extreme_codes(W[:5], 3, (1, 5), label) is None  # there may be more of them
