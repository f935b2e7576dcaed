"""Metrics depend on row spaces only, and agree with other libraries."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
from helpers import SEEDS, assert_close, covariance, invertible, rotation
from hypothesis import given
from hypothesis import strategies as st

import linssl
from linssl import PairMoments, load_dataset, subspace_distance, with_label
from linssl.metrics import linear_probe, probe_accuracy, probe_risk, relative_error
from linssl.pairs import same_instance_population

K, D, N = 3, 5, 40


def encoder(seed, k=K, d=D):
    return jnp.asarray(np.random.default_rng(seed).standard_normal((k, d)))


def samples(seed, shift=0.0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((N, D)) + shift
    return x, x @ rng.standard_normal((D, 2)) + rng.standard_normal((N, 2)) + shift


# ---- subspace distance


@given(SEEDS, st.permutations(range(D)), st.sampled_from([1, K, D]))
def test_features_by_number_are_the_axes_of_those_features(seed, order, k):
    axes = jnp.eye(D)[jnp.asarray(order[:k])]
    W = encoder(seed, k)
    for reference in (order[:k], np.array(order[:k])):
        cond = 10 * np.linalg.cond(W)
        assert_close(subspace_distance(W, reference), subspace_distance(W, axes), cond=cond)


@given(SEEDS, st.sampled_from([1, 2, K, D]))
def test_distance_is_zero_for_any_invertible_recombination_of_rows(seed, k):
    W = encoder(seed, k)
    A = invertible(seed + 1, k)
    noise = 100 * float(jnp.finfo(W.dtype).eps) * 10 * np.linalg.cond(W)
    assert subspace_distance(A @ W, W) < noise**2
    assert subspace_distance(W, A @ W) < noise**2


@given(SEEDS)
def test_distance_is_one_for_orthogonal_row_spaces(seed):
    Q = rotation(seed, 6)
    A = invertible(seed, 3)
    assert_close(subspace_distance(A @ Q[:3], Q[3:]), jnp.ones(()))


@pytest.mark.witness("subspace-distance")
@given(SEEDS, st.sampled_from([1, 2, 4]))
def test_distance_is_the_mean_squared_sine_of_the_principal_angles(seed, k):
    W, V = encoder(seed, k), encoder(seed + 1, k)
    angles = scipy.linalg.subspace_angles(np.asarray(W, float).T, np.asarray(V, float).T)
    got = subspace_distance(W, V)
    want = np.asarray(np.mean(np.sin(angles) ** 2), got.dtype)
    cond = float(max(np.linalg.cond(W), np.linalg.cond(V)) / want)
    assert_close(got, want, cond=cond)


@given(SEEDS)
def test_distance_is_symmetric_and_rotation_invariant(seed):
    W, V, Q = encoder(seed), encoder(seed + 1), rotation(seed, D)
    cond = float(max(np.linalg.cond(W), np.linalg.cond(V)) / subspace_distance(W, V))
    assert_close(subspace_distance(V, W), subspace_distance(W, V), cond=cond)
    assert_close(subspace_distance(W @ Q, V @ Q), subspace_distance(W, V), cond=cond)


def test_distance_counts_the_share_of_lost_directions():
    E = jnp.eye(6)
    for lost in range(4):
        assert_close(subspace_distance(E[lost : lost + 3], E[:3]), jnp.asarray(lost / 3))


@pytest.mark.parametrize("distance", [1e-6, 1e-12, pytest.param(1e-20, marks=pytest.mark.x64)])
def test_tiny_distances_do_not_cancel(distance):
    # 1 - ||P P*||^2/k would be 0 or 2e-16 at 1e-20.
    Q, sine = rotation(0, 4), float(np.sqrt(distance))
    tilted = jnp.stack([Q[0] * float(np.sqrt(1 - distance)) + Q[2] * sine, Q[1]])
    got = subspace_distance(tilted, Q[:2])
    assert_close(got, jnp.asarray(distance / 2), cond=1 / sine)


def test_distance_of_an_encoder_without_full_row_rank_is_not_a_number():
    # QR fills the missing directions with arbitrary ones: the zero encoder was at distance 0.
    E = jnp.eye(3, 4)
    for bad in (E.at[1].set(0), E.at[2].set(E[0] + E[1]), E.at[0].set(jnp.nan), jnp.zeros((3, 4))):
        assert jnp.isnan(subspace_distance(bad, E))
        assert jnp.isnan(subspace_distance(E, bad))


def test_rows_of_very_different_lengths_have_full_rank():
    scale = jnp.array([[1e-12], [1.0], [1e12]])
    assert_close(subspace_distance(scale * jnp.eye(3, 4), jnp.eye(3, 4)), jnp.zeros(()))


# ---- relative error


@given(SEEDS)
def test_relative_error_is_that_of_frobenius_norms(seed):
    V, W = encoder(seed), encoder(seed + 1)
    got = relative_error(W, V)
    want = np.linalg.norm(np.asarray(W) - np.asarray(V)) / np.linalg.norm(np.asarray(V))
    assert_close(got, np.asarray(want, got.dtype))
    assert relative_error(V, V) == 0
    assert_close(relative_error(3 * V, V), jnp.asarray(2.0))


def test_relative_error_of_a_zero_reference_is_not_finite():
    assert relative_error(jnp.ones(2), jnp.zeros(2)) == jnp.inf
    assert jnp.isnan(relative_error(jnp.zeros(2), jnp.zeros(2)))


# ---- probe risk


@given(SEEDS)
def test_probe_risk_about_zero_is_the_residual_of_least_squares_without_intercept(seed):
    x, y = samples(seed, shift=1.0)
    W = np.asarray(encoder(seed + 1), float)
    Z = x @ W.T
    residual = y - Z @ np.linalg.lstsq(Z, y, rcond=None)[0]
    got = probe_risk(W, with_label(x, y).about_zero())
    want = np.asarray(np.sum(residual**2) / N, got.dtype)
    # Normal equations square the condition number; the risk is a difference from E|y|^2.
    cond = np.linalg.cond(Z) ** 2 * float(np.sum(y**2) / N / want)
    assert_close(got, want, cond=cond)


def test_the_linear_probe_is_least_squares_also_on_redundant_codes():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((N, D)) + 1, rng.standard_normal((N, 2))
    W, scale = np.asarray(encoder(1), float), np.array([[1e-6], [1.0], [1e6]])
    around = x - x.mean(0)
    want = np.linalg.lstsq(around @ W.T, y, rcond=None)[0]
    got = linear_probe(scale * W, with_label(x, y))
    assert_close(np.asarray(got) * scale.astype(got.dtype), want, cond=100)
    twice = np.concatenate([W, W[:1]])
    predicted = around @ twice.T @ np.asarray(linear_probe(twice, with_label(x, y)))
    assert_close(predicted.astype(got.dtype), around @ W.T @ want, cond=100)
    with pytest.raises(ValueError, match=r"encoder must be \(k, 5\), k >= 1; got \(2, 3\)"):
        linear_probe(np.ones((2, 3)), with_label(x, y))


@pytest.mark.witness("probe-risk")
@given(SEEDS)
def test_probe_risk_is_that_of_a_probe_with_an_intercept(seed):
    from sklearn.linear_model import LinearRegression

    x, y = samples(seed, shift=1.0)
    W = np.asarray(encoder(seed + 1), float)
    Z = x @ W.T
    residual = y - LinearRegression().fit(Z, y).predict(Z)
    got = probe_risk(W, with_label(x, y))
    want = np.asarray(np.sum(residual**2) / N, got.dtype)
    cond = np.linalg.cond(Z - Z.mean(0)) ** 2 * float(np.sum(y**2) / N / want)
    assert_close(got, want, cond=cond)


@pytest.mark.witness("probe-risk")
@given(SEEDS)
def test_probe_risk_depends_on_the_row_space_only(seed):
    pair, W = with_label(*samples(seed)), encoder(seed + 1)
    want = probe_risk(W, pair)
    cond = 100 * np.linalg.cond(W) ** 2 * float(pair.second.trace() / want)
    assert_close(probe_risk(invertible(seed, K) @ W, pair), want, cond=cond)
    scales = jnp.array([[1e-6], [1.0], [1e6]])
    assert_close(probe_risk(scales * W, pair), want, cond=cond)


@given(SEEDS)
def test_redundant_and_zero_rows_do_not_change_the_risk(seed):
    pair, W = with_label(*samples(seed)), encoder(seed + 1)
    want = probe_risk(W, pair)
    cond = np.linalg.cond(W) ** 2 * float(pair.second.trace() / want)
    more = jnp.concatenate([W, W[:1] * 3, W[1:2] - W[:1], jnp.zeros((1, D))])
    assert_close(probe_risk(more, pair), want, cond=cond)


def test_probe_on_all_of_x_is_the_full_regression_and_on_nothing_the_label_variance():
    x, y = samples(0)
    pair = with_label(x, y)
    x, y = x - x.mean(0), y - y.mean(0)
    full = np.sum((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2) / N
    assert_close(probe_risk(jnp.eye(D), pair), jnp.asarray(full), cond=np.linalg.cond(x) ** 2)
    assert_close(probe_risk(jnp.zeros((K, D)), pair), pair.second.trace())


def test_more_rows_never_raise_the_risk():
    pair, W = with_label(*samples(0)), encoder(1, D)
    risks = [float(probe_risk(W[:k], pair)) for k in range(1, D + 1)]
    assert risks == sorted(risks, reverse=True)


def test_constant_codes_explain_nothing():
    x, y = samples(0)
    x[:, 0] = 7
    pair = with_label(x, y)
    assert_close(probe_risk(jnp.eye(1, D), pair), pair.second.trace())


def test_small_feature_that_is_read_alone_is_not_lost_beside_a_large_one():
    # Its variance was once compared with the largest of all features: risk 1 came out.
    large = 1 / float(jnp.finfo(jnp.result_type(float)).eps) ** 1.2
    pair = PairMoments(
        np.array([large, 1.0]), np.ones(1), np.array([[0.0], [1.0]]), np.zeros(2), np.zeros(1),
        10, 9,
    )  # fmt: skip
    assert probe_risk(np.array([[0.0, 1.0]]), pair) < 1e-6
    assert probe_risk(np.eye(2), pair) < 1e-6


def test_probe_risk_reads_diagonal_pairs():
    pair = same_instance_population(jnp.array([3.0, 2.0, 1.0])).as_pair()
    assert_close(probe_risk(jnp.eye(2, 3), pair), jnp.asarray(1.0), cond=6)


def test_probe_risk_compiles_and_batches():
    pair = with_label(*samples(0))
    Ws = jnp.stack([encoder(i) for i in range(3)])
    want = jnp.stack([probe_risk(W, pair) for W in Ws])
    assert_close(jax.jit(jax.vmap(lambda W: probe_risk(W, pair)))(Ws), want, cond=100)


def test_not_a_number_in_is_not_a_number_out():
    pair, W = with_label(*samples(0)), encoder(1)
    assert jnp.isnan(probe_risk(W.at[1, 2].set(jnp.nan), pair))
    for name in ("first", "second", "cross"):
        bad = getattr(pair, name).at[0, 0].set(jnp.nan)
        fields = {n: getattr(pair, n) for n in pair.__dataclass_fields__}
        assert jnp.isnan(probe_risk(W, PairMoments(**{**fields, name: bad})))


# ---- probe accuracy


@pytest.fixture(scope="module")
def digits():
    return load_dataset()


@pytest.fixture(scope="module")
def components(digits):
    """The first 20 principal components."""
    X = digits.X_train - digits.X_train.mean(0)
    return np.linalg.eigh(X.T @ X)[1][:, -20:].T


def accuracy(W, digits, **options):
    return probe_accuracy(
        W, digits.X_train, digits.y_train, digits.X_test, digits.y_test, **options
    )


def test_twenty_components_of_digits_are_classified_far_above_chance(digits, components):
    assert 0.85 < accuracy(components, digits) <= 1
    assert accuracy(components[-1:], digits) < 0.5


def test_accuracy_depends_on_the_row_space_only(digits, components):
    want = accuracy(components, digits)
    assert accuracy(np.asarray(invertible(0, 20), float) @ components, digits) == want
    # Scales far apart: the small codes were once taken for redundant ones.
    assert accuracy(np.geomspace(1e-9, 1e9, 20)[:, None] * components, digits) == want


def test_accuracy_ignores_redundant_rows(digits, components):
    more = np.concatenate([components, components[:3] * 2, np.zeros((1, 64))])
    assert accuracy(more, digits) == accuracy(components, digits)


def test_accuracy_is_that_of_a_ridge_classifier_on_whitened_codes(digits, components):
    from sklearn.decomposition import PCA
    from sklearn.linear_model import RidgeClassifier

    white = PCA(whiten=True).fit(digits.X_train @ components.T)
    codes, held_out = (white.transform(x @ components.T) for x in (digits.X_train, digits.X_test))
    want = RidgeClassifier(alpha=30.0).fit(codes, digits.y_train).score(held_out, digits.y_test)
    assert accuracy(components, digits, ridge=30.0) == pytest.approx(want, abs=0.005)


def test_separable_classes_are_told_apart_whatever_their_names():
    x = np.array([[0.0, 1.0], [0.1, 5.0], [1.0, 2.0], [1.1, 4.0]])
    for names in (["a", "a", "b", "b"], [True, True, False, False], [3, 3, -1, -1]):
        assert probe_accuracy([[1.0, 0.0]], x, names, x, names) == 1


def test_risk_and_moments_of_a_dense_population_agree():
    # y = B x + noise of variance 0.5: reading all of x leaves the noise.
    C, B = covariance([3.0, 1.0, 0.5], 1), encoder(0, 2, 3)
    pair = PairMoments(
        C, B @ C @ B.T + 0.5 * jnp.eye(2), C @ B.T, jnp.zeros(3), jnp.zeros(2), np.inf, np.inf
    )
    assert_close(probe_risk(jnp.eye(3), pair), jnp.asarray(1.0), cond=100)
    assert probe_risk(B, pair) >= 1 - 1e-3


@pytest.mark.parametrize("scale", [1e-25, 1e-10, 1e10, 1e25])
def test_metrics_do_not_depend_on_the_scale_of_the_encoder(scale):
    rng = np.random.default_rng(0)
    W, V, X = rng.standard_normal((2, 4)), rng.standard_normal((2, 4)), rng.standard_normal((30, 4))
    pair = linssl.with_label(X, X[:, :1] + X[:, 1:2])
    assert_close(linssl.subspace_distance(scale * W, V), linssl.subspace_distance(W, V), cond=10)
    assert_close(
        linssl.metrics.probe_risk(scale * W, pair), linssl.metrics.probe_risk(W, pair), cond=100
    )
    assert_close(
        linssl.metrics.relative_error(scale * W, scale * V),
        linssl.metrics.relative_error(W, V),
        cond=10,
    )
