r"""Finite families of linear maps: one of P is drawn for each view.

The moments add up over the family, an operator at a time: nothing of size P d^2 is ever built.
"""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Int, Key

from linssl._checks import is_concrete
from linssl._structure import Moment, Numbers, as_float, exact_products
from linssl.augment.base import Augmentation, Effect, about_mean, as_rows

AT_ONCE = 256  # rows that are transformed side by side


class LinearFamily(Augmentation):
    r"""One of P linear maps, drawn anew for each view: $\tau(x) = A_p x$ with probability $\pi_p$.

    $$ \bar A = \sum_p \pi_p A_p, \qquad
       \Sigma = \sum_p \pi_p A_p E[xx^T] A_p^T - \bar A E[xx^T] \bar A^T $$

    A family says how its p-th map acts on rows; the rest follows.

    Args:
        probabilities: $\pi$, (P,).
        features: d.

    Source: derived; Balestriero2022.
    """

    probabilities: eqx.AbstractVar[Float[Array, " P"]]
    features: eqx.AbstractVar[int]

    @abc.abstractmethod
    def apply(self, p: Int[Array, ""], x: Float[Array, "n d"]) -> Float[Array, "n d"]:
        """Apply the p-th map to every row. Source: derived."""

    def input_size(self) -> int | None:
        """Return d. Source: derived."""
        return self.features

    def sample(self, key: Key[Array, ""], x: Float[Array, "*batch d"]) -> Float[Array, "*batch d"]:
        """Draw one independent view of each row of x. Source: derived."""
        x = as_rows(self, x)
        rows = x.reshape(-1, self.features)
        which = jax.random.choice(
            key, self.probabilities.size, (len(rows),), p=self.probabilities.astype(x.dtype)
        )
        views = jax.lax.map(
            lambda drawn: self.apply(drawn[0], drawn[1][None])[0],
            (which, rows),
            batch_size=AT_ONCE,
        )
        return views.astype(x.dtype).reshape(x.shape)

    @exact_products
    def moments(self, second: Moment, mean: Float[Array, " d"]) -> Effect:
        r"""Return $\Sigma$ and $\bar A$, (d, d).

        Of the covariance, and of what the maps make of the mean: apart, so that a large mean
        cancels nowhere, and what doesn't vary stays exactly 0.

        Source: derived.
        """
        C, weights = about_mean(second, mean), in_precision(self.probabilities, second.dtype)
        eye = jnp.eye(self.features, dtype=second.dtype)

        def step(sums: tuple[Array, Array], p: Array) -> tuple[tuple[Array, Array], Array]:
            # apply acts on rows: C A^T, and then A C A^T.
            moved = self.apply(p, self.apply(p, C).T), self.apply(p, eye).T
            total, A = (s + weights[p] * m for s, m in zip(sums, moved, strict=True))
            return (total, A), self.apply(p, mean[None])[0]

        (total, A), means = jax.lax.scan(step, (0 * C, 0 * eye), jnp.arange(weights.size))
        spread = total - A @ C @ A.T + weighted_covariance(means, weights)
        return Effect((spread + spread.T) / 2, A)


class Matrices(LinearFamily):
    r"""A family given by its matrices: for a few maps of few features.

    Args:
        matrices: $A_p$, (P, d, d).
        probabilities: (P,); None is uniform.

    Raises:
        ValueError: not (P, d, d), or probabilities that don't sum to one.

    Source: derived; Balestriero2022.
    """

    matrices: Float[Array, "P d d"]
    probabilities: Float[Array, " P"]
    features: int = eqx.field(static=True)

    def __init__(self, matrices: Numbers, probabilities: Numbers | None = None):
        self.matrices = as_float(matrices, "matrices")
        shape = self.matrices.shape
        if len(shape) != 3 or shape[1] != shape[2] or 0 in shape:
            raise ValueError(f"matrices must be (P, d, d); got {shape}.")
        if is_concrete(self.matrices) and not np.isfinite(self.matrices).all():
            raise ValueError("matrices must be finite; got NaN or inf.")
        self.features = shape[1]
        self.probabilities = check_probabilities(probabilities, shape[0])

    def apply(self, p: Int[Array, ""], x: Float[Array, "n d"]) -> Float[Array, "n d"]:
        """Apply the p-th map to every row. Source: derived."""
        return x @ self.matrices[p].T.astype(x.dtype)


def check_probabilities(probabilities: Numbers | None, number: int) -> Float[Array, " P"]:
    """Return the probabilities of P choices, or raise (NaN where traced); None is uniform.

    Source: derived (validation).
    """
    if probabilities is None:
        return jnp.full(number, 1 / number)
    p = as_float(probabilities, "probabilities")
    if p.shape != (number,):
        raise ValueError(f"probabilities must be ({number},), one a choice; got {p.shape}.")
    if is_concrete(p):
        values = np.asarray(probabilities, float)
        if not (values >= 0).all() or not abs(values.sum() - 1) <= 1e-5:
            raise ValueError(
                f"probabilities must be >= 0 and sum to one; got a sum of {values.sum():g} and a "
                f"smallest of {values.min():g}."
            )
    p = jnp.where(jnp.all(p >= 0) & (jnp.abs(p.sum() - 1) < 1e-3), p, jnp.nan)
    return p / p.sum()


def in_precision(probabilities: Float[Array, " P"], dtype: DTypeLike) -> Float[Array, " P"]:
    """Return probabilities that sum to one in the precision of what they weigh. Source: derived."""
    p = probabilities.astype(dtype)
    return p / p.sum()


@exact_products
def weighted_covariance(points: Float[Array, "P d"], weights: Float[Array, " P"]) -> Array:
    """Return the covariance (d, d) of one of P points, drawn by its weight. Source: derived."""
    around = points - (weights @ points)[None, :]
    return (around.T * weights[None, :]) @ around
