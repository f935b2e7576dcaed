"""Which feature is learned when: JEPA against masked autoencoders, closed form and descent."""

import dataclasses
from itertools import pairwise, product

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import linssl
from experiments import shared
from linssl.plotting import COLOURS, new_figure

RHO = np.array([1.0, 0.7, 0.5, 0.35])  # regression coefficients; all covariances are 1
MAKERS = {"JEPA": linssl.theory.jepa_dynamics, "MAE": linssl.theory.mae_dynamics}
DEPTH, START, SHARE, RANDOM = 2, 0.01, 0.9, 0.1
OTHERS = np.linspace(0.35, 1, 57)  # rho_B, for rho_A = 1; descent at every eighth
SHADES = {"JEPA": ("#08306b", "#2171b5", "#6baed6", "#a6c8e4")}
SHADES["MAE"] = ("#7f2704", "#d94801", "#fd8d3c", "#fdb97d")
MARKS = {1: ("o", ":"), 2: ("s", "--"), 3: ("^", "-")}  # by depth
LINE, EVERY = 200, {0.0: 15, RANDOM: 7}  # points of a line; of them those with a mark
KEYS = {"JEPA": "joint_embedding", "MAE": "reconstruction"}


@dataclasses.dataclass(frozen=True)
class Options(shared.Options):
    """What this figure takes."""

    seeds: int | None = None
    """Random starts; default: 5, or 20 with --full."""


def form(name, rho, depth):
    """Return the closed form for features of covariance 1."""
    return MAKERS[name](np.ones(rho.size), 1 / rho, depth, START)


def descend(closed, steps, random=(0.0,)):
    """Descend the loss of whole matrices; they start aligned, but for a random part of each.

    Returns:
        Times, and the encoder's size along each feature over its limit, (times, starts, m).
    """
    jepa = isinstance(closed, linssl.theory.JEPATrajectory)
    rho, rng = np.asarray(closed.coefficient), np.random.default_rng(0)
    axes, layers = starting_layers(closed.depth, rho.size, jepa, random, rng)
    second = axes / rho @ axes.T  # E[xx^T]; E[yx^T] is the identity
    end = 1.15 * float(closed.learning_time(SHARE).max())
    times, sizes = np.linspace(0, end, steps), []
    for _ in times:
        encoder, slopes = encoder_and_slopes(layers, second, jepa)
        sizes.append(encoder @ axes)
        layers = layers - times[1] * slopes
    return times, np.linalg.norm(sizes, axis=-2) / np.asarray(closed.limit)


def starting_layers(depth, m, jepa, random, rng):
    """Axes of the features (m, m), and encoder and decoder, (depth + 1, starts, m, m)."""
    axes, *codes = (np.linalg.qr(rng.standard_normal((m, m)))[0] for _ in range(depth + 1))
    turns = [after @ before.T for before, after in pairwise([axes, *codes])]
    turns.append(np.eye(m) if jepa else axes @ codes[-1].T)  # of the decoder
    noise = rng.standard_normal((depth + 1, len(random), m, m)) / np.sqrt(m)
    noise *= np.reshape(random, (-1, 1, 1))
    return axes, START ** (1 / depth) * (np.stack(turns)[:, None] + noise)


def encoder_and_slopes(layers, second, jepa):
    """The encoder, all layers but the last as one map, and the gradient in each layer."""
    m, depth = len(second), len(layers) - 1
    maps = [np.eye(m)]  # of x to what each layer is given
    for layer in layers:
        maps.append(layer @ maps[-1])
    error = maps[-1] @ second - (maps[depth] if jepa else np.eye(m))
    slopes = []
    for layer, given in zip(layers[::-1], maps[-2::-1], strict=True):
        slopes.append(error @ given.swapaxes(-1, -2))
        error = layer.swapaxes(-1, -2) @ error
    return maps[depth], np.stack(slopes[::-1])


