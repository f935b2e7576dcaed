r"""One of several augmentations, drawn for each view."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from linssl.arguments import Numbers, describe
from linssl.augmentations.base import Augmentation, Effect, as_rows
from linssl.augmentations.finite import check_probabilities, in_precision, weighted_covariance
from linssl.linalg.structure import Moment, add, dense, exact_products


class Mixture(Augmentation):
    r"""Applies one of P augmentations, drawn anew for each view: $\tau = \tau_p$ with $\pi_p$.

    $$ \bar A = \sum_p \pi_p \bar A_p, \qquad
       \Sigma = \sum_p \pi_p \left(\Sigma_p + \mathrm{Cov}(\bar\tau_p(x) - \bar\tau(x))\right) $$

    with $\bar\tau_p(x) = \bar A_p x + \bar b_p$.

    Args:
        parts: $\tau_p$, one or more.
        probabilities: $\pi$, (P,); None is uniform.

    Raises:
        ValueError: none, something else than augmentations, augmentations of several sizes, or
            probabilities that don't sum to one.

    Source: derived (law of total covariance).
    """

    parts: tuple[Augmentation, ...]
    probabilities: Float[Array, " P"]

    def __init__(
        self, parts: tuple[Augmentation, ...] | list[Augmentation],
        probabilities: Numbers | None = None,
    ):  # fmt: skip
        self.parts = check_parts(parts)
        self.probabilities = check_probabilities(probabilities, len(self.parts))

    def sample(self, key: Key[Array, ""], x: Float[Array, "*batch d"]) -> Float[Array, "*batch d"]:
        """Draw one independent view of each row of x."""
        x = as_rows(self, x)
        key, *keys = jax.random.split(key, len(self.parts) + 1)
        weights = in_precision(self.probabilities, x.dtype)
        which = jax.random.choice(key, len(self.parts), x.shape[:-1], p=weights)
        view = jnp.zeros_like(x)
        for p, (part, part_key) in enumerate(zip(self.parts, keys, strict=True)):
            view = jnp.where((which == p)[..., None], part.sample(part_key, x), view)
        return view

    def input_size(self) -> int | None:
        """Return the size of the parts that have one."""
        return next((s for part in self.parts if (s := part.input_size()) is not None), None)

    @exact_products
    def effect(self, covariance: Moment, mean: Float[Array, " d"]) -> Effect:
        r"""Return $\Sigma$, $\bar A$ and $\bar b$. Source: derived."""
        weights = in_precision(self.probabilities, covariance.dtype)
        effects = [part.effect(covariance, mean) for part in self.parts]
        return mixed(effects, weights, covariance, mean)


def mixed(
    effects: list[Effect], weights: Float[Array, " P"], covariance: Moment, mean: Float[Array, " d"]
) -> Effect:
    r"""Return the effect of a mixture from those of its parts.

    What the means differ by is split into what they make of the covariance and of the mean, so
    that a large mean cancels nowhere.

    Source: derived (law of total covariance).
    """
    d, dtype = mean.shape[0], covariance.dtype
    parts = list(zip(weights, effects, strict=True))
    spread = jnp.zeros(d, dtype)
    for w, e in parts:
        spread = add(spread, w * e.spread.astype(dtype))
    if all(e.linear is None and e.offset is None for e in effects):
        return Effect(spread)
    diagonal = all(e.linear is None or e.linear.ndim < 2 for e in effects)
    maps = jnp.stack([_as_map(e.linear, mean, diagonal) for e in effects])
    offsets = [jnp.zeros(d) if e.offset is None else e.offset for e in effects]
    offsets = jnp.stack([b.astype(dtype) for b in offsets])
    linear, C = jnp.tensordot(weights, maps, 1), dense(covariance)
    apart = maps - linear[None]
    if diagonal:
        scatter = C * ((apart.T * weights[None, :]) @ apart)
        means = maps * mean[None, :]
    else:
        scatter = jnp.einsum("p,pij,pkj->ik", weights, apart @ C, apart)
        means = maps @ mean
    spread = dense(spread) + scatter + weighted_covariance(means + offsets, weights)
    finite = [e.maps is not None for e in effects]
    number = None
    if any(finite):
        each = jnp.stack([jnp.asarray(1 if e.maps is None else e.maps) for e in effects])
        drawn = jnp.any((weights > 0) & jnp.asarray(finite))
        number = jnp.where(drawn, jnp.sum(jnp.where(weights > 0, each, 0)), 1)
    return Effect((spread + spread.T) / 2, linear, weights @ offsets, number)


def _as_map(A: Array | None, mean: Array, diagonal: bool) -> Array:
    """Return the map as a diagonal, or as a matrix."""
    A = jnp.ones_like(mean) if A is None else A.astype(mean.dtype)
    A = jnp.broadcast_to(A, mean.shape) if A.ndim == 0 else A
    return A if diagonal else dense(A)


def check_parts(parts: object) -> tuple[Augmentation, ...]:
    """Return augmentations of one size, or raise."""
    if not isinstance(parts, tuple | list) or not parts:
        raise ValueError(f"parts must be one or more augmentations; got {describe(parts)}.")
    for part in parts:
        if not isinstance(part, Augmentation):
            raise ValueError(f"parts must be augmentations; got {describe(part)}.")
    sizes = {size for part in parts if (size := part.input_size()) is not None}
    if len(sizes) > 1:
        raise ValueError(f"parts must be of one size; got {sorted(sizes)}.")
    return tuple(parts)
