r"""What one part of the data says: both encoders, and what their codes keep."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from scipy.linalg import get_lapack_funcs, solve_triangular

from linssl.diagnosis.samples import Sample
from linssl.linalg.host import leading_on_host
from linssl.linalg.pencil import Square
from linssl.linalg.status import FATAL, Status
from linssl.linalg.structure import dense, diagonal
from linssl.linalg.whitening import Whitener, whitener
from linssl.metrics import probe_r2
from linssl.moments import PairMoments, Views
from linssl.objectives import identified, joint_embedding, reconstruction

_probe_r2 = eqx.filter_jit(probe_r2)
_whitener = jax.jit(whitener)
UNSAFE = FATAL | Status.ILL_CONDITIONED
PARADIGMS = ("joint_embedding", "reconstruction")
EPS = float(np.finfo(float).eps)
LEAST_ROWS = 32  # of an encoder that is compiled for
REDUNDANT = 1e4 * EPS  # of a feature's variance, left beside the others: fewer than four digits


class Encoded(NamedTuple):
    """Encoders, (m, d) each, and scores, (2, m) or more, descending, known to `rounding`."""

    encoders: tuple[np.ndarray, np.ndarray]
    spectra: np.ndarray
    rounding: float

    def tied(self, dim: int, still: np.ndarray | None = None) -> tuple[bool, bool]:
        """Say of each paradigm whether scores tie at the cut, so that its codes are arbitrary.

        Ties are those of rounding: no number of samples would break them. Scores of 0 don't count,
        as nothing is encoded there.

        Args:
            dim: k.
            still: which of joint embedding's codes tie at 1, whatever was added to the views.
        """
        if dim >= self.spectra.shape[1]:
            return False, False
        first, last, cut = self.spectra[:, 0], self.spectra[:, dim - 1], self.spectra[:, dim]
        je, rc = ((last - cut <= self.rounding * first) & (cut > EPS**0.5 * first)).tolist()
        return je or (still is not None and bool(still[dim - 1 : dim + 1].all())), rc


class Measured(NamedTuple):
    """What the codes keep.

    Args:
        encoded: both encoders.
        kept: (2, dims), R² of the labels; or (2, 1), directions of the codes in the nuisance.
        ceiling: (dims,), R² of the best linear codes; empty without labels.
        apart: directions in which the two subspaces differ.
    """

    encoded: Encoded
    kept: np.ndarray
    ceiling: np.ndarray
    apart: float


class SingularError(ArithmeticError):
    """The views' second moment can't be whitened safely."""


def solve(sample: Sample, dim: int) -> Encoded:
    """Solve both paradigms, with all scores.

    Raises:
        SingularError: moments that need a little noise.

    Source: JEvRC, Theorems 1 and 2.
    """
    solutions = joint_embedding(sample.views, dim), reconstruction(sample.clean, dim)
    if any(int(s.status) & int(UNSAFE) for s in solutions):
        raise SingularError
    known = [identified(s) for s in solutions]
    W, E = (np.asarray(s.encoder) for s in known)
    spectra = np.stack([np.asarray(s.spectrum) for s in known])
    return Encoded((W, E), spectra, float(_safe_whitener(sample.views).rounding))


def solve_leading(sample: Sample, dim: int) -> Encoded:
    r"""Solve both for leading codes only: the same encoders, up to twice as fast at d = 784.

    Raises:
        SingularError: moments that need a little noise.

    Source: JEvRC, Theorems 1 and 2.
    """
    F, G, Kt = _safe_whitener(sample.views), sample.views.shared, sample.clean.cross
    found = [leading_on_host(H, F, dim) for H in (dense(G), Square(dense(Kt)))]
    # What isn't identified is 0, as in `identified`.
    W, E = (rows * (scores > EPS**0.5 * scores[0])[:, None] for rows, scores in found)
    return Encoded((W, E), np.stack([scores for _, scores in found]), float(F.rounding))


def _safe_whitener(views: Views) -> Whitener:
    """Return what whitens the views, or raise."""
    F = _whitener(views.covariance, views.rounding)
    if int(F.status) & int(UNSAFE):
        raise SingularError
    return F


def views_agree(views: Views) -> bool:
    r"""Say whether the views of an instance don't differ: $\Sigma$ is 0, to rounding."""
    spread, S = (np.asarray(diagonal(m)) for m in (views.spread, views.covariance))
    return bool((np.abs(spread) <= 1e3 * EPS * S).all())


def unshaken(views: Views, W: np.ndarray) -> np.ndarray:
    r"""Say which codes, (m, d), are of what views share entirely: $w^T \Sigma w = 0$, to rounding.

    All of them score 1, and are as good as one another.
    """
    spread = np.asarray(dense(views.spread))
    seen, size = np.sum((W @ spread) * W, 1), np.sum((np.abs(W) @ np.abs(spread)) * np.abs(W), 1)
    return (seen <= 1e2 * EPS * size) | views_agree(views)


