"""JEvRC, Theorem 1 and the supervised form: algebra, optimiser, sampling; invariances."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import SEEDS, assert_close, assert_sampled, eps, invertible, rotation, same_rows
from hypothesis import given
from hypothesis import strategies as st
from problems import clean_and_view, minimise, view_and_clean

import linssl

D = 5
DIMS = st.sampled_from([1, 2, 4])
COND = 400.0


def rc_loss(E, Dec, pair):
    K, V = pair.cross.T, Dec @ E
    return jnp.trace(pair.second) - 2 * jnp.trace(V @ K.T) + jnp.trace(V @ pair.first @ V.T)


def labelled(seed, e, d=D):
    """A (view, label) pair from a random joint covariance."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((d + e, 3 * (d + e)))
    M = jnp.asarray(A @ A.T / A.shape[1])
    zero = jnp.zeros(d + e)
    return linssl.PairMoments(M[:d, :d], M[d:, d:], M[:d, d:], zero[:d], zero[d:], jnp.inf, jnp.inf)


@pytest.mark.witness("reconstruction")
@given(SEEDS, DIMS)
def test_loss_is_the_total_minus_the_kept_scores(seed, k):
    pair = view_and_clean(*clean_and_view(seed))
    s = linssl.reconstruction(pair, k)
    assert int(s.status) == 0
    assert_close(s.encoder @ pair.first @ s.encoder.T, jnp.eye(k), cond=COND)
    assert_close(s.loss, jnp.trace(pair.second) - jnp.sum(s.spectrum[:k]), cond=COND)
    assert_close(rc_loss(s.encoder, s.decoder, pair), s.loss, cond=COND)


@given(SEEDS, DIMS)
def test_gradients_of_encoder_and_decoder_vanish(seed, k):
    pair = view_and_clean(*clean_and_view(seed))
    s = linssl.reconstruction(pair, k)
    gradients = jax.grad(rc_loss, (0, 1))(s.encoder, s.decoder, pair)
    assert max(np.abs(g).max() for g in gradients) < 500 * eps(s.encoder) * COND


@pytest.mark.witness("reconstruction-recoding")
@given(SEEDS, DIMS)
def test_any_invertible_recoding_has_the_same_loss(seed, k):
    pair = view_and_clean(*clean_and_view(seed))
    s = linssl.reconstruction(pair, k)
    T = invertible(seed, k, cond=5.0).astype(s.encoder.dtype)
    recoded = rc_loss(T @ s.encoder, s.decoder @ jnp.linalg.inv(T), pair)
    assert_close(recoded, s.loss, cond=5 * COND)


@pytest.mark.witness("reconstruction")
@pytest.mark.x64
@pytest.mark.parametrize("seed", range(4))
def test_independent_optimiser_reaches_the_same_value_and_never_a_better_one(seed):
    pair, k = view_and_clean(*clean_and_view(seed)), 2
    best = minimise(
        lambda x: rc_loss(x[: k * D].reshape(k, D), x[k * D :].reshape(D, k), pair), 2 * k * D, seed
    )
    closed = float(linssl.reconstruction(pair, k).loss)
    assert abs(best - closed) < 1e-7  # BFGS stops at a gradient of 1e-9 to 1e-6
    assert best > closed - 1e-12


@pytest.mark.witness("reconstruction")
def test_sampled_views_have_the_predicted_loss(key):
    C, Theta = clean_and_view(3)
    s = linssl.reconstruction(view_and_clean(C, Theta), 2)
    keys = jax.random.split(key, 2)
    clean = linssl.GaussianNoise(C).sample(keys[0], jnp.zeros((20_000, D), C.dtype))
    views = linssl.GaussianNoise(Theta).sample(keys[1], clean)
    assert_sampled(jnp.sum((clean - s.predict(views)) ** 2, 1), s.loss)


@pytest.mark.witness("reconstruction-equivariance")
@given(SEEDS, DIMS, st.floats(0.1, 10.0))
def test_equivariant_under_rotations_and_scalings(seed, k, c):
    C, Theta = clean_and_view(seed)
    A = (c * rotation(seed, D)).astype(C.dtype)
    s = linssl.reconstruction(view_and_clean(C, Theta), k)
    mapped = linssl.reconstruction(view_and_clean(A @ C @ A.T, A @ Theta @ A.T), k)
    assert_close(mapped.spectrum, c**2 * s.spectrum, cond=COND)
    assert same_rows(mapped.encoder @ A, s.encoder) < 1e4 * eps(C) * COND / float(s.gap)


@pytest.mark.witness("reconstruction-equivariance")
def test_not_equivariant_under_a_shear_where_joint_embedding_is():
    C, Theta = jnp.array([2.0, 1.0, 0.5]), jnp.full(3, 0.3)
    A = jnp.diag(jnp.array([0.1, 1.0, 3.0]))
    before = linssl.reconstruction(view_and_clean(C, Theta), 1).encoder
    after = linssl.reconstruction(view_and_clean(A @ jnp.diag(C) @ A, A @ jnp.diag(Theta) @ A), 1)
    assert same_rows(after.encoder @ A, before) > 0.99


