"""What is left of a representation learnt on corrupted images, by paradigm and alignment.

Digits under noise, coarse pixels, zoom blur and structured background. Views add a little Gaussian
noise, and alpha times noise with the second moment of the corruption itself.
"""

from itertools import product

import equinox as eqx
import jax.numpy as jnp
import numpy as np

import linssl
from experiments import shared
from linssl.plotting import COLOURS, LABELS, new_figure

KINDS = ("gaussian_noise", "pixelate", "zoom_blur", "background")
SEVERITIES = (1, 2, 3, 4, 5)
ALPHAS = (0, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8)
ONE, DIMS = ALPHAS.index(1), (4, 8, 16, 32)
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


def cell(pairs, label, gamma, test, targets, *, alpha):
    """Accuracy of a linear probe by objective and dim, (3, dims), for one corruption."""
    views, to_clean, to_label = pairs
    d, classes = label.cross.shape
    noise = linssl.AlignedNoise(jnp.full(d, BASE), gamma, alpha)
    # Of centred one-hot classes one follows from the others: a further code would be rounding.
    k, told = min(max(DIMS), d), classes - 1
    encoders = (
        linssl.reconstruction(linssl.augment_sides(to_label, noise, None), told).encoder,
        linssl.joint_embedding(linssl.two_views(views, noise), k).encoder,
        linssl.reconstruction(linssl.augment_sides(to_clean, noise, None), k).encoder,
    )
    probes = [shared.probe(W[:dim], label, test, targets) for W in encoders for dim in DIMS]
    return jnp.stack(probes).reshape(len(OBJECTIVES), len(DIMS))


@eqx.filter_jit
def based(base, label):
    """Two views, a view and its clean image, a view and its class, under a base augmentation."""
    same = linssl.pairs.same_instance_moments(label.first, label.mean_first, label.count)
    views = same if base is None else linssl.two_views(same, base)
    return views, *(linssl.augment_sides(pair, base, None) for pair in (same.as_pair(), label))


def accuracies(data, shape, seed):
    """Accuracy by base augmentation, kind, severity, objective, dim and alpha."""
    found = []
    for kind, severity in product(KINDS, SEVERITIES):
        p = shared.corrupted(data, kind, severity, seed)
        label = linssl.with_label(p.x, p.labels)
        problem = [label, *map(jnp.asarray, (p.gamma, p.test, p.targets))]
        for base in (None, linssl.augmentations.shifts(shape, REACH)):
            bound = eqx.Partial(cell, based(base, label), *problem)
            found.append(linssl.runtime.over_cells(bound, alpha=ALPHAS))
    table = np.array(found).reshape(len(KINDS), len(SEVERITIES), 2, len(ALPHAS), 3, len(DIMS))
    return table.transpose(2, 0, 1, 4, 5, 3)


def main(options: shared.Options) -> None:
    """Corrupt, solve, probe and plot."""
    data, shape = shared.load_images(options.data)
    accuracy = accuracies(data, shape, seed=0)
    m, at = len(data.test), DIMS.index(16)
    error = np.sqrt(accuracy * (1 - accuracy) / m)
    caption = (
        f"Accuracy of a linear probe on {m:,} held-out images, {options.name}, k = 16, one "
        f"standard error (binomial). Corrupted images are all there is to learn from. Views add "
        f"Gaussian noise of variance {BASE:g} and alpha times noise with the second moment of the "
        f"corruption. Above: severity 5; dashed: with shifts by up to {REACH} pixels too. Below: "
        f"alpha = 1, and dotted alpha = 0. Background at severity 5 has standard deviation 1."
    )
    figure, axes = new_figure(2, 4, height=3.2, caption=caption, sharey="col")
    places = np.arange(len(ALPHAS))
    for column, kind in enumerate(KINDS):
        for o, name in enumerate(OBJECTIVES):
            y, se = accuracy[:, column, -1, o, at], error[:, column, -1, o, at]
            (over, under), colour = axes[:, column], COLOURS[name]
            over.errorbar(places, y[0], se[0], fmt="o-", color=colour, label=LABELS[name])
            over.plot(places, y[1], "--", color=colour, lw=0.9)
            y, se = accuracy[0, column, :, o, at], error[0, column, :, o, at]
            under.errorbar(SEVERITIES, y[:, ONE], se[:, ONE], fmt="o-", color=colour)
            under.plot(SEVERITIES, y[:, 0], ":", color=colour)
        axes[0, column].set(title=kind.replace("_", " "), xlabel=r"alignment $\alpha$")
        axes[0, column].set_xticks(places[::2], ["0", "1/4", "1", "4"])
        axes[1, column].set(xlabel="severity", xticks=SEVERITIES)
    figure.supylabel("accuracy", fontsize=8)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    grid = {"corruption": KINDS, "severity": SEVERITIES, "objective": OBJECTIVES, "dim": DIMS}
    grid["alpha"] = ALPHAS
    tables = [shared.tidy(grid, accuracy=a, se=e) for a, e in zip(accuracy, error, strict=True)]
    ours = product(enumerate(OBJECTIVES), enumerate(KINDS), SEVERITIES[::2])
    rows = [("here, alpha = 1", o, kind, s, 100 * accuracy[0, c, s - 1, i, at, ONE],
             100 * error[0, c, s - 1, i, at, ONE])
            for (i, o), (c, kind), s in ours]  # fmt: skip
    rows += [("quoted, a deep net on ImageNet-C", model, kind, s, value, np.nan)
             for model, kinds in QUOTED.items() for kind, values in kinds.items()
             for s, value in zip(SEVERITIES[::2], values, strict=True)]  # fmt: skip
    names = "source", "model", "corruption", "severity", "percent", "se"
    beside = {n: np.array(c) for n, c in zip(names, zip(*rows, strict=True), strict=True)}
    more = {"shifts": tables[1], "beside_quoted": beside}
    facts = {"drawn": {"accuracy": "se", "percent": "se"}, "more": more}
    shared.save(options, data.facts, "corruptions", figure, caption, tables[0], **facts)


if __name__ == "__main__":
    shared.run(main, __doc__)
