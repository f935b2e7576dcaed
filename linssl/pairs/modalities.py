"""Two modalities: every instance is seen twice, by two instruments."""

from linssl.arguments import Numbers
from linssl.moments import PairMoments


def two_modalities(first: Numbers, second: Numbers) -> PairMoments:
    r"""Pair every row of one array with the same row of another: u = x, v = y.

    $$ S = \mathrm{Cov}(x), \quad C = \mathrm{Cov}(y), \quad G = \mathrm{Cov}(x, y) $$

    `canonical_correlation(pair, k)` gives an encoder to each side, `reconstruction(pair, k)`
    predicts the second from the first (reduced-rank regression). Divisor n.

    Args:
        first: $X$, (n, d).
        second: $Y$, (n, e).

    Raises:
        ValueError: not 2-D, different n, or NaN or inf.

    Source: derived (method of moments).
    """
    return PairMoments.from_samples(first, second)
