r"""What is irrelevant: by the labels, or by what an augmentation shakes; and aligning with it."""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from linssl.diagnosis.measure import Measured, SingularError, read, solve_leading
from linssl.diagnosis.samples import Sample
from linssl.linalg.structure import dense, diagonal
from linssl.moments import PairMoments, Views

ALPHAS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
SLACK = 0.05  # of the edges of a sampled flat base, for their own fluctuation


def within_labels(label: PairMoments) -> np.ndarray:
    r"""Return the covariance that labels don't explain; for classes, that within them.

    $$ \Gamma = S - K L^+ K^T $$

    Source: derived (normal equations).
    """
    S, K, L = (np.asarray(m) for m in (label.first, label.cross, label.second))
    Gamma = S - K @ np.linalg.pinv(L, hermitian=True) @ K.T
    values, vectors = np.linalg.eigh((Gamma + Gamma.T) / 2)
    return (vectors * np.maximum(values, 0)) @ vectors.T


def shaken(views: Views) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the directions that an augmentation shakes beyond a flat base, and by how much.

    The eigenvalues of $\Sigma$ have a flat base where more than half of them equal their median:
    to rounding where Σ is exact, else within the edges $(1 \pm \sqrt{d/m})^2$ that m draws of flat
    noise have. What lies above the base is named irrelevant.

    Args:
        views: $\Sigma$, and its draws $m$.

    Returns:
        (N, excess): orthonormal (d, q), and $N (\sigma^2 - \text{base}) N^T$, (d, d); q = 0 where
        nothing is above the base, or nothing is flat.

    Source: derived; Marchenko-Pastur edges of a flat spectrum.
    """
    S, Sigma = np.asarray(diagonal(views.covariance)), np.asarray(dense(views.spread))
    draws, varies = float(views.draws), np.flatnonzero(S > 0)
    values, vectors = np.linalg.eigh(Sigma[np.ix_(varies, varies)])
    base, d = float(np.median(values)), len(S)
    root, slack = np.sqrt(len(varies) / draws), 0 if np.isinf(draws) else SLACK
    low = base * max(1 - root, 0) ** 2 * (1 - slack) - 1e-7 * values[-1]
    high = base * (1 + root) ** 2 * (1 + slack) + 1e-7 * values[-1]
    flat = np.mean((values >= low) & (values <= high)) > 0.5 and base > 0
    above = values > high if flat else np.zeros(len(values), bool)
    N = np.zeros((d, int(above.sum())))
    N[varies] = vectors[:, above]
    return N, (N * (values[above] - base)) @ N.T


def aligned(sample: Sample, Gamma: np.ndarray, alpha: float) -> Sample:
    r"""Add $\alpha^2 \Gamma$ to what the augmentation shakes. Source: JEvRC, section 4."""
    more = jnp.asarray(alpha**2 * Gamma)
    views = eqx.tree_at(lambda v: v.spread, sample.views, dense(sample.views.spread) + more)
    clean = eqx.tree_at(lambda p: p.first, sample.clean, dense(sample.clean.first) + more)
    return sample._replace(views=views, clean=clean)


def search(
    sample: Sample,
    Gamma: np.ndarray,
    dim: int,
    nuisance: np.ndarray | None,
    enough: Callable[[Measured], bool],
) -> list[tuple[float, Measured]]:
    """Measure at ever larger alignments, until that is enough.

    What can't be solved is left out, and so is what scores that tie leave arbitrary.
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
