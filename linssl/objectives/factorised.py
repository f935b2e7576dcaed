r"""SimVAE's ELBO with the encoder that reads one view at a time, in closed form."""

from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from linssl.arguments import Numbers, as_float, require_whole
from linssl.linalg.shown import shows_numbers
from linssl.linalg.status import FATAL, Status, few
from linssl.linalg.structure import exact_products, room_for
from linssl.moments import Views, require_views
from linssl.objectives.latent.channels import among, channels, one_structure
from linssl.objectives.latent.climb import best_of
from linssl.objectives.latent.elbo import (
    along_common_axes,
    ascend,
    best_encoder,
    best_sizes,
    bounded,
    mean_law,
    minus_elbo,
    size_gain,
)
from linssl.objectives.latent.start import bases, diagonals, frame, ordered
from linssl.objectives.latent.validation import require_groups, require_variance
from linssl.objectives.latent.verdict import verdict
from linssl.objectives.solution import Solution, of_sides

PRIORS = ("exact", "plug-in", "flat")


@shows_numbers
class Bound(NamedTuple):
    r"""The ELBO of a group, and the encoder $q(z_j|x_j) = N(E x_j, Q)$ that it is of.

    Source: derived, for the model of SimVAE.
    """

    value: Float[Array, ""]
    encoder: Float[Array, "k d"]
    covariance: Float[Array, "k k"]


class FactorisedSimVAESolution(Solution):
    r"""A linear SimVAE with an encoder of single views: $q(z_j|x_j) = N(E x_j, Q)$.

    Args:
        covariance: $Q$, (k, k).
        noise: $s$.
        style: $v$.
        group_size: $J$ of a group.
        prior: law of the mean of a group's codes.
        iterations: steps of ascent, in rounds of four.
        gradient: norm of the gradient of the loss, in units in which it has none.

    Source: derived, for the model of SimVAE.
    """

    covariance: Float[Array, "*cells k k"]
    noise: Float[Array, "*cells"]
    style: Float[Array, "*cells"]
    iterations: Int[Array, "*cells"]
    gradient: Float[Array, "*cells"]
    group_size: int = eqx.field(static=True)
    prior: str = eqx.field(static=True)


def simvae_elbo(
    views: Views,
    decoder: Numbers,
    group_size: int,
    *,
    style: Numbers,
    noise: Numbers,
    prior: str = "exact",
) -> Bound:
    r"""Evaluate the ELBO at any decoder, with the best encoder $q(z_j|x_j) = N(E x_j, Q)$.

    With $T = B + (J - 1) W_n = JS$, $P = B/\tau_+ + (J - 1) W_n/v$, $a = 1/\tau_+ + (J - 1)/v$:

    $$ \mathrm{ELBO} = -\tfrac12 \Big[Jd \log 2\pi s + \tfrac1s \big( \mathrm{tr}\,(I - WE) T
       (I - WE)^T + J\,\mathrm{tr}\,W Q W^T \big) + \mathrm{tr}\,E P E^T + a\,\mathrm{tr}\,Q +
       k \log \tau_+ + (J - 1) k \log v - J (\log|Q| + k)\Big] $$

    $$ W^T W E T / s + E P = W^T T / s, \qquad Q = J (J W^T W / s + a I)^{-1} $$

    Priors: "exact" ($\tau_+ = J + v$), "plug-in" ($\tau_+ = J$), or "flat" ($\tau_+ = \infty$: y
    has density 1 everywhere, and $\log \tau_+$ is replaced by $\log J/2\pi$).

    Args:
        views: $G$ and $S = G + \Sigma$ of views of a group, as in `simvae`.
        decoder: $W$, (d, k).
        group_size: $J \ge 1$; J >= 2 with the flat prior, which says nothing of one view.
        style: $v > 0$; without style codes of a group are equal, which no factorised encoder is.
        noise: $s > 0$.
        prior: "exact", "plug-in" or "flat".

    Returns:
        `Bound`, NaN where the moments are not those of J views.

    Raises:
        ValueError: as `factorised_simvae`, or a decoder that isn't (d, k).

    Source: derived, for the model of SimVAE.
    """
    require_views(views, "simvae_elbo")
    d, W = views.mean.shape[0], as_float(decoder, "decoder")
    if W.ndim != 2 or W.shape[0] != d or not 1 <= W.shape[1] <= d:
        raise ValueError(f"decoder must be ({d}, k), k <= {d}; got {W.shape}.")
    v, s, J = _require(views, "simvae_elbo", W.shape[1], group_size, style, noise, prior)
    return _evaluate(one_structure(views), W.astype(v.dtype), J, v, s, mean_law(prior, J, v))


