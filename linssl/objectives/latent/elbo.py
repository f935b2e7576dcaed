r"""The ELBO of an encoder of single views: its best encoder, decoder and directions."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from linssl.objectives.latent.channels import Channels, among
from linssl.objectives.latent.climb import Climb, Point, climb


class Bounded(NamedTuple):
    r"""$T$, $P$, a, the constant of the ELBO, J and k, in units of the noise: s = 1.

    A decoder's columns from k on are 0, and no part of the model.

    Source: derived, for the model of SimVAE.
    """

    total: Array
    prior: Array
    weight: Array
    constant: Array
    group_size: Array
    dim: Array


def mean_law(prior: str, group_size: Array, style: Array) -> Array:
    r"""Return $1/\tau_+$ and $\log \tau_+$, (2,); of the flat prior 0 and $\log J/2\pi$.

    Arrays, so that one program does for all priors. Source: derived, for the model of SimVAE.
    """
    if prior == "flat":
        return jnp.stack([jnp.zeros_like(style), jnp.log(group_size / (2 * jnp.pi))])
    tau = group_size if prior == "plug-in" else group_size + style
    return jnp.stack([1 / tau, jnp.log(tau)])


def bounded(moments: Channels, v: Array, s: Array, law: Array, k: Array) -> Bounded:
    """Write the ELBO of codes of k dimensions. Source: derived, for the model of SimVAE."""
    J, d, inverse, log_tau = moments.group_size, len(moments.between), law[0], law[1]
    P = moments.between * inverse + (J - 1) / v * moments.within
    a = inverse + (J - 1) / v
    constant = J * d * jnp.log(2 * jnp.pi * s) + k.astype(s.dtype) * (
        log_tau + (J - 1) * jnp.log(v) - J
    )
    return Bounded(moments.total, P, a, constant, J, k)


def common_axes(p: Bounded) -> tuple[Array, Array]:
    r"""Return X, (d, d), and q, ascending: $X^T T X = I$ and $X^T P X = \mathrm{diag}(q)$.

    Columns are 0 where T is. Source: derived.
    """
    t, O = jnp.linalg.eigh(p.total)  # noqa: E741
    zero = t <= t.size * jnp.finfo(t.dtype).eps * t[-1]
    R = O * jnp.where(zero, 0, 1 / jnp.sqrt(jnp.where(zero, 1, t)))[None, :]
    q, Y = jnp.linalg.eigh(R.T @ p.prior @ R)
    return R @ Y, jnp.maximum(q, 0)


def along_common_axes(p: Bounded, room: int) -> Array:
    r"""Return a decoder $TX\sqrt{q/2J}$ of the k axes whose codes cost least, another start.

    $q/2J$ is the size, m + q/t, at which `best_sizes` has its two optima merge: no best one is
    below it. Source: derived, for the model of SimVAE.
    """
    X, q = common_axes(p)
    first = jnp.argsort(jnp.where(q > 0, q, jnp.inf))[:room]
    sizes = jnp.where(among(room, p.dim), jnp.sqrt(q[first] / (2 * p.group_size)), 0)
    return (p.total @ X[:, first]) * sizes[None, :]


def best_encoder(p: Bounded, W: Array) -> tuple[Array, Array]:
    r"""Return E and Q: a Sylvester equation, diagonal in whitened data and a rotated code.

    With $R R^T = T^+$ and $E = F R^T$ it is $W^T W F + F (R^T P R) = W^T T R$.

    Source: derived, for the model of SimVAE.
    """
    X, q = common_axes(p)
    m, Z = jnp.linalg.eigh(W.T @ W)
    m = jnp.maximum(m, 0)
    both = m[:, None] + q[None, :]
    F = Z.T @ (W.T @ p.total @ X)
    E = Z @ jnp.where(both > 0, F / jnp.where(both > 0, both, 1), 0) @ X.T
    Q = (Z * (p.group_size / (p.group_size * m + p.weight))[None, :]) @ Z.T
    return E, Q


def minus_elbo(p: Bounded, W: Array, E: Array, Q: Array) -> Array:
    """Evaluate -ELBO of a group. Source: derived, for the model of SimVAE."""
    T = p.total
    WE = W @ E
    fit = jnp.trace(T) - 2 * jnp.sum(WE * T) + jnp.sum((WE @ T) * WE)
    fit = fit + p.group_size * jnp.sum((W @ Q) * W)
    real = among(len(Q), p.dim)
    spread = jnp.where(real, jnp.diagonal(Q), 0)
    prior = jnp.sum((E @ p.prior) * E) + p.weight * jnp.sum(spread)
    logs = jnp.where(real, jnp.log(jnp.diagonal(jnp.linalg.cholesky(Q))), 0)
    return (p.constant + fit + prior - 2 * p.group_size * jnp.sum(logs)) / 2


def best_sizes(p: Bounded, t: Array, q: Array) -> tuple[Array, Array]:
    """Return the best m of every direction, and its gain; t and q are T and P there.

    Source: derived, for the model of SimVAE.
    """
    J, a = p.group_size, p.weight
    there = (t > 0) & (q > 0)
    t, q = jnp.where(there, t, 1), jnp.where(there, q, 1)
    square = 1 - 4 * (J / t - a / q)
    m = q / (2 * J) * (1 + jnp.sqrt(jnp.maximum(square, 0))) - q / t
    m = jnp.where(there & (square >= 0), jnp.maximum(m, 0), 0)
    # tp/(mt + sp) + J log(Jm/s + a) falls, then rises, between its two stationary points. Both
    # can be positive (plug-in, J >= 3 and v > 2J(J - 1)/(J - 2)), so 0 is compared as well.
    gain = size_gain(p, t, q, m)
    return jnp.where(gain > 0, m, 0), jnp.maximum(gain, 0)


def size_gain(p: Bounded, t: Array, q: Array, m: Array) -> Array:
    r"""Return what $t/s - tp/(mt + sp) - J\log(1 + Jm/(sa))$ halved adds to the ELBO over m = 0.

    Source: derived, for the model of SimVAE.
    """
    inner = jnp.where(m > 0, m * t + q, 1)
    return (
        jnp.where(m > 0, m * t**2 / inner, 0)
        - p.group_size * jnp.log1p(p.group_size * m / p.weight)
    ) / 2


def ascend(p: Bounded, start: Array, limit: Array) -> Climb:
    """Repeat the best encoder, then the best decoder for it.

    Source: derived, for the model of SimVAE.
    """
    eps = jnp.finfo(start.dtype).eps
    enough = jnp.clip(3 * eps * jnp.trace(p.total) / p.group_size, 1e-2 * eps**0.5, 1e-2)

    def read(W: Array) -> tuple[Array, Array, Array, Array]:
        E, Q = best_encoder(p, W)
        ET = E @ p.total
        M = ET @ E.T + p.group_size * Q
        return E, Q, ET.T, (M + M.T) / 2

    def step(point: Point) -> Point:
        _, _, X, M = read(point[0])
        W = jax.scipy.linalg.cho_solve((jnp.linalg.cholesky(M), True), X.T).T
        return (jnp.where(among(len(M), p.dim), W, 0),)  # else rounding would grow

    def measure(point: Point) -> tuple[Array, Array]:
        (W,) = point
        E, Q, X, M = read(W)
        slope = W @ M - X
        norm = jnp.sqrt(jnp.sum(slope**2) + jnp.sum((slope @ (W.T @ W)) * slope))
        return minus_elbo(p, W, E, Q), norm

    return climb(step, measure, lambda point: point, (start,), lambda _: enough, limit)
