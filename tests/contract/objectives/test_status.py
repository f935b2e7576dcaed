"""No silently wrong number: every trouble is a status with advice, and NaN or a caveat."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import covariance, eps
from problems import clean_and_view, two_views, view_and_clean
from views import population, sharing

import linssl
from linssl import Status, objectives, pairs
from linssl.linalg.status import FATAL
from linssl.linalg.structure import diagonal


def is_nan(s):
    fields = (s.encoder, s.spectrum, s.loss, s.gap)
    return all(np.isnan(np.asarray(f)).all() for f in fields)


def both(views, dim):
    return linssl.joint_embedding(views, dim), linssl.reconstruction(views.as_pair(), dim)


SINGULAR_CASES = {
    "constant feature": jnp.diag(jnp.array([1.0, 0.0, 2.0])),
    "duplicate feature": jnp.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    "diagonal zero": jnp.array([1.0, 0.0, 2.0]),
    "rank 2 of 3, rotated": covariance([2.0, 1.0, 0.0], 3),
}


@pytest.mark.parametrize("S", SINGULAR_CASES.values(), ids=SINGULAR_CASES)
def test_singular_second_moment_is_said_and_gives_nan(S):
    for s in both(sharing(S, 0.5 * S), 1):
        assert int(s.status) == Status.SINGULAR
        assert is_nan(s)
        with pytest.raises(
            linssl.objectives.NumericalTroubleError, match=r"SINGULAR: .*GaussianNoise.*ridge"
        ):
            linssl.check(s)


def test_a_little_gaussian_noise_cures_a_singular_moment():
    C = SINGULAR_CASES["duplicate feature"]
    assert linssl.check(linssl.joint_embedding(two_views(C, jnp.full(3, 0.01)), 1)) is not None


def test_fewer_sampled_views_than_features_are_singular_not_a_correlation_of_one():
    rng = np.random.default_rng(0)
    X, noise = rng.standard_normal((20, 30)), rng.standard_normal((2, 20, 30))
    # 10 pairs are 20 views of 30 features: S is singular. 20 pairs are 40 views: S isn't, but 10
    # directions never differ within a pair, by chance, and score exactly 1.
    seen = np.stack([X + noise[0], X + noise[1]], 1)
    few = pairs.groups(seen[:10])
    assert int(linssl.joint_embedding(few, 2).status) == Status.SINGULAR
    assert "n < d" in linssl.explain(linssl.joint_embedding(few, 2))
    for dim, status in ((2, Status.FEW_SAMPLES | Status.NO_GAP), (10, Status.FEW_SAMPLES)):
        s = linssl.joint_embedding(pairs.groups(seen), dim)
        assert int(s.status) == status
        assert "agree by chance" in linssl.explain(s)
    exact = linssl.two_views(X, linssl.GaussianNoise(jnp.ones(30)))
    assert int(linssl.joint_embedding(exact, 2).status) == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_or_inf_in_the_moments_is_said(bad):
    views = two_views(*clean_and_view(0))

    def broken(moments, where):
        moment = getattr(moments, where).at[0, 1].set(bad).at[1, 0].set(bad)
        return eqx.tree_at(lambda m: getattr(m, where), moments, moment)

    solved = [linssl.joint_embedding(broken(views, name), 2) for name in ("shared", "spread")]
    for name in ("first", "second", "cross"):
        solved.append(linssl.reconstruction(broken(views.as_pair(), name), 2))
    for s in solved:
        assert int(s.status) & Status.NOT_FINITE
        assert is_nan(s)
        assert "NaN or inf" in linssl.explain(s)


def test_non_symmetric_second_moment_is_said():
    S = np.asarray(covariance([3.0, 2.0, 1.0], 0)).copy()
    S[0, 1] += 0.1
    for s in both(sharing(S, np.diag([0.1, 0.2, 0.3])), 1):
        assert int(s.status) == Status.NOT_SYMMETRIC
        assert is_nan(s)
        assert "isn't symmetric" in linssl.explain(s)


def test_non_symmetric_cross_moment_is_said_by_joint_embedding():
    G = np.diag([0.3, 0.2, 0.1])
    G[0, 1] = 0.2
    s = linssl.joint_embedding(sharing(np.eye(3), G), 1)
    assert int(s.status) == Status.NOT_SYMMETRIC
    assert is_nan(s)


INDEFINITE_CASES = {
    "negative variance, diagonal": jnp.array([1.0, -0.1]),
    "negative variance": jnp.diag(jnp.array([1.0, -0.1])),
    "correlation above 1": jnp.array([[1.0, 1.5], [1.5, 1.0]]),
}


@pytest.mark.parametrize("S", INDEFINITE_CASES.values(), ids=INDEFINITE_CASES)
def test_indefinite_second_moment_is_said(S):
    for s in both(sharing(S, jnp.zeros(2)), 1):
        assert int(s.status) == Status.INDEFINITE
        assert is_nan(s)
        assert "negative eigenvalue" in linssl.explain(s)


def test_cross_beyond_cauchy_schwarz_is_said():
    for s in both(sharing(jnp.eye(2), jnp.diag(jnp.array([2.0, 0.1]))), 1):
        assert int(s.status) == Status.INCONSISTENT
        assert is_nan(s)
        assert "correlation above 1" in linssl.explain(s)


def test_indefinite_augmentation_hidden_in_a_trace_is_caught_as_inconsistent():
    @jax.jit
    def solve(theta):
        return linssl.joint_embedding(two_views(jnp.ones(2), theta), 1)

    assert int(solve(jnp.array([-0.5, 0.1])).status) == Status.INCONSISTENT
    assert int(solve(jnp.array([-1.5, 0.1])).status) == Status.INDEFINITE


def test_a_target_that_is_explained_beyond_its_variance_is_said_whatever_others_leave():
    pair = population(np.array([3.0, -0.7, 1.0]), np.ones(3)).as_pair()
    for s in (
        linssl.reconstruction(pair, 1),
        linssl.supervised(pair),
        objectives.reconstruction_path(pair, 1, 0.5),
    ):
        assert int(s.status) == Status.INCONSISTENT
        assert is_nan(s)


def test_equal_scores_at_the_cut_are_said_and_numbers_are_kept():
    C, Theta = jnp.array([2.0, 1.0, 1.0, 0.5]), jnp.full(4, 0.5)
    for s in (
        linssl.joint_embedding(two_views(C, Theta), 2),
        linssl.reconstruction(view_and_clean(C, Theta), 2),
    ):
        assert int(s.status) == Status.NO_GAP
        assert np.isfinite(s.encoder).all()
        assert "not identified" in linssl.explain(s)
        with pytest.raises(linssl.objectives.NumericalTroubleError, match="NO_GAP"):
            linssl.check(s)


@pytest.mark.parametrize("distance", [1e-2, 0.1, 1.0])
def test_a_real_gap_is_not_called_a_tie(distance):
    C = jnp.array([3.0, 2.0, 2.0 - distance, 0.5])
    assert int(linssl.joint_embedding(two_views(C, jnp.full(4, 0.5)), 2).status) == 0


def test_rotated_ties_are_still_seen():
    Q = covariance([1.0, 2.0, 3.0, 4.0], 0)  # any dense basis
    Q = jnp.linalg.qr(Q)[0]
    C = (Q * jnp.array([[3.0, 1.0, 1.0, 0.2]])) @ Q.T
    s = linssl.joint_embedding(two_views((C + C.T) / 2, 0.5 * jnp.eye(4)), 2)
    assert int(s.status) == Status.NO_GAP


def test_dim_beyond_the_shared_rank_is_said():
    C, Theta = jnp.array([2.0, 1.0, 0.0, 0.0]), jnp.full(4, 0.5)
    for s in (
        linssl.joint_embedding(two_views(C, Theta), 3),
        linssl.reconstruction(view_and_clean(C, Theta), 3),
    ):
        assert int(s.status) == Status.BEYOND_RANK | Status.NO_GAP
        assert "choose a smaller dim" in linssl.explain(s)


def test_nothing_shared_at_all_is_said():
    s = linssl.joint_embedding(sharing(jnp.eye(3), jnp.zeros((3, 3))), 1)
    assert int(s.status) == Status.BEYOND_RANK | Status.NO_GAP


def test_all_dimensions_have_nothing_to_cut():
    s = linssl.joint_embedding(two_views(*clean_and_view(0)), 5)
    assert int(s.status) == 0
    assert np.isinf(s.gap)


def test_one_bad_cell_does_not_spoil_the_others():
    def cell(theta):
        return linssl.joint_embedding(two_views(jnp.array([2.0, 1.0, 0.0]), theta), 1)

    thetas = jnp.array([[0.5, 0.4, 0.3], [0.5, 0.4, 0.0], [0.5, 0.4, 0.3]])
    s = linssl.runtime.over_cells(cell, theta=thetas)
    assert s.status.tolist() == [0, Status.SINGULAR, 0]
    assert np.isfinite(s.encoder[jnp.array([0, 2])]).all()
    assert "SINGULAR in 1 of 3 cells" in linssl.explain(s)


def test_scales_that_differ_by_many_orders_are_fine():
    # Whitening is equilibrated: units of features must not matter to joint embedding.
    C, Theta = clean_and_view(0)
    units = jnp.asarray([1e-6, 1e-3, 1.0, 1e3, 1e6], C.dtype)
    D = units[:, None] * units[None, :]
    plain = linssl.joint_embedding(two_views(C, Theta), 2)
    scaled = linssl.joint_embedding(two_views(C * D, Theta * D), 2)
    assert int(scaled.status) == 0
    np.testing.assert_allclose(scaled.spectrum, plain.spectrum, atol=1e4 * eps(C))


@pytest.mark.x64
@pytest.mark.parametrize("seed", range(6))
def test_single_precision_is_right_or_says_so(seed):
    # Ever worse conditioning: float32 must agree with float64 to a tenth, or carry a status.
    for smallest in np.geomspace(1, 1e-9, 10):
        C = covariance(np.geomspace(1, smallest, 6), seed)
        Theta = covariance(np.geomspace(1, smallest, 6) ** 0.9 * 0.5, seed + 1)
        exact = linssl.joint_embedding(two_views(C, Theta), 2)
        single = linssl.joint_embedding(
            jax.tree_util.tree_map(lambda a: a.astype(jnp.float32), two_views(C, Theta)), 2
        )
        assert single.encoder.dtype == jnp.float32
        assert "float32" in linssl.explain(single)
        if int(single.status) == 0 and int(exact.status) == 0:
            lost = linssl.subspace_distance(single.encoder.astype(float), exact.encoder)
            assert lost < 0.1


def test_float32_input_stays_float32_and_says_so():
    X = np.random.default_rng(0).standard_normal((50, 4)).astype(np.float32)
    a = linssl.GaussianNoise(jnp.full(4, 0.1, jnp.float32))
    s = linssl.joint_embedding(linssl.two_views(X, a), 2)
    assert s.encoder.dtype == jnp.float32
    assert linssl.explain(s) == "OK (computed in float32)."


def test_check_returns_a_sound_solution_unchanged():
    s = linssl.joint_embedding(two_views(*clean_and_view(0)), 2)
    assert linssl.check(s) is s


@pytest.mark.parametrize("smallest", [1e-2, 1e-3, 1e-4])
def test_single_precision_regression_is_right_or_says_so(smallest):
    rng = np.random.default_rng(0)
    H = rng.normal(size=(200, 2))
    X = np.stack([H[:, 0], H[:, 0] + smallest * H[:, 1]], 1)
    s = linssl.supervised(linssl.with_label(X.astype(np.float32), H[:, 1:].astype(np.float32)))
    exact = np.linalg.lstsq(X.astype(np.float32).astype(float), H[:, 1:], rcond=None)[0].T
    if int(s.status) == 0:
        np.testing.assert_allclose(s.predictor, exact, rtol=0.01)
    else:
        assert "float64" in linssl.explain(s)


def test_nearly_singular_moments_are_said_to_blur_the_digits():
    size = 60 * eps(jnp.ones(1))
    S = jnp.array([[1.0, 1.0 - size], [1.0 - size, 1.0]])
    s = linssl.reconstruction(sharing(S, 0.5 * S).as_pair(), 1)
    assert int(s.status) & Status.ILL_CONDITIONED
    assert "fewer than two digits" in linssl.explain(s)


def test_gradient_of_the_supervised_predictor_is_finite_at_ties():
    def entry(t):
        S, zero = (1 + t) * jnp.eye(3), jnp.zeros(3)
        K = jnp.array([[1.0, 0.5], [0.5, 1.0], [0.2, 0.1]])
        pair = linssl.PairMoments(S, 4 * jnp.eye(2), K, zero, zero[:2], jnp.inf, jnp.inf)
        return linssl.supervised(pair).predictor[0, 0]

    np.testing.assert_allclose(jax.grad(entry)(jnp.asarray(0.5)), -1 / 1.5**2, rtol=1e-3)


# ---- rounding that moments bring along


def rounded(moments, share):
    """The same moments, of which such shares of the variances are rounding."""
    share = jnp.asarray(share)
    if isinstance(moments, linssl.Views):
        return eqx.tree_at(lambda m: m.rounding, moments, share * diagonal(moments.covariance))
    both = tuple(share * diagonal(m) for m in (moments.first, moments.second))
    return eqx.tree_at(lambda m: (m.rounding_first, m.rounding_second), moments, both)


SIDES = {
    "joint_embedding": (two_views, linssl.joint_embedding),
    "soft_constraint": (
        two_views,
        lambda views, k: linssl.objectives.soft_constraint(views, k, 0.1),
    ),
    "reconstruction": (view_and_clean, linssl.reconstruction),
    "canonical_correlation": (view_and_clean, linssl.canonical_correlation),
    "reconstruction_path": (
        view_and_clean,
        lambda p, k: linssl.objectives.reconstruction_path(p, k, 0.5),
    ),
}


@pytest.mark.parametrize(("make", "solve"), SIDES.values(), ids=SIDES)
def test_a_feature_whose_variance_is_all_rounding_is_singular(make, solve):
    moments, last = make(*clean_and_view(0)), jnp.eye(5)[4]
    assert int(solve(moments, 2).status) == 0
    s = solve(rounded(moments, last), 2)
    assert int(s.status) == Status.SINGULAR
    assert is_nan(s)
    assert "lost the variance" in linssl.explain(s)


@pytest.mark.parametrize("name", ["joint_embedding", "reconstruction", "canonical_correlation"])
def test_a_gap_below_the_rounding_of_the_moments_is_none(name):
    make, solve = SIDES[name]
    C, Theta = jnp.diag(jnp.array([3.0, 2.0, 1.99, 0.5])), 0.5 * jnp.eye(4)
    moments = make(C, Theta)
    assert int(solve(moments, 2).status) == 0
    blurred = solve(rounded(moments, jnp.full(4, 0.002)), 2)
    assert int(blurred.status) == Status.NO_GAP
    np.testing.assert_array_equal(blurred.encoder, solve(moments, 2).encoder)


@pytest.mark.x64
@pytest.mark.parametrize("mean", [1e3, 1e7])
def test_single_precision_data_beside_a_mean_that_swallows_them_are_singular(mean):
    x = np.random.default_rng(0).standard_normal((100, 2, 3))
    x[:, :, 2] += mean
    views = pairs.groups(x.astype(np.float32))
    lost = mean > 1e6
    for s in both(views, 1):
        assert bool(int(s.status) & Status.SINGULAR) == lost
        assert is_nan(s) == lost


# G and Sigma, both diagonal, and what is wrong with S = G + Sigma, or with G beside it
WRITTEN = {
    "negative": ([3.0, -3.0, 1.0], [1.0, 1.0, 1.0], Status.INDEFINITE),
    "zero": ([3.0, -1.0, 1.0], [1.0, 1.0, 1.0], Status.SINGULAR),
    "negative, unmoved": ([3.0, -1.0, 1.0], [1.0, 0.0, 1.0], Status.INDEFINITE),
    "beyond": ([3.0, -0.7, 1.0], [1.0, 1.0, 1.0], Status.INCONSISTENT),
    "sound": ([3.0, -0.4, 1.0], [1.0, 1.0, 1.0], Status.OK),
}


@pytest.mark.parametrize(("shared", "spread", "status"), WRITTEN.values(), ids=WRITTEN)
def test_what_is_wrong_does_not_depend_on_how_a_diagonal_is_written(shared, spread, status):
    for G in (np.array(shared), np.diag(shared)):
        for N in (np.array(spread), np.diag(spread)):
            views = population(G, N)
            assert int(linssl.joint_embedding(views, 1).status) == status
            both = objectives.canonical_correlation(views.as_pair(), 1)
            assert int(both.status) == status


CLOSED = {
    "joint_embedding": lambda v: linssl.joint_embedding(v, 2),
    "soft_constraint": lambda v: objectives.soft_constraint(v, 2, 1.1),
    "soft_constraint_inf": lambda v: objectives.soft_constraint(v, 2, jnp.inf),
    "spectral_contrastive": lambda v: objectives.spectral_contrastive(v, 2),
    "barlow_twins": lambda v: objectives.barlow_twins(v, 2),
    "alignment_only": lambda v: objectives.alignment_only(v, 2),
    "invariance_only": lambda v: objectives.invariance_only(v, 2),
    "plda": lambda v: objectives.plda(v, 2, 2),
    "canonical_correlation": lambda v: objectives.canonical_correlation(v.as_pair(), 2),
    "info_nce": lambda v: objectives.info_nce(v.as_pair(), 2),
    "adassl": lambda v: objectives.adassl(v.as_pair(), 2, 0.3),
    "reconstruction": lambda v: linssl.reconstruction(v.as_pair(), 2),
    "reconstruction_path": lambda v: objectives.reconstruction_path(v.as_pair(), 2, 0.3),
    "supervised": lambda v: linssl.supervised(v.as_pair()),
}


ONE_MOMENT = ("alignment_only", "barlow_twins")  # which read G alone


@pytest.mark.parametrize("by_noise", [False, True])
def test_cells_that_are_fatal_leave_the_gradient_of_others_alone(by_noise):
    G = jnp.array([[0.9, 0.1, 0.05], [0.1, 0.6, 0.02], [0.05, 0.02, 0.3]])
    N = jnp.array([0.3, 0.4, 0.6])
    N = N if by_noise else covariance(N, 3).astype(G.dtype)
    nan = G.at[0, 1].set(jnp.nan).at[1, 0].set(jnp.nan)
    ones = jnp.ones((3, 3))
    shared = jnp.stack([G, G, nan, G.at[0, 1].add(1.0), -3 * G, ones, 2 * G, G])
    spread = jnp.stack([N, jnp.nan * N, N, N, N, 0 * N, -N / 2, 0 * N])

    def slopes(solve):
        def kept(G, N):
            s = solve(population(G, N))
            fatal = (s.status & FATAL) != 0
            return jnp.sum(jnp.where(fatal, 0, s.loss + jnp.sum(s.encoder))), fatal

        def cell(moments):
            return jax.grad(kept, (0, 1), has_aux=True)(*moments)

        return jax.lax.map(cell, (shared, spread))

    found = jax.jit(lambda: {name: slopes(solve) for name, solve in CLOSED.items()})()
    for name, (slope, fatal) in found.items():
        assert fatal.tolist()[:4] == [False, name not in ONE_MOMENT, True, True]
        # At ties (the last cell: all correlations are 1) these have no gradient.
        ties = name in ("canonical_correlation", "info_nce", "adassl")
        for M in slope:
            assert np.isfinite(M[:-1] if ties else M).all(), name
            assert not M[fatal].any(), name
