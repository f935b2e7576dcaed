"""When two features are learned at the same time, by JEPA and by a masked autoencoder."""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float

from linssl.arguments import Numbers, require_range
from linssl.linalg.shown import Shown
from linssl.theory.dynamics.predictive import PredictiveTrajectory, jepa_dynamics, mae_dynamics
from linssl.theory.dynamics.trajectory import LARGEST, features


class LearningCrossing(Shown):
    r"""The ratio of covariances $\lambda_B/\lambda_A$ at which B is learned together with A.

    Above it B comes first, below it A does. Between the two numbers JEPA and MAE disagree.

    Args:
        jepa: of JEPA, in the shape of $\rho_B$.
        mae: of MAE.

    Source: derived, from Littwin2024.
    """

    jepa: Float[Array, "*m"]
    mae: Float[Array, "*m"]


def learning_crossing(
    coefficient: Numbers, other: Numbers, depth: int, start: Numbers, share: Numbers = 0.5
) -> LearningCrossing:
    r"""Compute $\lambda_B/\lambda_A = T(\rho_B)/T(\rho_A)$, where A and B change places.

    A learning time is $T(\rho)/\lambda$, exactly: λ only sets the unit of time. T is the closed
    form of `jepa_dynamics` and `mae_dynamics`. Where $\rho_B < \rho_A$, JEPA asks more of B than
    MAE does; as the start shrinks both ratios tend to 1.

    Args:
        coefficient: $\rho_A > 0$, a scalar.
        other: $\rho_B > 0$, a scalar or (m,).
        depth: L >= 1.
        start: $w_0 > 0$, of both features, a scalar; below the share of their limits, else the
            time is 0, and a ratio of such times NaN.
        share: of a feature's limit at which it counts as learned, in (0, 1).

    Returns:
        `LearningCrossing`.

    Raises:
        ValueError: what `jepa_dynamics` and `learning_time` refuse.

    Source: derived, from Littwin2024.
    """
    rho_a = require_range("coefficient", coefficient, 1 / LARGEST, LARGEST)
    if rho_a.ndim:
        raise ValueError(f"coefficient must be a scalar; got shape {rho_a.shape}.")
    rho_b = features("other", other, 1 / LARGEST, LARGEST).astype(rho_a.dtype)

    rho = jnp.append(rho_a, rho_b)  # A first

    def ratio(dynamics: Callable[..., PredictiveTrajectory]) -> Array:
        times = dynamics(jnp.ones_like(rho), 1 / rho, depth, start).learning_time(share)
        return (times[1:] / times[0]).reshape(rho_b.shape)

    return LearningCrossing(ratio(jepa_dynamics), ratio(mae_dynamics))
