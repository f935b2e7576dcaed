"""What a batch, a donor or a trajectory holds of the data, and what is left without it."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from linssl.arguments import as_array
from linssl.data.sources.opening import Data, opened, told
from linssl.linalg.averages import RowSource, as_source
from linssl.linalg.shown import shows_numbers
from linssl.linalg.structure import trace
from linssl.moments import Views
from linssl.names import names_of
from linssl.pairs.centring import as_batches, parts_of, with_within
from linssl.pairs.groups import GroupMeans, as_groups, groups
from linssl.pairs.same_instance import same_instance


@shows_numbers
class Held(NamedTuple):
    r"""The covariance of the means of batches, and the views with and without it.

    Args:
        between: $S_b$, (d, d), of the means of the batches at hand, each by its number of
            instances; unbiased, and so can be indefinite. For batches drawn from many, divide by
            $1 - \sum_g \pi_g^2$.
        before: views as they come.
        after: views centred by batch: $S_w = S - S_b$, $G_w = G - S_b$, and Σ as it was.

    Source: derived (method of moments).
    """

    between: Float[Array, "d d"]
    before: Views
    after: Views

    @property
    def share(self) -> Float[Array, ""]:
        r"""Share of the variance that batches hold: 0 on average where they hold nothing.

        $$ \mathrm{tr}\, S_b \,/\, \mathrm{tr}\,(S_b + S_w) $$

        Source: derived.
        """
        held = trace(self.between)
        return held / (held + trace(self.after.covariance))


def held_by(data: Data, by: object, *, memory: int = 0) -> Held:
    r"""Say what batches hold of data: $S_b$, unbiased, and the views before and after centring.

    $$ S_b = \sum_g \pi_g (\bar x_g - \bar x)(\bar x_g - \bar x)^T
       - \sum_g \pi_g (1 - \pi_g) \hat V_g, \qquad \pi_g = n_g/n $$

    $V_g$ is the covariance of the mean of a batch about what it is the mean of: $\hat W_g/n_g$ of
    instances, $(G_w + \Sigma/J)/n_g$ of instances with J views, and of a trajectory of T rows
    $T^{-2} \sum_{st} \hat C_w(t - s)$. Scores before and after are those of `held.before` and
    `held.after`, augmented alike.

    Args:
        data: $X$, (n, d), as for `same_instance`, or (n, J, d): J views of each instance, as for
            `groups`.
        by: (n,) names of batches, or the name of a column of the data.
        memory: L, as for `same_instance`.

    Raises:
        ValueError: as `same_instance` and `groups`.

    Source: derived (method of moments).
    """
    known: Any = opened(data, by)
    known = known if isinstance(known, RowSource) else as_array("data", known)
    axes = len(known.shape)
    x: Any = as_groups(known) if axes == 3 else as_source("data", known)
    by = told("by", by, known, "names (n,)")
    batches = as_batches(by, x.shape[0], memory, x)
    before, rows = (groups(x), GroupMeans(x)) if axes == 3 else (same_instance(x), x)
    before = before.named(names_of(known))
    parts = parts_of(batches, data=rows)
    between = jnp.asarray(parts.between, before.mean.dtype)
    return Held(between, before, with_within(before, parts.within))


def held_variances(
    sizes: np.ndarray, means: np.ndarray, scatter: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the variance of each feature between batches, and within: diagonals, from sums.

    What `held_by` says of independent instances, where no d x d array is wanted: the diagonals of
    $S_b$ and $S_w$, both unbiased.

    Args:
        sizes: (K,) $n_g$, some of 2 or more.
        means: (K, d) $\bar x_g$.
        scatter: (K, d) $\sum_{i \in g} (x_i - \bar x_g)^2$.

    Source: derived (method of moments).
    """
    used, share = sizes > 1, sizes / sizes.sum()
    of_each = scatter / np.maximum(sizes - 1, 1)[:, None]
    within = sizes[used] @ of_each[used] / sizes[used].sum()
    of_each[~used] = within
    apart = means - means[0]
    apart = apart - share @ apart
    of_mean = of_each / np.maximum(sizes, 1)[:, None]
    return share @ apart**2 - (share * (1 - share)) @ of_mean, within
