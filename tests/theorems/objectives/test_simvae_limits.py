"""Where SimVAE degenerates: limits that it has, and trouble that it says."""

import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, eps
from views import D, J, K, dense_nll, generic, lowest, population, sharing

import linssl
from linssl import Status, simvae


def status(model):
    nothing = np.isnan(model.loss)
    arrays = (model.encoder, model.decoder, model.spectrum, model.noise, model.gradient)
    for array in arrays:  # all numbers or none
        assert np.isnan(array).all() == nothing
        assert np.isnan(array).any() == nothing
    assert nothing == bool(int(model.status) & (31 | Status.UNBOUNDED))
    return Status(int(model.status))


def sklearn_pca(n=60):
    from sklearn.decomposition import PCA

    X = np.random.default_rng(0).standard_normal((n, D)) * np.geomspace(3, 0.3, D)
    X = X - X.mean(0)
    pca = PCA(K).fit(X + 2)
    # Its spectrum has divisor n - 1: the moments get that too.
    X = X * np.sqrt(n / (n - 1)) + 2
    return pca, linssl.same_instance(X), X


@pytest.mark.witness("probabilistic-pca")
@pytest.mark.x64
@pytest.mark.parametrize("style", [0.0, 0.5, np.inf])
def test_one_view_is_probabilistic_pca(style):
    pca, views, X = sklearn_pca()
    model = linssl.check(simvae(views, K, 1, style=style))
    assert abs(float(model.noise) - pca.noise_variance_) < 1e-12
    W = np.asarray(model.decoder)
    total = 1.0 if np.isinf(style) else 1 + style
    covariance = total * W @ W.T + float(model.noise) * np.eye(D)
    np.testing.assert_allclose(covariance, pca.get_covariance(), atol=1e-10)
    assert abs(float(model.loss) + pca.score(X)) < 1e-10
    assert_close(model.log_likelihood(X[:, None]), jnp.asarray(pca.score_samples(X)), cond=100)
    assert np.isfinite(model.encoder).all()


@pytest.mark.witness("probabilistic-pca")
@pytest.mark.x64
def test_infinite_style_is_probabilistic_pca_of_every_view():
    pca, views, X = sklearn_pca()
    apart = linssl.Views(0 * views.shared, views.shared, views.mean, np.inf, np.inf)
    model = linssl.check(simvae(apart, K, J, style=np.inf))
    assert abs(float(model.loss) + J * pca.score(X)) < 1e-9
    near = simvae(apart, K, J, style=1e9)
    assert abs(float(near.loss - model.loss)) < 1e-6
    found = model.group_posterior(X[:J])
    assert np.abs(found.content.mean).max() == 0  # nothing is shared
    assert_close(found.codes.mean, model(X[:J]), cond=10)


@pytest.mark.x64
def test_no_style_is_a_limit_and_codes_of_a_group_are_equal():
    views = generic(0)
    at, near = simvae(views, K, J, style=0.0), simvae(views, K, J, style=1e-9)
    assert status(at) == Status.OK
    assert abs(float(near.loss - at.loss)) < 1e-7
    found = at.group_posterior(np.random.default_rng(0).standard_normal((J, D)))
    np.testing.assert_allclose(found.codes.mean, np.tile(found.content.mean, (J, 1)), atol=1e-12)
    np.testing.assert_allclose(found.codes.covariance, found.content.covariance, atol=1e-12)


def test_style_is_estimated_to_be_exactly_none_where_that_is_best():
    # EM alone would take 1/n of the way in n steps.
    g, w = np.array([4.0, 2.0, 0, 0, 0]), np.array([0.3, 0.3, 0.5, 0.5, 0.5])
    views = population(np.diag(g), np.diag(w))
    model = linssl.check(simvae(views, K, J))
    assert float(model.style) == 0
    fixed = simvae(views, K, J, style=0.0)
    assert_close(model.loss, fixed.loss)


@pytest.mark.x64
def test_noise_goes_to_zero_like_its_limit():
    # As s -> 0, encoder W's pseudoinverse: codes are read off without shrinking.
    model = simvae(generic(0), K, J, style=0.5, noise=1e-9)
    assert status(model) == Status.OK
    np.testing.assert_allclose(model.encoder @ model.decoder, np.eye(K), atol=1e-6)
    np.testing.assert_allclose(model.encoder, np.linalg.pinv(model.decoder), atol=1e-6)


@pytest.mark.x64
def test_views_that_hardly_differ_keep_their_digits():
    # The model is exact here, so that each channel's trace is d. B holds s to its own rounding.
    g, s = np.array([3.0, 2.0, 0, 0, 0]), 1e-11
    model = simvae(population(np.diag(g), s * np.eye(D)), K, J, style=0.0, noise=s)
    want = np.sum(np.log(J * g + s)) + (J - 1) * D * np.log(s) + J * D * (1 + np.log(2 * np.pi))
    assert status(model) == Status.OK
    assert abs(float(model.loss) - want / 2) < 2.3e-16 * 3 * g.sum() / s
    np.testing.assert_allclose(np.abs(model.decoder[:2]), np.diag(np.sqrt(g[:2])), atol=1e-9)
    s = 1e-18
    views = population(np.diag(g), s * np.eye(D))
    assert status(simvae(views, K, J, style=0.0, noise=s)) & Status.ILL_CONDITIONED


def test_views_that_vary_more_within_than_between_share_nothing():
    S = generic(0).covariance
    for G in (0 * S, -0.05 * jnp.eye(D, dtype=S.dtype)):  # b = w, b < w
        model = simvae(sharing(S, G), K, J)
        assert status(model) == Status.COLLAPSED
        assert jnp.isinf(model.style)
        assert "share none" in linssl.explain(model)
    alone = simvae(sharing(S, 0 * S), K, J, style=np.inf)
    assert_close(simvae(sharing(S, 0 * S), K, J).loss, alone.loss)


