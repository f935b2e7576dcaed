"""The weakest augmentation that keeps the classes: designed, against a grid and a default."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np

import linssl
from experiments import shared
from linssl.plotting import COLOURS, LABELS, new_figure

OBJECTIVES = ("joint_embedding", "reconstruction")
VALUES = ("strength", "gap", "kept", "accuracy")
ERRORS = {name: f"se_{name}" for name in VALUES}
COLUMNS = ("kind", "objective", "asked", *VALUES, *ERRORS.values())
DIM, GAP, FOLDS, POINTS, SIDE = 16, 0.002, 5, 200, 8
BASE = 0.01  # variance of the base noise on every pixel
EVALUATIONS = 100  # of scores and gradients, after which a design gives up


def load_folds(name: str) -> tuple[list, dict]:
    """Cut images into (x, labels, held-out x and labels, family); large ones are averaged down."""
    data, shape = shared.load_images(name)
    block = -(-shape.height // SIDE)
    side = shape.height // block
    x = np.concatenate([data.train, data.test])[:, : side * block, : side * block]
    x = x.reshape(-1, side, block, side, block).mean((2, 4)).reshape(len(x), -1)
    labels = np.concatenate([data.labels, data.test_labels])
    classes, y = np.unique(labels, return_inverse=True)
    order = np.random.default_rng(0).permutation(len(x))[: len(x) // FOLDS * FOLDS]
    parts, found = order.reshape(FOLDS, -1), []
    for i, part in enumerate(parts):
        rest = np.delete(parts, i, axis=0).ravel()
        means = np.stack([x[rest][y[rest] == c].mean(0) for c in range(len(classes))])
        within = x[rest] - means[y[rest]]  # what classes don't explain is the noise
        family = linssl.designs.AlignmentFamily(
            np.full(side**2, BASE), within.T @ within / len(rest), 100
        )
        found.append((x[rest], y[rest], jnp.asarray(x[part]), jnp.asarray(y[part]), family))
    return found, data.facts


def cell(family, same, label, test, targets, *, alpha):
    """Strength; and gap, R² of the labels and accuracy of both objectives, (2, 3)."""
    view = linssl.AlignedNoise(family.base, family.noise, alpha)
    views, clean = linssl.two_views(same, view), linssl.view_and_clean(same, view)
    # Scores of reconstruction in units of the largest variance, as `design` has them.
    unit = jnp.linalg.eigvalsh(clean.second)[-1]
    solved = (linssl.joint_embedding(views, DIM), 1.0), (linssl.reconstruction(clean, DIM), unit)
    rows = [
        (s.gap / unit, linssl.probe_r2(s.encoder, label),
         shared.probe(s.encoder, label, test, targets))
        for s, unit in solved
    ]  # fmt: skip
    strength = jnp.trace(views.spread) / jnp.trace(clean.second)
    return strength, jnp.stack([jnp.stack(row) for row in rows])


def solve(fold: tuple, alphas: np.ndarray, tolerances: np.ndarray):
    """Return what `cell` does, of given alignments and then of designed ones; and these."""
    x, y, test, targets, family = fold
    same, label = linssl.same_instance(x), linssl.with_label(x, y)
    designs = [
        linssl.design(x, family, DIM, labels=y, paradigm=objective, gap=GAP,
                      tolerance=float(tolerance), evaluations=EVALUATIONS)
        for objective in OBJECTIVES for tolerance in tolerances
    ]  # fmt: skip
    chosen = [getattr(d.augmentation, "alpha") for d in designs]  # noqa: B009
    known = eqx.Partial(cell, family, same, label, test, targets)
    strength, values = linssl.runtime.over_cells(known, alpha=np.append(alphas, chosen))
    # 16 codes can have all that any codes have of ten classes.
    best = eqx.filter_jit(linssl.probe_r2)(jnp.eye(x.shape[1]), label)
    return strength, values / jnp.array([1.0, best, 1.0]), designs


def main(options: shared.Options) -> None:
    """Solve the grid, design, and plot."""
    folds, facts = load_folds(options.data)
    tolerances = np.linspace(0.13, 0.03, 11) if options.full else np.array([0.1, 0.08, 0.05, 0.03])
    alphas = np.append(np.geomspace(0.05, 20, POINTS), 1.0)
    found = [solve(fold, alphas, tolerances) for fold in folds]
    x, y = (np.mean([np.asarray(f[i]) for f in found], 0) for i in (0, 1))
    x_error, error = (
        np.std([np.asarray(f[i]) for f in found], 0, ddof=1) / np.sqrt(FOLDS) for i in (0, 1)
    )
    feasible = np.all([[d.feasible for d in f[2]] for f in found], 0)
    count = [d.evaluations for f in found for d in f[2] if d.feasible]

    caption = (
        f"What {DIM} codes keep of the classes of {options.name}, against the strength of aligned "
        f"noise (tr Sigma over the images' variance; the noise is what classes don't explain). "
        f"Lines: a grid of {POINTS} alignments. Squares: the default, alpha = 1. Stars: the "
        f"weakest designed to keep the share asked for (dotted) with a gap of {GAP}, by "
        f"{np.mean(count):.0f} evaluations of scores and gradients on average where it was found; "
        f"hollow: not in every fold, the nearest. Left: on training images, of what all pixels "
        f"explain. Right: linear probe on held-out images. Means of {FOLDS} folds; bands and bars: "
        "one standard error."
    )
    figure, axes = new_figure(1, 2, height=2.3, caption=caption, sharex=True)
    rows, n, m = [], len(alphas), len(tolerances)
    kinds = ["grid"] * POINTS + ["default"] + ["design"] * m
    for i, objective in enumerate(OBJECTIVES):
        index = np.r_[:n, n + i * m : n + (i + 1) * m]
        for kind, asked, j in zip(kinds, [*[""] * n, *(1 - tolerances)], index, strict=True):
            errors = np.array([x_error[j], *error[j, i]])
            if kind != "design":  # solved and not searched for: only the held-out images are drawn
                errors[:-1] = np.nan
            rows.append((kind, objective, asked, x[j], *y[j, i], *errors))
        style = {"color": COLOURS[objective], "mec": "black", "mew": 0.5, "zorder": 5}
        for ax, column in zip(axes[0], (1, 2), strict=True):
            v, e, grid = 100 * y[:, i, column], 100 * error[:, i, column], slice(POINTS)
            ax.plot(x[grid], v[grid], color=COLOURS[objective], label=LABELS[objective])
            band = (v - e)[grid], (v + e)[grid]
            ax.fill_between(x[grid], *band, color=COLOURS[objective], alpha=0.15, lw=0)
            ax.plot(x[POINTS], v[POINTS], "s", ms=4, **style)
            for j, ok in zip(index[n:], feasible[i * m : (i + 1) * m], strict=True):
                ax.errorbar(x[j], v[j], e[j], fmt="*", ms=8, **style, mfc=None if ok else "white")
    for share in 1 - tolerances:
        axes[0, 0].axhline(100 * share, ls=":", color="#888888", lw=0.7)
    for ax, label in zip(axes[0], ("kept of the labels, %", "held-out accuracy, %"), strict=True):
        ax.set(xscale="log", xlabel=r"strength $\mathrm{tr}\,\Sigma / \mathrm{tr}\,C$")
        ax.set_ylabel(label)
    axes[0, 0].legend()
    table = dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
    about = {"drawn": ERRORS, "dim": DIM, "gap": GAP}
    shared.save(options, facts, "augmentation_design", figure, caption, table, **about)


if __name__ == "__main__":
    shared.run(main, __doc__)
