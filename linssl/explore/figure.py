"""The explorer's four panels."""

import functools
from collections.abc import Sequence

import matplotlib.patheffects as effects
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure
from PIL import Image

from linssl.explore.canvas import DPI, SIZE, Canvas, Panel
from linssl.explore.model import MAGNITUDES, OBJECTIVES, SIZES, Numbers
from linssl.explore.state import CONTROLS, View
from linssl.plotting import COLOURS, LABELS
from linssl.plotting.style import STYLE

CLICKS = 1.5  # dots of what is clicked, for each of the figure: the page may show it that large
TINTS = ("#8C8C8C", "#F2B58C", "#8CBFE0", "#F4F4EE")  # as in the phase diagram
_RGBA = (255 * to_rgba_array(TINTS)).round().astype(np.uint8)
REGIONS = ("neither", "only RC", "only JE", "both")
NOISE = "#555555"  # a filled square; signals are round, in the objective's colour
HINT = "#882255"
ENOUGH = "enough: half of one direction lost"
LEAST = 1e-6  # of the distances on a logarithmic axis
ROOM = (10, 20)  # directions on the axes of the scores
ALPHAS = np.geomspace(1e-2, 20, 81)


@functools.cache
def shared_panels() -> "Panels":
    """Return the one figure of the process: laying out another takes a second."""
    return Panels()


class Panels(Canvas):
    """The four panels of the model."""

    def __init__(self) -> None:
        super().__init__(_build, _palette())

    def still(self, view: View, numbers: Numbers) -> int:
        """Give the scores' axes room for ten directions, or twenty."""
        del view
        room = next(r for r in ROOM if r >= numbers.scores.shape[1])
        for panel in self.panels[:2]:
            panel.ax.set_xlim(0.3, room + 0.7)
        return room

    def clickable(self) -> Axes:
        """Return the phase diagram's axes alone, without ink, where they are in the figure."""
        there = self.panels[2].ax
        figure = Figure(figsize=SIZE, dpi=DPI * CLICKS, facecolor="none")
        FigureCanvasAgg(figure)
        ax = figure.add_axes(there.get_position().bounds)
        ax.set(xscale="log", yscale="log", xlim=there.get_xlim(), ylim=there.get_ylim())
        ax.set_axis_off()
        return ax


def _build(figure: Figure) -> Sequence[Panel]:
    axes = figure.subplots(2, 2)
    scores = [_Scores(axes[0, i], i) for i in range(2)]
    return [*scores, _Phases(axes[1, 0]), _Distances(axes[1, 1])]


def _palette() -> Image.Image:
    """The panels' colours and their mixtures with white: a fifth of the time that all take."""
    names = [*(COLOURS[name] for name in OBJECTIVES), HINT, NOISE, "#BBBBBB", "#000000"]
    ends = to_rgba_array([*names, *TINTS])[:, None, :3]
    share = np.linspace(0, 1, 26)[None, 1:, None]
    mixtures = (1 - share * (1 - ends)).reshape(-1, 3)
    mixtures = mixtures[mixtures.min(1) < 0.96]  # any nearer, and white would take theirs
    image = Image.new("P", (1, 1))
    image.putpalette((255 * np.vstack([np.ones(3), mixtures])).round().astype(np.uint8).tobytes())
    return image


class _Scores:
    """One objective's scores in descending order, which are signal, and where k cuts."""

    def __init__(self, ax: Axes, objective: int) -> None:
        self.objective, self.ax = objective, ax
        name = OBJECTIVES[objective]
        colour = COLOURS[name]
        self.kept = ax.axvspan(0.5, 5.5, color=colour, alpha=0.1, lw=0, animated=True)
        (self.stems,) = ax.plot([], [], "-", color="#BBBBBB", lw=1, zorder=1, animated=True)
        (self.signal,) = ax.plot([], [], "o", color=colour, ms=7, label="signal", animated=True)
        (self.noise,) = ax.plot([], [], "s", color=NOISE, ms=5.5, label="noise", animated=True)
        handles = [self.signal, self.noise]
        if objective == 0:
            style = {"ms": 10, "mfc": "none", "mec": HINT, "mew": 1.4, "animated": True}
            (self.lifted,) = ax.plot([], [], "o", **style, label="with AdaSSL's hint")
            handles.append(self.lifted)
        symbol = (r"correlation $\omega$", r"explained variance $\varphi^2$")[objective]
        ax.set(xlabel="direction, best first", ylabel=symbol)
        ax.set(xticks=[1, 5, 10, 15, 20])
        ax.set_title(f"{LABELS[name]}: scores, and the $k$ that are kept", color=colour)
        if objective == 0:
            ax.set(ylim=(-0.02, 1.05))
        else:
            ax.set(yscale="log", ylim=(1e-3, 200))
        ax.legend(handles=handles, loc="upper right", ncols=3)

    def show(self, view: View, numbers: Numbers) -> None:
        y, mine = numbers.scores[self.objective], numbers.is_signal[self.objective]
        low, _ = self.ax.get_ylim()
        y, x = np.maximum(y, low if self.objective else 0), np.arange(1, y.size + 1)
        self.signal.set_data(x[mine], y[mine])
        self.noise.set_data(x[~mine], y[~mine])
        ends = np.stack([np.full(y.size, low), y, np.full(y.size, np.nan)], -1)
        self.stems.set_data(np.repeat(x, 3), ends.ravel())
        self.kept.set_width(min(view.dim, y.size))
        if self.objective == 0:
            lifted = numbers.lifted > y + 1e-12
            self.lifted.set_data(x[lifted], numbers.lifted[lifted])


