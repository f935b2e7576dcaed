r"""Linear probes from moments: discriminants for classes, least squares for numbers.

Least squares on one-hot classes hides a class that lies between others; a discriminant doesn't.
"""

from typing import NamedTuple

import numpy as np

from linssl.diagnosis.explained import REDUNDANT, whitening
from linssl.moments import PairMoments


class Probe(NamedTuple):
    """Scores z @ weights + offset of codes z, (n, k): the largest is the class, or the numbers."""

    weights: np.ndarray  # (k, e)
    offset: np.ndarray  # (e,)

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """Return scores, (n, e)."""
        return z @ self.weights + self.offset


def discriminant(label: PairMoments) -> Probe:
    r"""Return the linear discriminant: the most likely class where classes are Gaussians alike.

    $$ \ell_c(z) = \mu_c^T S_w^{+} z - \tfrac12 \mu_c^T S_w^{+} \mu_c + \log \pi_c, \quad
       S_w = S - \sum_c \pi_c (\mu_c - \mu)(\mu_c - \mu)^T $$

    Args:
        label: moments of codes and one-hot classes.

    Source: Fisher1936; Rao1948.
    """
    share = np.asarray(label.mean_second)
    seen = share > 0
    steps = np.asarray(label.cross) / np.where(seen, share, 1)  # class means less the mean, (k, C)
    S_w = np.asarray(label.first) - (steps * share) @ steps.T
    weights = _inverse(S_w, np.diag(np.asarray(label.first))) @ steps
    mean = np.asarray(label.mean_first)
    prior = np.log(np.where(seen, share, 1)) + np.where(seen, 0, -np.inf)
    half = 0.5 * np.sum(steps * weights, axis=0)
    return Probe(weights, prior - half - mean @ weights)


def least_squares(label: PairMoments) -> Probe:
    """Return the least squares fit. Source: derived (normal equations)."""
    F = whitening(label)[0]
    weights = F.T @ (F @ np.asarray(label.cross))
    return Probe(weights, np.asarray(label.mean_second) - np.asarray(label.mean_first) @ weights)


def _inverse(within: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Return the pseudo-inverse, without what has fewer than four digits of each code's variance.

    What classes tell entirely keeps that little: an infinite ratio would be all that counts.
    """
    unit = np.sqrt(np.where(variance > 0, variance, 1))
    values, U = np.linalg.eigh(within / unit / unit[:, None])
    floor = REDUNDANT * max(float(values[-1]), REDUNDANT)
    inverse = np.where(variance > 0, 1, 0) / unit
    return inverse[:, None] * ((U / np.maximum(values, floor)) @ U.T) * inverse
