"""Samples of real data under appended noise, by their moments alone."""

import itertools
import os
from concurrent.futures import ThreadPoolExecutor

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from threadpoolctl import threadpool_limits

import linssl
from experiments.shared.signal import Signal, targets

CHUNK = 4096  # rows whose products are summed at once: few enough for a cache


def clean_data(signal: Signal, sizes: np.ndarray, appended: int, seeds: int) -> linssl.NoisyData:
    """Summarise the first n draws of the data for every seed and n, with room for noise behind.

    The rows are the data in random order, drawn again with replacement past its end, and labels.
    Larger n extend smaller ones. Noise is drawn in the cells, exactly, from moments alone.

    Returns:
        `NoisyData` whose arrays have (seeds, sizes) in front.
    """
    N, k = signal.scores.shape
    rows = np.hstack([signal.scores, targets(signal), np.ones((N, 1))])  # 1: sums come along
    edges = np.union1d(np.arange(0, sizes[-1], CHUNK), sizes)

    def one_seed(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        again = rng.integers(0, N, max(sizes[-1] - N, 0))
        order = np.concatenate([rng.permutation(N), again])
        chunks = (rows[order[a:b]] for a, b in itertools.pairwise(edges))
        sums = np.cumsum([chunk.T @ chunk for chunk in chunks], 0)
        return sums[np.searchsorted(edges[1:], sizes)] / sizes[:, None, None]

    # The host's BLAS is best at it; over seeds, since one such product is too small for threads.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
        moments = jnp.asarray(np.stack(list(pool.map(one_seed, range(seeds)))))
    return _summary(moments, jnp.asarray(sizes, float), k, appended)


@eqx.filter_jit
def _summary(moments, sizes, k: int, appended: int) -> linssl.NoisyData:
    def one(moments, n):
        S, m = moments[:-1, :-1], moments[-1, :-1]
        blocks = S[:k, :k], S[k:, k:], S[:k, k:]
        pair = linssl.PairMoments.from_raw(*blocks, m[:k], m[k:], n, n - 1)
        return linssl.NoisyData.from_pair(pair, appended)

    return jax.lax.map(lambda seed: jax.lax.map(lambda x: one(*x), (seed, sizes)), moments)


def draw_moments(data: linssl.NoisyData, key, seed, size, noise) -> linssl.populations.NoisyMoments:
    """Draw the moments of one seed and size (both by number) under noise (q,)."""
    one = jax.tree_util.tree_map(lambda stacked: stacked[seed, size], data)
    return one.sample_moments(key, noise)