@pytest.mark.witness("reconstruction-equivariance")
@given(SEEDS, DIMS)
def test_equivariant_under_every_invertible_map_of_the_view_alone(seed, k):
    pair = view_and_clean(*clean_and_view(seed))
    A = invertible(seed, D, cond=5.0).astype(pair.first.dtype)
    first = A @ pair.first @ A.T
    mapped = linssl.PairMoments(
        (first + first.T) / 2, pair.second, A @ pair.cross, pair.mean_first, pair.mean_second,
        pair.count, pair.draws,
    )  # fmt: skip
    s, t = linssl.reconstruction(pair, k), linssl.reconstruction(mapped, k)
    assert_close(t.spectrum, s.spectrum, cond=25 * COND)
    assert same_rows(t.encoder @ A, s.encoder) < 1e4 * eps(first) * 25 * COND / float(s.gap)


@pytest.mark.witness("supervised")
@given(SEEDS, st.sampled_from([2, 5, 7]))
def test_supervised_is_the_normal_equation(seed, e):
    pair = labelled(seed, e)
    s = linssl.supervised(pair)
    want = np.linalg.solve(np.asarray(pair.first, float), np.asarray(pair.cross, float)).T
    assert int(s.status) == 0
    assert_close(s.predictor, jnp.asarray(want, s.encoder.dtype), cond=COND)
    residual = np.trace(pair.second) - np.trace(want @ np.asarray(pair.cross))
    assert_close(s.loss, jnp.asarray(residual, s.loss.dtype), cond=COND)


@pytest.mark.witness("supervised", "without-intercept")
def test_supervised_equals_least_squares_on_samples():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, D)) + 1
    Y = X @ rng.standard_normal((D, 3)) + rng.standard_normal((200, 3))
    s = linssl.supervised(linssl.with_label(X, Y))
    want = np.linalg.lstsq(X - X.mean(0), Y, rcond=None)[0].T
    assert_close(s.predictor, jnp.asarray(want, s.encoder.dtype), cond=COND)


@pytest.mark.x64
def test_supervised_equals_an_independent_optimiser():
    pair = labelled(1, 2)

    def loss(v):
        V = v.reshape(2, D)
        return rc_loss(V, jnp.eye(2), pair)

    assert abs(minimise(loss, 2 * D, 0) - float(linssl.supervised(pair).loss)) < 1e-8


def test_supervised_with_one_hot_labels_of_deficient_rank_is_fine():
    # One-hot labels less their mean sum to 0, so the last score is 0; V is unique all the same.
    X = np.random.default_rng(0).standard_normal((60, 4))
    pair = linssl.with_label(X, np.arange(60) % 3)
    s = linssl.supervised(pair)
    assert int(s.status) == 0
    assert_close(s.predictor, jnp.linalg.solve(pair.first, pair.cross).T, cond=COND)


@given(SEEDS)
def test_short_target_and_long_target_agree(seed):
    # e < d uses the thin decomposition, e >= d the symmetric one: pad the target with zeros.
    pair = labelled(seed, 3)
    padded = linssl.PairMoments(
        pair.first,
        jax.scipy.linalg.block_diag(pair.second, jnp.zeros((D - 3, D - 3))),
        jnp.pad(pair.cross, ((0, 0), (0, D - 3))),
        pair.mean_first, jnp.zeros(D), pair.count, pair.draws,
    )  # fmt: skip
    s, t = linssl.reconstruction(pair, 2), linssl.reconstruction(padded, 2)
    assert_close(t.spectrum[:3], s.spectrum, cond=COND)
    assert same_rows(t.encoder, s.encoder) < 1e4 * eps(pair.first) * COND / float(s.gap)
    assert_close(t.predictor[:3], s.predictor, cond=COND**2)


@pytest.mark.witness("supervised-is-full-rank")
def test_full_rank_reconstruction_has_no_gap_and_predicts_by_least_squares():
    pair = view_and_clean(*clean_and_view(0))
    s = linssl.reconstruction(pair, D)
    assert np.isinf(s.gap)
    assert_close(s.predictor, jnp.linalg.solve(pair.first, pair.cross).T, cond=COND)


@pytest.mark.witness("principal-components")
def test_no_augmentation_is_principal_component_analysis():
    from sklearn.decomposition import PCA

    X = np.random.default_rng(0).standard_normal((100, D)) * np.array([3, 2, 1.5, 1, 0.5])
    pair = linssl.same_instance(X).as_pair()
    s = linssl.reconstruction(pair, 2)
    assert same_rows(s.encoder, PCA(2).fit(X).components_) < 1e-4
    assert_close(s.spectrum, jnp.linalg.eigvalsh(pair.first)[::-1], cond=COND)


@pytest.mark.parametrize("dim", [0, 4])
def test_dim_beyond_the_smaller_side_is_refused(dim):
    with pytest.raises(ValueError, match="dim must be between 1 and 3"):
        linssl.reconstruction(labelled(0, 3), dim)


@pytest.mark.parametrize("e", [3, 4])
def test_gradient_of_the_loss_is_finite_at_ties(e):
    def loss(t):
        zero = jnp.zeros(4)
        pair = linssl.PairMoments(
            (1 + t) * jnp.eye(4), 3 * jnp.eye(e), jnp.eye(4, e), zero, zero[:e], jnp.inf, jnp.inf
        )
        return linssl.reconstruction(pair, 2).loss

    # loss = 3e - 2/(1 + t): every score is 1/(1 + t)
    assert_close(jax.grad(loss)(jnp.asarray(0.5)), jnp.asarray(2 / 1.5**2), cond=10)
