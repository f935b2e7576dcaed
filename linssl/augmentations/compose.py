r"""Augmentations one after the other, as one augmentation."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from linssl.arguments import describe
from linssl.augmentations.base import Augmentation, Effect, as_rows
from linssl.augmentations.law import apply, between, transform
from linssl.linalg.structure import Moment, add


class Composition(Augmentation):
    r"""Applies augmentations in order: $\tau = \tau_m \circ \dots \circ \tau_1$.

    $$ \bar A = \bar A_m \cdots \bar A_1, \qquad
       \Sigma \leftarrow \bar A_i \Sigma \bar A_i^T + \Sigma_i(\mathrm{Cov}(\tau_{i-1}),
       E[\tau_{i-1}]) $$

    each step spreading what the steps before it made of the data. `compose` makes one.

    Args:
        parts: the augmentations, the first applied first.

    Source: derived (law of total covariance, repeated).
    """

    parts: tuple[Augmentation, ...]

    def sample(self, key: Key[Array, ""], x: Float[Array, "*batch d"]) -> Float[Array, "*batch d"]:
        """Draw one independent view of each row of x."""
        view = as_rows(self, x)
        for part, part_key in zip(self.parts, jax.random.split(key, len(self.parts)), strict=True):
            view = part.sample(part_key, view)
        return view

    def input_size(self) -> int | None:
        """Return the size of the parts that have one."""
        return next((s for part in self.parts if (s := part.input_size()) is not None), None)

    def effect(self, covariance: Moment, mean: Float[Array, " d"]) -> Effect:
        r"""Return $\Sigma$, $\bar A$ and $\bar b$, a part at a time; numbers of maps multiply."""
        spread, linear, offset, maps = jnp.zeros_like(mean), None, None, None
        for i, part in enumerate(self.parts):
            step = transform(part, covariance, mean)
            A, b, covariance, mean = step.linear, step.offset, step.covariance, step.mean
            if step.maps is not None:
                maps = step.maps * (1 if maps is None else maps)
            spread = step.spread if i == 0 else add(between(A, spread, A), step.spread)
            if A is not None:
                linear = A if linear is None else between(A, linear, None)
            offset = offset if offset is None else apply(A, offset)
            if b is not None:
                offset = b if offset is None else offset + b
        return Effect(spread, linear, offset, maps)


def compose(*augmentations: Augmentation) -> Augmentation:
    """Put augmentations one after the other; the first is applied first.

    Compositions of compositions are flattened, so that composing is associative, to the bit.

    Args:
        augmentations: one or more.

    Raises:
        ValueError: none, something else than augmentations, or augmentations of several sizes.
    """
    for a in augmentations:
        if not isinstance(a, Augmentation):
            raise ValueError(f"compose takes augmentations; got {describe(a)}.")
    sizes = {size for a in augmentations if (size := a.input_size()) is not None}
    if len(sizes) > 1:
        raise ValueError(f"compose takes augmentations of one size; got {sorted(sizes)}.")
    if not augmentations:
        raise ValueError("compose takes at least one augmentation; got none.")
    parts = [p for a in augmentations for p in (a.parts if isinstance(a, Composition) else (a,))]
    return parts[0] if len(parts) == 1 else Composition(tuple(parts))
