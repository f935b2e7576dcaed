r"""Masks: each view keeps some features and sets the others to 0.

`Dropout` is the usual one for tables, `PatchMask` and `FixedCountMask` for images. A mask acts on
the data as they come: what is masked becomes 0, whatever the mean is.
"""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from linssl.arguments import Numbers, as_float, is_concrete, on_host, within
from linssl.augmentations.base import Augmentation, Effect, as_rows
from linssl.augmentations.finite import (
    check_probabilities,
    in_precision,
    require_finite,
    weighted_covariance,
)
from linssl.linalg.structure import Moment, about_zero, diagonal


class Mask(Augmentation):
    r"""A random mask m, independent of x: $\tau(x) = m \odot x$.

    $$ \bar A = \mathrm{diag}(E[m]), \qquad \Sigma = \mathrm{Cov}(m) \odot E[xx^T] $$

    A law is its draws and its first two moments: three methods.

    Source: derived (random linear augmentations with a diagonal map).
    """

    @abc.abstractmethod
    def draw(self, key: Key[Array, ""], shape: tuple[int, int]) -> Float[Array, "rows d"]:
        """Draw masks of a shape (rows, d), one per row."""

    @abc.abstractmethod
    def mask_mean(self) -> Array | None:
        """Return E[m]: (d,), () where all are alike, None where it is 1."""

    @abc.abstractmethod
    def mask_covariance(self) -> Array:
        """Return Cov(m): (d, d), or (d,) or () where features are masked independently."""

    def sample(self, key: Key[Array, ""], x: Float[Array, "*batch d"]) -> Float[Array, "*batch d"]:
        """Draw one independent view of each row of x."""
        x = as_rows(self, x)
        rows = x.reshape(-1, x.shape[-1])
        return (self.draw(key, (len(rows), rows.shape[1])).astype(x.dtype) * rows).reshape(x.shape)

    def effect(self, covariance: Moment, mean: Float[Array, " d"]) -> Effect:
        r"""Return $\Sigma = \mathrm{Cov}(m) \odot E[xx^T]$ and E[m]."""
        masked = self.mask_covariance().astype(covariance.dtype)
        if masked.ndim < 2:
            square = diagonal(covariance) + jnp.square(mean)
            spread = jnp.broadcast_to(masked, mean.shape) * square
        else:
            spread = masked * about_zero(covariance, mean)
        return Effect(spread, self.mask_mean(), maps=self.number_of_masks())

    def number_of_masks(self) -> int | Array | None:
        """Return P where n rows under a mask differ in no more than n(P - 1) ways; else None."""
        return None


class Dropout(Mask):
    r"""Keeps each feature independently, with probability q.

    $$ m_i \sim \mathrm{Bernoulli}(q_i): \quad \bar A = \mathrm{diag}(q), \quad
       \Sigma = \mathrm{diag}(q_i (1 - q_i) E[x_i^2]) $$

    Rescaled, kept features are divided by q: $\bar A = I$,
    $\Sigma = \mathrm{diag}(\frac{1 - q_i}{q_i} E[x_i^2])$.

    Args:
        keep: $q \in (0, 1]$, one for all features, or (d,).
        rescaled: whether kept features are divided by q.

    Raises:
        ValueError: a probability outside (0, 1] (where concrete): 0 never keeps the feature.

    Source: derived; Balestriero2022.
    """

    keep: Float[Array, " d"] | Float[Array, ""] = eqx.field(converter=as_float)
    rescaled: bool = eqx.field(static=True, default=False)

    def __check_init__(self):
        if self.keep.ndim > 1:
            raise ValueError(f"keep must be a scalar or (d,); got {self.keep.shape}.")
        check_keep(self.keep)

    def input_size(self) -> int | None:
        """Return d."""
        return self.keep.shape[0] if self.keep.ndim else None

    def draw(self, key: Key[Array, ""], shape: tuple[int, int]) -> Float[Array, "rows d"]:
        """Draw masks of a shape (rows, d), one per row."""
        q = jnp.broadcast_to(self.keep, shape)
        kept = jax.random.bernoulli(key, q).astype(q.dtype)
        return kept / q if self.rescaled else kept

    def mask_mean(self) -> Array | None:
        r"""Return q, or None (1) where rescaled."""
        return None if self.rescaled else within(self.keep, 0, 1)

    def mask_covariance(self) -> Array:
        """Return the variance of each entry of the mask."""
        q = within(self.keep, 0, 1)
        return (1 - q) / q if self.rescaled else q * (1 - q)


