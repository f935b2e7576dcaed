r"""AdaSSL-S: a sparse latent, paid for by the gate that it opens."""

import jax.numpy as jnp
from jax.scipy.special import erfc, gammainc

from linssl.arguments import Numbers
from linssl.theory.latents.water_filling import LatentUse, uncertainty_and_beta


def l0_gate(uncertainty: Numbers, beta: Numbers) -> LatentUse:
    r"""Give the optimal sparse latent: it corrects an error e, exactly, iff that is worth β.

    $$ \text{open iff } e^2 > 2\beta, \qquad t = \sqrt{2\beta/\eta}, \qquad
       D = \eta\,[1 - 2(t\varphi(t) + Q(t))], \qquad \mathrm{rate} = 2 Q(t) $$

    for $e \sim N(0, \eta)$, with φ and Q the density and the tail of N(0, 1): the loss $e^2/2$ is
    traded for β per open gate. There is no threshold in β: a large error opens the gate of every
    direction with η > 0.

    Args:
        uncertainty: $\eta \in [0, 1]$, any shape.
        beta: β > 0, a scalar or of the same shape, per open gate.

    Returns:
        `LatentUse`, of the shape of `uncertainty`; `rate` is the share of open gates.

    Raises:
        ValueError: η outside [0, 1] or β <= 0 (where concrete; NaN inside a trace), or shapes that
            don't fit.

    Source: derived, for the sparse variant of AdaSSL.
    """
    eta, b = uncertainty_and_beta(uncertainty, beta)
    # 1 - 2(t phi + Q) is P(chi^2_3 < t^2), and 2Q is P(chi^2_1 > t^2): no digits cancel.
    certain = (eta == 0) | jnp.isinf(b)
    half_square = jnp.where(certain, 1, b) / jnp.where(eta == 0, 1, eta)
    D = eta * jnp.where(certain, 1, gammainc(jnp.asarray(1.5, eta.dtype), half_square))
    rate = jnp.where(certain, 0 * eta, erfc(jnp.sqrt(half_square)))
    return LatentUse(1 - D, D, rate, (1 - D) / 2 - jnp.where(certain, 0, b) * rate)
