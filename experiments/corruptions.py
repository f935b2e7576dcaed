"""What is left of a representation learnt on corrupted images, by paradigm and alignment.

Digits under noise, coarse pixels, zoom blur and structured background. Views add a little Gaussian
noise, and alpha times noise with the second moment of the corruption itself.
"""

import dataclasses
from functools import partial
from itertools import product

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import linssl
from experiments import shared
from linssl.plotting import COLOURS, LABELS, new_figure

KINDS = ("gaussian_noise", "pixelate", "zoom_blur", "background")
SEVERITIES = (1, 2, 3, 4, 5)
ALPHAS = (0, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8)
DIMS, SHOWN = (4, 8, 16, 32), 16  # of the codes; those that are drawn
OBJECTIVES = ("supervised", "joint_embedding", "reconstruction")
BASE = 0.01  # variance of the Gaussian noise on every pixel
REACH = 2  # pixels, of the shifts of the second base augmentation
# Linear probes at severity 1, 3, 5 in the seed's ImageNet-C table: deep nets, quoted beside ours.
QUOTED = {
    "MAE": {"pixelate": (64.9, 52.3, 46.8), "gaussian_noise": (61.6, 46.7, 44.8),
            "zoom_blur": (64.1, 58.4, 51.3)},
    "DINO": {"pixelate": (68.7, 64.9, 60.2), "gaussian_noise": (67.6, 62.4, 59.0),
             "zoom_blur": (69.4, 67.2, 64.9)},
    "BYOL": {"pixelate": (66.7, 61.3, 58.7), "gaussian_noise": (67.2, 63.1, 56.4),
             "zoom_blur": (70.1, 67.0, 63.8)},
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Options(shared.Options):
    """What this figure takes."""

    k: int | None = None
    """Codes that are drawn; default: 16."""
    alphas: tuple[float, ...] = ALPHAS
    """Alignments; 0 and 1 are among them always."""


def cell(dims, pairs, label, gamma, test, targets, *, alpha):
    """Accuracy of a linear probe by objective and dim, (3, dims), for one corruption."""
    views, to_clean, to_label = pairs
    d, classes = label.cross.shape
    noise = linssl.AlignedNoise(jnp.full(d, BASE), gamma, alpha)
    # Of centred one-hot classes one follows from the others: a further code would be rounding.
    k, told = min(max(dims), d), classes - 1
    encoders = (
        linssl.reconstruction(linssl.augment_sides(to_label, noise, None), told).encoder,
        linssl.joint_embedding(linssl.two_views(views, noise), k).encoder,
        linssl.reconstruction(linssl.augment_sides(to_clean, noise, None), k).encoder,
    )
    probes = [shared.probe(W[:dim], label, test, targets) for W in encoders for dim in dims]
    return jnp.stack(probes).reshape(len(OBJECTIVES), len(dims))


@eqx.filter_jit
def based(base, label):
    """Two views, a view and its clean image, a view and its class, under a base augmentation."""
    same = linssl.pairs.same_instance_moments(label.first, label.mean_first, label.count)
    views = same if base is None else linssl.two_views(same, base)
    return views, *(linssl.augment_sides(pair, base, None) for pair in (same.as_pair(), label))


def accuracies(data, shape, seed, dims, alphas):
    """Accuracy by base augmentation, kind, severity, objective, dim and alpha."""
    found = []
    for kind, severity in shared.counted("problems", list(product(KINDS, SEVERITIES))):
        p = shared.corrupted(data, kind, severity, seed)
        label = linssl.with_label(p.x, p.labels)
        problem = [label, *map(jnp.asarray, (p.gamma, p.test, p.targets))]
        for base in (None, linssl.augmentations.shifts(shape, REACH)):
            bound = eqx.Partial(partial(cell, dims), based(base, label), *problem)
            found.append(linssl.runtime.over_cells(bound, alpha=alphas))
    table = np.array(found).reshape(len(KINDS), len(SEVERITIES), 2, len(alphas), 3, len(dims))
    return table.transpose(2, 0, 1, 4, 5, 3)


def solve(options: Options) -> shared.Result:
    """Corrupt, solve and probe."""
    data, shape = shared.load_images(options.data)
    shown = shared.whole("k", options.k, SHOWN, 1, shape.features)
    dims, alphas = tuple(sorted({*DIMS, shown})), np.array(sorted({0.0, 1.0, *options.alphas}))
    if not np.isfinite(alphas).all() or (alphas < 0).any():
        raise ValueError(f"alphas must be numbers >= 0; got {list(options.alphas)}.")
    accuracy, m = accuracies(data, shape, 0, dims, alphas), len(data.test)
    error = np.sqrt(accuracy * (1 - accuracy) / m)
    grid = {"corruption": KINDS, "severity": SEVERITIES, "objective": OBJECTIVES, "dim": dims}
    grid["alpha"] = alphas
    table, shifts = (
        shared.tidy(grid, accuracy=a, se=e) for a, e in zip(accuracy, error, strict=True)
    )
    caption = (
        f"Accuracy of a linear probe on {m:,} held-out images, {options.name}, k = {shown}, one "
        f"standard error (binomial). Corrupted images are all there is to learn from. Views add "
        f"Gaussian noise of variance {BASE:g} and alpha times noise with the second moment of the "
        f"corruption. Above: severity 5; dashed: with shifts by up to {REACH} pixels too. Below: "
        f"alpha = 1, and dotted alpha = 0. Background at severity 5 has standard deviation 1."
    )
    record = {"caption": caption, "data": options.data, **data.facts, "dim": shown}
    record["drawn"] = {"accuracy": "se", "percent": "se"}
    return shared.Result(
        table, record, {"shifts": shifts, "beside_quoted": beside_quoted(table, shown)}
    )


def beside_quoted(table: pd.DataFrame, shown: int) -> pd.DataFrame:
    """Set the accuracies at alpha = 1 beside those quoted, in percent."""
    columns = ["source", "model", "corruption", "severity", "percent", "se"]
    severities, found = SEVERITIES[::2], []
    for name in OBJECTIVES:
        here = shared.rows(table, objective=name, dim=shown, alpha=1)
        for kind, severity, accuracy, se in zip(
            here["corruption"], here["severity"], here["accuracy"], here["se"], strict=True
        ):
            if severity in severities:
                row = "here, alpha = 1", name, kind, severity, 100 * accuracy, 100 * se
                found.append(row)
    for name, kinds in QUOTED.items():
        for kind, percents in kinds.items():
            for severity, percent in zip(severities, percents, strict=True):
                row = "quoted, a deep net on ImageNet-C", name, kind, severity, percent, np.nan
                found.append(row)
    return pd.DataFrame(found, columns=columns)


def draw(result: shared.Result) -> Figure:
    """Draw a column for each corruption: accuracy against alignment, and against severity."""
    figure, axes = new_figure(2, 4, height=3.2, caption=result.caption, sharey="col")
    shown, alphas = result.record["dim"], result.table["alpha"].unique()
    for (over, under), kind in zip(axes.T, KINDS, strict=True):
        for name in OBJECTIVES:
            mine, with_shifts = (
                shared.rows(table, corruption=kind, objective=name, dim=shown)
                for table in (result.table, result.more["shifts"])
            )
            draw_alignments(over, mine, with_shifts, name)
            draw_severities(under, mine, name)
        over.set(title=kind.replace("_", " "), xlabel=r"alignment $\alpha$")
        over.set_xticks(range(0, len(alphas), 2), [fraction(a) for a in alphas[::2]])
        under.set(xlabel="severity", xticks=SEVERITIES)
    figure.supylabel("accuracy", fontsize=8)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


def fraction(alpha: float) -> str:
    """Write an alignment as 1/4 where it is one."""
    return f"1/{1 / alpha:g}" if 0 < alpha < 1 and (1 / alpha) % 1 == 0 else f"{alpha:g}"


def draw_alignments(ax, mine: pd.DataFrame, with_shifts: pd.DataFrame, name: str) -> None:
    """Draw accuracy at the worst severity; dashed with shifts too."""
    worst, shifted = (shared.rows(p, severity=SEVERITIES[-1]) for p in (mine, with_shifts))
    places, colour = range(len(worst)), COLOURS[name]
    ax.errorbar(places, worst["accuracy"], worst["se"], fmt="o-", color=colour, label=LABELS[name])
    ax.plot(places, shifted["accuracy"], "--", color=colour, lw=0.9)


def draw_severities(ax, mine: pd.DataFrame, name: str) -> None:
    """Draw accuracy with alignment 1; dotted without any."""
    aligned, without = (shared.rows(mine, alpha=alpha) for alpha in (1, 0))
    bars = aligned["severity"], aligned["accuracy"], aligned["se"]
    ax.errorbar(*bars, fmt="o-", color=COLOURS[name])
    ax.plot(without["severity"], without["accuracy"], ":", color=COLOURS[name])


if __name__ == "__main__":
    shared.run("corruptions", solve, draw, __doc__)
