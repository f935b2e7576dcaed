"""Spectra of signals and noises, as callers hand them over."""

import jax.numpy as jnp
from jaxtyping import Array

from linssl.arguments import (
    Numbers,
    as_float,
    like,
    require_covariance,
    within,
)


def spectra(
    signal: Numbers, noise: Numbers, base_signal: Numbers, base_noise: Numbers
) -> tuple[Array, Array, Array, Array]:
    """Check λ, γ, and Θ on either; NaN for bad traced ones."""
    lam, gam = as_float(signal, "signal"), as_float(noise, "noise")
    gam = gam.astype(lam.dtype)
    for name, values in (("signal", lam), ("noise", gam)):
        if values.ndim != 1 or values.size == 0:
            raise ValueError(f"{name} must be a (k,) array of variances; got {values.shape}.")
        require_covariance(name, values, definite=True)

    bases = variances("base_signal", base_signal, lam), variances("base_noise", base_noise, gam)
    lam, gam = (jnp.where(v > 0, v, jnp.nan) for v in (lam, gam))
    return lam, gam, *bases


def variances(name: str, values: Numbers, other: Array) -> Array:
    """Check variances like `other`; NaN for bad traced ones."""
    array = like(name, as_float(values, name), other)
    require_covariance(name, array)
    return within(array, 0, jnp.inf)
