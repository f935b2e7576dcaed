"""Semantic pairs against label noise and alignment: how much of the classes is kept.

Theory lines through measured points on simulated classes, and the same on real digits before a
structured background.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import linssl
from experiments import shared
from experiments.shared import classes
from linssl.plotting import COLOURS, LABELS, new_figure

FRACTIONS = np.linspace(0, 1, 21)
MISLABELLED = (0.0, 0.3, 0.6)
ALPHAS = (0.0, 0.5)
OBJECTIVES = ("joint_embedding", "reconstruction")
SOURCES = ("theory", "simulated", "images")
HELD_OUT = 2000  # images, at most
BASE_PIXEL = 0.01  # variance of the noise on every pixel of an image


def solutions(pairs, base, noise, dim, p, q, alpha):
    """Encoders of both objectives."""
    pair, view = pairs.pair(p, q), linssl.AlignedNoise(base, noise, alpha)
    je = linssl.joint_embedding(linssl.two_views(pair, view), dim)
    rc = linssl.reconstruction(linssl.view_and_clean(pair, view), dim)
    return je.encoder, rc.encoder


def cell(base, noise, axes, drawn, *, p, q, alpha):
    """Share of the class subspace that is kept, and accuracy of a linear probe, by objective."""
    pairs, label, test, targets = drawn
    k = label.second.shape[0] - 1
    found = solutions(pairs, base, noise, k, p, q, alpha)
    if axes is None:  # Fisher's: what all pairs with right labels would find
        axes = solutions(pairs, base, noise, k, 1.0, 0.0, alpha)[0]
    overlap = [1 - linssl.subspace_distance(W, axes) for W in found]
    accuracy = [shared.probe(W, label, test, targets) for W in found]
    return {
        "overlap": dict(zip(OBJECTIVES, overlap, strict=True)),
        "accuracy": dict(zip(OBJECTIVES, accuracy, strict=True)),
    }


def in_theory(_key, *, p, q, alpha):
    """The overlap of the simulation for infinitely many samples; there is nothing to probe."""
    found = solutions(classes.population(), classes.BASE, classes.NOISE, classes.K, p, q, alpha)
    overlap = [1 - linssl.subspace_distance(W, range(classes.K)) for W in found]
    nothing = dict.fromkeys(OBJECTIVES, jnp.nan)
    return {"overlap": dict(zip(OBJECTIVES, overlap, strict=True)), "accuracy": nothing}


def draw_images(stacked, _key, *, seed):
    """Take the corrupted images of one seed."""
    return jax.tree_util.tree_map(lambda a: a[seed], stacked)


def summarise(data, seed):
    """Put digits before a background, and summarise their pairs; and the background's moments."""
    p = shared.corrupted(data, "background", 5, seed, HELD_OUT)
    pairs, label = (
        linssl.pairs.SemanticPairs.from_labels(p.x, p.labels),
        linssl.with_label(p.x, p.labels),
    )
    return (pairs, label, jnp.asarray(p.test), jnp.asarray(p.targets)), p.gamma


def main(options: shared.Options) -> None:
    """Pair, solve and plot."""
    data, _ = shared.load_images(options.data)
    seeds, axes = 20 if options.full else 4, {"p": FRACTIONS, "q": MISLABELLED, "alpha": ALPHAS}
    drawn, gammas = zip(*(summarise(data, seed) for seed in range(seeds)), strict=True)
    stacked = jax.tree_util.tree_map(lambda *parts: jnp.stack(parts), *drawn)
    pixels, gamma = jnp.full(len(gammas[0]), BASE_PIXEL), jnp.asarray(np.mean(gammas, 0))
    simulated = eqx.Partial(cell, classes.BASE, classes.NOISE, classes.AXES)
    real, take = eqx.Partial(cell, pixels, gamma, None), eqx.Partial(draw_images, stacked)
    sweeps = [linssl.Sweep(in_theory, axes), linssl.Sweep(simulated, axes, seeds, classes.draw)]
    sweeps += [linssl.Sweep(real, axes, seeds, take)]
    mean, error = {}, {}
    for source, sweep in zip(SOURCES, sweeps, strict=True):
        table = shared.table(sweep).transpose("objective", "p", "q", "alpha", "seed")
        for name in ("overlap", "accuracy"):
            values = table[name].sel(objective=list(OBJECTIVES)).to_numpy()
            mean[source, name], error[source, name] = shared.with_errors(values)

    caption = (
        f"Share of the class subspace kept by {classes.K} dimensions (left; lines: theory, dots: "
        f"{classes.SAMPLES:,} samples of {classes.K + 1} classes) and accuracy of a linear probe "
        f"on {options.name} before a background of standard deviation 1 (right, {len(gammas[0])} "
        f"pixels, one dimension less than classes), against the fraction p of pairs that join two "
        f"instances of a class, for a fraction q of them mislabelled. Light: alpha = "
        f"{ALPHAS[0]:g}, dark: {ALPHAS[1]:g}. Bars: one standard error of {seeds} seeds."
    )
    figure, panels = new_figure(2, 6, height=3.2, caption=caption, sharex=True, sharey="row")
    for o, objective in enumerate(OBJECTIVES):
        for i, q in enumerate(MISLABELLED):
            for a, shade in enumerate((0.4, 1.0)):
                at, style = (o, slice(None), i, a), {"color": COLOURS[objective], "alpha": shade}
                left, right = panels[o, i], panels[o, i + 3]
                left.plot(FRACTIONS, mean["theory", "overlap"][at], "-", **style)
                y, se = (d["simulated", "overlap"][at] for d in (mean, error))
                left.errorbar(FRACTIONS, y, se, fmt=".", ms=3, lw=0.8, **style)
                y, se = (d["images", "accuracy"][at] for d in (mean, error))
                right.errorbar(FRACTIONS, y, se, fmt=".-", ms=3, lw=0.8, **style)
            for column, what in ((i, "overlap"), (i + 3, "accuracy")):
                panels[0, column].set_title(f"{what}\n$q = {q:g}$")
                panels[1, column].set_xlabel("$p$")
        panels[o, 0].set_ylabel(LABELS[objective])
    grid = {"source": SOURCES, "objective": OBJECTIVES, "p": FRACTIONS, "q": MISLABELLED}
    values = {}
    for prefix, numbers in (("", mean), ("se_", error)):
        for name in ("overlap", "accuracy"):
            values[prefix + name] = np.stack([numbers[source, name] for source in SOURCES])
    table = shared.tidy({**grid, "alpha": ALPHAS}, **values)
    facts = {"drawn": {"overlap": "se_overlap", "accuracy": "se_accuracy"}, "seeds": seeds}
    shared.save(options, data.facts, "semantic_pairs", figure, caption, table, **facts)


if __name__ == "__main__":
    shared.run(main, __doc__)
