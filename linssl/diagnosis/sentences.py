"""What a diagnosis says: the reason, what to do next, and what was found in the data."""

from linssl.data.images import cannot_be_told
from linssl.diagnosis.batch_sentences import centring_steps
from linssl.diagnosis.called import CalledView
from linssl.diagnosis.facts import Facts
from linssl.diagnosis.inputs import Instances
from linssl.diagnosis.phrases import (
    NAMES,
    capital,
    held_out_in_words,
    metric,
    nonzero,
    percent,
    rounded,
    share_in_full,
    to_two_digits,
    with_error,
)
from linssl.diagnosis.rule import INDIFFERENT
from linssl.pairs.black_box import UNCHANGED

RESCALED = 100  # times the variance: by more than what masks or noise do


def reason_for(d: Facts, named: bool) -> str:
    """Say why this is recommended."""
    if d.ceiling is not None:
        return _by_metric(d)
    if not named:
        return _unnamed(d)
    yardstick = (
        f"the augmentation shakes {_count(d)} beyond a flat base, "
        "and a paradigm keeps the signal if less than half a direction of its codes is there"
    )
    if d.recommendation == "undecided" and _arbitrary(d):
        return f"{capital(yardstick)}. {_tie(d)}"
    numbers = " and ".join(
        f"{name} has {getattr(d, key).kept:.2f} of {d.dim} there" for key, name in NAMES.items()
    )
    if d.recommendation != "undecided":
        which = {"either": "both keep it", "neither": "neither keeps it"}.get(
            d.recommendation, f"only {NAMES.get(d.recommendation)} keeps it"
        )
        better = f"; {NAMES[d.better]} loses less" if d.better and which.startswith("nei") else ""
        return f"{capital(yardstick)}: {numbers}, so {which}{better}."
    keep = {name: getattr(d, key).keeps for key, name in NAMES.items()}
    unsure = [name for name, k in keep.items() if k is None]
    sure = [f"{name} {'does' if k else 'does not'}" for name, k in keep.items() if k is not None]
    return (
        f"{capital(yardstick)}: {numbers}. Whether {' or '.join(unsure)} keeps it is within two "
        f"standard errors of the edge" + (f"; {sure[0]}." if sure else ".")
    )


def _by_metric(d: Facts) -> str:
    """Say how both do at the task, which is better, and what is lost."""
    assert d.held_out_ceiling is not None
    assert d.held_out_ceiling_error is not None
    assert d.chance is not None
    best = with_error(d.held_out_ceiling, d.held_out_ceiling_error)
    if d.held_out_ceiling - d.chance <= 2 * d.held_out_ceiling_error:
        return (
            f"No linear probe predicts the labels: the best on all features has a held-out "
            f"{metric(d)} of {best}, and chance has {rounded(d.chance, 3)}."
        )
    codes = f"{d.dim} codes" if d.dim > 1 else "one code"
    numbers = " and ".join(
        f"{held_out_in_words(getattr(d, key))} with {name}" for key, name in NAMES.items()
    )
    task = f"A linear probe on {codes} has a held-out {metric(d)} of {numbers}"
    yardstick = f"the best on all features has {best}, and chance {rounded(d.chance, 3)}"
    if d.recommendation == "undecided" and _arbitrary(d):
        return f"{task}; {yardstick}. {_tie(d)}"
    return f"{task}: {_which_is_better(d)}. {capital(yardstick)}: {_what_is_kept(d)}."


def _which_is_better(d: Facts) -> str:
    assert d.difference is not None
    ahead = NAMES["joint_embedding" if d.difference > 0 else "reconstruction"]
    by = with_error(abs(d.difference), d.difference_error)
    if d.recommendation == "either":
        return f"they differ by {by}, at most {INDIFFERENT:g} within two standard errors"
    if d.better:
        return f"{ahead} is better by {by}"
    if d.recommendation in NAMES:
        sure = f"{NAMES[d.recommendation]} surely isn't worse by more than {INDIFFERENT:g}"
        return f"{ahead} is ahead by {by}, which may be chance; but {sure}"
    either = f"either may be better by more than {INDIFFERENT:g}"
    return f"{ahead} is ahead by {by}, within two standard errors of nothing: {either}"


