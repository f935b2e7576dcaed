"""Random problems for the checks, and how far two answers are apart."""

import jax.numpy as jnp
import numpy as np

from linssl.arguments import Numbers
from linssl.moments import PairMoments, Views
from linssl.objectives import Solution


def relative(got: Numbers, want: Numbers) -> float:
    """Return the largest difference, in units of the largest entry wanted."""
    a, b = np.asarray(got, float), np.asarray(want, float)
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: got {a.shape}, wanted {b.shape}.")
    return float(np.max(np.abs(a - b)) / max(np.max(np.abs(b)), 1e-300))


def covariance(rng: np.random.Generator, size: int = 4) -> np.ndarray:
    """Draw a covariance with eigenvalues from 0.3 to 3."""
    Q = np.linalg.qr(rng.standard_normal((size, size)))[0]
    C = (Q * rng.uniform(0.3, 3, size)) @ Q.T
    return (C + C.T) / 2


def random_views(rng: np.random.Generator, size: int = 4) -> Views:
    """Draw the moments of two views of a population."""
    return views_of(covariance(rng, size), covariance(rng, size))


def random_pair(rng: np.random.Generator, first: int = 4, second: int = 3) -> PairMoments:
    """Draw the moments of two different sides of a population."""
    J = covariance(rng, first + second)
    return pair_of(J[:first, :first], J[first:, first:], J[:first, first:])


def views_of(shared: Numbers, spread: Numbers) -> Views:
    """Take moments of a population of mean 0 as two views."""
    G, Sigma = jnp.asarray(shared), jnp.asarray(spread)
    return Views(G, Sigma, jnp.zeros(len(G)), jnp.inf, jnp.inf)


def pair_of(first: Numbers, second: Numbers, cross: Numbers) -> PairMoments:
    """Take moments of a population of mean 0 as a pair."""
    S, C, G = (jnp.asarray(M) for M in (first, second, cross))
    return PairMoments(S, C, G, jnp.zeros(len(S)), jnp.zeros(len(C)), jnp.inf, jnp.inf)


def root(M: Numbers, power: float = 0.5) -> np.ndarray:
    """Return a power of a covariance, the symmetric root unless told."""
    values, V = np.linalg.eigh(np.asarray(M))
    return (V * values**power) @ V.T


def critic(solution: Solution) -> np.ndarray:
    """Return W_1^T W_2 of two encoders, which no turn of the code changes."""
    assert solution.second_encoder is not None
    return np.asarray(solution.encoder.T @ solution.second_encoder)


def decoder(solution: Solution) -> np.ndarray:
    """Return the decoder."""
    assert solution.decoder is not None
    return np.asarray(solution.decoder)