def factorised_simvae(
    views: Views,
    dim: int,
    group_size: int,
    *,
    style: Numbers,
    noise: Numbers,
    prior: str = "exact",
    iterations: int = 3000,
) -> FactorisedSimVAESolution:
    r"""Maximise `simvae_elbo` over the decoder W too.

    Where B and W_n commute, in each direction (eigenvalues b, w; $t = b + (J - 1) w$,
    $p = b/\tau_+ + (J - 1) w/v$), $W = \sqrt{m}\,u$ and $E = \frac{\sqrt m\, t}{mt + sp} u^T$ with

    $$ m = \max\Big(0,\ \frac{p}{2J} \Big[1 + \sqrt{1 - 4s (J/t - a/p)}\Big] -
       \frac{sp}{t}\Big) $$

    or 0 where that is complex, or no better than 0; the k directions that gain most are kept.
    That is the optimum. Elsewhere coordinate ascent goes on from there, in three bases, and from
    the axes that diagonalise T and P together: monotone and accelerated, the best of four starts.
    That one is a stationary point; that no other is better isn't proved.

    Gradients: the loss has one, in the moments, style and noise, once the ascent has converged.

    Args:
        views: $G$ and $S = G + \Sigma$ of views of a group, as in `simvae`.
        dim: $k$, 1 <= k <= d.
        group_size: $J \ge 1$; J >= 2 with the flat prior.
        style: $v > 0$, finite. May be traced.
        noise: $s > 0$. May be traced.
        prior: "exact", "plug-in" or "flat", see `simvae_elbo`.
        iterations: most steps.

    Returns:
        `FactorisedSimVAESolution` with encoder E (k, d), decoder W (d, k), loss = - ELBO, and in
        `spectrum` the gain of every direction over none, kept ones first, off the diagonals of
        the moments in the decoder's basis. UNBOUNDED where views don't differ in some direction
        and the prior is flat: its encoder would be infinite. NOT_CONVERGED, COLLAPSED, NO_GAP
        and FEW_SAMPLES as in `simvae`.

    Raises:
        ValueError: not views; dim, group_size, style or noise out of range; an unknown
            prior; or the flat prior with one view.

    Source: derived, for the model of SimVAE.
    """
    v, s, J = _require(views, "factorised_simvae", dim, group_size, style, noise, prior)
    require_whole("iterations", iterations, 0)
    limit = jnp.asarray(iterations, jnp.int32)
    room, k = room_for(dim, views.mean.shape[0]), jnp.asarray(dim, jnp.int32)
    fields = _maximise(one_structure(views), room, k, J, v, s, mean_law(prior, J, v), limit)
    fields |= {"encoder": fields["encoder"][:dim], "decoder": fields["decoder"][:, :dim]}
    fields["covariance"] = fields["covariance"][:dim, :dim]
    return FactorisedSimVAESolution(
        **fields, second_encoder=None, group_size=int(group_size), prior=prior, **of_sides(views)
    )


