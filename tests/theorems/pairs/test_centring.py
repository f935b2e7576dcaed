"""Centring by batch: unbiased in any sizes, exact zeros, and a batch effect that goes."""

import h5py
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, assert_sampled
from scipy import sparse

import linssl
from linssl import same_instance, with_label
from linssl.data.sources import open_source
from linssl.pairs import centring as centring_file
from linssl.pairs import groups, held_by, two_modalities

SIZES = np.array([2, 50, 5, 1, 17, 3, 2, 20])  # of batches; one of them alone
BY = np.repeat(np.arange(len(SIZES)), SIZES)
N, D, REPEATS = len(BY), 3, 2000
X = np.random.default_rng(0).standard_normal((N, D)) + 2.0 * BY[:, None] * [1.0, -1.0, 0.0]


def within(x, by):
    """The covariances in batches, each for its size; in another order of sums."""
    sizes = {b: (by == b).sum() for b in np.unique(by) if (by == b).sum() > 1}
    total = sum(sizes.values())
    return sum(n / total * np.cov(x[by == b].T, ddof=1) for b, n in sizes.items())


def repeated(draw, estimate, features=2, at_once=400):
    """Estimates of repetitions, (repeats, 2, d, d) of G_w and S_b: side by side, as features."""
    found = []
    for start in range(0, REPEATS, at_once):
        x = draw(start, at_once * features)
        held = estimate(x)
        for M in (held.after.shared, held.between):
            blocks = np.asarray(M).reshape(at_once, features, at_once, features)
            found.append(np.einsum("iaib->iab", blocks))
    G, B = np.concatenate(found[::2]), np.concatenate(found[1::2])
    return np.stack([G, B], 1)


MIX = np.array([[1.0, 0.5], [0.5, 1.0]])  # covariance of two features, by its root
ROOT = np.linalg.cholesky(MIX)
MEANS = np.random.default_rng(3).standard_normal((len(SIZES), 2)) * 2


def mixed(z):
    """Features in pairs of covariance MIX, from white ones (..., 2 r)."""
    return (z.reshape(*z.shape[:-1], -1, 2) @ ROOT.T).reshape(z.shape)


def of_means(means, by):
    """The covariance of means of batches, each for its size."""
    return np.cov(means[by].T, bias=True)


