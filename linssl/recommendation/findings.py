"""What is told beside the ranking: tables, curves, the nuisance, learning, and reduction."""

import numpy as np

from linssl.diagnosis.estimates import SURE, Estimate
from linssl.diagnosis.rows import DataRows
from linssl.diagnosis.scores import Scores
from linssl.diagnosis.spec import Setting
from linssl.recommendation.coordinates import DIRECTIONS, find_coordinates
from linssl.recommendation.evaluate import (
    MOST,
    Choice,
    Grid,
    all_features,
    as_scores,
    encode,
    hits,
    probe,
    score_dims,
    score_one,
    solved,
)
from linssl.recommendation.facts import (
    Curve,
    Learning,
    Metric,
    Recommended,
    Reduction,
    Row,
    Shaken,
    Told,
)
from linssl.recommendation.families import Family
from linssl.recommendation.laws import additive
from linssl.recommendation.parts import ALL, BLOCKS, Folds
from linssl.recommendation.ranking import INDIFFERENT, Ranking, best_of, honest, interval

WHOLE = 1024  # features that a reduction is compared with; half as many directions, for more
LEADING = 12  # scores that are shown
MOST_SHAKEN = 5  # features that are named


def recommended(grid: Grid, chosen: int, value: Estimate, classes: bool) -> Recommended:
    """Return a choice with what it scores."""
    choice, score = grid.choices[chosen], value.value
    low, top = interval(grid, chosen, value)
    top = min(top, 1.0)
    low = max(low, 0.0) if classes else low
    return Recommended(
        choice.paradigm,
        choice.augmentation,
        choice.family,
        choice.strength,
        choice.noise,
        choice.dim,
        score if classes else None,
        None if classes else score,
        value.error,
        (low, top),
    )


def table(grid: Grid, ranking: Ranking) -> tuple[Row, ...]:
    """Return the best of each paradigm and family, best first."""
    found, tie = [], set(ranking.tie)
    groups: dict[tuple[str, str], list[int]] = {}
    for i, c in enumerate(grid.choices):
        if c.ranked:
            groups.setdefault((c.paradigm, c.family), []).append(i)
    for (paradigm, family), which in groups.items():
        best = best_of(grid.scores, np.array(which))
        good = honest(grid.scores, np.array(which))
        value = grid.scores._replace(good=good[None]).of(0)
        lag = grid.scores.difference(ranking.chosen, best)
        c = grid.choices[best]
        found.append(Row(paradigm, c.augmentation, family, c.dim, *value, *lag, tie=best in tie))
    return tuple(sorted(found, key=lambda row: -row.value))


def curves(grid: Grid) -> tuple[Curve, ...]:
    """Return what each family scores against its strength, with the best k and noise of each."""
    at: dict[tuple[str, str], dict[float, list[int]]] = {}
    for i, c in enumerate(grid.choices):
        at.setdefault((c.paradigm, c.family), {}).setdefault(c.strength, []).append(i)
    found = []
    for (paradigm, family), by in at.items():
        strengths = sorted(by)
        best = [best_of(grid.scores, np.array(by[s])) for s in strengths]
        values = [grid.scores.of(i) for i in best]
        found.append(
            Curve(
                paradigm,
                family,
                tuple(strengths),
                tuple(e.value for e in values),
                tuple(e.error for e in values),
                tuple(grid.choices[i].ranked for i in best),
            )
        )
    return tuple(found)


def by_dim(
    folds: Folds, to: Setting, family: Family, grid: Grid, chosen: int
) -> tuple[tuple[int, float, float], ...]:
    """Return what the chosen setting scores with other numbers of codes: (k, value, error).

    Beyond what was tried, powers of 2 up to `MOST`: so many codes that paradigms hardly differ,
    which is why they aren't ranked, but they say how many codes are enough.
    """
    c = grid.choices[chosen]
    same = [i for i, o in enumerate(grid.choices) if o._replace(dim=c.dim) == c]
    found = [(grid.choices[i].dim, grid.scores.of(i)) for i in same]
    last = max(k for k, _ in found)
    dims = [k for k in (2**i for i in range(8)) if last < k <= min(MOST, folds.coordinates.size)]
    if dims:
        law = family.law(c.strength, to, folds.coordinates)
        more = grid.scores._replace(good=score_dims(folds, to, law, c, dims))
        found += [(k, more.of(i)) for i, k in enumerate(dims)]
    return tuple((k, e.value, e.error) for k, e in found)


def learning(folds: Folds, to: Setting, family: Family, grid: Grid, chosen: int) -> Learning:
    r"""Compare the setting learnt from 6 folds with that from 12, on the same rows.

    Where what is lost for want of samples falls like $b / n$, the gain from 6 to 12 folds of 16 is
    $b / 12$, and what more than 16 would add at most $b / 16$, three quarters of it.

    Source: derived (the first order of a learning curve).
    """
    choice = grid.choices[chosen]
    law = family.law(choice.strength, to, folds.coordinates)
    half = score_one(folds, to, law, choice, half=True)
    pair = grid.scores._replace(good=np.stack([half, grid.scores.good[chosen]]))
    gain, n = pair.difference(1, 0), len(folds.Z)
    left = 1 - float(pair.value[1])  # no more is to be had
    most, to_come, least = (
        min(0.75 * max(gain.value + sign * SURE * gain.error, 0.0), left) for sign in (1, 0, -1)
    )
    enough = True if most <= INDIFFERENT else (False if least > INDIFFERENT else None)
    samples = int(n * to_come / INDIFFERENT) if enough is False else None
    before, after = (float(v) for v in pair.value)
    return Learning(before, after, gain.value, gain.error, to_come, enough, samples)


