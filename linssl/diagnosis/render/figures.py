"""The figures of a report, as PNG in base64."""

import base64
import io
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from linssl.diagnosis.facts import Facts
from linssl.diagnosis.phrases import NAMES
from linssl.plotting import COLOURS, LABELS, house_style, new_figure

BARS = 24  # scores that are shown one by one
NUISANCE = "#BBBBBB"
NAMED = 24  # columns that are drawn where they have names


def figures(d: Facts) -> list[tuple[str, str]]:
    """Draw what there is to draw: (caption, PNG in base64)."""
    with house_style():
        drawn = [_spectra(d)]
        if d.joint_embedding.kept_by_dim:
            drawn.append(_curves(d))
        drawn.append(_directions(d))
        return [(caption, encoded(figure)) for caption, figure in drawn]


def encoded(figure: Figure) -> str:
    """Return a figure as PNG in base64."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=180, metadata={"Software": None})
    return base64.b64encode(out.getvalue()).decode()


def _spectra(d: Facts) -> tuple[str, Figure]:
    labelled = bool(d.joint_embedding.label_shares)
    figure, axes = new_figure(
        2 if labelled else 1, 2, height=3.0 if labelled else 1.7, caption="",
        sharex="col",
    )  # fmt: skip
    for column, name in enumerate(NAMES):
        r = getattr(d, name)
        m = min(BARS, len(r.spectrum))
        at = np.arange(1, m + 1)
        ax = axes[0, column]
        ax.errorbar(
            at, r.spectrum[:m], 2 * np.array(r.spectrum_error[:m]), fmt="o", color=COLOURS[name],
            capsize=1.5, elinewidth=0.8,
        )  # fmt: skip
        score = r"$\omega$" if name == "joint_embedding" else r"$\varphi^2$"
        ax.set(title=LABELS[name], ylabel=f"score {score}", ylim=(0, None))
        if labelled:
            shares = r.label_shares[:m]
            axes[1, column].bar(at[: len(shares)], shares, color=COLOURS[name], width=0.7)
            axes[1, column].set(ylabel="R² of labels, each code")
        for ax in axes[:, column]:
            ax.axvline(d.dim + 0.5, color="#888888", lw=0.7, ls="--")
        axes[-1, column].set_xlabel("code")
    caption = (
        f"What each paradigm looks for. Codes left of the dashed line are the {d.dim} that are "
        "kept; bars are two standard errors. A clear drop at the line means that the subspace is "
        "well determined."
    )
    if labelled:
        caption += " Below: how much of the labels each code explains on its own."
    return caption, figure


def _curves(d: Facts) -> tuple[str, Figure]:
    figure, axes = new_figure(1, 2, height=2.0, caption="")
    left, right = axes[0]
    assert d.held_out_ceiling is not None
    assert d.chance is not None
    floor = d.chance + (1 - d.tolerance) * (d.held_out_ceiling - d.chance)
    left.axhline(d.held_out_ceiling, color="k", lw=0.9, label="best on all features")
    left.axhspan(
        floor, d.held_out_ceiling, color="#888888", alpha=0.2, lw=0, label="keeps the signal"
    )
    right.plot(d.dims, d.ceiling_by_dim, "k-", lw=0.9)
    for name in NAMES:
        r = getattr(d, name)
        left.plot(d.dims, r.held_out_by_dim, "o-", color=COLOURS[name], label=LABELS[name])
        if not r.arbitrary:
            error = 2 * (r.held_out_error or 0)
            left.errorbar(d.dim, r.held_out, error, color=COLOURS[name], capsize=2, lw=1)
        right.plot(d.dims, r.kept_by_dim, "o-", color=COLOURS[name])
    left.set(ylabel="held-out accuracy" if d.classes else "held-out R²", ylim=(0, None))
    right.set(ylabel="R² of the labels", ylim=(0, None))
    for ax in (left, right):
        ax.set_xscale("log", base=2)
        near = [k for k in d.dims if k == d.dim or not 0.7 < k / d.dim < 1.5]  # labels apart
        ax.set_xticks(near, [str(k) for k in near])
        ax.minorticks_off()
        ax.axvline(d.dim, color="#888888", lw=0.7, ls="--")
        ax.set_xlabel("number of codes k")
    left.legend(loc="lower right")
    caption = (
        "What a linear probe reads from k codes. Left: on samples that nothing was learnt from; a "
        "paradigm keeps the signal where it lies in the grey band, below what the best probe on "
        "all features reaches. Right: R² of the labels, and of the best linear codes (black)."
    )
    return caption, figure


def _directions(d: Facts) -> tuple[str, Figure]:
    rows = [(LABELS[name], getattr(d, name).directions) for name in NAMES]
    if d.nuisance:
        rows.append(("Nuisance", d.nuisance))
    if d.image is not None:
        return _pictures(d, rows)
    shown, names = _shown(d, rows)
    figure, axes = new_figure(1, len(rows), height=1.9 if names is None else 2.4, caption="")
    for ax, (title, directions) in zip(axes[0], rows, strict=True):
        largest = np.abs(np.array(directions)).max(axis=1, keepdims=True)
        values = (np.array(directions) / np.where(largest > 0, largest, 1))[:, shown]
        ax.imshow(values, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
        ax.set(title=title, xlabel="column of the data", yticks=range(len(values)))
        ax.set_yticklabels(range(1, len(values) + 1))
        if names is not None:
            ax.set_xlabel("")
            ax.set_xticks(range(len(names)), names, rotation=90, fontsize=4.5)
    axes[0, 0].set_ylabel("code")
    caption = (
        "Which columns each code reads, scaled to its largest weight: red adds, blue subtracts. "
        "Nuisance: the directions to align the augmentation with."
    )
    if names is not None and len(names) < d.features:
        caption += (
            f" Of {d.features:,} columns the {len(names)} with the largest weights are drawn."
        )
    return caption, figure


def _shown(d: Facts, rows: list) -> tuple[Any, list[str] | None]:
    """Return the columns that are drawn: all, or those of the largest weights, and their names."""
    if d.feature_names is None:
        return slice(None), None
    weights = np.abs(np.concatenate([np.array(directions) for _, directions in rows]))
    largest = weights.max(axis=1, keepdims=True)
    leading = np.argsort(-(weights / np.where(largest > 0, largest, 1)).max(0), kind="stable")
    shown = np.sort(leading[:NAMED])
    return shown, [d.feature_names[i] for i in shown]


def _pictures(d: Facts, rows: list) -> tuple[str, Figure]:
    assert d.image is not None
    most = max(len(directions) for _, directions in rows)
    figure, axes = new_figure(len(rows), most, height=0.72 * len(rows), caption="")
    for line, (title, directions) in zip(axes, rows, strict=True):
        for ax in line:
            ax.set_axis_off()
        for ax, direction in zip(line, directions, strict=False):
            picture = np.array(direction).reshape(d.image).mean(-1)
            largest = np.abs(picture).max() or 1
            ax.imshow(picture / largest, cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest")
        line[0].text(
            -0.15, 0.5, title.replace(" ", "\n"), transform=line[0].transAxes, fontsize=7,
            ha="right", va="center",
        )  # fmt: skip
    caption = (
        "What each code looks at, the leading eight: red adds, blue subtracts. "
        "Nuisance: what varies most and carries no signal, to align the augmentation with."
    )
    return caption, figure