def _what_is_kept(d: Facts) -> str:
    """Say which share of what can be had above chance each paradigm keeps, and if it's enough."""
    assert d.held_out_ceiling is not None
    assert d.chance is not None
    above = d.held_out_ceiling - d.chance
    shares = [percent((getattr(d, key).held_out - d.chance) / above) for key in NAMES]
    alike = shares[0] == shares[1]
    pairs = (f"{name} keeps {share}" for name, share in zip(NAMES.values(), shares, strict=True))
    kept = f"both keep {shares[0]}" if alike else " and ".join(pairs)
    told = f"of what is above chance {kept}, where "
    told += f"{share_in_full(1 - d.tolerance)} is asked for"
    if d.recommendation == "neither":
        return f"{told}, so {'both lose' if not d.better else 'neither keeps'} the signal"
    unsure = [
        name
        for key, name in NAMES.items()
        if getattr(d, key).keeps is None and d.recommendation in (key, "either")
    ]
    if unsure:
        who = "both have" if len(unsure) == 2 else f"{unsure[0]} has"
        return f"{told}; whether {who} that can't be told, within two standard errors"
    return told


def _samples(d: Facts) -> str:
    """Say how many samples there are, and how many independent ones they are worth."""
    worth = f", worth {to_two_digits(round(d.effective_samples))} independent ones,"
    alone = round(d.effective_samples) == d.samples
    within = f" in {d.groups:,} groups" if d.groups else ""
    return f"{d.samples:,} samples{within}{'' if alone else worth}"


def _units(d: Facts) -> list[str]:
    """Say which rows were taken to belong together."""
    notes = []
    if d.groups is not None:
        notes.append(
            f"The {d.samples:,} rows are of {d.groups:,} groups, none of which was split: errors "
            "are those over groups."
        )
    copies = f"{d.copies:,} of {d.samples:,} rows are exact copies of others"
    if d.groups is not None and d.copies_apart:
        notes.append(
            f"{copies}, {d.copies_apart:,} of them of rows in other groups: groups were taken at "
            "their word, but if these are one sample, errors are too small."
        )
    elif d.groups is None and d.copies_apart:
        notes.append(
            f"{copies}: with so few values, as many are equal by chance, so each was taken for a "
            "sample of its own. If they aren't, name what was sampled (--group, groups)."
        )
    elif d.groups is None and d.copies:
        notes.append(
            f"{copies}: they were kept together, and count once. If they are samples of their own, "
            "name each (--group, groups)."
        )
    return notes


def _arbitrary(d: Facts) -> list[str]:
    return [name for key, name in NAMES.items() if getattr(d, key).arbitrary]


def _tie(d: Facts) -> str:
    """Say why nothing can be said of codes whose scores tie, and what of the others."""
    sure = [
        f" {capital(name)} {'keeps' if getattr(d, key).keeps else 'loses'} the signal."
        for key, name in NAMES.items()
        if getattr(d, key).keeps is not None
    ]
    codes = f"codes {d.dim} and {d.dim + 1}"
    return (
        f"The scores of {' and of '.join(_arbitrary(d))} tie at the cut, {codes} being as good as "
        "each other, so which it takes, and what that keeps, is arbitrary." + "".join(sure)
    )


def _unnamed(d: Facts) -> str:
    if _arbitrary(d):
        return f"The augmentation names no irrelevant directions. {_tie(d)}"
    if d.recommendation == "either":
        return (
            f"The augmentation names no irrelevant directions, and both paradigms keep the same "
            f"{d.dim}: their subspaces are {rounded(d.apart, 2)} of a direction apart."
        )
    differ = f"the {d.dim}-dimensional subspaces of the two paradigms are {rounded(d.apart, 2)} ± "
    differ += f"{nonzero(d.apart_error, 2)} directions apart"
    if d.samples_to_decide is None:
        return (
            f"The augmentation names no irrelevant directions (nothing stands above a flat base), "
            f"and {differ}: without labels, nothing says which of the two matters."
        )
    return f"The augmentation names no irrelevant directions, and whether {differ}, can't be told."


