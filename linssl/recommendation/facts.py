"""What a recommendation found, as plain fields."""

import dataclasses
from typing import Literal

import numpy as np

Metric = Literal["accuracy", "R²"]


@dataclasses.dataclass(frozen=True)
class Recommended:
    """One setting, and what it scores on rows that it had no part in.

    Args:
        paradigm: "joint_embedding" or "reconstruction".
        augmentation: in the small language of augmentations, "shifts:1+noise:0.05", where that has
            its words; `scaled-noise`, `nuisance` and `view` are words of recommendations alone.
        family: its first word.
        strength: of it.
        noise: of the isotropic noise on top, as a share of the mean variance of a feature.
        dim: k.
        accuracy: of a linear probe on rows unseen; None where labels are numbers.
        r2: the same, for numbers; None for classes.
        error: one standard error, over folds.
        interval: of 95 %, for the setting learnt from all samples, on new ones.
    """

    paradigm: str
    augmentation: str
    family: str
    strength: float
    noise: float
    dim: int
    accuracy: float | None
    r2: float | None
    error: float
    interval: tuple[float, float]

    @property
    def value(self) -> float:
        """Accuracy, or R²."""
        found = self.r2 if self.accuracy is None else self.accuracy
        assert found is not None
        return found


@dataclasses.dataclass(frozen=True)
class Row:
    """The best setting of a family for a paradigm.

    Args:
        paradigm: which.
        augmentation: as text.
        family: its first word.
        dim: k.
        value: accuracy or R², of choosing strength and k on other blocks.
        error: one standard error.
        behind: by how much it is behind what is recommended, on the same rows.
        behind_error: of it.
        tie: whether it isn't surely worse.
    """

    paradigm: str
    augmentation: str
    family: str
    dim: int
    value: float
    error: float
    behind: float
    behind_error: float
    tie: bool


@dataclasses.dataclass(frozen=True)
class Curve:
    """What a family scores against its strength: of each, the best k and noise.

    Args:
        paradigm: which.
        family: its word.
        strengths: that were tried.
        values: accuracy or R².
        errors: one standard error of each.
        ranked: which of them could be recommended.
    """

    paradigm: str
    family: str
    strengths: tuple[float, ...]
    values: tuple[float, ...]
    errors: tuple[float, ...]
    ranked: tuple[bool, ...]


@dataclasses.dataclass(frozen=True)
class Told:
    """What is told of a nuisance: accuracy of its levels, or R² of its numbers.

    Args:
        name: of the nuisance.
        metric: "accuracy" or "R²".
        features: by all features.
        features_error: one standard error.
        codes: by the codes that are recommended; None where none are.
        codes_error: one standard error.
        chance: by nothing.
        centred: what labels score where rows are centred by the nuisance instead, with isotropic
            noise; None without labels, or where it is numbers.
        centred_error: one standard error.
        centred_dim: k of it.
    """

    name: str
    metric: Metric
    features: float
    features_error: float
    codes: float | None
    codes_error: float | None
    chance: float
    centred: float | None
    centred_error: float | None
    centred_dim: int | None


@dataclasses.dataclass(frozen=True)
class Learning:
    """Whether samples are enough.

    Args:
        half: what the setting scores where it learns from 6 folds of 16.
        whole: from 12 of them.
        gain: the difference, on the same rows.
        gain_error: one standard error.
        to_come: what more samples than these would add at most, as gains fall like 1/n.
        enough: whether that is less than a point; None where it can't be told.
        samples: about how many would bring it to within a point; None where these do, or where
            it can't be told.
    """

    half: float
    whole: float
    gain: float
    gain_error: float
    to_come: float
    enough: bool | None
    samples: int | None


@dataclasses.dataclass(frozen=True)
class Reduction:
    """What leaving features for leading directions costs.

    Args:
        directions: that are kept.
        left_out: share of the variance outside them.
        compared_with: how many directions the setting was tried with too.
        change: of the metric by that, theirs less these.
        change_error: one standard error.
    """

    directions: int
    left_out: float
    compared_with: int
    change: float | None
    change_error: float | None


@dataclasses.dataclass(frozen=True)
class Shaken:
    r"""What an augmentation calls irrelevant.

    Args:
        augmentation: as text.
        share: of the views' variance, that differs between views of an instance,
            $\mathrm{tr}\,\Sigma / \mathrm{tr}\,S$.
        features: those that it shakes most, with their share, by name or by number.
        joint_embedding: leading scores $\omega$; empty where views can't be whitened.
        reconstruction: leading scores $\varphi^2$, as shares of the first.
    """

    augmentation: str
    share: float
    features: tuple[tuple[str, float], ...]
    joint_embedding: tuple[float, ...]
    reconstruction: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class Facts:
    """All that a `Recommendation` holds."""

    answer: str
    reason: str
    next_steps: tuple[str, ...]
    notes: tuple[str, ...]
    recommended: Recommended | None
    table: tuple[Row, ...]
    best: dict[str, Recommended]
    lead: float | None
    lead_error: float | None
    samples_to_decide: int | None
    curves: tuple[Curve, ...]
    by_dim: tuple[tuple[int, float, float], ...]
    nuisance: Told | None
    learning: Learning | None
    reduction: Reduction | None
    shaken: tuple[Shaken, ...]
    all_features: float | None
    all_features_error: float | None
    chance: float | None
    metric: Metric
    samples: int
    features: int
    kind: str
    labels: str
    seed: int
    versions: dict[str, str]
    encoder: np.ndarray | None = dataclasses.field(repr=False, default=None)
    mean: np.ndarray | None = dataclasses.field(repr=False, default=None)
