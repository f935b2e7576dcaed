"""Distance to optimality against sample size: who converges, at which alignment.

The 2 x 3 grid of JEvRC, Figure 2: weak and strong irrelevant noise, three paradigms, three
alignments. Every curve compares the solution on n corrupted samples with the solution of the
same paradigm on the same n clean samples.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import linssl
from experiments import shared
from linssl.plotting import COLOURS, LABELS, new_figure

SIZES = 100 * 2 ** np.arange(10)
ALPHAS = (0.1, 1.0, 10.0)
OBJECTIVES = ("supervised", "joint_embedding", "reconstruction")
SHADES = {0.1: "#88CCEE", 1.0: "#0072B2", 10.0: "#332288"}  # of alphas


def sample(base, data, noises, key, *, seed, n, noise):
    """The noisy moments of one seed, size and noise; the clean predictor; the noise.

    On clean data S is block-diagonal and only k features vary: the predictor is 0 on the others,
    and the optimal rows of both encoders span those k axes, however the others are augmented
    (derived; a test solves for all three). So no alignment enters.
    """
    gamma, size = noises[noise], jnp.searchsorted(SIZES, n)
    noisy, clean = (
        shared.draw_moments(data, key, seed, size, g) for g in (gamma, jnp.zeros_like(gamma))
    )
    return noisy, predictor(clean.label, linssl.GaussianNoise(base)), gamma


def cell(base, drawn, *, alpha):
    """Distance to optimality of the three paradigms in one cell."""
    noisy, clean_predictor, gamma = drawn
    k = gamma.size
    view = linssl.AlignedNoise(base, jnp.concatenate([jnp.zeros(k), gamma]), alpha)
    je = linssl.joint_embedding(linssl.two_views(noisy.same, view), k)
    rc = linssl.reconstruction(linssl.view_and_clean(noisy.same, view), k)
    distances = (
        linssl.metrics.relative_error(predictor(noisy.label, view), clean_predictor),
        linssl.subspace_distance(je.encoder, range(k)),
        linssl.subspace_distance(rc.encoder, range(k)),
    )
    return {"distance": dict(zip(OBJECTIVES, distances, strict=True))}


def predictor(label, view):
    """Solve supervised learning on an (instance, label) pair."""
    return linssl.supervised(linssl.augment_sides(label, view, None)).predictor


def sweep(signal, base, noises, seeds, cell=cell, draw=sample):
    """The figure's grid of cells, with noise variances (levels, q) on as many appended features."""
    data, base = shared.clean_data(signal, SIZES, noises.shape[1], seeds), jnp.asarray(base)
    return linssl.Sweep(
        eqx.Partial(cell, base),
        {"noise": range(len(noises)), "alpha": ALPHAS, "n": SIZES},
        seeds,
        draw=eqx.Partial(draw, base, data, jnp.asarray(noises)),
    )


def as_array(table):
    """The distances, (objective, noise, alpha, n, seed)."""
    distance = table["distance"].sel(objective=list(OBJECTIVES))
    return distance.transpose("objective", "noise", "alpha", "n", "seed").to_numpy()


def solve(options: shared.Options) -> shared.Result:
    """Sweep sizes, alignments and noise levels over seeds."""
    signal = shared.load_signal(options.data)
    seeds = 50 if options.full else 5
    (available, k), unit = signal.scores.shape, signal.variances[-1]
    base = unit * np.repeat([shared.BASE_SIGNAL, shared.BASE_NOISE], k)
    levels = shared.NOISE_RANGES
    noises = unit * np.stack([np.linspace(*ends, k) for ends in levels.values()])
    distance = as_array(shared.table(sweep(signal, base, noises, seeds)))
    average, error = shared.with_errors(distance)
    grid = {"objective": OBJECTIVES, "noise": levels, "alpha": ALPHAS, "n": SIZES}
    table = shared.tidy(grid, distance=average, se=error)

    resampled = SIZES[available < SIZES]
    again = "No n draws an image twice."
    if resampled.size:
        again = f"n >= {resampled[0]:,} draws the {available:,} images again, with replacement."
    caption = (
        f"Distance to the clean solution against the number of samples n, {options.name} "
        f"(first {k} principal components and {k} appended noise directions), mean and one "
        f"standard error of {seeds} seeds. Supervised: relative Frobenius error; joint embedding "
        f"and reconstruction: squared chordal distance. Seeds share their draws between "
        f"alignments, noise levels and sizes. {again}"
    )
    record = {"caption": caption, "data": options.data, "drawn": {"distance": "se"}}
    record |= {**signal.facts, "seeds": seeds, "embedding_dim": k, "noise_directions": k}
    record |= {"noise_ranges_relative": levels, "resampled_n": resampled.tolist()}
    return shared.Result(table, record)


def draw(result: shared.Result) -> Figure:
    """Draw a row for each noise level, a column for each paradigm, a line for each alignment."""
    figure, axes = new_figure(2, 3, height=3.3, caption=result.caption, sharex=True)
    levels = result.table["noise"].unique()
    cells = {
        (level, objective): ax
        for level, row in zip(levels, axes, strict=True)
        for objective, ax in zip(OBJECTIVES, row, strict=True)
    }
    for (level, objective, alpha), part in shared.parts(
        result.table, "noise", "objective", "alpha"
    ):
        ax, shade = cells[level, objective], SHADES[alpha]
        n, y, se = part["n"], part["distance"], part["se"]
        ax.plot(n, y, "o-", color=shade, label=rf"$\alpha = {alpha:g}$")
        low = np.maximum(y - se, y / 10)
        ax.fill_between(n, low, y + se, color=shade, alpha=0.25, linewidth=0)
    for ax in axes.flat:
        ax.set(xscale="log", yscale="log")
        ax.grid(True)
    for column, objective in enumerate(OBJECTIVES):
        axes[0, column].set_title(LABELS[objective], color=COLOURS[objective])
        axes[1, column].set_xlabel("samples $n$")
    for row, level in zip(axes, levels, strict=True):
        row[0].set_ylabel(f"{level} noise\ndistance to optimality")
        row[2].sharey(row[1])
    axes[1, 2].legend(loc="lower left")
    return figure


if __name__ == "__main__":
    shared.run("sample_size", solve, draw, __doc__)
