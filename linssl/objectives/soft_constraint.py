"""Soft constraint: joint embedding that pays for codes which aren't white, and may collapse."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from linssl.arguments import Numbers, require_range
from linssl.linalg.pencil import clipped, code_root
from linssl.linalg.status import FATAL, Status
from linssl.linalg.structure import Moment, diagonal, exact_products, multiply
from linssl.moments import Views, require_views
from linssl.objectives.joint_embedding import joint_embedding
from linssl.objectives.solution import Solution, finished


def soft_constraint(views: Views, dim: int, price: Numbers) -> Solution:
    r"""Solve $\min_W \beta\, E\|W\tau_1 - W\tau_2\|^2 + \|W S W^T - I_k\|^2$.

    The linear form of VICReg: invariance at a price β, variances of 1 and no covariances.

    $$ S^{-1/2} G S^{-1/2} = Q \Omega Q^T, \quad W^* = \mathrm{diag}(a)\, Q_k^T S^{-1/2}, \quad
       a_i^2 = \max(0,\, 1 - \beta(1 - \omega_i)), \quad
       \mathrm{loss} = \sum_{i \le k} (1 - a_i^4) $$

    Directions in the order of `joint_embedding`, each with a code of variance $a_i^2$. Direction i
    collapses iff $\beta \ge 1/(1 - \omega_i)$ (`collapse_prices`); its row is 0. For β → 0 all is
    joint embedding, and loss/β its loss; at β = 1 it is `spectral_contrastive`. Unlike joint
    embedding's, the size of the code is fixed: W is unique up to a rotation of the code.

    The first term is $2\beta\,\mathrm{tr}\,W(S - G)W^T$. Gradients as `joint_embedding`: true for
    what a rotation of this code, with its sizes, doesn't change.

    Args:
        views: $G$ and $S = G + \Sigma$, from `two_views(data, a)`.
        dim: $k$, 1 <= k <= d.
        price: β > 0, a scalar; inf keeps only what views share entirely.

    Returns:
        `Solution` with encoder $W^*$ (k, d) and spectrum $\omega$ (d,). COLLAPSED where rows are 0;
        the subspace of the others is identified then, whatever is cut off. An $a_i^2$ below
        $\sqrt\epsilon$ counts as 0: its part of the loss is beyond this precision.

    Raises:
        ValueError: not views, dim out of range, or β that isn't
            a scalar > 0 (where concrete; NOT_FINITE inside a trace).

    Source: derived, for the objective of Bardes2022; BalestrieroLeCun2022.
    """
    require_views(views, "soft_constraint")
    beta = require_range("price", price, 0, jnp.inf, positive=True)
    if beta.ndim:
        raise ValueError(f"price must be a scalar; got shape {beta.shape}.")
    return _solve(views, dim, beta.astype(views.shared.dtype))


@exact_products
@partial(jax.jit, static_argnames="dim")
def _solve(views: Views, dim: int, beta: Array) -> Solution:
    s = joint_embedding(views, dim)
    form = code_form(s, views.spread)  # diag(1 - omega), all its digits
    apart = diagonal(form)
    # With P = A^T A, A = W S^{1/2}, the loss is |P - M|^2 - |M|^2 + k, M = I - beta (I - Omega):
    # the best positive P of rank k has the k largest eigenvalues of M that are positive. Since
    # 1 - a^4 = (1 - a^2)(1 + a^2), nothing cancels for small beta.
    price, some = jnp.where(jnp.isfinite(beta), beta, 0), apart > 0  # inf: none of what differs
    line = jnp.where(some & jnp.isinf(beta), -jnp.inf, 1 - price * apart)
    miss = jnp.where(some, jnp.where(jnp.isinf(beta), 1, jnp.minimum(price * apart, 1)), 0)
    missing = jnp.where(jnp.isnan(beta), Status.NOT_FINITE, 0).astype(jnp.int32)
    s = eqx.tree_at(lambda s: s.status, s, s.status | missing)
    slope = clipped(line, -apart, price)
    return scaled(s, 1 - miss, jnp.sum(miss * (2 - miss)), -form, slope)


def code_form(solution: Solution, moment: Moment) -> Float[Array, "k k"]:
    """Return $W M W^T$ of a solution, 0 where its status is fatal: NaN would reach gradients."""
    usable = (solution.status & FATAL) == 0
    W = jnp.where(usable, solution.encoder, 0)
    return multiply(W, jnp.where(usable, moment, 0)) @ W.T


def scaled(
    solution: Solution,
    size: Float[Array, " k"],
    loss: Float[Array, ""],
    form: Float[Array, "k k"],
    slope: Float[Array, "k k"],
) -> Solution:
    r"""Give the whitened codes of a solution their variances $a^2$, and its status what follows.

    Rows whose $a^2$ is not above $\sqrt\epsilon$ become 0: COLLAPSED, and no cut among those or
    below them matters.

    Args:
        solution: with whitened codes, one encoder or two.
        size: $a_i^2$, (k,), descending.
        loss: of the scaled codes.
        form: $M = W H W^T$ of the whitened codes, of which $a^2$ is a function (`code_root`).
        slope: of that function between any two; 0 where W turns with M by itself.

    Source: derived.
    """
    kept = size > jnp.finfo(size.dtype).eps ** 0.5
    root = code_root(jnp.where(kept, size, 0), form, slope)
    usable = (solution.status & FATAL) == 0
    moot = ~jnp.int32(Status.NO_GAP | Status.BEYOND_RANK)
    collapsed = (solution.status & moot) | jnp.int32(Status.COLLAPSED)
    V = solution.second_encoder
    return finished(
        encoder=root @ solution.encoder,
        second_encoder=None if V is None else root @ V,
        spectrum=solution.spectrum,
        gap=solution.gap,
        loss=loss,
        status=jnp.where(usable & ~kept[-1], collapsed, solution.status),
        cut=0,
        sides=solution,
    )
