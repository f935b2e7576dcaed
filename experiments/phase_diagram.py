"""Who recovers the signal, over noise magnitude and alignment, for all data and for few samples."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

import linssl
from experiments import shared
from linssl.plotting import COLOURS, LABELS, new_figure

DIMENSIONS = 10  # signal directions, noise directions and embedding dimension, at most
SAMPLES = 1000
OBJECTIVES = ("joint_embedding", "reconstruction")
REGIONS = ("none", "RC only", "JE only", "both")
TINTS = ("#8C8C8C", "#F2B58C", "#8CBFE0", "#F4F4EE")


@dataclasses.dataclass(frozen=True)
class Options(shared.Options):
    """What this figure takes."""

    k: int | None = None
    """Principal components, codes and noise directions; default: 10 at most."""
    seeds: int | None = None
    """Draws of the samples; default: 5, or 20 with --full."""
    samples: int = SAMPLES
    """n of the panel on the right, at most the data's."""
    noise: tuple[float, float] = (1e-2, 1e2)
    """Ends of the axis of noise variances, in units of the weakest signal's."""
    alphas: tuple[float, float] = (3e-2, 30.0)
    """Ends of the axis of alignments."""


def cell(data, signal, base, *, noise_variance, alpha, draw):
    """Squared chordal distance to the signal axes for JE and RC, (2,)."""
    k = signal.size
    noise = jnp.broadcast_to(noise_variance, (k,))
    gamma = jnp.concatenate([jnp.zeros(k), noise])
    # Draw 0 is the population: the data's own covariance and exact noise.
    exact = linssl.pairs.same_instance_moments(
        jnp.diag(gamma.at[:k].set(signal)), jnp.zeros(2 * k), jnp.inf
    )
    key = jax.random.fold_in(jax.random.key(1), draw - 1)
    sampled = shared.draw_moments(data, key, draw - 1, 0, noise).same
    clean = jax.tree_util.tree_map(lambda a, b: jnp.where(draw == 0, a, b), exact, sampled)
    view = linssl.AlignedNoise(base, gamma, alpha)
    # On clean data S is block-diagonal: the optimal rows span the signal axes (derived).
    je = linssl.joint_embedding(linssl.two_views(clean, view), k)
    rc = linssl.reconstruction(linssl.view_and_clean(clean, view), k)
    return jnp.stack([linssl.subspace_distance(s.encoder, range(k)) for s in (je, rc)])


def sweep(signal, noise, alphas, seeds, samples):
    """Distances of the population, then of every draw, (objective, noise, alpha, 1 + seeds)."""
    k, n = signal.variances.size, min(samples, len(signal.scores))
    data = shared.clean_data(signal, np.array([n]), k, seeds)
    base = jnp.repeat(jnp.array([shared.BASE_SIGNAL, shared.BASE_NOISE]), k)
    bound = eqx.Partial(cell, data, jnp.asarray(signal.variances), base)
    columns, sizes = linssl.runtime.grid(noise_variance=noise, alpha=alphas, draw=range(seeds + 1))
    distance = np.asarray(shared.sweep(bound, columns))
    return np.moveaxis(distance.reshape(*sizes.values(), len(OBJECTIVES)), -1, 0)


def tabulate(distance, noise, alphas, samples, cut):
    """Distances with their errors, and who keeps the signal: the population first, then samples."""
    average, error = shared.with_errors(distance[..., 1:])
    je, rc = np.stack([distance[..., 0], average], axis=1)  # each (panel, noise, alpha)
    se_je, se_rc = np.stack([0 * error, error], axis=1)
    region = 2 * (je < cut) + (rc < cut)
    return shared.tidy(
        {"samples": (np.inf, samples), "noise_variance": noise, "alpha": alphas},
        distance_joint_embedding=je,
        se_joint_embedding=se_je,
        distance_reconstruction=rc,
        se_reconstruction=se_rc,
        region=np.array(REGIONS)[region],
    )


def thresholds(variances, noise):
    """Alignment that each objective needs of the population, over noise variances."""

    def needed(gamma):
        return linssl.alignment_thresholds(
            variances, gamma[None], shared.BASE_SIGNAL, shared.BASE_NOISE
        )

    found = linssl.runtime.over_cells(needed, gamma=noise)
    alpha = np.stack([getattr(found, name) for name in OBJECTIVES])
    return shared.tidy({"objective": OBJECTIVES, "noise_variance": noise}, alpha=alpha)


