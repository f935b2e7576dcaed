"""Views and groups of them: generic problems, their dense likelihood, and optimisers apart."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

import linssl
from linssl.linalg.structure import add, dense

D, K, J = 5, 2, 3


def population(G, spread, draws=np.inf):
    """Views of mean 0 that share G and differ by the spread."""
    return linssl.Views(G, spread, np.zeros(len(G)), np.inf, draws)


def sharing(S, G, draws=np.inf):
    """Views of covariance S that share G: their spread is the rest."""
    G = jnp.asarray(G)
    return population(G, add(jnp.asarray(S), -G), draws)


def generic(seed):
    """Views whose moments between and within don't commute."""
    rng = np.random.default_rng(seed)
    A, N = rng.standard_normal((D, 3)), rng.standard_normal((D, 2))
    G, spread = A @ A.T, N @ N.T + 0.3 * np.eye(D)
    return population(G, spread)


def crossed(seed, d):
    """Moments shared and spread, of full rank and no common axes, at a random share of each."""
    rng = np.random.default_rng(seed)
    A, B = rng.standard_normal((2, d, d))
    return A @ A.T / d, B @ B.T / d * 10 ** rng.uniform(-1.5, 1)


def commuting(seed, diagonal=False):
    """Views whose moments have common axes, which are hidden by a rotation unless `diagonal`."""
    rng = np.random.default_rng(seed)
    g, w = rng.exponential(2.0, D), rng.exponential(1.0, D) + 0.05
    if diagonal:
        return population(g, w)
    Q = np.linalg.qr(rng.standard_normal((D, D)))[0]
    G, spread = (Q * g) @ Q.T, (Q * w) @ Q.T
    return population(G, spread)


def covariance_of_group(W, s, v, J):
    """The covariance of J views stacked, (Jd, Jd), written down entry by entry."""
    codes = np.ones((J, J)) + v * np.eye(J)
    return np.kron(codes, W @ W.T) + s * np.eye(J * len(W))


def log_density(x, W, s, v):
    """Log p of groups (n, J, d), by scipy."""
    n, J, d = x.shape
    law = multivariate_normal(np.zeros(J * d), covariance_of_group(W, s, v, J))
    return law.logpdf(x.reshape(n, -1))


def dense_nll(views, W, s, v, J, tau=None):
    """NLL of a group through two d x d channels."""
    S, G = dense(views.covariance), dense(views.shared)
    total = J * len(S) * jnp.log(2 * jnp.pi)
    for n, t, M in ((1, J + v if tau is None else tau, S + (J - 1) * G),
                    (J - 1, v, dense(views.spread))):  # fmt: skip
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
