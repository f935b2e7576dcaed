"""The one style of all figures: column widths of a paper, fonts without LaTeX, safe colours."""

import textwrap
from contextlib import AbstractContextManager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure

TEXT_WIDTH = 5.5  # inches, the text width of a single-column conference paper

# Okabe-Ito, and four that are as far from it and from each other with any common colour blindness.
COLOURS = {
    "joint_embedding": "#0072B2",
    "reconstruction": "#D55E00",
    "supervised": "#009E73",
    "simvae": "#CC79A7",
    "simvae_elbo": "#882255",
    "pca": "#E69F00",
    "plda": "#000000",
    "alignment_only": "#5B3A00",
    "invariance_only": "#56B4E9",
    "reconstruction_path": "#3F007D",
    "soft_constraint": "#8A2BE2",
    "none": "#BBBBBB",
}
LABELS = {
    "joint_embedding": "Joint embedding",
    "reconstruction": "Reconstruction",
    "supervised": "Supervised",
    "simvae": "SimVAE, likelihood",
    "simvae_elbo": "SimVAE, ELBO",
    "pca": "PCA",
    "plda": "Probabilistic LDA",
    "alignment_only": "Alignment only",
    "barlow_twins": "Barlow Twins",
    "info_nce": "InfoNCE",
    "invariance_only": "Invariance only",
    "reconstruction_path": "Path, RC to JE",
    "soft_constraint": "Soft constraint",
    "spectral_contrastive": "Spectral contrastive",
}
SHADES = ("#88CCEE", "#0072B2", "#332288")  # light to dark blue
STYLE: dict[Any, Any] = {
    "font.family": "serif",
    "font.serif": ["STIXGeneral", "DejaVu Serif"],
    "mathtext.fontset": "stix",
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "lines.markersize": 2.6,
    "grid.linewidth": 0.4,
    "grid.alpha": 0.35,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,
    "axes.unicode_minus": False,
}


def shades(count: int) -> list[str]:
    """Return so many blues, light to dark, for values that have an order."""
    blues = LinearSegmentedColormap.from_list("shades", SHADES)
    at = np.linspace(0, 1, count) if count > 1 else [0.5]
    return [to_hex(blues(float(share))) for share in at]


def house_style() -> AbstractContextManager[None]:
    """Return a context in which figures are drawn and saved in the house style."""
    return mpl.rc_context(STYLE)


def caption_block(caption: str) -> tuple[str, float]:
    """Wrap a caption as it stands beneath a figure: its text, and its height in inches."""
    lines = textwrap.wrap(caption, 138)
    return "\n".join(lines), (len(lines) * 8.5 + 8) / 72


def new_figure(
    rows: int, columns: int, *, height: float, caption: str, **kwargs: Any
) -> tuple[Figure, np.ndarray]:
    """Make a text-wide figure with a grid of axes, and its caption beneath.

    Args:
        rows: of axes.
        columns: of axes.
        height: of the panels, inches; the caption's lines are added.
        caption: what a reader must know to read the figure on its own.
        kwargs: passed to `Figure.subplots`, such as sharex.

    Returns:
        (figure, axes), axes always (rows, columns).
    """
    text, foot = caption_block(caption)
    total = height + foot
    figure = Figure(figsize=(TEXT_WIDTH, total))
    FigureCanvasAgg(figure)
    figure.set_layout_engine("constrained", rect=(0, foot / total, 1, height / total))
    axes = figure.subplots(rows, columns, squeeze=False, **kwargs)
    figure.text(0.01, 0.01, text, fontsize=6.5, va="bottom", color="#333333")
    return figure, axes
