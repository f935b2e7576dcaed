"""The wider family: when a soft constraint collapses, and how much alignment others need."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from linssl.arguments import Numbers, as_float, like, require_range
from linssl.linalg.shown import Shown


def collapse_prices(spectrum: Numbers) -> Float[Array, "*shape"]:
    r"""Compute the price of alignment from which on each direction collapses.

    $$ \beta_i = \frac{1}{1 - \omega_i} $$

    `soft_constraint` codes direction i iff its price is below $\beta_i$.

    Args:
        spectrum: $\omega \in [-1, 1]$, any shape, as `joint_embedding(pair, dim).spectrum`.

    Returns:
        $\beta_i \ge 1/2$; inf where $\omega_i = 1$, since what views share entirely never
        collapses.

    Raises:
        ValueError: outside [-1, 1] beyond rounding (where concrete; NaN inside a trace).

    Source: derived, for the objective of Bardes2022.
    """
    rounding = float(jnp.finfo(as_float(spectrum, "spectrum").dtype).eps) ** 0.5
    apart = 1 - require_range("spectrum", spectrum, -1 - rounding, 1 + rounding)
    differs = ~(apart <= 0)
    return jnp.where(differs, 1 / jnp.where(differs, apart, 1), jnp.inf)


class FamilyThresholds(Shown):
    r"""The squared alignment $\alpha^2$ above which an objective keeps exactly the signal.

    Unclipped, as in `AlignmentThresholds`: below 0, and -inf, no alignment is needed; at inf none
    is enough.

    Args:
        alignment_only: -inf or inf, for `barlow_twins` too: α doesn't matter.
        invariance_only: finite; grows where noise is *weak*.
        reconstruction_path: from α_RC² at l = 0 to α_JE² at l = inf.
        soft_constraint: for a code with room for every direction, signal and noise.

    Source: derived.
    """

    alignment_only: Float[Array, ""]
    invariance_only: Float[Array, ""]
    reconstruction_path: Float[Array, ""]
    soft_constraint: Float[Array, ""]


def family_thresholds(
    signal: Numbers,
    noise: Numbers,
    base_signal: Numbers,
    base_noise: Numbers,
    weight: Numbers,
    price: Numbers,
) -> FamilyThresholds:
    r"""Compute how much alignment the wider family needs, on the model of `alignment_thresholds`.

    Signals of variance λ under a base augmentation θ_i, irrelevant noise of variance γ under θ_j,
    and an augmentation that adds α² times the noise. With as many codes as signals, the signals
    must score higher than the noise:

    $$ \text{alignment: } \lambda_i > \gamma_j, \qquad
       \text{invariance: } \theta_i < \theta_j + \alpha^2\gamma_j, \qquad
       \text{path: } \frac{\lambda_i(\lambda_i + l)}{\lambda_i + \theta_i} >
       \frac{\gamma_j(\gamma_j + l)}{(1 + \alpha^2)\gamma_j + \theta_j} $$

    $$ \alpha^2 > \max_j\, (\max_i \theta_i - \theta_j)/\gamma_j, \qquad
       \alpha^2 > \max_{ij}\; \frac{\gamma_j + l}{\lambda_i + l}\Big(1 +
       \frac{\theta_i}{\lambda_i}\Big) - 1 - \frac{\theta_j}{\gamma_j} $$

    A soft constraint needs no such number of codes: with room for all, noise must collapse and
    signals must not,

    $$ \alpha^2 \ge \max_j\; \frac{1}{\beta - 1} - \frac{\theta_j}{\gamma_j}, \qquad
       \beta < \min_i (\lambda_i + \theta_i)/\theta_i $$

    Args:
        signal: $\lambda > 0$, (k,) variances.
        noise: $\gamma > 0$, (q,).
        base_signal: $\theta_i \ge 0$, a scalar or (k,).
        base_noise: $\theta_j \ge 0$, a scalar or (q,).
        weight: $l \ge 0$ of `reconstruction_path`, a scalar, a variance; inf is joint embedding.
        price: $\beta > 0$ of `soft_constraint`, a scalar.

    Returns:
        `FamilyThresholds`: α², unclipped.

    Raises:
        ValueError: shapes that don't fit, or values out of range (where concrete; NaN inside a
            trace).

    Source: derived, on the model of JEvRC, section 4.
    """
    most = float(jnp.finfo(jnp.result_type(float)).max)
    lam = require_range("signal", signal, 0, most, positive=True)
    gamma = require_range("noise", noise, 0, most, positive=True).astype(lam.dtype)
    for name, values in (("signal", lam), ("noise", gamma)):
        if values.ndim != 1 or not values.size:
            raise ValueError(f"{name} must be variances, (m,); got shape {values.shape}.")
    theta_i = like("base_signal", require_range("base_signal", base_signal, 0, most), lam)
    theta_j = like("base_noise", require_range("base_noise", base_noise, 0, most), gamma)
    pull = require_range("weight", weight, 0, jnp.inf).astype(lam.dtype)
    beta = require_range("price", price, 0, jnp.inf, positive=True).astype(lam.dtype)
    for name, value in (("weight", pull), ("price", beta)):
        if value.ndim:
            raise ValueError(f"{name} must be a scalar; got shape {value.shape}.")

    inf = jnp.inf
    finite = jnp.where(jnp.isinf(pull), 0, pull)
    ratio = (gamma[None, :] + finite) / (lam[:, None] + finite)
    ratio = jnp.where(jnp.isinf(pull), 1, ratio)
    path = ratio * (1 + theta_i / lam)[:, None] - 1 - (theta_j / gamma)[None, :]
    gone = jnp.where(beta > 1, 1 / jnp.where(beta > 1, beta - 1, 1), inf)
    lost = jnp.any((theta_i > 0) & (beta * theta_i >= lam + theta_i))
    found = (
        jnp.where(jnp.min(lam) > jnp.max(gamma), -inf, inf),
        jnp.max((jnp.max(theta_i) - theta_j) / gamma),
        jnp.max(path),
        jnp.where(lost, inf, jnp.max(gone - theta_j / gamma)),
    )
    known = jnp.sum(lam) + jnp.sum(gamma) + jnp.sum(theta_i) + jnp.sum(theta_j)
    bad = jnp.isnan(known) | jnp.isnan(pull) | jnp.isnan(beta)
    return FamilyThresholds(*(jnp.where(bad, jnp.nan, square) for square in found))
