"""Two modalities: every instance is seen twice, by two instruments."""

from linssl.data.sources.opening import Data, opened, told
from linssl.linalg.averages import as_source
from linssl.moments import PairMoments
from linssl.pairs.centring import centred_sides, is_centred


def two_modalities(first: Data, second: Data, by: object = None, *, memory: int = 0) -> PairMoments:
    r"""Pair every row of one array with the same row of another: u = x, v = y.

    $$ S = \mathrm{Cov}(x), \quad C = \mathrm{Cov}(y), \quad G = \mathrm{Cov}(x, y) $$

    `canonical_correlation(pair, k)` gives an encoder to each side, `reconstruction(pair, k)`
    predicts the second from the first (reduced-rank regression). Divisor n.

    Args:
        first: $X$, (n, d), of all kinds that `same_instance` takes, and read as there.
        second: $Y$, (n, e), alike. The features of tables keep their names.
        by: (n,) names of batches, by which both sides are centred, as by `same_instance`; or the
            name of a column of the first.
        memory: as there.

    Raises:
        ValueError: not 2-D, different n, or NaN or inf; `by` as for `same_instance`.

    Source: derived (method of moments).
    """
    X, Y = as_source("first", opened(first, by)), as_source("second", opened(second))
    by = told("by", by, X, "names (n,)")
    pair = PairMoments.from_samples(X, Y)
    return centred_sides(pair, by, memory, first=X, second=Y) if is_centred(by, memory) else pair
