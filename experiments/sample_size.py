"""Distance to optimality against sample size: who converges, at which alignment.

The 2 x 3 grid of JEvRC, Figure 2: weak and strong irrelevant noise, three paradigms, three
alignments. Every curve compares the solution on n corrupted samples with the solution of the
same paradigm on the same n clean samples.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np

import linssl
from experiments import common
from linssl.plotting import COLOURS, LABELS, new_figure

SIZES = 100 * 2 ** np.arange(10)
ALPHAS = (0.1, 1.0, 10.0)
OBJECTIVES = ("supervised", "joint_embedding", "reconstruction")


def draw(data, noises, key, *, seed, n, noise):
    """The noisy and the clean (instance, label) pair of one seed, size and noise, and the noise."""
    gamma, size = noises[noise], jnp.searchsorted(SIZES, n)
    clean = jnp.zeros_like(gamma)
    return [common.draw(data, key, seed, size, g) for g in (gamma, clean)], gamma


def cell(base, drawn, *, alpha):
    """Distance to optimality of the three paradigms in one cell."""
    (noisy, clean), gamma = drawn
    k, view = base.size // 2, linssl.AlignedNoise(base, gamma, alpha)

    same = common.same_instance(noisy)
    je = linssl.joint_embedding(linssl.augment(same, view, view), k)
    rc = linssl.reconstruction(linssl.augment(same, view, None), k)
    v, v_clean = (
        linssl.supervised(linssl.augment(label.centred(), view, None)).predictor
        for label in (noisy, clean)
    )
    # On clean data S is block-diagonal, and only k directions vary: they are the optimal rows of
    # both, whatever the augmentation (derived; a test solves for them).
    axes = jnp.eye(k, 2 * k)
    distances = (
        linssl.relative_error(v, v_clean),
        linssl.subspace_distance(je.encoder, axes),
        linssl.subspace_distance(rc.encoder, axes),
    )
    return {"distance": dict(zip(OBJECTIVES, distances, strict=True))}


def main(options: common.Options) -> None:
    """Sweep and plot."""
    signal = common.load_signal(options.data)
    seeds = 50 if options.full else 5
    N, k = signal.scores.shape
    unit = signal.variances[-1]
    base = unit * np.repeat([common.BASE_SIGNAL, common.BASE_NOISE], k)
    levels = common.NOISE_RANGES
    noises = [np.r_[np.zeros(k), unit * np.linspace(*ends, k)] for ends in levels.values()]

    data = common.clean_data(signal, SIZES, k, seeds)
    solved = common.table(
        linssl.Sweep(
            eqx.Partial(cell, jnp.asarray(base)),
            {"noise": range(2), "alpha": ALPHAS, "n": SIZES},
            seeds,
            draw=eqx.Partial(draw, data, jnp.stack(noises)),
        )
    )
    distance = solved["distance"].sel(objective=list(OBJECTIVES))
    distance = distance.transpose("objective", "noise", "alpha", "n", "seed").to_numpy()
    average, error = common.with_errors(distance)

    resampled = SIZES[SIZES > N]
    again = "No n draws an image twice."
    if resampled.size:
        again = f"n >= {resampled[0]:,} draws the {N:,} images again, with replacement."
    caption = (
        f"Distance to the clean solution against the number of samples n, {options.name} "
        f"(first {k} principal components and {k} appended noise directions), mean and one "
        f"standard error of {seeds} seeds. Supervised: relative Frobenius error; joint embedding "
        f"and reconstruction: squared chordal distance. Seeds share their draws between "
        f"alignments, noise levels and sizes. {again}"
    )
    figure, axes = new_figure(2, 3, height=3.3, caption=caption, sharex=True)
    shades = {0.1: "#88CCEE", 1.0: "#0072B2", 10.0: "#332288"}
    for row, level in enumerate(levels):
        for column, objective in enumerate(OBJECTIVES):
            ax = axes[row, column]
            for i, alpha in enumerate(ALPHAS):
                y, se = average[column, row, i], error[column, row, i]
                ax.plot(SIZES, y, "o-", color=shades[alpha], label=rf"$\alpha = {alpha:g}$")
                ax.fill_between(
                    SIZES,
                    np.maximum(y - se, y / 10),
                    y + se,
                    color=shades[alpha],
                    alpha=0.25,
                    linewidth=0,
                )
            ax.set(xscale="log", yscale="log")
            ax.grid(True)
            if row == 0:
                ax.set_title(LABELS[objective], color=COLOURS[objective])
            else:
                ax.set_xlabel("samples $n$")
        axes[row, 0].set_ylabel(f"{level} noise\ndistance to optimality")
        axes[row, 2].sharey(axes[row, 1])
    axes[1, 2].legend(loc="lower left")

    axes_of_table = {"objective": OBJECTIVES, "noise": levels, "alpha": ALPHAS, "n": SIZES}
    table = common.tidy(axes_of_table, distance=average, se=error)
    facts = {"seeds": seeds, "embedding_dim": k, "noise_directions": k}
    facts |= {"noise_ranges_relative": levels, "resampled_n": resampled.tolist()}
    common.save(options, signal, "sample_size", figure, caption, table, **facts)


if __name__ == "__main__":
    common.run(main, __doc__)
