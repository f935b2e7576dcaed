"""Which features matter, by their names."""

from collections.abc import Sequence

import numpy as np

from linssl.diagnosis.attempt import Attempt
from linssl.diagnosis.estimates import SURE
from linssl.diagnosis.explained import adjusted
from linssl.diagnosis.facts import Feature, Features
from linssl.linalg.structure import dense
from linssl.objectives.reading import correlations, largest

LISTED = 8  # features that are named
LEAST = 0.01  # of a feature's variance
OF_CODE = 5  # of one code, or direction
CODES = 8
APART = 0.05  # of a feature's variance, by which one paradigm keeps more than the other


def most(
    names: tuple[str, ...] | None, values: np.ndarray, count: int = LISTED
) -> list[tuple[str, float]]:
    """Return the names of features with the largest values, of those worth naming, and these."""
    if names is None:
        return []
    leading = np.argsort(-values, kind="stable")[:count]
    return [(names[i], float(values[i])) for i in leading if values[i] > LEAST]


def read_features(
    names: tuple[str, ...] | None, found: Attempt, nuisance: np.ndarray
) -> Features | None:
    r"""Say which features each paradigm keeps, in its codes and altogether, and what is nuisance.

    Of a feature j a paradigm keeps the share of its variance that k codes $z = Wx$ tell,

    $$ r_j = \mathrm{Cov}(x_j, z) \mathrm{Cov}(z)^+ \mathrm{Cov}(z, x_j) / \mathrm{Var}(x_j) $$

    less what chance explains. One paradigm keeps more than the other where these differ by more
    than two standard errors, and by more than 5 %. A code is named by the features that it
    correlates with, a direction of the nuisance by its weights.

    Args:
        names: of features; None is none.
        found: what was measured.
        nuisance: (m, d) directions.

    Source: derived (least squares).
    """
    if names is None:
        return None
    k, n = found.dims[0], float(found.whole.clean.count)
    C = np.asarray(dense(found.whole.clean.second))
    kept = [kept_of_features(W[:k], C, n) for W in found.full.encoded.encoders]
    parts = [
        kept_of_features(a[:k], C, n) - kept_of_features(b[:k], C, n)
        for a, b in (m.encoded.encoders for m in found.parts)
    ]
    gap = kept[0] - kept[1]
    sure = np.abs(gap) > np.maximum(SURE * np.sqrt(np.mean((np.array(parts) - gap) ** 2, 0)), APART)
    free = not any(found.tied)
    lists = [() if t else _features(most(names, r)) for t, r in zip(found.tied, kept, strict=True)]
    return Features(
        joint_embedding=lists[0],
        reconstruction=lists[1],
        joint_embedding_more=_features(most(names, np.where(sure & free, gap, 0))),
        reconstruction_more=_features(most(names, np.where(sure & free, -gap, 0))),
        joint_embedding_codes=_codes(names, found, 0, C),
        reconstruction_codes=_codes(names, found, 1, C),
        nuisance=tuple(_signed(names, row) for row in nuisance),
    )


def kept_of_features(W: np.ndarray, C: np.ndarray, n: float) -> np.ndarray:
    """Return the share of each feature's variance that codes tell, (d,), less what chance does."""
    shared, variance = W @ C, np.diag(C)
    told = np.sum(shared * (np.linalg.pinv(shared @ W.T, hermitian=True) @ shared), axis=0)
    share = np.minimum(told / np.where(variance > 0, variance, 1), 1)
    return np.where(variance > 0, adjusted(share, n, len(W)), 0)


def _codes(
    names: tuple[str, ...], found: Attempt, p: int, C: np.ndarray
) -> tuple[tuple[Feature, ...], ...]:
    """Return of each code the features that it correlates with; nothing where it is arbitrary."""
    if found.tied[p]:
        return ()
    W = found.full.encoded.encoders[p][: min(found.dims[0], CODES)]
    return tuple(_signed(names, row) for row in correlations(W, C))


def _signed(names: tuple[str, ...], row: np.ndarray) -> tuple[Feature, ...]:
    """Return the largest entries of a row, which is turned so that the first is above 0."""
    row = row * np.sign(row[np.argmax(np.abs(row))])
    return _features(largest(names, row, OF_CODE))


def _features(pairs: Sequence[tuple[str, float]]) -> tuple[Feature, ...]:
    return tuple(Feature(*pair) for pair in pairs)
