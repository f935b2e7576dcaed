"""The whole 2 x 3 figure, end to end: from clean rows and labels to 300 x 3 distances."""

import functools
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import naive, problems, timing
from benchmarks.process import Process, Tolerant

HERE = "benchmarks.figure2"


def naive_figure(seed: int) -> list:
    """The naive loop over the 60 cells of one seed: distances (noise, alpha, n, objective)."""
    problem = problems.figure2()
    results = [
        [[_naive_cell(problem, noise, alpha, n, seed) for n in problem.sizes]
         for alpha in problem.alphas]
        for noise in problem.noise
    ]  # fmt: skip
    return np.array(results).tolist()


def _naive_cell(problem, noise, alpha, n, seed):
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(problem.scores))[:n]
    rows = rng.standard_normal((n, len(noise))) * np.sqrt(noise)
    return naive.figure2_cell(
        problem.scores[order], rows, problem.labels[order], problem.base, noise, alpha
    )


def summarise():
    """Moments of the first n rows in random order, for every seed and n: (pair, noisy data).

    Sums over the k + classes columns that hold anything, on the host: its BLAS is good at it.
    """
    import jax
    import jax.numpy as jnp

    problem = problems.figure2()
    rows = np.hstack([problem.scores, problem.labels])
    cuts = np.asarray(problem.sizes[:-1])
    second, mean = [], []
    for seed in range(problem.seeds):
        order = np.random.default_rng([7, seed]).permutation(len(rows))[: problem.sizes[-1]]
        pieces = np.split(rows[order], cuts)
        second.append(np.cumsum([piece.T @ piece for piece in pieces], 0))
        mean.append(np.cumsum([piece.sum(0) for piece in pieces], 0))
    n = np.asarray(problem.sizes, float)
    second, mean = np.stack(second) / n[:, None, None], np.stack(mean) / n[:, None]
    # Room for the noise directions, on which clean data are 0.
    second = np.insert(second, [problems.K] * problems.Q, 0, axis=2)
    second = np.insert(second, [problems.K] * problems.Q, 0, axis=3)
    mean = np.insert(mean, [problems.K] * problems.Q, 0, axis=2)
    counts = np.broadcast_to(n, mean.shape[:2])
    return jax.block_until_ready(
        _factored()(jnp.asarray(second), jnp.asarray(mean), jnp.asarray(counts))
    )


@functools.cache
def _factored():
    import jax

    import linssl

    def one(columns):
        S, mean, n = columns
        d = problems.K + problems.Q
        label = linssl.PairMoments(S[:d, :d], S[d:, d:], S[:d, d:], mean[:d], mean[d:], n)
        return linssl.NoisyData.from_pair(label), label.centred()

    return jax.jit(lambda *columns: jax.lax.map(lambda c: jax.lax.map(one, c), columns))


def draw(stacked, levels, key, *, noise, n, seed):
    """Draw the noisy moments of one seed, size and noise level, with the clean ones beside."""
    import jax
    import jax.numpy as jnp

    import linssl

    data, clean = jax.tree_util.tree_map(lambda leaf: leaf[seed, n], stacked)
    gamma = jnp.concatenate([jnp.zeros(problems.K), levels[noise]])
    same, label = data.sample_moments(key, gamma)
    same_clean = linssl.same_instance_moments(clean.first, clean.mean_first, clean.count)
    return same.centred(), label.centred(), same_clean, clean


def cell(base, levels, pairs, *, noise, alpha, derived=True):
    """Distances between the solutions on noisy and on clean moments, by objective.

    With `derived`, as in the experiment, the clean solutions of joint embedding and reconstruction
    aren't solved for: on clean data S is block-diagonal, so k dimensions span the signal axes.
    """
    import jax.numpy as jnp

    import linssl

    k, d = problems.K, problems.K + problems.Q
    gamma = jnp.concatenate([jnp.zeros(k), levels[noise]])
    view = linssl.AlignedNoise(base, gamma, alpha)

    def solve(same, label, clean):
        predictor = linssl.supervised(linssl.augment(label, view, None)).predictor
        if derived and clean:
            return predictor, jnp.eye(k, d), jnp.eye(k, d)
        je = linssl.joint_embedding(linssl.augment(same, view, view), k)
        rc = linssl.reconstruction(linssl.augment(same, view, None), k)
        return predictor, je.encoder, rc.encoder

    noisy = solve(pairs[0], pairs[1], clean=False)
    clean = solve(pairs[2], pairs[3], clean=True)
    metrics = linssl.relative_error, linssl.subspace_distance, linssl.subspace_distance
    return {
        "distance": {
            name: metric(a, b)
            for name, metric, a, b in zip(problems.OBJECTIVES, metrics, noisy, clean, strict=True)
        }
    }


def linssl_figure(derived: bool = True) -> list:
    """The same by linssl: distances (noise, alpha, n, seed, objective)."""
    import equinox as eqx
    import jax.numpy as jnp
    from threadpoolctl import threadpool_limits

    import linssl

    problem = problems.figure2()
    # As in a sweep: products of this size gain little from more threads, and suffer from rivals.
    with threadpool_limits(1, user_api="blas"):
        stacked = summarise()
    base, levels = jnp.asarray(problem.base), jnp.asarray(problem.noise)
    table = linssl.Sweep(
        eqx.Partial(cell, base, levels),
        {"noise": [0, 1], "alpha": problem.alphas, "n": range(len(problem.sizes))},
        seeds=problem.seeds,
        draw=eqx.Partial(draw, stacked, levels),
        constants={"derived": derived},
    ).run()
    distance = table["distance"].sel(objective=list(problems.OBJECTIVES))
    return distance.transpose("noise", "alpha", "n", "seed", "objective").values.tolist()