def next_steps(d: Facts, named: bool) -> tuple[str, ...]:
    """Say what to do next, the most useful first."""
    steps = []
    if d.recommendation in NAMES:
        other = next(key for key in NAMES if key != d.recommendation)
        steps.append(f"Train with {NAMES[d.recommendation]} under this augmentation.")
        sure = getattr(d, d.recommendation).keeps
        steps += _alignment(d, (other,) if sure else tuple(NAMES))
        steps += [_more_codes(d)] if d.ceiling is not None and not sure else []
    elif d.recommendation == "either":
        steps.append(
            "Choose by convenience: under this augmentation the paradigm makes no difference to "
            "what a linear model keeps."
        )
        steps += _alignment(d, tuple(NAMES)) if named else []
        if not named:
            steps.append(
                "What matters to you may be something else than what both keep: give labels "
                "(--labels), even a few, to see whether they survive."
            )
    elif d.recommendation == "neither":
        steps += _alignment(d, tuple(NAMES))
        steps.append(
            _more_codes(d)
            if d.ceiling is not None
            else "Or give labels (--labels), to see what the codes that are left are good for."
        )
    else:
        steps += _undecided(d, named)
    if named and d.recommendation in NAMES | {"neither": "", "either": ""}:
        reading = d.joint_embedding if d.recommendation != "reconstruction" else d.reconstruction
        if not reading.identified:
            steps.append(
                f"The cut after {d.dim} isn't sharp at this n (see the gap): another --dim where "
                "the spectrum drops would be more reproducible."
            )
    steps += centring_steps(d)
    if d.augmentation.endswith("the default"):
        steps.append(
            "This was the default augmentation, a little Gaussian noise, under which both "
            "paradigms are principal components: name your own (--augmentation or "
            "--view), or let `linssl recommend` try those that suit the data."
        )
    return tuple(steps)


def _more_codes(d: Facts) -> str:
    """Say how many codes would do, if any number that was tried does."""
    assert d.held_out_ceiling is not None
    assert d.chance is not None
    edge = d.chance + (1 - d.tolerance) * (d.held_out_ceiling - d.chance)
    enough = {}
    for key, name in NAMES.items():
        rows = zip(d.dims, getattr(d, key).held_out_by_dim, strict=True)
        k = next((k for k, value in rows if k > d.dim and value >= edge), None)
        if k is not None:
            enough[name] = k
    if not enough:
        return f"More codes don't help: neither keeps the signal with {max(d.dims)}."
    several = " and ".join(f"{name} keeps the signal with {k}" for name, k in enough.items())
    return f"Or take more codes (--dim): {several}, against {d.dim} now."


def _alignment(d: Facts, which: tuple[str, ...]) -> list[str]:
    source = "within classes" if d.classes else "that the labels don't explain"
    what = (
        f"noise with alpha² times the covariance {source}"
        if d.ceiling is not None
        else "alpha² times what it already shakes above its base"
    )
    steps, practical = [], False
    for how, field in ((f"adding {what} to the views", "alpha"), (
        f"using a little noise and {what} in place of this augmentation",
        "alpha_instead",
    )):  # fmt: skip
        found = {key: getattr(getattr(d, key), field) for key in which}
        works = [f"{NAMES[key]} (from alpha = {a:g} on)" for key, a in found.items() if a]
        fails = [NAMES[key] for key, a in found.items() if a is None]
        tried = field == "alpha" or any(found.values())
        if works:
            steps.append(f"Align: {how} would make {' and '.join(works)} keep the signal.")
            practical = True
        if fails and tried:
            steps.append(f"{capital(how)} would not save {' or '.join(fails)}, up to alpha = 8.")
    if practical:
        steps.append(
            "In practice: look for an augmentation that changes the nuisance directions shown, and "
            "nothing that matters; then run this again."
        )
    return steps


