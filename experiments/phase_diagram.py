"""Who recovers the signal, over noise magnitude and alignment, for all data and for few samples."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.colors import ListedColormap
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


def main(options: shared.Options) -> None:
    """Sweep and plot."""
    signal = shared.load_signal(options.data, DIMENSIONS)
    k, seeds, points = signal.variances.size, *((20, 100) if options.full else (5, 40))
    unit, n = signal.variances[-1], min(SAMPLES, len(signal.scores))
    signal = signal._replace(scores=signal.scores / np.sqrt(unit), labels=None)
    noise, alphas = np.geomspace(1e-2, 1e2, points), np.geomspace(3e-2, 30, points)

    lam = jnp.asarray(signal.variances / unit)
    data = shared.clean_data(signal, np.array([n]), k, seeds)
    base = jnp.repeat(jnp.array([shared.BASE_SIGNAL, shared.BASE_NOISE]), k)
    bound = eqx.Partial(cell, data, lam, base)
    columns, sizes = linssl.runtime.grid(noise_variance=noise, alpha=alphas, draw=range(seeds + 1))
    distance = np.asarray(shared.sweep(bound, columns))
    distance = np.moveaxis(
        distance.reshape(*sizes.values(), 2), -1, 0
    )  # (objective, noise, alpha, draw)
    average, error = shared.with_errors(distance[..., 1:])
    average, error = np.stack([distance[..., 0], average]), np.stack([0 * error, error])
    cut = 0.5 / k
    region = 2 * (average[:, 0] < cut) + (average[:, 1] < cut)  # (panel, noise, alpha)

    caption = (
        f"Who keeps the signal: {options.name}, {k} principal components, {k} noise directions of "
        f"equal variance (units of the weakest signal variance), embedding dimension {k}. Kept: "
        f"less than half a direction is lost (squared chordal distance below 1/{2 * k}). Lines: "
        f"population thresholds, which say nothing of finite n. Right: mean of {seeds} draws of "
        f"{n:,} samples, the same in every cell; dots: within two standard errors of the cut. Weak "
        f"noise defeats both there at small alpha, by chance correlations with the signal."
    )
    figure, axes = new_figure(1, 2, height=2.7, caption=caption, sharex=True, sharey=True)
    thresholds = linssl.runtime.over_cells(
        lambda gamma: linssl.alignment_thresholds(
            signal.variances / unit, gamma[None], shared.BASE_SIGNAL, shared.BASE_NOISE
        ),
        gamma=noise,
    )
    x, y = np.meshgrid(noise, alphas, indexing="ij")
    for i, ax in enumerate(axes[0]):
        ax.pcolormesh(x, y, region[i], cmap=ListedColormap(TINTS), vmin=0, vmax=3, rasterized=True)
        unsure = np.any(np.abs(average[i] - cut) < 2 * error[i], axis=0)
        ax.plot(x[unsure], y[unsure], ".", color="black", markersize=1.2)
        for name in OBJECTIVES:
            theory = np.asarray(getattr(thresholds, name))
            ax.plot(noise, np.where(theory > 0, theory, 1e-9), color=COLOURS[name], lw=1.6)
        ax.set(xscale="log", yscale="log", xlim=noise[[0, -1]], ylim=alphas[[0, -1]])
        ax.set(xlabel=shared.NOISE_LABEL, title=("population", f"$n$ = {n:,}")[i])
    axes[0, 0].set_ylabel(r"alignment $\alpha$")
    handles = [
        Patch(facecolor=TINTS[i], edgecolor="#555555", lw=0.4, label=REGIONS[i])
        for i in (3, 2, 1, 0)
    ]
    handles += [
        Line2D([], [], color=COLOURS[name], lw=1.6, label=f"{LABELS[name]}, theory")
        for name in OBJECTIVES
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=6, columnspacing=1.2)

    table = shared.tidy(
        {"samples": ("inf", n), "noise_variance": noise, "alpha": alphas},
        distance_joint_embedding=average[:, 0],
        se_joint_embedding=error[:, 0],
        distance_reconstruction=average[:, 1],
        se_reconstruction=error[:, 1],
        region=np.array(REGIONS)[region],
    )
    drawn = {f"distance_{name}": f"se_{name}" for name in OBJECTIVES}
    facts = {"drawn": drawn, "seeds": seeds, "samples": n, "embedding_dim": k, "kept_below": cut}
    shared.save(options, signal.facts, "phase_diagram", figure, caption, table, **facts)


if __name__ == "__main__":
    shared.run(main, __doc__)
