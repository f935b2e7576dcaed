"""Groups of views: generic problems, their dense likelihood, and optimisers that share no code."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

import linssl

D, K, J = 5, 2, 3


def exchangeable(S, G, within=None):
    S, G = jnp.asarray(S), jnp.asarray(G)
    zero, within = jnp.zeros(len(S), S.dtype), None if within is None else jnp.asarray(within)
    inf = jnp.asarray(jnp.inf, S.dtype)
    return linssl.PairMoments(S, S, G, zero, zero, inf, within, exchangeable=True)


def generic(seed):
    """Moments between and within that don't commute."""
    rng = np.random.default_rng(seed)
    A, N = rng.standard_normal((D, 3)), rng.standard_normal((D, 2))
    G, within = A @ A.T, N @ N.T + 0.3 * np.eye(D)
    return exchangeable(G + within, G, within)


def commuting(seed, diagonal=False):
    """Moments with common axes, which are hidden by a rotation unless `diagonal`."""
    rng = np.random.default_rng(seed)
    g, w = rng.exponential(2.0, D), rng.exponential(1.0, D) + 0.05
    if diagonal:
        return exchangeable(g + w, g, w)
    Q = np.linalg.qr(rng.standard_normal((D, D)))[0]
    G, within = (Q * g) @ Q.T, (Q * w) @ Q.T
    return exchangeable(G + within, G, within)


def covariance_of_group(W, s, v, views, content=1.0):
    """The covariance of J views stacked, (Jd, Jd), written down entry by entry."""
    codes = content * np.ones((views, views)) + v * np.eye(views)
    return np.kron(codes, W @ W.T) + s * np.eye(views * len(W))


def log_density(x, W, s, v):
    """Log p of groups (n, J, d), by scipy."""
    n, views, d = x.shape
    law = multivariate_normal(np.zeros(views * d), covariance_of_group(W, s, v, views))
    return law.logpdf(x.reshape(n, -1))


def dense_nll(pair, W, s, v, views, tau=None):
    """NLL of a group through two d x d channels."""
    S, G = pair.first, pair.cross
    S, G = (jnp.diag(M) if M.ndim == 1 else M for M in (S, G))
    total = views * len(S) * jnp.log(2 * jnp.pi)
    for n, t, M in ((1, views + v if tau is None else tau, S + (views - 1) * G),
                    (views - 1, v, S - G)):  # fmt: skip
        C = t * W @ W.T + s * jnp.eye(len(S))
        total = total + n * (jnp.linalg.slogdet(C)[1] + jnp.trace(jnp.linalg.solve(C, M)))
    return total / 2


def lowest(loss, size, seed, starts=4):
    """The best value that BFGS finds from random starts."""
    value_and_grad = jax.jit(jax.value_and_grad(loss))

    def both(x):
        value, slope = value_and_grad(jnp.asarray(x))
        return float(value), np.asarray(slope)

    first = np.random.default_rng(seed).standard_normal((starts, size))
    options = {"gtol": 1e-8, "maxiter": 3000}
    return min(minimize(both, x, jac=True, method="BFGS", options=options).fun for x in first)
