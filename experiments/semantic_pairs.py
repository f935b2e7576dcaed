"""Semantic pairs against label noise and alignment: how much of the classes is kept.

Theory lines through measured points on simulated classes, and the same on real digits before a
structured background.
"""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import linssl
from experiments import shared
from experiments.shared import classes
from linssl.plotting import COLOURS, LABELS, new_figure

FRACTIONS = np.linspace(0, 1, 21)
MISLABELLED = (0.0, 0.3, 0.6)
ALPHAS = (0.0, 0.5)
OBJECTIVES = ("joint_embedding", "reconstruction")
VALUES = ("overlap", "accuracy")
SOURCES = ("theory", "simulated", "images")
HELD_OUT = 2000  # images, at most
BASE_PIXEL = 0.01  # variance of the noise on every pixel of an image


@dataclasses.dataclass(frozen=True)
class Options(shared.Options):
    """What this figure takes."""

    alphas: tuple[float, ...] = ALPHAS
    """Alignments, light to dark."""
    seeds: int | None = None
    """Draws of the samples; default: 4, or 20 with --full."""


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


def take_images(stacked, _key, *, seed):
    """Take the corrupted images of one seed."""
    return jax.tree_util.tree_map(lambda a: a[seed], stacked)


def summarise(data, seed):
    """Put images before a background, and summarise their pairs; and the background's moments."""
    p = shared.corrupted(data, "background", 5, seed, HELD_OUT)
    pairs, label = (
        linssl.pairs.SemanticPairs.from_labels(p.x, p.labels),
        linssl.with_label(p.x, p.labels),
    )
    return (pairs, label, jnp.asarray(p.test), jnp.asarray(p.targets)), p.gamma


def sweeps(data, seeds, alphas):
    """The sweep of each source, and the number of pixels of an image."""
    axes = {"p": FRACTIONS, "q": MISLABELLED, "alpha": alphas}
    drawn, gammas = zip(*(summarise(data, seed) for seed in range(seeds)), strict=True)
    stacked = jax.tree_util.tree_map(lambda *parts: jnp.stack(parts), *drawn)
    features, gamma = len(gammas[0]), jnp.asarray(np.mean(gammas, 0))
    simulated = eqx.Partial(cell, classes.BASE, classes.NOISE, classes.AXES)
    real = eqx.Partial(cell, jnp.full(features, BASE_PIXEL), gamma, None)
    found = {
        "theory": linssl.Sweep(in_theory, axes),
        "simulated": linssl.Sweep(simulated, axes, seeds, classes.draw),
        "images": linssl.Sweep(real, axes, seeds, eqx.Partial(take_images, stacked)),
    }
    return found, features


def run(sweep):
    """Mean and error over seeds of each value, (objective, p, q, alpha)."""
    table = shared.table(sweep).transpose("objective", "p", "q", "alpha", "seed")
    found = {}
    for name in VALUES:
        values = table[name].sel(objective=list(OBJECTIVES)).to_numpy()
        found[name], found[f"se_{name}"] = shared.with_errors(values)
    return found


def solve(options: Options) -> shared.Result:
    """Pair and solve: in theory, simulated, and on images."""
    data, _ = shared.load_images(options.data)
    seeds = shared.whole("seeds", options.seeds, 20 if options.full else 4, 1)
    alphas = np.unique(options.alphas).astype(float)
    if not alphas.size or not np.isfinite(alphas).all() or (alphas < 0).any():
        raise ValueError(f"alphas must be numbers >= 0; got {list(options.alphas)}.")
    by_source, features = sweeps(data, seeds, alphas)
    found = [run(by_source[source]) for source in SOURCES]
    columns = (*VALUES, *(f"se_{name}" for name in VALUES))
    grid = {"source": SOURCES, "objective": OBJECTIVES, "p": FRACTIONS, "q": MISLABELLED}
    grid["alpha"] = alphas
    table = shared.tidy(grid, **{name: np.stack([f[name] for f in found]) for name in columns})
    caption = (
        f"Share of the class subspace kept by {classes.K} dimensions (left; lines: theory, dots: "
        f"{classes.SAMPLES:,} samples of {classes.K + 1} classes) and accuracy of a linear probe "
        f"on {options.name} before a background of standard deviation 1 (right, {features} "
        f"pixels, one dimension less than classes), against the fraction p of pairs that join two "
        f"instances of a class, for a fraction q of them mislabelled. Light: alpha = "
        f"{alphas[0]:g}, dark: {alphas[-1]:g}. Bars: one standard error of {seeds} seeds."
    )
    drawn = {name: f"se_{name}" for name in VALUES}
    record = {"caption": caption, "data": options.data, "drawn": drawn}
    return shared.Result(table, record | data.facts | {"seeds": seeds})


def draw(result: shared.Result) -> Figure:
    """Draw a row for each objective: overlap on the left, accuracy on the right, a panel a q."""
    figure, panels = new_figure(2, 6, height=3.2, caption=result.caption, sharex=True, sharey="row")
    width, alphas = len(MISLABELLED), result.table["alpha"].unique()
    shade = dict(zip(alphas, np.linspace(1, 0.4, len(alphas))[::-1], strict=True))
    for (objective, q, alpha), part in shared.parts(result.table, "objective", "q", "alpha"):
        row = panels[OBJECTIVES.index(objective)]
        left, right = row[:width][MISLABELLED.index(q)], row[width:][MISLABELLED.index(q)]
        style = {"color": COLOURS[objective], "alpha": shade[alpha]}
        theory, simulated, images = (shared.rows(part, source=source) for source in SOURCES)
        left.plot(theory["p"], theory["overlap"], "-", **style)
        bars = simulated["p"], simulated["overlap"], simulated["se_overlap"]
        left.errorbar(*bars, fmt=".", ms=3, lw=0.8, **style)
        bars = images["p"], images["accuracy"], images["se_accuracy"]
        right.errorbar(*bars, fmt=".-", ms=3, lw=0.8, **style)
    for column, ax in enumerate(panels[0]):
        ax.set_title(f"{VALUES[column // width]}\n$q = {MISLABELLED[column % width]:g}$")
    for ax in panels[1]:
        ax.set_xlabel("$p$")
    for objective, ax in zip(OBJECTIVES, panels[:, 0], strict=True):
        ax.set_ylabel(LABELS[objective])
    return figure


if __name__ == "__main__":
    shared.run("semantic_pairs", solve, draw, __doc__)
