"""The result of a diagnosis: plain fields, as text, as JSON and as a page."""

import dataclasses
import json
import math
from typing import Any, Literal

Recommendation = Literal["joint_embedding", "reconstruction", "either", "neither", "undecided"]


@dataclasses.dataclass(frozen=True)
class Reading:
    r"""What one paradigm makes of the data, with one standard error beside each number.

    Args:
        spectrum: leading scores, $\omega$ (joint embedding) or $\varphi^2$ (reconstruction).
        spectrum_error: of each.
        gap: spectrum[dim - 1] - spectrum[dim].
        gap_error: of it; the subspace is identified where the gap exceeds two of them.
        kept: with labels, R² of the labels on the codes, adjusted for their number; without,
            how many directions of the codes the augmentation names irrelevant.
        kept_error: of it; inf where it is `arbitrary`.
        margin: by how much it keeps the signal, > 0 where it does, in units of `kept`.
        margin_error: of it; inf where it is `arbitrary`.
        keeps: whether it keeps the signal; None where the margin is within two errors of 0.
        alpha: least alignment at which it keeps the signal, of those that were tried: 0.0 where
            it does already, None where none does or none was tried.
        alpha_instead: the same for a little Gaussian noise in place of the augmentation, tried
            with labels where no alignment on top of it saves anything; else None.
        kept_by_dim: R² of the labels for each of the diagnosis' `dims`; empty without labels.
        held_out: accuracy (classes) or R² (numbers) of a linear probe on held-out samples, for
            each of `dims`; empty without labels.
        label_shares: R² of the labels on each code alone; empty without labels.
        directions: leading rows of the encoder, (m, d).

    Source: JEvRC, Theorems 1 and 2; derived (errors by balanced half-samples).
    """

    spectrum: tuple[float, ...]
    spectrum_error: tuple[float, ...]
    gap: float
    gap_error: float
    kept: float
    kept_error: float
    margin: float
    margin_error: float
    keeps: bool | None
    alpha: float | None
    alpha_instead: float | None
    kept_by_dim: tuple[float, ...]
    held_out: tuple[float, ...]
    label_shares: tuple[float, ...]
    directions: tuple[tuple[float, ...], ...] = dataclasses.field(repr=False)

    @property
    def identified(self) -> bool:
        """Whether the gap at the cut is told from chance at this n."""
        return self.gap > 2 * self.gap_error

    @property
    def arbitrary(self) -> bool:
        """Whether scores tie at the cut, so that what the codes keep is arbitrary."""
        return math.isinf(self.kept_error)


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """Which paradigm keeps the signal of some data under an augmentation, and how sure that is.

    Args:
        recommendation: "joint_embedding", "reconstruction", "either", "neither" or "undecided".
        reason: why, in words.
        next_steps: what to do next.
        notes: what was found in the data, and done about it.
        joint_embedding: its numbers.
        reconstruction: its numbers.
        dim: number of codes that is judged.
        tolerance: share of the ceiling that may be lost, with labels.
        ceiling: R² of the best `dim` linear codes, adjusted; None without labels.
        ceiling_error: one standard error.
        dims: numbers of codes for which curves are given.
        ceiling_by_dim: the ceiling for each of them.
        held_out_ceiling: held-out accuracy or R² of all features; None without labels.
        apart: directions in which the two subspaces differ.
        apart_error: one standard error.
        better: the paradigm that keeps significantly more, or None.
        samples_to_decide: about how many samples would settle what is undecided, else None.
        nuisance: leading directions to align the augmentation with, (m, d).
        nuisance_variance: of each, as a share of all variance.
        samples: n.
        features: d.
        constant: columns that never vary.
        image: (height, width, channels), or None.
        labels: what they are.
        classes: whether they are classes.
        augmentation: what was on the views.
        noise_floor: variance of the noise that was added for the numbers' sake, 0 if none.
        dtype: of the data as it came; all is computed in float64.
        seed: of the groups.
        versions: of the packages.
    """

    recommendation: Recommendation
    reason: str
    next_steps: tuple[str, ...]
    notes: tuple[str, ...]
    joint_embedding: Reading
    reconstruction: Reading
    dim: int
    tolerance: float
    ceiling: float | None
    ceiling_error: float | None
    dims: tuple[int, ...]
    ceiling_by_dim: tuple[float, ...]
    held_out_ceiling: float | None
    apart: float
    apart_error: float
    better: str | None
    samples_to_decide: int | None
    nuisance: tuple[tuple[float, ...], ...] = dataclasses.field(repr=False)
    nuisance_variance: tuple[float, ...]
    samples: int
    features: int
    constant: tuple[int, ...]
    image: tuple[int, int, int] | None
    labels: str
    classes: bool
    augmentation: str
    noise_floor: float
    dtype: str
    seed: int
    versions: dict[str, str]

    def to_json(self) -> str:
        """Return all fields as JSON but the directions, which are as long as the data are wide.

        Numbers have 6 digits; what isn't finite is null.
        """
        record = dataclasses.asdict(self)
        record.pop("nuisance")
        for name in ("joint_embedding", "reconstruction"):
            record[name].pop("directions")
            record[name]["identified"] = getattr(self, name).identified
        return json.dumps(_plain(record), indent=2, allow_nan=False)

    def to_html(self) -> str:
        """Return a self-contained page: figures inside, no request to anywhere."""
        from linssl.diagnosis.page import page

        return page(self)

    def __rich__(self) -> Any:
        from linssl.diagnosis.text import renderable

        return renderable(self)

    def __str__(self) -> str:
        from linssl.diagnosis.text import as_text

        return as_text(self)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value
