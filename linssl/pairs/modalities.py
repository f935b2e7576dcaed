"""Two modalities: every instance is seen twice, by two instruments."""

from linssl.arguments import Numbers
from linssl.linalg.averages import as_rows
from linssl.moments import PairMoments
from linssl.pairs.centring import centred_sides, is_centred


def two_modalities(
    first: Numbers, second: Numbers, by: object = None, *, memory: int = 0
) -> PairMoments:
    r"""Pair every row of one array with the same row of another: u = x, v = y.

    $$ S = \mathrm{Cov}(x), \quad C = \mathrm{Cov}(y), \quad G = \mathrm{Cov}(x, y) $$

    `canonical_correlation(pair, k)` gives an encoder to each side, `reconstruction(pair, k)`
    predicts the second from the first (reduced-rank regression). Divisor n.

    Args:
        first: $X$, (n, d).
        second: $Y$, (n, e). The features of tables keep their names.
        by: (n,) names of batches, by which both sides are centred, as by `same_instance`.
        memory: as there.

    Raises:
        ValueError: not 2-D, different n, or NaN or inf; `by` as for `same_instance`.

    Source: derived (method of moments).
    """
    pair = PairMoments.from_samples(first, second)
    if not is_centred(by, memory):
        return pair
    sides = {"first": as_rows("first", first), "second": as_rows("second", second)}
    return centred_sides(pair, by, memory, **sides)
