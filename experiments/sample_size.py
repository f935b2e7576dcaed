"""Distance to optimality against sample size: who converges, at which alignment.

The 2 x 3 grid of JEvRC, Figure 2: weak and strong irrelevant noise, three paradigms, three
alignments. Every curve compares the solution on n corrupted samples with the solution of the
same paradigm on the same n clean samples.
"""

import dataclasses

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import linssl
from experiments import shared
from linssl.plotting import COLOURS, LABELS, new_figure, shades

SIZES = 100 * 2 ** np.arange(10)
ALPHAS = (0.1, 1.0, 10.0)
OBJECTIVES = ("supervised", "joint_embedding", "reconstruction")


@dataclasses.dataclass(frozen=True)
class Options(shared.Options):
    """What this figure takes."""

    k: int | None = None
    """Principal components, codes and noise directions; default: 50, or 20 of small images."""
    alphas: tuple[float, ...] = ALPHAS
    """Alignments, a line for each."""
    seeds: int | None = None
    """Draws of the samples; default: 5, or 50 with --full."""
    noise: tuple[float, ...] = ()
    """Largest noise variances, a row for each, in units of the weakest signal's; the least is a
    fifth of it. Default: weak (0.06 to 0.3) and strong (6 to 30)."""


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


def sweep(signal, base, noises, seeds, alphas=ALPHAS, cell=cell, draw=sample):
    """The figure's grid of cells, with noise variances (levels, q) on as many appended features."""
    data, base = shared.clean_data(signal, SIZES, noises.shape[1], seeds), jnp.asarray(base)
    return linssl.Sweep(
        eqx.Partial(cell, base),
        {"noise": range(len(noises)), "alpha": alphas, "n": SIZES},
        seeds,
        draw=eqx.Partial(draw, base, data, jnp.asarray(noises)),
    )


def as_array(table):
    """The distances, (objective, noise, alpha, n, seed)."""
    distance = table["distance"].sel(objective=list(OBJECTIVES))
    return distance.transpose("objective", "noise", "alpha", "n", "seed").to_numpy()


def noise_levels(largest):
    """Least and largest noise variance of each level, by its name."""
    if not largest:
        return shared.NOISE_RANGES
    return {f"noise {x:g}": (x / 5, x) for x in shared.positive("noise", largest)}


def solve(options: Options) -> shared.Result:
    """Sweep sizes, alignments and noise levels over seeds."""
    signal = shared.load_signal(options.data, asked=options.k)
    seeds = shared.whole("seeds", options.seeds, 50 if options.full else 5, 1)
    alphas = shared.positive("alphas", options.alphas)
    (available, k), unit = signal.scores.shape, signal.variances[-1]
    base = unit * np.repeat([shared.BASE_SIGNAL, shared.BASE_NOISE], k)
    levels = noise_levels(options.noise)
    noises = unit * np.stack([np.linspace(*ends, k) for ends in levels.values()])
    distance = as_array(shared.table(sweep(signal, base, noises, seeds, alphas)))
    average, error = shared.with_errors(distance)
    grid = {"objective": OBJECTIVES, "noise": levels, "alpha": alphas, "n": SIZES}
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
    levels, alphas = (result.table[name].unique() for name in ("noise", "alpha"))
    figure, axes = new_figure(
        len(levels), 3, height=0.3 + 1.5 * len(levels), caption=result.caption, sharex=True
    )
    colours = dict(zip(alphas, shades(len(alphas)), strict=True))
    cells = {
        (level, objective): ax
        for level, row in zip(levels, axes, strict=True)
        for objective, ax in zip(OBJECTIVES, row, strict=True)
    }
    for (level, objective, alpha), part in shared.parts(
        result.table, "noise", "objective", "alpha"
    ):
        ax, shade = cells[level, objective], colours[alpha]
        n, y, se = part["n"], part["distance"], part["se"]
        ax.plot(n, y, "o-", color=shade, label=rf"$\alpha = {alpha:g}$")
        low = np.maximum(y - se, y / 10)
        ax.fill_between(n, low, y + se, color=shade, alpha=0.25, linewidth=0)
    for ax in axes.flat:
        ax.set(xscale="log", yscale="log")
        ax.grid(True)
    for column, objective in enumerate(OBJECTIVES):
        axes[0, column].set_title(LABELS[objective], color=COLOURS[objective])
        axes[-1, column].set_xlabel("samples $n$")
    for row, level in zip(axes, levels, strict=True):
        row[0].set_ylabel(f"{level_name(level)}\ndistance to optimality")
        row[2].sharey(row[1])
    axes[-1, 2].legend(loc="best")
    return figure


def level_name(level: str) -> str:
    """Say which noise a row is about."""
    return f"{level} noise" if level in shared.NOISE_RANGES else level


if __name__ == "__main__":
    shared.run("sample_size", solve, draw, __doc__)
