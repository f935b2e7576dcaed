"""Corrupted images: a problem to learn from, and to be judged by."""

from typing import NamedTuple

import numpy as np

import linssl
from experiments.shared.images import Labelled


class Problem(NamedTuple):
    """Corrupted images: all there is to learn from, and to be judged by."""

    x: np.ndarray  # (n, d) to learn from
    labels: np.ndarray  # (n, classes) one-hot
    test: np.ndarray  # (m, d)
    targets: np.ndarray  # (m,) classes by number
    gamma: np.ndarray  # (d, d) second moment of what the corruption changes in x


def corrupted(data: Labelled, kind: str, severity: int, seed: int = 0, held_out=None) -> Problem:
    """Corrupt images, each set by draws of its own; "clean" leaves them as they are."""
    parts = data.train, data.test[:held_out]
    x, test = (
        (
            part if kind == "clean" else linssl.data.corrupt(part, kind, severity, 2 * seed + i)
        ).reshape(len(part), -1)
        for i, part in enumerate(parts)
    )
    change = x - data.train.reshape(x.shape)
    targets = np.searchsorted(np.unique(data.labels), data.test_labels[:held_out])
    hot = np.asarray(linssl.pairs.one_hot(data.labels))
    return Problem(x, hot, test, targets, change.T @ change / len(x))
