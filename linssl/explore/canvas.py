"""One matplotlib figure for all sessions: what never changes is drawn once, and kept as pixels.

A step of a slider draws the rest over it. Drawing all of it, let alone a new figure, would take ten
times as long.
"""

import io
import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from linssl.plotting import house_style

SIZE = (8.8, 5.5)  # inches, at DPI dots each
DPI = 140
_STYLE = threading.Lock()  # rcParams belong to the process, sessions are threads


@runtime_checkable
class Panel(Protocol):
    """Axes whose animated artists `show` moves."""

    ax: Axes

    def show(self, view: Any, numbers: Any) -> None:
        """Move the artists to what is shown."""
        ...


class Canvas:
    """A figure of panels. Sessions take turns.

    Args:
        build: makes the panels; what moves is animated.
        palette: the picture's colours, if they are few: a fifth of the time that all take.
    """

    def __init__(
        self, build: Callable[[Figure], Sequence[Panel]], palette: Image.Image | None = None
    ) -> None:
        self._turn, self._palette = threading.RLock(), palette
        self._still: dict[Hashable, Any] = {}  # pixels, by what of the axes changes
        with _STYLE, house_style():
            self.figure = Figure(figsize=SIZE, dpi=DPI, layout="constrained")
            self._canvas = FigureCanvasAgg(self.figure)
            self.panels = build(self.figure)
            self._moving = [
                (p.ax, a) for p in self.panels for a in p.ax.get_children() if a.get_animated()
            ]
            for _, artist in self._moving:
                artist.set_in_layout(False)
            self._moving.sort(key=lambda moving: moving[1].get_zorder())
            self._canvas.draw()
            self.figure.set_layout_engine("none")  # laid out once: nothing moves afterwards

    def still(self, view: Any, numbers: Any) -> Hashable:
        """Set what of the axes depends on what is shown, and name it."""
        del view, numbers
        return None

    def draw(self, view: Any, numbers: Any) -> bytes:
        """Show a view; return the figure as PNG, DPI dots an inch."""
        with self._turn:
            self._paint(view, numbers)
            pixels = Image.fromarray(np.asarray(self._canvas.buffer_rgba())).convert("RGB")
        if self._palette is not None:
            pixels = pixels.quantize(palette=self._palette, dither=Image.Dither.NONE)
        file = io.BytesIO()
        pixels.save(file, "png", compress_level=1)
        return file.getvalue()

    def png(self, view: Any, numbers: Any, dpi: int = 250) -> bytes:
        """Return a view as a PNG for print."""
        file = io.BytesIO()
        with self._turn:
            self._paint(view, numbers)
            with _STYLE, house_style():
                self.figure.savefig(file, dpi=dpi)
        return file.getvalue()

    def _paint(self, view: Any, numbers: Any) -> None:
        for panel in self.panels:
            panel.show(view, numbers)
        key = self.still(view, numbers)
        if key not in self._still:
            with _STYLE, house_style():
                self._canvas.draw()
            self._still[key] = self._canvas.copy_from_bbox(self.figure.bbox)
        self._canvas.restore_region(self._still[key])
        for ax, artist in self._moving:
            ax.draw_artist(artist)
