"""The result: what is recommended, and every number behind it, as text, as JSON and as a page."""

import dataclasses
import json
import math
from typing import Any, Literal

import numpy as np

from linssl.arguments import Numbers, on_host
from linssl.linalg.averages import as_dense

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
class Recommendation:
    """Which paradigm, augmentation, strength and number of codes suit a task, and how sure that is.

    Print it; call it on rows (n, d) for the codes that it recommends, learnt from all samples.

    Args:
        answer: "joint_embedding", "reconstruction", "either", "undecided"; "unranked" without
            labels.
        reason: why, in words.
        next_steps: what to do next.
        notes: what was found in the data, and done about it.
        recommended: the setting; None without labels.
        table: the best of each paradigm and family, best first.
        best: the best of each paradigm, by its name.
        lead: by how much joint embedding's best is ahead of reconstruction's.
        lead_error: one standard error, on the same rows.
        samples_to_decide: about how many would settle what is undecided, else None.
        curves: against strength.
        by_dim: the recommended family and strength against the number of codes: (k, value, error).
        nuisance: what is told of it before and after; None where none is named.
        learning: whether samples are enough; None without labels.
        reduction: what reducing features cost; None where none was needed.
        shaken: what each augmentation calls irrelevant.
        all_features: what a probe on all features scores, or on the directions kept of them.
        all_features_error: one standard error.
        chance: what a probe on nothing scores.
        metric: "accuracy" or "R²".
        samples: n.
        features: d.
        kind: "table", "embeddings" or "images".
        labels: what they are.
        seed: of the folds.
        versions: of the packages.
        encoder: (k, d), and None without labels.
        mean: (d,), which is subtracted first.
    """

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

    def __call__(self, data: Numbers) -> np.ndarray:
        r"""Return codes $W (x - \mu)$ of rows, (n, k); images as they came to `recommend`.

        Raises:
            ValueError: no labels, so that nothing is recommended, or rows of another size.
        """
        if self.encoder is None or self.mean is None:
            raise ValueError("labels must be given for a setting to be recommended; got none.")
        X = as_dense(on_host(data, "data"))
        rows = X.reshape(len(X), -1)
        if rows.shape[1] != self.encoder.shape[1]:
            raise ValueError(
                f"data must be rows of {self.encoder.shape[1]} features; got {X.shape}."
            )
        return (rows - self.mean) @ self.encoder.T

    def to_json(self) -> str:
        """Return all fields as JSON but the encoder and mean.

        Numbers have 6 digits; what isn't finite is null.
        """
        kept = dataclasses.replace(self, encoder=None, mean=None)
        record = dataclasses.asdict(kept)
        record.pop("encoder")
        record.pop("mean")
        return json.dumps(_plain(record), indent=2, allow_nan=False)

    def to_html(self) -> str:
        """Return a self-contained page: figures inside, no request to anywhere."""
        from linssl.recommendation.render.page import page  # matplotlib, which text does without

        return page(self)

    def __rich__(self) -> Any:
        from linssl.recommendation.render.terminal import renderable  # rich, which few need

        return renderable(self)

    def __str__(self) -> str:
        from linssl.recommendation.render.terminal import as_text

        return as_text(self)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float | np.floating):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    return value
