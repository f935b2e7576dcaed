"""What the explorer computes from one view: spectra, thresholds, and distances from n pairs.

Everything has a fixed shape, with room for all directions that a slider can ask for, and those
that aren't in use have no variance: nothing is compiled again while a slider moves.
"""

import functools
import threading
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from linssl.augmentations import AlignedNoise, two_views, view_and_clean
from linssl.explore.state import CONTROLS, View
from linssl.metrics import probe_r2
from linssl.moments import PairMoments, Views
from linssl.objectives import Solution, joint_embedding, reconstruction
from linssl.pairs import SemanticPairs
from linssl.populations import wishart_root
from linssl.runtime import over_cells
from linssl.theory import PairingThresholds, pairing_thresholds, water_filling

OBJECTIVES = ("joint_embedding", "reconstruction")
SIGNALS, NOISES = (int(max(CONTROLS[name].steps)) for name in ("signals", "noises"))
FEATURES = SIGNALS + NOISES
SEEDS = 5
SIZES = np.unique(np.geomspace(10, 1e6, 11).round())
MAGNITUDES = np.geomspace(1e-2, 1e2, 81)  # of the noise, across the phase diagram


class Problem(NamedTuple):
    r"""A view as arrays of fixed size; signal comes first, and unused directions are 0.

    Args:
        signal: $\lambda$, (d,), zero on the noise.
        noise: $\gamma$, (d,), zero on the signal.
        base: $\Theta$, (d,); 1 on unused directions, which nothing is shared on.
        alpha: $\alpha$.
        dim: $k$.
        kept: (d,), 1 on the signals that k dimensions could keep.
    """

    signal: Any
    noise: Any
    base: Any
    alpha: Any
    dim: Any
    kept: Any


class Numbers(NamedTuple):
    r"""All that the panels show. Objectives are always (joint embedding, reconstruction).

    Args:
        scores: population $\omega$ and $\varphi^2$ of the directions in use, descending, (2, m).
        is_signal: whether each is a signal direction, (2, m).
        lifted: AdaSSL's $\rho_r$ of each direction of joint embedding, (m,).
        rate: what r says of the k kept directions, nats.
        limit: share of the signal that is lost for infinitely many pairs, (2,).
        squares: unclipped $\alpha^2$ above which the signal is kept, (2,); -inf: always.
        fractions: $p_c$, (2,): more pairing than this needs no alignment.
        boundary: the same squares over `MAGNITUDES` of the noise, (2, x).
        distance: mean over seeds for `SIZES`, then the view's n: (2, sizes + 1).
        error: standard error of it.
    """

    scores: np.ndarray
    is_signal: np.ndarray
    lifted: np.ndarray
    rate: float
    limit: np.ndarray
    squares: np.ndarray
    fractions: np.ndarray
    boundary: np.ndarray
    distance: np.ndarray
    error: np.ndarray


_ONE = threading.Lock()  # sessions are threads: the second waits for what the first compiles


def spectra(view: View) -> tuple[np.ndarray, np.ndarray]:
    r"""Return $\lambda$ (K,) and $\gamma$ (Q,) of a view, descending; the weakest signal is 1."""
    t = np.linspace(0, 1, view.signals) if view.signals > 1 else np.zeros(1)
    signal = 1 + (view.signal_variance - 1) * (1 - t) ** view.signal_decay
    t = np.linspace(0, 1, view.noises) if view.noises > 1 else np.zeros(1)
    noise = view.noise_variance * (1 - (1 - view.noise_spread) * t)
    own = np.array(view.own_signal), np.array(view.own_noise)
    return own[0] if own[0].size else signal, own[1] if own[1].size else noise


def problem(view: View) -> Problem:
    """Return a view in arrays of fixed size."""
    lam, gamma = spectra(view)
    signal, noise, base, kept = np.zeros((4, FEATURES))
    used = slice(SIGNALS, SIGNALS + view.noises)
    base[:] = 1.0
    signal[: view.signals], noise[used] = lam, gamma
    base[: view.signals], base[used] = view.base_signal, view.base_noise
    kept[: min(view.dim, view.signals)] = 1.0
    return Problem(signal, noise, base, np.asarray(view.alpha), np.asarray(view.dim), kept)


