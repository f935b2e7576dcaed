"""What n samples find, and what n labels cost: theory through simulated points."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import linssl
from experiments import shared
from linssl.plotting import COLOURS, LABELS, new_figure

SIGNAL, DIRECTIONS = np.linspace(2.0, 1.0, 5), 100
NOISES = {"equal": np.full(DIRECTIONS, 1.5), "uneven": np.geomspace(0.05, 0.8, DIRECTIONS)}
COUNT, ALPHA = 500, 1.0  # samples of the first panel, alignment of the second
OBJECTIVES = ("joint_embedding", "reconstruction", "pca")
LABELLED = {4: "#56B4E9", 16: "#332288"}  # dimensions of the codes


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
        return jnp.stack([p.distance for p in (*found, pca)])

    return jax.lax.map(one, (alpha, n)).T


def labelled(dim, labels, draws):
    """Risk of probes fitted to so many labels, in units of that with infinitely many."""
    rng, y = np.random.default_rng(dim), []
    for n in labels:
        Z = np.concatenate([rng.standard_normal((draws, n, dim)), np.ones((draws, n, 1))], 2)
        miss = np.linalg.pinv(Z) @ rng.standard_normal((draws, n, 1))  # of the probe, by noise
        y.append(1 + np.sum(miss**2, (1, 2)))
    return shared.with_errors(np.array(y))


def main(options: shared.Options) -> None:
    """Simulate, predict and plot; all data are simulated."""
    seeds, points = (100, 25) if options.full else (20, 12)
    spectra = SIGNAL, NOISES["equal"], shared.BASE_SIGNAL, shared.BASE_NOISE
    begins = [linssl.theory.detection_threshold(*spectra, n).alpha for n in (np.inf, COUNT - 1)]
    caption = (
        f"Lines: theory for n samples; marks: solutions on simulated ones, mean and one standard "
        f"error of {seeds} draws, which all alphas and sizes share. {SIGNAL.size} signals of "
        f"variance 2 to 1, {DIRECTIONS} noises. Left: n = {COUNT}, noises of 1.5; dotted: where JE "
        f"begins to see all signals, for infinitely many samples ({begins[0]:.2f}) and for these "
        f"({begins[1]:.2f}). Near a threshold finite samples round the transition off, and what "
        f"theory calls lost keeps a chance overlap. Centre: alpha = {ALPHA:g}, noises of 0.05 to "
        f"0.8, n from below the {SIGNAL.size + DIRECTIONS} features. Right: risk of least squares "
        f"probes with intercept on n labels and Gaussian codes; exact, infinite at n = k + 2."
    )
    figure, ((a, b, c),) = new_figure(1, 3, height=2.1, caption=caption)
    ends, rows = ((0.4, 6), (20, 20_000)), []
    for ax, (name, noise), end in zip((a, b), NOISES.items(), ends, strict=True):
        x, line = np.geomspace(*end, points).round(2 if ax is a else 0), np.geomspace(*end, 200)
        both = np.append(x, line)
        alpha, n = (v + 0 * both for v in ((both, COUNT) if ax is a else (ALPHA, both)))
        theory = np.asarray(predict(noise, alpha, n))
        columns = {axis: np.tile(v[:points], seeds) for axis, v in (("alpha", alpha), ("n", n))}
        bound = eqx.Partial(cell, jnp.asarray(noise), jax.random.key(0))
        found = shared.sweep(bound, columns | {"seed": np.repeat(np.arange(seeds), points)})
        mean, se = shared.with_errors(np.asarray(found).reshape(seeds, points, 3).T)
        for i, objective in enumerate(OBJECTIVES):
            ax.plot(line, theory[i, points:], color=COLOURS[objective], label=LABELS[objective])
            ax.errorbar(x, mean[i], se[i], fmt="o", mfc="white", color=COLOURS[objective])
            values = zip(x, theory[i, :points], mean[i], se[i], strict=True)
            rows += [(name, objective, *v) for v in values]
    for k, colour in LABELLED.items():
        x, line = np.unique(np.geomspace(k + 6, 300, 8).round().astype(int)), np.arange(k + 3, 301)
        y, error = labelled(k, x, 5000 if options.full else 500)
        theory, curve = (linssl.theory.labelled_probe_risk(1.0, k, n) for n in (x, line))
        c.plot(line, curve, color=colour, label=f"{k} codes")
        c.errorbar(x, y, error, fmt="o", mfc="white", color=colour)
        rows += [("labels", f"{k} codes", *v) for v in zip(x, theory, y, error, strict=True)]
    _ = [a.axvline(alpha, color="k", ls=":", lw=0.8) for alpha in begins]
    a.set(xscale="log", ylim=(0, 1.02), xlabel=r"alignment $\alpha$", ylabel="distance to optimum")
    a.set_xticks(ticks := [0.5, 1, 2, 5], ticks)
    a.minorticks_off()
    b.set(xscale="log", yscale="log", ylim=(None, 1.2), xlabel="samples $n$")
    c.set(xscale="log", ylim=(0.9, 4), xlabel="labels $n$", ylabel="risk over its limit")
    _ = [ax.legend(borderaxespad=0) for ax in (b, c)]
    names = "panel", "quantity", "x", "theory", "mean", "se"
    columns = {key: list(values) for key, *values in zip(names, *rows, strict=True)}
    options = replace(options, data="simulated")
    facts = {"drawn": {"mean": "se"}, "seeds": seeds}
    shared.save(options, {}, "finite_sample", figure, caption, columns, **facts)


if __name__ == "__main__":
    shared.run(main, __doc__)
