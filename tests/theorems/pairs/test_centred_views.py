"""Views that were called, centred by batch: what exact moments give, and unbiased."""

from functools import reduce

import numpy as np
import pytest
from helpers import assert_close, assert_sampled

import linssl
from linssl.moments import merge
from linssl.pairs import groups, held_by, same_instance
from linssl.pairs.black_box import estimate_parts

SIZES = np.array([2, 12, 5, 1, 17, 3])  # of batches; one of them alone
BY = np.random.default_rng(0).permutation(np.repeat(np.arange(len(SIZES)), SIZES))
N, V = len(BY), 3
PARTS = [np.arange(N)[start::4] for start in range(4)]
OFFSETS = 10 * np.random.default_rng(1).standard_normal((len(SIZES), 2))
ROOT = np.linalg.cholesky([[1.0, 0.5], [0.5, 1.0]])
NOISE = np.array([0.5, 2.0])


def estimated(rows, view, parts=PARTS, **options):
    """Both pairs of all parts, merged once centred."""
    found = estimate_parts(view, rows, parts, V, by=[BY], **options)
    return tuple(reduce(merge, side) for side in zip(*found.centred[0], strict=True))


@pytest.mark.x64
def test_sums_of_one_pass_are_the_moments_of_the_views_centred_by_batch():
    rng = np.random.default_rng(2)
    rows = rng.standard_normal((N, 2)) + OFFSETS[BY]
    made = []

    def view(block):
        made.append(np.stack([block[:, 0] * block[:, 1] / 9, block[:, 1]], 1))
        made[-1] += rng.standard_normal(block.shape)
        return made[-1]

    views, clean = estimated(rows, view, [np.arange(N)], batched=True)
    called = np.stack(made[-V:], 1)  # what came before told whether draws are shared
    want = groups(called, BY)
    for name in ("shared", "spread", "mean", "count", "draws"):
        assert_close(getattr(views, name), getattr(want, name), cond=10)
    assert views.group_size == V
    both = same_instance(np.concatenate([called.mean(1), rows], 1), BY).shared
    assert_close(clean.cross, both[:2, 2:], cond=10)
    assert_close(clean.second, both[2:, 2:], cond=10)
    assert_close(clean.first, views.covariance)
    again, pair = estimated(rows, lambda x: x)  # in parts, about the same means
    assert_close(again.shared, same_instance(rows, BY).shared, cond=10)
    assert_close(pair.cross, again.shared, cond=10)
    assert_close(again.mean, rows.mean(0), cond=10)


@pytest.mark.witness("centring-by-batch")
def test_batches_of_one_to_seventeen_are_unbiased_and_leave_the_noise_of_views_alone():
    repeats, rng = 400, np.random.default_rng(0)  # side by side, as features
    rows = (rng.standard_normal((N, repeats, 2)) @ ROOT.T + OFFSETS[BY][:, None]).reshape(N, -1)
    deviation = np.tile(NOISE**0.5, repeats)
    views, clean = estimated(rows, lambda x: x + deviation * rng.standard_normal(x.shape))
    found = [
        np.einsum("iaib->iab", np.asarray(M).reshape(repeats, 2, repeats, 2))
        for M in (views.shared, views.spread, clean.cross, clean.second)
    ]
    W = ROOT @ ROOT.T
    assert_sampled(np.stack(found, 1), np.stack([W, np.diag(NOISE), W, W]), errors=4)


def test_an_identity_with_noise_gives_what_the_exact_augmentation_does():
    rng = np.random.default_rng(3)
    by = np.arange(4000) % 40
    rows = rng.standard_normal((4000, 2)) @ ROOT.T + 5 * rng.standard_normal((40, 2))[by]
    found = estimate_parts(
        lambda x: x + rng.standard_normal(x.shape) * NOISE**0.5, rows, [np.arange(4000)], 4,
        batched=True, by=[by],
    )  # fmt: skip
    ((views, clean),) = found.centred[0]
    after, noise = held_by(rows, by).after, linssl.GaussianNoise(NOISE)
    exact, pair = linssl.two_views(after, noise), linssl.view_and_clean(after, noise)
    # Means of 4 views add noise of variance 2/4 at most, beside 1, to 4 000 products.
    error = 5 * 1.5 / np.sqrt(4000)
    for got, want in [
        (views.shared, exact.shared),
        (views.covariance, exact.covariance),
        (clean.cross, pair.cross),
    ]:
        assert np.abs(np.asarray(got) - np.asarray(want)).max() < error
    assert_close(clean.second, pair.second, cond=100)


def test_a_planted_batch_effect_goes_and_a_planted_signal_stays():
    rng, by = np.random.default_rng(7), np.arange(600) % 12
    effect, signal = np.linalg.qr(rng.standard_normal((10, 2)))[0].T
    rows = 0.5 * rng.standard_normal((600, 10)) + rng.standard_normal((600, 1)) * signal
    rows += 3 * rng.standard_normal(12)[by, None] * effect
    found = estimate_parts(
        lambda x: x + 0.5 * rng.standard_normal(x.shape), rows, [np.arange(600)], 4,
        batched=True, by=[by],
    )  # fmt: skip

    def overlaps(views):
        row = np.asarray(linssl.joint_embedding(views, 1).encoder)[0]
        return np.square([effect @ row, signal @ row]) / (row @ row)

    before, after = overlaps(found.plain[0][0]), overlaps(found.centred[0][0][0])
    assert before[0] > 0.5
    assert after[0] < 0.02
    assert after[1] > 0.95
