"""Class pairs centred by batch: least squares of a two-way layout, unbiased in any of them."""

import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close, assert_sampled

import linssl
from linssl import same_class
from linssl.pairs import SemanticPairs, another_class, within_superclass
from linssl.pairs.centring import as_batches
from linssl.pairs.two_way import two_way

# Rows of each class (down) in each batch: some cells empty, a batch of one class, one of one row.
CELLS = np.array([[3, 0, 1, 0, 0], [1, 1, 9, 0, 0], [2, 2, 0, 0, 1], [3, 0, 4, 2, 0]])
CLASS, BATCH = (np.repeat(i, CELLS.ravel()) for i in np.indices(CELLS.shape).reshape(2, -1))
N, (C, B) = len(CLASS), CELLS.shape
PI = CELLS.sum(1) / N
ROOT = np.linalg.cholesky([[1.0, 0.5], [0.5, 1.0]])
EFFECTS = np.random.default_rng(0).standard_normal((C, 2))
OFFSETS = 10 * np.random.default_rng(1).standard_normal((B, 2))


def drawn(seed, repeats=1):
    """Rows of two features, (n, 2 repeats): repetitions side by side."""
    noise = np.random.default_rng(seed).standard_normal((N, repeats, 2)) @ ROOT.T
    return ((EFFECTS[CLASS] + OFFSETS[BATCH])[:, None] + noise).reshape(N, -1)


def of_classes(a, J):
    """The cross covariance of a pair of classes with joint law J."""
    a = a - J.sum(1) @ a
    return a.T @ J @ a


@pytest.mark.x64
def test_effects_residuals_and_errors_are_those_of_least_squares_on_indicators():
    x, classes, batches = drawn(2), np.eye(C)[CLASS], np.eye(B)[BATCH]
    found = two_way(x, CLASS, as_batches(BATCH, N, 0))
    design = np.concatenate([classes, batches], 1)
    fit, _, rank, _ = np.linalg.lstsq(design, x, rcond=None)
    residual = x - design @ fit
    centre = np.eye(C) - PI[None, :]
    assert_close(found.effects, centre @ fit[:C], cond=10)
    assert_close(found.within, residual.T @ residual / (N - rank), cond=10)
    assert_close(found.errors, centre @ np.linalg.pinv(design.T @ design)[:C, :C] @ centre.T)
    assert found.draws == N - rank


@pytest.mark.x64
def test_a_balanced_layout_has_the_moments_of_the_table_of_variances():
    r, rng = 3, np.random.default_rng(0)
    classes, batches, _ = (i.ravel() for i in np.indices((C, B, r)))
    x = rng.standard_normal((C * B * r, 2)) + EFFECTS[classes] + OFFSETS[batches]
    table = x.reshape(C, B, r, 2)
    of_class = table.mean((1, 2)) - x.mean(0)
    e = table - table.mean((1, 2), keepdims=True) - table.mean((0, 2), keepdims=True) + x.mean(0)
    e = e.reshape(-1, 2)
    within = e.T @ e / (len(x) - C - B + 1)
    found = SemanticPairs.from_labels(x, classes, by=batches)
    mean_square = B * r / (C - 1) * of_class.T @ of_class
    assert_close(found.same, (C - 1) / (C * B * r) * (mean_square - within))
    assert_close(found.total - found.same, within)
    assert np.abs(found.confused).max() < 1e-12  # a class redrawn shares nothing


@pytest.mark.witness("class-pairs-by-batch")
@pytest.mark.x64  # a mean that no draw changes has no error but rounding
@pytest.mark.parametrize("law", [another_class, within_superclass(["x", "y", "x", "y"])])
def test_unequal_layouts_are_unbiased(law):
    repeats = 400
    summaries = [
        SemanticPairs.from_labels(drawn(seed, repeats), CLASS, law, by=BATCH) for seed in range(5)
    ]

    def sampled(moment):
        blocks = [np.asarray(moment(s)).reshape(repeats, 2, repeats, 2) for s in summaries]
        return np.concatenate([np.einsum("iaib->iab", M) for M in blocks])

    same, W = of_classes(EFFECTS, np.diag(PI)), ROOT @ ROOT.T
    J = np.asarray(law(jnp.asarray(PI)))
    p = J.sum(1)
    assert_sampled(sampled(lambda s: s.same), same)
    assert_sampled(sampled(lambda s: s.total), same + W)
    assert_sampled(sampled(lambda s: s.confused), of_classes(EFFECTS, J))
    assert_sampled(sampled(lambda s: s.confused_total), of_classes(EFFECTS, np.diag(p)) + W)
    step = np.stack([np.asarray(s.confused_mean - s.mean).reshape(-1, 2) for s in summaries])
    assert_sampled(step.reshape(-1, 2), (p - PI) @ EFFECTS)
    assert all(s.draws == N - C - B + 1 and s.count == N for s in summaries)


@pytest.mark.x64
def test_batches_leave_no_trace_however_far_they_are_and_order_and_names_say_nothing():
    x = drawn(3)
    order = np.random.default_rng(4).permutation(N)
    want = same_class(x, CLASS, 0.8, 0.1, by=BATCH)
    far = x + 1e6 * np.random.default_rng(5).standard_normal((B, 2))[BATCH]
    names = np.array(list("edcba"))[BATCH]
    hot = np.eye(C)[CLASS]
    np.testing.assert_allclose(
        same_class(far, CLASS, 0.8, 0.1, by=BATCH).shared, want.shared, rtol=1e-8
    )
    for got in (
        same_class(x[order], CLASS[order], 0.8, 0.1, by=names[order]),
        same_class(x, hot, 0.8, 0.1, by=names),
    ):
        assert_close(got.shared, want.shared, cond=10)
        assert_close(got.spread, want.spread, cond=10)
    assert_close(want.mean, x.mean(0))


def test_a_planted_batch_effect_goes_and_what_classes_are_stays():
    rng = np.random.default_rng(6)
    batch = rng.integers(0, 6, 3000)
    # Most of a class is in two batches of its own, so that batches pass for what classes share.
    label = (batch // 2 + (rng.random(3000) < 0.06) * rng.integers(0, 3, 3000)) % 3
    effect, signal, other = np.linalg.qr(rng.standard_normal((10, 3)))[0].T
    of_label = np.sqrt(1.5) * np.array([[1.0, 0.0], [-0.5, 0.75**0.5], [-0.5, -(0.75**0.5)]])
    x = rng.standard_normal((3000, 10)) + of_label[label] @ np.stack([signal, other])
    x += np.array([2.0, 1.9, -1.9, -2.0, 0.0, 0.1])[batch, None] * effect

    def overlap(views, with_what):
        rows = np.linalg.qr(np.asarray(linssl.joint_embedding(views, 2).encoder).T)[0]
        return float(np.sum((rows.T @ with_what) ** 2))

    before, after = same_class(x, label), same_class(x, label, by=batch)
    assert overlap(before, effect) > 0.5
    assert overlap(after, effect) < 0.02
    assert overlap(after, signal) > 0.95
    assert overlap(after, other) > 0.95