def solve(options: Options) -> shared.Result:
    """Sweep noise and alignment, for the population and for draws of samples."""
    signal = shared.load_signal(options.data, DIMENSIONS, options.k)
    unit = signal.variances[-1]
    signal = signal._replace(
        scores=signal.scores / np.sqrt(unit), variances=signal.variances / unit, labels=None
    )
    k = signal.variances.size
    n = min(shared.whole("samples", options.samples, SAMPLES, 2 * k + 2), len(signal.scores))
    many, points = (20, 100) if options.full else (5, 40)
    seeds = shared.whole("seeds", options.seeds, many, 1)
    noise, alphas = (
        shared.between(name, ends, points)
        for name, ends in (("noise", options.noise), ("alphas", options.alphas))
    )
    distance, cut = sweep(signal, noise, alphas, seeds, n), 0.5 / k
    caption = (
        f"Who keeps the signal: {options.name}, {k} principal components, {k} noise directions of "
        f"equal variance (units of the weakest signal variance), embedding dimension {k}. Kept: "
        f"less than half a direction is lost (squared chordal distance below 1/{2 * k}). Lines: "
        f"population thresholds, which say nothing of finite n. Right: mean of {seeds} draws of "
        f"{n:,} samples, the same in every cell; dots: within two standard errors of the cut. Weak "
        f"noise defeats both there at small alpha, by chance correlations with the signal."
    )
    record = {"caption": caption, "data": options.data, **signal.facts}
    record["drawn"] = {f"distance_{name}": f"se_{name}" for name in OBJECTIVES}
    record |= {"seeds": seeds, "samples": n, "embedding_dim": k, "kept_below": cut}
    table = tabulate(distance, noise, alphas, n, cut)
    return shared.Result(table, record, {"theory": thresholds(signal.variances, noise)})


def draw(result: shared.Result) -> Figure:
    """Draw who keeps the signal: of the population on the left, of samples on the right."""
    figure, axes = new_figure(1, 2, height=2.7, caption=result.caption, sharex=True, sharey=True)
    titles = "population", f"$n$ = {result.record['samples']:,}"
    panels = shared.parts(result.table, "samples")
    for ax, title, (_, part) in zip(axes[0], titles, panels, strict=True):
        draw_regions(ax, part, result.record["kept_below"])
        for name, line in shared.parts(result.more["theory"], "objective"):
            needed = np.where(line["alpha"] > 0, line["alpha"], 1e-9)
            ax.plot(line["noise_variance"], needed, color=COLOURS[name], lw=1.6)
        ax.set(xscale="log", yscale="log", xlabel=shared.NOISE_LABEL, title=title)
    axes[0, 0].set_ylabel(r"alignment $\alpha$")
    handles = [
        Patch(facecolor=tint, edgecolor="#555555", lw=0.4, label=region)
        for tint, region in zip(TINTS[::-1], REGIONS[::-1], strict=True)
    ]
    handles += [
        Line2D([], [], color=COLOURS[name], lw=1.6, label=f"{LABELS[name]}, theory")
        for name in OBJECTIVES
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=6, columnspacing=1.2)
    return figure


def draw_regions(ax, part: pd.DataFrame, cut: float):
    """Colour who keeps the signal, with dots where two standard errors could change it."""
    regions = part.pivot(index="alpha", columns="noise_variance", values="region")
    noise, alphas = regions.columns.to_numpy(), regions.index.to_numpy()
    colour = regions.map(REGIONS.index).to_numpy(int)
    ax.pcolormesh(
        noise, alphas, colour, cmap=ListedColormap(TINTS), vmin=0, vmax=3, rasterized=True
    )
    ax.set(xlim=noise[[0, -1]], ylim=alphas[[0, -1]])
    near = [(part[f"distance_{name}"] - cut).abs() < 2 * part[f"se_{name}"] for name in OBJECTIVES]
    unsure = part[near[0] | near[1]]
    ax.plot(unsure["noise_variance"], unsure["alpha"], ".", color="black", markersize=1.2)


if __name__ == "__main__":
    shared.run("phase_diagram", solve, draw, __doc__)