def solve(view: View) -> Numbers:
    """Compute all numbers of a view, in double precision whatever the process uses.

    Source: derived (JEvRC, Theorems 1 and 2, section 4; for the pairs of SemPairs).
    """
    asked, share = problem(view), (float(view.fraction), float(view.mislabelled))
    with _ONE, jax.enable_x64(True):
        limit = jax.device_get(_limit(asked, *share, float(view.beta)))
        squares, counts = _draws(float(view.n), *share)
        lost = over_cells(eqx.Partial(_sampled, asked), squares=squares, counts=counts)
        noises = np.append(MAGNITUDES, view.noise_variance)
        theory = jax.device_get(_theory(asked, noises, view.signals, view.noises, *share))
    lost = np.moveaxis(np.asarray(lost).reshape(-1, SEEDS, 2), -1, 0)
    used = np.arange(view.signals + view.noises)
    always = view.dim >= used.size
    squares, fractions = (np.where(always, at, values) for at, values in theory)
    return Numbers(
        scores=limit["scores"][:, used],
        is_signal=limit["is_signal"][:, used],
        lifted=limit["lifted"][used],
        rate=float(limit["rate"]),
        limit=limit["lost"],
        squares=squares[:, -1],
        fractions=fractions[:, -1],
        boundary=squares[:, :-1],
        distance=lost.mean(-1),
        error=lost.std(-1, ddof=1) / np.sqrt(SEEDS),
    )


def solutions(views: Views, asked: Problem) -> tuple[Solution, Solution]:
    """Solve both objectives at full dimension: the first k rows solve them for k.

    Source: JEvRC, Theorems 1 and 2.
    """
    augmentation = AlignedNoise(asked.base, asked.noise, asked.alpha)
    return (
        joint_embedding(two_views(views, augmentation), FEATURES),
        reconstruction(view_and_clean(views, augmentation), FEATURES),
    )


def share_lost(encoder: Array, asked: Problem) -> Float[Array, ""]:
    r"""Return the mean squared sine between the kept signal axes and the first k rows.

    For $k \le K$ that is `subspace_distance(W, range(k))`. It is one minus what a probe reads of
    those axes, of unit variance, from the codes; so k may be traced, and exceed K.

    Source: JEvRC, section 4 (distance to optimality, normalised).
    """
    rows = jnp.where(jnp.arange(FEATURES)[:, None] < asked.dim, encoder, 0)
    axes, zero = jnp.diag(jnp.asarray(asked.kept)), jnp.zeros(FEATURES)
    white = PairMoments(jnp.eye(FEATURES), axes, axes, zero, zero, jnp.inf, jnp.inf)
    return jnp.maximum(1 - probe_r2(rows, white), 0)


@jax.jit
def _limit(asked: Problem, fraction: Array, mislabelled: Array, beta: Array) -> dict[str, Array]:
    """Solve the population."""
    views = SemanticPairs.population(asked.signal, asked.noise).pair(fraction, mislabelled)
    found = solutions(views, asked)
    squares = [jnp.square(s.encoder) for s in found]
    on_signal = [jnp.sum(s[:, :SIGNALS], 1) / jnp.sum(s, 1) for s in squares]
    omega = jnp.clip(found[0].spectrum, -1, 1)
    latent = water_filling(1 - jnp.square(omega), beta)
    return {
        "scores": jnp.stack([s.spectrum for s in found]),
        "is_signal": jnp.stack(on_signal) > 0.5,
        "lifted": jnp.sqrt(latent.weight),
        "rate": jnp.sum(jnp.where(jnp.arange(FEATURES) < asked.dim, latent.rate, 0)),
        "lost": jnp.stack([share_lost(s.encoder, asked) for s in found]),
    }


