"""What a linear probe reads from k dimensions, for every objective alike."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, rotation
from sklearn.linear_model import LinearRegression

import linssl
from linssl import PairMoments, Status, Views, compare, identified, probe_r2
from linssl.comparison.objectives import _chosen
from linssl.linalg.structure import dense
from linssl.populations import Problem, content_style

CONTENT, STYLE, NOISE = (4.0, 1.5), (2.0, 0.8, 0.5), 0.3
PROBLEM = content_style(CONTENT, STYLE, NOISE, group_size=3)
D = 5
DIMS = (1, 2, 4)
CLOSED = ["joint_embedding", "reconstruction", "pca", "plda", "adassl"]
FAMILY = ["alignment_only", "barlow_twins", "info_nce", "invariance_only", "reconstruction_path"]
FAMILY += ["soft_constraint", "spectral_contrastive"]
SINGLE = content_style([2.0, 1.0], [1.0], 0.1, group_size=1)
pytestmark = pytest.mark.x64


def readable(variances):
    """R^2 of all axes of one kind, each read through its own noise."""
    variances = np.asarray(variances)
    return np.sum(variances**2 / (variances + NOISE)) / np.sum(variances)


@pytest.fixture(scope="module")
def table():
    return compare(PROBLEM, CLOSED, dims=DIMS)["r2"]


@pytest.mark.parametrize("objective", ["joint_embedding", "plda", "adassl"])
def test_joint_embedding_reads_no_style_at_any_size(table, objective):
    r2 = table.sel(objective=objective)
    assert r2.sel(target="style").max() <= 1e-10
    # All of the content once k covers it, and what is beyond the rank of G isn't counted.
    np.testing.assert_allclose(r2.sel(target="content")[1:], readable(CONTENT), rtol=1e-10)


def test_the_family_reads_no_style_either_and_rows_without_content_are_not_counted():
    r2 = compare(PROBLEM, ["barlow_twins", "spectral_contrastive"], dims=[4])["r2"].sel(dim=4)
    assert r2.sel(target="style").max() <= 1e-10
    np.testing.assert_allclose(r2.sel(target="content"), readable(CONTENT), rtol=1e-10)
    for name in FAMILY:  # traced, since compiling all takes long
        shapes = eqx.filter_eval_shape(linssl.comparison.OBJECTIVES[name], PROBLEM, 2)
        assert shapes.encoder.shape == (2, D)


def test_simvae_keeps_content_and_style_once_both_fit_in():
    r2 = compare(PROBLEM, ["simvae", "simvae_elbo"], dims=[D - 1])["r2"].sel(dim=D - 1)
    for objective in r2.objective:
        got = r2.sel(objective=objective)
        np.testing.assert_allclose(got.sel(target="content"), readable(CONTENT), rtol=1e-6)
        # Four directions: the weakest style, alone, is left to the noise.
        want = readable(STYLE[:2]) * sum(STYLE[:2]) / sum(STYLE)
        np.testing.assert_allclose(got.sel(target="style"), want, rtol=1e-6)


def test_reconstruction_and_pca_take_the_largest_first_whatever_it_is(table):
    for objective in ("reconstruction", "pca"):
        style = table.sel(objective=objective, target="style")
        order = np.argsort([*CONTENT, *STYLE])[::-1]
        variances = np.array([*CONTENT, *STYLE])
        want = [
            sum(variances[i] ** 2 / (variances[i] + NOISE) for i in order[:k] if i >= len(CONTENT))
            for k in DIMS
        ]
        np.testing.assert_allclose(style, np.array(want) / sum(STYLE), atol=1e-10)


def turned(problem, Q):
    """The same problem in other axes."""

    def turn(pair, right):
        return PairMoments(
            Q @ dense(pair.first) @ Q.T,
            right @ dense(pair.second) @ right.T,
            Q @ dense(pair.cross) @ right.T,
            Q @ pair.mean_first,
            right @ pair.mean_second,
            pair.count,
            pair.draws,
        )

    v = problem.views
    G, spread = (Q @ dense(M) @ Q.T for M in (v.shared, v.spread))
    views = Views(G, spread, Q @ v.mean, v.count, v.draws)
    targets = {
        name: turn(pair, jnp.eye(pair.second.shape[0])) for name, pair in problem.targets.items()
    }
    return Problem(views, turn(problem.to_clean, Q), targets, problem.group_size)


def test_no_objective_depends_on_the_axes(table):
    other = turned(PROBLEM, rotation(3, D))
    got = compare(other, CLOSED, dims=DIMS)["r2"]
    np.testing.assert_allclose(got, table, atol=1e-9)


def test_r2_is_that_of_regression_on_samples():
    rng, n = np.random.default_rng(0), 200_000
    variances = np.array([*CONTENT, *STYLE])
    clean = rng.standard_normal((n, D)) * np.sqrt(variances)
    x = clean + np.sqrt(NOISE) * rng.standard_normal((n, D))
    W = rng.standard_normal((2, D))
    for name, target in (("content", clean[:, :2]), ("style", clean[:, 2:]), ("noise", x - clean)):
        codes = x @ W.T
        left = np.sum((target - LinearRegression().fit(codes, target).predict(codes)) ** 2, 1)
        want = 1 - left.mean() / np.sum(target**2, 1).mean()
        error = (left / np.sum(target**2, 1).mean()).std() / np.sqrt(n)
        assert abs(probe_r2(W, PROBLEM.targets[name]) - want) <= 5 * error


def test_risk_and_r2_are_two_ways_to_say_one_thing():
    W = np.random.default_rng(1).standard_normal((2, D))
    for pair in PROBLEM.targets.values():
        total = jnp.sum(pair.second)
        assert_close(linssl.metrics.probe_risk(W, pair), total * (1 - probe_r2(W, pair)), cond=10)


def test_directions_that_views_do_not_share_are_not_counted():
    solution = linssl.joint_embedding(PROBLEM.views, 4)
    assert solution.status & Status.BEYOND_RANK
    assert identified(solution).encoder.any(1).tolist() == [True, True, False, False]
    assert eqx.tree_equal(identified(linssl.joint_embedding(PROBLEM.views, 2)).status, jnp.int32(0))
    broken = PROBLEM.views.spread.at[0].set(-5.0)
    bad = linssl.joint_embedding(eqx.tree_at(lambda v: v.spread, PROBLEM.views, broken), 2)
    assert jnp.isnan(identified(bad).encoder).all()


def test_the_table_is_labelled_and_takes_objectives_of_ones_own():
    own = {"mine": lambda problem, k: linssl.joint_embedding(problem.views, k)}
    got = compare(PROBLEM, own, dims=[2])
    assert got["r2"].dims == ("objective", "dim", "target")
    assert list(got.target.values) == ["content", "style", "noise"]
    assert got["status"].sel(objective="mine", dim=2) == 0


def test_what_has_no_solution_is_nan_and_its_status_says_why():
    got = compare(content_style([4.0, 2.0], [1.0], 0.0), ["simvae", "simvae_elbo"], [3])
    assert np.isnan(got["r2"].values).all()
    assert (got["status"].values & Status.UNBOUNDED).all()


def test_of_single_views_models_of_groups_are_left_out():
    chosen = _chosen(None, SINGLE.group_size)  # without solving them
    left_out = set(linssl.comparison.OBJECTIVES) - set(chosen)
    assert left_out == {"simvae", "simvae_elbo", "plda"}
