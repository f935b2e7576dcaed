"""Semantic pairs: their moments are averages over pairs, and p = 1 is Fisher's discriminant."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
from helpers import SEEDS, assert_close, covariance, eps
from hypothesis import given
from hypothesis import strategies as st

import linssl
from linssl import same_class
from linssl.linalg.structure import dense
from linssl.pairs import SemanticPairs, another_class, class_redrawn, within_superclass

D = 3
SIZES = (2, 3, 5)
SUPERCLASSES = ("x", "y", "x")
CONFUSIONS = {
    "class redrawn": None,
    "another class": another_class,
    "within a superclass": within_superclass(SUPERCLASSES),
}


def labelled(seed=0, sizes=SIZES, d=D):
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    data = rng.standard_normal((len(sizes), d))[labels] * 2 + rng.standard_normal((len(labels), d))
    return data + 1.0, labels


def law(name, sizes=SIZES):
    """The joint law of the classes of a mislabelled pair, from its definition."""
    pi = np.array(sizes) / sum(sizes)
    J = np.zeros((len(pi), len(pi)))
    for c, e in itertools.product(range(len(pi)), repeat=2):
        if name == "class redrawn":
            J[c, e] = pi[c] * pi[e]
        elif name == "another class" and c != e:
            J[c, e] = pi[c] * pi[e] * (1 / (1 - pi[c]) + 1 / (1 - pi[e])) / 2
        elif name == "within a superclass" and SUPERCLASSES[c] == SUPERCLASSES[e]:
            share = sum(p for p, s in zip(pi, SUPERCLASSES, strict=True) if s == SUPERCLASSES[c])
            J[c, e] = pi[c] * pi[e] / share
    return J


def enumerated(X, y, J, distinct):
    """Average u v^T, u u^T and u over all pairs of instances, with the classes' joint law J."""
    G, S, mean = np.zeros((D, D)), np.zeros((D, D)), np.zeros(D)
    members = [np.flatnonzero(y == c) for c in range(len(J))]
    for c, e in itertools.product(range(len(J)), repeat=2):
        pairs = [(i, j) for i in members[c] for j in members[e] if i != j or not distinct]
        for i, j in pairs:
            G += J[c, e] / len(pairs) * np.outer(X[i], X[j])
            S += J[c, e] / len(pairs) * np.outer(X[i], X[i])
            mean += J[c, e] / len(pairs) * X[i]
    return G, S, mean


@pytest.mark.witness("pairs-of-distinct-instances", "within-superclass")
@pytest.mark.parametrize("distinct", [True, False])
@pytest.mark.parametrize("name", CONFUSIONS)
@pytest.mark.parametrize(("p", "q"), [(0.0, 0.5), (1.0, 0.0), (1.0, 1.0), (0.6, 0.3)])
def test_moments_are_averages_over_all_pairs(name, p, q, distinct):
    X, y = labelled()
    got = same_class(X, y, p, q, CONFUSIONS[name], distinct=distinct)
    pi = np.array(SIZES) / sum(SIZES)
    right, wrong = (enumerated(X, y, J, distinct) for J in (np.diag(pi), law(name)))
    itself = X.T @ X / len(X)
    mean = (1 - p * q) * X.mean(0) + p * q * wrong[2]
    G = (1 - p) * itself + p * (1 - q) * right[0] + p * q * wrong[0] - np.outer(mean, mean)
    S = (1 - p * q) * itself + p * q * wrong[1] - np.outer(mean, mean)
    moments = jnp.stack([got.shared, got.covariance, dense(got.spread)])
    assert_close(moments, np.stack([G, S, S - G]), cond=10)  # G may be 0: beside S
    assert_close(got.mean, mean)


@pytest.mark.witness("semantic-pairs")
@given(SEEDS, st.floats(0, 1), st.floats(0, 1))
def test_a_redrawn_class_leaves_the_view_as_it_is_and_scales_what_classes_share(seed, p, q):
    B, W = covariance([2.0, 1.0, 0.0], seed), covariance([1.0, 0.5, 0.2], seed + 1)
    views = SemanticPairs.population(B, W).pair(p, q)
    assert_close(views.covariance, B + W)
    assert_close(views.shared, (1 - p * q) * B + (1 - p) * W)
    assert_close(views.spread, p * q * B + p * W)


@pytest.mark.witness("label-noise-is-less-pairing")
@given(SEEDS, st.floats(0, 1), st.floats(0, 0.95))
def test_label_noise_is_less_pairing(seed, p, q):
    # G(p, q) = (1 - pq) G(p_eff, 0): the same subspaces.
    pairs = SemanticPairs.population(covariance([2.0, 1.0, 0.0], seed), covariance([1.0] * 3, seed))
    effective = min(p * (1 - q) / (1 - p * q), 1.0)
    assert_close(pairs.pair(p, q).shared, (1 - p * q) * pairs.pair(effective, 0.0).shared, cond=10)


@pytest.mark.witness("another-class")
def test_another_of_equally_frequent_classes_scales_between_moments_below_zero():
    # S_B factor 1 - pq K / (K - 1)
    sizes, p, q = (4, 4, 4), 0.9, 0.8
    X, y = labelled(sizes=sizes)
    views = same_class(X, y, p, q, another_class, distinct=False)
    B = same_class(X, y, 1.0, 0.0, distinct=False).shared
    W = same_class(X, y, 0.0).shared - B
    assert_close(views.shared, (1 - p * q * 3 / 2) * B + (1 - p) * W, cond=10)
    population = SemanticPairs.population(B, W, confused=-B / 2).pair(p, q)
    assert_close(views.shared, population.shared, cond=10)
    assert_close(views.spread, population.spread, cond=10)


