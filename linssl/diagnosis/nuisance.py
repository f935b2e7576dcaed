r"""What is irrelevant: by the labels, or by what an augmentation shakes; and aligning with it."""

import dataclasses
from collections.abc import Callable

import jax.numpy as jnp
import numpy as np

from linssl._structure import dense
from linssl.diagnosis.measure import Measured, SingularError, read, solve_leading, spread_of
from linssl.diagnosis.samples import Sample
from linssl.moments import PairMoments

ALPHAS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
SLACK = 0.05  # of the edges of a sampled flat base, for their own fluctuation


def within_labels(label: PairMoments) -> np.ndarray:
    r"""Return the covariance that labels don't explain; for classes, that within them.

    $$ \Gamma = S - K L^+ K^T $$

    Source: derived (normal equations).
    """
    S, K, L = (np.asarray(dense(m)) for m in (label.first, label.cross, label.second))
    Gamma = S - K @ np.linalg.pinv(L, hermitian=True) @ K.T
    values, vectors = np.linalg.eigh((Gamma + Gamma.T) / 2)
    return (vectors * np.maximum(values, 0)) @ vectors.T


def shaken(views: PairMoments, draws: float) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the directions that an augmentation shakes beyond a flat base, and by how much.

    The eigenvalues of $\Sigma = S - G$ have a flat base where more than half of them equal their
    median: to rounding where Σ is exact, else within the edges $(1 \pm \sqrt{d/m})^2$ that m
    sampled differences of flat noise have. What lies above the base is named irrelevant.

    Args:
        views: moments of two views.
        draws: $m$, independent differences behind Σ; inf where it is exact.

    Returns:
        (N, excess): orthonormal (d, q), and $N (\sigma^2 - \text{base}) N^T$, (d, d); q = 0 where
        nothing is above the base, or nothing is flat.

    Source: derived; Marchenko-Pastur edges of a flat spectrum.
    """
    S, Sigma = np.asarray(dense(views.first)), spread_of(views)
    varies = np.flatnonzero(np.diag(S) > 0)
    values, vectors = np.linalg.eigh(Sigma[np.ix_(varies, varies)])
    base, d = float(np.median(values)), len(S)
    if np.isinf(draws):
        low, high = base - 1e-7 * values[-1], base + 1e-7 * values[-1]
    else:
        root = np.sqrt(len(varies) / draws)
        low, high = base * max(1 - root, 0) ** 2 * (1 - SLACK), base * (1 + root) ** 2 * (1 + SLACK)
    flat = np.mean((values >= low) & (values <= high)) > 0.5 and base > 0
    above = values > high if flat else np.zeros(len(values), bool)
    N = np.zeros((d, int(above.sum())))
    N[varies] = vectors[:, above]
    return N, (N * (values[above] - base)) @ N.T


def aligned(sample: Sample, Gamma: np.ndarray, alpha: float) -> Sample:
    r"""Add $\alpha^2 \Gamma$ to what the augmentation shakes. Source: JEvRC, section 4."""
    more = jnp.asarray(alpha**2 * Gamma)
    S, C, within = sample.views.first, sample.clean.first, sample.views.within
    views = dataclasses.replace(
        sample.views,
        first=dense(S) + more,
        second=dense(S) + more,
        within=None if within is None else dense(within) + more,
    )
    return sample._replace(
        views=views, clean=dataclasses.replace(sample.clean, first=dense(C) + more)
    )


def search(
    sample: Sample,
    Gamma: np.ndarray,
    dim: int,
    nuisance: np.ndarray | None,
    enough: Callable[[Measured], bool],
) -> list[tuple[float, Measured]]:
    """Measure at ever larger alignments, until that is enough.

    What can't be solved is left out, and so is what scores that tie leave arbitrary.

    Source: derived.
    """
    found = []
    for alpha in ALPHAS:
        try:
            more = aligned(sample, Gamma, alpha)
            encoded = solve_leading(more, min(dim + 1, len(Gamma)))  # one more, for the gap
        except SingularError:
            continue
        if any(encoded.tied(dim)):
            continue
        found.append((alpha, read(more, encoded, [dim], nuisance)))
        if enough(found[-1][1]):
            break
    return found
