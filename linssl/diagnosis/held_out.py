"""Linear probes judged on samples that nothing was learnt from, each sample once."""

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import numpy as np

from linssl.diagnosis.measure import Encoded
from linssl.diagnosis.probes import Probe, discriminants, ridges
from linssl.diagnosis.samples import ALL, Sample, Samples
from linssl.diagnosis.scores import Scores
from linssl.diagnosis.ties import Tie, extreme_codes
from linssl.moments import PairMoments

BLOCKS = ALL.reshape(4, -1)  # scored by what is learnt from all other folds
BUT_LAST = ALL[: BLOCKS[-1][0]]
SHRINK = (0.0, 0.01, 0.1, 0.5)  # of all features: without it they break down where n is near d

Map = tuple[np.ndarray | None, Probe]  # an encoder, None for all features, and what reads its codes


class HeldOut(NamedTuple):
    """The metric of each choice.

    Args:
        scores: of the codes of each paradigm by dim; of the least and the most that a choice among
            tied codes tells of the labels, for each paradigm; and of the best probe.
        dims: numbers of codes, the judged one first.
        known: whether codes that tie were all there, for each paradigm.
    """

    scores: Scores
    dims: list[int]
    known: tuple[bool, bool]

    def codes(self, paradigm: int, at: int = 0) -> int:
        """Return the choice of a paradigm with dims[at] codes."""
        return paradigm * len(self.dims) + at

    def extreme(self, paradigm: int, most: int) -> int:
        """Return the choice of a paradigm whose tied codes tell the least, or the most."""
        return 2 * len(self.dims) + 2 * paradigm + most

    @property
    def best(self) -> int:
        """The choice of the best linear probe on all features."""
        return len(self.scores.good) - 1


def held_out(
    samples: Samples,
    learn: Callable[[np.ndarray], tuple[Sample, Encoded]],
    dims: list[int],
    ties: tuple[Tie, Tie],
) -> HeldOut:
    """Learn encoders and probes from three quarters of the folds, and score the others: four times.

    The best probe is the one of those on all features, ever more shrunk, and on any codes, that
    does best on the other three blocks: chosen without those that it is scored on.

    Args:
        samples: all folds.
        learn: from folds to their moments and encoders.
        dims: numbers of codes, the judged one first.
        ties: of each paradigm, the codes that tie at the cut.

    Source: derived (cross-fitting); the linear-probe protocol of JEvRC, section 5.
    """
    told, known = [], np.array([True, True])
    for block in BLOCKS:
        sample, learnt = learn(np.setdiff1d(ALL, block))
        maps, there = _maps(samples, _label(sample), learnt, dims, ties)
        told.append(score(samples, block, _label(sample), maps))
        known &= there
    good = np.stack([part.good for part in told], 1)  # (choices, blocks, folds of one)
    codes, ends = 2 * len(dims), 2 * len(dims) + 4
    rivals = np.r_[:codes, ends : len(good)]
    sums = good[rivals].sum(2)
    picked = rivals[np.argmax(sums.sum(1, keepdims=True) - sums, axis=0)]
    best = good[picked, np.arange(len(BLOCKS))]
    kept = np.concatenate([good[:ends], best[None]]).reshape(ends + 1, -1)
    scores = Scores(kept, np.concatenate([part.size for part in told]), *_scale(samples))
    return HeldOut(scores, dims, (bool(known[0]), bool(known[1])))


def _maps(
    samples: Samples, label: PairMoments, learnt: Encoded, dims: list[int], ties: tuple[Tie, Tie]
) -> tuple[list[Map], list[bool]]:
    """Return encoders and probes in the order of `HeldOut`, then those on all features; and of
    each paradigm whether codes that tie were all there.
    """
    encoders = [W[:k] for W in learnt.encoders for k in dims]
    known = []
    for W, tie in zip(learnt.encoders, ties, strict=True):
        alone = W[: dims[0]]
        found = (alone, alone) if tie is None else extreme_codes(W, dims[0], tie, label)
        known.append(found is not None)
        encoders += found or (alone, alone)
    maps: list[Map] = [(W, probe_on(W, samples, label)) for W in encoders]
    return maps + [(None, probe) for probe in _path(samples)(label, SHRINK)], known


def margins_on_last(
    samples: Samples, told: HeldOut, tolerance: float
) -> Callable[[Sample, Encoded], np.ndarray]:
    """Return what says by how much other encoders keep the signal: on the last block alone, of
    those that are learnt from `BUT_LAST`.
    """

    def margins(sample: Sample, learnt: Encoded) -> np.ndarray:
        label, k = _label(sample), told.dims[0]
        maps: list[Map] = [(W[:k], probe_on(W[:k], samples, label)) for W in learnt.encoders]
        part = score(samples, BLOCKS[-1], label, maps)
        best = told.scores.good[told.best, BLOCKS[-1]]
        both = part._replace(good=np.vstack([part.good, best]))
        return np.array([both.margin(p, 2, tolerance).value for p in (0, 1)])

    return margins


def score(
    samples: Samples,
    folds: np.ndarray,
    label: PairMoments,
    maps: list[Map],
) -> Scores:
    """Score probes, each on the codes of an encoder or (None) on all features, on some folds."""
    targets = samples.targets
    assert targets is not None
    offset = np.asarray(label.mean_second)
    good, size = np.zeros((len(maps), len(folds))), np.zeros(len(folds))
    for at, f in enumerate(folds):
        rows = samples.rows[f]
        X = samples.doubles(rows)
        told = (probe(X if W is None else X @ W.T) for W, probe in maps)
        if targets.classes is None:
            Y = targets.rows(rows)
            size[at] = np.sum(np.square(Y - offset))
            good[:, at] = [-np.sum(np.square(Y - y)) for y in told]
        else:
            size[at] = len(rows)
            good[:, at] = [np.sum(np.argmax(y, axis=1) == targets.values[rows]) for y in told]
    return Scores(good, size, *_scale(samples))


def probe_on(W: np.ndarray, samples: Samples, label: PairMoments) -> Probe:
    """Return the probe on codes, (k, d), of the moments of instances and their labels."""
    S, K, mean = (np.asarray(m) for m in (label.first, label.cross, label.mean_first))
    of_codes = eqx.tree_at(
        lambda m: (m.first, m.cross, m.mean_first), label, (W @ S @ W.T, W @ K, W @ mean)
    )
    return _path(samples)(of_codes, (0.0,))[0]


def _path(samples: Samples) -> Callable[[PairMoments, tuple[float, ...]], list[Probe]]:
    assert samples.targets is not None
    return ridges if samples.targets.classes is None else discriminants


def _label(sample: Sample) -> PairMoments:
    assert sample.label is not None
    return sample.label


def _scale(samples: Samples) -> tuple[float, float]:
    """Return what the metric is without anything good, and what a probe on nothing has."""
    targets = samples.targets
    assert targets is not None
    if targets.classes is None:
        return 1.0, 0.0
    return 0.0, float(np.bincount(targets.values).max() / len(targets.values))