def first_run() -> dict:
    """Time the figure twice in a fresh process: what the first takes longer is compilation."""
    problems.figure2()
    times = [timing.seconds(linssl_figure) for _ in range(3)]
    return {"first_s": times[0], "steady_s": min(times[1:])}


def same_draw_error() -> float:
    """Worst difference between the two codes on the same samples, over a few cells."""
    import jax
    import jax.numpy as jnp

    import linssl

    problem, worst = problems.figure2(), 0.0
    for level, alpha, n in ((0, 0.1, 400), (1, 1.0, 1600), (1, 10.0, 6400)):
        rng = np.random.default_rng(n)
        rows = rng.standard_normal((n, problems.Q)) * np.sqrt(problem.noise[level])
        clean, labels = problem.scores[:n], problem.labels[:n]
        wanted = naive.figure2_cell(clean, rows, labels, problem.base, problem.noise[level], alpha)
        pairs = []
        for columns in (rows, np.zeros_like(rows)):
            X = np.hstack([clean, columns])
            pairs += [linssl.same_instance(X).centred(), linssl.with_label(X, labels).centred()]
        data = jnp.asarray(problem.base), jnp.asarray(problem.noise), tuple(pairs)
        got = jax.jit(cell)(*data, noise=level, alpha=alpha)["distance"]
        found = np.array([float(got[name]) for name in problems.OBJECTIVES])
        worst = max(worst, float(np.max(np.abs(found - wanted) / wanted)))
    return worst


def vs_naive() -> dict:
    """How many times faster the figure is than by the naive loop, compiled and warm.

    A turn of the naive loop is one seed, a fifth of the figure. It runs with BLAS on all cores, as
    it comes, and on one; the faster of the two counts.
    """
    seeds = problems.figure2().seeds
    with (
        Process(f"{HERE}:naive_figure", timeout=40) as on_all_cores,
        Process(f"{HERE}:naive_figure", env={"OPENBLAS_NUM_THREADS": "1"}) as pinned,
        Process(f"{HERE}:linssl_figure", devices=2) as fast,
        Process(f"{HERE}:same_draw_error", devices=1) as same_draw,
    ):
        as_it_comes = Tolerant(on_all_cores)
        as_it_comes(seed=0)
        wanted = np.stack([np.array(pinned(seed=s)) for s in range(seeds)], axis=-2)
        found, solved = np.array(fast()), np.array(fast(derived=False))
        shortcut = float(np.max(np.abs(solved - found)))
        assert shortcut < 1e-8, f"the derived clean subspace is off by {shortcut:.1e}"
        agreement = compare(wanted, found)
        error = same_draw()
        assert error < 1e-6, f"the two codes differ by {error:.1e} on the same samples"
        sides = {
            "naive, a seed": lambda: as_it_comes(seed=0),
            "naive on one BLAS thread, a seed": lambda: pinned(seed=0),
            "linssl": fast,
            "linssl, clean subspace solved": lambda: fast(derived=False),
        }
        times = timing.alternate(sides, 5, warm=False)
    rivals = list(sides)[1 if as_it_comes.failed else 0 : 2]
    faster = min(rivals, key=lambda name: min(times[name]))
    return {
        "ratio": seeds * timing.ratio(times, faster, "linssl"),
        "unit": "x",
        "detail": {
            "cells": problems.figure2().cells,
            "times": timing.summary(times),
            "faster_naive": faster,
            "naive_with_all_threads_timed_out": as_it_comes.failed,
            "ratio_range": [seeds * r for r in timing.spread(times, faster, "linssl")],
            "ratio_with_clean_subspace_solved": seeds
            * timing.ratio(times, faster, "linssl, clean subspace solved"),
            "same_samples_worst_relative_difference": error,
            "derived_worst_difference": shortcut,
            **agreement,
        },
    }


def compare(wanted: np.ndarray, found: np.ndarray) -> dict:
    """Check that means over seeds agree within their errors; seeds are on the second last axis.

    Each difference over its standard error is a t variable of about 8 degrees of freedom.
    """
    means, errors = [], []
    for values in (wanted, found):
        means.append(values.mean(-2))
        errors.append(values.std(-2, ddof=1) / np.sqrt(values.shape[-2]))
    z = (means[0] - means[1]) / np.hypot(*errors)
    rms = float(np.sqrt(np.mean(z**2)))
    assert np.isfinite(z).all()
    assert rms < 2.5, f"the two loops disagree: rms of z {rms:.2f}"
    return {"z_rms": rms, "z_beyond_3": float(np.mean(np.abs(z) > 3)), "curve_points": z.size}


def compile_cold() -> dict:
    """Seconds that the whole figure takes longer the first time, with an empty cache."""
    return _compile(processes=1)


def compile_cached() -> dict:
    """The same in a new process that finds the cache of one before."""
    return _compile(processes=2)


def _compile(processes: int) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        env = {
            "JAX_COMPILATION_CACHE_DIR": folder,
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        }
        for _ in range(processes):
            with Process(f"{HERE}:first_run", devices=2, env=env) as process:
                run = process()
        files = len(list(Path(folder).iterdir()))
    return {
        "ratio": run["first_s"] - run["steady_s"],
        "unit": "s",
        "detail": {**run, "files_in_cache": files},
    }