class _Phases:
    """Who keeps the signal for infinitely many pairs, over noise magnitude and alignment."""

    def __init__(self, ax: Axes) -> None:
        self.ax = ax
        half = 0.5 / (ALPHAS.size - 1)  # of a cell, whose middle is on the grid
        ends = (-half, 1 + half, -half, 1 + half)
        style = {"transform": ax.transAxes, "origin": "lower", "aspect": "auto"}
        style |= {"interpolation": "nearest", "zorder": 0, "animated": True}
        self.image = ax.imshow(_RGBA[:1, None], extent=ends, **style)
        self.lines = [
            ax.plot([], [], color=COLOURS[name], lw=1.8, animated=True)[0] for name in OBJECTIVES
        ]
        around = [effects.withStroke(linewidth=2.5, foreground="white")]
        words = {"ha": "center", "va": "center", "family": STYLE["font.serif"]}
        words |= {"path_effects": around, "animated": True}
        self.names = [ax.text(1, 1, name, **words) for name in REGIONS]
        style = {
            "mfc": "white",
            "mec": "black",
            "mew": 1.6,
            "zorder": 5,
            "clip_on": False,
            "animated": True,
        }
        (self.point,) = ax.plot([], [], "D", ms=8, **style)
        ax.set(xscale="log", yscale="log", xlim=MAGNITUDES[[0, -1]], ylim=ALPHAS[[0, -1]])
        ax.set(xlabel=r"largest noise variance $\gamma_1$", ylabel=r"alignment $\alpha$")
        ax.set_title(r"Who keeps the signal, as $n \to \infty$ (click to move)")

    def show(self, view: View, numbers: Numbers) -> None:
        kept = np.square(ALPHAS)[None, :, None] > numbers.boundary[:, None, :]
        region = 2 * kept[0] + kept[1]
        self.image.set_data(_RGBA[region])
        for line, square in zip(self.lines, numbers.boundary, strict=True):
            line.set_data(MAGNITUDES, np.where(square > 0, np.sqrt(np.maximum(square, 0)), 1e-9))
        for i, text in enumerate(self.names):
            rows, columns = np.nonzero(region == i)
            text.set_visible(rows.size > 0.03 * region.size)
            if rows.size:  # at the cell that is nearest to the middle of the region
                far = np.square(rows - rows.mean()) + np.square(columns - columns.mean())
                at = np.argmin(far)
                text.set_position((float(MAGNITUDES[columns[at]]), float(ALPHAS[rows[at]])))
        inside = np.clip(view.noise_variance, *MAGNITUDES[[0, -1]])
        self.point.set_data([inside], [max(view.alpha, ALPHAS[0])])


class _Distances:
    """The share of the signal that is lost against n, with the view's n."""

    def __init__(self, ax: Axes) -> None:
        self.ax = ax
        self.curves, self.bands, self.limits, self.points, self.bars = [], [], [], [], []
        for i, name in enumerate(OBJECTIVES):
            colour, marker = COLOURS[name], "os"[i]
            (curve,) = ax.plot(
                [], [], f"{marker}-", color=colour, ms=4, label=LABELS[name], animated=True
            )
            zeros = np.full(SIZES.size, LEAST)
            self.bands.append(
                ax.fill_between(SIZES, zeros, zeros, color=colour, alpha=0.2, lw=0, animated=True)
            )
            style = {
                "ms": 10,
                "mfc": "white",
                "mec": colour,
                "mew": 1.8,
                "zorder": 5,
                "animated": True,
            }
            (bar,) = ax.plot([], [], "-", color=colour, lw=1.8, zorder=4, animated=True)
            (point,) = ax.plot([], [], marker, **style)
            self.curves.append(curve)
            self.points.append(point)
            self.bars.append(bar)
            self.limits.append(ax.axhline(LEAST / 10, color=colour, ls=":", lw=1.2, animated=True))
        self.cut = ax.axhline(
            0.1,
            color="black",
            ls="--",
            lw=0.8,
            label=ENOUGH,
            animated=True,
        )
        self.n = ax.axvline(1000, color="black", lw=0.6, alpha=0.5, zorder=1, animated=True)
        ends = CONTROLS["n"].steps
        ax.set(xscale="log", yscale="log", ylim=(LEAST, 1.6), xlim=(ends[0] / 1.2, ends[-1] * 1.2))
        ax.set(xlabel="pairs $n$", ylabel="share of the signal lost")
        ax.set_title("Lost from $n$ pairs (mean and standard error of 5 draws)")
        ax.grid(True)
        ax.legend(loc="lower left")

    def show(self, view: View, numbers: Numbers) -> None:
        y, error = np.maximum(numbers.distance, LEAST / 10), numbers.error
        low, high = np.maximum(y - error, y / 10), y + error
        for i, curve in enumerate(self.curves):
            curve.set_data(SIZES, y[i, :-1])
            self.bands[i].set_data(SIZES, low[i, :-1], high[i, :-1])
            self.points[i].set_data([view.n], y[i, -1:])
            self.bars[i].set_data([view.n] * 2, [low[i, -1], high[i, -1]])
            limit = numbers.limit[i]
            self.limits[i].set_ydata([limit if limit > LEAST else LEAST / 10] * 2)
        self.cut.set_ydata([0.5 / min(view.dim, view.signals)] * 2)
        self.n.set_xdata([view.n] * 2)