def pairs(squares: Array, counts: Array, asked: Problem) -> Views:
    r"""Return the moments of n pairs, each taken in both orders.

    With a and b the sum and the difference of a pair over $\sqrt2$, which are independent,
    $G = (A - B)/2n$ and $\Sigma = B/n$ for $A = \sum a a^T$ and $B = \sum b b^T$. Here a has
    twice the moment of an instance for an instance with itself (b = 0), that plus the signal's for
    a class pair (b: without the signal), and b that of an instance where it is mislabelled.

    Args:
        squares: standard Wishart matrices: A of the three kinds of pair, B of the last two.
        counts: pairs of an instance with itself, of a class, and mislabelled, (3,).
        asked: the problem.

    Source: derived (Cochran's theorem), for the pairs of SemPairs.
    """
    C, B, n = asked.signal + asked.noise, asked.signal, jnp.sum(counts)
    roots = jnp.sqrt(jnp.stack([2 * C, C + B, C, C - B, C]))
    parts = squares * roots[:, :, None] * roots[:, None, :]
    together, apart = jnp.sum(parts[:3], 0), jnp.sum(parts[3:], 0)
    differ = counts[1] + counts[2]  # where none do, that is exact
    draws = jnp.where(differ > 0, differ, jnp.inf)
    return Views((together - apart) / (2 * n), apart / n, jnp.zeros(FEATURES), n, draws)


def _sampled(asked: Problem, *, squares: Array, counts: Array) -> Float[Array, " 2"]:
    """Return the share that each objective loses, for one draw of n pairs."""
    found = solutions(pairs(squares, counts, asked), asked)
    return jnp.stack([share_lost(s.encoder, asked) for s in found])


@functools.lru_cache(maxsize=8)
def _draws(n: float, fraction: float, mislabelled: float) -> tuple[Array, np.ndarray]:
    """Draw what no other slider enters: for SIZES and n, and every seed."""
    sizes, seeds = np.meshgrid(np.append(SIZES, n), np.arange(SEEDS), indexing="ij")
    counts = np.stack(split(sizes.ravel(), fraction, mislabelled), -1)
    return over_cells(draw, counts=counts, seed=seeds.ravel()), counts


def split(n: Any, fraction: float, mislabelled: float) -> tuple[Any, Any, Any]:
    """Count the pairs of an instance with itself, of a class, and mislabelled, among n."""
    same, wrong = (np.round(n * fraction * s) for s in (1 - mislabelled, mislabelled))
    return n - same - wrong, same, wrong


def draw(*, counts: Array, seed: Array) -> Float[Array, "5 d d"]:
    """Draw the standard Wishart matrices of `pairs`."""
    keys = jax.random.split(jax.random.fold_in(jax.random.key(0), seed), 5)
    kinds = (0, 1, 2, 1, 2)
    T = jnp.stack(
        [wishart_root(key, counts[i], FEATURES) for key, i in zip(keys, kinds, strict=True)]
    )
    return T @ jnp.swapaxes(T, 1, 2)


@jax.jit
def _theory(
    asked: Problem, magnitudes: Array, signals: Array, noises: Array, p: Array, q: Array
) -> tuple[tuple[float, Array], tuple[float, Array]]:
    r"""Return $\alpha^2$ and $p_c$ over magnitudes of the noise; and what they are if k is all.

    What k dimensions must do is to rank their signals before all noise but the k - K strongest.
    Both scores rise with the variance, so the others are left out, by repeating one that stays.
    """
    lam, gamma = asked.signal[:SIGNALS], asked.noise[SIGNALS:] / asked.noise[SIGNALS]
    kappa = jnp.where(asked.kept[:SIGNALS] > 0, lam, lam[0])
    j = jnp.arange(NOISES)
    met = (j >= asked.dim - signals) & (j < noises)
    shape = jnp.where(met, gamma, gamma[noises - 1])

    def at(magnitude: Array) -> PairingThresholds:
        bases = asked.base[0], asked.base[SIGNALS]
        return pairing_thresholds(kappa, magnitude * shape, *bases, p, q)

    t = jax.vmap(at)(magnitudes)
    squares = jnp.stack([t.joint_embedding_squared, t.reconstruction_squared])
    fractions = jnp.stack([t.joint_embedding_fraction, t.reconstruction_fraction])
    return (-jnp.inf, squares), (0.0, fractions)
