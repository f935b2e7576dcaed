"""Probabilistic LDA: groups with a free covariance within, which is joint embedding."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from linssl.linalg.pencil import clipped, code_root
from linssl.linalg.status import FATAL, Status
from linssl.linalg.structure import dense, diagonal, exact_products
from linssl.linalg.whitening import whitener
from linssl.moments import Views
from linssl.objectives.joint_embedding import joint_embedding
from linssl.objectives.latent.validation import require_groups
from linssl.objectives.soft_constraint import code_form
from linssl.objectives.solution import Solution, of_sides


class PLDASolution(Solution):
    r"""A fitted probabilistic LDA: encoder $E[y|x]$ of one view, decoder F, spectrum ω.

    Args:
        within: $\Phi$, (d, d): the covariance of a view about its content.
        group_size: $J$.

    Source: derived; Ioffe2006.
    """

    within: Float[Array, "*cells d d"]
    group_size: int = eqx.field(static=True)


@exact_products
def plda(views: Views, dim: int, group_size: int) -> PLDASolution:
    r"""Fit groups with a content of k dimensions and any covariance within, by maximum likelihood.

    $$ x_j = F y + N(0, \Phi), \quad y \sim N(0, I_k), \quad j = 1, \dots, J $$

    It is joint embedding, whatever J is. With $B v = \lambda W_n v$, $B = S + (J - 1) G$ and
    $W_n = S - G$, that is $G v = \omega S v$:

    $$ \omega = \frac{\lambda - 1}{\lambda + J - 1}, \quad
       F = S W^T \omega^{1/2}, \quad \Phi = S - F F^T, \quad
       E[y|x] = \omega^{1/2} W x $$

    $$ \mathrm{NLL} = \tfrac12 \Big[J \log|S| + \sum_{i \le k} \big( \log(1 + (J - 1)\omega_i) +
       (J - 1) \log(1 - \omega_i) \big) + Jd (1 + \log 2\pi)\Big] $$

    with W the encoder of `joint_embedding`. A free Φ takes what SimVAE's codes would call style
    into the noise, so that joint embedding drops it.

    Gradients: as `joint_embedding`.

    Args:
        views: of a group; from `pairs.groups(x)`, or of any augmentation.
        dim: $k$, 1 <= k <= d.
        group_size: $J \ge 2$; enters F and Φ through ω alone, and the loss.

    Returns:
        `PLDASolution` with encoder (k, d), decoder F (d, k), spectrum ω (d,), and the NLL of a
        group as its loss. Directions with ω <= 0 are no content (F = 0): BEYOND_RANK. UNBOUNDED
        where ω = 1: a direction in which views don't differ. INCONSISTENT where ω < -1/(J - 1):
        two views may have such moments, J can't.

    Raises:
        ValueError: not views, dim or group_size out of range, or another J than that of `views`.

    Source: derived; Ioffe2006.
    """
    require_groups(views, "plda", dim, group_size)
    if group_size < 2:
        raise ValueError("group_size must be >= 2: the covariance within needs two views.")
    J = jnp.asarray(group_size, views.mean.dtype)
    return PLDASolution(**_fit(views, dim, J), **of_sides(views), group_size=int(group_size))


@exact_products
@partial(jax.jit, static_argnames="dim")
def _fit(views: Views, dim: int, J: Array) -> dict[str, Array | None]:
    # In coordinates of joint embedding, W S W^T = I and W G W^T = diag(omega), both channels are
    # diagonal: (b, w) = (1 + (J - 1) omega, 1 - omega), each fitted exactly where there is
    # content. Elsewhere they share one variance, and its best value is (b + (J - 1) w)/J = 1.
    je = joint_embedding(views, dim)
    S, sound = dense(views.covariance), (je.status & FATAL) == 0
    S = jnp.where(sound, S, 0)
    W, omega = jnp.where(sound, je.encoder, 0), jnp.where(sound, je.spectrum[:dim], 0)
    # diag(1 - omega) with all its digits, which is none where it is rounding of its own terms.
    apart = jnp.where(sound, code_form(je, views.spread), 0)
    status = _status(views, je, W[0], apart, J)
    usable = (status & FATAL) == 0
    content = jnp.where(usable, jnp.maximum(omega, 0), 0)

    F = whitener(views.covariance, views.rounding, views.count)
    logdet = 2 * jnp.sum(jnp.log(F.scale))
    if F.factor is not None:
        logdet = logdet + 2 * jnp.sum(jnp.log(jnp.diagonal(F.factor)))
    # A determinant: scores that are almost 1 may turn among themselves in rounding.
    kept, eye = content > 0, jnp.eye(dim, dtype=S.dtype)
    within = jnp.where(kept[:, None] & kept[None, :], apart, eye)
    logs = jnp.log(jnp.diagonal(jnp.linalg.cholesky(within)))
    fitted = jnp.sum(jnp.log1p((J - 1) * content)) + 2 * (J - 1) * jnp.sum(logs)
    d = len(S)
    loss = (J * logdet + fitted + J * d * (1 + jnp.log(2 * jnp.pi))) / 2
    root = code_root(content, code_form(je, views.shared), clipped(omega, omega, jnp.asarray(1)))
    decoder = S @ W.T @ root.T

    def known(value: Array) -> Array:
        return jnp.where(usable, value, jnp.asarray(jnp.nan, value.dtype))

    return {
        "encoder": known(root @ W),
        "second_encoder": None,
        "decoder": known(decoder),
        "spectrum": known(je.spectrum),
        "gap": known(je.gap),
        "loss": known(loss),
        "status": status,
        "within": known(S - decoder @ decoder.T),
    }


def _status(views: Views, je: Solution, first: Array, apart: Array, J: Array) -> Array:
    """Return what is wrong with J views, by joint embedding's first row and diag(1 - ω)."""
    sound, eps = (je.status & FATAL) == 0, jnp.finfo(apart.dtype).eps
    deviation = jnp.abs(first) @ jnp.sqrt(jnp.maximum(diagonal(views.spread), 0))
    blur = 10 * first.size * eps
    least = blur * deviation**2 + first**2 @ views.rounding
    unbounded = sound & (apart[0, 0] <= least)
    # Beside a spread that is no diagonal scores are told apart to `blur`, which may be more than
    # 1 - omega on both sides of a cut.
    near = (je.gap <= 10 * blur) & (apart[-1, -1] <= 10 * blur)
    blurred = sound & near & (views.spread.ndim == 2)
    # 1 + (J - 1) omega is a variance, of the mean of J views.
    fewer = sound & (je.spectrum[-1] < -1 / (J - 1) - eps**0.5)
    bits = {
        Status.UNBOUNDED: unbounded,
        Status.NO_GAP: blurred,
        Status.INCONSISTENT: fewer,
    }
    status = je.status
    for bit, found in bits.items():
        status = status | jnp.where(found, bit, 0)
    return status.astype(jnp.int32)
