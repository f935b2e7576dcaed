"""Real data in the basis of its first principal components, and what is predicted from it."""

from typing import NamedTuple

import numpy as np

import linssl
from experiments.shared.result import fingerprint
from experiments.shared.setting import BASE_NOISE, BASE_SIGNAL
from experiments.shared.unfit import UnfitError


class Signal(NamedTuple):
    """Clean real data in the basis of its first k principal components."""

    scores: np.ndarray  # (n, k), centred
    labels: np.ndarray | None
    variances: np.ndarray  # lambda, (k,), divisor n, descending
    facts: dict  # for the record


def load_signal(name: str, k: int | None = None, asked: int | None = None) -> Signal:
    """Load a data set and keep its first k principal components: 50, or 20 of small images.

    Args:
        name: of the data set.
        k: at most.
        asked: exactly so many, where a user asks for them.

    Raises:
        UnfitError: too few features, rows or components that vary.
        ValueError: more components than half the features, or than rows.
    """
    from sklearn.decomposition import PCA

    data = linssl.load_dataset(name)
    n, d = data.X_train.shape
    k = min(k or (50 if d > 100 else 20), d // 2)
    if asked is not None and not 2 <= asked <= min(d // 2, n - 1):
        raise ValueError(f"k must be 2 to {min(d // 2, n - 1)}, for {(n, d)}; got {asked}.")
    k = asked or k
    if k < 2 or n <= k:
        raise UnfitError(f"{name} must have at least 4 features and {k + 1} rows; got {(n, d)}.")
    scores = PCA(k, svd_solver="covariance_eigh").fit_transform(data.X_train)
    variances = np.mean(scores**2, axis=0)
    if variances[-1] < 1e-10 * variances[0]:
        raise UnfitError(f"{name} must have rank >= {k}; component {k} has no variance.")
    parts = [data.X_train] if data.y_train is None else [data.X_train, np.asarray(data.y_train)]
    base = {"base_variances_relative": [BASE_SIGNAL, BASE_NOISE]}
    return Signal(scores, data.y_train, variances, fingerprint(*parts) | base)


def targets(signal: Signal) -> np.ndarray:
    """One-hot classes; without labels, the clean scores themselves are what is predicted."""
    if signal.labels is None:
        return signal.scores
    classes = len(np.unique(signal.labels))
    if classes < 2:
        raise ValueError(f"labels must hold at least two classes; got {classes}.")
    if classes <= 100:
        return np.asarray(linssl.pairs.one_hot(signal.labels))
    return np.asarray(signal.labels, float).reshape(len(signal.scores), -1)
