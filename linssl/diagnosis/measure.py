r"""What one part of the data says: both encoders, and what their codes keep."""

from typing import NamedTuple

import jax
import numpy as np

from linssl.diagnosis.explained import adjusted_r2, best_r2
from linssl.diagnosis.samples import Sample
from linssl.linalg.host import leading_on_host
from linssl.linalg.pencil import Square
from linssl.linalg.status import FATAL, Status
from linssl.linalg.structure import dense, diagonal
from linssl.linalg.whitening import Whitener, whitener
from linssl.moments import Views
from linssl.objectives import identified, joint_embedding, reconstruction

_whitener = jax.jit(whitener)
UNSAFE = FATAL | Status.ILL_CONDITIONED
PARADIGMS = ("joint_embedding", "reconstruction")
EPS = float(np.finfo(float).eps)


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
        return Measured(encoded, in_nuisance(encoded, dims[0], N), np.zeros(0), apart)
    label, shared = sample.label, sample.dependent
    kept = np.array([[adjusted_r2(W[:k], label, shared) for k in dims] for W in encoded.encoders])
    return Measured(encoded, kept, best_r2(label, shared)[np.array(dims) - 1], apart)


def in_nuisance(encoded: Encoded, dim: int, N: np.ndarray) -> np.ndarray:
    """Return how many directions of the codes are in some, (d, q) orthonormal: (2, 1)."""
    bases = (row_basis(W[:dim]) for W in encoded.encoders)
    return np.array([[np.sum(np.square(N.T @ Q))] for Q in bases])


def row_basis(W: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis (d, k) of the rows that aren't 0."""
    size = np.linalg.norm(W, axis=1)
    return np.linalg.qr((W[size > 0] / size[size > 0, None]).T)[0]
