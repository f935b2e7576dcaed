"""What one setting gives on the data: codes of both paradigms, and what they score."""

import functools
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np

from linssl.diagnosis.estimates import Estimate
from linssl.diagnosis.measure import Encoded
from linssl.diagnosis.scores import Scores
from linssl.explore.own.data import CODES, Ready
from linssl.explore.own.state import View
from linssl.recommendation.evaluate import as_scores, hits, probe, solved
from linssl.recommendation.laws import ViewMoments
from linssl.recommendation.parts import Part


class Numbers(NamedTuple):
    r"""All that the panels show. Paradigms are always (joint embedding, reconstruction).

    Args:
        encoders: of 12 of 16 folds, in coordinates, (m, r) each.
        spectra: $\omega$ and $\varphi^2$, (2, m).
        scores: of each paradigm and number of codes, and at last of all features from
            all rows; None without labels, NaN where scores tie at the cut.
        floored: whether views needed a little noise to be solved.
        more: the same setting with all rows, where these are fewer; else None.
    """

    encoders: tuple[np.ndarray, np.ndarray]
    spectra: np.ndarray
    scores: Scores | None
    floored: bool
    more: "Numbers | None" = None


class Explorer:
    """Data that are explored, and what was found so far. Sessions take turns.

    Args:
        ready: the data.
    """

    def __init__(self, ready: Ready):
        self.ready, self._turn = ready, threading.Lock()
        self._found: dict[tuple[str, float, int], Numbers] = {}
        self.dim = min(max(CODES, *ready.dims), ready.folds.coordinates.size)

    def warm_up(self, fewer: bool = False) -> None:
        """Solve every setting, all rows first: a slider then finds it, and compiles nothing.

        Args:
            fewer: whether to go on with fewer rows, too.
        """
        sizes = sorted(self.ready.parts, reverse=True)
        for n in sizes if fewer else sizes[:1]:
            for family, strength in self.ready.laws:
                began = time.monotonic()
                with self._turn, jax.enable_x64(True):
                    self._of(family, strength, n)
                time.sleep(time.monotonic() - began)  # as long for whoever looks

    def solve(self, view: View) -> Numbers:
        """Compute the numbers of a view, in double precision whatever the process uses."""
        most = max(self.ready.parts)
        with self._turn, jax.enable_x64(True):
            found = self._of(view.family, view.strength, view.n)
            more = None if view.n == most else self._of(view.family, view.strength, most)
        return found._replace(more=more)

    def _of(self, family: str, strength: float, n: int) -> Numbers:
        key = family, strength, n
        if key not in self._found:
            self._found[key] = self._solved(*key)
        return self._found[key]

    def _solved(self, family: str, strength: float, n: int) -> Numbers:
        ready = self.ready
        law, parts = ready.laws[family, strength], ready.parts[n]
        if ready.targets is None:
            parts = parts[:1]
        noise = min(ready.families[family].noise) * ready.folds.variance
        both = [self._encoded(law(part), noise) for part in parts]
        first, low = both[0][0], any(floored for _, floored in both)
        if ready.targets is None:
            return Numbers(first.encoders, first.spectra, None, low)
        good = np.full((2, len(ready.dims), len(ready.folds.rows)), np.nan)
        for b, (part, (encoded, _)) in enumerate(zip(parts, both, strict=True)):
            sure = np.array([encoded.tied(k) for k in ready.dims]).T == 0
            for p, W in enumerate(encoded.encoders):
                found = self._hits(part, W, ready.dims, b)
                good[p][:, ready.folds.block(b)] = np.where(sure[p][:, None], found, np.nan)
        every = np.concatenate([good.reshape(-1, good.shape[-1]), self._all_features])
        scores = as_scores(every, ready.scored, ready.targets)
        return Numbers(first.encoders, first.spectra, scores, low)

    def _encoded(self, moments: ViewMoments, noise: float) -> tuple[Encoded, bool]:
        """Solve both, with a little noise where that is needed, and say whether it was."""
        found, floored = solved(moments, noise, self.dim, self.ready.folds.variance)
        if found is None:
            raise ValueError("views can't be whitened, even with noise of 1/1000 of the variance.")
        return found, floored

    def _hits(self, part: Part, W: np.ndarray, dims: Sequence[int], b: int) -> np.ndarray:
        """Return what codes score in each fold of a block, (dims, folds)."""
        targets, scored = self.ready.targets, self.ready.scored
        assert targets is not None
        assert part.label is not None
        probes = probe(W, part, part.label, targets.classes is not None, dims)
        return hits(scored, scored.Z, targets, W, probes, b)

    @functools.cached_property
    def _all_features(self) -> np.ndarray:
        """What a probe on all features scores in each fold, from all rows, (1, folds)."""
        ready = self.ready
        r, good = ready.folds.coordinates.size, np.zeros((1, len(ready.folds.rows)))
        for b, part in enumerate(ready.parts[max(ready.parts)]):
            good[:, ready.folds.block(b)] = self._hits(part, np.eye(r), [r], b)
        return good


def score(numbers: Numbers, paradigm: int, at: int) -> Estimate:
    """Return what a paradigm scores with the number of codes that comes `at` in `dims`."""
    assert numbers.scores is not None
    return numbers.scores.of(paradigm * dims_of(numbers) + at)


def dims_of(numbers: Numbers) -> int:
    """Return how many numbers of codes there are."""
    assert numbers.scores is not None
    return (len(numbers.scores.good) - 1) // 2


def told_of_features(ready: Ready, W: np.ndarray) -> np.ndarray:
    r"""Return the share of each feature's variance that codes tell, (d,).

    $$ r_j = \mathrm{Cov}(x_j, z) \mathrm{Cov}(z)^+ \mathrm{Cov}(z, x_j) / \mathrm{Var}(x_j) $$

    Args:
        ready: the data.
        W: (k, r) in coordinates.

    Source: derived (least squares).
    """
    shared = W @ ready.covariance
    with_features = ready.folds.coordinates.up(shared)
    inverse = np.linalg.pinv(shared @ W.T, hermitian=True)
    told = np.sum(with_features * (inverse @ with_features), axis=0)
    variance = ready.variance
    return np.clip(told / np.where(variance > 0, variance, 1), 0, 1)
