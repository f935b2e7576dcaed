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


def cell(noises, root, *, seed, noise, alpha, n):
    """Distance to the signal of all three, from the exact moments of n corrupted samples."""
    population = linssl.Spiked(SIGNAL, noises[noise])
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
    alphas, sizes = np.geomspace(0.3, 8, points), np.unique(np.geomspace(20, 20_000, points) // 1)
    grids = (alphas, np.full(points, COUNT)), (np.full(sizes.size, ALPHA), sizes)
    panel = np.repeat([0, 1], [points, sizes.size])
    alpha, n = (np.concatenate(pair).astype(float) for pair in zip(*grids, strict=True))
    each = (np.tile(v, seeds) for v in (panel, alpha, n))
    columns = dict(zip(("noise", "alpha", "n"), each, strict=True))
    columns["seed"] = np.repeat(np.arange(seeds), panel.size)
    bound = eqx.Partial(cell, jnp.asarray(np.stack(list(NOISES.values()))), jax.random.key(0))
    found = np.asarray(common.sweep(bound, columns)).reshape(seeds, panel.size, 3)
    mean, se = common.with_errors(np.moveaxis(found, 0, -1))
    theory = [predict(g, alpha[panel == i], n[panel == i]) for i, g in enumerate(NOISES.values())]
    theory = np.concatenate(theory)
    threshold = linssl.detection_threshold(
        SIGNAL, NOISES["equal noises"], common.BASE_SIGNAL, common.BASE_NOISE, COUNT - 1
    )
    endless = np.sqrt(common.BASE_SIGNAL / SIGNAL[-1] - common.BASE_NOISE / 1.5)
    far = [np.median(np.abs(mean - theory)[..., i]) for i in range(3)]
    caption = (
        f"Lines: theory for finite n; points: solutions on n simulated samples, mean and one "
        f"standard error of {seeds} draws; all alphas and sizes share them. {SIGNAL.size} signals "
        f"of variance 2 to 1 and {DIRECTIONS} noises. Left: n = {COUNT}, all noises 1.5; dotted: "
        f"the alignment at which JE begins to see the weakest signal, for endless samples "
        f"({endless:.2f}) and for these ({threshold.alpha:.2f}). Near a threshold finite samples "
        f"round off the transition. Centre: alpha = {ALPHA:g}, noises 0.05 to 0.8; n runs from "
        f"below the {SIGNAL.size + DIRECTIONS} features; the limit assumes many samples. Median "
        f"difference: {far[0]:.3f} (JE), {far[1]:.3f} (RC), {far[2]:.3f} (PCA). Right: risk of a "
        f"least squares probe with intercept on Gaussian codes, over that with endless labels; "
        f"exact for any n, and infinite at n = k + 2."
    )
    figure, ((a, b, c),) = new_figure(1, 3, height=2.1, caption=caption)
    rows = {"panel": [], "quantity": [], "x": [], "theory": [], "mean": [], "se": []}

    def record(name, quantity, x, *values):
        size = len(x)
        for key, v in zip(rows, ([name] * size, [quantity] * size, x, *values), strict=True):
            rows[key].extend(v)

    fine = np.geomspace(0.3, 8, 200), np.geomspace(20, 20_000, 200)
    lines = (fine[0], np.full(200, float(COUNT))), (np.full(200, ALPHA), fine[1])
    for i, (ax, (name, noise)) in enumerate(zip((a, b), NOISES.items(), strict=True)):
        curve, here = predict(noise, *lines[i]), panel == i
        x = (alpha, n)[i][here]
        for j, objective in enumerate(OBJECTIVES):
            style = {"color": COLOURS[objective]}
            ax.plot(fine[i], curve[:, j], **style, label=LABELS[objective])
            ax.errorbar(x, mean[here, j], se[here, j], fmt="o", mfc="white", **style)
            record(name, objective, x, theory[here, j], mean[here, j], se[here, j])
    for k, colour in LABELLED.items():
        labels = np.unique(np.geomspace(k + 5, 300, 8).astype(int))
        y, error = labelled(k, labels, 5000 if options.full else 500)
        x = np.geomspace(k + 2.3, 300, 200)
        c.plot(x, (1 + 1 / x) * (1 + k / (x - k - 2)), color=colour, label=f"{k} codes")
        c.errorbar(labels, y, error, fmt="o", mfc="white", color=colour)
        record("labels", f"{k} codes", labels, linssl.labelled_probe_risk(1.0, k, labels), y, error)
    _ = [a.axvline(x, color="k", ls=":", lw=0.8) for x in (endless, threshold.alpha)]
    a.set(
        xscale="log", ylim=(0, 1.02), xlabel=r"alignment $\alpha$", ylabel="distance to optimality"
    )
    b.set(xscale="log", yscale="log", xlabel="samples $n$")
    c.set(xscale="log", ylim=(0.9, 4), xlabel="labels $n$", ylabel=r"risk $/$ risk at $n = \infty$")
    _ = [ax.legend(borderaxespad=0) for ax in (b, c)]
    options = replace(options, data="simulated")
    common.save(options, {}, "finite_sample", figure, caption, rows, seeds=seeds)


if __name__ == "__main__":
    common.run(main, __doc__)
