"""What a diagnosis found, as plain fields."""

import dataclasses
import math
from typing import Literal

Recommendation = Literal["joint_embedding", "reconstruction", "either", "neither", "undecided"]


@dataclasses.dataclass(frozen=True)
class Reading:
    r"""What one paradigm makes of the data, with one standard error beside each number.

    Args:
        spectrum: leading scores, $\omega$ (joint embedding) or $\varphi^2$ (reconstruction).
        spectrum_error: of each.
        gap: spectrum[dim - 1] - spectrum[dim].
        gap_error: of it; the subspace is identified where the gap exceeds two of them.
        held_out: with labels, accuracy (classes) or R² (numbers) of a linear probe on the codes, on
            samples that nothing was learnt from; None without.
        held_out_error: of it; inf where it is `arbitrary`.
        kept: with labels, R² of the labels on the codes, adjusted for their number; without,
            how many directions of the codes the augmentation names irrelevant.
        kept_error: of it; inf where it is `arbitrary`.
        margin: by how much it keeps the signal, > 0 where it does, in units of `held_out` with
            labels, and of `kept` without.
        margin_error: of it; inf where it is `arbitrary`.
        keeps: whether it keeps the signal; None where the margin is within two errors of 0.
        alpha: least alignment at which it keeps the signal, of those that were tried: 0.0 where
            it does already, None where none does or none was tried.
        alpha_instead: the same for a little Gaussian noise in place of the augmentation, tried
            with labels where no alignment on top of it saves anything; else None.
        kept_by_dim: R² of the labels for each of the diagnosis' `dims`; empty without labels.
        held_out_by_dim: the held-out accuracy or R² for each of them; empty without labels.
        label_shares: R² of the labels on each code alone; empty without labels.
        directions: leading rows of the encoder, (m, d).

    Source: JEvRC, Theorems 1 and 2; derived (errors by balanced half-samples).
    """

    spectrum: tuple[float, ...]
    spectrum_error: tuple[float, ...]
    gap: float
    gap_error: float
    held_out: float | None
    held_out_error: float | None
    kept: float
    kept_error: float
    margin: float
    margin_error: float
    keeps: bool | None
    alpha: float | None
    alpha_instead: float | None
    kept_by_dim: tuple[float, ...]
    held_out_by_dim: tuple[float, ...]
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
class Feature:
    """A feature by its name, and a number that says why it is listed."""

    name: str
    value: float


@dataclasses.dataclass(frozen=True)
class Features:
    """Which features matter, by name, the most first.

    Args:
        joint_embedding: those it keeps, with the share of their variance that its codes tell.
        reconstruction: those it keeps.
        joint_embedding_more: those of which joint embedding keeps more than reconstruction,
            beyond two standard errors, with the difference of the shares.
        reconstruction_more: the other way round.
        joint_embedding_codes: of each code, those it correlates with, and how.
        reconstruction_codes: of each code.
        nuisance: of each direction of the nuisance, those with the largest weights.

    What is arbitrary, as scores tie at the cut, is empty.
    """

    joint_embedding: tuple[Feature, ...]
    reconstruction: tuple[Feature, ...]
    joint_embedding_more: tuple[Feature, ...]
    reconstruction_more: tuple[Feature, ...]
    joint_embedding_codes: tuple[tuple[Feature, ...], ...]
    reconstruction_codes: tuple[tuple[Feature, ...], ...]
    nuisance: tuple[tuple[Feature, ...], ...]


@dataclasses.dataclass(frozen=True)
class BatchCodes:
    """What the codes of one paradigm tell of the batches; of the labels, once data are centred.

    R² of the labels is a share of the variance of all of it, before and after, so what batches
    tell of the labels counts as lost.

    Args:
        told: R² of the batches on the codes, adjusted.
        told_error: one standard error; inf where it is arbitrary.
        kept: R² of the labels on the codes of centred data; None where centring isn't known.
        kept_error: one standard error; inf where it is arbitrary.
        change: of `kept` by centring.
        change_error: one standard error, of the difference.
    """

    told: float
    told_error: float
    kept: float | None = None
    kept_error: float | None = None
    change: float | None = None
    change_error: float | None = None


@dataclasses.dataclass(frozen=True)
class Batch:
    """What the batches of one kind hold.

    Args:
        name: what they are called.
        count: how many there are.
        smallest: rows of the smallest.
        share: of the variance that they hold, tr S_b / tr S, unbiased: it can be below 0.
        share_error: one standard error.
        joint_embedding: its numbers.
        reconstruction: its numbers.
        of_labels: R² of the labels on the batches, adjusted; None without labels.
        one_label: how many batches of two rows or more have one label only.
        recommendation: once the data are centred by them; None where centring isn't known: without
            labels, for a view that is called, or where nothing is left.
        verdict: of centring: "helps", "harms", "mixed" (helps one paradigm and harms the other),
            "no difference" (of less than .02 of R²), "undecided" (within two standard errors),
            "nothing held", or "confounded" (each batch has one label); None where it isn't known.
        features: that they hold most of, with the share of each one's variance; empty without
            names.
        reason: all that in words.
    """

    name: str
    count: int
    smallest: int
    share: float
    share_error: float
    joint_embedding: BatchCodes
    reconstruction: BatchCodes
    of_labels: float | None
    one_label: int
    recommendation: Recommendation | None
    verdict: str | None
    features: tuple[Feature, ...]
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class Facts:
    """All fields of a `Diagnosis`, which says what they are."""

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
    difference: float | None
    difference_error: float | None
    held_out_ceiling: float | None
    held_out_ceiling_error: float | None
    chance: float | None
    apart: float
    apart_error: float
    better: str | None
    samples_to_decide: int | None
    nuisance: tuple[tuple[float, ...], ...] = dataclasses.field(repr=False)
    nuisance_variance: tuple[float, ...]
    samples: int
    effective_samples: float
    groups: int | None
    copies: int
    copies_apart: int
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
    feature_names: tuple[str, ...] | None = dataclasses.field(default=None, repr=False)
    named_features: Features | None = None
    batches: tuple[Batch, ...] = ()