@pytest.mark.witness("centring-by-batch")
@pytest.mark.parametrize("views", [1, 3])
def test_batches_of_one_to_fifty_are_unbiased_of_instances_and_of_views(views):
    def draw(seed, d):
        rng = np.random.default_rng([seed, views])
        x = mixed(rng.standard_normal((N, 1, d))) + np.tile(MEANS, d // 2)[BY][:, None]
        x = x + 0.5 * rng.standard_normal((N, views, d)) * (views > 1)
        return x if views > 1 else x[:, 0]

    found = repeated(draw, lambda x: held_by(x, BY))
    assert_sampled(found, np.stack([MIX, of_means(MEANS, BY)]), errors=4)


@pytest.mark.witness("centring-by-trajectory")
def test_trajectories_with_a_memory_are_unbiased_and_without_it_score_too_low():
    lengths = np.array([24, 40, 31, 9, 26])  # one too short for a memory of 10
    by, phi = np.repeat(np.arange(5), lengths), 0.5
    means = MEANS[:5]

    def draw(seed, d):
        noise = mixed(np.random.default_rng(seed).standard_normal((len(by), d)))
        x = np.array(noise)
        for t in range(1, len(by)):  # a stationary autoregression in each trajectory
            if by[t] == by[t - 1]:
                x[t] = phi * x[t - 1] + np.sqrt(1 - phi**2) * noise[t]
        return x + np.tile(means, d // 2)[by]

    want = np.stack([MIX, of_means(means, by)])
    assert_sampled(repeated(draw, lambda x: held_by(x, by, memory=10)), want, errors=4)
    # As if rows were independent: of each trajectory T/(T - 1) of W - V, and the rest is held.
    lags = [np.abs(np.subtract.outer(np.arange(T), np.arange(T))) for T in lengths]
    V, share = np.array([(phi**lag).mean() for lag in lags]), lengths / len(by)
    kept = share @ (lengths / (lengths - 1) * (1 - V))
    held = 1 - share**2 @ V - (1 - 1 / len(by)) * kept
    forgot = repeated(draw, lambda x: held_by(x, by))
    assert_sampled(forgot, np.stack([kept * MIX, of_means(means, by) + held * MIX]), errors=4)
    assert kept < 0.95


def test_the_covariance_within_is_that_of_each_batch_for_its_size_in_any_order_and_block():
    order = np.random.default_rng(1).permutation(N)
    names = np.array(["a", "b", "c", "d", "e", "f", "g", "h"])[BY]
    views = same_instance(X, BY)
    assert_close(views.shared, within(X, BY).astype(views.shared.dtype), cond=10)
    for by in (names, names.astype(object), jnp.asarray(BY), BY.astype(float), list(BY)):
        assert_close(same_instance(X[order], np.asarray(by)[order]).shared, views.shared, cond=10)
    ordinary = same_instance(X)
    for name in ("spread", "mean", "count", "draws", "rounding"):
        np.testing.assert_array_equal(getattr(views, name), getattr(ordinary, name))


def test_blocks_change_nothing_and_trajectories_may_interleave(monkeypatch):
    rng = np.random.default_rng(5)
    by = rng.integers(0, 3, 300)
    x = rng.standard_normal((300, D)) + by[:, None]
    whole = held_by(x, by, memory=4)
    order = np.argsort(by, kind="stable")
    monkeypatch.setattr(centring_file, "AT_ONCE", 1)  # blocks of the fewest rows
    for parts in (held_by(x, by, memory=4), held_by(x[order], by[order], memory=4)):
        assert_close(parts.after.shared, whole.after.shared, cond=10)
        assert_close(parts.between, whole.between, cond=10)


def test_both_sides_of_a_pair_are_centred_and_so_is_their_cross_covariance():
    Y = np.random.default_rng(2).standard_normal((N, 2)) + BY[:, None]
    W = within(np.concatenate([X, Y], 1), BY)
    for pair in (with_label(X, Y, BY), two_modalities(X, Y, BY)):
        dtype = pair.first.dtype
        assert_close(pair.first, W[:D, :D].astype(dtype), cond=10)
        assert_close(pair.second, W[D:, D:].astype(dtype), cond=10)
        assert_close(pair.cross, W[:D, D:].astype(dtype), cond=10)
        assert_close(pair.mean_first, X.mean(0).astype(dtype), cond=10)
        assert (float(pair.count), float(pair.draws)) == (N, N - len(SIZES))
    ids = with_label(X, np.array(["u", "v"])[np.arange(N) % 2], BY)
    hot = np.eye(2)[np.arange(N) % 2]
    assert_close(ids.second, within(hot, BY).astype(ids.second.dtype), cond=10)


def test_views_of_groups_keep_their_spread_and_what_simvae_reads_stays_definite():
    x = X[:, None] + np.random.default_rng(4).standard_normal((N, 2, D))
    got, ordinary = groups(x, BY), groups(x)
    for name in ("spread", "mean", "count", "draws"):
        np.testing.assert_array_equal(getattr(got, name), getattr(ordinary, name))
    assert got.group_size == 2
    B = got.covariance + got.shared  # J of the covariance of means within batches
    assert_close(B, (2 * within(x.mean(1), BY)).astype(B.dtype), cond=10)


def test_what_only_batches_differ_in_is_gone_to_the_last_bit():
    x = np.array(X)
    x[:, 1] = (BY * 0.1 + 1e6).astype(np.float32)
    x[:, 2] = 0.3
    held = held_by(x, BY)
    assert np.abs(held.after.shared[1:]).max() == 0
    assert held.between[1, 1] > 0
    assert held.between[2, 2] == 0
    status = linssl.Status(int(linssl.joint_embedding(held.after, 1).status))
    assert status & linssl.Status.SINGULAR


@pytest.mark.x64
def test_large_means_of_batches_cost_no_digits():
    far = X + 1e7 * BY[:, None]
    left = far - 1e7 * BY[:, None]  # exactly what is left of the data
    got = same_instance(far, BY).shared
    np.testing.assert_allclose(got, within(left, BY), rtol=1e-9, atol=1e-12)


def overlap(solution, direction):
    """The part of a direction that lies in the rows of an encoder."""
    rows = np.linalg.qr(np.asarray(solution.encoder).T)[0]
    return float(np.sum((rows.T @ direction) ** 2))


@pytest.mark.parametrize("memory", [0, 1])
def test_a_planted_batch_effect_goes_and_a_planted_signal_stays(memory):
    rng = np.random.default_rng(7)
    by = rng.choice(12, 600, p=np.geomspace(1, 12, 12) / np.geomspace(1, 12, 12).sum())
    effect, signal = np.linalg.qr(rng.standard_normal((10, 2)))[0].T
    x = 0.5 * rng.standard_normal((600, 10))
    x += 3 * rng.standard_normal(12)[by, None] * effect + rng.standard_normal((600, 1)) * signal
    noise = linssl.GaussianNoise(np.full(10, 0.25))
    held = held_by(x, by, memory=memory)
    before, after = (
        linssl.joint_embedding(linssl.two_views(v, noise), 1) for v in (held.before, held.after)
    )
    assert overlap(before, effect) > 0.5
    assert overlap(after, effect) < 0.02
    assert overlap(after, signal) > 0.95
    assert 0.5 < held.share < 0.9
    nothing = held_by(x - 3 * (x @ effect)[:, None] * effect, rng.integers(0, 12, 600))
    assert abs(nothing.share) < 0.03


def test_pairs_centred_outside_are_constants_inside_a_compiled_program():
    x = X.astype(jnp.result_type(float))
    inside = jax.jit(lambda: same_instance(x, BY).shared)()
    assert_close(inside, same_instance(x, BY).shared)


@pytest.mark.parametrize("memory", [0, 1])
def test_what_is_read_by_slices_is_centred_as_its_array(memory, tmp_path):
    by = np.random.default_rng(1).permutation(BY)  # so that no batch is one slice
    S = sparse.csr_array(np.where(X > 1, X, 0))
    np.save(tmp_path / "x.npy", X)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for rows, dense in [
            (S, S.toarray()),
            (open_source(S), S.toarray()),
            (open_source(tmp_path / "x.npy"), X),
            (np.load(tmp_path / "x.npy", mmap_mode="r"), X),
            (file.create_dataset("x", data=X), X),
        ]:
            got, want = (same_instance(x, by, memory=memory) for x in (rows, dense))
            np.testing.assert_array_equal(got.shared, want.shared)
            if memory == 0:
                assert_close(got.shared, within(dense, by))
