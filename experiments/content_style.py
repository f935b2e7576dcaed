"""What is kept of content and of style: every objective on one yardstick, and a rate of exchange.

A population of contents and styles, and real digits whose style is a random shift.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product

import jax
import numpy as np

import linssl
from experiments import shared
from linssl.plotting import COLOURS, LABELS, new_figure

CONTENT, STYLE, NOISE, GROUP = (4, 2, 1), (3, 1.5, 0.5), 0.2, 4
OBJECTIVES = ("joint_embedding", "plda", "reconstruction", "pca", "simvae", "simvae_elbo")
MARKS = dict(zip(OBJECTIVES, ("o-", "x", "s-", "+:", "^-", "v:"), strict=True))
DIMS = {"population": (1, 2, 3, 4, 5, 6), "images": (2, 4, 8, 16)}
REACH, RIDGE = 1, 1e-3  # pixels; variance of noise on every pixel
VARIANCES, VIEWS = np.geomspace(1e-4, 100, 49), (2, 4, 16)  # v and J of the rate of exchange


def remembered(largest):
    """Objectives for `compare` that solve once where codes of k are the first k of larger ones."""
    fits = {}

    def objective(name):
        def solve(problem, k):
            size = k if "simvae" in name else largest
            if (name, size) not in fits:
                fits[name, size] = linssl.comparison.OBJECTIVES[name](problem, size)
            return replace(fits[name, size], encoder=fits[name, size].encoder[:k])

        return solve

    return {name: objective(name) for name in OBJECTIVES}


def accuracies(data, problem, shift, solvers, dims):
    """Accuracy of a linear probe of the class on held-out images, shifted, by objective and k."""
    test = shift.sample(jax.random.key(0), data.test.reshape(len(data.test), -1))
    classes = np.searchsorted(np.unique(data.labels), data.test_labels)
    probe, label = jax.jit(shared.probe), problem.targets["content"]

    def one(solve, k):
        W = np.asarray(solve(problem, k).encoder)
        return float(probe(np.pad(W, ((0, dims[-1] - k), (0, 0))), label, test, classes))

    return np.array([[one(solve, k) for k in dims] for solve in solvers.values()])


def main(options: shared.Options) -> None:
    """Compare, and plot."""
    data, shape = shared.load_images(options.data)
    problem, shift = shared.shifted(data, shape, REACH, RIDGE, GROUP)
    problems = {
        "population": linssl.populations.content_style(CONTENT, STYLE, NOISE, GROUP),
        "images": problem,
    }
    solvers = {source: remembered(DIMS[source][-1]) for source in problems}
    with ThreadPoolExecutor() as pool:  # most of the time is compiling, by one core
        tables = pool.map(linssl.compare, problems.values(), solvers.values(), DIMS.values())
        r2 = {source: table["r2"] for source, table in zip(problems, tables, strict=True)}
    known = accuracies(data, problem, shift, solvers["images"], DIMS["images"])
    error = np.sqrt(known * (1 - known) / len(data.test))
    rate = jax.jit(
        jax.vmap(
            jax.vmap(linssl.theory.exchange_rate, (None, None, 0, None)), (None, None, None, 0)
        )
    )
    rates = np.asarray(rate(1.0, NOISE, VARIANCES, np.array(VIEWS, float)))

    caption = (
        f"R² of linear probes of content and of style against k. Above: a population with content "
        f"variances {CONTENT}, style variances {STYLE} and noise {NOISE:g}; reconstruction is of a "
        f"view without its noise, style included. Below: {options.name} shifted by up to {REACH} "
        f"pixel; content is the class, style the shift, of which a linear probe sees what it does "
        f"to the mean image; reconstruction is of the image before the shift; accuracy on "
        f"{len(data.test):,} held-out images (bars: one standard error). Groups of {GROUP} views. "
        f"Joint embedding (and probabilistic LDA, the same) has no style in the population; on "
        f"images it leaks in as k grows. SimVAE keeps both once they fit in, as its paper says; "
        f"before, its likelihood takes all content before larger style in the population, where "
        f"it fits v = 0 up to k = 3; on images its order is PCA's, the shift first, and the class "
        f"pays. Above right: the content variance it exchanges for a style variance of 1, at noise "
        f"{NOISE:g} (1/J at v = 0)."
    )
    figure, axes = new_figure(2, 3, height=3.6, caption=caption)
    for row, (source, table) in zip(axes, r2.items(), strict=True):
        row[0].set_title(options.name if source == "images" else source, loc="left")
        for ax, target in zip(row, ("content", "style"), strict=False):
            for name in OBJECTIVES:
                line = table.sel(objective=name, target=target)
                ax.plot(DIMS[source], line, MARKS[name], color=COLOURS[name], label=LABELS[name])
            ax.set(xlabel="k", ylabel=rf"$R^2$ of {target}", ylim=(-0.03, None))
    for name, line, bar in zip(OBJECTIVES, known, error, strict=True):
        axes[1, 2].errorbar(DIMS["images"], line, bar, fmt=MARKS[name], color=COLOURS[name])
    axes[1, 2].set(xlabel="k", ylabel="accuracy of the class")
    for views, line, dashes in zip(VIEWS, rates, ("-", "--", ":"), strict=True):
        axes[0, 2].semilogx(VARIANCES, line, dashes, color=COLOURS["simvae"], label=f"J = {views}")
    axes[0, 2].set(xlabel="style variance $v$", ylabel="content for style", ylim=(0, 1.02))
    axes[0, 2].legend()
    for ax in axes[1]:
        ax.set_xscale("log", base=2)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    rows = []
    for source, table in r2.items():
        for name, k in product(OBJECTIVES, DIMS[source]):
            read = table.sel(objective=name, dim=k, target=["content", "style"])
            rows.append((source, name, k, *read.values))
    header = "source", "objective", "dim", "r2_content", "r2_style"
    columns = dict(zip(header, zip(*rows, strict=True), strict=True))
    grid = {"objective": OBJECTIVES, "dim": DIMS["images"]}
    classes = shared.tidy(grid, accuracy=known, se=error)
    exchange = shared.tidy({"views": VIEWS, "style": VARIANCES}, content_for_style=rates)
    more = {"accuracy": classes, "exchange": exchange}
    facts = {"drawn": {"accuracy": "se"}, "more": more}
    shared.save(options, data.facts, "content_style", figure, caption, columns, **facts)


if __name__ == "__main__":
    shared.run(main, __doc__)