def _require(
    views: Views, name: str, dim: int, group_size: int, style: Numbers, noise: Numbers, prior: str
) -> tuple[Array, Array, Array]:
    """Return style, noise and J as arrays, or raise."""
    require_groups(views, name, dim, group_size)
    if prior not in PRIORS:
        raise ValueError(f"prior must be 'exact', 'plug-in' or 'flat'; got {prior!r}.")
    if prior == "flat" and group_size < 2:
        raise ValueError(
            "group_size must be >= 2 with the flat prior: it says nothing of one view."
        )
    dtype = views.mean.dtype
    v = require_variance("style", style, False, False).astype(dtype)
    s = require_variance("noise", noise, False, False).astype(dtype)
    return v, s, jnp.asarray(group_size, dtype)


@exact_products
@jax.jit
def _evaluate(views: Views, W: Array, group_size: Array, v: Array, s: Array, law: Array) -> Bound:
    moments, status = channels(views, group_size, "exact", unit=s)
    p = bounded(moments, v, s, law, jnp.asarray(W.shape[1], jnp.int32))
    E, Q = jax.lax.stop_gradient(best_encoder(p, W / jnp.sqrt(s)))
    value = -minus_elbo(p, W / jnp.sqrt(s), E, Q)
    nan = jnp.asarray(jnp.nan, value.dtype)
    value, E, Q = (jnp.where(status == 0, x, nan) for x in (value, E / jnp.sqrt(s), Q))
    return Bound(value, E, Q)


@exact_products
@partial(jax.jit, static_argnames="room")
def _maximise(
    views: Views,
    room: int,
    dim: Array,
    group_size: Array,
    v: Array,
    s: Array,
    law: Array,
    limit: Array,
) -> dict[str, Array]:
    live, status = channels(views, group_size, "exact", unit=s)
    status = status | few(views.draws, len(live.between))
    bad = jnp.isnan(v) | jnp.isnan(s)
    status = jnp.where(bad, status | Status.NOT_FINITE, status)
    usable = (status & FATAL) == 0
    problem = bounded(live, v, s, law, dim)
    moments, p = jax.lax.stop_gradient((live, problem))
    p = jax.tree_util.tree_map(lambda x: jnp.where(bad, 1, x), p)
    eps = jnp.finfo(s.dtype).eps

    commute = views.shared.ndim == 1

    def start(basis: Array) -> Array:
        m, gains = best_sizes(p, *diagonals(basis, p.total, p.prior))
        _, kept = jax.lax.top_k(gains, room)
        sizes = jnp.where(among(room, dim), jnp.sqrt(m[kept]), 0)
        return basis[:, kept] * sizes[None, :]

    starts = jax.lax.map(start, bases(moments, commute))
    if not commute:
        starts = jnp.append(starts, along_common_axes(p, room)[None], 0)
    found = best_of(jax.lax.map(lambda W: ascend(p, W, limit), starts))

    U, sizes = frame(p.total, found.point[0], dim)
    t, q = diagonals(U, p.total, p.prior)
    W, gains = ordered(U, sizes, size_gain(p, t, q, sizes**2), best_sizes(p, t, q)[1], dim, room)
    E, Q = best_encoder(p, W)
    loss = minus_elbo(problem, W, E, Q)

    # A flat prior leaves codes free in directions in which groups differ and views don't.
    w, total = jnp.linalg.eigvalsh(moments.within), jnp.linalg.eigvalsh(moments.total)
    nothing = 10 * len(w) * eps
    fewer = jnp.sum(w > nothing * w[-1]) < jnp.sum(total > nothing * total[-1])
    status = status | jnp.where(usable & fewer & (law[0] == 0), Status.UNBOUNDED, 0)
    fields = {
        "encoder": E / jnp.sqrt(s),
        "decoder": W * jnp.sqrt(s),
        "covariance": Q,
        "noise": s,
        "style": v,
        "gradient": found.gradient,
    }
    close = jnp.clip(100 * eps * jnp.trace(p.total) / group_size, eps**0.5, 1e-2)
    converged, empty = found.gradient <= close, jnp.array(False)
    beside = jnp.trace(p.total)
    done = verdict(
        fields, gains, dim, loss, status=status, converged=converged, empty=empty, beside=beside
    )
    return done | {"iterations": found.steps}
