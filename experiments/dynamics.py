"""Which feature is learned when: JEPA against masked autoencoders, closed form and descent."""

from dataclasses import replace
from itertools import pairwise

import numpy as np

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
KEYS = {"JEPA": "joint_embedding", "MAE": "reconstruction"}


def form(name, rho, depth):
    """Return the closed form for features of covariance 1."""
    return MAKERS[name](np.ones(rho.size), 1 / rho, depth, START)


def descend(closed, steps, random=(0.0,)):
    """Descend the loss of whole matrices; they start aligned, but for a random part of each.

    Returns:
        Times, and the encoder's size along each feature over its limit, (times, starts, m).
    """
    depth, m, jepa = (
        closed.depth,
        closed.start.size,
        isinstance(closed, linssl.theory.JEPATrajectory),
    )
    rho, rng = np.asarray(closed.coefficient), np.random.default_rng(0)
    axes, *codes = (np.linalg.qr(rng.standard_normal((m, m)))[0] for _ in range(depth + 1))
    S = axes / rho @ axes.T  # E[xx^T]; E[yx^T] is the identity
    turns = [after @ before.T for before, after in pairwise([axes, *codes])]
    turns.append(np.eye(m) if jepa else axes @ codes[-1].T)  # of the decoder
    noise = rng.standard_normal((depth + 1, len(random), m, m)) / np.sqrt(m)
    noise *= np.reshape(random, (-1, 1, 1))
    layers = START ** (1 / depth) * (np.stack(turns)[:, None] + noise)
    time = 1.15 * float(closed.learning_time(SHARE).max())
    times, sizes = np.linspace(0, time, steps), []
    for _ in times:
        maps = [np.eye(m)]  # of x to what each layer is given
        for layer in layers:
            maps.append(layer @ maps[-1])
        sizes.append(maps[depth] @ axes)
        error = maps[-1] @ S - (maps[depth] if jepa else np.eye(m))
        slopes = []
        for layer, given in zip(layers[::-1], maps[-2::-1], strict=True):
            slopes.insert(0, error @ given.swapaxes(-1, -2))
            error = layer.swapaxes(-1, -2) @ error
        layers = layers - times[1] * np.stack(slopes)
    return times, np.linalg.norm(sizes, axis=-2) / np.asarray(closed.limit)


def add(table, axes, **values):
    """Add the rows of one grid to a table."""
    for key, column in shared.tidy(axes, **values).items():
        table.setdefault(key, []).extend(column)


def main(options: shared.Options) -> None:
    """Descend, and plot through the closed forms; all data are simulated."""
    seeds, steps = (20, 20_001) if options.full else (5, 3001)
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
    table, columns = {}, {}
    figure, ((*panels, right),) = new_figure(1, 3, height=2.2, caption=caption)
    for ax, (name, shades) in zip(panels, SHADES.items(), strict=True):
        closed = form(name, RHO, DEPTH)
        times, sizes = descend(closed, steps, [0.0, *[RANDOM] * seeds])
        shown = slice(None, None, (steps - 1) // 200)  # marks are some of the line's points
        line, sizes = np.asarray(closed(times[shown])) / np.asarray(closed.limit), sizes[shown]
        ax.set_prop_cycle(color=shades)
        lines = ax.plot(times[shown], line)
        mean, se = shared.with_errors(np.moveaxis(sizes[:, 1:], 1, -1))
        for random, every, y, bars in ((0, 15, sizes[:, 0], 0 * se), (RANDOM, 7, mean, se)):
            at, some = times[shown][::every], slice(None, None, every)
            cells = {"objective": [name], "random": [random], "time": at, "rho": RHO}
            add(table, cells, theory=line[some], mean=y[some], se=bars[some])
            for j, c in enumerate(shades):
                mark, face = (".", c) if random else ("o", "white")
                ax.errorbar(at, y[some, j], bars[some, j], fmt=mark, color=c, mfc=face, lw=0.7)
        ax.set(title=f"{name}, $L = {DEPTH}$", xlabel=r"time $\lambda t$", ylim=(0, 1.1))
        names = [rf"$\rho = {rho:g}$" for rho in RHO]
        ax.legend(lines, names, borderaxespad=0, handlelength=1)
    panels[0].set_ylabel("strength over its limit")

    for depth, (mark, style) in MARKS.items():
        crossing = linssl.theory.learning_crossing(1.0, OTHERS, depth, START, SHARE)
        for name, key in KEYS.items():
            closed, line = form(name, OTHERS[::8], depth), getattr(crossing, name.lower())
            times, sizes = descend(closed, steps)
            learned = np.array([np.interp(SHARE, size, times) for size in sizes[:, 0].T])
            ratio, label = learned / learned[-1], f"{name}, $L = {depth}$"
            right.plot(OTHERS, line, style, color=COLOURS[key])
            right.plot(OTHERS[::8], ratio, mark, color=COLOURS[key], mfc="white", label=label)
            cells = {"objective": [name], "depth": [depth], "rho_ratio": OTHERS[::8]}
            add(columns, cells, measured=ratio, theory=line[::8])
    right.set(xlabel=r"$\rho_B / \rho_A$", ylabel=r"$\lambda_B / \lambda_A$, learned together")
    right.legend(borderaxespad=0, handlelength=1)
    options = replace(options, data="simulated")
    facts = {"drawn": {"mean": "se"}, "more": {"crossing": columns}, "seeds": seeds, "steps": steps}
    shared.save(options, {}, "dynamics", figure, caption, table, **facts)


if __name__ == "__main__":
    shared.run(main, __doc__)
