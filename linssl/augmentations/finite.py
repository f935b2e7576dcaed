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

from linssl.arguments import Numbers, as_float, is_concrete
from linssl.augmentations.base import Augmentation, Effect, as_rows
from linssl.linalg.structure import Moment, dense, exact_products

AT_ONCE = 256  # rows that are transformed side by side


class LinearFamily(Augmentation):
    r"""One of P linear maps, drawn anew for each view: $\tau(x) = A_p x$ with probability $\pi_p$.

    $$ \bar A = \sum_p \pi_p A_p, \qquad D_p = A_p - \bar A, \qquad
       \Sigma = \sum_p \pi_p \big(D_p C D_p^T + D_p \mu (D_p \mu)^T\big) $$

    Differences of maps, and of what they make of the mean: $\sum_p \pi_p A_p C A_p^T - \bar A C
    \bar A^T$ is the same, but cancels where maps are alike.

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
        """Apply the p-th map to every row."""

    def input_size(self) -> int | None:
        """Return d."""
        return self.features

    def sample(self, key: Key[Array, ""], x: Float[Array, "*batch d"]) -> Float[Array, "*batch d"]:
        """Draw one independent view of each row of x."""
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
    def effect(self, covariance: Moment, mean: Float[Array, " d"]) -> Effect:
        r"""Return $\Sigma$ and $\bar A$, (d, d)."""
        C, weights = dense(covariance), in_precision(self.probabilities, covariance.dtype)
        eye, numbers = jnp.eye(self.features, dtype=C.dtype), jnp.arange(weights.size)

        def average(total: Array, p: Array) -> tuple[Array, Array]:
            # `apply` acts on rows: A^T, and the mean beside it.
            return total + weights[p] * self.apply(p, eye), self.apply(p, mean[None])[0]

        At, means = jax.lax.scan(average, 0 * eye, numbers)
        CAt = C @ At

        def apart(total: Array, p: Array) -> tuple[Array, None]:
            # C D^T, and then D C D^T.
            moved = (self.apply(p, C) - CAt).T
            return total + weights[p] * (self.apply(p, moved) - moved @ At), None

        spread, _ = jax.lax.scan(apart, 0 * C, numbers)
        spread = spread + weighted_covariance(means, weights)
        return Effect((spread + spread.T) / 2, At.T, maps=jnp.sum(weights > 0))


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
        require_finite("matrices", self.matrices)
        self.features = shape[1]
        self.probabilities = check_probabilities(probabilities, shape[0])

    def apply(self, p: Int[Array, ""], x: Float[Array, "n d"]) -> Float[Array, "n d"]:
        """Apply the p-th map to every row."""
        return x @ self.matrices[p].T.astype(x.dtype)


def require_finite(name: str, values: Array) -> None:
    """Raise where numbers that are known aren't finite."""
    if is_concrete(values) and not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite; got NaN or inf.")


def check_probabilities(probabilities: Numbers | None, number: int) -> Float[Array, " P"]:
    """Return the probabilities of P choices, or raise (NaN where traced); None is uniform."""
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
    """Return probabilities that sum to one in the precision of what they weigh."""
    p = probabilities.astype(dtype)
    return p / p.sum()


@exact_products
def weighted_covariance(points: Float[Array, "P d"], weights: Float[Array, " P"]) -> Array:
    """Return the covariance (d, d) of one of P points, drawn by its weight."""
    around = points - (weights @ points)[None, :]
    return (around.T * weights[None, :]) @ around
