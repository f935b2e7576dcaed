"""The weakest augmentation that keeps the classes: designed, against a grid and a default."""

import dataclasses
from functools import partial
from itertools import product

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import linssl
from experiments import shared
from linssl.plotting import COLOURS, LABELS, new_figure

OBJECTIVES = ("joint_embedding", "reconstruction")
VALUES = ("strength", "gap", "kept", "accuracy")
ERRORS = {name: f"se_{name}" for name in VALUES}
DIM, GAP, FOLDS, POINTS, SIDE = 16, 0.002, 5, 200, 8
BASE = 0.01  # variance of the base noise on every pixel
EVALUATIONS = 300  # of scores and gradients, after which a design gives up


@dataclasses.dataclass(frozen=True)
class Options(shared.Options):
    """What this figure takes."""

    k: int | None = None
    """Codes; default: 16."""


def load_folds(name: str) -> tuple[list, dict]:
    """Cut images into (x, labels, held-out x and labels, family); large ones are averaged down."""
    data, shape = shared.load_images(name)
    block = -(-min(shape.height, shape.width) // SIDE)
    x = shared.coarse(np.concatenate([data.train, data.test]), block)
    x = x.reshape(len(x), -1)
    labels = np.concatenate([data.labels, data.test_labels])
    classes, y = np.unique(labels, return_inverse=True)
    order = np.random.default_rng(0).permutation(len(x))[: len(x) // FOLDS * FOLDS]
    parts, found = order.reshape(FOLDS, -1), []
    for i, part in enumerate(parts):
        rest = np.delete(parts, i, axis=0).ravel()
        means = np.stack([x[rest][y[rest] == c].mean(0) for c in range(len(classes))])
        within = x[rest] - means[y[rest]]  # what classes don't explain is the noise
        family = linssl.designs.AlignmentFamily(
            np.full(x.shape[1], BASE), within.T @ within / len(rest), 100
        )
        found.append((x[rest], y[rest], jnp.asarray(x[part]), jnp.asarray(y[part]), family))
    return found, data.facts


def cell(dim, family, same, label, test, targets, *, alpha):
    """The `VALUES` of both objectives, (2, 4), at one alignment."""
    view = linssl.AlignedNoise(family.base, family.noise, alpha)
    views, clean = linssl.two_views(same, view), linssl.view_and_clean(same, view)
    strength = jnp.trace(views.spread) / jnp.trace(clean.second)
    # Scores of reconstruction in units of the largest variance, as `design` has them.
    unit = jnp.linalg.eigvalsh(clean.second)[-1]
    je, rc = linssl.joint_embedding(views, dim), linssl.reconstruction(clean, dim)
    rows = []
    for solution, gap in ((je, je.gap), (rc, rc.gap / unit)):
        kept = linssl.probe_r2(solution.encoder, label)
        accuracy = shared.probe(solution.encoder, label, test, targets)
        rows.append(jnp.stack([strength, gap, kept, accuracy]))
    return jnp.stack(rows)


def solve_fold(fold: tuple, dim: int, alphas: np.ndarray, tolerances: np.ndarray):
    """Return what `cell` does, of given alignments and then of designed ones; and these designs."""
    x, y, test, targets, family = fold
    same, label = linssl.same_instance(x), linssl.with_label(x, y)
    options = {"labels": y, "gap": GAP, "evaluations": EVALUATIONS}
    designs = [
        linssl.design(x, family, dim, paradigm=objective, tolerance=float(tolerance), **options)
        for objective, tolerance in product(OBJECTIVES, tolerances)
    ]
    chosen = [getattr(d.augmentation, "alpha") for d in designs]  # noqa: B009
    known = eqx.Partial(partial(cell, dim), family, same, label, test, targets)
    values = linssl.runtime.over_cells(known, alpha=np.append(alphas, chosen))
    # All pixels have all that any codes have.
    best = eqx.filter_jit(linssl.probe_r2)(jnp.eye(x.shape[1]), label)
    return np.asarray(values / jnp.array([1.0, 1.0, best, 1.0])), designs


def tabulate(values: np.ndarray, alphas: np.ndarray, tolerances: np.ndarray):
    """Write means and errors over folds, of values (fold, alignment, objective, value), as tables.

    Returns:
        Of everything, and of how much the grid varies between folds.
    """
    mean, error = shared.with_errors(np.moveaxis(values, 0, -1))
    n, m, parts, bands = len(alphas), len(tolerances), [], []
    kinds = ["grid"] * POINTS + ["default"] + ["design"] * m
    asked = [*[""] * n, *(1 - tolerances)]
    for i, objective in enumerate(OBJECTIVES):
        rows = np.r_[:n, n + i * m : n + (i + 1) * m]
        part = pd.DataFrame({"kind": kinds, "objective": objective, "asked": asked})
        part[list(VALUES)] = mean[rows, i]
        part[list(ERRORS.values())] = error[rows, i]
        # Solved and not searched for: only the held-out images are drawn.
        known = [ERRORS[name] for name in VALUES if name != "accuracy"]
        part.loc[part["kind"] != "design", known] = np.nan
        parts.append(part)
        between = error[:POINTS, i, VALUES.index("kept")]
        columns = {"objective": objective, "alpha": alphas[:POINTS], "between_folds": between}
        bands.append(pd.DataFrame(columns))
    return pd.concat(parts), pd.concat(bands)


def solve(options: Options) -> shared.Result:
    """Solve the grid, and design, on every fold."""
    folds, facts = load_folds(options.data)
    tolerances = np.linspace(0.13, 0.03, 11) if options.full else np.array([0.1, 0.08, 0.05, 0.03])
    alphas = np.append(np.geomspace(0.05, 20, POINTS), 1.0)
    dim = shared.whole("k", options.k, DIM, 1, folds[0][0].shape[1] - 1)
    found = [solve_fold(fold, dim, alphas, tolerances) for fold in shared.counted("folds", folds)]
    table, bands = tabulate(np.stack([values for values, _ in found]), alphas, tolerances)
    designs = [design for _, designs in found for design in designs]
    count = [design.evaluations for design in designs if design.feasible]
    feasible = np.array([design.feasible for design in designs])
    everywhere: list = feasible.reshape(FOLDS, len(OBJECTIVES), -1).min(0).tolist()
    caption = (
        f"What {dim} codes keep of the classes of {options.name}, against the strength of aligned "
        f"noise (tr Sigma over the images' variance; the noise is what classes don't explain). "
        f"Lines: a grid of {POINTS} alignments. Squares: the default, alpha = 1. Stars: the "
        f"weakest designed to keep the share asked for (dotted) with a gap of {GAP}, by "
        f"{np.mean(count):.0f} evaluations of scores and gradients on average where it was found; "
        f"hollow: not in every fold, the nearest. Left: on training images, of what all pixels "
        f"explain. Right: linear probe on held-out images. Means of {FOLDS} folds; bands and bars: "
        "one standard error."
    )
    record = {"caption": caption, "data": options.data, "drawn": ERRORS, **facts}
    record |= {"dim": dim, "gap": GAP}
    record["feasible"] = dict(zip(OBJECTIVES, everywhere, strict=True))
    return shared.Result(table, record, {"bands": bands})


def draw(result: shared.Result) -> Figure:
    """Draw what is kept, and held-out accuracy, against strength."""
    figure, ((kept, accuracy),) = new_figure(1, 2, height=2.3, caption=result.caption, sharex=True)
    bands = dict(shared.parts(result.more["bands"], "objective"))
    for objective, part in shared.parts(result.table, "objective"):
        kinds = dict(shared.parts(part, "kind"))
        band = {"kept": bands[objective]["between_folds"], "accuracy": kinds["grid"]["se_accuracy"]}
        for ax, value in ((kept, "kept"), (accuracy, "accuracy")):
            draw_grid(ax, kinds["grid"], value, band[value].to_numpy(), objective)
            draw_designs(ax, kinds, value, result.record["feasible"][objective], objective)
    for share in result.table["asked"].dropna().unique():
        kept.axhline(100 * share, ls=":", color="#888888", lw=0.7)
    for ax, label in ((kept, "kept of the labels, %"), (accuracy, "held-out accuracy, %")):
        ax.set(xscale="log", xlabel=r"strength $\mathrm{tr}\,\Sigma / \mathrm{tr}\,C$")
        ax.set_ylabel(label)
    kept.legend()
    return figure


def draw_grid(ax, grid: pd.DataFrame, value: str, error: np.ndarray, objective: str) -> None:
    """Draw the grid, in percent, in a band of its error."""
    x, y, e = grid["strength"], 100 * grid[value], 100 * error
    ax.plot(x, y, color=COLOURS[objective], label=LABELS[objective])
    ax.fill_between(x, y - e, y + e, color=COLOURS[objective], alpha=0.15, lw=0)


def draw_designs(
    ax, kinds: dict[str, pd.DataFrame], value: str, feasible: list[bool], objective: str
) -> None:
    """Draw the default and the designs, in percent; hollow where not found in every fold."""
    style = {"color": COLOURS[objective], "mec": "black", "mew": 0.5, "zorder": 5}
    default, designs = kinds["default"], kinds["design"]
    ax.plot(default["strength"], 100 * default[value], "s", ms=4, **style)
    x, y, e = designs["strength"], 100 * designs[value], 100 * designs[f"se_{value}"]
    for *bar, found in zip(x, y, e, feasible, strict=True):
        ax.errorbar(*bar, fmt="*", ms=8, **style, mfc=None if found else "white")


if __name__ == "__main__":
    shared.run("augmentation_design", solve, draw, __doc__)
