r"""Linear probes from moments: discriminants for classes, least squares for numbers.

Least squares on one-hot classes hides a class that lies between others; a discriminant doesn't.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy.linalg import solve

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
    return discriminants(label, (0.0,))[0]


def discriminants(label: PairMoments, shrinks: Sequence[float]) -> list[Probe]:
    r"""Return discriminants for ever more shrinkage s, with codes scaled to variance 1.

    $$ S_w \to (1 - s)\, S_w + s\, \frac{\mathrm{tr}\, S_w}{k} I $$

    Source: Friedman1989.
    """
    share = np.asarray(label.mean_second)
    seen = share > 0
    steps = np.asarray(label.cross) / np.where(seen, share, 1)  # class means less the mean, (k, C)
    S_w = np.asarray(label.first) - (steps * share) @ steps.T
    mean = np.asarray(label.mean_first)
    prior = np.log(np.where(seen, share, 1)) + np.where(seen, 0, -np.inf)
    found = []
    for weights in _over(S_w, np.diag(np.asarray(label.first)), steps, shrinks):
        half = 0.5 * np.sum(steps * weights, axis=0)
        found.append(Probe(weights, prior - half - mean @ weights))
    return found


def least_squares(label: PairMoments) -> Probe:
    """Return the least squares fit. Source: derived (normal equations)."""
    F = whitening(label)[0]
    return _about_means(F.T @ (F @ np.asarray(label.cross)), label)


def ridges(label: PairMoments, shrinks: Sequence[float]) -> list[Probe]:
    r"""Return least squares for ever more shrinkage s: $S + s I$, with codes scaled to variance 1.

    Source: HoerlKennard1970.
    """
    S, K = np.asarray(label.first), np.asarray(label.cross)
    unit = np.sqrt(np.where(np.diag(S) > 0, np.diag(S), 1))
    found = []
    for s in shrinks:
        if s == 0:
            found.append(least_squares(label))
            continue
        R = S / unit / unit[:, None] + s * np.eye(len(S))
        weights = solve(R, K / unit[:, None], assume_a="pos") / unit[:, None]
        found.append(_about_means(weights, label))
    return found


def _about_means(weights: np.ndarray, label: PairMoments) -> Probe:
    return Probe(weights, np.asarray(label.mean_second) - np.asarray(label.mean_first) @ weights)


def _over(
    within: np.ndarray, variance: np.ndarray, steps: np.ndarray, shrinks: Sequence[float]
) -> Iterator[np.ndarray]:
    """Divide by what is within classes, without what has fewer than four digits of each code's
    variance: an infinite ratio would be all that counts.
    """
    unit = np.sqrt(np.where(variance > 0, variance, 1))
    values, U = np.linalg.eigh(within / unit / unit[:, None])
    floor = REDUNDANT * max(float(values[-1]), REDUNDANT)
    inverse = np.where(variance > 0, 1, 0) / unit
    turned = U.T @ (inverse[:, None] * steps)
    for s in shrinks:
        eased = (1 - s) * np.maximum(values, floor) + s * max(float(values.mean()), floor)
        yield inverse[:, None] * (U @ (turned / eased[:, None]))
