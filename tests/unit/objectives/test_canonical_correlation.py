"""What canonical correlation refuses, and the words that say so."""

import numpy as np
import pytest

from linssl import canonical_correlation
from linssl.pairs import two_modalities

D, E, N = 4, 3, 200


def modalities(seed, n=N, d=D, e=E):
    """Two views of two shared latents, each with noise of its own, (n, d) and (n, e)."""
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal((n, 2)) * [1.0, 0.6]
    x = shared @ rng.standard_normal((2, d)) + rng.standard_normal((n, d)) + 1.0
    return x, shared @ rng.standard_normal((2, e)) + rng.standard_normal((n, e)) - 2.0


def test_a_dim_beyond_either_side_is_refused():
    with pytest.raises(ValueError, match="dim must be between 1 and 3"):
        canonical_correlation(two_modalities(*modalities(0)), 4)
    with pytest.raises(ValueError, match="same number of rows; got 5 and 4"):
        two_modalities(np.ones((5, 2)), np.ones((4, 2)))
