r"""What n samples find of a few signals among many noises: joint embedding and PCA."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from linssl.arguments import (
    Numbers,
    as_float,
    is_concrete,
    require_range,
)
from linssl.linalg.roots import bisect
from linssl.linalg.shown import Shown
from linssl.theory.spectra import spectra
from linssl.theory.thresholds.alignment import clipped_root

ACCURACY = 0.01  # of an overlap: a lost signal that keeps more by chance has no prediction


class SpikedPrediction(Shown):
    r"""What an encoder of dimension k, fitted to n samples, keeps of k signal directions.

    Args:
        overlap: $o_i \in [0, 1]$, (k,): the share of signal direction i that lies in the row space
            of the encoder, in the coordinates of the data. Where it is lost, 0 if chance adds no
            more than 0.01, else NaN: how much noise directions keep of it is not predicted.
        score: $\omega_i$ or $\varphi_i^2$ of the sample, (k,), that the signal shows up at; NaN
            where it is lost.
        distance: $1 - \tfrac1k \sum_i o_i$: what `subspace_distance(encoder, range(k))` measures,
            the distance to the solution on the same samples without noise.

    Source: derived.
    """

    overlap: Float[Array, " k"]
    score: Float[Array, " k"]
    distance: Float[Array, ""]


class SpikedDetection(SpikedPrediction):
    r"""A prediction that comes with the number of samples it takes.

    Args, after those of `SpikedPrediction`:
        whitened_overlap: the same share in the coordinates $\Sigma^{-1/2} x$, where the codes are
            principal components: $\langle u_i, e_i \rangle^2$ of their unit vectors, (k,).
        samples: $n_i$, (k,): the signal is found at all iff n is larger; inf where no number does.

    Source: derived.
    """

    whitened_overlap: Float[Array, " k"]
    samples: Float[Array, " k"]


class DetectionThreshold(Shown):
    r"""The alignment above which n samples find every signal direction at all.

    Args:
        alpha: $\sqrt{\max(0, \cdot)}$, a scale like α itself.
        alpha_squared: $\alpha^2$, unclipped; negative where $\alpha = 0$ already works.

    Source: derived.
    """

    alpha: Float[Array, ""]
    alpha_squared: Float[Array, ""]


def spiked_joint_embedding(
    signal: Numbers,
    noise: Numbers,
    base_signal: Numbers,
    base_noise: Numbers,
    alpha: Numbers,
    count: Numbers,
) -> SpikedDetection:
    r"""Predict what joint embedding keeps of the signal, from n corrupted samples.

    How far $\alpha^2$ is above the population threshold of each pair of a signal i and a noise j
    decides everything:

    $$ p_{ij} = \frac{\theta_i/\lambda_i}{\alpha^2 + \theta_j/\gamma_j - \theta_i/\lambda_i},
       \qquad n_i = \sum_j p_{ij}^2, \qquad
       o_i = \frac{1 - n_i/n}{1 - n_i/n + \tfrac1n \sum_j \tfrac{\lambda_i}{\gamma_j} p_{ij}^2} $$

    $$ \omega_i = \frac{1 + P_i}{\theta_i/\lambda_i + 1 + P_i}, \qquad
       o_i^{\mathrm{whitened}} = \frac{1 - n_i/n}{1 + P_i}, \qquad
       P_i = \tfrac1n \sum_j p_{ij} $$

    A signal is kept iff $n > n_i$ and fewer than k directions, signals and noises, score above it
    in the population. Then $1 - o_i \approx \tfrac1n \sum_j \lambda_i p_{ij}^2 / \gamma_j$ falls
    like 1/n, and like $\alpha^{-4}$.

    For `Spiked` data of n samples, the exact moments of `Spiked.aligned(base, alpha)` with a
    diagonal base, and dimension k. It is a limit of many samples and noises, of any spectrum and
    ratio, with k much fewer than either. From n = 1000 on, a fifth of α or λ away from a threshold,
    the mean of simulations is within 0.01 of it; down to n = 120 within 10/n. Near a threshold
    they are rounder. Scale-free.

    In place of m lost signals the encoder takes noise directions, which n samples correlate with
    the signals by chance: with those at the edge of the noise, where $\sum_j u_j^2 = n$,

    $$ \ell_i = \frac{m}{\lambda_i} \Big(\frac{t}{s_i - t}\Big)^2
       \Big/ \sum_j \frac{u_j^2}{\gamma_j}, \qquad
       u_j = \frac{t}{\alpha^2 + \theta_j/\gamma_j - t}, \quad s_i = \theta_i/\lambda_i $$

    is what they keep of it, to first order. Beyond 0.01, where noise is strong or a threshold near,
    $o_i$ and the distance are NaN; `Spiked.sample_moments` simulates them, at a cost that n doesn't
    enter.

    Args:
        signal: $\lambda$, (k,) variances > 0.
        noise: $\gamma$, (q,) variances > 0.
        base_signal: $\theta_i$, a scalar or (k,): Θ on the signal; a variance.
        base_noise: $\theta_j$, a scalar or (q,): Θ on the noise; a variance.
        alpha: $\alpha \ge 0$; inf is the limit.
        count: $n > k$, one less for data centred by their own mean; inf for the population.

    Returns:
        `SpikedDetection`. NaN for impossible traced values.

    Raises:
        ValueError: shapes that don't fit, or values out of range (where concrete).

    Source: derived (spiked covariances, BaiYao2012, whitened by Σ and mapped back to the data; of
    lost signals LedoitPeche2011).
    """
    lam, gam, theta_i, theta_j = spectra(signal, noise, base_signal, base_noise)
    a = as_scalar("alpha", require_range("alpha", alpha, 0, np.inf), lam)
    return _detect(lam, gam, theta_i / lam, theta_j / gam, a, sample_count(count, lam))


def spiked_pca(signal: Numbers, noise: Numbers, count: Numbers) -> SpikedDetection:
    r"""Predict what principal components of n corrupted samples keep of the signal.

    $$ p_{ij} = \frac{\gamma_j}{\lambda_i - \gamma_j}, \qquad n_i = \sum_j p_{ij}^2, \qquad
       o_i = \frac{1 - n_i/n}{1 + P_i}, \qquad P_i = \tfrac1n \sum_j p_{ij} $$

    and the variance that shows up is $\lambda_i (1 + P_i)$. For q equal noises it is found iff
    $\lambda_i > (1 + \sqrt{q/n})\,\gamma$. This is `spiked_joint_embedding` under isotropic noise
    without alignment, and `spiked_reconstruction` too.

    Args:
        signal: $\lambda$, (k,) variances > 0.
        noise: $\gamma$, (q,) variances > 0.
        count: $n > k$, one less for data centred by their own mean; inf for the population.

    Returns:
        `SpikedDetection`, with sample variances for scores.

    Raises:
        ValueError: shapes that don't fit, or values out of range (where concrete).

    Source: derived (BaikSilverstein2006 and Paul2007, for any noise spectrum by BaiYao2012).
    """
    lam, gam, _, _ = spectra(signal, noise, 0.0, 0.0)
    unit, zero = jnp.max(lam), jnp.zeros((), lam.dtype)
    found = _detect(lam, gam, unit / lam, unit / gam, zero, sample_count(count, lam))
    # omega = x/(x + 1) for a variance x, in units of the augmentation's
    variance = unit * found.score / (1 - found.score)
    return eqx.tree_at(lambda p: p.score, found, variance)


def detection_threshold(
    signal: Numbers, noise: Numbers, base_signal: Numbers, base_noise: Numbers, count: Numbers
) -> DetectionThreshold:
    r"""Compute the alignment at which n samples begin to show joint embedding every signal.

    The root in $\alpha^2 > \max_{ij} \theta_i/\lambda_i - \theta_j/\gamma_j$ of

    $$ \sum_j \left(\frac{s}{\alpha^2 + \theta_j/\gamma_j - s}\right)^2 = n, \qquad
       s = \max_i \theta_i/\lambda_i $$

    For q equal noises $\alpha^2 = (1 + \sqrt{q/n})\,\theta_i/\lambda_i - \theta_j/\gamma_j$. For
    n = ∞ it is the α_JE of `alignment_thresholds`. Weak detection: there the overlap begins to
    rise from 0; `spiked_joint_embedding` says how far.

    Args:
        signal: $\lambda$, (k,) variances > 0.
        noise: $\gamma$, (q,) variances > 0.
        base_signal: $\theta_i$, a scalar or (k,): Θ on the signal; a variance.
        base_noise: $\theta_j$, a scalar or (q,): Θ on the noise; a variance.
        count: $n > k$, as in `spiked_joint_embedding`.

    Returns:
        `DetectionThreshold`, differentiable; NaN for impossible traced values.

    Raises:
        ValueError: shapes that don't fit, or values out of range (where concrete).

    Source: derived (spiked covariances, BaiYao2012, whitened by Σ).
    """
    lam, gam, theta_i, theta_j = spectra(signal, noise, base_signal, base_noise)
    squared = _root(jnp.max(theta_i / lam), theta_j / gam, sample_count(count, lam))
    return DetectionThreshold(clipped_root(squared), squared)


@jax.jit
def _root(s: Array, r: Array, n: Array) -> Array:
    """Solve for the squared alignment."""
    target = s / jnp.sqrt(n)
    safe = jnp.where(target > 0, target, 1)  # no signal is augmented, or n is infinite

    def excess(u: Array) -> Array:
        # The power mean (sum (r + y)^-2)^(-1/2) of u = y + min r: u itself for a single noise, and
        # no less than u/sqrt(q) for q.
        return u / jnp.sqrt(jnp.sum(jnp.square(u / (r - jnp.min(r) + u)))) - safe

    u = bisect(excess, safe, safe * r.size**0.5)
    return jnp.where(target > 0, u, target) - jnp.min(r) + s


@jax.jit
def _detect(lam: Array, gam: Array, s: Array, r: Array, alpha: Array, n: Array) -> SpikedDetection:
    r"""Evaluate the closed form from $s_i = \theta_i/\lambda_i$ and $r_j = \theta_j/\gamma_j$.

    Whitened by Σ, a signal is a spike $a = 1/s$ on a bulk of $t = 1/(r + \alpha^2)$, so that
    $p = t/(a - t)$; with $\psi(a) = a(1 + P)$ and $\psi' = 1 - n_i/n$ its eigenvalue is ψ(a) and
    its overlap aψ'/ψ. What is left of the unit vector lies on noise j as $p_j^2/(t_j \cdot n)$ in
    units of $a s \psi'$ (the deterministic equivalent of $D\, d[zR(z)]/dz$, R the resolvent of the
    noise). Back in the data, $\Sigma^{-1/2}$ weighs that by $1/(\theta_j + \alpha^2\gamma_j)$ and
    the signal by $1/\theta_i$: $o = \psi'/(\psi' + \sum_j \lambda p_j^2/(\gamma_j n))$.
    """
    margin = jnp.square(alpha) + r[None, :] - s[:, None]
    tied = margin == 0
    p = jnp.where(tied, 0, s[:, None] / jnp.where(tied, 1, margin))
    needed = jnp.where(jnp.any(tied, 1), jnp.inf, jnp.sum(jnp.square(p), 1))
    left = 1 - needed / n
    spilt = jnp.sum(lam[:, None] / gam[None, :] * jnp.square(p), 1) / n
    shift = 1 + jnp.sum(p, 1) / n
    # Exact separation: as many sample scores lie above a spike as population scores do.
    above = jnp.sum(margin <= 0, 1) + jnp.sum(s[None, :] < s[:, None], 1)
    ranked = above < lam.size
    kept = ranked & (left > 0)
    left, spilt, shift = (jnp.where(kept, v, 1) for v in (left, spilt, shift))
    invalid = jnp.isnan(jnp.sum(lam) + jnp.sum(gam) + jnp.sum(s) + jnp.sum(r) + alpha + n)
    nan = jnp.where(invalid, jnp.nan, 0).astype(lam.dtype)
    rows = jnp.sum((~kept).astype(lam.dtype))
    lost = lost_overlap(rows * _edge_share(lam, gam, s, r + jnp.square(alpha), n))
    overlap = jnp.where(kept, left / (left + spilt), lost) + nan
    away = jnp.where(kept, spilt / (left + spilt), 1 - lost) + nan  # 1 - o, to all digits
    return SpikedDetection(
        overlap=overlap,
        score=jnp.where(kept, shift / (s + shift), jnp.nan),
        distance=jnp.mean(away),
        whitened_overlap=jnp.where(kept, left / shift, lost) + nan,
        samples=jnp.where(ranked, needed, jnp.inf) + nan,
    )


def _edge_share(lam: Array, gam: Array, s: Array, noise: Array, n: Array) -> Array:
    r"""Return what a noise direction at the edge of the bulk has of each signal, (k,).

    A sample eigenvector at eigenvalue $\psi(b)$ has $c\, b^2/(n \psi(b) (b - c)^2)$ of a direction
    whose variance is c, be it noise or a signal that is lost; the edge is where ψ' = 0. In terms of
    t = 1/b. The most of k edges: of all noise, and without the first few, which may stand apart.

    Source: LedoitPeche2011.
    """
    q = gam.size
    order = jnp.argsort(noise)
    left = jnp.arange(q)[None, :] >= jnp.arange(min(lam.size, q))[:, None]
    at = jnp.where(left, noise[order][None, :], jnp.inf)
    first = jnp.min(at, 1)
    low, high = (first / (1 + jnp.sqrt(m / n)) for m in (q, 1.0))

    def excess(t: Array) -> Array:
        return t - jnp.sqrt(n / jnp.sum(jnp.square(1 / (at - t[:, None])), 1))

    t = bisect(excess, low, high)[:, None]
    spilt = jnp.sum(jnp.where(left, jnp.square(t / (at - t)) / gam[order][None, :], 0), 1)
    share = jnp.square(t / (s[None, :] - t)) / lam[None, :] / spilt[:, None]
    return jnp.where(jnp.isfinite(n), jnp.max(share, 0), 0)  # chance is none


def lost_overlap(share: Array) -> Array:
    """Return 0 where noise directions keep next to nothing of a lost signal, (k,), else NaN."""
    return jnp.where(jax.lax.stop_gradient(share) <= ACCURACY, 0, jnp.nan)


def as_scalar(name: str, value: Array, like: Array) -> Array:
    """Return a scalar of the precision of `like`, or raise."""
    if value.ndim:
        raise ValueError(f"{name} must be a scalar; got shape {value.shape}.")
    return value.astype(like.dtype)


def sample_count(count: Numbers, signal: Array) -> Array:
    """Check n > k: fewer samples than signals never suffice."""
    n, k = as_scalar("count", as_float(count, "count"), signal), signal.size
    if is_concrete(count) and not float(np.asarray(count)) > k:
        raise ValueError(f"count must exceed the number of signals, {k}; got {count}.")
    return jnp.where(n > k, n, jnp.nan)
