r"""A group of J views as two channels: their mean, and J - 1 contrasts.

A Helmert rotation of the J views of one content, $H \otimes I$ with H orthogonal and its first row
$1/\sqrt{J}$, leaves the noise as it is and makes the channels independent:
$\sqrt{J}\,\bar x \sim N(0, \Sigma_+)$ and J - 1 contrasts $\sim N(0, \Sigma_-)$. Their second
moments, B and W_n, are all that a likelihood reads.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from linssl.linalg.status import Status
from linssl.linalg.structure import dense, diagonal
from linssl.moments import Views
from linssl.theory.latents.directions import code_variances


class Channels(eqx.Module):
    r"""The sufficient statistics of groups of J views, in units of `unit`.

    Args:
        between: $B = S + (J - 1) G$, (d, d): second moment of the mean channel.
        within: $W_n = S - G$, (d, d): of a contrast.
        unit: the variance that both were divided by.
        group_size: $J$; not static, so that a fit compiles once for all.
        prior: law of the mean channel of a code; see `code_variances`.

    Source: derived, for the model of SimVAE.
    """

    between: Float[Array, "d d"]
    within: Float[Array, "d d"]
    unit: Float[Array, ""]
    group_size: Float[Array, ""]
    prior: str = eqx.field(static=True)

    @property
    def both(self) -> Float[Array, "2 d d"]:
        """B and W_n."""
        return jnp.stack([self.between, self.within])

    @property
    def counts(self) -> Float[Array, " 2"]:
        """How often either channel occurs in a group: 1, J - 1."""
        return jnp.stack([jnp.ones_like(self.group_size), self.group_size - 1])

    @property
    def total(self) -> Float[Array, "d d"]:
        r"""$B + (J - 1) W_n = J S$. Source: derived."""
        return self.between + (self.group_size - 1) * self.within


def channels(
    views: Views, group_size: Array, prior: str, unit: Array | None = None
) -> tuple[Channels, Int[Array, ""]]:
    """Read B and W_n from `one_structure` views, with `Status` bits; zeros where those are fatal.

    B is W_n + J G: neither is a difference, which would cancel where views hardly differ.
    """
    J, G, W = group_size, dense(views.shared), dense(views.spread)
    S = G + W
    eps, scale = jnp.finfo(S.dtype).eps, jnp.max(jnp.abs(diagonal(S)))
    near = eps**0.5 * scale
    finite = jnp.all(jnp.isfinite(G)) & jnp.all(jnp.isfinite(W))
    symmetric = jnp.all(jnp.abs(W - W.T) <= near) & jnp.all(jnp.abs(G - G.T) <= near)
    usable = finite & symmetric
    B, W = (jnp.where(usable, (M + M.T) / 2, 0) for M in (W + J * G, W))
    lowest = jax.lax.map(lambda M: jnp.linalg.eigvalsh(M)[0], jnp.stack([B, W]))
    # Moments of J views of one content; a smaller eigenvalue is what no J views can have.
    semidefinite = jnp.all(lowest >= -near)
    status = jnp.where(semidefinite, 0, Status.INCONSISTENT)
    status = jnp.where(jnp.any(diagonal(S) < 0), Status.INDEFINITE, status)
    status = jnp.where(symmetric, status, Status.NOT_SYMMETRIC)
    status = jnp.where(finite, status, Status.NOT_FINITE)
    ok = status == 0
    if unit is None:
        mean = jnp.mean(diagonal(S))
        unit = jax.lax.stop_gradient(jnp.where(ok & (mean > 0), mean, 1))
    B, W = (jnp.where(ok, M, 0) / unit for M in (B, W))
    return Channels(B, W, unit, J, prior), status


def one_structure(views: Views) -> Views:
    """Write out diagonals unless all are diagonal, so that one program does for all views.

    What the fit doesn't read is left out of what the program is compiled for.
    """
    G, spread = views.shared, views.spread
    if G.ndim != spread.ndim:
        G, spread = dense(G), dense(spread)
    return Views(G, spread, views.mean, views.count, views.draws, views.rounding)


def least_noise(moments: Channels) -> float:
    """Return the least noise that is told from none, in the unit of the moments.

    Below, what rounding leaves of the likelihood is more than eps^(1/4) nats a view.
    """
    return len(moments.within) * float(jnp.finfo(moments.within.dtype).eps) ** 0.75


def among(size: int, dim: Array) -> Array:
    """Say which of `size` columns belong to k = dim; the others are 0."""
    return jnp.arange(size, dtype=dim.dtype) < dim


class Rotated(NamedTuple):
    r"""Loadings with orthogonal columns, in which both channels' covariances are simple.

    With $V^T V = Q\,\mathrm{diag}(a)\,Q^T$ and $U = VQ$, for $M \in \{B, W_n\}$:

    $$ \Sigma_c^{-1} U = U D_c, \quad D_c = \mathrm{diag}\,\frac{1}{s + \kappa_c a}, \qquad
       \Sigma_c^{-1} = \frac{I - U A^{-1} U^T}{s} + U A^{-1} D_c U^T $$

    with $A = \mathrm{diag}(a)$. The first term is exactly 0 where the code spans all features, so
    that nothing is divided by a noise that vanishes there.

    Args:
        turn: $Q$, (k, k).
        loadings: $U$, (d, k).
        sizes: $a$, (k,).
        inverse: $1/a$, (k,), or 0 of columns of 0.
        open: whether any direction has no code, as 1, else 0.
        images: $MU$, (2, d, k).
        spreads: $\mathrm{diag}\,U^T M U$, (2, k).

    Source: derived (Woodbury).
    """

    turn: Array
    loadings: Array
    sizes: Array
    inverse: Array
    open: Array
    images: Array
    spreads: Array


def rotated(moments: Channels, loadings: Array) -> Rotated:
    """Rotate the code so that loadings are orthogonal."""
    V = loadings
    a, Q = jnp.linalg.eigh(V.T @ V)
    U = V @ Q
    zero = a <= a.size * jnp.finfo(a.dtype).eps * a[-1]
    inverse = jnp.where(zero, 0, 1 / jnp.where(zero, 1, a))
    some = jnp.asarray(jnp.sum(~zero) < len(V), a.dtype)
    MU = moments.both @ U
    return Rotated(Q, U, jnp.maximum(a, 0), inverse, some, MU, jnp.sum(U[None] * MU, 1))


def _squares(moments: Channels, at: Rotated, s: Array, D: Array) -> Array:
    r"""Return $\mathrm{tr}\,\Sigma_c^{-1} M_c$ of both channels, (2,)."""
    variances = at.spreads * at.inverse[None]
    rest = jnp.trace(moments.both, axis1=1, axis2=2) - jnp.sum(variances, 1)
    return at.open * rest / s + jnp.sum(variances * D, 1)


def nll(moments: Channels, at: Rotated, noise: Array, share: Array) -> Array:
    r"""Evaluate the negative log-likelihood of a group.

    $$ \tfrac12 [\log|\Sigma_+| + \mathrm{tr}\,\Sigma_+^{-1} B + (J - 1)(\log|\Sigma_-| +
       \mathrm{tr}\,\Sigma_-^{-1} W_n) + J d \log 2\pi], \qquad \Sigma_c = \kappa_c V V^T + s I $$

    Source: derived, for the model of SimVAE.
    """
    s, (d, k), J = noise, at.loadings.shape, moments.group_size
    kappa = jnp.stack(code_variances(moments.prior, J, share))[:, None]
    total = s + kappa * at.sizes[None]
    logdet = (d - k) * jnp.log(s) + jnp.sum(jnp.log(total), 1)
    constant = J * d * (jnp.log(2 * jnp.pi) + jnp.log(moments.unit))
    return (moments.counts @ (logdet + _squares(moments, at, s, 1 / total)) + constant) / 2


def slopes(
    moments: Channels, at: Rotated, noise: Array, share: Array
) -> tuple[Array, Array, Array]:
    r"""Return the gradient of `nll` in the loadings (turned by Q), in $\log s$, and in r.

    $$ \partial_U = \sum_c n_c \kappa_c \Sigma_c^{-1} (U - M_c \Sigma_c^{-1} U), \qquad
       \partial_{\kappa_c} = \tfrac{n_c}{2} \mathrm{tr} (U^T \Sigma_c^{-1} U -
       U^T \Sigma_c^{-1} M_c \Sigma_c^{-1} U) $$

    Scaling V by $\sqrt{c}$ and s by c shows $\partial_{\log s} = \tfrac12 \sum_c n_c
    (d - \mathrm{tr}\,\Sigma_c^{-1} M_c) - \tfrac12 \mathrm{tr}\,U^T \partial_U$.

    Source: derived, for the model of SimVAE.
    """
    s, U, J, n = noise, at.loadings, moments.group_size, moments.counts
    variances = jnp.stack(code_variances(moments.prior, J, share))
    kappa = variances[:, None]
    D = 1 / (s + kappa * at.sizes[None])
    MUD = at.images * D[:, None, :]
    by_size = at.inverse[None, :, None] * (U.T[None] @ MUD)
    inside = at.open * (MUD - U[None] @ by_size) / s + (U[None] * D[:, None, :]) @ by_size
    gU = jnp.tensordot(n * variances, U[None] * D[:, None, :] - inside, 1)
    by_kappa = n / 2 * jnp.sum(D * at.sizes[None] - D**2 * at.spreads, 1)
    by_log_s = (n @ (len(U) - _squares(moments, at, s, D)) - jnp.sum(U * gU)) / 2
    rate = J if moments.prior == "plug-in" else J - 1
    return gU, by_log_s, rate * by_kappa[0] - by_kappa[1]
