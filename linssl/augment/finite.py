r"""Finite families of linear maps: one of P is drawn for each view.

The moments add up over the family, an operator at a time: nothing of size P d^2 is ever built.
"""

import abc
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Int, Key

from linssl._checks import is_concrete
from linssl._structure import Moment, Numbers, as_float, dense, diagonal, exact_products
from linssl.augment.base import Augmentation, as_rows

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
    def mean_map(self) -> Array | None:
        r"""Return $\bar A$, (d, d), in the best precision there is. Source: derived."""
        return self._mean_map(jnp.result_type(float))

    @exact_products
    def spread(self, second: Moment, mean: Float[Array, " d"]) -> Moment:
        r"""Return $\Sigma$, (d, d).

        Of the covariance, and of what the maps make of the mean: apart, so that a large mean
        cancels nowhere, and what doesn't vary stays exactly 0.

        Source: derived.
        """
        weights, A = self._weights(second.dtype), self._mean_map(second.dtype)
        varies = diagonal(second) != jnp.square(mean)
        C = jnp.where(varies[:, None] & varies[None, :], dense(second) - jnp.outer(mean, mean), 0)
        # apply acts on rows: C A^T, and then A C A^T.
        total = self._expected(lambda p: self.apply(p, self.apply(p, C).T), second.dtype)
        moved = jax.lax.map(lambda p: self.apply(p, mean[None])[0], jnp.arange(weights.size))
        around = moved - (A @ mean)[None, :]
        spread = total - A @ C @ A.T + (around.T * weights[None, :]) @ around
        return (spread + spread.T) / 2

    def _mean_map(self, dtype: DTypeLike) -> Array:
        eye = jnp.eye(self.features, dtype=dtype)
        return self._expected(lambda p: self.apply(p, eye).T, dtype)

    def _weights(self, dtype: DTypeLike) -> Array:
        p = self.probabilities.astype(dtype)
        return p / p.sum()  # in this precision

    def _expected(self, term: Callable[[Array], Array], dtype: DTypeLike) -> Array:
        weights = self._weights(dtype)

        def step(total: Array, p: Array) -> tuple[Array, None]:
            return total + weights[p] * term(p), None

        like = jax.eval_shape(term, jnp.zeros((), int))
        return jax.lax.scan(step, jnp.zeros(like.shape, dtype), jnp.arange(weights.size))[0]


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
    p = jnp.where(jnp.all(p >= 0) & (jnp.abs(p.sum() - 1) < 1e-3), p, jnp.nan)
    if is_concrete(p):
        values = np.asarray(probabilities, float)
        if not (values >= 0).all() or not abs(values.sum() - 1) <= 1e-5:
            raise ValueError(
                f"probabilities must be >= 0 and sum to one; got a sum of {values.sum():g} and a "
                f"smallest of {values.min():g}."
            )
    return p / p.sum()
