"""Random problems for the checks, and how far two answers are apart."""

import jax.numpy as jnp
import numpy as np

from linssl._structure import Numbers
from linssl.moments import PairMoments
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


def views(rng: np.random.Generator, size: int = 4) -> PairMoments:
    """Draw the moments of two views: cross G, second G plus noise."""
    G, zero = covariance(rng, size), np.zeros(size)
    S = G + covariance(rng, size)
    return pair_of(S, S, G, zero, zero, exchangeable=True)


def sides(rng: np.random.Generator, first: int = 4, second: int = 3) -> PairMoments:
    """Draw the moments of two different sides."""
    J = covariance(rng, first + second)
    zeros = np.zeros(first), np.zeros(second)
    return pair_of(J[:first, :first], J[first:, first:], J[:first, first:], *zeros)


def pair_of(
    S: Numbers, C: Numbers, G: Numbers, mean_u: Numbers, mean_v: Numbers, exchangeable: bool = False
) -> PairMoments:
    """Take the moments of a population as a pair."""
    arrays = (jnp.asarray(a) for a in (S, C, G, mean_u, mean_v, np.inf))
    return PairMoments(*arrays, exchangeable=exchangeable)


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
