"""Joint embedding: encode two views alike, without collapsing."""

from functools import partial

import jax
import jax.numpy as jnp

from linssl.arguments import require_dim
from linssl.linalg.pencil import pencil
from linssl.linalg.status import cut_status, few
from linssl.linalg.structure import exact_products
from linssl.moments import Views, require_views
from linssl.objectives.solution import Solution, finished


def joint_embedding(views: Views, dim: int) -> Solution:
    r"""Solve $\min_W E\|W\tau_1 - W\tau_2\|^2$ subject to $W S W^T = I_k$.

    $$ S^{-1/2} G S^{-1/2} = Q \Omega Q^T, \quad W^* = Q_k^T S^{-1/2}, \quad
       \mathrm{loss} = 2 \sum_{i \le k} (1 - \omega_i) $$

    W is unique up to a rotation of the code, where $\omega_k > \omega_{k+1}$. It is equivariant
    under every invertible map of the data. $-1 \le \omega \le 1$, and $\omega \ge 0$ for
    independent views of one instance.

    Gradients: always finite, and true for what a rotation of the code doesn't change (loss, sums
    of the spectrum, the subspace, distances, $W^T W$), wherever that is unique. What depends on
    the rotation has none: an encoder's is the part that leaves its subspace (`linalg.pencil`).

    Args:
        views: $G$ and $S = G + \Sigma$, from `two_views(data, a)`.
        dim: $k$, 1 <= k <= d.

    Returns:
        `Solution` with encoder $W^*$ (k, d) and spectrum $\omega$ (d,). Singular S, NaN and the
        like are its `status`, with NaN for numbers. FEW_SAMPLES where draws <= d.

    Raises:
        ValueError: not views, or dim out of range.

    Source: JEvRC, Theorem 2.
    """
    require_views(views, "joint_embedding")
    require_dim(dim, views.mean.shape[0], "the number of features")
    return _solve(views, dim)


@exact_products
@partial(jax.jit, static_argnames="dim")
def _solve(views: Views, dim: int) -> Solution:
    p = pencil(views.shared, views.spread, dim, views.rounding, views.count)
    gap, _ = cut_status(p.scores, dim, p.rounding)
    _, cut = cut_status(p.eigenvalues, dim, p.precision)
    return finished(
        encoder=p.rows,
        spectrum=p.scores,
        gap=gap,
        loss=2 * jnp.sum(p.complement),
        status=p.status,
        cut=cut | few(views.draws, p.scores.size),
        sides=views,
    )
