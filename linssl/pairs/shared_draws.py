"""Do the instances of a block each get a draw of their own? Many transforms draw once for all.

Copies of one instance answer it: where each is drawn for itself, copies of one call are no more
alike than those of different calls, and any exchange of copies between calls is as likely.
"""

from collections.abc import Callable

import numpy as np

CALLS, COPIES = 32, 8
EXCHANGES = 999  # per round: at most one round in a thousand is taken for shared by chance
AGREE = 3  # rounds that decide: a false alarm needs 3 of at most 5, less than 1e-8
ROUNDING = 1e-6  # relative: what varies by less doesn't
DIFFERS = 1e-3  # relative: copies that differ by less may do so by their place in a product


def draws_are_shared(views_of: Callable[[int], np.ndarray]) -> bool:
    r"""Say whether views of copies of an instance are more alike in a call than between calls.

    An exchange test, exact whatever the law of the views: of

    $$ T = \sum_{\mathrm{calls}} \Big| \sum_{\mathrm{copies}} (u - \bar u) \Big|^2 $$

    against T with copies exchanged between calls at random. Draws shared by a whole call make T
    as large as it can be; views that don't vary make it 0, and share nothing that matters.

    Args:
        views_of: CALLS calls, each on COPIES copies of one instance, (calls, copies, d); which
            of five instances, by number.

    Source: derived (permutation test).
    """
    rng, found = np.random.default_rng(0), [0, 0]
    while max(found) < AGREE:
        found[_alike(views_of(sum(found)), rng)] += 1
    return found[1] == AGREE


def draws_are_repeated(views: np.ndarray) -> bool:
    """Say whether copies of one instance differ, and all calls repeat them; (calls, copies, d)."""
    if not np.isfinite(views).all():
        return False
    scale = np.abs(views).max()
    between, within = np.ptp(views, 0).max(), np.ptp(views, 1).max()
    return bool(between <= ROUNDING * scale and within > DIFFERS * scale)


def _alike(views: np.ndarray, rng: np.random.Generator) -> bool:
    """Say whether T is above that of every exchange; views (calls, copies, d)."""
    if not np.isfinite(views).all():  # which is told where the instance is known
        return False
    calls, copies, d = views.shape
    z = views.reshape(calls * copies, d)
    z = z - z[:1]
    z -= z.mean(0)
    deviation = z.std(0)
    varies = deviation > ROUNDING * np.abs(views).max((0, 1))
    if not varies.any():
        return False
    z = z[:, varies] / deviation[varies]
    if z.shape[1] > len(z):  # as many coordinates as rows say all that their products do
        values, vectors = np.linalg.eigh(z @ z.T)
        z = vectors * np.sqrt(np.maximum(values, 0))

    def alike(order: np.ndarray) -> float:
        return float(np.square(z[order].reshape(calls, copies, -1).sum(1)).sum())

    own = alike(np.arange(len(z)))
    return all(own > alike(rng.permutation(len(z))) for _ in range(EXCHANGES))