def told_of_nuisance(
    folds: Folds,
    to: Setting,
    name: str,
    family: Family | None,
    choice: Choice | None,
    dims: list[int],
) -> Told:
    """Return what is told of the nuisance by all features, and by the recommended codes."""
    targets = folds.nuisance
    assert targets is not None
    good = [all_features(folds, "nuisance")]
    if family is not None and choice is not None:
        law = family.law(choice.strength, to, folds.coordinates)
        good.append(score_one(folds, to, law, choice, "nuisance"))
    scores = as_scores(np.stack(good), folds, targets)
    codes = scores.of(1) if len(good) > 1 else None
    centred, k = _centred(folds, to, dims)
    metric: Metric = "R²" if targets.classes is None else "accuracy"
    features = scores.of(0)
    return Told(
        name,
        metric,
        features.value,
        features.error,
        None if codes is None else codes.value,
        None if codes is None else codes.error,
        scores.chance,
        None if centred is None else centred.value,
        None if centred is None else centred.error,
        k,
    )


def _centred(folds: Folds, to: Setting, dims: list[int]) -> tuple[Estimate | None, int | None]:
    """Return what isotropic noise scores on rows less the mean of their level, and at which k."""
    T = folds.labels
    if T is None or folds.nuisance is None or folds.nuisance.classes is None:
        return None, None
    good = np.zeros((len(dims), len(ALL)))
    for b in range(BLOCKS):
        part, Z = folds.centred(folds.beside(b))
        noise = 0.1 * to.variance
        encoded = encode(additive(part, np.zeros_like(part.covariance)), noise, dims[-1])
        if encoded is None or part.label is None:
            return None, None
        W = encoded.encoders[0]
        probes = probe(W, part, part.label, T.classes is not None, dims)
        good[:, folds.block(b)] = hits(folds, Z, T, W, probes, b)
    scores, which = as_scores(good, folds, T), np.arange(len(dims))
    value = scores._replace(good=honest(scores, which)[None]).of(0)
    return value, dims[best_of(scores, which)]


def reduction(
    rows: DataRows, folds: Folds, to: Setting, family: Family | None, grid: Grid | None, chosen: int
) -> Reduction | None:
    """Return what leading directions leave out, and what the setting scores with other ones.

    With all features, up to `WHOLE` of them; else with half as many directions, as what these lose
    beside those that are kept bounds what more would bring, where gains shrink.
    """
    at = folds.coordinates
    if at.basis is None:
        return None
    most = rows.features if rows.features <= WHOLE else DIRECTIONS // 2
    if grid is None or family is None or at.exact:
        return Reduction(at.size, at.left_out, at.size, None, None)
    other = find_coordinates(rows, most)
    more = Folds(rows, other, folds.labels, folds.nuisance, folds.units, folds.seed)
    choice = grid.choices[chosen]
    good = score_one(more, to, family.law(choice.strength, to, other), choice)
    pair: Scores = grid.scores._replace(good=np.stack([good, grid.scores.good[chosen]]))
    return Reduction(at.size, at.left_out, other.size, *pair.difference(0, 1))


def shaken(
    folds: Folds, to: Setting, families: tuple[Family, ...], names: tuple[str, ...] | None
) -> tuple[Shaken, ...]:
    r"""Return what each family calls irrelevant, at a middle strength, from all rows.

    Of a feature j it shakes $\Sigma_{jj} / S_{jj}$, the share of a view's variance that differs
    between views of one instance.
    """
    part, found = folds.part(ALL), []
    for family in families:
        strength = family.strengths[len(family.strengths) // 2]
        noise = family.noise[-1]
        views = family.law(strength, to, folds.coordinates)(part)
        encoded, _ = solved(views, noise * to.variance, LEADING, folds.variance)
        views = views.with_noise(noise * to.variance)
        up = folds.coordinates.diagonal_up
        Sigma, S = (up(m) for m in (views.spread, views.shared + views.spread))
        share = Sigma / np.where(S > 0, S, 1)
        most = np.argsort(-share, kind="stable")[:MOST_SHAKEN]
        uneven = float(share.max() - share.min()) > 0.01
        spectra = ((), ())
        if encoded is not None:
            leading = encoded.spectra[:, :LEADING]
            spectra = tuple(leading[0]), tuple(leading[1] / max(leading[1, 0], 1e-300))
        found.append(
            Shaken(
                family.text(strength, noise),
                float(Sigma.sum() / max(S.sum(), 1e-300)),
                tuple((str(j) if names is None else names[j], float(share[j])) for j in most)
                if uneven
                else (),
                *spectra,
            )
        )
    return tuple(found)