class PatchMask(Mask):
    r"""Keeps each patch of features independently, with probability q.

    $$ E[m_i m_j] = q \text{ within a patch}, \; q^2 \text{ across}, \qquad \bar A = q I $$

    Args:
        patches: the patch of each feature, (d,) whole numbers; `image_patches` makes them.
        keep: $q \in (0, 1]$.

    Raises:
        ValueError: patches that aren't (d,) whole numbers, or a keep outside (0, 1].

    Source: derived.
    """

    patches: Int[Array, " d"] = eqx.field(converter=lambda p: as_patches(p))
    keep: Float[Array, ""] = eqx.field(converter=as_float)

    def __check_init__(self):
        if self.keep.ndim:
            raise ValueError(f"keep must be one probability; got {self.keep.shape}.")
        check_keep(self.keep)

    def input_size(self) -> int | None:
        """Return d."""
        return self.patches.size

    def draw(self, key: Key[Array, ""], shape: tuple[int, int]) -> Float[Array, "rows d"]:
        """Draw masks of a shape (rows, d), one per row."""
        # A patch is known by its first feature: no number of patches fixes a shape.
        kept = jax.random.bernoulli(key, self.keep, shape)
        return kept[:, first_of_patch(self.patches)].astype(self.keep.dtype)

    def mask_mean(self) -> Array | None:
        """Return q."""
        return within(self.keep, 0, 1)

    def mask_covariance(self) -> Array:
        r"""Return q (1 - q) within a patch, and 0 across."""
        q = within(self.keep, 0, 1)
        return q * (1 - q) * same_patch(self.patches).astype(q.dtype)


class FixedCountMask(Mask):
    r"""Keeps exactly K of P patches, every choice of them alike, as masked autoencoders do.

    $$ E[m_i m_j] = \tfrac KP \text{ within a patch}, \;
       \tfrac{K(K-1)}{P(P-1)} \text{ across}, \qquad \bar A = \tfrac KP I $$

    Args:
        patches: the patch of each feature, (d,) whole numbers 0 to P - 1, each of them used.
        kept: $K$, 1 <= K <= P; a whole number, which may be traced.

    Raises:
        ValueError: patches as in `PatchMask`, fewer than two of them, or a K outside 1 to P.

    Source: derived.
    """

    patches: Int[Array, " d"] = eqx.field(converter=lambda p: as_patches(p))
    kept: Float[Array, ""] = eqx.field(converter=as_float)
    number: int = eqx.field(static=True)

    def __init__(self, patches: Numbers, kept: Numbers):
        if not is_concrete(patches):
            raise ValueError("patches must be concrete: their number fixes a shape.")
        found = np.unique(np.asarray(patches))  # before they become part of a trace
        self.patches, self.kept = as_patches(patches), as_float(kept)
        self.number = P = len(found)
        if P < 2 or found[-1] != P - 1:
            raise ValueError(f"patches must be numbered 0 to P - 1, P >= 2; got {found[:10]}.")
        if self.kept.ndim or (
            is_concrete(self.kept)
            and not (1 <= float(self.kept) <= P and float(self.kept).is_integer())
        ):
            raise ValueError(
                f"kept must be a whole number of patches from 1 to {P}; got {self.kept}."
            )

    def input_size(self) -> int | None:
        """Return d."""
        return self.patches.size

    def draw(self, key: Key[Array, ""], shape: tuple[int, int]) -> Float[Array, "rows d"]:
        """Draw masks of a shape (rows, d), one per row."""
        order = jnp.argsort(jax.random.uniform(key, (shape[0], self.number)), axis=1)
        rank = jnp.argsort(order, axis=1).astype(self.kept.dtype)
        return (rank < self.kept)[:, self.patches].astype(self.kept.dtype)

    def mask_mean(self) -> Array | None:
        """Return K / P."""
        return within(self.kept, 1, self.number) / self.number

    def mask_covariance(self) -> Array:
        """Return K/P within a patch and K(K-1)/(P(P-1)) across, less (K/P)^2."""
        K, P = within(self.kept, 1, self.number), self.number
        K = jnp.where(jnp.round(K) == K, K, jnp.nan)
        across = K * (K - 1) / (P * (P - 1))
        return jnp.where(same_patch(self.patches), K / P, across) - jnp.square(K / P)

    def number_of_masks(self) -> int | Array | None:
        """Return P, or 1 where all are kept: a code of P patches is the same in all views of n rows
        if its parts are equal, n(P - 1) conditions, whichever K of them are kept.
        """
        return jnp.where(self.kept < self.number, self.number, 1)


