"""From what was measured to the plain fields of a report."""

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from linssl.data.targets import Targets
from linssl.diagnosis.attempt import Attempt
from linssl.diagnosis.batch_sentences import sentence_for
from linssl.diagnosis.called import CalledView
from linssl.diagnosis.estimates import SURE
from linssl.diagnosis.explained import label_shares, whitening, worth
from linssl.diagnosis.facts import Facts, Reading
from linssl.diagnosis.features import read_features
from linssl.diagnosis.held_out import HeldOut
from linssl.diagnosis.inputs import Instances
from linssl.diagnosis.measure import views_agree
from linssl.diagnosis.reduced import Reduced
from linssl.diagnosis.report import Diagnosis
from linssl.diagnosis.rule import Compared, Judgement
from linssl.diagnosis.samples import Sample
from linssl.diagnosis.sentences import next_steps, notes_on, reason_for
from linssl.diagnosis.units import Units

DIRECTIONS = 8  # that are shown


Aligned = list[tuple[float, np.ndarray]]  # alpha, and both margins there


class Findings(NamedTuple):
    """All that was measured."""

    attempt: Attempt
    judgement: Judgement
    Gamma: np.ndarray | None
    named: bool
    search: Aligned  # at ever more alignment
    instead: Aligned  # the same, with noise in place of the augmentation


def assemble(
    found: Findings,
    *,
    tolerance: float,
    targets: Targets | None,
    constant: np.ndarray,
    units: Units,
    instances: Instances,
    names: tuple[str, ...] | None,
    column: str,
    called: CalledView,
    found_so_far: tuple[str, ...],
    reduced: Reduced | None = None,
    **facts: Any,
) -> Diagnosis:
    """Write down what was found."""
    j, ceiling, attempt = found.judgement, found.judgement.ceiling, found.attempt
    n, features = instances.X.shape[0], int(np.prod(instances.X.shape[1:]))
    readings = [_reading(found, p) for p in (0, 1)]
    directions, variances = _nuisance(found)
    if reduced is not None:
        readings = [
            dataclasses.replace(r, directions=_rows(reduced.lift(np.array(r.directions))))
            for r in readings
        ]
        directions = reduced.lift(directions)
    to_decide = None
    if j.deciding is not None and np.isfinite(j.deciding.error) and j.deciding.value != 0:
        to_decide = int(np.ceil(n * max((SURE * j.deciding.error / j.deciding.value) ** 2, 1)))
    fields: dict[str, Any] = {
        "recommendation": j.recommendation,
        "joint_embedding": readings[0],
        "reconstruction": readings[1],
        "dim": attempt.dims[0],
        "tolerance": tolerance,
        "ceiling": None if ceiling is None else ceiling.value,
        "ceiling_error": None if ceiling is None else ceiling.error,
        "dims": tuple(attempt.dims[1:]),
        "ceiling_by_dim": tuple(attempt.full.ceiling[1:].tolist()),
        **_metric(j.compared),
        "apart": j.apart.value,
        "apart_error": j.apart.error,
        "better": j.better,
        "samples_to_decide": to_decide,
        "nuisance": _rows(directions),
        "nuisance_variance": tuple(variances.tolist()),
        "samples": n,
        "effective_samples": _effective(attempt.whole, units),
        "groups": units.groups,
        "copies": units.copies,
        "copies_apart": units.apart,
        "features": features,
        "constant": tuple(constant.tolist()),
        "image": None if instances.image is None else tuple(instances.image),
        "dtype": str(instances.X.dtype),
        "labels": _labels(targets, column),
        "classes": targets is not None and targets.classes is not None,
        "noise_floor": attempt.floor,
        "feature_names": names,
        "named_features": None if reduced else read_features(names, attempt, directions),
        **facts,
    }
    label = attempt.whole.label
    blurred = 0 if label is None else whitening(label)[1]
    draft = Facts(reason="", next_steps=(), notes=(), **fields)
    fields["batches"] = tuple(
        dataclasses.replace(b, reason=sentence_for(b, draft)) for b in draft.batches
    )
    return Diagnosis(
        reason=reason_for(draft, found.named),
        next_steps=next_steps(draft, found.named),
        notes=found_so_far
        + notes_on(draft, instances, called, views_agree(attempt.bare), blurred, attempt.tied),
        **fields,
    )