def test_directions_below_the_noise_collapse_to_zero():
    model = simvae(generic(0), K, J, style=0.5, noise=1e3)
    assert status(model) == Status.COLLAPSED
    assert np.abs(model.decoder).max() == np.abs(model.encoder).max() == 0
    none = dense_nll(generic(0), jnp.zeros((D, K)), 1e3, 0.5, J)
    assert_close(model.loss, jnp.asarray(none, model.loss.dtype))
    assert "smaller dim" in linssl.explain(model)


def test_the_likelihood_of_views_without_noise_is_unbounded_and_says_so():
    flat = np.diag([3.0, 2.0, 0, 0, 0])
    nothing = 0.0 * flat
    cases = [(flat, 0.5 * flat), (flat, flat), (nothing, nothing)]
    for S, G in cases:
        model = simvae(sharing(S, G), K, J)
        assert status(model) == Status.UNBOUNDED
        with pytest.raises(linssl.objectives.NumericalTroubleError, match="noise="):
            linssl.check(model)
    # With the noise given, or one more direction, there is a maximum, though S is singular.
    assert status(simvae(sharing(flat, 0.5 * flat), K, J, style=0.5, noise=0.1)) == Status.OK
    more = np.diag([3.0, 2.0, 1.0, 0, 0])
    assert status(simvae(sharing(more, 0.5 * more), K, J)) == Status.OK


@pytest.mark.x64
def test_as_many_codes_as_features_are_solved_where_noise_is_identified():
    views = generic(0)
    model = linssl.check(simvae(views, D, J, noise=0.1, style=0.5))
    loss = lambda x: dense_nll(views, x.reshape(D, D), 0.1, 0.5, J)  # noqa: E731
    assert abs(float(model.loss) - lowest(loss, D * D, 0, starts=2)) < 1e-7
    assert jnp.isinf(model.gap)


@pytest.mark.x64
@pytest.mark.parametrize("d", [1, 2])
def test_noise_and_style_of_directions_of_one_size_are_not_told_apart(d):
    views = population(np.eye(d), 0.5 * np.eye(d))
    assert status(simvae(views, d, J)) == Status.NO_GAP
    losses = []
    for noise in (0.2, 0.4):  # the likelihood is flat along v m + s
        model = linssl.check(simvae(views, d, J, noise=noise))
        assert abs(float(model.style) + noise - 0.5) < 1e-6
        losses.append(model.loss)
    assert_close(*losses, cond=1e3)
    assert Status.NO_GAP not in status(simvae(views, d, J, style=0.1))
    apart = np.diag([1.0, 0.5])  # two sizes tell: what EM needs is patience
    assert Status.NO_GAP not in status(simvae(population(apart, 0.5 * np.eye(2)), 2, J))


@pytest.mark.x64
def test_plug_in_prior_reaches_what_an_optimiser_reaches():
    views = generic(1)
    model = linssl.check(simvae(views, K, J, prior="plug-in"))

    def loss(x):
        s, v = jnp.exp(x[-1]), jnp.exp(x[-2])
        return dense_nll(views, x[:-2].reshape(D, K), s, v, J, tau=J)

    best = lowest(loss, D * K + 2, 0)
    assert abs(float(model.loss) - best) < 1e-8
    # The encoder is the posterior mean under the plug-in prior's variance of a code.
    t, W, s = 1 + float(model.style) * (J - 1) / J, np.asarray(model.decoder), float(model.noise)
    gain = t * W.T @ np.linalg.inv(t * W @ W.T + s * np.eye(D))
    np.testing.assert_allclose(model.encoder, gain, atol=1e-12)
    covariance = np.linalg.inv(W.T @ W / s + np.eye(K) / t)
    np.testing.assert_allclose(model.posterior(np.zeros(D)).covariance, covariance, atol=1e-12)


def test_a_tie_at_the_cut_is_said():
    same = np.diag([4.0, 2.0, 2.0, 0.1, 0.1])
    model = simvae(population(same, 0.1 * np.eye(D)), K, J, style=0.5, noise=0.1)
    assert status(model) == Status.NO_GAP


def test_moments_that_no_views_have_are_a_status():
    S, G = generic(0).covariance, generic(0).shared
    skew = G.at[0, 1].add(1.0)
    for total, shared, want in (
        (S, G.at[0, 0].set(jnp.nan), Status.NOT_FINITE),
        (S, skew, Status.NOT_SYMMETRIC),
        (S, 2 * S, Status.INCONSISTENT),
        (S, -0.9 * S, Status.INCONSISTENT),  # two views may be so; three can't
        (-S, -G, Status.INDEFINITE),
    ):
        model = simvae(sharing(total, shared), K, J)
        assert status(model) & want
        assert np.isnan(model.loss)


def test_bad_data_are_refused():
    model = simvae(generic(0), K, J, style=0.5, noise=0.3)
    with pytest.raises(ValueError, match=r"x must be \(..., J, 5\), groups of views; got shape"):
        model.log_likelihood(np.ones((2, 4)))
    with pytest.raises(ValueError, match="x must have 5 features last"):
        model.posterior(np.ones(4))
    assert float(model.log_likelihood(np.zeros((1, D)))) < 0
    tied = simvae(generic(0), K, J, prior="plug-in")
    with pytest.raises(ValueError, match="the plug-in prior has no content"):
        tied.group_posterior(np.zeros((J, D)))
    with pytest.raises(ValueError, match="the plug-in prior is of 3 views a group; got 2"):
        tied.log_likelihood(np.zeros((2, D)))
    assert eps(model.loss) > 0
