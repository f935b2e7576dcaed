"""`linssl threshold`: how much alignment each paradigm needs."""

import dataclasses
import json
import math
from typing import Any, NamedTuple

from linssl.cli.threshold_samples import WithSamples, with_samples


@dataclasses.dataclass(frozen=True)
class Threshold:
    """How much alignment joint embedding and reconstruction need to keep the signal.

    The augmentation adds base noise, and alpha times the irrelevant noise itself.
    Above its threshold alpha, a paradigm recovers the clean solution as the sample
    grows; below it, never. All options but --dim and --samples are variances, not deviations.

    For example:
      linssl threshold --signal 3 2 --noise 5
      linssl threshold --signal 3 2 --noise 5 0.5 --base-signal 1 --base-noise 0.1
      linssl threshold --signal 3 2 --noise 50 --noise-on-signal 1
      linssl threshold --signal 3 2 --noise 5 1 1 1 --samples 500
      linssl threshold --signal 3 2 1 --noise 5 --dim 2 --json
    """

    signal: tuple[float, ...]
    """Of the signal directions, > 0."""
    noise: tuple[float, ...]
    """Of the irrelevant noise directions, > 0."""
    base_signal: tuple[float, ...] = (0.5,)
    """Added by the base augmentation on the signal: one for all, or one each."""
    base_noise: tuple[float, ...] = (0.5,)
    """Added by the base augmentation on the noise: one for all, or one each."""
    noise_on_signal: tuple[float, ...] = (0.0,)
    """Of irrelevant noise on the signal directions: one for all, or one each."""
    dim: int | None = None
    """Embedding dimension; default: the number of signal directions."""
    samples: int | None = None
    """Rows of data, centred by their mean: adds what so many find, where the signals are few
    among many noises. Where joint embedding begins to find them is exact in the limit of many;
    where reconstruction begins is open, and what it keeps is predicted numerically."""
    json: bool = False
    """Print JSON instead of words."""


class _Bounds(NamedTuple):
    """The alignments that work: lower < alpha^2 < upper, unless none does."""

    lower: float
    upper: float
    empty: bool

    @property
    def alpha(self) -> float | None:
        """The least alignment, or None where no alignment works."""
        return None if self.empty else math.sqrt(max(self.lower, 0.0))

    def in_words(self) -> str:
        if self.empty:
            return "no alpha"
        above = "any alpha" if self.lower < 0 else f"alpha > {self.alpha:.6g}"
        if self.upper == math.inf:
            return above
        below = f"alpha < {math.sqrt(self.upper):.6g}"
        return below if self.lower < 0 else f"{above}, {below}"


def threshold(options: Threshold) -> None:
    """Print both thresholds and a verdict."""
    import jax

    with jax.enable_x64(True):
        bounds = _solve(options)
        sampled = _sampled(options)
    if options.json:
        record: dict[str, Any] = {
            name: {
                "alpha": b.alpha if b.alpha is not None and math.isfinite(b.alpha) else None,
                "alpha_squared_above": b.lower if math.isfinite(b.lower) else None,
                "alpha_squared_below": b.upper if math.isfinite(b.upper) else None,
            }
            for name, b in bounds.items()
        }
        if sampled:
            found = {name: s.record() for name, s in sampled.items()}
            record["with_samples"] = {"samples": options.samples, **found}
        print(json.dumps(record, indent=2, allow_nan=False))
        return

    from rich.table import Table

    from linssl.runtime.terminal import console

    table = Table("paradigm", "keeps the signal for", "alpha^2, unclipped")
    for name, b in bounds.items():
        unclipped = f"{b.lower:.6g}" if b.upper == math.inf else f"{b.lower:.6g} to {b.upper:.6g}"
        table.add_row(name.replace("_", " "), b.in_words(), unclipped)
    out = console()
    out.print(table)
    out.print(_verdict(bounds["joint_embedding"], bounds["reconstruction"]))
    if sampled:
        begin, keep = "begins to find every signal", "keeps 90 % of the signal"
        table = Table("paradigm", begin, keep, title=f"with {options.samples} samples")
        for name, s in sampled.items():
            table.add_row(name.replace("_", " "), *s.in_words())
        out.print(table, "In the limit of many samples and noises.")


def _sampled(options: Threshold) -> dict[str, WithSamples]:
    """Return what so many samples find, if they were given."""
    if options.samples is None:
        return {}
    if any(options.noise_on_signal):
        raise ValueError(
            "samples can't be given with noise-on-signal: what n samples find there is open."
        )
    if options.dim not in (None, len(options.signal)):
        raise ValueError(
            f"dim must be {len(options.signal)}, the number of signals, with samples; "
            f"got {options.dim}."
        )
    return with_samples(_spectra(options), options.samples)


def _spectra(options: Threshold) -> tuple[Any, Any, Any, Any]:
    """Return signal, noise, and what the base adds to each: one for all, or one each."""

    def one_or_all(values: tuple[float, ...]) -> list[float] | float:
        return values[0] if len(values) == 1 else list(values)

    base = one_or_all(options.base_signal), one_or_all(options.base_noise)
    return list(options.signal), list(options.noise), *base


def _solve(options: Threshold) -> dict[str, _Bounds]:
    from linssl.theory import alignment_interval, alignment_thresholds

    if any(options.noise_on_signal):
        if options.dim not in (None, len(options.signal)):
            raise ValueError(
                f"dim must be {len(options.signal)}, the number of signals, with noise-on-signal; "
                f"got {options.dim}."
            )
        spill = options.noise_on_signal
        both = alignment_interval(*_spectra(options), spill[0] if len(spill) == 1 else list(spill))
        je, rc = (
            _Bounds(float(i.lower_squared), float(i.upper_squared), bool(i.empty)) for i in both
        )
    else:
        found = alignment_thresholds(*_spectra(options), options.dim)
        je, rc = (
            _Bounds(float(square), math.inf, False)
            for square in (found.joint_embedding_squared, found.reconstruction_squared)
        )
    return {"joint_embedding": je, "reconstruction": rc}


def _verdict(je: _Bounds, rc: _Bounds) -> str:
    """Say what to use, and what more alignment would do."""
    if rc.upper < math.inf:
        return (
            "Reversed for reconstruction: some noise is so strong, beside the noise on the signal, "
            "that more alignment hurts it. It has no threshold above which it keeps working; "
            "joint embedding has."
        )
    if rc.empty or je.alpha is None or rc.alpha is None:
        return "Joint embedding works above its threshold; reconstruction never does."
    if je.lower < 0 and rc.lower < 0:
        return "Neither needs alignment: use either."
    if je.alpha == rc.alpha == 0:
        return "Any alignment above 0 is enough for both."
    if je.alpha == rc.alpha:
        return "Both need the same alignment."
    if je.alpha < rc.alpha:
        return "Joint embedding needs less alignment than reconstruction."
    return "Reconstruction needs less alignment than joint embedding."
