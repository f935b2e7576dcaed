"""The rule: from what each paradigm keeps, and its error, to a recommendation."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from linssl.diagnosis.estimates import Estimate, estimate
from linssl.diagnosis.facts import Recommendation
from linssl.diagnosis.measure import PARADIGMS, Measured

HALF = 0.5  # of a direction: what counts as one lost


class Judgement(NamedTuple):
    """What was decided, and by which numbers."""

    recommendation: Recommendation
    kept: tuple[Estimate, Estimate]
    margins: tuple[Estimate, Estimate]
    ceiling: Estimate | None
    apart: Estimate
    better: str | None
    deciding: Estimate | None  # the margin that is least sure, where undecided


def margins_of(m: Measured, tolerance: float) -> np.ndarray:
    r"""Return by how much each paradigm keeps the signal, (2,).

    With labels $R^2 - (1 - \text{tolerance}) R^2_*$; without, half a direction less those of its
    codes that lie in the nuisance.

    Source: derived (the rule).
    """
    if m.ceiling.size:
        return m.kept[:, 0] - (1 - tolerance) * m.ceiling[0]
    return HALF - m.kept[:, 0]


def judge(
    whole: Measured,
    parts: list[Measured],
    tolerance: float,
    named: bool,
    tied: tuple[bool, bool] = (False, False),
) -> Judgement:
    """Apply the rule that `diagnose` documents.

    Args:
        whole: what all samples say.
        parts: what each half of them says.
        tolerance: share of the ceiling that may be lost.
        named: whether labels or the augmentation name what is irrelevant.
        tied: whether the codes of each paradigm are arbitrary, so that what they keep is, too.

    Source: derived (the rule).
    """

    def of_both(value: Callable[[Measured], np.ndarray]) -> tuple[Estimate, Estimate]:
        both = [
            estimate(float(value(whole)[p]), [float(value(m)[p]) for m in parts]) for p in (0, 1)
        ]
        je, rc = (e._replace(error=np.inf) if t else e for e, t in zip(both, tied, strict=True))
        return je, rc

    kept, margins = of_both(lambda m: m.kept[:, 0]), of_both(lambda m: margins_of(m, tolerance))
    for p in np.flatnonzero(np.array(tied) & named):
        nearest = _nearest_choice(whole, parts, tolerance, int(p))
        if nearest is not None:
            kept, margins = (
                (both[0], one) if p else (one, both[1])
                for both, one in zip((kept, margins), nearest, strict=True)
            )
    apart = estimate(whole.apart, [m.apart for m in parts])
    labelled = whole.ceiling.size > 0
    ceiling = None
    if labelled:
        ceiling = estimate(float(whole.ceiling[0]), [float(m.ceiling[0]) for m in parts])
    difference = estimate(
        float(whole.kept[0, 0] - whole.kept[1, 0]),
        [float(m.kept[0, 0] - m.kept[1, 0]) for m in parts],
    )
    if any(tied):
        apart, difference = (e._replace(error=np.inf) for e in (apart, difference))
    # Without labels `kept` counts directions of nuisance, and less is better.
    sign = difference.sign if labelled else -difference.sign
    better = {1: PARADIGMS[0], -1: PARADIGMS[1], 0: None}[sign]
    if named:
        recommendation, deciding = _of_margins(margins)
        if ceiling is not None and ceiling.sign < 1:
            recommendation, deciding = "undecided", ceiling  # nothing to be kept
    else:
        agree = Estimate(HALF - apart.value, apart.error)
        recommendation, deciding = ("either", None) if agree.sign > 0 else ("undecided", agree)
        deciding = None if agree.sign else deciding  # they do differ: samples don't help
    return Judgement(recommendation, kept, margins, ceiling, apart, better, deciding)


def _nearest_choice(
    whole: Measured, parts: list[Measured], tolerance: float, p: int
) -> tuple[Estimate, Estimate] | None:
    """Return what a paradigm keeps, and its margin, by that choice among tied codes that is nearest
    to the edge; None where choices have different verdicts, or none for sure.
    """
    found = []
    for choice in (0, 1):
        told = [m._replace(kept=m.choices[:, [choice]]) for m in (whole, *parts)]
        margins = [float(margins_of(m, tolerance)[p]) for m in told]
        kept = [float(m.kept[p, 0]) for m in told]
        found.append((estimate(kept[0], kept[1:]), estimate(margins[0], margins[1:])))
    signs = {margin.sign for _, margin in found if np.isfinite(margin.error)}
    one = len(signs) == 1 and 0 not in signs and all(np.isfinite(m.error) for _, m in found)
    return min(found, key=lambda pair: abs(pair[1].value)) if one else None


def _of_margins(margins: tuple[Estimate, ...]) -> tuple[Recommendation, Estimate | None]:
    je, rc = (m.sign for m in margins)
    if je == 0 or rc == 0:
        unsure = [m for m in margins if m.sign == 0]
        return "undecided", max(unsure, key=lambda m: m.error / max(abs(m.value), 1e-300))
    if je == rc:
        return ("either" if je > 0 else "neither"), None
    return ("joint_embedding" if je > 0 else "reconstruction"), None
