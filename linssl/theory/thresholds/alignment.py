r"""How much alignment each paradigm needs: α_JE and α_RC in the population limit."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from linssl.arguments import Numbers, as_float, require_covariance, require_dim
from linssl.linalg.shown import Shown
from linssl.linalg.structure import Moment, dense, diagonal, exact_products


class AlignmentThresholds(Shown):
    r"""The alignment above which each paradigm keeps the signal, as n grows.

    A paradigm recovers the clean solution iff $\alpha^2$ exceeds its unclipped square; a
    negative square means that $\alpha = 0$ already works.

    Args:
        joint_embedding: $\alpha_{JE} = \sqrt{\max(0, \cdot)}$, a scale like α itself.
        reconstruction: $\alpha_{RC}$, likewise.
        joint_embedding_squared: $\alpha_{JE}^2$, unclipped.
        reconstruction_squared: $\alpha_{RC}^2$, unclipped.

    Source: JEvRC, section 4.
    """

    joint_embedding: Float[Array, ""]
    reconstruction: Float[Array, ""]
    joint_embedding_squared: Float[Array, ""]
    reconstruction_squared: Float[Array, ""]


class MagnitudeRegime(Shown):
    r"""Which paradigm needs less alignment, from noise magnitudes alone.

    Args:
        boundary: $\eta^2/\delta$, in units of variance.
        low: every $\gamma_j < \eta^2/\delta$, which implies $\alpha_{RC} \le \alpha_{JE}$.
        high: every $\gamma_j > \eta^2/\delta$, which implies $\alpha_{JE} \le \alpha_{RC}$.

    Neither holds for mixed magnitudes; then compare the thresholds themselves.

    Source: JEvRC, section 4 (low- and high-magnitude noise).
    """

    boundary: Float[Array, ""]
    low: Bool[Array, ""]
    high: Bool[Array, ""]


@exact_products
def alignment_thresholds(
    signal: Numbers,
    noise: Numbers,
    base_signal: Numbers,
    base_noise: Numbers,
    dim: int | None = None,
) -> AlignmentThresholds:
    r"""Compute α_JE and α_RC for any spectra of signal, noise and base augmentation.

    $$ \alpha_{JE}^2 = \max_{ij}\; \theta_i/\lambda_i - \theta_j/\gamma_j, \qquad
       \alpha_{RC}^2 = \max_{ij}\; \gamma_j(\lambda_i + \theta_i)/\lambda_i^2 - 1
       - \theta_j/\gamma_j $$

    and for blocks that aren't diagonal

    $$ \alpha_{JE}^2 = \lambda_{\max}(C^{-1}\Theta_s) - \lambda_{\min}(\Gamma^{-1}\Theta_n), \quad
       \alpha_{RC}^2 = \lambda_{\max}(\Gamma/t - \Gamma^{-1/2}\Theta_n\Gamma^{-1/2}) - 1, \quad
       1/t = \lambda_{\max}(C^{-1} + C^{-1}\Theta_s C^{-1}) $$

    Assumes Θ block-diagonal between signal and noise, Γ zero on the signal (else use
    `alignment_interval`), C and Γ positive definite on their blocks, and n = ∞. Scale-free: only
    ratios of variances matter. Where traced values aren't such covariances the result is NaN.

    Args:
        signal: $\lambda$, (k,) variances, or the clean covariance C of the signal block, (k, k).
        noise: $\gamma$, (q,) variances, or Γ of the noise block, (q, q).
        base_signal: $\theta_i$, a scalar, (k,) or (k, k): Θ on the signal; a variance.
        base_noise: $\theta_j$, a scalar, (q,) or (q, q): Θ on the noise; a variance.
        dim: embedding dimension; None is k, the number of signal directions. A smaller one keeps
            the signals that score highest on clean data, and only those count.

    Returns:
        `AlignmentThresholds`: α (not α²), and the unclipped squares.

    Raises:
        ValueError: shapes that don't fit, variances that aren't > 0 (signal, noise) or >= 0
            (base), or dim out of range.

    Source: JEvRC, section 4; the matrix form of α_RC and `dim` < k are derived.
    """
    C, Gamma = _block("signal", signal), _block("noise", noise)
    Theta_s = _block("base_signal", base_signal, C)
    Theta_n = _block("base_noise", base_noise, Gamma)
    k = C.shape[0]
    dim = k if dim is None else dim
    require_dim(dim, k, "the number of signal directions")

    unit = jax.lax.stop_gradient(jnp.max(diagonal(C)))  # so that no square over- or underflows
    C, Gamma, Theta_s, Theta_n = (block / unit for block in (C, Gamma, Theta_s, Theta_n))
    je_signal, inverse_t = _weakest_kept(C, Theta_s, dim)

    je_squared = je_signal - jnp.min(_relative_eigenvalues(Theta_n, Gamma))
    # Noise loses to t iff G((1+a)G + T)^{-1}G < tI iff (1+a)G + T > G^2/t; multiply by G^{-1/2}
    # on both sides: 1 + a > G/t - G^{-1/2} T G^{-1/2}, for the largest eigenvalue.
    if Gamma.ndim == Theta_n.ndim == 1:
        rc_squared = jnp.max(Gamma * inverse_t - Theta_n / Gamma) - 1
    else:
        # L^T (.) L^-T of G/t - T, with G = LL^T: the same eigenvalues, and no eigenvectors.
        L = jnp.linalg.cholesky(dense(Gamma))
        half = jax.scipy.linalg.solve_triangular(L, dense(Theta_n), lower=True)
        pencil = L.T @ L * inverse_t - jax.scipy.linalg.solve_triangular(L, half.T, lower=True)
        rc_squared = jnp.max(jnp.linalg.eigvalsh(pencil)) - 1
    valid = is_covariance(C, 1) & is_covariance(Gamma, 1)
    valid = valid & is_covariance(Theta_s, 0) & is_covariance(Theta_n, 0)
    je_squared, rc_squared = (jnp.where(valid, a, jnp.nan) for a in (je_squared, rc_squared))
    return AlignmentThresholds(
        joint_embedding=clipped_root(je_squared),
        reconstruction=clipped_root(rc_squared),
        joint_embedding_squared=je_squared,
        reconstruction_squared=rc_squared,
    )


def magnitude_regime(signal: Numbers, noise: Numbers, base_signal: Numbers) -> MagnitudeRegime:
    r"""Tell whether the irrelevant noise is low or high in magnitude.

    $$ \delta = \min_i \frac{\lambda_i}{\lambda_i + \theta_i}, \quad
       \eta^2 = \min_i \frac{\lambda_i^2}{\lambda_i + \theta_i} $$

    Args:
        signal: $\lambda$, (k,) variances.
        noise: $\gamma$, (q,) variances.
        base_signal: $\theta_i$, a scalar or (k,) variances.

    Returns:
        `MagnitudeRegime` with the boundary $\eta^2/\delta$.

    Raises:
        ValueError: not 1-D, or variances out of range.

    Source: JEvRC, section 4 (low- and high-magnitude noise).
    """
    lam, gamma = _block("signal", signal), _block("noise", noise)
    theta = _block("base_signal", base_signal, lam)
    if not lam.ndim == gamma.ndim == theta.ndim == 1:
        raise ValueError("signal, noise and base_signal must be variances, (k,), (q,) and (k,).")
    delta = jnp.min(lam / (lam + theta))
    eta2 = jnp.min(lam * (lam / (lam + theta)))
    boundary = eta2 / delta
    return MagnitudeRegime(boundary, jnp.all(gamma < boundary), jnp.all(gamma > boundary))


def _block(name: str, values: Numbers, like: Array | None = None) -> Moment:
    """Return a covariance block; `like` gives the size of a scalar and allows zeros."""
    block = as_float(values)
    if like is not None:
        block = block.astype(like.dtype)
        if block.ndim == 0:
            block = jnp.broadcast_to(block, like.shape[:1])
        wanted = [like.shape[:1], (like.shape[0], like.shape[0])]
        if block.shape not in wanted:
            raise ValueError(f"{name} must be a scalar or one of {wanted}; got {block.shape}.")
    elif block.ndim not in (1, 2) or block.shape[0] != block.shape[-1] or block.size == 0:
        raise ValueError(
            f"{name} must be variances (k,) or a covariance (k, k); got {block.shape}."
        )
    require_covariance(name, block, definite=like is None)
    return block


def clipped_root(square: Array) -> Array:
    """Return the root of a square clipped at 0, with gradient 0 there and NaN kept."""
    clipped = square <= 0
    return jnp.where(clipped, 0, jnp.sqrt(jnp.where(clipped, 1, square)))


def _weakest_kept(C: Moment, Theta: Moment, dim: int) -> tuple[Array, Array]:
    r"""Return $\theta/\lambda$ and $1/t$ of the weakest signal that has to be kept.

    The dim-th smallest eigenvalues of $C^{-1}\Theta$, whose JE score is $1/(1 + x)$, and of
    $C^{-1} + C^{-1}\Theta C^{-1} = (C (C + \Theta)^{-1} C)^{-1}$, the inverse RC scores.
    """
    if C.ndim == Theta.ndim == 1:
        return jnp.sort(Theta / C)[dim - 1], jnp.sort((1 + Theta / C) / C)[dim - 1]
    C, Theta = dense(C), dense(Theta)
    if dim == C.shape[0]:  # the largest of each, where an inverse is sharp
        inverse = jnp.linalg.inv(C)
        rc = jnp.linalg.eigvalsh(inverse + inverse @ Theta @ inverse)[-1]
        return jnp.max(_relative_eigenvalues(Theta, C)), rc
    # Others would drown in its rounding: take the scores themselves, which are bounded.
    L = jnp.linalg.cholesky(C + Theta)
    half = jax.scipy.linalg.solve_triangular(L, C, lower=True)
    je = jnp.linalg.eigvalsh(jax.scipy.linalg.solve_triangular(L, half.T, lower=True))[-dim]
    phi = jnp.linalg.svd(half, compute_uv=False)  # squares would lose the small ones
    return 1 / je - 1, 1 / jnp.square(phi[dim - 1])


def _relative_eigenvalues(Theta: Moment, C: Moment) -> Array:
    r"""Return the eigenvalues of $C^{-1}\Theta$."""
    if Theta.ndim == C.ndim == 1:
        return Theta / C
    L = jnp.linalg.cholesky(dense(C))
    half = jax.scipy.linalg.solve_triangular(L, dense(Theta), lower=True)
    return jnp.linalg.eigvalsh(jax.scipy.linalg.solve_triangular(L, half.T, lower=True))


def is_covariance(block: Moment, definite: int) -> Array:
    """Whether a block is symmetric and (semi-)definite, by its values: traced ones too."""
    block = jax.lax.stop_gradient(block)
    if block.ndim == 1:
        lowest = jnp.min(block)
        return (lowest > 0) if definite else (lowest >= 0)
    scale = jnp.max(jnp.abs(block))
    eps = jnp.finfo(block.dtype).eps
    symmetric = jnp.max(jnp.abs(block - block.T)) <= eps**0.5 * scale
    lowest, rounding = jnp.linalg.eigvalsh(block)[0], 10 * eps * len(block) * scale
    return symmetric & ((lowest > 0) if definite else (lowest >= -rounding))