def _undecided(d: Facts, named: bool) -> list[str]:
    steps = []
    if d.difference is not None and not _arbitrary(d):
        assert d.difference_error is not None
        ahead = NAMES["joint_embedding" if d.difference > 0 else "reconstruction"]
        worst = rounded(max(2 * d.difference_error - abs(d.difference), 0), 3)
        steps.append(
            f"If you must choose now: {ahead}, which is at most {worst} of {metric(d)} worse than "
            "the other, within two standard errors."
        )
    else:
        steps += [
            f"{capital(name)} keeps the signal for sure: train with that if you must choose now."
            for key, name in NAMES.items()
            if getattr(d, key).keeps
        ]
    if d.samples_to_decide is not None:
        several, now = ("groups", d.groups) if d.groups else ("samples", d.samples)
        wanted = to_two_digits(round(d.samples_to_decide * now / d.samples))
        steps.append(
            f"More {several}: about {wanted} would decide it, against {now:,} now"
            + (", of as many rows each." if d.groups else ".")
        )
    if _arbitrary(d):
        steps.append(
            "Name an augmentation whose views differ in what doesn't matter (--augmentation or "
            "--view); more samples don't help."
        )
    elif d.ceiling is not None:
        steps.append("Or another number of codes (--dim), at which the two differ more.")
    if not named:
        steps.append(
            "Give labels (--labels): a few hundred samples are enough to say what matters."
        )
        steps.append(
            "Or name what is irrelevant: an augmentation that shakes just that, on a flat base."
        )
    return steps


def notes_on(
    d: Facts,
    instances: Instances,
    called: CalledView,
    alike: bool,
    blurred: int,
    tied: tuple[bool, bool],
) -> tuple[str, ...]:
    """Say what was found in the data, and done about it.

    Args:
        d: all but its words.
        instances: the data.
        called: what a view that was called did to them.
        alike: whether the views of an instance don't differ.
        blurred: columns that are redundant to rounding, but perhaps not quite.
        tied: whether codes of each paradigm tie at the cut.
    """
    notes = [
        f"The scores of {name} tie at the cut, codes {d.dim} and {d.dim + 1}, but any choice among "
        "them has the same verdict: what is told is the one nearest to the edge."
        for (key, name), tie in zip(NAMES.items(), tied, strict=True)
        if tie and not getattr(d, key).arbitrary
    ]
    if alike:
        notes.append(
            "The views of an instance don't differ: this augmentation shakes nothing, so any codes "
            "are as good as any others to joint embedding."
        )
    if called.unchanged:
        notes.append(f"The {UNCHANGED}")
    if not 1 / RESCALED < called.scale < RESCALED:
        notes.append(
            f"Views vary {called.scale:.2g} times as much as the data, as where a view changes "
            "their units (ToTensor of torchvision divides 8-bit pixels by 255), which alignment "
            "doesn't follow: pass data in the units of the views."
        )
    if blurred:
        notes.append(
            f"Columns that are combinations of others to 12 digits were taken for redundant "
            f"({blurred} of {d.features}): if what they differ by matters, pass that as a column."
        )
    if d.constant:
        notes.append(
            f"{len(d.constant)} of {d.features} columns never vary; they were kept, and do no harm."
        )
    if d.noise_floor:
        notes.append(
            f"Noise of variance {d.noise_floor:.3g}, 1/1000 of the mean variance of a feature, was "
            "added to all views: without it their second moment is singular."
        )
    if d.effective_samples <= 2 * d.features:
        notes.append(f"{_samples(d)} are few for {d.features} features; trust errors, not digits.")
    notes += _units(d)
    notes += _images(instances)
    if d.dtype not in ("float64", "float32"):
        pixels = ", and were divided by 255, as pixels" if d.dtype == "uint8" else ""
        notes.append(f"Data came as {d.dtype}{pixels}; all was computed in float64.")
    return tuple(notes)


def _images(instances: Instances) -> list[str]:
    """Say what images the data were taken for."""
    if instances.unordered:
        sides = instances.unordered
        return [f"Instances weren't taken for images: those of {sides} {cannot_be_told(sides)}"]
    if instances.image is None:
        return []
    sides = " x ".join(map(str, instances.image))
    if instances.guessed:
        return [
            f"Rows of {instances.X[0].size} features were taken for images of {sides}, which is a "
            "guess: if they are others, give image_shape, or --image."
        ]
    first = ", whose channels came first" if instances.moved else ""
    return [f"Rows were taken for images of {sides}{first}."]


def _count(d: Facts) -> str:
    """Say how many directions are nuisance; no more than eight are kept."""
    many = len(d.nuisance)
    return "one direction" if many == 1 else f"{many}{' or more' if many == 8 else ''} directions"
