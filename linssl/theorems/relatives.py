"""The wider family: soft constraints and contrastive losses."""

import jax.numpy as jnp
import numpy as np
import scipy.linalg as sl

import linssl
from linssl.theorems.entry import Room
from linssl.theorems.problems import critic, random_pair, random_views, relative

ROOM = Room("Soft constraints and contrasts")


@ROOM.theorem(
    "soft-constraint",
    r"$\min_W 2\beta\,\mathrm{tr}\,W(S - G)W^T + \|WSW^T - I\|^2$ at "
    r"$W = U\,\mathrm{diag}(a)\,Q_k^TS^{-1/2}$",
    r"$a^2 = \max(0, 1 - \beta(1 - \omega))$, $\beta$ price of what views differ in",
    "derived; Bardes2022",
    "objectives.soft_constraint",
)
def _soft_constraint(rng):
    views, beta = random_views(rng), rng.uniform(0.1, 2)
    s = linssl.objectives.soft_constraint(views, 2, beta)
    W = s.encoder
    penalty = jnp.sum((W @ views.covariance @ W.T - jnp.eye(2)) ** 2)
    return relative(s.loss, 2 * beta * jnp.trace(W @ views.spread @ W.T) + penalty)


@ROOM.theorem(
    "soft-constraint-codes",
    r"$WSW^T = \mathrm{diag}(\max(0, 1 - \beta(1 - \omega_i)))$",
    r"$\omega$ scores of joint embedding, $\beta$ price",
    "derived; Bardes2022",
    "objectives.soft_constraint",
)
def _soft_codes(rng):
    views, beta = random_views(rng), rng.uniform(0.1, 2)
    S = np.asarray(views.covariance)
    omega = sl.eigh(views.shared, S, eigvals_only=True)[::-1][:2]
    W = linssl.objectives.soft_constraint(views, 2, beta).encoder
    return relative(W @ S @ W.T, np.diag(np.maximum(0, 1 - beta * (1 - omega))))


@ROOM.theorem(
    "collapse-price",
    r"mode $i$ of the soft constraint collapses iff $\beta \ge 1/(1 - \omega_i)$",
    r"$\omega$ scores of joint embedding, $\beta$ price",
    "derived; Bardes2022",
    "theory.collapse_prices",
    tolerance=0.0,
    reason="yes or no: the code is there below the price and 0 above",
)
def _collapse_price(rng):
    views = random_views(rng)
    beta = linssl.theory.collapse_prices(linssl.joint_embedding(views, 2).spectrum)[1]
    below, above = (
        float(jnp.sum(linssl.objectives.soft_constraint(views, 2, beta * f).encoder[1] ** 2))
        for f in (1 - 1e-6, 1 + 1e-6)
    )
    return float(not (below > 0 and above == 0))


@ROOM.theorem(
    "spectral-contrastive",
    r"$\min_W -2\,\mathrm{tr}\,WGW^T + \|WSW^T\|^2 = -\sum_{i \le k}\omega_i^2$, at "
    r"$W = U\Omega_k^{1/2}Q_k^TS^{-1/2}$",
    r"$\omega$, $Q$ of joint embedding, where $\omega_k \ge 0$",
    "HaoChen2021; derived",
    "objectives.spectral_contrastive",
)
def _spectral(rng):
    views = random_views(rng)
    s, (S, G) = linssl.objectives.spectral_contrastive(views, 2), (views.covariance, views.shared)
    W = s.encoder
    value = -2 * jnp.trace(W @ G @ W.T) + jnp.sum((W @ S @ W.T) ** 2)
    omega = sl.eigh(G, S, eigvals_only=True)[-2:]
    return max(relative(s.loss, value), relative(s.loss, -np.sum(omega**2)))


@ROOM.theorem(
    "spectral-contrastive-is-soft",
    r"the spectral contrastive loss is that of the soft constraint at $\beta = 1$, less $k$",
    r"$k$ size of the code",
    "derived",
    "objectives.spectral_contrastive",
)
def _spectral_is_soft(rng):
    views = random_views(rng)
    soft = linssl.objectives.soft_constraint(views, 2, 1.0)
    return relative(linssl.objectives.spectral_contrastive(views, 2).loss + 2, soft.loss)


@ROOM.theorem(
    "info-nce",
    r"$\max -\mathcal{L} = E_{joint}[T] - \frac12E_{prod}[T^2] = \frac12\sum_{i \le k}\rho_i^2$, "
    r"$T = (W_1u)^TW_2v$",
    r"infinitely many negatives, Gaussian codes; $\rho$ canonical correlations",
    "Oord2018; derived",
    "objectives.info_nce",
)
def _info_nce(rng):
    pair = random_pair(rng)
    s = linssl.objectives.info_nce(pair, 2)
    T = critic(s)
    square = np.trace(T.T @ pair.first @ T @ pair.second)
    return relative(s.loss, -np.trace(T.T @ pair.cross) + square / 2)


@ROOM.theorem(
    "info-nce-is-spectral",
    r"$W_1^TW_2 = W^TW$ on views: InfoNCE learns the critic of the spectral contrastive loss",
    r"$W_1$, $W_2$ encoders of InfoNCE, $W$ of the spectral contrastive loss",
    "derived; HaoChen2021",
    "objectives.info_nce",
)
def _info_nce_is_spectral(rng):
    views = random_views(rng)
    s, t = (
        linssl.objectives.info_nce(views.as_pair(), 2),
        linssl.objectives.spectral_contrastive(views, 2),
    )
    return relative(critic(s), t.encoder.T @ t.encoder)
