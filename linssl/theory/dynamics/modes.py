"""What the dynamics read from a pair: the moments of its features, where they are apart."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from linssl.arguments import is_concrete
from linssl.linalg.shown import Shown
from linssl.linalg.structure import dense, exact_products
from linssl.moments import PairMoments, require_pair


class AlignedModes(Shown):
    r"""The common axes of a pair's moments, by falling ρ, and the moments along them.

    Args:
        covariance: $\lambda = \mathrm{Cov}(x, y)$ along each axis, (d,).
        variance: $\sigma = \mathrm{Var}(x)$ of the input, (d,).
        directions: the axes, rows of (d, d), orthonormal.

    Source: Littwin2024.
    """

    covariance: Float[Array, " d"]
    variance: Float[Array, " d"]
    directions: Float[Array, "d d"]

    @property
    def coefficient(self) -> Float[Array, " d"]:
        r"""$\rho = \lambda/\sigma$: joint embedding's score ω if $\mathrm{Var}(y) = \sigma$.

        Source: Littwin2024; the bridge to ω is derived.
        """
        return self.covariance / self.variance

    @property
    def explained(self) -> Float[Array, " d"]:
        r"""$\lambda \rho = \lambda^2/\sigma$: the score $\varphi^2$ of reconstruction.

        Source: derived.
        """
        return self.covariance * self.coefficient


@exact_products
def aligned_modes(pair: PairMoments) -> AlignedModes:
    r"""Read λ and ρ of every feature from a pair whose moments share their eigenvectors.

    $$ \mathrm{Cov}(x) = U \,\mathrm{diag}(\sigma)\, U^T, \qquad
       \mathrm{Cov}(x, y) = U \,\mathrm{diag}(\lambda)\, U^T, \qquad
       \rho_i = \lambda_i/\sigma_i $$

    This bridges dynamics and solutions: $\lambda\rho = \varphi^2$, the spectrum of
    `reconstruction`, and $\rho = \omega$, the spectrum of `joint_embedding`, if also
    $\mathrm{Cov}(y) = \mathrm{Cov}(x)$. For data whose mean isn't subtracted, `pair.about_zero()`.
    Views under isotropic additive noise are aligned, whatever the data; moments of samples of two
    views are not.

    Args:
        pair: square moments, with x first and the target y second; of two views,
            `views.as_pair()`.

    Returns:
        `AlignedModes`, by falling ρ. Covariances of the size of rounding are 0.

    Raises:
        ValueError: not a pair, sides of different size, or (where concrete; NaN inside a trace)
            moments that aren't finite, singular `first`, or moments that don't share their axes.

    Source: Littwin2024; the bridge is derived.
    """
    require_pair(pair)
    d = pair.first.shape[0]
    if pair.cross.shape[-1] != d or pair.second.shape[0] != d:
        raise ValueError(
            "aligned_modes needs sides of equal size, whose axes can be the same; got "
            f"{d} and {pair.second.shape[0]} features."
        )
    modes, misfit, definite = _read(pair)
    if is_concrete(pair):
        eps = float(jnp.finfo(misfit.dtype).eps)
        if not bool(jnp.isfinite(misfit)):
            raise ValueError("pair must have finite moments; got NaN or inf.")
        if not float(misfit) <= eps**0.5:
            raise ValueError(
                "pair must have aligned moments: first and cross symmetric with the same "
                f"eigenvectors; off their axes they are {float(misfit):.1e} of the largest entry. "
                "Isotropic noise gives aligned views; else the features don't learn apart."
            )
        if not bool(definite):
            raise ValueError(
                "first must be positive definite: an axis has no variance. Leave it out, or "
                "compose the augmentation with a little Gaussian noise."
            )
    return modes


@jax.jit
def _read(pair: PairMoments) -> tuple[AlignedModes, Array, Bool[Array, ""]]:
    S, G = dense(pair.first), dense(pair.cross)
    d, eps = S.shape[0], jnp.finfo(S.dtype).eps
    S_scale, G_scale = (jnp.max(jnp.abs(A)) for A in (S, G))
    # A mixture of both has the common axes, and no ties but those that both have, or by chance.
    share = (5**0.5 - 1) / 2
    unit_S, unit_G = (
        A / jnp.where(scale > 0, scale, 1) for A, scale in ((S, S_scale), (G, G_scale))
    )
    mixed = unit_S + share * (unit_G + unit_G.T) / 2
    finite = jnp.all(jnp.isfinite(mixed))
    U = jnp.linalg.eigh(jnp.where(finite, mixed, 0))[1]
    turned_S, turned_G = U.T @ unit_S @ U, U.T @ unit_G @ U
    sigma, lam = jnp.diagonal(turned_S), jnp.diagonal(turned_G)
    off = [jnp.max(jnp.abs(A - jnp.diag(v))) for A, v in ((turned_S, sigma), (turned_G, lam))]
    misfit = jnp.where(finite, jnp.maximum(*off), jnp.nan)
    definite = jnp.min(sigma) > d * eps
    lam = jnp.where(jnp.abs(lam) <= d * eps, 0, lam)
    order = jnp.argsort(-lam / jnp.where(sigma > 0, sigma, 1), stable=True)
    usable = (misfit <= eps**0.5) & definite
    fields = lam[order] * G_scale, sigma[order] * S_scale, U.T[order]
    modes = AlignedModes(*(jnp.where(usable, field, jnp.nan) for field in fields))
    return modes, misfit, definite