def learning(name, seeds, steps):
    """Sizes of four features over time: some of descent, all of the closed form."""
    closed = form(name, RHO, DEPTH)
    times, sizes = descend(closed, steps, [0.0, *[RANDOM] * seeds])
    shown = slice(None, None, (steps - 1) // LINE)
    times, sizes = times[shown], sizes[shown]
    line = np.asarray(closed(times)) / np.asarray(closed.limit)
    mean, se = shared.with_errors(np.moveaxis(sizes[:, 1:], 1, -1))
    measured = {0.0: (sizes[:, 0], 0 * se), RANDOM: (mean, se)}
    tables = []
    for random, (y, bars) in measured.items():
        some = slice(None, None, EVERY[random])
        grid = {"objective": [name], "random": [random], "time": times[some], "rho": RHO}
        tables.append(shared.tidy(grid, theory=line[some], mean=y[some], se=bars[some]))
    theory = shared.tidy({"objective": [name], "time": times, "rho": RHO}, theory=line)
    return pd.concat(tables), theory


def crossing(name, depth, steps):
    """Where two features are learned together: some of descent, all of the closed form."""
    line = getattr(linssl.theory.learning_crossing(1.0, OTHERS, depth, START, SHARE), name.lower())
    times, sizes = descend(form(name, OTHERS[::8], depth), steps)
    learned = np.array([np.interp(SHARE, size, times) for size in sizes[:, 0].T])
    grid = {"objective": [name], "depth": [depth]}
    ratio = learned / learned[-1]
    measured = shared.tidy(grid | {"rho_ratio": OTHERS[::8]}, measured=ratio, theory=line[::8])
    return measured, shared.tidy(grid | {"rho_ratio": OTHERS}, theory=line)


def solve(options: Options) -> shared.Result:
    """Descend, and evaluate the closed forms; all data are simulated."""
    many, steps = (20, 20_001) if options.full else (5, 3001)
    seeds = shared.whole("seeds", options.seeds, many, 1)
    curves = [learning(name, seeds, steps) for name in shared.counted("curves", list(MAKERS))]
    crossings = [
        crossing(name, depth, steps)
        for depth, name in shared.counted("crossings", list(product(MARKS, MAKERS)))
    ]
    table, theory = (pd.concat(parts) for parts in zip(*curves, strict=True))
    crossed, crossed_theory = (pd.concat(parts) for parts in zip(*crossings, strict=True))
    caption = (
        f"Left, centre: four features of equal covariance lambda = 1; encoders of {DEPTH} layers "
        f"that start with product {START:g}. Lines: closed form; circles: gradient descent on "
        f"whole matrices from an aligned start; dots: {RANDOM:.0%} of each layer random ({seeds} "
        f"seeds, bars: one standard error). JEPA learns features one by one, large coefficients "
        f"rho first, MAE all at once. The random part mostly leaves JEPA's order, and moves its "
        f"times. Right: covariance at which a feature B is learned ({SHARE:.0%} of its limit) "
        f"together with A; between the two lines of one depth L, MAE learns B first and JEPA A. "
        f"Marks: descent, no sampling. All ratios tend to 1 for small starts: lambda decides then."
    )
    record = {"caption": caption, "data": "simulated", "drawn": {"mean": "se"}}
    record |= {"seeds": seeds, "steps": steps}
    more = {"crossing": crossed, "theory": theory, "crossing_theory": crossed_theory}
    return shared.Result(table, record, more)


def draw(result: shared.Result) -> Figure:
    """Draw marks of descent on the lines of theory."""
    figure, ((jepa, mae, right),) = new_figure(1, 3, height=2.2, caption=result.caption)
    theory = result.more["theory"]
    for ax, name in ((jepa, "JEPA"), (mae, "MAE")):
        lines, marks = (shared.rows(table, objective=name) for table in (theory, result.table))
        draw_learning(ax, lines, marks, SHADES[name])
        ax.set(title=f"{name}, $L = {DEPTH}$", xlabel=r"time $\lambda t$", ylim=(0, 1.1))
    jepa.set_ylabel("strength over its limit")
    draw_crossings(right, result.more["crossing_theory"], result.more["crossing"])
    right.set(xlabel=r"$\rho_B / \rho_A$", ylabel=r"$\lambda_B / \lambda_A$, learned together")
    return figure


def draw_learning(ax, lines: pd.DataFrame, marks: pd.DataFrame, shades) -> None:
    """Draw the sizes of the features over time, in shades by falling rho."""
    colours = dict(zip(RHO, shades, strict=True))
    for rho, line in shared.parts(lines, "rho"):
        ax.plot(line["time"], line["theory"], color=colours[rho], label=rf"$\rho = {rho:g}$")
    for (random, rho), part in shared.parts(marks, "random", "rho"):
        mark, face = (".", colours[rho]) if random else ("o", "white")
        bars = part["time"], part["mean"], part["se"]
        ax.errorbar(*bars, fmt=mark, color=colours[rho], mfc=face, lw=0.7)
    ax.legend(borderaxespad=0, handlelength=1)


def draw_crossings(ax, lines: pd.DataFrame, marks: pd.DataFrame) -> None:
    """Draw where two features are learned together, by objective and depth."""
    measured = dict(shared.parts(marks, "depth", "objective"))
    for (depth, name), line in shared.parts(lines, "depth", "objective"):
        (mark, dashes), colour = MARKS[depth], COLOURS[KEYS[name]]
        ax.plot(line["rho_ratio"], line["theory"], dashes, color=colour)
        points, label = measured[depth, name], f"{name}, $L = {depth}$"
        x, y = points["rho_ratio"], points["measured"]
        ax.plot(x, y, mark, color=colour, mfc="white", label=label)
    ax.legend(borderaxespad=0, handlelength=1)


if __name__ == "__main__":
    shared.run("dynamics", solve, draw, __doc__)
