"""What an augmentation does to a part of the data, in its coordinates."""

from collections.abc import Callable
from functools import reduce
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from linssl.augmentations import (
    Augmentation,
    Brightness,
    Dropout,
    Effect,
    GaussianNoise,
    LinearFamily,
    Mixup,
)
from linssl.diagnosis.samples import Estimates
from linssl.linalg.structure import dense
from linssl.moments import merge
from linssl.pairs.black_box import unbiased
from linssl.recommendation.coordinates import Coordinates
from linssl.recommendation.parts import Part

_merge = eqx.filter_jit(merge)


class ViewMoments(NamedTuple):
    r"""Two views, and a view with its instance.

    Args:
        shared: $G$, (r, r).
        spread: $\Sigma$, (r, r).
        cross: $\mathrm{Cov}(\tau, x)$, (r, r).
    """

    shared: np.ndarray
    spread: np.ndarray
    cross: np.ndarray

    def with_noise(self, variance: float) -> "ViewMoments":
        """Add isotropic noise to the views."""
        return self._replace(spread=self.spread + variance * np.eye(len(self.spread)))


Law = Callable[[Part], ViewMoments]


def additive(part: Part, spread: np.ndarray) -> ViewMoments:
    r"""Return the moments of $\tau = x + \varepsilon$, $\varepsilon$ of covariance `spread`."""
    return ViewMoments(part.covariance, spread, part.covariance)


def law_of(a: Augmentation, coordinates: Coordinates) -> Law:
    """Return the law of an augmentation; a finite family's maps are reduced just once."""
    if coordinates.basis is not None and isinstance(a, LinearFamily):
        return _reduced(a, coordinates.basis)
    return lambda part: _of_effect(a, part)


def _reads_variances(a: Augmentation) -> bool:
    """Say whether a spread is made of the features' variances and means alone."""
    return isinstance(a, GaussianNoise | Dropout)


@eqx.filter_jit
def _effect(a: Augmentation, covariance: jax.Array, mean: jax.Array) -> Effect:
    return a.effect(covariance, mean)


def _of_effect(a: Augmentation, part: Part) -> ViewMoments:
    """Return the moments by the augmentation's own effect, on the features."""
    C, at = part.covariance, part.coordinates
    if isinstance(a, Mixup | Brightness):  # the same in any orthonormal coordinates
        effect = _effect(a, jnp.asarray(C), jnp.asarray(part.mean))
        spread = np.asarray(effect.spread)
    else:
        moments = part.lifted_diagonal if _reads_variances(a) else part.lifted
        effect = _effect(a, *map(jnp.asarray, moments))
        spread = at.spread_down(np.asarray(effect.spread))
    A = None if effect.linear is None else np.asarray(effect.linear)
    if A is None or A.ndim == 0:
        scale = 1.0 if A is None else float(A)
        return ViewMoments(scale**2 * C, spread, scale * C)
    A = at.spread_down(A)
    return ViewMoments(A @ C @ A.T, spread, A @ C)


def _reduced(a: LinearFamily, B: np.ndarray) -> Law:
    r"""Return the law of $\tilde A_p = B^T A_p B$, with differences of maps as the family has them.

    $$ \Sigma = \sum_p \pi_p \tilde D_p (C + \mu\mu^T) \tilde D_p^T $$

    Source: derived; Balestriero2022.
    """
    share = np.asarray(a.probabilities)
    apply = eqx.filter_jit(lambda p, x: a.apply(p, x))
    rows = jnp.asarray(B.T)
    maps = np.stack([(np.asarray(apply(jnp.asarray(p), rows)) @ B).T for p in range(share.size)])
    A = np.tensordot(share, maps, 1)
    D = maps - A
    P, r = len(D), len(A)

    def law(part: Part) -> ViewMoments:
        C = part.covariance
        M = C + np.outer(part.mean, part.mean)
        left = (D.reshape(P * r, r) @ M).reshape(P, r, r) * share[:, None, None]
        spread = np.tensordot(left, D, ((0, 2), (0, 2)))
        return ViewMoments(A @ C @ A.T, (spread + spread.T) / 2, A @ C)

    return law


def sampled(source: Estimates) -> Law:
    """Return the law of a view that was called: moments of each fold are merged."""

    def law(part: Part) -> ViewMoments:
        views, clean = (reduce(_merge, [source[f][side] for f in part.chosen]) for side in (0, 1))
        views, clean = unbiased(views, clean)
        down = part.coordinates.spread_down
        G, Sigma, K = (np.asarray(dense(m)) for m in (views.shared, views.spread, clean.cross))
        return ViewMoments(down(G), down(Sigma), down(K))

    return law
