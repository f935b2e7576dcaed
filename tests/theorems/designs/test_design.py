"""Designs are the closed forms where there are some, and say so where there is nothing to find."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy
from helpers import covariance

import linssl
from linssl.designs.criterion import GAP, KEPT, STRENGTH, judge, values_and_slopes
from linssl.designs.wanted import Wanted, clean_moments, what_to_keep
from linssl.linalg.status import Status

pytestmark = pytest.mark.x64  # a design is found in double precision, whatever the process has
D, M = 6, 2
SIGNAL, NOISE = [3.0, 2.0], [5.0, 1.5, 0.5, 0.5]
BASE = [0.6, 0.5, 0.05, 0.02, 0.1, 0.1]
SAME = linssl.pairs.same_instance_population(np.diag(SIGNAL + NOISE))
AXES = np.eye(M, D)
FAMILY = linssl.designs.AlignmentFamily(np.diag(BASE), np.diag([0.0] * M + NOISE))
PARADIGMS = ("joint_embedding", "reconstruction")
SHAKE = linssl.designs.NoiseFamily(np.full(D, 1e-3), 4.0)


def wanted(C, cross, paradigm, subspace=None):
    C, reconstruct = jnp.asarray(C), jnp.asarray(paradigm == "reconstruction")
    unit = jnp.where(reconstruct, jnp.trace(C), 1.0)
    return Wanted(C, jnp.zeros(D), jnp.asarray(cross), unit, reconstruct, subspace, M)


def judged(problem, p, family=SHAKE):
    found = values_and_slopes(problem, family, jnp.asarray(p), jnp.asarray(0.05))
    return [np.asarray(a) for a in found]


@pytest.mark.parametrize("what", ["labels", "subspace"])
@pytest.mark.parametrize("paradigm", PARADIGMS)
def test_gradients_of_the_criterion_are_those_of_finite_differences_where_scores_repeat(
    paradigm, what
):
    # Under isotropic noise scores repeat as the variances do, on both sides of the cut.
    C = covariance([3.0, 3.0, 1.0, 1.0, 0.2, 0.2], 1)
    rng = np.random.default_rng(2)
    if what == "labels":
        problem, family = wanted(C, rng.standard_normal((D, 3)), paradigm), SHAKE
    else:
        V = jnp.asarray(rng.standard_normal((M, D)))
        problem = wanted(C, rng.standard_normal((D, M)), paradigm, V)
        family = linssl.designs.AlignmentFamily(0.1 * np.eye(D), 0.4 * np.eye(D))
    p, h = np.full(len(family.box()[0]), 0.1), 1e-5
    _, _, slopes = judged(problem, p, family)
    steps = h * np.eye(len(p))
    want = [
        (judged(problem, p + e, family)[0] - judged(problem, p - e, family)[0])[:3] / (2 * h)
        for e in steps
    ]
    np.testing.assert_allclose(slopes, np.stack(want, 1), rtol=0, atol=1e-5 * np.abs(want).max())


def test_no_gradient_of_1000_random_problems_is_nan():
    rng = np.random.default_rng(0)
    for _ in range(1000):
        rank = rng.integers(M, D + 1)
        spectrum = rng.choice([1.0, 2.0, 10.0 ** rng.uniform(-3, 3)], D) * (np.arange(D) < rank)
        C = covariance(spectrum, int(rng.integers(2**16)))
        p = rng.choice([1e-3, 1.0, rng.uniform()], D) if rng.integers(2) else np.full(D, 0.1)
        values, _, slopes = judged(
            wanted(C, C @ rng.standard_normal((D, 3)), PARADIGMS[rng.integers(2)]), p
        )
        assert np.isfinite(values).all()
        assert np.isfinite(slopes).all()


@pytest.mark.witness("weakest-alignment")
@pytest.mark.parametrize("paradigm", PARADIGMS)
def test_the_weakest_alignment_is_the_threshold_as_the_gap_vanishes(paradigm):
    rng = np.random.default_rng(0)
    problems = [(SIGNAL, NOISE, BASE)] + [
        (rng.uniform(1, 3, M), rng.uniform(3, 6, D - M), rng.uniform(0.2, 0.8, D)) for _ in range(5)
    ]
    for lam, gamma, theta in problems:
        want = getattr(linssl.alignment_thresholds(lam, gamma, theta[:M], theta[M:]), paradigm)
        family = linssl.designs.AlignmentFamily(np.diag(theta), np.diag([0.0] * M + list(gamma)))
        same = linssl.pairs.same_instance_population(np.diag([*lam, *gamma]))
        found = linssl.design(same, family, subspace=AXES, paradigm=paradigm, gap=1e-8)
        assert found.feasible, found.reason
        np.testing.assert_allclose(found.augmentation.alpha, want, atol=1e-6)


@pytest.mark.witness("weakest-noise")
def test_the_weakest_scale_of_a_noise_is_the_closed_form_and_beyond_it_says_so():
    C, shape = (covariance(np.geomspace(1, 0.05, D), s) for s in (3, 4))
    family = linssl.designs.AlignmentFamily(np.zeros((D, D)), shape)
    F = np.linalg.cholesky(shape)
    _, Q = np.linalg.eigh(np.linalg.solve(F, np.linalg.solve(F, C).T))
    best = (Q.T @ np.linalg.inv(F))[::-1][:M]
    want = linssl.theory.gap_scale(C, shape, M, 0.1)
    same = linssl.pairs.same_instance_population(C)
    found = linssl.design(same, family, subspace=best, gap=0.1)
    assert found.feasible, found.reason
    np.testing.assert_allclose(found.strength, want.least * np.trace(shape), rtol=1e-6)
    largest = float(want.largest_gap)
    assert np.isnan(linssl.theory.gap_scale(C, shape, M, largest + 0.01).least)
    missed = linssl.design(same, family, subspace=best, gap=largest + 0.01)
    assert not missed.feasible
    np.testing.assert_allclose(missed.gap, largest, rtol=1e-3)
    assert "The search ended short of the gap" in missed.reason


def test_another_optimiser_finds_nothing_weaker():
    # 6 variances designed from numeric labels, against COBYQA on scipy's own decompositions.
    rng = np.random.default_rng(5)
    X = rng.standard_normal((300, D)) * [2.0, 1.5, 1.0, 0.7, 0.5, 0.3]
    Y = X[:, [1, 2, 2]] + 0.1 * rng.standard_normal((300, 3))  # and not the largest direction
    gap, share = 0.05, 0.95
    found = linssl.design(X, SHAKE, M, labels=Y, gap=gap, tolerance=1 - share)
    assert found.feasible, found.reason

    Y = (Y - Y.mean(0)) / Y.std(0)
    C, K = np.cov(X.T, bias=True), (X - X.mean(0)).T @ Y / len(X)
    F = np.linalg.cholesky(C)
    best = np.sum(np.linalg.svd(np.linalg.solve(F, K), compute_uv=False)[:M] ** 2)

    def reached(p):
        scores, W = scipy.linalg.eigh(C, C + np.diag(4.0 * p))
        Z = W[:, -M:].T
        kept = np.trace((Z @ K).T @ np.linalg.solve(Z @ C @ Z.T, Z @ K)) / best
        return np.array([scores[-M] - scores[-M - 1] - gap, kept - share])

    p = np.asarray(found.augmentation.covariance) / 4.0
    assert reached(p).min() >= -1e-6
    np.testing.assert_allclose(found.strength, 4.0 * p.sum())
    np.testing.assert_allclose(reached(p) + np.array([gap, share]), [found.gap, found.kept])
    for start in (p, np.full(D, 0.05)):
        other = scipy.optimize.minimize(
            np.sum, start, method="COBYQA", bounds=[(1e-3 / 4, 1.0)] * D,
            constraints=scipy.optimize.NonlinearConstraint(reached, 0, np.inf),
            options={"maxfev": 400},
        )  # fmt: skip
        if reached(other.x).min() >= -1e-6:
            assert other.fun >= p.sum() * (1 - 2e-3)  # the gap may be exceeded by 1e-3


LAM, STILL = np.array([5.0, 2.0, 1.0, 0.6, 0.2, 0.1]), 0.05
BELOW = LAM[2] / (LAM[2] + STILL)  # the score of the weaker signal, of features 1 and 2


def test_a_mixture_has_just_the_weight_that_pushes_the_largest_noise_below_the_signal():
    still, on_noise = linssl.GaussianNoise(np.full(D, STILL)), np.eye(D)[0] * 5.0 + STILL
    family = linssl.designs.MixtureFamily([still, linssl.GaussianNoise(on_noise)])
    same = linssl.pairs.same_instance_population(np.diag(LAM))
    found = linssl.design(same, family, subspace=np.eye(M, D, 1), gap=0.02)
    assert found.feasible, found.reason
    weight = (LAM[0] / (BELOW - 0.02) - LAM[0] - STILL) / 5.0
    np.testing.assert_allclose(found.augmentation.probabilities, [1 - weight, weight], rtol=1e-3)


def test_with_room_for_one_more_the_cheapest_feature_is_dropped_and_no_other():
    # Two signals and three codes: of the rest only the second has to go.
    family = linssl.designs.DropoutFamily(D, noise=STILL)
    same = linssl.pairs.same_instance_population(np.diag(LAM))
    found = linssl.design(same, family, 3, subspace=np.eye(M, D, 1), gap=0.1)
    assert found.feasible, found.reason
    odds = (LAM[3] / (BELOW - 0.1) - LAM[3] - STILL) / LAM[3]
    want = np.where(np.arange(D) == 3, 1 / (1 + odds), 1)
    np.testing.assert_allclose(found.augmentation.parts[0].keep, want, rtol=1e-3)


def test_families_are_the_augmentations_that_they_name():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((50, D)) + 1
    C, mean = jnp.asarray(np.cov(X.T, bias=True)), jnp.asarray(X.mean(0))
    still = linssl.GaussianNoise(np.full(D, 0.1))
    families = [
        linssl.designs.DropoutFamily(D, 0.2, 0.1),
        linssl.designs.MixtureFamily(
            [still, linssl.compose(linssl.augmentations.Dropout(0.5), still)]
        ),
    ]
    for family in families:
        known = family.known(C, mean)
        p = jnp.asarray(family.starts()[0])
        got, want = eqx.filter_jit(
            lambda f, g, p: (f.effect(p, C, mean), g.augmentation(p).effect(C, mean))
        )(known, family, p)
        for a, b in zip(got, want, strict=True):
            assert (a is None) == (b is None)
            if a is not None:
                np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


X = np.random.default_rng(0).standard_normal((40, D))
Y = np.arange(40) % 3


def test_no_alignment_beyond_the_most_is_designed():
    # A family that ends below the threshold comes as near as it may.
    alpha = float(linssl.alignment_thresholds(SIGNAL, NOISE, BASE[:M], BASE[M:]).joint_embedding)
    problem = linssl.pairs.same_instance_population(np.diag([*SIGNAL, *NOISE]))
    for most in (2 * alpha, 0.5 * alpha):
        family = linssl.designs.AlignmentFamily(
            np.diag(BASE), np.diag([0.0] * M + list(NOISE)), most
        )
        found = linssl.design(problem, family, subspace=AXES, gap=1e-3, evaluations=np.int64(500))
        assert found.feasible == (most > alpha)
        assert found.augmentation.alpha <= most * (1 + 1e-6)


def test_data_of_single_precision_are_designed_for_in_double():
    family = linssl.designs.MixtureFamily(
        [
            SHAKE.augmentation(jnp.full(D, 0.3)),
            linssl.augmentations.Dropout(0.7),
            linssl.augmentations.Matrices(2 * [np.eye(D)]),
        ]
    )
    single = X.astype(np.float32)
    got, want = (linssl.design(rows, family, labels=Y) for rows in (single, single.astype(float)))
    assert (got.gap, got.strength, got.kept) == (want.gap, want.strength, want.kept)


def test_where_nothing_is_needed_the_weakest_is_found_at_once():
    family = linssl.designs.AlignmentFamily(np.full(D, 0.1), np.eye(D))
    found = linssl.design(SAME, family, subspace=np.eye(1, D, 2), gap=0.001)
    assert found.feasible
    assert (float(found.augmentation.alpha), found.evaluations) == (0.0, 1)


def one_parameter(seed):
    """A random design with one knob: data, family and the other arguments."""
    rng = np.random.default_rng(seed)
    variances = np.exp(rng.uniform(-1.5, 1.5, D))
    data = rng.standard_normal((200, D)) * np.sqrt(variances)
    labels = data[:, :M] + 0.5 * rng.standard_normal((200, M))
    more = {"gap": np.exp(rng.uniform(-5, -1.6)), "tolerance": rng.choice([0.05, 0.3])}
    more["paradigm"] = PARADIGMS[rng.integers(2)]
    more |= {"labels": labels} if rng.integers(3) else {"subspace": rng.standard_normal((M, D))}
    base = np.full(D, np.exp(rng.uniform(-3, 1)))
    if seed % 2:
        noise = variances * (rng.random(D) < 0.6)
        return data, linssl.designs.AlignmentFamily(base, noise + 1e-3 * (noise.sum() == 0)), more
    strong = np.append(np.full(M, 0.05), 3 * variances[M:])
    parts = [linssl.GaussianNoise(a) for a in (base, strong)]
    return data, linssl.designs.MixtureFamily(parts), more


@eqx.filter_jit
def judged_on_a_grid(problem, family, points):
    return jax.lax.map(lambda p: judge(problem, family, p, jnp.asarray(0.01))[0], points)


def test_with_one_parameter_no_point_of_a_fine_grid_is_weaker():
    found_some = 0
    for seed in range(12):
        data, family, more = one_parameter(seed)
        found = linssl.design(data, family, **more)
        assert found.status == Status.OK
        problem = what_to_keep(
            clean_moments(data, True), data, more.get("labels"), more.get("subspace"), None,
            more["paradigm"] == "reconstruction",
        )  # fmt: skip
        odds = np.geomspace(1e-6, 1e6, 1500)
        points = odds[:, None] if seed % 2 else np.stack([1 / (1 + odds), odds / (1 + odds)], 1)
        known = family.known(problem.covariance, problem.mean)
        values = np.asarray(judged_on_a_grid(problem, known, jnp.asarray(points)))
        does = (values[:, GAP] >= more["gap"]) & (values[:, KEPT] >= 1 - more["tolerance"])
        assert found.feasible or not does.any(), (seed, found.reason)
        if does.any():
            found_some += 1
            assert found.strength <= values[does, STRENGTH].min() * (1 + 1e-6), seed
    assert found_some >= 3


def test_a_design_whose_search_came_upon_a_far_one_first_is_the_weakest():
    rng = np.random.default_rng(242)
    X = rng.standard_normal((400, D)) * np.sqrt([2, 1, 4, 3, 1, 0.5])
    Y = X[:, :M] + 0.5 * rng.standard_normal((400, M))
    family = linssl.designs.AlignmentFamily(np.full(D, 0.3), [0, 0, 4, 3, 1, 0.5])
    found = linssl.design(X, family, labels=Y, paradigm="reconstruction", gap=0.05)
    np.testing.assert_allclose(found.augmentation.alpha, 1.9556, rtol=1e-4)  # of a grid
    assert (found.feasible, found.status) == (True, Status.OK)


@pytest.mark.parametrize("family", [FAMILY, SHAKE], ids=["one parameter", "several"])
def test_a_search_whose_evaluations_are_spent_says_so(family):
    for most in (1, 7, 30):
        found = linssl.design(SAME, family, subspace=AXES, gap=0.05, evaluations=most)
        assert found.evaluations <= most
        assert found.status == Status.NOT_CONVERGED
        assert not found.reason.startswith("OK")
        assert "NOT_CONVERGED: all evaluations were spent" in found.reason
    found = linssl.design(SAME, FAMILY, subspace=AXES, gap=0.05)
    assert (found.reason[:3], found.status) == ("OK:", Status.OK)


def test_a_dense_singular_noise_is_designed_with_in_the_precision_it_has():
    X = np.random.default_rng(1).standard_normal((60, D))
    for seed in range(10):
        root = np.random.default_rng(seed).standard_normal((D, D - 1)) * (np.arange(D) > 0)[:, None]
        shape = (root @ root.T).astype(np.float32)  # eigenvalues of -1e-7 are its rounding
        found, exact = (
            linssl.design(
                X, linssl.designs.AlignmentFamily(np.full(D, 0.1), noise), subspace=np.eye(1, D)
            )
            for noise in (shape, root @ root.T)
        )
        assert found.feasible
        assert exact.feasible
        np.testing.assert_allclose(found.strength, exact.strength, rtol=1e-4)


def test_more_starts_find_what_the_usual_ones_miss_and_until_then_it_is_not_said_to_be_none():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(400, 3)) * rng.uniform(0.5, 2, 3)
    Y = X[:, :1] + 0.3 * rng.normal(size=(400, 1))
    family = linssl.designs.NoiseFamily(np.full(3, 1e-3), 10.0)
    few = linssl.design(X, family, 1, labels=Y, gap=0.05)
    assert not few.feasible
    assert few.status == Status.NOT_CONVERGED
    assert linssl.design(X, family, 1, labels=Y, gap=0.05, evaluations=2000).feasible
