r"""Views of data known by covariance and mean: where means swamp spreads, raw moments lose them."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from linssl._structure import add, dense, diagonal, exact_products
from linssl.augment import Augmentation, Composition
from linssl.augment.base import as_precise, between, is_built_in, transform
from linssl.moments import PairMoments


def views_about_mean(
    a: Augmentation, covariance: Float[Array, "d d"], mean: Float[Array, " d"], count: Array
) -> tuple[PairMoments, PairMoments]:
    r"""Return centred moments: of two views of an instance, and of a view and its instance.

    What `augment(same_instance(data), a, a).centred()` and `augment(..., a, None).centred()` are,
    part by part of a composition, with nothing to cancel:

    $$ G' = \bar A G \bar A^T, \quad K' = \bar A K, \quad
       \Sigma' = \bar A \Sigma \bar A^T + \Sigma_a, \quad S' = G' + \Sigma' $$

    Args:
        a: the augmentation.
        covariance: of the data.
        mean: of the data.
        count: of instances.

    Source: derived (law of total covariance).
    """
    run = _at_once if is_built_in(a) else _views
    return run(as_precise(a, covariance.dtype), covariance, mean, count)


@exact_products
def _views(a: Augmentation, C: Array, mean: Array, count: Array) -> tuple[PairMoments, PairMoments]:
    zero = jnp.zeros_like(mean)
    G, K, within = C, C, zero
    for part in a.parts if isinstance(a, Composition) else (a,):
        spread, A, mean = _effect(part, dense(add(G, within)), mean)
        within = add(between(A, within, A), spread)
        G, K = between(A, G, A), between(A, K, None)
        G = (G + G.T) / 2
    S = dense(add(G, within))
    views = PairMoments(S, S, G, zero, zero, count, within=within, exchangeable=True)
    return views, PairMoments(S, C, K, zero, zero, count)


_at_once = eqx.filter_jit(_views)  # so that both share what a family of maps costs


def _effect(a: Augmentation, S: Array, mean: Array) -> tuple[Array, Array | None, Array]:
    r"""Return $\Sigma_a$, $\bar A$ and the mean of views of data of covariance S.

    With $x = \mu + z$, a view is $\tau(\mu) + A z$, and as $E z = 0$ nothing mixes:

    $$ \Sigma_a(S + \mu\mu^T, \mu) = \Sigma_a(S, 0) + \Sigma_a(\mu\mu^T, \mu) - \Sigma_a(0, 0) $$
    """
    nothing = jnp.zeros_like(mean)
    moved = transform(a, S, nothing, "views")
    fixed = transform(a, jnp.outer(mean, mean), mean, "views")
    alone = transform(a, jnp.zeros_like(S), nothing, "views")
    assert moved.spread is not None
    assert fixed.spread is not None
    assert alone.spread is not None
    more = add(fixed.spread, -alone.spread)
    # `transform` marks what views of the mean leave where it is, but for rounding.
    shakes = diagonal(fixed.second) != jnp.square(fixed.mean)
    both = shakes if more.ndim == 1 else shakes[:, None] & shakes[None, :]
    return add(moved.spread, jnp.where(both, more, 0)), fixed.linear, fixed.mean
