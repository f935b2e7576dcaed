"""What stands above a flat base: chance names nothing under any law, and what is there is found."""

import numpy as np
import pytest

from linssl.diagnosis import nuisance

ROWS, D = 25, 10  # of each of 16 folds


def strength(rng, e):
    return e * np.exp(rng.standard_normal((len(e), 1)))


LAWS = {
    "gaussian": lambda _, e: e,
    "heavy tails": lambda rng, e: rng.standard_t(3, e.shape),
    "sparse": lambda rng, e: e * (rng.random(e.shape) < 0.05),
    "random strength": strength,
    "heavy tails and random strength": lambda rng, e: strength(rng, rng.standard_t(3, e.shape)),
}


def share_that_names(law, spike, runs=200):
    rng, named = np.random.default_rng(0), 0
    for _ in range(runs):
        e = LAWS[law](rng, rng.standard_normal((16 * ROWS, D)))
        e[:, 0] *= np.sqrt(1 + spike)
        folds = [rows.T @ rows / ROWS for rows in np.split(e, 16)]
        named += nuisance.beside_base(folds)[1][0] > nuisance.SURE
    return named / runs


@pytest.mark.x64
@pytest.mark.parametrize("law", LAWS)
def test_isotropic_noise_of_any_law_names_nothing(law):
    # Two errors of 16 folds, one-sided: 3 % by Student's law, and 200 runs have errors of 1.2 %.
    assert share_that_names(law, 0.0) <= 0.03 + 2 * 0.012


@pytest.mark.x64
def test_what_is_shaken_more_is_named():
    assert share_that_names("gaussian", 1.0, 50) >= 0.9
    # The variance of three degrees of freedom is hardly known from 400 rows: its own is infinite.
    assert share_that_names("heavy tails", 3.0, 50) >= 0.5


@pytest.mark.x64
def test_the_base_and_the_rank_of_a_spiked_covariance():
    rng = np.random.default_rng(0)
    e = rng.standard_normal((16 * 200, D)) * np.sqrt([9.0, 9, 4, *[2] * 6, 0.1])
    base, beside = nuisance.beside_base([rows.T @ rows / 200 for rows in np.split(e, 16)])
    assert base == pytest.approx(2, rel=0.05)
    assert (beside[:3] > nuisance.SURE).all()
    assert (np.abs(beside[3:9]) <= nuisance.SURE).all()
    assert beside[9] < -nuisance.SURE
