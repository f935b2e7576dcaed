"""`linssl threshold`: how much alignment each paradigm needs."""

import dataclasses
import json
import math
from typing import NamedTuple


@dataclasses.dataclass(frozen=True)
class Threshold:
    """How much alignment joint embedding and reconstruction need to keep the signal.

    The augmentation adds base noise, and alpha times the irrelevant noise itself.
    Above its threshold alpha, a paradigm recovers the clean solution as the sample
    grows; below it, never. All options but --dim are variances, not deviations.

    For example:
      linssl threshold --signal 3 2 --noise 5
      linssl threshold --signal 3 2 --noise 5 0.5 --base-signal 1 --base-noise 0.1
      linssl threshold --signal 3 2 --noise 50 --noise-on-signal 1
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
    if options.json:
        record = {
            name: {
                "alpha": b.alpha if b.alpha is not None and math.isfinite(b.alpha) else None,
                "alpha_squared_above": b.lower if math.isfinite(b.lower) else None,
                "alpha_squared_below": b.upper if math.isfinite(b.upper) else None,
            }
            for name, b in bounds.items()
        }
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


def _solve(options: Threshold) -> dict[str, _Bounds]:
    from linssl.theory import alignment_interval, alignment_thresholds

    def one_or_all(values: tuple[float, ...]) -> list[float] | float:
        return values[0] if len(values) == 1 else list(values)

    spectra = list(options.signal), list(options.noise)
    base = one_or_all(options.base_signal), one_or_all(options.base_noise)
    if any(options.noise_on_signal):
        if options.dim not in (None, len(options.signal)):
            raise ValueError(
                f"dim must be {len(options.signal)}, the number of signals, with noise-on-signal; "
                f"got {options.dim}."
            )
        both = alignment_interval(*spectra, *base, one_or_all(options.noise_on_signal))
        je, rc = (
            _Bounds(float(i.lower_squared), float(i.upper_squared), bool(i.empty)) for i in both
        )
    else:
        found = alignment_thresholds(*spectra, *base, options.dim)
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
