"""A network's codes beside the closed forms, against scikit-learn and codes that are known."""

import numpy as np
import pytest
from helpers import any_types
from sklearn.linear_model import LinearRegression

import linssl
from linssl.comparison import compare_codes

RNG = np.random.default_rng(0)
X = RNG.standard_normal((300, 6)) * [3, 2, 1.5, 1, 0.7, 0.5]
Y = X[:, :2] @ RNG.standard_normal((2, 2)) + RNG.standard_normal((300, 2))
NOISE = linssl.GaussianNoise(np.linspace(0.2, 1.0, 6))
NETWORK = np.maximum(X @ RNG.standard_normal((6, 4)), 0)
pytestmark = pytest.mark.x64


def closed_form(dim=3):
    return np.asarray(linssl.joint_embedding(linssl.two_views(X, NOISE), dim)(X))


def test_codes_of_the_closed_form_itself_hold_all_of_it_whatever_their_basis():
    turned = closed_form() @ np.linalg.qr(RNG.standard_normal((3, 3)))[0] * 7 + 2
    found = compare_codes(turned, X, NOISE)
    assert found.dims == {"network": 3, "joint_embedding": 3, "reconstruction": 3}
    for pair in (("network", "joint_embedding"), ("joint_embedding", "network")):
        assert found.shared[pair] == pytest.approx(1)
    assert found.alignment["joint_embedding", "network"] == pytest.approx(1)
    np.testing.assert_allclose(found.directions["joint_embedding"], 1)
    part = compare_codes(turned[:, :1], X, NOISE, dim=3)
    assert part.shared["network", "joint_embedding"] == pytest.approx(1)
    assert part.shared["joint_embedding", "network"] == pytest.approx(1 / 3)


def test_shares_are_those_of_least_squares_by_scikit_learn():
    found = compare_codes(NETWORK, X, NOISE, 3, labels=Y, nuisance=np.arange(300) % 3)
    je = closed_form()
    white = np.linalg.qr(je - je.mean(0))[0]
    fit = LinearRegression().fit(NETWORK, white)
    assert found.shared["joint_embedding", "network"] == pytest.approx(fit.score(NETWORK, white))
    want = [LinearRegression().fit(NETWORK, z).score(NETWORK, z) for z in je.T]
    np.testing.assert_allclose(found.directions["joint_embedding"], want)
    scaled = Y / Y.std(0)
    want = LinearRegression().fit(je, scaled).score(je, scaled)
    assert found.labels["joint_embedding"] == pytest.approx(want)
    assert found.nuisance["network"] < 0.05


def test_alignment_and_effective_rank_are_those_of_gram_matrices():
    found = compare_codes(NETWORK, X, NOISE, 3)
    a, b = (Z - Z.mean(0) for Z in (NETWORK, closed_form()))
    K, L = a @ a.T, b @ b.T
    want = np.sum(K * L) / np.sqrt(np.sum(K * K) * np.sum(L * L))
    assert found.alignment["joint_embedding", "network"] == pytest.approx(want)
    p = np.linalg.eigvalsh(np.cov(NETWORK.T))
    p = p / p.sum()
    assert found.effective_rank["network"] == pytest.approx(np.exp(-np.sum(p * np.log(p))))


def test_codes_of_chance_explain_directions_over_rows():
    runs = [compare_codes(np.random.default_rng(i).standard_normal((300, 4)), X, NOISE, 3)
            for i in range(30)]  # fmt: skip
    shares = np.array([run.shared["joint_embedding", "network"] for run in runs])
    error = shares.std(ddof=1) / np.sqrt(len(shares))
    assert abs(shares.mean() - 4 / 299) < 5 * error


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"codes": NETWORK[:9]}, "codes must have 300 rows, one for each of data; got 9"),
        ({"codes": NETWORK[:, 0]}, r"codes must be rows \(n, k\); got shape \(300,\)"),
        ({"codes": NETWORK * np.nan}, "codes must be finite; got NaN or inf"),
        ({"codes": np.ones((300, 2))}, "codes must vary; all rows are equal"),
        ({"codes": X[:4], "data": X[:4]}, "in fewer directions than rows less one, 3, or"),
        ({"augmentation": "noise"}, "augmentation must be an Augmentation; got str"),
        ({"dim": 7}, "dim must be between 1 and 6"),
        ({"labels": Y[:5]}, r"labels must be \(300,\) or \(300, e\), one row for each sample"),
        ({"nuisance": np.zeros(300, int)}, "nuisance"),
    ],
)
def test_what_cannot_be_compared_is_refused(changes, says):
    given = {"codes": NETWORK, "data": X, "augmentation": NOISE} | changes
    with any_types(), pytest.raises(ValueError, match=says):
        compare_codes(**given)


def test_a_paradigm_without_a_solution_is_told_with_advice():
    flat = X * [1, 1, 1, 1, 1, 0]
    with pytest.raises(ValueError, match="joint_embedding has no solution here: SINGULAR"):
        compare_codes(NETWORK, flat, linssl.augmentations.Dropout(0.5))