def _reading(found: Findings, p: int) -> Reading:
    attempt, j = found.attempt, found.judgement
    k, whole, label = attempt.dims[0], attempt.full, attempt.whole.label
    spectra = np.array([m.encoded.spectra[p] for m in attempt.parts])
    shown = spectra.shape[1]
    spectrum, W = whole.encoded.spectra[p], whole.encoded.encoders[p]
    errors = np.sqrt(np.mean(np.square(spectra - spectrum[:shown]), axis=0))
    gap, gap_error = np.inf, 0.0
    if k < shown:
        gap = float(spectrum[k - 1] - spectrum[k])
        gaps = spectra[:, k - 1] - spectra[:, k]
        gap_error = float(np.sqrt(np.mean(np.square(gaps - gap))))
    margin = j.margins[p]
    works, instead = (
        next((alpha for alpha, margins in tried if margins[p] > 0), None)
        for tried in (found.search, found.instead)
    )
    keeps = margin.value > 0 and not np.isinf(margin.error)
    alpha = (0.0 if keeps else works) if found.named else None
    return Reading(
        spectrum=tuple(spectrum[:shown].tolist()),
        spectrum_error=tuple(errors[:shown].tolist()),
        gap=gap,
        gap_error=gap_error,
        kept=j.kept[p].value,
        kept_error=j.kept[p].error,
        margin=margin.value,
        margin_error=margin.error,
        keeps={1: True, -1: False, 0: None}[margin.sign] if found.named else None,
        alpha=alpha,
        alpha_instead=instead,
        kept_by_dim=tuple(whole.kept[p, 1:].tolist()) if whole.ceiling.size else (),
        held_out=None if j.compared is None else j.compared.both[p].value,
        held_out_error=None if j.compared is None else j.compared.both[p].error,
        held_out_by_dim=_by_dim(attempt.held_out, p),
        label_shares=tuple(label_shares(W, label)[:shown]),
        directions=_rows(W[:DIRECTIONS]),
    )


def _metric(c: Compared | None) -> dict[str, Any]:
    """Return what the held-out metric says of both paradigms, and of the best probe."""
    return {
        "difference": None if c is None else c.difference.value,
        "difference_error": None if c is None else c.difference.error,
        "held_out_ceiling": None if c is None else c.best.value,
        "held_out_ceiling_error": None if c is None else c.best.error,
        "chance": None if c is None else c.chance,
    }


def _by_dim(told: HeldOut | None, p: int) -> tuple[float, ...]:
    if told is None:
        return ()
    return tuple(float(told.scores.value[told.codes(p, at)]) for at in range(1, len(told.dims)))


def _labels(targets: Targets | None, called: str) -> str:
    """Say what labels are, and which column they came from."""
    if targets is None:
        return "none"
    return targets.describe() + (f" ({called})" if called else "")


def _effective(sample: Sample, units: Units) -> float:
    if sample.label is None:
        return float(units.count)
    return worth(whitening(sample.label)[0], sample.label, sample.dependent)


def _nuisance(found: Findings) -> tuple[np.ndarray, np.ndarray]:
    """Return leading directions of what is irrelevant, and their share of the variance."""
    if found.Gamma is None or not found.named:
        return np.zeros((0, 0)), np.zeros(0)
    values, vectors = np.linalg.eigh(found.Gamma)
    values, vectors = values[::-1][:DIRECTIONS], vectors.T[::-1][:DIRECTIONS]
    some = values > 1e-9 * values[0]
    label = found.attempt.whole.label
    total = np.trace(found.Gamma if label is None else np.asarray(label.first))
    return vectors[some], values[some] / total


def _rows(values: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in values.tolist())
