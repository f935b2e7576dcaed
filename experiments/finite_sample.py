"""What n samples find, and what n labels cost: theory through simulated points."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import linssl
from experiments import common
from linssl.plotting import COLOURS, LABELS, new_figure

SIGNAL, DIRECTIONS = np.linspace(2.0, 1.0, 5), 100
NOISES = {  # the panel's noise variances, in units of the weakest signal's
    "equal noises": np.full(DIRECTIONS, 1.5),
    "uneven noises": np.geomspace(0.05, 0.8, DIRECTIONS),
}
COUNT, ALPHA = 200, 1.0  # samples of the first panel, alignment of the second
OBJECTIVES = ("joint_embedding", "reconstruction", "pca")
LABELLED = {4: "#56B4E9", 16: "#332288"}  # dimensions of the codes


def cell(noise, root, *, seed, alpha, n):
    """Distance to the signal of all three, from the exact moments of n corrupted samples."""
    population = linssl.Spiked(SIGNAL, noise)
    pair = population.sample_moments(jax.random.fold_in(root, seed), n).corrupted.centred()
    k, q = SIGNAL.size, DIRECTIONS
    base = np.repeat([common.BASE_SIGNAL, common.BASE_NOISE], [k, q])
    view, even = population.aligned(base, alpha), linssl.GaussianNoise(np.ones(k + q))
    solved = (
        linssl.joint_embedding(linssl.augment(pair, view, view), k),
        linssl.reconstruction(linssl.augment(pair, view, None), k),
        linssl.joint_embedding(linssl.augment(pair, even, even), k),  # isotropic: that is PCA
    )
    return jnp.stack([linssl.subspace_distance(s.encoder, range(k)) for s in solved])


def predict(noise, alpha, n):
    """The same distances in theory, (points, 3); the mean takes one sample."""

    def one(a, n):
        spectra = SIGNAL, noise, common.BASE_SIGNAL, common.BASE_NOISE, a, n - 1
        found = linssl.spiked_joint_embedding(*spectra), linssl.spiked_reconstruction(*spectra)
        pca = linssl.spiked_pca(SIGNAL, noise, n - 1)
        return jnp.stack([p.distance for p in (*found, pca)])

    return np.asarray(jax.jit(lambda a, n: jax.lax.map(lambda x: one(*x), (a, n)))(alpha, n))


def labelled(dim, labels, draws):
    """Risk of probes fitted to so many labels, in units of that with endless ones."""
    rng, y = np.random.default_rng(dim), []
    for n in labels:
        Z = np.concatenate([rng.standard_normal((draws, n, dim)), np.ones((draws, n, 1))], 2)
        miss = np.linalg.pinv(Z) @ rng.standard_normal((draws, n, 1))  # of the probe, by noise
        y.append(1 + np.sum(miss**2, (1, 2)))
    return common.with_errors(np.array(y))


def main(options: common.Options) -> None:
    """Simulate, predict and plot; all data are simulated."""
    seeds, points = (100, 25) if options.full else (20, 12)
    base, last = (common.BASE_SIGNAL, common.BASE_NOISE), NOISES["equal noises"]
    begins = [linssl.detection_threshold(SIGNAL, last, *base, n).alpha for n in (np.inf, COUNT - 1)]
    caption = (
        f"Lines: theory for n samples; marks: solutions on simulated ones, mean and one standard "
        f"error of {seeds} draws, which all alphas and sizes share. {SIGNAL.size} signals of "
        f"variance 2 to 1, {DIRECTIONS} noises. Left: n = {COUNT}, noises of 1.5; dotted: where JE "
        f"begins to see all signals, for endless samples ({begins[0]:.2f}) and for these "
        f"({begins[1]:.2f}). Near a threshold finite samples round the transition off, and what "
        f"theory calls lost keeps a chance overlap. Centre: alpha = {ALPHA:g}, noises of 0.05 to "
        f"0.8, n from below the {SIGNAL.size + DIRECTIONS} features. Right: risk of least squares "
        f"probes with intercept on n labels and Gaussian codes; exact, infinite at n = k + 2."
    )
    figure, ((a, b, c),) = new_figure(1, 3, height=2.1, caption=caption)
    fine, sizes = np.geomspace(0.3, 8, 200), np.geomspace(20, 20_000, points).round()
    grids = (
        (fine[:: 200 // points], lambda x: (x, np.full(x.size, float(COUNT)))),
        (sizes, lambda x: (np.full(x.size, ALPHA), x)),
    )
    rows = []
    for ax, (name, noise), (x, arguments) in zip((a, b), NOISES.items(), grids, strict=True):
        alpha, n = (np.tile(v, seeds) for v in arguments(x))
        bound = eqx.Partial(cell, jnp.asarray(noise), jax.random.key(0))
        seed = np.repeat(np.arange(seeds), x.size)
        found = np.asarray(common.sweep(bound, {"seed": seed, "alpha": alpha, "n": n}))
        mean, se = common.with_errors(found.reshape(seeds, x.size, 3).T)
        theory, line = predict(noise, *arguments(x)).T, np.geomspace(x[0], x[-1], 200)
        for i, objective in enumerate(OBJECTIVES):
            style = {"color": COLOURS[objective], "label": LABELS[objective]}
            ax.plot(line, predict(noise, *arguments(line))[:, i], **style)
            ax.errorbar(x, mean[i], se[i], fmt="o", mfc="white", color=style["color"])
            values = zip(x, theory[i], mean[i], se[i], strict=True)
            rows += [(name, objective, *v) for v in values]
    for k, colour in LABELLED.items():
        x, line = np.unique(np.geomspace(k + 6, 300, 8).round().astype(int)), np.arange(k + 3, 301)
        y, error = labelled(k, x, 5000 if options.full else 500)
        theory = linssl.labelled_probe_risk(1.0, k, x)
        c.plot(line, linssl.labelled_probe_risk(1.0, k, line), color=colour, label=f"{k} codes")
        c.errorbar(x, y, error, fmt="o", mfc="white", color=colour)
        rows += [("labels", f"{k} codes", *v) for v in zip(x, theory, y, error, strict=True)]
    _ = [a.axvline(alpha, color="k", ls=":", lw=0.8) for alpha in begins]
    a.set(xscale="log", ylim=(0, 1.02), xlabel=r"alignment $\alpha$", ylabel="distance to optimum")
    b.set(xscale="log", yscale="log", ylim=(None, 1.2), xlabel="samples $n$")
    c.set(
        xscale="log", ylim=(0.9, 4), xlabel="labels $n$", ylabel="risk over that at $n = \\infty$"
    )
    _ = [ax.legend(borderaxespad=0) for ax in (b, c)]
    names = "panel", "quantity", "x", "theory", "mean", "se"
    table = dict(zip(names, zip(*rows, strict=True), strict=True))
    options = replace(options, data="simulated")
    common.save(options, {}, "finite_sample", figure, caption, table, seeds=seeds)


if __name__ == "__main__":
    common.run(main, __doc__)