def read(
    sample: Sample, encoded: Encoded, dims: list[int], nuisance: np.ndarray | None
) -> Measured:
    """Read what codes keep.

    Args:
        sample: moments.
        encoded: encoders of max(dims) codes or more.
        dims: numbers of codes; the first is the one that is judged.
        nuisance: (d, m) orthonormal directions that are irrelevant, without labels.
    """
    bases = [row_basis(W[: dims[0]]) for W in encoded.encoders]
    apart = dims[0] - float(np.sum(np.square(bases[0].T @ bases[1])))
    if sample.label is None:
        N = np.zeros((len(bases[0]), 0)) if nuisance is None else nuisance
        kept = np.array([[np.sum(np.square(N.T @ Q))] for Q in bases])
        return Measured(encoded, kept, np.zeros(0), apart)
    kept = np.array([[adjusted_r2(W[:k], sample.label) for k in dims] for W in encoded.encoders])
    return Measured(encoded, kept, best_r2(sample.label)[np.array(dims) - 1], apart)


def row_basis(W: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis (d, k) of the rows that aren't 0."""
    size = np.linalg.norm(W, axis=1)
    return np.linalg.qr((W[size > 0] / size[size > 0, None]).T)[0]


def padded(encoder: np.ndarray) -> Array:
    """Add rows of 0, which a probe ignores: few shapes, which compile once."""
    rows = max(LEAST_ROWS, 1 << (len(encoder) - 1).bit_length())
    return jnp.asarray(np.pad(encoder, ((0, rows - len(encoder)), (0, 0))))


def adjusted_r2(encoder: np.ndarray, label: PairMoments) -> float:
    r"""Return the share of the labels' variance that codes explain, less what chance explains.

    $$ \bar R^2 = 1 - (1 - R^2) \frac{n - 1}{n - k - 1} $$

    Source: derived (least squares with k regressors).
    """
    n, k = float(label.count), len(encoder)
    return float(1 - (1 - _probe_r2(padded(encoder), label)) * (n - 1) / max(n - k - 1, 1))


def whitening(label: PairMoments) -> tuple[np.ndarray, int]:
    r"""Return F, (r, d), with $F S F^T = I_r$, where r features span the others.

    By a Cholesky factor with pivots: each is the variance of a feature, of 1, that those before it
    leave. A feature that they leave less than `REDUNDANT` of is taken for one of them.

    Returns:
        (F, blurred): how many of those left out may still differ from the others, so little that
        rounding hides it.

    Source: derived (normal equations).
    """
    S = np.asarray(label.first)
    unit = np.sqrt(np.where(np.diag(S) > 0, np.diag(S), 1))
    R = S / unit[:, None] / unit[None, :]
    (pstrf,) = get_lapack_funcs(("pstrf",), (R,))
    L, order, rank, _ = pstrf(R, lower=1)
    left = np.square(np.diag(L)[:rank])
    r = int(np.sum(left > REDUNDANT))
    F, used = np.zeros((r, len(S))), order[:r] - 1
    F[:, used] = solve_triangular(L[:r, :r], np.eye(r), lower=True) / unit[used]
    return F, int(np.sum(left[r:] > max(len(S), 100) * EPS))


def best_r2(label: PairMoments) -> np.ndarray:
    r"""Return the R² of the best k linear codes, for every k up to d: the ceiling.

    $$ S^{-1/2} K = U \Phi V^T: \qquad R^2(k) = \sum_{i \le k} \varphi_i^2 / \mathrm{tr}\, L $$

    each $\varphi_i^2$ less what r regressors, the rank of S, explain by chance of its label
    direction $v_i$. NaN where samples are too few, n <= r + 2.

    Raises:
        ValueError: a sum above 1, so that rounding has had its way.

    Source: JEvRC, Theorem 1 (with the label as target); derived (adjustment).
    """
    K, L = (np.asarray(m) for m in (label.cross, label.second))
    F, n, d = whitening(label)[0], float(label.count), len(K)
    r = len(F)
    if n <= r + 2:
        return np.full(d, np.nan)
    _, phi, V = np.linalg.svd(F @ K, full_matrices=False)
    total = np.sum((V @ L) * V, axis=1)
    if np.max(phi**2 - total, initial=0) > 0.01 * np.trace(L):
        raise ValueError(
            "data must tell their columns apart; codes explain more than all of the labels, so "
            "nearly redundant columns have cost the digits: drop some, or pass their differences."
        )
    explained = total - np.maximum(total - phi**2, 0) * (n - 1) / (n - r - 1)
    sums = np.cumsum(np.maximum(explained, 0)) / np.trace(L)
    return np.pad(sums, (0, d - len(sums)), mode="edge")


def label_shares(W: np.ndarray, label: PairMoments | None) -> list[float]:
    """Return the R² of the labels on each code alone."""
    if label is None:
        return []
    S, K, L = (np.asarray(m) for m in (label.first, label.cross, label.second))
    variance = np.sum((W @ S) * W, axis=1)
    explained = np.sum(np.square(W @ K), axis=1) / np.where(variance > 0, variance, 1)
    return (np.where(variance > 0, explained, 0) / np.trace(L)).tolist()
