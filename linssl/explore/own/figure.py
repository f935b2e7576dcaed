"""The four panels of data: spectra, scores against k, and what the codes of each look at."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from linssl.augmentations import Image
from linssl.diagnosis.measure import PARADIGMS
from linssl.explore.canvas import Canvas, Panel
from linssl.explore.own.data import CODES, Ready
from linssl.explore.own.model import Numbers, dims_of, told_of_features
from linssl.explore.own.state import View
from linssl.explore.own.verdict import metric
from linssl.plotting import COLOURS, LABELS
from linssl.plotting.style import STYLE

LISTED = 8  # features, or codes as images: two rows of four
LONGEST = 40  # letters of a name


class DataPanels(Canvas):
    """The figure of data.

    Args:
        ready: the data.
    """

    def __init__(self, ready: Ready) -> None:
        def build(figure: Figure) -> Sequence[Panel]:
            axes = figure.subplots(2, 2)
            look = _Features if ready.image is None else _Codes
            return [
                _Spectra(axes[0, 0], ready),
                _Scores(axes[0, 1], ready),
                *(look(axes[1, p], p, ready) for p in (0, 1)),
            ]

        super().__init__(build)


class _Spectra:
    """Scores of both paradigms in descending order, each as a share of its largest."""

    def __init__(self, ax: Axes, ready: Ready) -> None:
        self.ax = ax
        self.kept = ax.axvspan(0.5, 1.5, color="#BBBBBB", alpha=0.35, lw=0, animated=True)
        self.lines = [
            ax.plot([], [], mark, color=COLOURS[name], ms=4, label=label, animated=True)[0]
            for name, mark, label in zip(
                PARADIGMS,
                ("o-", "s-"),
                (r"joint embedding: $\omega$", r"reconstruction: $\varphi^2 / \varphi_1^2$"),
                strict=True,
            )
        ]
        ax.set(
            xlim=(0.3, min(CODES, ready.folds.coordinates.size) + 0.7),
            ylim=(-0.02, 1.3),
            yticks=np.linspace(0, 1, 6),
        )
        ax.set(xlabel="code, best first", ylabel="score")
        ax.set_title("Spectra, and the $k$ codes that are kept")
        ax.legend(loc="upper right")

    def show(self, view: View, numbers: Numbers) -> None:
        spectra = numbers.spectra[:, :CODES]
        tops = 1.0, max(float(spectra[1, 0]), np.finfo(float).tiny)
        for line, values, top in zip(self.lines, spectra, tops, strict=True):
            line.set_data(np.arange(1, values.size + 1), values / top)
        self.kept.set_width(min(view.dim, spectra.shape[1]))


class _Scores:
    """The held-out metric of both against the number of codes, with two standard errors."""

    def __init__(self, ax: Axes, ready: Ready) -> None:
        self.ax, self.dims = ax, np.array(ready.dims)
        title = f"Held-out {metric(ready)}" if ready.targets else "No labels: nothing is scored"
        ax.set_title(f"{title}, $\\pm$ 2 standard errors" if ready.targets else title)
        style = {"animated": True}
        self.curves, self.bands = [], []
        zeros = np.zeros(self.dims.size)
        for name, mark, size in zip(PARADIGMS, ("o-", "s-"), (6, 3.5), strict=True):
            look = {"color": COLOURS[name], **style}
            self.bands.append(ax.fill_between(self.dims, zeros, zeros, alpha=0.2, lw=0, **look))
            self.curves += ax.plot([], [], mark, ms=size, label=LABELS[name], **look)
        self.features = ax.axhline(0, color="black", ls="--", lw=0.8, label="all features", **style)
        self.chance = ax.axhline(-9, color="black", ls=":", lw=0.8, label="nothing", **style)
        self.k = ax.axvline(1, color="black", lw=0.6, alpha=0.5, zorder=1, **style)
        ax.set(xscale="log", xlim=(0.9, 1.1 * self.dims[-1]), ylim=(-0.25, 1.03))
        ax.set_yticks(np.linspace(0, 1, 6))
        ticks = [k for k in (1, 2, 4, 8, 16, 32) if k <= self.dims[-1]]
        ax.set_xticks(ticks, [str(k) for k in ticks])
        ax.set_xticks([], minor=True)
        ax.set(xlabel="number of codes $k$", ylabel=metric(ready) if ready.targets else "")
        ax.grid(True)
        ax.legend(loc="lower right", ncols=2)

    def show(self, view: View, numbers: Numbers) -> None:
        self.k.set_xdata([view.dim] * 2)
        scores = numbers.scores
        if scores is None:
            return
        count = dims_of(numbers)
        for p, (curve, band) in enumerate(zip(self.curves, self.bands, strict=True)):
            found = [scores.of(p * count + i) for i in range(count)]
            value, error = np.array(found).T
            curve.set_data(self.dims, value)
            band.set_data(self.dims, value - 2 * error, value + 2 * error)
        self.features.set_ydata([scores.of(len(scores.good) - 1).value] * 2)
        self.chance.set_ydata([scores.chance] * 2)


class _Features:
    """The features that codes tell most of, by name."""

    def __init__(self, ax: Axes, paradigm: int, ready: Ready) -> None:
        self.ax, self.paradigm, self.ready = ax, paradigm, ready
        d = len(ready.variance)
        self.names = ready.names or tuple(f"feature {i + 1}" for i in range(d))
        words = {"va": "center", "animated": True, "fontsize": 8, "family": STYLE["font.serif"]}
        colour, listed = COLOURS[PARADIGMS[paradigm]], min(LISTED, d)
        self.bars = ax.barh(range(listed), [0] * listed, color=colour, alpha=0.35, animated=True)
        self.words = [ax.text(0.01, i, "", **words) for i in range(listed)]
        ax.set(xlim=(0, 1), ylim=(LISTED - 0.4, -0.6), yticks=[])
        ax.set(xlabel="share of a feature's variance that the codes tell")
        title = f"What the codes of {LABELS[PARADIGMS[paradigm]].lower()} look at"
        ax.set_title(title, color=colour)

    def show(self, view: View, numbers: Numbers) -> None:
        told = told_of_features(self.ready, numbers.encoders[self.paradigm][: view.dim])
        leading = np.argsort(-told, kind="stable")[: len(self.words)]
        for bar, word, i in zip(self.bars, self.words, leading, strict=True):
            bar.set_width(float(told[i]))
            word.set_text(f"{self.names[i][:LONGEST]}  {told[i]:.2f}")


class _Codes:
    """The weights of the first codes, as images."""

    def __init__(self, ax: Axes, paradigm: int, ready: Ready) -> None:
        assert ready.image is not None
        self.ax, self.paradigm, self.ready, self.shape = ax, paradigm, ready, ready.image
        name = PARADIGMS[paradigm]
        self.tiles = ax.imshow(
            tiles(np.zeros((0, ready.image.features)), ready.image),
            cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest", animated=True,
        )  # fmt: skip
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        title = f"What the first codes of {LABELS[name].lower()} look at"
        ax.set_title(title, color=COLOURS[name])

    def show(self, view: View, numbers: Numbers) -> None:
        W = numbers.encoders[self.paradigm][: min(view.dim, LISTED)]
        self.tiles.set_data(tiles(self.ready.folds.coordinates.up(W), self.shape))


def tiles(rows: np.ndarray, image: Image) -> np.ndarray:
    """Lay out up to eight rows (m, d) as images, two by four, each by its largest weight.

    Colour weights are shown about grey.
    """
    h, w, channels = image
    grey = channels == 1
    out = np.zeros((2 * h + 1, 4 * w + 3, channels)) if grey else np.ones((2 * h + 1, 4 * w + 3, 3))
    for i, row in enumerate(rows[:LISTED]):
        tile = row.reshape(h, w, channels) / max(float(np.abs(row).max()), np.finfo(float).tiny)
        if not grey:
            tile = 0.5 + 0.5 * tile[:, :, :3]
        y, x = (i // 4) * (h + 1), (i % 4) * (w + 1)
        out[y : y + h, x : x + w] = tile
    return out[:, :, 0] if grey else out
