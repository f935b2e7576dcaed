"""What an augmentation is: a simulator, and its effect on covariance and mean, in one object."""

import abc
from typing import NamedTuple

from jaxtyping import Array, Float, Key

from linssl.arguments import Numbers, as_float
from linssl.linalg.shown import Shown, shows_numbers
from linssl.linalg.structure import Moment


@shows_numbers
class Effect(NamedTuple):
    r"""What an augmentation does to a vector x, in its moments.

    Args:
        spread: $\Sigma = E[\mathrm{Cov}(\tau(x) | x)]$, (d, d) or (d,).
        linear: $\bar A$: (d, d), (d,) where it is diagonal, () for a multiple of the identity, and
            None for the identity.
        offset: $\bar b$, (d,), None where it is 0.
        maps: P where a view is one of P maps of x that are drawn at all, so that n instances give
            $\Sigma$ no more than n(P - 1) independent differences; None for any other law.

    Source: derived.
    """

    spread: Moment
    linear: Array | None = None
    offset: Float[Array, " d"] | None = None
    maps: int | Array | None = None


class Augmentation(Shown):
    r"""A random affine map $\tau(x) = A x + b + \varepsilon$, independent of x.

    A family gives the simulator (`sample`) and the theory (`effect`) from the same fields, so
    that each can check the other. With $\bar A = E[A]$, $\bar b = E[b]$:

    $$ E[\tau(x) | x] = \bar A x + \bar b, \qquad \Sigma = E[\mathrm{Cov}(\tau(x) | x)] $$

    `effect` is compiled: it must compute by JAX, from its fields and arguments alone.

    Source: derived; random linear augmentations.
    """

    @abc.abstractmethod
    def sample(self, key: Key[Array, ""], x: Float[Array, "*batch d"]) -> Float[Array, "*batch d"]:
        """Draw one independent view of each row of x."""

    @abc.abstractmethod
    def effect(self, covariance: Moment, mean: Float[Array, " d"]) -> Effect:
        r"""Return $\Sigma$, $\bar A$ and $\bar b$ from Cov(x), (d, d) or (d,), and E[x]."""

    def input_size(self) -> int | None:
        """Return the number of features it is for, None for any."""
        return None


def as_rows(a: Augmentation, x: Numbers) -> Array:
    """Return what is to be augmented as a float array (..., d), or raise where d doesn't fit."""
    array = as_float(x, "x")
    size = a.input_size()
    if array.ndim == 0 or (size is not None and array.shape[-1] != size):
        wanted = "(..., d)" if size is None else f"(..., {size})"
        raise ValueError(f"x must be {wanted}; got {array.shape}.")
    return array
