"""Problems for the objectives: a data covariance and an additive augmentation, both dense."""

import jax.numpy as jnp
import numpy as np
from helpers import covariance

import linssl


def separated(size: int, low: float, high: float) -> np.ndarray:
    """A spectrum with clear gaps, so that every cut is identified."""
    return np.geomspace(high, low, size)


def clean_and_view(seed: int, d: int = 5):
    """Return C and Theta with random orientations, condition at most 20 each."""
    C = covariance(separated(d, 0.2, 4.0), seed)
    Theta = covariance(separated(d, 0.05, 1.0), seed + 77)
    return C, Theta


def two_views(C, Theta) -> linssl.Views:
    return linssl.two_views(linssl.pairs.same_instance_population(C), linssl.GaussianNoise(Theta))


def view_and_clean(C, Theta) -> linssl.PairMoments:
    return linssl.view_and_clean(
        linssl.pairs.same_instance_population(C), linssl.GaussianNoise(Theta)
    )


def minimise(loss, size: int, seed: int) -> float:
    """Best value of three BFGS runs from random starts, by an independent optimiser."""
    import jax
    from scipy.optimize import minimize

    value_and_grad = jax.jit(jax.value_and_grad(loss))
    rng = np.random.default_rng(seed)

    def both(x):
        value, grad = value_and_grad(jnp.asarray(x))
        return float(value), np.asarray(grad)

    starts = rng.standard_normal((3, size))
    return min(
        minimize(both, x, jac=True, method="BFGS", options={"gtol": 1e-9}).fun for x in starts
    )
