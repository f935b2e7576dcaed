r"""The engine: every paradigm, family, strength and number of codes, scored on rows it never saw.

How to call it, from an array to scores (double precision; wrap in `jax.enable_x64(True)`):

    rows = DataRows(X)                                  # linssl.diagnosis.rows
    at = find_coordinates(rows)                         # features, or 384 leading directions
    targets = check_targets(y, len(X))                  # linssl.data.targets
    folds = Folds(rows, at, targets, None, find_units(X, None), seed=0)
    to = Setting(rows.features, folds.variance, image=None)
    grid = evaluate(folds, to, families_for("table", None, False), dims=[1, 2, 4])
    grid.scores.of(0), grid.choices[0]                  # a metric with its error, and of what

For one setting alone, as a slider moves, `encode(law(part), noise, dim)` gives both encoders from a
`Part` (some 20 ms at d = 256), `probe(W, part, part.label, dims)` a probe for each number of codes,
and `hits(folds, targets, ...)` what they score, fold by fold.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from linssl.data.targets import Targets
from linssl.diagnosis.measure import PARADIGMS, UNSAFE, Encoded
from linssl.diagnosis.probes import Probe, discriminant, least_squares
from linssl.diagnosis.scores import Scores
from linssl.diagnosis.spec import Setting
from linssl.linalg.host import leading_on_host
from linssl.linalg.pencil import Square
from linssl.linalg.whitening import whitener
from linssl.moments import PairMoments
from linssl.recommendation.families import Family
from linssl.recommendation.laws import Law, ViewMoments
from linssl.recommendation.parts import ALL, BLOCKS, Folds, Part, Told

FLOOR = 1e-3  # of the mean variance: noise where views alone can't be whitened
FEWEST, MOST = 8, 128  # codes that are tried at most, for labels that need fewer or more
EPS = float(np.finfo(float).eps)
_whitener = eqx.filter_jit(whitener)


class Choice(NamedTuple):
    """One setting of everything.

    Args:
        paradigm: "joint_embedding" or "reconstruction".
        family: its name.
        strength: of it.
        noise: share of the mean variance that is added on top.
        dim: k.
        augmentation: as text.
        ranked: whether it can be recommended; else it is a point of a curve.
    """

    paradigm: str
    family: str
    strength: float
    noise: float
    dim: int
    augmentation: str
    ranked: bool = True


class Grid(NamedTuple):
    """All settings, and what they score.

    Args:
        choices: those that could be judged, simplest first: fewer codes, then as tried.
        scores: of each; of all features at last.
        features: of a probe on all features.
        floored: settings that needed noise of `FLOOR` to be solved.
        arbitrary: settings whose codes nothing tells apart from others: scores tie at the cut.
        units: rows, or groups of them, that are independent.
    """

    choices: list[Choice]
    scores: Scores
    features: Scores
    floored: list[str]
    arbitrary: list[str]
    units: int


def default_dims(folds: Folds) -> list[int]:
    """Return the numbers of codes that are tried: powers of 2, and as many as labels need.

    Up to `FEWEST`, or to classes less one (targets, of numbers) where those are more.
    """
    T = folds.labels
    e = 1 if T is None else (T.size if T.classes is None else T.size - 1)
    most = min(max(e, FEWEST), MOST, folds.coordinates.size)
    return sorted({k for k in (*(2**i for i in range(8)), e) if k <= most})


def encode(moments: ViewMoments, noise: float, dim: int) -> Encoded | None:
    r"""Solve both paradigms for their leading codes; None where views can't be whitened safely.

    $$ G w = \omega S w, \qquad K^T K w = \varphi^2 S w, \qquad S = G + \Sigma + \theta I $$

    Args:
        moments: of the views.
        noise: $\theta$, a variance.
        dim: codes that are wanted; one more is solved for, to see ties.

    Source: JEvRC, Theorems 1 and 2.
    """
    views = moments.with_noise(noise) if noise else moments
    F = _whitener(jnp.asarray(views.shared + views.spread))
    if int(F.status) & int(UNSAFE):
        return None
    m = min(dim + 1, len(views.shared))
    found = [leading_on_host(jnp.asarray(views.shared), F, m)]
    found.append(leading_on_host(Square(jnp.asarray(views.cross)), F, m))
    # What isn't identified is 0: nothing is encoded there.
    W, E = (rows * (scores > EPS**0.5 * scores[0])[:, None] for rows, scores in found)
    return Encoded((W, E), np.stack([scores for _, scores in found]), float(F.rounding))


def probe(W: np.ndarray, part: Part, told: Told, classes: bool, dims: Iterable[int]) -> list[Probe]:
    """Return a probe of a target on the first codes, for each number of them.

    Args:
        W: (m, r).
        part: moments of the rows that are learnt from.
        told: the target of theirs.
        classes: whether it is classes.
        dims: numbers of codes.
    """
    S, K, mean = W @ part.covariance @ W.T, W @ told.cross, W @ part.mean
    fit, n = discriminant if classes else least_squares, float(part.count)
    return [
        fit(PairMoments(S[:k, :k], told.second, K[:k], mean[:k], told.mean, n, n)) for k in dims
    ]


def hits(
    folds: Folds, Z: np.ndarray, targets: Targets, W: np.ndarray, probes: list[Probe], block: int
) -> np.ndarray:
    """Return what probes score in each fold of a block, (len(probes), folds): hits, or for numbers
    minus squared errors.

    Args:
        folds: of the rows.
        Z: coordinates of all rows, about their mean.
        targets: that are told.
        W: (m, r).
        probes: of its first codes.
        block: which.
    """
    chosen = folds.block(block)
    at = np.concatenate([folds.rows[f] for f in chosen])
    starts = np.cumsum([0, *(len(folds.rows[f]) for f in chosen[:-1])])
    codes, offset = Z[at] @ W.T, W @ folds.mean
    codes += offset
    if targets.classes is None:
        truth = targets.rows(at)
        good = [-np.sum(np.square(p(codes[:, : len(p.weights)]) - truth), 1) for p in probes]
    else:
        truth = targets.values[at]
        good = [
            (np.argmax(p(codes[:, : len(p.weights)]), axis=1) == truth).astype(float)
            for p in probes
        ]
    return np.add.reduceat(np.array(good), starts, axis=1)


def sizes(folds: Folds, targets: Targets) -> np.ndarray:
    """Return rows of each fold, or squares about the mean of what was learnt from."""
    if targets.classes is not None:
        return np.array([len(at) for at in folds.rows], float)
    found = np.zeros(len(ALL))
    for b in range(BLOCKS):
        mean = targets.rows(np.concatenate([folds.rows[f] for f in folds.beside(b)])).mean(0)
        for f in folds.block(b):
            found[f] = np.sum(np.square(targets.rows(folds.rows[f]) - mean))
    return found


def as_scores(good: np.ndarray, folds: Folds, targets: Targets) -> Scores:
    """Return scores of what probes score in each fold, (..., 16)."""
    if targets.classes is None:
        return Scores(good, sizes(folds, targets), 1.0, 0.0)
    chance = float(np.bincount(targets.values).max()) / len(targets.values)
    return Scores(good, sizes(folds, targets), 0.0, chance)


def evaluate(
    folds: Folds,
    to: Setting,
    families: Iterable[Family],
    dims: list[int],
    tell: Callable[[], None] = lambda: None,
) -> Grid:
    r"""Score every setting: learn from 12 folds of 16, score the other 4, for each of 4 blocks.

    Every row is scored just once, by what it had no part in. Codes nest, so that one solution has
    those of every k; where a family's codes don't depend on its strength, one has all of them.

    Args:
        folds: of the rows, with labels.
        to: what augmentations are for.
        families: to be tried.
        dims: numbers of codes, ascending.
        tell: called after each setting.

    Source: JEvRC, Theorems 1 and 2; derived (cross-fitting).
    """
    parts = [folds.part(folds.beside(b)) for b in range(BLOCKS)]
    kept: list[tuple[Choice, np.ndarray]] = []
    floored, arbitrary = [], []
    for family in families:
        flat: dict[tuple[str, float], np.ndarray] = {}
        for strength in (*family.strengths, *family.shown):
            law = family.law(strength, to, folds.coordinates)
            views = [law(part) for part in parts]
            for noise in family.noise:
                text = family.text(strength, noise)
                good, low = _setting(folds, parts, views, noise * to.variance, dims)
                floored += [text] * low
                for p, paradigm in enumerate(PARADIGMS):
                    if paradigm in family.flat and not noise:
                        good[p] = flat.setdefault((paradigm, noise), good[p])
                    for k, row in zip(dims, good[p], strict=True):
                        ranked = strength in family.strengths
                        choice = Choice(paradigm, family.name, strength, noise, k, text, ranked)
                        if np.isfinite(row).all():
                            kept.append((choice, row))
                        else:
                            arbitrary.append(f"{paradigm} {text} at {k}")
                tell()
    kept.sort(key=lambda one: one[0].dim)
    assert folds.labels is not None
    scores = as_scores(np.array([row for _, row in kept]), folds, folds.labels)
    features = as_scores(all_features(folds)[None], folds, folds.labels)
    choices = [choice for choice, _ in kept]
    return Grid(choices, scores, features, floored, arbitrary, folds.units.count)


def _setting(
    folds: Folds, parts: list[Part], views: list[ViewMoments], noise: float, dims: list[int]
) -> tuple[np.ndarray, bool]:
    """Return what both paradigms score, (2, dims, 16), NaN where codes are arbitrary; and whether
    views needed noise to be whitened.
    """
    targets, low = folds.labels, False
    assert targets is not None
    good = np.full((2, len(dims), len(ALL)), np.nan)
    for b, (part, moments) in enumerate(zip(parts, views, strict=True)):
        assert part.label is not None
        encoded, more = solved(moments, noise, dims[-1], folds.variance)
        if encoded is None:
            return good * np.nan, False
        low |= more
        for p, W in enumerate(encoded.encoders):
            probes = probe(W, part, part.label, targets.classes is not None, dims)
            found = hits(folds, folds.Z, targets, W, probes, b)
            sure = np.array([not encoded.tied(k)[p] for k in dims])
            good[p][:, folds.block(b)] = np.where(sure[:, None], found, np.nan)
    return good, low


def solved(
    moments: ViewMoments, noise: float, dim: int, variance: float
) -> tuple[Encoded | None, bool]:
    """Solve, with noise of `FLOOR` of the variance where it is needed, and say whether it was."""
    encoded = encode(moments, noise, dim)
    if encoded is not None:
        return encoded, False
    return encode(moments, noise + FLOOR * variance, dim), True


def encoder_of(part: Part, law: Law, choice: Choice, to: Setting, variance: float) -> np.ndarray:
    """Return the encoder of one setting, (k, r).

    Raises:
        ArithmeticError: views that can't be whitened, which settings that were scored can.
    """
    encoded, _ = solved(law(part), choice.noise * to.variance, choice.dim, variance)
    if encoded is None:
        raise ArithmeticError(f"{choice.augmentation} gives views that can't be whitened.")
    return encoded.encoders[PARADIGMS.index(choice.paradigm)][: choice.dim]


def score_one(
    folds: Folds, to: Setting, law: Law, choice: Choice, of: str = "label", half: bool = False
) -> np.ndarray:
    """Return what one setting scores in each fold, (16,).

    Args:
        folds: of the rows.
        to: what augmentations are for.
        law: of the setting.
        choice: the setting.
        of: "label", or "nuisance", that codes are asked for.
        half: whether to learn from half as many folds.
    """
    return score_dims(folds, to, law, choice, [choice.dim], of, half)[0]


def score_dims(
    folds: Folds,
    to: Setting,
    law: Law,
    choice: Choice,
    dims: list[int],
    of: str = "label",
    half: bool = False,
) -> np.ndarray:
    """Return what a setting scores with other numbers of codes, ascending, (len(dims), 16).

    As `score_one`.
    """
    largest = choice._replace(dim=dims[-1])

    def encoder(part: Part) -> np.ndarray:
        return encoder_of(part, law, largest, to, folds.variance)

    return _scored(folds, encoder, dims, of, half)


def all_features(folds: Folds, of: str = "label") -> np.ndarray:
    """Return what a probe on all coordinates scores in each fold, (16,)."""
    d = folds.coordinates.size
    return _scored(folds, lambda _: np.eye(d), [d], of)[0]


def _scored(
    folds: Folds,
    encoder: Callable[[Part], np.ndarray],
    dims: list[int],
    of: str,
    half: bool = False,
) -> np.ndarray:
    """Return what probes on the first codes score in each fold, (len(dims), 16)."""
    targets = folds.labels if of == "label" else folds.nuisance
    assert targets is not None
    good = np.zeros((len(dims), len(ALL)))
    for b in range(BLOCKS):
        part = folds.part(folds.beside(b, half))
        W = encoder(part)
        probes = probe(W, part, getattr(part, of), targets.classes is not None, dims)
        good[:, folds.block(b)] = hits(folds, folds.Z, targets, W, probes, b)
    return good
