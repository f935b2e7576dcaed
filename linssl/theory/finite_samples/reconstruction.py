r"""What n samples find of a few signals among many noises: reconstruction."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array

from linssl.arguments import Numbers, require_range
from linssl.linalg.roots import implicit
from linssl.linalg.structure import exact_products
from linssl.theory.finite_samples.joint_embedding import (
    SpikedPrediction,
    as_scalar,
    lost_overlap,
    sample_count,
)
from linssl.theory.spectra import spectra

STEPS, POLISH = 64, 6  # of Newton: from infinitely many samples down to n, and there


def spiked_reconstruction(
    signal: Numbers,
    noise: Numbers,
    base_signal: Numbers,
    base_noise: Numbers,
    alpha: Numbers,
    count: Numbers,
) -> SpikedPrediction:
    r"""Predict what reconstruction keeps of the signal, from n corrupted samples.

    Its scores and encoder solve $(C^2 - \varphi^2 C - \varphi^2 \Sigma)\, e = 0$ for the sample
    covariance C. That is quadratic in C, and linear in two copies of the features. With
    $\sigma_j = \theta_j + \alpha^2\gamma_j$, signal i shows up at the score $f = \varphi_i^2$ where

    $$ \det[\mathrm{diag}(1, f\theta_i) + \lambda_i \hat K] = 0, \qquad
       \hat K^{-1} = \begin{pmatrix} 0 & 1 \\ 1 & f \end{pmatrix}^{-1}
       + \frac1n \sum_j \gamma_j\, [\mathrm{diag}(1, f\sigma_j) + \gamma_j \hat K]^{-1} $$

    and, adding x to both $f\theta_i$ and $f\sigma_j$ but keeping f,

    $$ o_i = (1 + \lambda_i \hat K_{11}) \Big/ \frac{d}{dx} \det[\,\cdot\,] $$

    n = ∞ gives $\varphi^2 = \lambda^2/(\lambda + \theta)$ and an overlap of 1. From there the root
    is followed to n; the signal is lost where $o_i$ reaches 0 before, or where k directions score
    above it in the population. Unlike joint embedding it has no closed form that we know of.

    Conditions and accuracy are those of `spiked_joint_embedding`; the transition is rounder. So is
    what becomes of m lost signals: 0 where the noise directions of the k highest population scores
    $f_j$ keep no more than 0.01 of one by chance, and NaN else,

    $$ \ell_i \le \frac{m}{n} \max_j \frac{\lambda_i \gamma_j (\lambda_i + \gamma_j - f_j)^2}
       {(\lambda_i^2 - f_j \lambda_i - f_j \theta_i)^2} $$

    Args:
        signal: $\lambda$, (k,) variances > 0.
        noise: $\gamma$, (q,) variances > 0.
        base_signal: $\theta_i$, a scalar or (k,): Θ on the signal; a variance.
        base_noise: $\theta_j$, a scalar or (q,): Θ on the noise; a variance.
        alpha: $\alpha \ge 0$, finite.
        count: $n > k$, one less for data centred by their own mean; inf for the population.

    Returns:
        `SpikedPrediction`, with $\varphi^2$ for scores, in units of the data's variance. NaN for
        impossible traced values.

    Raises:
        ValueError: shapes that don't fit, or values out of range (where concrete).

    Source: derived (deterministic equivalent of a linear pencil of Wishart matrices).
    """
    lam, gam, theta_i, theta_j = spectra(signal, noise, base_signal, base_noise)
    highest = float(jnp.finfo(lam.dtype).max) ** 0.25
    a = as_scalar("alpha", require_range("alpha", alpha, 0, highest), lam)
    n = sample_count(count, lam)
    unit = jax.lax.stop_gradient(jnp.max(lam))
    lam, gam, theta_i, theta_j = (v / unit for v in (lam, gam, theta_i, theta_j))
    sigma = theta_j + jnp.square(a) * gam
    start = lam / (1 + theta_i / lam)
    noise_score = gam / (1 + sigma / gam)
    above = jnp.sum(noise_score[None, :] >= start[:, None], 1)
    above = above + jnp.sum(start[None, :] > start[:, None], 1)

    overlap, score = _follow_all(lam, theta_i, start, gam, sigma, 1 / n)
    # Lost by rank, or on the way (0); what can't be followed at all stays NaN.
    kept = (above < lam.size) & ~(overlap <= 0)
    f, first = jax.lax.top_k(noise_score, min(lam.size, gam.size))  # that may take its place
    strong, f = gam[first][None, :], f[None, :]
    apart = (lam + theta_i)[:, None] * (start[:, None] - f)
    share = lam[:, None] * strong * jnp.square((lam[:, None] + strong - f) / apart) / n
    lost = lost_overlap(jnp.sum((~kept).astype(lam.dtype)) * jnp.max(share, 1))
    nan = jnp.where(jnp.isnan(jnp.sum(start) + jnp.sum(noise_score) + n), jnp.nan, 0)
    overlap = jnp.where(kept, jnp.minimum(overlap, 1), lost) + nan.astype(lam.dtype)
    return SpikedPrediction(
        overlap=overlap,
        score=jnp.where(kept, unit * score, jnp.nan),
        distance=1 - jnp.mean(overlap),
    )


@exact_products
@jax.jit
def _follow_all(
    lam: Array, theta: Array, start: Array, gam: Array, sigma: Array, most: Array
) -> tuple[Array, Array]:
    """Follow every signal; one after the other, as decompositions are batched here."""
    return jax.lax.map(lambda v: _follow(v[0], v[1], v[2], gam, sigma, most), (lam, theta, start))


def _follow(
    lam: Array, theta: Array, start: Array, gam: Array, sigma: Array, most: Array
) -> tuple[Array, Array]:
    r"""Follow one signal from 1/n = 0 to `most`; its overlap, 0 where it gets lost, and score.

    With $L = [[1, C], [C, fC + f\Sigma]]$, whose Schur complement is $fC + f\Sigma - C^2$, a
    diagonal entry of $L^{-1}$ has the deterministic equivalent
    $[\mathrm{diag}(1, f\theta) + \lambda\hat K]^{-1}$. Its pole in f is the score; with f fixed
    there, its residue in a shift x of the complement is the square of e's unit vector.
    """
    at = lam, theta, gam, sigma
    still, there = jax.lax.stop_gradient((at, most))
    zero = jnp.zeros_like(there)
    v = jax.lax.stop_gradient(jnp.stack([zero, zero + 1, start, start]))
    v, alive = jax.lax.fori_loop(
        0, STEPS + POLISH, partial(_advance, still, there), (v, jnp.asarray(True))
    )
    last = _step(still, v, there)
    moved = jnp.max(jnp.abs(last - v)) / jnp.max(jnp.abs(v))
    root = implicit(lambda v: _residual(at, v, jnp.zeros_like(most), most), last)
    known = moved <= jnp.finfo(v.dtype).eps ** 0.5
    found = jnp.where(known, _share(at, root, most), jnp.nan)
    return jnp.where(alive, found, 0), root[3]


Setting = tuple[Array, Array, Array, Array]  # lambda and theta of the signal, gamma and sigma


def _residual(at: Setting, v: Array, x: Array, rate: Array) -> Array:
    """Return what is 0 at (K_11, K_12, K_22, f), for a shift x of the complement."""
    (lam, theta, gam, sigma), (a, b, c, f) = at, v
    # gamma_j [diag(1, f sigma_j + x) + gamma_j K]^{-1}, a 2 x 2 matrix for every noise
    first, last, cross = 1 / gam + a, (f * sigma + x) / gam + c, b
    det = first * last - jnp.square(cross)
    A = -f + rate * jnp.sum(last / det)
    B = 1 - rate * jnp.sum(cross / det)
    C = rate * jnp.sum(first / det)
    full = A * C - jnp.square(B)  # of the inverse of K
    own = (1 + lam * a) * (f * theta + x + lam * c) - jnp.square(lam * b)
    return jnp.stack([a - C / full, b + B / full, c - A / full, own])


def _step(at: Setting, v: Array, rate: Array) -> Array:
    """Take a Newton step."""

    def here(v: Array) -> Array:
        return _residual(at, v, jnp.zeros_like(rate), rate)

    return v - jnp.linalg.solve(jax.jacfwd(here)(v), here(v))


def _share(at: Setting, v: Array, rate: Array) -> Array:
    """Return the overlap at a root; past a transition it is no share."""
    J, moved = jax.jacfwd(_residual, (1, 2))(at, v, jnp.zeros_like(rate), rate)
    # How the determinant moves with x at fixed f, when K moves so that the others stay 0.
    others = J.at[:, 3].set(jnp.array([0, 0, 0, -1], J.dtype))
    return (1 + at[0] * v[0]) / -jnp.linalg.solve(others, moved)[3]


def _advance(
    at: Setting, most: Array, i: Array | int, state: tuple[Array, Array]
) -> tuple[Array, Array]:
    v, alive = state
    rate = most * jnp.minimum((i + 1) / STEPS, 1)
    v = _step(at, v, rate)
    share = _share(at, v, rate)
    return v, alive & ~((share <= 0) | (share > 1.01))
