"""A recommendation in words: the headline, why, and what to do next."""

from linssl.diagnosis.phrases import NAMES, rounded, to_two_digits
from linssl.recommendation.evaluate import Grid
from linssl.recommendation.facts import (
    Facts,
    Recommended,
)
from linssl.recommendation.ranking import INDIFFERENT, Ranking

HEADLINES = {
    "joint_embedding": "Use joint embedding",
    "reconstruction": "Use reconstruction",
    "either": "Use either",
    "undecided": "Undecided",
    "unranked": "No ranking without labels",
}
OWN_WORDS = ("scaled-noise", "nuisance", "view")  # which the small language doesn't have


def headline(r: Facts) -> str:
    """Say what to use, in one line."""
    if r.recommended is None:
        return HEADLINES[r.answer]
    s, told = r.recommended, HEADLINES[r.answer]
    setting = f"with {s.augmentation}, {s.dim} code{'s' if s.dim > 1 else ''}"
    if r.answer == "undecided":
        return f"{told}; until then, {NAMES[s.paradigm]} {setting}"
    if r.answer != "either":
        return f"{told} {setting}"
    if abs(r.lead or 0.0) <= INDIFFERENT:
        return f"{told}: the choice doesn't matter here; for one, {NAMES[s.paradigm]} {setting}"
    return f"{told}: not surely apart; likely better, {NAMES[s.paradigm]} {setting}"


def score(value: float, metric: str) -> str:
    """Write an accuracy as percent, an R² as a number."""
    return f"{100 * value:.1f} %" if metric == "accuracy" else rounded(value, 3)


def points(value: float, metric: str) -> str:
    """Write a difference of two scores."""
    return f"{100 * value:.1f} points" if metric == "accuracy" else rounded(value, 3)


def interval(s: Recommended, metric: str) -> str:
    """Write a score with what two errors to each side reach."""
    low, high = (score(v, metric) for v in s.interval)
    return f"{score(s.value, metric)} ({low} to {high})"


RARE = 0.9  # of rows in one class: above it, always guessing that class is right too often to beat
UNRANKED = (
    "Nothing says what matters but the augmentation: what it shakes is called irrelevant. Below is "
    "how much each family shakes, and the scores of the codes that would be learnt; which of them "
    "suits a task, labels decide, even those of some rows."
)
UNRANKED_STEPS = (
    "Give labels (--labels COLUMN): a few hundred labelled rows rank all of this.",
    "`linssl diagnose` says whether both paradigms agree under one augmentation.",
)


def reason(r: Facts, ranking: Ranking) -> str:
    """Say why."""
    s, m = r.recommended, r.metric
    assert s is not None
    what = "accuracy" if m == "accuracy" else "R²"
    told = f"On rows it never saw, it has {what} {interval(s, m)}"
    if r.all_features is not None:
        all_of = f"all {r.features:,} features"
        if r.reduction is not None:
            all_of = f"the {r.reduction.directions} directions that are used"
        told += f"; {all_of} have {score(r.all_features, m)}"
    if m == "accuracy" and r.chance is not None:
        told += f", the largest class alone {score(r.chance, m)}"
    return f"{told}. {_of_lead(r, ranking)}"


def _of_lead(r: Facts, ranking: Ranking) -> str:
    if ranking.informed.sign < 1:
        return (
            "That isn't more than chance for sure: these codes tell nothing of the labels that "
            "could be compared."
        )
    if r.lead is None or r.lead_error is None:
        one, other = NAMES.values()
        missing = other if "joint_embedding" in r.best else one
        return (
            f"No setting of {missing} could be judged: its codes are arbitrary under all of them."
        )
    if r.lead == 0 and r.lead_error == 0:
        return "The other paradigm's best scores just the same."
    ahead, behind = ("joint_embedding", "reconstruction")[:: 1 if r.lead >= 0 else -1]
    by = f"{points(abs(r.lead), r.metric)} ± {points(r.lead_error, r.metric)}"
    other = r.best[behind]
    best = f"{NAMES[behind]}'s best, {other.augmentation} with {other.dim}"
    if r.answer in NAMES:
        return f"That is {by} more than {best}."
    lead = f"{NAMES[ahead].capitalize()} is ahead of {best} by {by}"
    if r.answer == "either" and abs(r.lead) <= INDIFFERENT:
        return f"{lead}, less than matters."
    if r.answer == "either":
        return f"{lead}, which may be chance, but following it is likely to cost less than a point."
    needed = "more samples" if r.samples_to_decide is None else (
        f"about {to_two_digits(r.samples_to_decide)} samples like these"
    )  # fmt: skip
    return f"{lead}, which may be chance, and may be more than a point: {needed} would tell."


