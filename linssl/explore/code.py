"""A view as a program: lines of Python that compute the numbers on the page, from public names."""

from linssl.explore.model import FEATURES, NOISES, SEEDS, SIGNALS, spectra
from linssl.explore.state import View

TEMPLATE = """\
import jax
import jax.numpy as jnp

import linssl

signal = {signal}  # variances, in units of the weakest
noise = {noise}
K, Q = len(signal), len(noise)
alpha, base_signal, base_noise = {alpha}, {base_signal}, {base_noise}
k, n, p, q, beta = {dim}, {n}, {fraction}, {mislabelled}, {beta}

with jax.enable_x64(True):
    C, Gamma = jnp.array(signal + Q * [0.0]), jnp.array(K * [0.0] + noise)
    augmentation = linssl.AlignedNoise(K * [base_signal] + Q * [base_noise], Gamma, alpha)

{lost}

    @jax.jit
    def solve(views):
        je = linssl.joint_embedding(linssl.two_views(views, augmentation), k)
        rc = linssl.reconstruction(linssl.view_and_clean(views, augmentation), k)
        return [je.spectrum, rc.spectrum], jnp.array([lost(je.encoder), lost(rc.encoder)])

    # Infinitely many pairs.
    scores, limit = solve(linssl.pairs.SemanticPairs.population(C, Gamma).pair(p, q))
    latent = linssl.theory.water_filling(1 - scores[0] ** 2, beta)
{thresholds}
    # The moments of n pairs, each in both orders; the explorer has room for {room} directions.
    used = jnp.array([*range(K), *range({signals}, {signals} + Q)])
    same, wrong = round(n * p * (1 - q)), round(n * p * q)
    counts = [n - same - wrong, same, wrong, same, wrong]
    variances = [2 * (C + Gamma), 2 * C + Gamma, C + Gamma, Gamma, C + Gamma]

    @jax.jit
    def sample(seed):
        keys = jax.random.split(jax.random.fold_in(jax.random.key(0), seed), 5)
        parts = []
        for key, count, v in zip(keys, counts, variances):
            root = jnp.sqrt(v)[:, None] * linssl.populations.wishart_root(key, count, {room})[used]
            parts.append(root @ root.T)
        sums, differences = sum(parts[:3]), sum(parts[3:])
        shared, spread = (sums - differences) / (2 * n), differences / n
        return linssl.Views(shared, spread, jnp.zeros(K + Q), n, same + wrong or jnp.inf)

    losses = jnp.array([solve(sample(seed))[1] for seed in range({seeds})])
    mean = losses.mean(0)

print("scores:", *scores, sep="\\n")
{print_thresholds}print("lost from infinitely many pairs (JE, RC):", limit)
print("lost from n pairs (JE, RC):", mean)
"""
LOST = """\
    def lost(encoder):  # share of the signal subspace
        return linssl.subspace_distance(encoder, range(k))"""
LOST_WIDE = """\
    def lost(encoder):  # share of the K signal axes, which k > K dimensions needn't span alone
        axes, zero = jnp.eye(K + Q), jnp.zeros(K + Q)
        moments = axes, axes[:K, :K], axes[:, :K]
        probe = linssl.PairMoments(*moments, zero, zero[:K], jnp.inf, jnp.inf)
        return jnp.maximum(1 - linssl.probe_r2(encoder, probe), 0)"""
THRESHOLDS = """\
    # Of the signals that k dimensions keep{besides}.
    thresholds = linssl.theory.pairing_thresholds(
        signal[:k], noise[max(k - K, 0) :], base_signal, base_noise, p, q
    )
"""
PRINT = """\
print("keeps the signal for alpha above (JE, RC):")
print(thresholds.joint_embedding, thresholds.reconstruction)
"""


def as_python(view: View) -> str:
    """Write a program that computes what a view shows, and prints it."""
    signal, noise = spectra(view)
    directions = view.signals + view.noises
    always = view.dim >= directions  # then nothing can be lost, and there is no threshold
    spare = view.dim > view.signals
    besides = ", against the noise that k - K of them have no room for" if spare else ""
    return TEMPLATE.format(
        signal=signal.tolist(),
        noise=noise.tolist(),
        lost=LOST_WIDE if spare else LOST,
        thresholds="" if always else THRESHOLDS.format(besides=besides),
        print_thresholds="" if always else PRINT,
        room=FEATURES,
        signals=SIGNALS,
        noises=NOISES,
        seeds=SEEDS,
        alpha=view.alpha,
        base_signal=view.base_signal,
        base_noise=view.base_noise,
        dim=min(view.dim, directions),
        n=view.n,
        fraction=view.fraction,
        mislabelled=view.mislabelled,
        beta=view.beta,
    )
