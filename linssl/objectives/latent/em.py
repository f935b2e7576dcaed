r"""Expectation-maximisation of the linear model of groups, from B and W_n alone."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array

from linssl.objectives.latent.channels import Channels, among, least_noise, nll, rotated, slopes
from linssl.objectives.latent.climb import Climb, Point, climb
from linssl.objectives.latent.start import diagonals, frame
from linssl.theory.latents.directions import best_size, code_variances


def em_step(moments: Channels, point: Point, dim: Array, fit_noise: bool, fit_style: bool) -> Point:
    r"""Take one step of EM, with the code's covariance free in between (PX-EM).

    E-step, for channels c with $K_c = (\kappa_c V^T V / s + I)^{-1}$, $S_c \in \{B, W_n\}$ and
    $n_c \in \{1, J - 1\}$:

    $$ Z_c = E[zz^T]/\kappa_c = K_c + \kappa_c K_c V^T S_c V K_c / s^2, \qquad
       X_c = E[xz^T]/\kappa_c = S_c V K_c / s $$

    M-step: $V \leftarrow (\sum n_c\kappa_c X_c)(\sum n_c\kappa_c Z_c)^{-1}$,
    $s \leftarrow [\mathrm{tr}\,JS - \mathrm{tr}\,V^T \sum n_c\kappa_c X_c]/(Jd)$, and codes may
    have a covariance $c\kappa_c R$: $R \leftarrow \sum n_c Z_c / J$, then c and r together, then
    $V \leftarrow V (cR)^{1/2}$ is the same model with unit codes, and no worse.

    Columns of V from k = dim on are 0, and stay so: there K = Z = R = I, which takes no part but
    in traces of codes.

    Source: derived, for the model of SimVAE; parameter expansion is Liu1998.
    """
    V, s, r = point
    (d, K), J, n, at = V.shape, moments.group_size, moments.counts, rotated(moments, V)
    k = dim.astype(V.dtype)
    kappas = jnp.stack(code_variances(moments.prior, J, r))
    eye = jnp.eye(K, dtype=V.dtype)
    # In the rotated code K_c is diagonal.
    Kc = s / (s + kappas[:, None] * at.sizes[None])
    Xs = at.images * Kc[:, None, :] / s
    UMU = jnp.swapaxes(at.loadings[None], 1, 2) @ Xs
    Zs = kappas[:, None, None] * Kc[:, :, None] * UMU / s
    Zs = (Zs + jnp.swapaxes(Zs, 1, 2)) / 2 + Kc[:, :, None] * eye[None]
    X, Z = (jnp.tensordot(n * kappas, M, 1) for M in (Xs, Zs))
    U = jax.scipy.linalg.cho_solve((jnp.linalg.cholesky(Z), True), X.T).T
    if fit_noise:
        s = (jnp.trace(moments.total) - jnp.sum(U * X)) / (J * d)
    R = jnp.tensordot(n, Zs, 1) / J
    L = jnp.linalg.cholesky(R)
    c = jnp.ones_like(s)
    if fit_style:
        weighed = jax.scipy.linalg.cho_solve((L, True), eye)
        traces = jnp.tensordot(Zs, weighed, 2) - (K - k)
        plus, minus = kappas * traces / k  # tr R^{-1} E[zz^T] / k
        # The likelihood of free variances c kappa_c, whose best values are these two, is solved
        # for c and r; a mean channel that varies less than a contrast has r = 0, at its edge.
        if moments.prior == "plug-in":
            c = plus / J + minus
            r = plus / (J * c)
        else:
            c = (plus + (J - 1) * minus) / J
            r = jnp.maximum((plus - minus) / (J * c), 0)
    V = U @ L @ at.turn.T * jnp.sqrt(c)
    return jnp.where(among(K, dim), V, 0), s, r  # else rounding would grow


def measure(
    moments: Channels, point: Point, fit_noise: bool, fit_style: bool
) -> tuple[Array, Array]:
    r"""Return the NLL, and the norm of its gradient in units in which it has none.

    $$ \| \partial_V (V^T V + sI)^{1/2} \|^2 + (s\, \partial_s)^2 +
       (r - [r - \partial_r]_0^1)^2 $$

    Source: derived.
    """
    V, s, r = point
    at = rotated(moments, V)
    gU, by_log_s, by_share = slopes(moments, at, s, r)
    square = jnp.sum((s + at.sizes)[None] * gU**2)
    if fit_noise:
        square = square + by_log_s**2
    if fit_style:
        square = square + (r - jnp.clip(r - by_share, 0, 1)) ** 2
    return nll(moments, at, s, r), jnp.sqrt(square)


def _rounding(moments: Channels, s: Array) -> Array:
    """Return what rounding leaves of a gradient: that of the moments beside the noise."""
    return jnp.finfo(s.dtype).eps * jnp.trace(moments.total) / (moments.group_size * s)


def at_best(moments: Channels, found: Climb) -> tuple[Array, Array]:
    r"""Say whether the gradient vanished, and whether the noise did while the loss still falls.

    As $s \to 0$ an unbounded loss falls like a whole or half number times $\log s$; where there
    is a minimum at the edge the slope $s\,\partial_s$ vanishes instead.

    Source: derived.
    """
    V, s, r = found.point
    eps = jnp.finfo(s.dtype).eps
    most = eps**0.25 * jnp.maximum(jnp.abs(found.loss), 1)  # beyond, nothing counts as vanished
    close = found.gradient <= jnp.clip(100 * _rounding(moments, s), eps**0.5, most)
    gone = s <= 2 * least_noise(moments)
    return close, gone & (slopes(moments, rotated(moments, V), s, r)[1] > 0.1)


def _edges(moments: Channels, V: Array, s: Array, share: Array) -> Array:
    """Move a share to an edge that the loss falls towards, or off one that it falls away from.

    EM takes 1/n of the way in n steps where a channel's code variance vanishes, and can't leave.
    """
    near = 1e-2
    low = share < 0.5
    edge, into = jnp.where(low, 0, 1).astype(share.dtype), jnp.where(low, 1, -1)
    falls = into * slopes(moments, rotated(moments, V), s, edge)[2] < 0
    inner = jnp.where(share == edge, edge + into * near / 10, share)
    share = jnp.clip(share, 0, 1)
    return jnp.where(jnp.abs(share - edge) <= near, jnp.where(falls, inner, edge), share)


def revived(moments: Channels, point: Point, dim: Array) -> Point:
    r"""Give columns of 0 among the k the directions that gain most, where any gains.

    EM never leaves a column of 0, even where, since the noise fell, one would raise the
    likelihood: along u, a small one does where $u^T (\sum n_c \kappa_c S_c) u > s \sum n_c
    \kappa_c$.

    Source: derived, for the model of SimVAE.
    """
    V, s, r = point
    J, K = moments.group_size, V.shape[1]
    weights = moments.counts * jnp.stack(code_variances(moments.prior, J, r))
    active = jnp.tensordot(weights, moments.both, 1)
    lengths = jnp.linalg.svd(V, compute_uv=False)
    empty = lengths**2 <= jnp.finfo(s.dtype).eps ** 0.5 * s
    alive = jnp.sum(~empty, dtype=dim.dtype)
    U, sizes = frame(active, V, alive)
    b, w = (x / s for x in diagonals(U, moments.between, moments.within))
    x, gains = best_size(moments.prior, J, r, b, w)
    new = jnp.where(gains > 0, jnp.sqrt(x * s), 0)
    sizes = jnp.where(among(len(U), alive), sizes, jnp.where(among(len(U), dim), new, 0))
    return (U * sizes[None, :])[:, :K], s, r


def maximise(
    moments: Channels, start: Point, dim: Array, fit_noise: bool, fit_style: bool, limit: Array
) -> Climb:
    """Climb the likelihood by EM. Source: derived, for the model of SimVAE."""
    floor = least_noise(moments)

    # Inside the climb noise is its logarithm, so that no extrapolation makes it negative.
    def opened(point: Point) -> Point:
        V, log_s, r = point
        return V, jnp.exp(log_s), r

    def closed(point: Point) -> Point:
        V, s, r = point
        return V, jnp.log(jnp.maximum(s, floor)) if fit_noise else jnp.log(s), r

    def with_known(function: Callable[[Point], Point]) -> Callable[[Point], Point]:
        # What is given stays what it is, to the last bit.
        def apply(point: Point) -> Point:
            V, s, r = function(point)
            return V, s if fit_noise else point[1], r if fit_style else point[2]

        return apply

    def inside(point: Point) -> Point:
        V, log_s, r = point
        log_s = jnp.maximum(log_s, jnp.log(floor)) if fit_noise else log_s
        return (V, log_s, _edges(moments, V, jnp.exp(log_s), r)) if fit_style else (V, log_s, r)

    def enough(point: Point) -> Array:
        s = jnp.exp(point[1])
        return jnp.clip(3 * _rounding(moments, s), 1e-2 * jnp.finfo(s.dtype).eps ** 0.5, 1e-2)

    step = with_known(lambda p: closed(em_step(moments, opened(p), dim, fit_noise, fit_style)))
    measured = lambda p: measure(moments, opened(p), fit_noise, fit_style)  # noqa: E731

    def again(best: Climb, _: None) -> tuple[Climb, None]:
        # Twice, since columns may have become empty, or worth their place, on the way.
        point = closed(revived(moments, opened(best.point), dim))
        found = climb(step, measured, inside, point, enough, limit - best.steps)
        found = found._replace(steps=best.steps + found.steps)
        ran = best.steps < limit
        return jax.tree_util.tree_map(lambda a, b: jnp.where(ran, a, b), found, best), None

    zero, unknown = jnp.asarray(0, jnp.int32), jnp.full((), jnp.inf, start[1].dtype)
    first = Climb(closed(start), unknown, unknown, zero, unknown, zero)
    found, _ = jax.lax.scan(again, first, length=2)
    return found._replace(point=opened(found.point))