class RandomMask(Mask):
    r"""Keeps by one of P given masks, drawn by their probabilities: any law of masks is one.

    $$ E[m] = \sum_p \pi_p m_p, \qquad \mathrm{Cov}(m) = \sum_p \pi_p m_p m_p^T - E[m] E[m]^T $$

    Args:
        masks: (P, d), any real weights; 1 keeps and 0 drops.
        probabilities: (P,); None is uniform.

    Raises:
        ValueError: shapes that don't fit, probabilities that don't sum to one, or a feature that
            no mask keeps.

    Source: derived.
    """

    masks: Float[Array, "P d"]
    probabilities: Float[Array, " P"]

    def __init__(self, masks: Numbers, probabilities: Numbers | None = None):
        self.masks = as_float(masks, "masks")
        if self.masks.ndim != 2 or 0 in self.masks.shape:
            raise ValueError(f"masks must be (P, d), one a row; got {self.masks.shape}.")
        self.probabilities = check_probabilities(probabilities, len(self.masks))
        require_finite("masks", self.masks)
        if is_concrete(self.masks, probabilities):
            # Not those of self: inside a trace they are traced.
            weight = 1.0 if probabilities is None else np.asarray(probabilities, float)
            used = np.asarray(self.masks)[np.broadcast_to(weight, len(self.masks)) > 0]
            never = np.flatnonzero(~np.any(used != 0, axis=0))
            if never.size:
                raise ValueError(f"masks must each keep something: none keeps feature {never[0]}.")

    def input_size(self) -> int | None:
        """Return d."""
        return self.masks.shape[1]

    def draw(self, key: Key[Array, ""], shape: tuple[int, int]) -> Float[Array, "rows d"]:
        """Draw masks of a shape (rows, d), one per row."""
        return self.masks[jax.random.choice(key, len(self.masks), shape[:1], p=self.probabilities)]

    def mask_mean(self) -> Array | None:
        """Return E[m], (d,)."""
        return in_precision(self.probabilities, self.masks.dtype) @ self.masks

    def mask_covariance(self) -> Array:
        """Return Cov(m), (d, d)."""
        weights = in_precision(self.probabilities, self.masks.dtype)
        return weighted_covariance(self.masks, weights)

    def number_of_masks(self) -> int | Array | None:
        """Return how many masks are drawn at all."""
        return jnp.sum(self.probabilities > 0)


def check_keep(keep: Array) -> None:
    """Raise unless 0 < keep <= 1, where concrete."""
    if is_concrete(keep):
        values = np.asarray(keep)
        if not ((values > 0) & (values <= 1)).all():
            raise ValueError(
                f"keep must be in (0, 1], and 0 never keeps a feature; got {values.min():g} to "
                f"{values.max():g}."
            )


def as_patches(patches: Numbers) -> Int[Array, " d"]:
    """Return the patch of each feature as integers."""
    array = jnp.asarray(on_host(patches, "patches") if is_concrete(patches) else patches)
    if array.ndim != 1 or array.size == 0 or not jnp.issubdtype(array.dtype, jnp.integer):
        raise ValueError(
            f"patches must be (d,) whole numbers, the patch of each feature; got {array.dtype} of "
            f"shape {array.shape}."
        )
    return array


def same_patch(patches: Int[Array, " d"]) -> Array:
    """Say of each two features whether they share a patch, (d, d)."""
    return patches[:, None] == patches[None, :]


def first_of_patch(patches: Int[Array, " d"]) -> Int[Array, " d"]:
    """Return the first feature of each feature's patch, (d,), by sorting."""
    order = jnp.argsort(patches)
    in_order, at = patches[order], jnp.arange(patches.size)
    starts = jnp.concatenate([jnp.array([True]), in_order[1:] != in_order[:-1]])
    start = jax.lax.cummax(jnp.where(starts, at, 0))
    return jnp.zeros_like(at).at[order].set(order[start])
