r"""What is irrelevant: by the labels, or by what an augmentation shakes; and aligning with it."""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from linssl.diagnosis.estimates import SURE
from linssl.diagnosis.measure import Encoded, SingularError, solve_leading
from linssl.diagnosis.samples import Sample
from linssl.linalg.structure import dense, diagonal
from linssl.moments import PairMoments, Views

ALPHAS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
ROUNDS = 5  # of telling the base from what isn't


def within_labels(label: PairMoments) -> np.ndarray:
    r"""Return the covariance that labels don't explain; for classes, that within them.

    $$ \Gamma = S - K L^+ K^T $$

    Source: derived (normal equations).
    """
    S, K, L = (np.asarray(m) for m in (label.first, label.cross, label.second))
    Gamma = S - K @ np.linalg.pinv(L, hermitian=True) @ K.T
    values, vectors = np.linalg.eigh((Gamma + Gamma.T) / 2)
    return (vectors * np.maximum(values, 0)) @ vectors.T


def shaken(views: Views, folds: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the directions that an augmentation shakes beyond a flat base, and by how much.

    The eigenvalues of $\Sigma$ have a flat base where more than half of them equal their median:
    to rounding where Σ is exact, else within their errors, `beside_base`. What lies above the base
    is named irrelevant.

    Args:
        views: $\Sigma$, and whether it is exact: draws of inf.
        folds: Σ of each, where it isn't.

    Returns:
        (N, excess): orthonormal (d, q), and $N (\sigma^2 - \text{base}) N^T$, (d, d); q = 0 where
        nothing is above the base, or nothing is flat.

    Source: derived.
    """
    S, Sigma = np.asarray(diagonal(views.covariance)), np.asarray(dense(views.spread))
    varies = np.flatnonzero(S > 0)
    kept = np.ix_(varies, varies)
    values, vectors = (a[..., ::-1] for a in np.linalg.eigh(Sigma[kept]))
    if np.isinf(float(views.draws)):
        base = float(np.median(values))
        beside = SURE * (values - base) / max(1e-7 * values[0], np.finfo(float).tiny)
    else:
        base, beside = beside_base([fold[kept] for fold in folds])
    flat = np.mean(np.abs(beside) <= SURE) > 0.5 and base > 0
    count = int(np.argmin(np.append(beside > SURE, False))) if flat else 0
    N = np.zeros((len(S), count))
    N[varies] = vectors[:, :count]
    return N, (N * np.maximum(values[:count] - base, 0)) @ N.T


def beside_base(folds: list[np.ndarray]) -> tuple[float, np.ndarray]:
    r"""Return the base of a spectrum, and how far each eigenvalue is from it, in standard errors.

    With $v_j$ the j-th direction of one half of the folds, and b a fold of the other,
    $v_j^T \Sigma_b v_j$ has the mean $v_j^T \Sigma v_j$ whatever the law, as $v_j$ knows nothing
    of b: chance makes no direction stand out in data that it wasn't found in, as it does among the
    eigenvalues of one sample. The base is the mean over those directions that don't differ from it,
    the middle one to begin with. Differences are taken within folds, so that what is common to all
    directions of a fold, such as its strength, cancels. Each half judges the other; where both
    found the same by chance they agree, so the two count as one, with B/2 folds in the error.

    Args:
        folds: $\Sigma_b$, (d, d) each.

    Returns:
        (base, t): t is (d,), from the largest eigenvalue down.

    Source: derived (cross-validated eigenvalues; Abadir, Distaso and Zikes, 2014).
    """
    seen = []
    for half in (folds[::2], folds[1::2]):
        V = np.linalg.eigh(sum(folds) - sum(half))[1][:, ::-1]
        seen += [np.sum(V * (fold @ V), axis=0) for fold in half]
    values, d = np.array(seen), len(folds[0])
    rounding = max(1e-7 * float(np.abs(values).max()), np.finfo(float).tiny)
    flat = near = np.isin(np.arange(d), ((d - 1) // 2, d // 2))
    beside = np.zeros(d)
    for _ in range(ROUNDS):
        flat = near if near.any() else flat
        apart = values - values[:, flat].mean(1, keepdims=True)
        error = apart.std(0, ddof=1) / np.sqrt(len(values) / 2)
        beside = apart.mean(0) / np.maximum(error, rounding)
        near = np.abs(beside) <= SURE
    return float(values[:, flat].mean()), beside


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
    margins: Callable[[Sample, Encoded], np.ndarray],
) -> list[tuple[float, np.ndarray]]:
    """Return by how much each paradigm keeps the signal at ever larger alignments, until both do.

    What can't be solved is left out, and so is what scores that tie leave arbitrary.

    Args:
        sample: moments without alignment.
        Gamma: what to align with.
        dim: k.
        margins: what is kept by the codes of an aligned sample, (2,).
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
        found.append((alpha, margins(more, encoded)))
        if (found[-1][1] > 0).all():
            break
    return found