def next_steps(r: Facts) -> tuple[str, ...]:
    """Say what to do next."""
    s = r.recommended
    assert s is not None
    steps = _of_rare_classes(r)
    steps.append(
        f"In Python, found = linssl.recommend(...), and found(rows) gives the {s.dim} codes, "
        "learnt from all samples."
    )
    if s.family not in OWN_WORDS:
        steps.append(
            "Look closer, with DATA, --labels and the like as here: linssl diagnose DATA "
            f"--augmentation {s.augmentation} --dim {s.dim}"
        )
    elif s.family == "nuisance":
        steps.append(
            "To train a network so, add to each view a fresh draw of N(0, α²Γ), Γ the covariance "
            f"of the nuisance's means and α = {s.strength:g}, and noise of {s.noise:g} of the mean "
            "variance of a feature: linssl.augmentations.AlignedNoise."
        )
    if r.answer == "undecided" and r.samples_to_decide is not None:
        steps.append(f"To decide: about {to_two_digits(r.samples_to_decide)} samples like these.")
    if r.learning is not None and r.learning.samples is not None:
        steps.append(
            f"More samples pay: about {to_two_digits(r.learning.samples)} come within a point of "
            "what endless ones would reach."
        )
    return tuple(steps)


def _more_codes(r: Facts) -> str:
    """Say how many codes come within a point of all features, or of the most that were tried."""
    assert r.recommended is not None
    if len(r.by_dim) < 2:
        return "try more of them (--dim)"
    values = [value for _, value, _ in r.by_dim]
    edge = min(r.all_features or 0.0, max(values)) - INDIFFERENT
    k = next(k for k, value, _ in r.by_dim if value >= edge)
    if k <= r.recommended.dim:
        return "more of them hardly help"
    return f"{k} would come within a point of the most that more have (--dim {k})"


def _of_rare_classes(r: Facts) -> list[str]:
    if r.metric != "accuracy" or r.chance is None or r.chance <= RARE:
        return []
    return [
        f"One class has {score(r.chance, r.metric)} of the rows, and accuracy hardly sees the "
        "others: ask again with as many rows of each class."
    ]


def notes(r: Facts, grid: Grid) -> tuple[str, ...]:
    """Say what was found in the data, and done about it."""
    found = list(of_reduction(r))
    s, m = r.recommended, r.metric
    assert s is not None
    lost = 0.0 if r.all_features is None else r.all_features - s.value
    if lost > INDIFFERENT and lost > 2 * _error_of_difference(s.error, r.all_features_error):
        found.append(
            f"{points(lost, m).capitalize()} of what all features tell is lost in {s.dim} codes; "
            f"{_more_codes(r)}."
        )
    if s.family == "view":
        found.append("view is yours, by samples of it; its errors count those of sampling too.")
    over = _beyond(r)
    if over:
        found.append(over)
    floored = sorted(set(grid.floored))
    if floored:
        found.append(
            f"Noise of 1/1000 of the mean variance was added to {len(floored)} "
            f"setting{'s' if len(floored) > 1 else ''}, whose views can't be whitened without: "
            f"{', '.join(floored[:4])}"
            f"{' and others' if len(floored) > 4 else ''}."
        )
    return tuple(found)


def _error_of_difference(a: float, b: float | None) -> float:
    """Return the error of a difference of two independent numbers."""
    return (a**2 + (b or 0.0) ** 2) ** 0.5


def _beyond(r: Facts) -> str:
    """Say where strengths that aren't ranked would do for the paradigm that is behind."""
    s = r.recommended
    assert s is not None
    for c in r.curves:
        if c.family != s.family or c.paradigm == s.paradigm:
            continue
        there = [
            strength
            for strength, value, ranked in zip(c.strengths, c.values, c.ranked, strict=True)
            if not ranked and value >= s.value - INDIFFERENT
        ]
        if there and max(v for v, ok in zip(c.values, c.ranked, strict=True) if ok) < (
            s.value - INDIFFERENT
        ):
            return (
                f"{NAMES[c.paradigm].capitalize()} gets there only at {c.family}:{there[0]:g}, "
                "noise far larger than the nuisance itself, which isn't ranked."
            )
    return ""


def of_reduction(r: Facts) -> tuple[str, ...]:
    """Say what leaving features for directions costs."""
    less = r.reduction
    if less is None:
        return ()
    if less.left_out < 1e-9:
        return (
            f"Samples are fewer than features: their span, {less.directions} directions, is used. "
            "That is exact for isotropic noise; of other augmentations, it has the best codes "
            "within the span.",
        )
    told = (
        f"{less.directions} leading directions of {r.features:,} features are used; "
        f"{100 * less.left_out:.2g} % of the variance is outside them"
    )
    if less.change is None or less.change_error is None:
        return (f"{told}.",)
    change = points(abs(less.change), r.metric)
    what = "features" if less.compared_with == r.features else "directions"
    error = points(less.change_error, r.metric)
    more = "more" if less.change >= 0 else "less"
    return (
        f"{told}. With {less.compared_with} {what} the setting scores {change} ± {error} {more}.",
    )
