r"""Thresholds when the irrelevant noise also covers the signal: an interval of α."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from linssl.arguments import Numbers
from linssl.linalg.shown import Shown
from linssl.theory.spectra import spectra, variances


class AlignmentInterval(Shown):
    r"""The alignments at which a paradigm keeps the signal: lower < α² < upper.

    Args:
        lower_squared: -inf where no pair of directions asks for more alignment.
        upper_squared: inf unless a pair is reversed.
        reversed: some pair is reversed: more alignment hurts it, and there is no threshold above
            which the paradigm keeps working.
        empty: no $\alpha \ge 0$ works.

    Source: JEvRC, section 4, extended to noise on the signal (derived).
    """

    lower_squared: Float[Array, ""]
    upper_squared: Float[Array, ""]
    reversed: Bool[Array, ""]
    empty: Bool[Array, ""]


def alignment_interval(
    signal: Numbers,
    noise: Numbers,
    base_signal: Numbers,
    base_noise: Numbers,
    noise_on_signal: Numbers,
) -> tuple[AlignmentInterval, AlignmentInterval]:
    r"""Solve both conditions, linear in α², when Γ also has variances $\gamma_i$ on the signal.

    JE keeps signal i above noise j iff

    $$ \alpha^2 > \theta_i/\lambda_i - (1 + \gamma_i/\lambda_i)\,\theta_j/\gamma_j $$

    and RC iff

    $$ \alpha^2 [(\lambda_i+\gamma_i)^2 - \gamma_i\gamma_j]\,\gamma_j >
       (\lambda_i+\gamma_i+\theta_i)\gamma_j^2 - (\lambda_i+\gamma_i)^2(\gamma_j+\theta_j) $$

    Where $(\lambda_i+\gamma_i)^2 < \gamma_i\gamma_j$ the inequality reverses: it bounds α² from
    above, and RC has no lower threshold. Diagonal Θ and Γ, embedding dimension k, n = ∞. What is
    kept is the set of signal directions; within it the weights differ from the clean solution.

    Args:
        signal: $\lambda_i$, (k,) variances of the clean signal, > 0.
        noise: $\gamma_j$, (q,) variances, > 0.
        base_signal: $\theta_i$, a scalar or (k,).
        base_noise: $\theta_j$, a scalar or (q,).
        noise_on_signal: $\gamma_i$, a scalar or (k,), >= 0.

    Returns:
        (joint embedding, reconstruction), an `AlignmentInterval` each.

    Raises:
        ValueError: shapes that don't fit, or variances out of range.

    Source: JEvRC, section 4, extended to noise on the signal (derived).
    """
    lam, gam, theta_i, theta_j = spectra(signal, noise, base_signal, base_noise)
    gam_i = variances("noise_on_signal", noise_on_signal, lam)
    # Signals down the rows, noises along the columns; only ratios matter, so in units of a signal.
    unit = jax.lax.stop_gradient(jnp.max(lam))
    lam_i, theta_i, gam_i = (v[:, None] / unit for v in (lam, theta_i, gam_i))
    gam_j, theta_j = (v[None, :] / unit for v in (gam, theta_j))

    je_right = theta_i / lam_i - (1 + gam_i / lam_i) * theta_j / gam_j
    total = lam_i + gam_i
    rc_left = total - gam_j * (gam_i / total)  # the condition over total * gamma_j
    rc_right = gam_j * (1 + theta_i / total) - total * (1 + theta_j / gam_j)
    return _interval(jnp.ones_like(je_right), je_right), _interval(rc_left, rc_right)


def _interval(left: Array, right: Array) -> AlignmentInterval:
    r"""Solve $\alpha^2\,$left > right for all entries at once."""
    bound = right / jnp.where(left == 0, 1, left)
    lower = jnp.max(jnp.where(left > 0, bound, -jnp.inf))
    upper = jnp.min(jnp.where(left < 0, bound, jnp.inf))
    # left = 0: the pair doesn't depend on alpha; it is kept always or never.
    never = jnp.any((left == 0) & (right >= 0))
    invalid = jnp.any(jnp.isnan(left) | jnp.isnan(right))  # traced variances that can't be
    lower, upper = (jnp.where(invalid, jnp.nan, bound) for bound in (lower, upper))
    return AlignmentInterval(
        lower_squared=lower,
        upper_squared=upper,
        reversed=jnp.any(left < 0),
        empty=never | (jnp.maximum(lower, 0) >= upper),
    )
