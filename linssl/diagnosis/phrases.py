"""The numbers of a diagnosis in words, with their errors where those are known."""

import math
from collections.abc import Sequence

from linssl.diagnosis.estimates import Estimate
from linssl.diagnosis.facts import Facts, Feature, Reading

NAMES = {"joint_embedding": "joint embedding", "reconstruction": "reconstruction"}
HEADLINES = {
    "joint_embedding": "Use joint embedding",
    "reconstruction": "Use reconstruction",
    "either": "Use either: the choice doesn't matter here",
    "neither": "Use neither as it is: align the augmentation",
    "undecided": "Undecided",
}
KNOWN_AS = (
    "Joint embedding: JEPA, DINO, VICReg, SimCLR. Reconstruction: MAE, (denoising) autoencoders."
)


def headline(d: Facts) -> str:
    """Say what to use, and how far ahead it is."""
    if d.difference is None or d.difference_error is None:
        return HEADLINES[d.recommendation]
    both = [getattr(d, key).held_out for key in NAMES]
    apart = Estimate(d.difference, d.difference_error)
    return headline_of(d.recommendation, both, apart, metric(d))


def headline_of(
    recommendation: str, held_out: Sequence[float], difference: Estimate, metric: str
) -> str:
    """Say what to use, from the held-out metric of both paradigms and by how much it differs."""
    short = HEADLINES[recommendation]
    if recommendation in ("either", "undecided") or math.isinf(difference.error):
        return short
    ahead, behind = (0, 1) if difference.value > 0 else (1, 0)
    if recommendation == "neither":
        return f"{short} ({[*NAMES.values()][ahead]} loses less)" if difference.sign else short
    values = [rounded(held_out[p], 3) for p in (ahead, behind)]
    chance = "" if difference.sign else ", which may be chance"
    return f"{short}: held-out {metric} {values[0]} against {values[1]}{chance}"


def metric(d: Facts) -> str:
    """Name the task's own metric."""
    return "accuracy" if d.classes else "R²"


def held_out_in_words(reading: Reading) -> str:
    """Say how well a linear probe on the codes does."""
    if reading.held_out is None or reading.arbitrary:
        return "arbitrary"
    return with_error(reading.held_out, reading.held_out_error)


def kept_in_words(d: Facts, reading: Reading) -> str:
    """Say what a paradigm keeps."""
    if reading.arbitrary:
        return "arbitrary"
    if d.ceiling is None:
        return f"{rounded(reading.kept, 2)} ± {nonzero(reading.kept_error, 2)} of {d.dim}"
    return with_error(reading.kept, reading.kept_error)


def margin_in_words(reading: Reading) -> str:
    """Say by how much the signal is kept."""
    if reading.arbitrary:
        return "arbitrary"
    return f"{'+' if reading.margin >= 0 else ''}{with_error(reading.margin, reading.margin_error)}"


def with_error(value: float, error: float | None) -> str:
    """Write a number with its standard error, where that is known."""
    if value != value:
        return "unknown"
    told = "unknown" if error is None or error != error else nonzero(error, 3)
    return f"{rounded(value, 3)} ± {told}"


def verdict_in_words(reading: Reading) -> str:
    """Say whether a paradigm keeps the signal."""
    return {True: "yes", False: "no", None: "can't tell"}[reading.keeps]


def alpha_in_words(reading: Reading) -> str:
    """Say what alignment a paradigm needs."""
    if reading.alpha is None:
        return "none tried works"
    return "none" if reading.alpha == 0 else f"alpha = {reading.alpha:g}"


def percent(share: float) -> str:
    """Write a share of 1 as percent."""
    return f"{rounded(100 * share, 0)} %" if share == share else "an unknown share"


def points(share: float, error: float) -> str:
    """Write a share of 1 as percent, with its standard error."""
    digits = 0 if error >= 0.015 else 1
    told = "unknown" if error != error else nonzero(100 * error, digits)
    return f"{rounded(100 * share, digits)} ± {told}"


def named_shares(features: Sequence[Feature]) -> str:
    """Name features, each with its share."""
    return ", ".join(f"{f.name} ({percent(f.value)})" for f in features)


def named_weights(features: Sequence[Feature]) -> str:
    """Name features, each with its weight and sign."""
    return ", ".join(f"{f.name} {rounded(f.value, 2)}" for f in features)


def share_in_full(share: float) -> str:
    """Write a share that was chosen as percent, with all its digits: 99.9 % isn't 100 %."""
    return f"{100 * share:.6g} %"


def nonzero(error: float, digits: int) -> str:
    """Write an error with so many decimals, or in one digit where these would be 0."""
    return f"{error:.1g}" if 0 < error < 0.5 * 10**-digits else f"{error:.{digits}f}"


def rounded(value: float, digits: int) -> str:
    """Write a number with so many decimals, and never -0."""
    return f"{round(value, digits) + 0.0:.{digits}f}"  # + 0: not -0


def to_two_digits(number: int) -> str:
    """Write a number of samples, in two digits."""
    return f"{float(f'{number:.2g}'):,.0f}"


def capital(text: str) -> str:
    """Begin a sentence."""
    return text[0].upper() + text[1:]