@pytest.mark.witness("discriminant-analysis")
@pytest.mark.x64
@given(SEEDS, st.sampled_from([2, 3, 6]))
def test_all_pairs_of_a_class_are_fishers_discriminant(seed, classes):
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    X, y = labelled(seed, sizes=[int(n) for n in np.linspace(8, 20, classes)], d=6)
    views = same_class(X, y, 1.0, 0.0, distinct=False)
    dim = min(classes - 1, 6)
    solution = linssl.check(linssl.joint_embedding(views, dim))
    lda = LinearDiscriminantAnalysis(solver="eigen").fit(X, y)
    angles = scipy.linalg.subspace_angles(np.asarray(solution.encoder).T, lda.scalings_[:, :dim])
    assert angles.max() <= 1e-6
    # omega = f / (1 + f) for Fisher's ratios f, and nothing beyond classes - 1
    ratios = scipy.linalg.eigh(views.shared, views.spread, eigvals_only=True)[::-1]
    assert_close(solution.spectrum, ratios / (1 + ratios), cond=1e3)
    assert np.abs(solution.spectrum[classes - 1 :]).max(initial=0) < 1e4 * eps(solution.spectrum)


@pytest.mark.witness("pairs-of-distinct-instances")
def test_without_the_correction_pairs_of_an_instance_with_itself_look_like_classes():
    # Labels that mean nothing: distinct pairs share nothing, on average over labellings.
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, D))
    X = X - X.mean(0)
    found = {True: [], False: []}
    for _ in range(300):
        y = rng.permutation(np.repeat(np.arange(10), 4))
        for distinct in found:
            found[distinct].append(np.trace(same_class(X, y, distinct=distinct).shared))
    C = np.trace(X.T @ X / 40)
    error = np.std(found[True]) / np.sqrt(300)
    # Of a finite sample: E[x_i . x_j] = -|C| / (n - 1) for i != j.
    assert abs(np.mean(found[True]) + C / 39) < 5 * error
    assert np.mean(found[False]) > 0.2 * C


def test_a_sweep_over_p_and_q_summarises_the_data_once():
    X, y = labelled()
    pairs = SemanticPairs.from_labels(X, y)
    p, q = jnp.asarray([0.0, 0.4, 1.0]), jnp.asarray([0.1, 0.5, 0.9])
    batch = jax.jit(jax.vmap(lambda p, q: pairs.pair(p, q).shared))(p, q)
    for i in range(3):
        assert_close(batch[i], same_class(X, y, p[i], q[i]).shared)
    hot = linssl.pairs.one_hot(y)
    traced = jax.jit(lambda X, hot: SemanticPairs.from_labels(X, hot).same)(jnp.asarray(X), hot)
    assert_close(traced, pairs.same)


@pytest.mark.parametrize("constant", [7.7, 1e6])
@pytest.mark.parametrize("name", CONFUSIONS)
def test_a_constant_feature_stays_constant(name, constant):
    X, y = labelled()
    X[:, 1] = constant
    views = same_class(X, y, 0.7, 0.3, CONFUSIONS[name])
    assert jnp.isfinite(views.shared).all()
    assert not views.covariance[1].any()
    assert not views.shared[1].any()
    assert not views.spread[1].any()


@pytest.mark.x64
@pytest.mark.parametrize("name", CONFUSIONS)
def test_a_large_mean_costs_no_digits(name):
    X, y = labelled()
    near, far = (same_class(X + m, y, 0.7, 0.3, CONFUSIONS[name]) for m in (0.0, 1e6))
    for field in ("shared", "spread"):  # data at a mean m are known to eps m
        np.testing.assert_allclose(getattr(far, field), getattr(near, field), atol=1e-8)
    np.testing.assert_allclose(far.mean - 1e6, near.mean, atol=1e-8)


def test_draws_are_differences_within_classes():
    X, y = labelled()
    assert same_class(X, y, 0.0).draws == np.inf  # every instance with itself
    for p, q in ((1e-3, 0.0), (1.0, 0.0), (0.5, 0.9)):
        assert same_class(X, y, p, q).draws == 10 - 3
    assert SemanticPairs.population(np.ones(2), np.ones(2)).pair(0.5, 0.1).draws == np.inf


X, Y = labelled()


def test_the_laws_are_symmetric_and_sum_to_one():
    pi = jnp.asarray([0.2, 0.3, 0.5])
    for confusion in (class_redrawn, another_class, within_superclass(SUPERCLASSES)):
        J = confusion(pi)
        assert_close(J, J.T)
        assert_close(jnp.sum(J), jnp.ones(()))


def test_labels_are_checked_in_a_trace_too():
    with pytest.raises(ValueError, match="two instances in each class"):
        jax.jit(lambda p: same_class(X, [0] * 9 + [1], p).shared)(0.5)
    with pytest.raises(ValueError, match="at least two classes"):
        jax.jit(lambda p: same_class(X, np.zeros(10, int), p).shared)(0.5)
    assert jnp.isnan(jax.jit(lambda p: same_class(X, Y, p).shared)(1.2)).all()
