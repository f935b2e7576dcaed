"""The result of a diagnosis: plain fields, as text, as JSON and as a page."""

import dataclasses
from typing import Any

from linssl.diagnosis.facts import Facts
from linssl.diagnosis.render.record import as_json


@dataclasses.dataclass(frozen=True)
class Diagnosis(Facts):
    """Which paradigm keeps the signal of some data under an augmentation, and how sure that is.

    Args:
        recommendation: "joint_embedding", "reconstruction", "either", "neither" or "undecided".
        reason: why, in words.
        next_steps: what to do next.
        notes: what was found in the data, and done about it.
        joint_embedding: its numbers.
        reconstruction: its numbers.
        dim: number of codes that is judged.
        tolerance: share of what the best probe has above chance that may be lost, with labels.
        ceiling: R² of the best `dim` linear codes, adjusted; None without labels.
        ceiling_error: one standard error.
        dims: numbers of codes for which curves are given.
        ceiling_by_dim: the ceiling for each of them.
        difference: by how much the held-out accuracy or R² of joint embedding is above that of
            reconstruction; None without labels.
        difference_error: one standard error, of the difference on the same samples.
        held_out_ceiling: the same of the best linear probe on all features; None without labels.
        held_out_ceiling_error: one standard error.
        chance: what a probe on nothing has: the share of the largest class, or 0.
        apart: directions in which the two subspaces differ.
        apart_error: one standard error.
        better: the paradigm that is better by more than two standard errors, or None.
        samples_to_decide: about how many samples would settle what is undecided, in groups of as
            many rows as now, else None.
        nuisance: leading directions to align the augmentation with, (m, d).
        nuisance_variance: of each, as a share of all variance.
        samples: n.
        effective_samples: n over the design effect: as many independent rows would explain labels
            by chance as all features of these do; without labels, groups or rows that differ.
        groups: how many were given, or None.
        copies: rows that equal an earlier one.
        copies_apart: those of them that were taken for samples of their own, or are in another
            group.
        features: d.
        constant: columns that never vary.
        image: (height, width, channels), or None.
        labels: what they are.
        classes: whether they are classes.
        augmentation: what was on the views.
        noise_floor: variance of the noise that was added for the numbers' sake, 0 if none.
        dtype: of the data as it came; all is computed in float64.
        seed: of the folds.
        versions: of the packages.
        feature_names: of all features, or None.
        named_features: which features matter, by name; None where they have no names.
        batches: what each kind of batch holds, and whether centring by it helps.
    """

    def to_json(self) -> str:
        """Return all fields as JSON but the directions and names, as long as the data are wide.

        Numbers have 6 digits; what isn't finite is null.
        """
        record = dataclasses.asdict(self)
        record.pop("nuisance")
        record.pop("feature_names")
        for name in ("joint_embedding", "reconstruction"):
            record[name].pop("directions")
            record[name]["identified"] = getattr(self, name).identified
        return as_json(record)

    def to_html(self) -> str:
        """Return a self-contained page: figures inside, no request to anywhere."""
        from linssl.diagnosis.render.page import page  # matplotlib, which text does without

        return page(self)

    def __rich__(self) -> Any:
        from linssl.diagnosis.render.terminal import renderable  # rich, which few need

        return renderable(self)

    def __str__(self) -> str:
        from linssl.diagnosis.render.terminal import as_text  # rich, which few need

        return as_text(self)
