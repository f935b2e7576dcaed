"""From the parameters of an estimator to its augmentation."""

import numbers
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from linssl.arguments import as_float, describe
from linssl.augmentations import Augmentation, GaussianNoise, compose
from linssl.augmentations.gaussian import check_covariance

SHARE = 0.1  # of the mean variance: the default augmentation


def as_augmentation(
    augmentation: Any, aligned: Any, alpha: Any, covariance: np.ndarray
) -> Augmentation:
    r"""Return the base augmentation, followed by noise of covariance $\alpha^2\Gamma$.

    Args:
        augmentation: an `Augmentation`; or isotropic noise, by its share of the mean variance.
        aligned: $\Gamma$, (d, d) or (d,), or None.
        alpha: $\alpha \ge 0$.
        covariance: of the data, (d, d).

    Raises:
        ValueError: none of these, or for another number of features.

    Source: derived; JEvRC, section 4, $\mathcal T(\alpha)$.
    """
    d, base = len(covariance), SHARE if augmentation is None else augmentation
    if _is_number(base) and 0 <= base < np.inf:
        base = GaussianNoise(np.full(d, base * np.trace(covariance) / d))
    # A pickle holds numpy arrays.
    base = jax.tree_util.tree_map(
        lambda x: jnp.asarray(x) if isinstance(x, np.ndarray) else x, base
    )
    if not isinstance(base, Augmentation):
        raise ValueError(
            "augmentation must be an Augmentation, a share >= 0 of the mean variance, or None; got "
            f"{base if _is_number(base) else describe(base)}."
        )
    if base.input_size() not in (None, d):
        raise ValueError(f"augmentation is for {base.input_size()} features; X has {d}.")
    if not _is_number(alpha) or not 0 <= alpha < np.inf:
        raise ValueError(f"alpha must be a number, finite and >= 0; got {alpha!r}.")
    if aligned is None:
        if alpha != 1:
            raise ValueError(f"alpha scales aligned, which is None: alpha = {alpha} does nothing.")
        return base
    noise = as_float(aligned, "aligned")
    check_covariance("aligned", noise)
    if len(noise) != d:
        raise ValueError(f"aligned is for {len(noise)} features; X has {d}.")
    return compose(base, GaussianNoise(np.square(float(alpha)) * np.asarray(noise, float)))


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
