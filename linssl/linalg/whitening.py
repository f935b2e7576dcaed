"""Whitening a view: the factorisation that every objective starts with."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from linssl.linalg.status import Status
from linssl.linalg.structure import Moment, diagonal


class Whitener(eqx.Module):
    r"""A factor of a second moment, $S = F F^T$, and how far to trust it.

    $S = D R D$ with unit diagonal in $R$ (equilibration, VanDerSluis1969: within a factor d of
    the best diagonal scaling), $R = L L^T$ (Cholesky) and $F = D L$.

    Args:
        scale: diagonal of $D$, (d,).
        factor: $L$, (d, d), or None where $S$ is diagonal and $R = I$.
        rounding: relative error of whitened moments at this precision and conditioning.
        status: `Status` bits of S.

    Source: derived; the $S^{-1/2}$ of JEvRC, Theorems 1 and 2, up to a rotation.
    """

    scale: Float[Array, " d"]
    factor: Float[Array, "d d"] | None
    rounding: Float[Array, ""]
    status: Int[Array, ""]

    def whiten(self, matrix: Float[Array, "d m"]) -> Float[Array, "d m"]:
        r"""Return $F^{-1} M$. Source: derived."""
        scaled = matrix / self.scale[:, None]
        if self.factor is None:
            return scaled
        return jax.scipy.linalg.solve_triangular(self.factor, scaled, lower=True)

    def encoder(self, basis: Float[Array, "d k"]) -> Float[Array, "k d"]:
        r"""Return $Q^T F^{-1}$: the encoder whose whitened rows are the columns of Q.

        Source: JEvRC, Theorems 1 and 2.
        """
        if self.factor is not None:
            basis = jax.scipy.linalg.solve_triangular(self.factor, basis, lower=True, trans="T")
        return basis.T / self.scale[None, :]


def whitener(
    second: Moment,
    rounding: Float[Array, " d"] | None = None,
    count: Float[Array, ""] | None = None,
) -> Whitener:
    r"""Factor a covariance, and say whether that was possible.

    Derivatives are finite always: where there is no factor, those of D alone.

    Args:
        second: $S$, (d, d) or (d,).
        rounding: the variance of each feature that is rounding of the data, (d,): a direction
            with no more variance than that is none. None is 0.
        count: $n$, instances behind S: rounding and the data are uncorrelated to $1/\sqrt n$
            only. None is inf.

    Source: derived; VanDerSluis1969.
    """
    d, eps = second.shape[0], jnp.finfo(second.dtype).eps
    variance = diagonal(second)
    finite = jnp.all(jnp.isfinite(second))
    share = jnp.zeros_like(variance) if rounding is None else blurred_share(second, rounding)
    blur = jnp.sum(share)
    chance = by_chance(blur, count)
    scale = jnp.sqrt(jnp.where((variance > 0) & finite, variance, 1))
    negative = jnp.any(variance < 0)
    if second.ndim == 1:
        # A diagonal is singular only where a variance is lost beside nothing at all.
        nothing = jnp.any((variance == 0) | (share >= 0.5))
        status = jnp.where(negative, Status.INDEFINITE, jnp.where(nothing, Status.SINGULAR, 0))
        error = 4 * eps * d**0.5 + jnp.max(share) + chance
        return Whitener(scale, None, error, jnp.where(finite, status, Status.NOT_FINITE))

    R = second / scale[:, None] / scale[None, :]
    # Symmetric to sqrt(eps) in correlation units: what is left is averaged away.
    symmetric = jnp.all(jnp.abs(R - R.T) <= eps**0.5)
    safe = finite & symmetric
    R = jnp.where(safe, (R + R.T) / 2, jnp.eye(d, dtype=R.dtype))
    known = jax.lax.stop_gradient(R)  # a failed factorisation has no derivative, not even times 0
    L = jnp.linalg.cholesky(known, symmetrize_input=False)
    # Squared pivots are conditional variances, 1 for independent features and 0 for redundant.
    pivot = jnp.min(jnp.square(jnp.diagonal(L)))
    # Sums and factorisation leave a redundant feature a few d eps, with no digit of its own.
    singular = ~(pivot > 10 * d * eps + blur)
    # Indefinite beyond rounding: even lifted by 10 d eps there is no factor.
    lifted = jax.lax.cond(
        jnp.isnan(pivot),
        lambda R: jnp.linalg.cholesky(R + 10 * d * eps * jnp.eye(d, dtype=R.dtype)),
        lambda R: R,
        known,
    )
    indefinite = negative | jnp.isnan(lifted[0, 0]) | jnp.any(jnp.isnan(jnp.diagonal(lifted)))
    status = jnp.where(indefinite, Status.INDEFINITE, jnp.where(singular, Status.SINGULAR, 0))
    status = jnp.where(symmetric, status, Status.NOT_SYMMETRIC)
    status = jnp.where(finite, status, Status.NOT_FINITE)
    usable = status == 0
    eye = jnp.eye(d, dtype=L.dtype)
    L = _factor(jnp.where(usable, R, eye), jnp.where(usable, L, eye))
    pivot = jnp.where(usable, pivot, 1)
    error = (4 * eps * d**0.5 + blur) / pivot
    # What is chance is so among the data themselves, and more: no lack of digits.
    blurred = jnp.where(usable & (error > 0.01), Status.ILL_CONDITIONED, 0)
    error = jnp.where(usable, error + chance / jnp.sqrt(pivot), 1)
    return Whitener(scale, L, error, status | blurred)


@jax.custom_jvp
def _factor(_: Float[Array, "d d"], L: Float[Array, "d d"]) -> Float[Array, "d d"]:
    r"""Give a Cholesky factor of R, found otherwise, its derivative.

    $$ R = L L^T, \qquad dL = L\, \Phi(L^{-1}\, dR\, L^{-T}) $$

    with Φ the lower triangle, its diagonal halved.
    """
    return L


@_factor.defjvp
def _factor_jvp(primals: tuple[Array, Array], tangents: tuple[Array, Array]):
    L = _factor(*primals)
    half = jax.scipy.linalg.solve_triangular(L, tangents[0], lower=True)
    whole = jax.scipy.linalg.solve_triangular(L, half.T, lower=True)
    return L, L @ (jnp.tril(whole) - jnp.diag(jnp.diagonal(whole)) / 2)


def by_chance(blur: Float[Array, ""], count: Float[Array, ""] | None) -> Float[Array, ""]:
    r"""Return how far rounding of n rows moves moments by correlating with them, $2 \sqrt{b/n}$.

    Relative, of rounding whose variance is a share b. It is of the first order in the steps of the
    data where b itself is of the second, and so larger unless n is.
    """
    blur = jax.lax.stop_gradient(blur)  # a root has no derivative at 0
    return jnp.zeros_like(blur) if count is None else 2 * jnp.sqrt(blur / jnp.maximum(count, 1))


def blurred_share(covariance: Moment, rounding: Float[Array, " d"]) -> Float[Array, " d"]:
    """Return which share of each variance is rounding of the data, at most 1."""
    variance = diagonal(covariance)
    share = rounding / jnp.where(variance > 0, variance, 1)
    return jnp.where(variance > 0, jnp.minimum(share, 1), 0).astype(variance.dtype)
