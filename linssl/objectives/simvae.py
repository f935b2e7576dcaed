r"""SimVAE: views as noisy linear pictures of codes that share one content."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from linssl.arguments import Numbers, require_whole
from linssl.linalg.status import FATAL, Status, few
from linssl.linalg.structure import exact_products, room_for
from linssl.moments import Views
from linssl.objectives.latent.channels import Channels, among, channels, nll, one_structure, rotated
from linssl.objectives.latent.climb import Climb, best_of
from linssl.objectives.latent.em import at_best, maximise
from linssl.objectives.latent.model import GroupModel
from linssl.objectives.latent.start import around, bases, diagonals, frame, ordered, start_in
from linssl.objectives.latent.validation import require_groups, require_variance
from linssl.objectives.latent.verdict import verdict
from linssl.objectives.solution import of_sides
from linssl.theory.latents.directions import best_size, code_variances, gain_of


class SimVAESolution(GroupModel):
    r"""A fitted linear SimVAE: its decoder is W, its encoder the mean of a code given one view.

    Args:
        noise: $s$, the variance of a feature around its picture.
        style: $v$, the variance of a code around its content; inf where views share nothing.
        group_size: $J$ of a group.
        prior: law of the mean of a group's codes, "exact" or "plug-in".
        iterations: steps of EM from the best start, in rounds of four.
        gradient: norm of the gradient of the loss, in units in which it has none.

    `spectrum` holds the gain of every direction, what it takes off the loss in nats a group, at
    the fitted noise and style: first of the k that are kept, then of the others. Where B and
    W_n commute `gap` is the price of exchanging the last of the k; elsewhere gains are read off
    the diagonals of both in the decoder's basis, and tell little of the second order.

    Source: derived, for the model of SimVAE.
    """

    iterations: Int[Array, "*cells"]
    gradient: Float[Array, "*cells"]


def simvae(
    views: Views,
    dim: int,
    group_size: int,
    *,
    style: Numbers | None = None,
    noise: Numbers | None = None,
    prior: str = "exact",
    iterations: int = 3000,
) -> SimVAESolution:
    r"""Fit views $x_j$ of one content $y$ by maximum likelihood.

    $$ x_j = W z_j + N(0, sI), \quad z_j = y + N(0, vI), \quad y \sim N(0, I_k), \quad
       j = 1, \dots, J $$

    $$ \mathrm{NLL} = \tfrac12 [\log|\Sigma_+| + \mathrm{tr}\,\Sigma_+^{-1} B + (J - 1)
       (\log|\Sigma_-| + \mathrm{tr}\,\Sigma_-^{-1} W_n) + J d \log 2\pi], \qquad
       \Sigma_+ = \tau_+ W W^T + sI, \quad \Sigma_- = v W W^T + sI $$

    with $B = S + (J - 1) G$, $W_n = S - G$ and $\tau_+ = J + v$. W is unique up to a rotation of
    the code. Where B and W_n commute each direction is a cubic, and the fit the optimum at given
    noise and style (the best of all its roots and 0); over both a grid finds the lowest minima,
    which finer ones refine. From there EM goes on, monotone and accelerated. Where moments don't
    commute it starts in three bases, at up to six noises and styles in each, and what is returned
    is the best of these: a stationary point. That no other is better isn't proved, nor is it for
    estimated noise or style. The model is of views about their mean.

    At dim = d noise may vanish: the loss then has an infimum that no s > 0 attains, and what is
    returned is as near to it as s, about 1e-11 of the variance in float64.

    At v = inf views share nothing, and each is probabilistic PCA: codes are then in units of
    their own deviation $\sqrt{1 + v}$, so that W stays finite.

    Gradients: the loss has one, in the moments, and in style and noise where given, once EM has
    converged (by the envelope theorem). Nothing else has.

    Args:
        views: $G$ and $S = G + \Sigma$ of views of a group: from `pairs.groups(x)`, or, for any J,
            from `two_views(data, a)`.
        dim: $k$, 1 <= k <= d.
        group_size: $J \ge 1$; one view can't tell style from content, and needs `style`.
        style: $v$ in [0, inf]; None is estimated. May be traced.
        noise: $s > 0$; None is estimated. May be traced.
        prior: "exact" ($\tau_+ = J + v$), or "plug-in" ($\tau_+ = J$: the content replaced by the
            mean of its codes). "flat" ($\tau_+ = \infty$) has an ELBO, `factorised_simvae`, but
            no maximum likelihood.
        iterations: most steps of EM.

    Returns:
        `SimVAESolution` with encoder $(1 + v) W^T ((1 + v) W W^T + sI)^{-1}$ (k, d), decoder W
        (d, k) and loss, the NLL of a group. FEW_SAMPLES where draws <= d. Its status may also be
        UNBOUNDED (NaN: no noise is left, as when S has rank <= k or views don't differ),
        NOT_CONVERGED, COLLAPSED (codes that carry nothing, or no content), or NO_GAP: at dim = d
        all directions have one size, as one feature and whitened data do, so that noise and style
        are arbitrary beside each other.

    Raises:
        ValueError: not views; dim, group_size, style or noise out of range; an unknown
            or flat prior; or an estimate that isn't identified, the style from one view, or the
            noise from one view at dim = d.

    Source: derived, for the model of SimVAE; one view is TippingBishop1999.
    """
    require_groups(views, "simvae", dim, group_size)
    require_whole("iterations", iterations, 0)
    if prior == "flat":
        raise ValueError(
            "prior 'flat' has no maximum likelihood: it grows without bound as W shrinks to 0. "
            "Use 'exact' or 'plug-in', or factorised_simvae for its ELBO."
        )
    if prior not in ("exact", "plug-in"):
        raise ValueError(f"prior must be 'exact' or 'plug-in'; got {prior!r}.")
    dtype, d = views.mean.dtype, views.mean.shape[0]
    if group_size == 1 and style is None:
        raise ValueError(
            "style must be given for group_size = 1: one view can't tell it from content."
        )
    if group_size == 1 and noise is None and dim == d:
        raise ValueError(
            f"noise must be given for group_size = 1 and dim = {d}, the number of features: no "
            "direction is left to estimate it from."
        )
    if style is not None:
        style = require_variance("style", style, True, prior == "exact").astype(dtype)
    if noise is not None:
        noise = require_variance("noise", noise, False, False).astype(dtype)
    J, limit = jnp.asarray(group_size, dtype), jnp.asarray(iterations, jnp.int32)
    room, k = room_for(dim, d), jnp.asarray(dim, jnp.int32)
    fields = _fit(one_structure(views), room, k, J, style, noise, prior, limit)
    fields |= {"encoder": fields["encoder"][:dim], "decoder": fields["decoder"][:, :dim]}
    return SimVAESolution(
        **fields, second_encoder=None, group_size=int(group_size), prior=prior, **of_sides(views)
    )


@exact_products
@partial(jax.jit, static_argnames=("room", "prior"))
def _fit(
    views: Views,
    room: int,
    dim: Array,
    group_size: Array,
    style: Array | None,
    noise: Array | None,
    prior: str,
    limit: Array,
) -> dict[str, Array]:
    live, status = channels(views, group_size, prior)
    status = status | few(views.draws, len(live.between))
    share = None if style is None else 1 / (1 + style)
    s = None if noise is None else noise / live.unit
    for given in (share, s):
        if given is not None:
            status = status | jnp.where(jnp.isnan(given), Status.NOT_FINITE, 0)
    # The loss is flat to first order about its minimum: what EM finds is a constant to it.
    moments, fixed_share, fixed_s = jax.lax.stop_gradient((live, share, s))
    estimated, commute = (noise is None, style is None), views.shared.ndim == 1

    def fit(basis: Array) -> Climb:
        start = start_in(moments, basis, room, dim, fixed_s, fixed_share)
        starts = around(start, *(free and not commute for free in estimated))
        return best_of(jax.lax.map(lambda x: maximise(moments, x, dim, *estimated, limit), starts))

    found = best_of(jax.lax.map(fit, bases(moments, commute)))
    return _solution(live, found, dim, s, share, status)


def _solution(
    live: Channels,
    found: Climb,
    dim: Array,
    noise: Array | None,
    share: Array | None,
    status: Array,
) -> dict[str, Array]:
    """Write out a fit, in the data's units, with all that is wrong with it."""
    V, s, r = found.point
    K, eps = V.shape[1], jnp.finfo(V.dtype).eps
    at = rotated(live, V)
    loss = nll(live, at, s if noise is None else noise, r if share is None else share)
    moments = jax.lax.stop_gradient(live)
    V, gains = _ordered(moments, V, dim, s, r)

    usable = (status & FATAL) == 0
    converged, unbounded = at_best(moments, found)
    if noise is None:
        status = status | jnp.where(usable & unbounded, Status.UNBOUNDED, 0)
    if noise is None and share is None:
        status = status | jnp.where(usable & _alike(V, dim), Status.NO_GAP, 0)
    empty = r <= eps**0.5 if share is None else jnp.array(False)

    plus, minus = code_variances(live.prior, live.group_size, r)
    t = (plus + (live.group_size - 1) * minus) / live.group_size
    root = jnp.where(r > 0, jnp.sqrt(r), 1)
    encoder = jnp.linalg.solve(t * V.T @ V + s * jnp.eye(K, dtype=V.dtype), t * V.T) / root
    fields = {
        "encoder": encoder / jnp.sqrt(live.unit),
        "decoder": V * root * jnp.sqrt(live.unit),
        "noise": s * live.unit,
        "style": (1 - r) / r,
        "gradient": found.gradient,
    }
    beside = at.open * jnp.trace(moments.total) / s
    done = verdict(
        fields, gains, dim, loss, status=status, converged=converged, empty=empty, beside=beside
    )
    return done | {"iterations": found.steps}


def _alike(V: Array, dim: Array) -> Array:
    r"""Say whether noise and style can't be told apart: at k = d, if all directions have one size.

    $B - W_n = J W W^T$ gives the sizes, and $W_n = v W W^T + sI$ is a line through them: of one
    point where all are m, with $v m + s$ the same for many v and s. Sizes that differ by a share h
    change the loss by about $h^2$, of which eps^(1/4) is told; see `least_noise`.
    """
    sizes = jnp.sum(jnp.square(V), 0)
    most, least = jnp.max(sizes), jnp.min(jnp.where(among(sizes.size, dim), sizes, jnp.inf))
    return (dim == len(V)) & (most - least <= jnp.finfo(V.dtype).eps ** 0.125 * most)


def _ordered(moments: Channels, V: Array, dim: Array, s: Array, r: Array) -> tuple[Array, Array]:
    """Rotate the code so that W^T W is diagonal, gains descending; with gains of all directions."""
    U, sizes = frame(moments.total, V, dim)
    b, w = (x / s for x in diagonals(U, moments.between, moments.within))
    prior, J = moments.prior, moments.group_size
    kept, others = gain_of(prior, J, r, b, w, sizes**2 / s), best_size(prior, J, r, b, w)[1]
    return ordered(U, sizes, kept, others, dim, V.shape[1])
