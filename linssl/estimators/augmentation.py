"""From the parameters of an estimator to its augmentation."""

import numbers
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from linssl.arguments import NAMED, as_float, describe
from linssl.augmentations import Augmentation, GaussianNoise, compose
from linssl.augmentations.gaussian import check_covariance

SHARE = 0.1  # of the mean variance: the default augmentation
MOST = float(np.finfo(float).max)


def as_augmentation(
    augmentation: Any,
    aligned: Any,
    alpha: Any,
    covariance: np.ndarray,
    names: np.ndarray | None = None,
) -> Augmentation:
    r"""Return the base augmentation, followed by noise of covariance $\alpha^2\Gamma$.

    Args:
        augmentation: an `Augmentation`; or isotropic noise, by its share of the mean variance.
        aligned: $\Gamma$, (d, d) or (d,), or None.
        alpha: $\alpha \ge 0$.
        covariance: of the data, (d, d).
        names: of the features; None where they have none.

    Raises:
        ValueError: none of these, for another number of features, or for features of other names.

    Source: derived; JEvRC, section 4, $\mathcal T(\alpha)$.
    """
    d, base = len(covariance), SHARE if augmentation is None else augmentation
    if _is_number(base) and 0 <= base <= MOST:
        variance = float(base) * float(np.trace(covariance)) / d
        if not np.isfinite(variance):
            raise ValueError(f"augmentation {base:g} of the mean variance overflows: choose less.")
        base = GaussianNoise(np.full(d, variance))
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
    if not _is_number(alpha) or not 0 <= alpha <= MOST:
        raise ValueError(f"alpha must be a number, finite and >= 0; got {alpha!r}.")
    if aligned is None:
        if alpha != 1:
            raise ValueError(f"alpha scales aligned, which is None: alpha = {alpha} does nothing.")
        return base
    _require_names(aligned, names)
    noise = as_float(aligned, "aligned")
    check_covariance("aligned", noise)
    if len(noise) != d:
        raise ValueError(f"aligned is for {len(noise)} features; X has {d}.")
    with np.errstate(over="ignore"):
        scaled = np.square(float(alpha)) * np.asarray(noise, float)
    if not np.isfinite(scaled).all():
        raise ValueError(f"alpha squared times aligned overflows; got alpha = {alpha:g}.")
    return compose(base, GaussianNoise(scaled))


def _require_names(aligned: Any, names: np.ndarray | None) -> None:
    """Raise where a table of noise names other features, or in another order, than the data.

    As scikit-learn compares data with data: where one of them has no names, places count.
    """
    if names is None:
        return
    for side in ("index", "columns"):
        labels = getattr(aligned, side, None)
        given = None if labels is None or callable(labels) else list(labels)
        if given and all(isinstance(name, str) for name in given) and given != list(names):
            raise ValueError(
                f"aligned must name the features of X in their order; its {side} is "
                f"{', '.join(given[:NAMED])}, and X has {', '.join(names[:NAMED])}."
            )


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
