"""From rows and parameters to the moments of views: what n enters stays in numpy."""

import numbers
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from linssl._checks import describe, require_room
from linssl._structure import as_float
from linssl.augment import Augmentation, GaussianNoise, augment, compose
from linssl.augment.gaussian import check_covariance
from linssl.moments import PairMoments
from linssl.pairing import same_instance_moments

SHARE = 0.1  # of the mean variance: the default augmentation


class Centred(NamedTuple):
    r"""Rows about their mean, and their covariance, divisor n.

    Args:
        rows: $X - \bar x$, (n, d), where a constant column is 0 exactly.
        mean: $\bar x$, (d,).
        covariance: $C$, (d, d).
        count: n, as an array, so that nothing is compiled for it.

    Source: derived.
    """

    rows: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray
    count: np.ndarray

    @property
    def rank(self) -> int:
        """Return how many directions the data have, 1 at least. Source: derived."""
        return max(int(np.linalg.matrix_rank(self.covariance, hermitian=True)), 1)


def centre(X: np.ndarray) -> Centred:
    """Subtract the mean before any square is taken, so that a large one costs no digits.

    Raises ValueError where squares overflow. Source: derived.
    """
    require_room(X.shape[1], 8)
    with np.errstate(over="ignore", invalid="ignore"):
        rows = X.astype(np.float64)
        mean = np.where((rows == rows[:1]).all(0), rows[0], rows.mean(0))
        rows = rows - mean
        covariance = rows.T @ rows / len(rows)
    if not np.isfinite(covariance).all():
        raise ValueError(f"X overflows when squared; its largest is {abs(X).max():g}: rescale it.")
    return Centred(rows, mean, covariance, np.asarray(float(len(rows))))


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


def views(data: Centred, view: Augmentation, clean: bool = False) -> PairMoments:
    """Return the pair of two views of a row, or of a view and its clean row.

    Source: derived; the pairs of JEvRC, section 3.
    """
    C, count = jnp.asarray(data.covariance), jnp.asarray(data.count)
    rows = same_instance_moments(C, 0 * C[0], count)
    return augment(rows, view, None if clean else view).centred()
