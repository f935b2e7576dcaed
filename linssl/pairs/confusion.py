"""Laws of mislabelled pairs: the classes of both instances, from how frequent classes are."""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float

from linssl.arguments import Numbers
from linssl.pairs.same_instance import one_hot

Confusion = Callable[[Float[Array, " K"]], Float[Array, "K K"]]


def class_redrawn(frequencies: Float[Array, " K"]) -> Float[Array, "K K"]:
    r"""A mislabelled partner is of any class, by frequency: $J = \pi \pi^T$.

    Source: derived, for the pairs of SemPairs.
    """
    return jnp.outer(frequencies, frequencies)


def another_class(frequencies: Float[Array, " K"]) -> Float[Array, "K K"]:
    r"""A mislabelled partner is of another class, by frequency; a pair has no order.

    $$ J_{cc'} \propto \tfrac12 \pi_c \pi_{c'} \left( \tfrac1{1 - \pi_c} + \tfrac1{1 - \pi_{c'}}
       \right), \quad c \ne c' $$

    Where classes are not equally frequent, rare ones are more frequent in such pairs.

    Source: derived.
    """
    pi = frequencies
    J = jnp.outer(pi / (1 - pi), pi)
    J = J - jnp.diag(jnp.diagonal(J))
    return (J + J.T) / 2


def within_superclass(superclasses: Numbers) -> Confusion:
    r"""A mislabelled partner is of a class of the same superclass, by frequency.

    $$ J_{cc'} = \pi_c \pi_{c'} / \pi_s \text{ where both are in superclass } s $$

    Args:
        superclasses: (K,) names of the superclass of each class, classes in sorted order.

    Returns:
        The law, for `confusion`.

    Source: derived, for the pairs of SemPairs.
    """
    S = one_hot(superclasses)

    def law(frequencies: Float[Array, " K"]) -> Float[Array, "K K"]:
        member = S.astype(frequencies.dtype)
        if len(member) != frequencies.size:
            raise ValueError(
                f"superclasses must be ({frequencies.size},), one a class; got ({len(member)},)."
            )
        share = member / (frequencies @ member)[None, :]
        return jnp.outer(frequencies, frequencies) * (share @ member.T)

    return law
