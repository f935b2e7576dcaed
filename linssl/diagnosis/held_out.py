"""Linear probes judged on samples that nothing was learnt from."""

from typing import NamedTuple

import equinox as eqx
import numpy as np

from linssl.diagnosis.explained import padded, whitening
from linssl.diagnosis.measure import Encoded
from linssl.diagnosis.samples import ALL, TRAIN, Sample, Samples
from linssl.metrics import linear_probe

_linear_probe = eqx.filter_jit(linear_probe)


class HeldOut(NamedTuple):
    """Accuracy, or R², of joint embedding and reconstruction by dim, and of all features."""

    scores: np.ndarray  # (2, dims)
    features: float
    count: int


def held_out(samples: Samples, sample: Sample, learnt: Encoded, dims: list[int]) -> HeldOut:
    """Fit probes on the codes of some folds, from their moments, and score the other folds.

    Least squares on one-hot classes (the largest wins), or on the numbers.

    Args:
        samples: all folds.
        sample: moments of those learnt from.
        learnt: their encoders.
        dims: numbers of codes.

    Source: derived; the linear-probe protocol of JEvRC, section 5.
    """
    label, targets = sample.label, samples.targets
    assert label is not None
    assert targets is not None
    maps = [
        W[:k].T @ np.asarray(_linear_probe(padded(W[:k]), label))[:k]
        for W in learnt.encoders
        for k in dims
    ]
    F = whitening(label)[0]
    maps.append(F.T @ (F @ np.asarray(label.cross)))
    mean, offset = np.asarray(label.mean_first), np.asarray(label.mean_second)
    good, spread, count = np.zeros(len(maps)), 0.0, 0
    for f in np.setdiff1d(ALL, TRAIN):
        rows = samples.rows[f]
        X = samples.doubles(rows) - mean
        count += len(rows)
        if targets.classes is None:
            Y = targets.rows(rows) - offset
            spread += float(np.sum(Y**2))
            good -= [np.sum(np.square(Y - X @ B)) for B in maps]
        else:
            truth = targets.values[rows]
            good += [np.sum(np.argmax(X @ B + offset, axis=1) == truth) for B in maps]
    scores = 1 + good / spread if targets.classes is None else good / count
    return HeldOut(scores[:-1].reshape(2, len(dims)), float(scores[-1]), count)
