"""Spectral contrastive: pull views of one instance together, push those of others apart."""

from functools import partial

import jax
import jax.numpy as jnp

from linssl.linalg.pencil import clipped
from linssl.linalg.structure import exact_products
from linssl.moments import Views, require_views
from linssl.objectives.joint_embedding import joint_embedding
from linssl.objectives.soft_constraint import code_form, scaled
from linssl.objectives.solution import Solution


def spectral_contrastive(views: Views, dim: int) -> Solution:
    r"""Solve $\min_W -2\,\mathrm{tr}\, W G W^T + \|W S W^T\|^2$.

    The spectral contrastive loss $-2E[f(\tau_1)^T f(\tau_2)] + E[(f(\tau)^T f(\tau'))^2]$ of the
    linear code $f = W\tau$, with τ and τ' views of two independent instances. Of any law: it reads
    second moments only.

    $$ S^{-1/2} G S^{-1/2} = Q \Omega Q^T, \quad
       W^* = (\Omega_k)_+^{1/2} Q_k^T S^{-1/2}, \quad
       \mathrm{loss} = -\sum_{i \le k} \max(0, \omega_i)^2 $$

    It is `soft_constraint` at β = 1, whose loss is larger by k: the directions of `joint_embedding`
    with codes of variance $\omega_i$. A direction with $\omega_i \le 0$ gets 0, since one encoder
    can't code views that disagree; two can, see `info_nce`. Unique up to a rotation of the code.

    Args:
        views: $G$ and $S = G + \Sigma$, from `two_views(data, a)`.
        dim: $k$, 1 <= k <= d.

    Returns:
        `Solution` with encoder $W^*$ (k, d) and spectrum $\omega$ (d,). COLLAPSED where rows are 0,
        as for `soft_constraint`.

    Raises:
        ValueError: not views, or dim out of range.

    Source: derived, for the objective of HaoChen2021; BalestrieroLeCun2022.
    """
    require_views(views, "spectral_contrastive")
    return _solve(views, dim)


@exact_products
@partial(jax.jit, static_argnames="dim")
def _solve(views: Views, dim: int) -> Solution:
    s = joint_embedding(views, dim)
    # |P - Omega|^2 - |Omega|^2 for P = A^T A, A = W S^{1/2}: the best P keeps what is positive.
    omega = s.spectrum[:dim]
    size, form = jnp.maximum(omega, 0), code_form(s, views.shared)
    return scaled(s, size, -jnp.sum(jnp.square(size)), form, clipped(omega, omega, jnp.asarray(1)))
