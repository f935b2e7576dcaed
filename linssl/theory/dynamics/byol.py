"""BYOL and SimSiam: what a predictor and its target settle on, and when all of it collapses."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from linssl.arguments import Numbers, require_range
from linssl.linalg.shown import Shown


class ByolFixedPoints(Shown):
    r"""Where the predictor of `byol_fixed_points` comes to rest.

    Args:
        learned: $p_+$, the stable fixed point; 0 where every start collapses.
        barrier: $p_-$, the unstable one: balanced starts below it collapse; inf where all do.
        collapse_decay: $\eta_c = \tau^2\lambda^2 / 4(\lambda + \sigma^2)$: above it all collapse.
        collapses: whether $\eta > \eta_c$ (or nothing is shared).

    Source: Tian2021.
    """

    learned: Float[Array, "*shape"]
    barrier: Float[Array, "*shape"]
    collapse_decay: Float[Array, "*shape"]
    collapses: Bool[Array, "*shape"]


def byol_fixed_points(
    noise: Numbers, weight_decay: Numbers, target: Numbers = 1.0, shared: Numbers = 1.0
) -> ByolFixedPoints:
    r"""Solve linear BYOL with weight decay for its fixed points.

    Gradient flow, with η on both layers, of
    $\tfrac12 E\|W_p W \tau_1 - \mathrm{sg}(W_a \tau_2)\|^2$, where sg stops the gradient, the
    predictor $W_p$ learns $\alpha_p$ times as fast as W, and the target is $W_a = \tau W$:

    $$ \dot W_p = \alpha_p(-W_p W S + \tau W G) W^T - \eta W_p, \qquad
       \dot W = W_p^T(-W_p W S + \tau W G) - \eta W $$

    On a common axis of both moments, with eigenvalues λ of G and λ + σ² of S (isotropic: λ = 1),
    a direction of predictor p and weight w follows

    $$ \dot p = \alpha_p w^2[\tau\lambda - (\lambda + \sigma^2) p] - \eta p, \quad
       \dot w = p w [\tau\lambda - (\lambda + \sigma^2) p] - \eta w $$

    $p^2/\alpha_p - w^2$ falls as $e^{-2\eta t}$, so that all ends balanced, $w^2 = p^2/\alpha_p$:
    $\dot p = p\,[\tau\lambda p - (\lambda + \sigma^2) p^2 - \eta]$, whatever $\alpha_p$, with
    fixed points 0 and

    $$ p_\pm = \frac{\tau\lambda \pm \sqrt{\tau^2\lambda^2 - 4\eta(\lambda + \sigma^2)}}
       {2(\lambda + \sigma^2)} $$

    Balanced starts below $p_-$ collapse to 0, those above end at $p_+$. Others may collapse from
    above too: a predictor much too large shrinks W first. Every start collapses for
    $\eta > \eta_c$. As $\eta_c = \tau^2\varphi^2/4$ for the score $\varphi^2 = \lambda^2/(\lambda +
    \sigma^2)$ of reconstruction under additive noise, weight decay drops directions in the order of
    reconstruction, not of joint embedding (derived). τ < 1 stands for a target that lags behind a
    growing W; at rest a moving average has caught up, τ = 1, as in SimSiam.

    Args:
        noise: $\sigma^2 \ge 0$, what the augmentation adds to the variance of a view.
        weight_decay: $\eta \ge 0$, in the units of time of W.
        target: $\tau \ge 0$, the size of the target beside W.
        shared: $\lambda \ge 0$, the variance that both views share. All four broadcast.

    Returns:
        `ByolFixedPoints`, of the common shape. At η = 0 the barrier is 0.

    Raises:
        ValueError: negative or not finite (where concrete; NaN inside a trace).

    Source: Tian2021, with its symmetric and isotropic assumptions; axes that differ are derived.
    """
    values = (
        ("noise", noise),
        ("weight_decay", weight_decay),
        ("target", target),
        ("shared", shared),
    )
    most = float(jnp.finfo(jnp.result_type(float)).max)
    checked = [require_range(name, value, 0, most) for name, value in values]
    dtype = jnp.result_type(*checked)
    shape = jnp.broadcast_shapes(*(a.shape for a in checked))
    return _settle(*(jnp.broadcast_to(a.astype(dtype), shape) for a in checked))


@jax.jit
def _settle(sigma2: Array, eta: Array, tau: Array, lam: Array) -> ByolFixedPoints:
    bad = jnp.isnan(sigma2 + eta + tau + lam)
    pulled = (lam > 0) & (tau > 0)
    lam, tau = (jnp.where(pulled, v, 1) for v in (lam, tau))
    # Ratios alone, so that moments and decay may have any unit: with A = (lambda + sigma^2)/lambda,
    # p = (1 +- root(1 - r)) tau/2A, and r = eta/eta_c = 4 eta A/(lambda tau^2).
    A = 1 + sigma2 / lam
    r = 4 * (eta / tau / lam) * (A / tau)
    learns = pulled & (r <= 1)
    inside = jnp.where(learns, 1 - r, 1)
    root = jnp.where(inside > 0, jnp.sqrt(jnp.where(inside > 0, inside, 1)), 0)
    half = tau / A / 2
    return ByolFixedPoints(
        learned=jnp.where(bad, jnp.nan, jnp.where(learns, half * (1 + root), 0)),
        # 1 - root = r/(1 + root), which doesn't cancel
        barrier=jnp.where(bad, jnp.nan, jnp.where(learns, half * r / (1 + root), jnp.inf)),
        collapse_decay=jnp.where(bad, jnp.nan, jnp.where(pulled, tau / A * lam * tau / 4, 0)),
        collapses=~learns,
    )
