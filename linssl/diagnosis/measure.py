r"""What one part of the data says: both encoders, and what their codes keep."""

from typing import Any, NamedTuple

import jax
import numpy as np

from linssl.diagnosis.explained import adjusted_r2, best_r2
from linssl.diagnosis.samples import Sample
from linssl.diagnosis.ties import Tie, all_there, in_nuisance, of_labels
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
        """Say of each paradigm whether scores tie at the cut, so that its codes are arbitrary."""
        je, rc = (tie is not None for tie in self.ties(dim, still))
        return je, rc

    def ties(self, dim: int, still: np.ndarray | None = None) -> tuple[Tie, Tie]:
        """Return of each paradigm which codes tie at the cut, if any do.

        Ties are those of rounding: no number of samples would break them. Scores of 0 don't count,
        as nothing is encoded there.

        Args:
            dim: k.
            still: which of joint embedding's codes tie at 1, whatever was added to the views.
        """
        if dim >= self.spectra.shape[1]:
            return None, None
        alike = []
        for scores in self.spectra:
            near = np.abs(scores - scores[dim]) <= self.rounding * scores[0]
            alike.append(near & (scores[dim] > EPS**0.5 * scores[0]))
        je, rc = (_around(near, dim) for near in alike)
        quiet = None if still is None else _around(still, dim)
        return quiet or je, rc


def _around(alike: np.ndarray, dim: int) -> Tie:
    """Return the run of codes that are alike on both sides of the cut."""
    if not alike[dim - 1 : dim + 1].all():
        return None
    other = np.flatnonzero(~alike)
    start = int(np.max(other[other < dim], initial=-1)) + 1
    return start, int(np.min(other[other > dim], initial=len(alike)))


class Measured(NamedTuple):
    """What the codes keep.

    Args:
        encoded: both encoders.
        kept: (2, dims), R² of the labels; or (2, 1), directions of the codes in the nuisance.
        ceiling: (dims,), R² of the best linear codes; empty without labels.
        apart: directions in which the two subspaces differ.
        choices: (2, 2), the least and the most of `kept` that a choice among tied codes has; NaN
            where that isn't known.
    """

    encoded: Encoded
    kept: np.ndarray
    ceiling: np.ndarray
    apart: float
    choices: np.ndarray


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
    sample: Sample,
    encoded: Encoded,
    dims: list[int],
    nuisance: np.ndarray | None,
    ties: tuple[Tie, Tie] = (None, None),
) -> Measured:
    """Read what codes keep.

    Args:
        sample: moments.
        encoded: encoders of max(dims) codes or more.
        dims: numbers of codes; the first is the one that is judged.
        nuisance: (d, m) orthonormal directions that are irrelevant, without labels.
        ties: of each paradigm, the codes that tie at the cut.
    """
    bases = [row_basis(W[: dims[0]]) for W in encoded.encoders]
    apart = dims[0] - float(np.sum(np.square(bases[0].T @ bases[1])))
    if sample.label is None:
        N = np.zeros((len(bases[0]), 0)) if nuisance is None else nuisance
        unread = np.zeros((2, 0))
        return beside(Measured(encoded, unread, np.zeros(0), apart, unread), dims[0], N, ties)
    label, shared = sample.label, sample.dependent
    kept = np.array([[adjusted_r2(W[:k], label, shared) for k in dims] for W in encoded.encoders])
    choices = [
        (r2[0],) * 2 if tie is None else _known(W, tie, of_labels, dims[0], tie, label, shared)
        for W, tie, r2 in zip(encoded.encoders, ties, kept, strict=True)
    ]
    best = best_r2(label, shared)[np.array(dims) - 1]
    return Measured(encoded, kept, best, apart, np.array(choices))


def beside(m: Measured, dim: int, N: np.ndarray, ties: tuple[Tie, Tie]) -> Measured:
    """Read how many directions of the codes are irrelevant: in N, (d, q) orthonormal."""
    both = m.encoded.encoders
    kept = np.array([[np.sum(np.square(N.T @ row_basis(W[:dim])))] for W in both])
    choices = [
        (one[0],) * 2 if tie is None else _known(W, tie, in_nuisance, dim, tie, N)
        for W, tie, one in zip(both, ties, kept, strict=True)
    ]
    return m._replace(kept=kept, choices=np.array(choices))


def _known(W: np.ndarray, tie: tuple[int, int], extremes: Any, *of: Any) -> tuple[float, float]:
    """Return the extremes over choices; NaN where codes that tie aren't all there."""
    if not all_there(W, tie):
        return np.nan, np.nan
    try:
        return extremes(W[: tie[1]], *of)
    except np.linalg.LinAlgError:  # codes that are redundant on clean data
        return np.nan, np.nan


def row_basis(W: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis (d, k) of the rows that aren't 0."""
    size = np.linalg.norm(W, axis=1)
    return np.linalg.qr((W[size > 0] / size[size > 0, None]).T)[0]
