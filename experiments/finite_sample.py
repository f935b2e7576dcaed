"""What n samples find, and what n labels cost: theory through simulated points."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import linssl
from experiments import shared
from linssl.plotting import COLOURS, LABELS, new_figure

SIGNAL, DIRECTIONS = np.linspace(2.0, 1.0, 5), 100
NOISES = {"equal": np.full(DIRECTIONS, 1.5), "uneven": np.geomspace(0.05, 0.8, DIRECTIONS)}
COUNT, ALPHA = 500, 1.0  # samples of the first panel, alignment of the second
OBJECTIVES = ("joint_embedding", "reconstruction", "pca")
ENDS, LINE = {"equal": (0.4, 6), "uneven": (20, 20_000)}, 200  # of x; points of a line
LABELLED = {4: "#56B4E9", 16: "#332288"}  # dimensions of the codes
STYLES = {name: (COLOURS[name], LABELS[name]) for name in OBJECTIVES}
STYLES |= {f"{k} codes": (colour, f"{k} codes") for k, colour in LABELLED.items()}


@dataclasses.dataclass(frozen=True)
class Options(shared.Options):
    """What this figure takes."""

    seeds: int | None = None
    """Draws of the samples; default: 20, or 100 with --full."""


def cell(noise, root, *, seed, alpha, n):
    """Distance to the signal of all three, from the exact moments of n corrupted samples."""
    population = linssl.populations.Spiked(SIGNAL, noise)
    data = population.sample_moments(jax.random.fold_in(root, seed), n).corrupted
    k, d = SIGNAL.size, population.covariance.size
    base = jnp.repeat(jnp.array([shared.BASE_SIGNAL, shared.BASE_NOISE]), np.array([k, d - k]))

    def joint_embedding(base_and_alpha):
        view = population.aligned(*base_and_alpha)
        return distance(linssl.joint_embedding(linssl.two_views(data, view), k))

    def distance(solution):
        return linssl.subspace_distance(solution.encoder, range(k))

    # Under isotropic noise, without alignment, joint embedding is PCA.
    views = jnp.stack([base, jnp.ones(d)]), jnp.stack([alpha, 0.0 * alpha])
    je, pca = jax.lax.map(joint_embedding, views)
    to_clean = linssl.view_and_clean(data, population.aligned(base, alpha))
    return jnp.stack([je, distance(linssl.reconstruction(to_clean, k)), pca])


@jax.jit
def predict(noise, alpha, n):
    """The same distances in theory, (3, points); the mean takes one sample."""

    def one(point):
        a, n = point
        spectra = SIGNAL, noise, shared.BASE_SIGNAL, shared.BASE_NOISE, a, n - 1
        found = (
            linssl.theory.spiked_joint_embedding(*spectra),
            linssl.theory.spiked_reconstruction(*spectra),
        )
        pca = linssl.theory.spiked_pca(SIGNAL, noise, n - 1)
        # A lost signal counts as wholly lost: what chance keeps of it has no prediction (NaN).
        return jnp.stack([1 - jnp.mean(jnp.nan_to_num(p.overlap)) for p in (*found, pca)])

    return jax.lax.map(one, (alpha, n)).T


def labelled(dim, labels, draws):
    """Risk of probes fitted to so many labels, in units of that with infinitely many."""
    rng, y = np.random.default_rng(dim), []
    for n in labels:
        Z = np.concatenate([rng.standard_normal((draws, n, dim)), np.ones((draws, n, 1))], 2)
        miss = np.linalg.pinv(Z) @ rng.standard_normal((draws, n, 1))  # of the probe, by noise
        y.append(1 + np.sum(miss**2, (1, 2)))
    return shared.with_errors(np.array(y))


def over(panel, points):
    """Points from one end of a panel to the other."""
    low, high = ENDS[panel]
    return np.geomspace(low, high, points)


def spiked_panel(name, x, alpha, n, seeds):
    """Simulate at x, and predict there and on a line through it.

    Args:
        name: of the panel and its noises.
        x: alignments or sizes, (points,).
        alpha: a function of x; the other of the two is constant.
        n: a function of x.
        seeds: draws of samples.

    Returns:
        The table of points, and that of lines.
    """
    noise, line = NOISES[name], over(name, LINE)
    both = np.append(x, line)
    theory = np.asarray(predict(noise, alpha(both), n(both)))
    columns = {"alpha": np.tile(alpha(x), seeds), "n": np.tile(n(x), seeds)}
    columns["seed"] = np.repeat(np.arange(seeds), x.size)
    found = shared.sweep(eqx.Partial(cell, jnp.asarray(noise), jax.random.key(0)), columns)
    mean, se = shared.with_errors(np.asarray(found).reshape(seeds, x.size, len(OBJECTIVES)).T)
    grid = {"panel": [name], "quantity": OBJECTIVES}
    points = shared.tidy(grid | {"x": x}, theory=theory[:, : x.size], mean=mean, se=se)
    return points, shared.tidy(grid | {"x": line}, theory=theory[:, x.size :])


def labelled_panel(dim, draws):
    """Fit probes to few labels; the tables of points and of lines."""
    labels = np.unique(np.geomspace(dim + 6, 300, 8).round().astype(int))
    line = np.arange(dim + 3, 301)
    mean, se = labelled(dim, labels, draws)
    theory, curve = (
        np.asarray(linssl.theory.labelled_probe_risk(1.0, dim, n)) for n in (labels, line)
    )
    grid = {"panel": ["labels"], "quantity": [f"{dim} codes"]}
    points = shared.tidy(grid | {"x": labels}, theory=theory, mean=mean, se=se)
    return points, shared.tidy(grid | {"x": line}, theory=curve)


def solve(options: Options) -> shared.Result:
    """Simulate and predict; all data are simulated."""
    many, size = (100, 25) if options.full else (20, 12)
    seeds = shared.whole("seeds", options.seeds, many, 1)
    alphas, sizes = over("equal", size).round(2), over("uneven", size).round()
    panels = [
        spiked_panel("equal", alphas, lambda x: x, lambda x: np.full_like(x, COUNT), seeds),
        spiked_panel("uneven", sizes, lambda x: np.full_like(x, ALPHA), lambda x: x, seeds),
        *(labelled_panel(k, 5000 if options.full else 500) for k in LABELLED),
    ]
    table, theory = (pd.concat(parts) for parts in zip(*panels, strict=True))
    spectra = SIGNAL, NOISES["equal"], shared.BASE_SIGNAL, shared.BASE_NOISE
    begins = [
        float(linssl.theory.detection_threshold(*spectra, n).alpha) for n in (np.inf, COUNT - 1)
    ]
    caption = (
        f"Lines: theory for n samples; marks: solutions on simulated ones, mean and one standard "
        f"error of {seeds} draws, which all alphas and sizes share. {SIGNAL.size} signals of "
        f"variance 2 to 1, {DIRECTIONS} noises. Left: n = {COUNT}, noises of 1.5; dotted: where JE "
        f"begins to see all signals, for infinitely many samples ({begins[0]:.2f}) and for these "
        f"({begins[1]:.2f}). Near a threshold finite samples round the transition off, and lines "
        f"count a lost signal as wholly lost: noise directions that take its place keep some of "
        f"it, by chance correlations for which theory has only a bound. Centre: alpha = {ALPHA:g}, "
        f"noises of 0.05 to 0.8, n from below the {SIGNAL.size + DIRECTIONS} features. Right: risk "
        f"of least squares probes with intercept on n labels and Gaussian codes; exact, infinite "
        f"at n = k + 2."
    )
    record = {"caption": caption, "data": "simulated", "drawn": {"mean": "se"}}
    return shared.Result(table, record | {"seeds": seeds, "begins": begins}, {"theory": theory})


def draw(result: shared.Result) -> Figure:
    """Draw simulated points on the lines of theory, in three panels."""
    figure, ((left, centre, right),) = new_figure(1, 3, height=2.1, caption=result.caption)
    for panel, ax in (("equal", left), ("uneven", centre), ("labels", right)):
        lines, points = (
            dict(shared.parts(shared.rows(table, panel=panel), "quantity"))
            for table in (result.more["theory"], result.table)
        )
        for quantity, line in lines.items():
            colour, label = STYLES[quantity]
            ax.plot(line["x"], line["theory"], color=colour, label=label)
            mine = points[quantity]
            bars = mine["x"], mine["mean"], mine["se"]
            ax.errorbar(*bars, fmt="o", mfc="white", color=colour)
    for alpha in result.record["begins"]:
        left.axvline(alpha, color="k", ls=":", lw=0.8)
    left.set(xscale="log", ylim=(0, 1.02), xlabel=r"alignment $\alpha$")
    left.set_ylabel("distance to optimum")
    ticks = [0.5, 1, 2, 5]
    left.set_xticks(ticks, ticks)
    left.minorticks_off()
    centre.set(xscale="log", yscale="log", ylim=(None, 1.2), xlabel="samples $n$")
    right.set(xscale="log", ylim=(0.9, 4), xlabel="labels $n$", ylabel="risk over its limit")
    for ax in (centre, right):
        ax.legend(borderaxespad=0)
    return figure


if __name__ == "__main__":
    shared.run("finite_sample", solve, draw, __doc__)
