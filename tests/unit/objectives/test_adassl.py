"""What AdaSSL refuses, and the words that say so."""

import jax.numpy as jnp
import numpy as np
import pytest
from helpers import invertible

import linssl
from linssl.objectives import adassl

SPECTRA = {"spread": (0.95, 0.7, 0.3), "close": (0.8, 0.75, 0.1)}


def gaussian_pair(correlation, seed=0):
    """X and x+ of given canonical correlations, both mixed by invertible maps."""
    rho = np.asarray(correlation, float)
    A, B = (np.asarray(invertible(seed + i, rho.size, 3.0), float) for i in (0, 1))
    S, C = (jnp.asarray((M @ M.T + (M @ M.T).T) / 2) for M in (A, B))
    zero = jnp.zeros(rho.size, S.dtype)
    return linssl.PairMoments(S, C, (A * rho) @ B.T, zero, zero, np.inf, np.inf)


def test_bad_arguments_are_refused():
    pair = gaussian_pair(SPECTRA["spread"])
    with pytest.raises(ValueError, match="beta must be a scalar; got shape"):
        adassl(pair, 2, [0.1, 0.2])
    with pytest.raises(ValueError, match="dim must be between 1 and 3"):
        adassl(pair, 4, 0.1)
