"""Names of features reach the solution of every objective, and every program belongs to its own."""

import inspect

import jax
import numpy as np
import pandas as pd
import pytest
from helpers import any_types

import linssl
from linssl import objectives

NAMES, OTHERS, K = ("heart", "lung", "skin", "eye"), ("age", "mass"), 2
D, E = len(NAMES), len(OTHERS)
C = np.diag(np.arange(1.0, D + 1))
VIEWS = linssl.Views(C, np.ones(D), np.zeros(D), np.inf, np.inf, features=NAMES)
PAIR = linssl.PairMoments(
    C, np.ones(E), 0.3 * np.eye(D, E), np.zeros(D), np.zeros(E), np.inf, np.inf
).named(NAMES, OTHERS)
# What reads two views, and what reads two sides.
OF_VIEWS = {
    "joint_embedding": lambda v: linssl.joint_embedding(v, K),
    "alignment_only": lambda v: objectives.alignment_only(v, K),
    "invariance_only": lambda v: objectives.invariance_only(v, K),
    "barlow_twins": lambda v: objectives.barlow_twins(v, K),
    "spectral_contrastive": lambda v: objectives.spectral_contrastive(v, K),
    "soft_constraint": lambda v: objectives.soft_constraint(v, K, 2.0),
    "plda": lambda v: objectives.plda(v, K, 3),
    "simvae": lambda v: linssl.simvae(v, K, 3),
    "factorised_simvae": lambda v: objectives.factorised_simvae(v, K, 3, style=0.5, noise=0.3),
}
OF_PAIRS = {
    "reconstruction": lambda p: linssl.reconstruction(p, K),
    "supervised": linssl.supervised,
    "reconstruction_path": lambda p: objectives.reconstruction_path(p, K, 1.0),
    "canonical_correlation": lambda p: linssl.canonical_correlation(p, K),
    "info_nce": lambda p: objectives.info_nce(p, K),
    "adassl": lambda p: objectives.adassl(p, K, 0.5),
}
NO_SOLUTION = {"check", "explain", "identified", "save_encoder", "simvae_elbo"}


def test_every_objective_is_here():
    public = {
        name
        for name, value in vars(objectives).items()
        if inspect.isfunction(inspect.unwrap(value)) and name[0].islower()
    }
    assert public - NO_SOLUTION == OF_VIEWS.keys() | OF_PAIRS.keys()


@pytest.mark.parametrize("name", OF_VIEWS)
def test_a_solution_of_views_has_their_names(name):
    found = jax.eval_shape(OF_VIEWS[name], VIEWS)  # traced, and not compiled
    assert (found.features, found.second_features) == (NAMES, NAMES)
    assert jax.eval_shape(OF_VIEWS[name], VIEWS.named(None)).features is None


@pytest.mark.parametrize("name", OF_PAIRS)
def test_a_solution_of_two_sides_has_the_names_of_both(name):
    found = jax.eval_shape(OF_PAIRS[name], PAIR)
    assert (found.features, found.second_features) == (NAMES, OTHERS)


def test_a_program_belongs_to_the_names_it_was_compiled_for():
    traced = []

    @jax.jit
    def solve(views):
        traced.append(views.features)
        return linssl.joint_embedding(views, K)

    turned = NAMES[::-1]
    for names in (NAMES, turned, list(NAMES), None, NAMES):  # equal lists are equal names
        found = solve(VIEWS.named(names))
        assert found.features == (None if names is None else tuple(names))
    assert traced == [NAMES, turned, None]
    many = jax.vmap(lambda s: solve(linssl.Views(s * C, *[*vars(VIEWS).values()][1:])))(np.ones(3))
    assert many.features == NAMES
    assert linssl.identified(found).features == NAMES


def test_a_solution_says_which_features_its_codes_are_about():
    rng, noise, n = np.random.default_rng(0), np.array([0.1, 2.0, 9.0, 30.0]), 20_000
    rows = pd.DataFrame(rng.multivariate_normal(np.zeros(D), C + 0.5, 500), columns=NAMES)
    views = linssl.two_views(rows, linssl.GaussianNoise(noise))
    found = linssl.joint_embedding(views, K)
    drawn = rows.to_numpy()[rng.integers(500, size=n)]
    drawn = drawn + rng.standard_normal((n, D)) * np.sqrt(noise)
    codes = drawn @ np.asarray(found.encoder).T
    for told, code in zip(found.leading_features(views, D), codes.T, strict=True):
        sampled = {name: np.corrcoef(code, x)[0, 1] for name, x in zip(NAMES, drawn.T, strict=True)}
        assert sorted(sampled) == sorted(name for name, _ in told)
        assert all(abs(r - sampled[name]) < 5 / np.sqrt(n) for name, r in told)
        assert sorted(told, key=lambda pair: -abs(pair[1])) == list(told)
    bare = views.named(None)
    assert linssl.joint_embedding(bare, K).leading_features(bare, 1)[0][0][0] == "x0"


def test_what_a_solution_cannot_read_is_refused():
    found = linssl.joint_embedding(VIEWS, K)
    few = linssl.pairs.same_instance_population(np.ones(3))
    wrong = [
        (VIEWS.shared, 5, "sides must be PairMoments or Views"),
        (VIEWS, 0, "count must be a whole number >= 1"),
        (few, 5, "sides must have the 4 features of the encoder; got 3"),
        (VIEWS.named(NAMES[::-1]), 5, "the solution and sides must .* feature 0 is 'heart' in one"),
    ]
    for sides, count, match in wrong:
        with any_types(), pytest.raises(ValueError, match=match):
            found.leading_features(sides, count)
    with pytest.raises(ValueError, match="this is a batch"):
        jax.tree.map(lambda a: a[None], found).leading_features(VIEWS)
    constant = VIEWS.named(None).about_zero()
    constant = jax.tree.map(lambda a: 0 * a, constant)
    with pytest.raises(objectives.NumericalTroubleError, match="SINGULAR"):
        linssl.joint_embedding(constant, K).leading_features(constant)
