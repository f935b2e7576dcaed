"""What the explorer shows, as fourteen numbers; and the same as an address.

An address is anybody's text. What isn't a number, or lies outside the sliders, is replaced by
what a slider can show, and the reader is told; nothing of it is ever run or looked up.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from linssl.explore.plain_numbers import plain

SPECTRA = ("own_signal", "own_noise")
MOST_OWN = 10  # variances that are written, of either
LEAST_OWN = 1e-6
MOST_NOTES = 14  # as many as there are numbers
LONGEST = 40  # characters of a bad value that are quoted back


def _decades(low: int, high: int) -> tuple[float, ...]:
    """Round numbers, ten a decade, from 10^low to 10^high.

    All are the first and so many of the least difference: a number field can show no others.
    """
    tens = (1.0, 1.2, 1.6, 2.0, 2.4, 3.0, 4.0, 5.0, 6.0, 8.0)
    return *(float(f"{t}e{e}") for e in range(low, high) for t in tens), float(f"1e{high}")


class Control(NamedTuple):
    """One slider: its group, name, symbol, values it can take, and what it does, in a sentence."""

    group: str
    label: str
    symbol: str
    steps: tuple[float | int, ...]
    about: str


_SHARES = tuple(i / 20 for i in range(21))
CONTROLS: dict[str, Control] = {
    "signals": Control(
        "Signal", "directions", "K", tuple(range(1, 11)),
        "How many directions of the data carry what matters.",
    ),
    "signal_variance": Control(
        "Signal", "largest variance", "λ₁", _decades(0, 2),
        "Variance of the strongest signal. The weakest has 1: all variances are in its units.",
    ),
    "signal_decay": Control(
        "Signal", "how fast it falls", "s", (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0),
        "From the strongest signal to the weakest: 1 is a straight line, more falls faster.",
    ),
    "noises": Control(
        "Irrelevant noise", "directions", "Q", tuple(range(1, 11)),
        "How many directions vary without mattering: backgrounds, lighting, batches.",
    ),
    "noise_variance": Control(
        "Irrelevant noise", "largest variance", "γ₁", _decades(-2, 2),
        "Variance of the strongest irrelevant noise.",
    ),
    "noise_spread": Control(
        "Irrelevant noise", "evenness", "r", _SHARES[1:],
        "Variance of the weakest irrelevant noise over that of the strongest; 1: all are alike.",
    ),
    "alpha": Control(
        "Augmentation", "alignment", "α", (0.0, *_decades(-2, 1), 12.0, 16.0, 20.0),
        "How strongly each view draws the irrelevant noise anew: 0 leaves it alone, 1 adds as "
        "much as there is.",
    ),
    "base_signal": Control(
        "Augmentation", "harm to the signal", "θₛ", _decades(-3, 1),
        "Variance that the augmentation adds to every signal direction, whatever α is.",
    ),
    "base_noise": Control(
        "Augmentation", "extra on the noise", "θₙ", _decades(-3, 1),
        "Variance that the augmentation adds to every noise direction, whatever α is.",
    ),
    "dim": Control(
        "Learner", "number of codes", "k", tuple(range(1, 13)),
        "Embedding dimension: how many directions are kept.",
    ),
    "n": Control(
        "Learner", "training pairs", "n", tuple(round(v) for v in _decades(1, 6)),
        "How many pairs are learnt from.",
    ),
    "fraction": Control(
        "Pairs", "of one class", "p", _SHARES,
        "Share of pairs that join two instances of one class, and not two views of one instance. "
        "They share the signal, and each has noise of its own.",
    ),
    "mislabelled": Control(
        "Pairs", "of these, mislabelled", "q", _SHARES[:-1],
        "Share of the class pairs whose two instances are of different classes.",
    ),
    "beta": Control(
        "Hint between views (AdaSSL)", "price of a hint", "β", _SHARES[1:],
        "AdaSSL lets a view tell the other what it can't know, the hint r, at a price for each "
        "nat. At 1 it tells nothing; the cheaper, the more uncertain directions count.",
    ),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class View:
    r"""One view: a spiked population, how its pairs are made and augmented, and who learns.

    $$ \lambda_i = 1 + (\lambda_1 - 1)\, (1 - t_i)^s, \quad
       \gamma_j = \gamma_1\, [1 - (1 - r)\, t_j], \quad t \in [0, 1] \text{ evenly spaced} $$

    All variances are in units of the weakest signal's. A fraction p of pairs joins two instances of
    a class, which share the signal and not the noise; q of those are mislabelled.

    Args:
        signals: K.
        signal_variance: $\lambda_1 \ge 1$.
        signal_decay: $s$; 1 is a straight line.
        noises: Q.
        noise_variance: $\gamma_1$.
        noise_spread: $r$, the smallest noise variance over the largest.
        alpha: $\alpha \ge 0$, a scale.
        base_signal: $\theta_s$, a variance.
        base_noise: $\theta_n$.
        dim: $k$, the embedding dimension.
        n: pairs that are sampled.
        fraction: $p$.
        mislabelled: $q$.
        beta: $\beta$, the price of AdaSSL's latent r; 1 is no latent.
        own_signal: $\lambda$ as they were written, descending, the least 1; () takes the formula.
        own_noise: $\gamma$, likewise; () takes the formula.

    Source: JEvRC, section 4; SemPairs; AdaSSL.
    """

    signals: int = 5
    signal_variance: float = 2.0
    signal_decay: float = 1.0
    noises: int = 5
    noise_variance: float = 6.0
    noise_spread: float = 0.2
    alpha: float = 1.0
    base_signal: float = 0.6
    base_noise: float = 0.006
    dim: int = 5
    n: int = 1000
    fraction: float = 0.0
    mislabelled: float = 0.0
    beta: float = 1.0
    own_signal: tuple[float, ...] = ()
    own_noise: tuple[float, ...] = ()


DEFAULT = View()


def to_query(view: View) -> dict[str, str]:
    """Write a view as the query of an address: all of it, since defaults may change, or nothing."""
    if view == DEFAULT:
        return {}
    numbers = {name: f"{nearest(name, getattr(view, name)):.10g}" for name in CONTROLS}
    spectra = {name: " ".join(f"{v:.10g}" for v in getattr(view, name)) for name in SPECTRA}
    return numbers | {name: text for name, text in spectra.items() if text}


def from_query(query: Mapping[str, str | list[str]]) -> tuple[View, list[str]]:
    """Read a view from the query of an address, which may hold anything.

    Args:
        query: texts by key, as the address has them.

    Returns:
        The nearest view that the sliders can show, and a sentence for each text that was changed
        or ignored. Sentences quote the address: escape them.
    """
    values: dict[str, Any] = {}
    notes: list[str] = []
    for name, text in query.items():
        last = str(text[-1] if isinstance(text, list) and text else text)
        if name in SPECTRA:
            continue
        if name not in CONTROLS:
            notes.append(f"There is no '{clipped(name)}': ignored.")
            continue
        value, note = _read(name, last)
        values[name] = value
        notes.extend(note)
    if len(notes) > MOST_NOTES:
        notes = [*notes[:MOST_NOTES], f"And {len(notes) - MOST_NOTES} more of the kind."]
    view = dataclasses.replace(DEFAULT, **values)
    given = [query.get(name, "") for name in SPECTRA]
    signal, noise = (str(t[-1] if isinstance(t, list) and t else t) for t in given)
    try:
        return with_spectra(view, signal, noise), notes
    except ValueError as error:
        return view, [*notes, str(error)]


def with_spectra(view: View, signal: str, noise: str) -> View:
    r"""Put written spectra in place of those of the sliders, in units of the weakest signal.

    Args:
        view: the rest.
        signal: up to ten variances, apart by spaces, commas or lines; "" leaves the sliders'.
        noise: likewise.

    Raises:
        ValueError: other than that many positive numbers.
    """
    lam, gamma = _variances("signal", signal), _variances("noise", noise)
    unit = lam[-1] if lam else 1.0
    lam, gamma = tuple(v / unit for v in lam), tuple(v / unit for v in gamma)
    values: dict[str, Any] = {"own_signal": lam, "own_noise": gamma}
    if lam:
        values |= {"signals": len(lam), "signal_variance": lam[0]}
    if gamma:
        values |= {"noises": len(gamma), "noise_variance": gamma[0]}
    return dataclasses.replace(view, **values)


def _variances(name: str, text: str) -> tuple[float, ...]:
    """Read variances, largest first."""
    words = text[: MOST_OWN * LONGEST].replace(",", " ").replace(";", " ").split()
    try:
        found = sorted((float(word) for word in words), reverse=True)
    except ValueError:
        found = [math.nan]
    if len(found) > MOST_OWN or not all(LEAST_OWN <= v <= 1 / LEAST_OWN for v in found):
        raise ValueError(
            f"{name} must be up to {MOST_OWN} variances from {plain(LEAST_OWN)} to "
            f"{plain(1 / LEAST_OWN)}, such as 3 2 1; got '{clipped(text)}'."
        )
    return tuple(found)


def _read(name: str, text: str) -> tuple[float | int, list[str]]:
    """Return the step nearest to a number that came as text, and what there is to say."""
    default = getattr(DEFAULT, name)
    try:
        number = float(text) if len(text) <= LONGEST else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        said = f"{name} must be a finite number; got '{clipped(text)}', so it is {plain(default)}."
        return default, [said]
    step = nearest(name, number)
    said = f"{name} can't be {plain(number)} here: it is {plain(step)}, the nearest there is."
    return step, [] if abs(step - number) <= 1e-9 * abs(number) else [said]


def nearest(name: str, value: float | int) -> float | int:
    """Return the value of a slider that is closest to a finite number."""
    steps = CONTROLS[name].steps
    inside = min(max(value, steps[0]), steps[-1])  # else a huge number is equally far from all
    return min(steps, key=lambda step: abs(step - inside))


def clipped(text: str) -> str:
    """Quote no more than a line of what somebody wrote, without control characters."""
    clean = "".join(c if c.isprintable() else "?" for c in text[: LONGEST + 1])
    return clean if len(clean) <= LONGEST else clean[:LONGEST] + "…"
