"""A recommendation put together, in numbers and words."""

import dataclasses
from typing import Any

from linssl.recommendation import words
from linssl.recommendation.evaluate import Grid
from linssl.recommendation.facts import Reduction, Shaken, Told
from linssl.recommendation.ranking import Ranking
from linssl.recommendation.recommendation import Recommendation


def ranked(
    base: dict[str, Any], ranking: Ranking, grid: Grid, facts: dict[str, Any]
) -> Recommendation:
    """Return what was ranked."""
    made = Recommendation(answer=ranking.answer, reason="", next_steps=(), **(base | facts))
    return dataclasses.replace(
        made,
        reason=words.reason(made, ranking),
        next_steps=words.next_steps(made),
        notes=(*made.notes, *words.notes(made, grid)),
    )


def unranked(
    base: dict[str, Any], shaken: tuple[Shaken, ...], told: Told | None, less: Reduction | None
) -> Recommendation:
    """Return what can be told without labels."""
    made = Recommendation(
        answer="unranked", reason=words.UNRANKED, next_steps=words.UNRANKED_STEPS,
        recommended=None, table=(), best={}, lead=None, lead_error=None, samples_to_decide=None,
        curves=(), by_dim=(), nuisance=told, learning=None, reduction=less, shaken=shaken,
        all_features=None, all_features_error=None, chance=None, **base,
    )  # fmt: skip
    return dataclasses.replace(made, notes=(*made.notes, *words.of_reduction(made)))
