r"""Semantic pairs against alignment: how much of one replaces the other."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from linssl.arguments import Numbers, as_float, as_share, is_concrete
from linssl.theory.thresholds.alignment import AlignmentThresholds, clipped_root


class PairingThresholds(AlignmentThresholds):
    r"""What keeps the classes: alignment for a given pairing, or pairing without alignment.

    Args, after those of `AlignmentThresholds`:
        joint_embedding_fraction: $p_c$ of JE: more pairing than this needs no alignment.
        reconstruction_fraction: $p_c$ of RC. Both NaN at q = 1, where pairing tells nothing.

    Source: derived, for the pairs of SemPairs.
    """

    joint_embedding_fraction: Float[Array, ""]
    reconstruction_fraction: Float[Array, ""]


def pairing_thresholds(
    class_variance: Numbers,
    noise: Numbers,
    base_class: Numbers,
    base_noise: Numbers,
    fraction: Numbers = 0.0,
    mislabelled: Numbers = 0.0,
) -> PairingThresholds:
    r"""Compute what class directions need in order to score above the noise.

    With $r = (1 - p)/(1 - pq)$, class variances κ, noise variances g, and base augmentation θ:

    $$ \alpha_{JE}^2 = \max_{ij}\; r (1 + \theta_i/\kappa_i) - 1 - \theta_j/g_j, \qquad
       \alpha_{RC}^2 = \max_{ij}\; r^2 g_j (\kappa_i + \theta_i)/\kappa_i^2 - 1 - \theta_j/g_j $$

    $$ p_c = \max_{ij} \frac{1 - x}{1 - qx}, \qquad
       x_{JE} = \frac{\kappa_i (g_j + \theta_j)}{g_j (\kappa_i + \theta_i)}, \qquad
       x_{RC} = \frac{\kappa_i}{g_j} \sqrt{\frac{g_j + \theta_j}{\kappa_i + \theta_i}} $$

    and $p_c = 0$ where $x \ge 1$. For a population whose class, noise and other directions are
    axes of all moments, mislabelled pairs of a redrawn class, and n = ∞. Instance signal within
    classes isn't kept: it falls with $1 - p$, as the noise does.

    Args:
        class_variance: $\kappa$, (k,) or a scalar: variances between classes.
        noise: $g$, (q,) or a scalar.
        base_class: $\theta_i$, (k,) or a scalar: base augmentation on the classes, a variance.
        base_noise: $\theta_j$, (q,) or a scalar: on the noise.
        fraction: $p \in [0, 1]$.
        mislabelled: $q \in [0, 1]$; at p = q = 1 all α are NaN.

    Returns:
        `PairingThresholds`: α (not α²), the unclipped squares, and the critical fractions.

    Raises:
        ValueError: variances that aren't > 0 (class, noise) or >= 0 (base), shapes that don't
            fit, or p or q outside [0, 1] (where concrete).

    Source: derived, for the pairs of SemPairs.
    """
    kappa, theta_i = _variances("class_variance", class_variance, "base_class", base_class)
    g, theta_j = _variances("noise", noise, "base_noise", base_noise)
    p, q = as_share("fraction", fraction), as_share("mislabelled", mislabelled)
    p, q = p.astype(kappa.dtype), q.astype(kappa.dtype)
    kappa, theta_i, g, theta_j = kappa[:, None], theta_i[:, None], g[None, :], theta_j[None, :]
    r = (1 - p) / (1 - p * q)
    # Ratios alone: no square over- or underflows.
    A, B = 1 + theta_i / kappa, 1 + theta_j / g
    je, rc = r * A - B, jnp.square(r) * (g / kappa) * A - B
    x_je, x_rc = B / A, jnp.sqrt(kappa / g * (B / A))

    def critical(x: Array) -> Array:
        needed = jnp.where(x >= 1, 0, (1 - x) / (1 - q * jnp.minimum(x, 1)))
        return jnp.where(q == 1, jnp.nan, jnp.max(needed))

    je_squared, rc_squared = jnp.max(je), jnp.max(rc)
    return PairingThresholds(
        joint_embedding=clipped_root(je_squared),
        reconstruction=clipped_root(rc_squared),
        joint_embedding_squared=je_squared,
        reconstruction_squared=rc_squared,
        joint_embedding_fraction=critical(x_je),
        reconstruction_fraction=critical(x_rc),
    )


def _variances(name: str, values: Numbers, base: str, under: Numbers) -> tuple[Array, Array]:
    v = jnp.atleast_1d(as_float(values, name))
    b = as_float(under, base).astype(v.dtype)
    if v.ndim != 1 or not v.size or b.shape not in ((), v.shape):
        raise ValueError(
            f"{name} must be (k,) and {base} a scalar or (k,); got {v.shape} and {b.shape}."
        )
    for label, array, least in ((name, v, "> 0"), (base, b, ">= 0")):
        if is_concrete(array):
            smallest = float(np.min(np.asarray(array), initial=np.inf))
            if not np.isfinite(np.asarray(array)).all():
                raise ValueError(f"{label} must be finite; got {array}.")
            if not (smallest > 0 or (least == ">= 0" and smallest == 0)):
                raise ValueError(f"{label} must hold variances {least}; got {smallest:g}.")
    v, b = jnp.where(v > 0, v, jnp.nan), jnp.where(b >= 0, b, jnp.nan)
    return v, jnp.broadcast_to(b, v.shape)
