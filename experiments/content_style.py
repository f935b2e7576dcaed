"""What is kept of content and of style: every objective on one yardstick, and a rate of exchange.

A population of contents and styles, and real digits whose style is a random shift.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from itertools import product

import equinox as eqx
import jax
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import linssl
from experiments import shared
from linssl.plotting import COLOURS, LABELS, new_figure

CONTENT, STYLE, NOISE, GROUP = (4, 2, 1), (3, 1.5, 0.5), 0.2, 4
CLOSED = ("joint_embedding", "plda", "reconstruction", "pca")  # in closed form, and not
ITERATED = ("simvae", "simvae_elbo")
OBJECTIVES = CLOSED + ITERATED
MARKS = dict(zip(OBJECTIVES, ("o-", "x", "s-", "+:", "^-", "v:"), strict=True))
DIMS = {"population": (1, 2, 3, 4, 5, 6), "images": (2, 4, 8, 16)}
REACH, RIDGE = 1, 1e-3  # pixels; variance of noise on every pixel
VARIANCES, VIEWS = np.geomspace(1e-4, 100, 49), (2, 4, 16)  # v and J of the rate of exchange
DASHES = dict(zip(VIEWS, ("-", "--", ":"), strict=True))


def solvers(problem, largest):
    """Objectives for `compare` of one problem that solve no more often than they have to.

    Codes of k are the first k of larger ones, but for SimVAE; and its ELBO starts where its
    likelihood ended.
    """

    @cache
    def whole(name):
        return linssl.comparison.OBJECTIVES[name](problem, largest)

    def first(name, k):
        solution = whole(name)
        return replace(solution, encoder=np.asarray(solution.encoder)[:k])

    @cache
    def simvae(k):
        return linssl.simvae(problem.views, k, problem.group_size)

    @cache
    def simvae_elbo(k):
        return linssl.comparison.elbo_beside(problem, simvae(k), k)

    found = {name: lambda _, k, name=name: first(name, k) for name in CLOSED}
    return found | {"simvae": lambda _, k: simvae(k), "simvae_elbo": lambda _, k: simvae_elbo(k)}


def read(source, names, problem, objectives):
    """R² of content and style, for each of these objectives and k."""
    chosen = {name: objectives[name] for name in names}
    r2 = linssl.compare(problem, chosen, DIMS[source])["r2"]
    grid = {"source": [source], "objective": names, "dim": DIMS[source]}
    content, style = (r2.sel(target=target).to_numpy() for target in ("content", "style"))
    return shared.tidy(grid, r2_content=content, r2_style=style)


def shifted_test(data, shift):
    """The held-out images, each shifted by draws of its own."""
    sample = eqx.filter_jit(type(shift).sample)  # as one program: eagerly it is forty
    return sample(shift, jax.random.key(0), data.test.reshape(len(data.test), -1))


def accuracies(data, problem, objectives, test):
    """Accuracy of a linear probe of the class on held-out images, shifted, by objective and k."""
    classes = np.searchsorted(np.unique(data.labels), data.test_labels)
    probe, label, dims = jax.jit(shared.probe), problem.targets["content"], DIMS["images"]
    found = []
    for solve_for in objectives.values():
        for k in dims:
            encoder = np.asarray(solve_for(problem, k).encoder)
            # Codes of 0 change nothing, and one program does for all k.
            padded = np.zeros((dims[-1], encoder.shape[1]))
            padded[:k] = encoder
            found.append(float(probe(padded, label, test, classes)))
    accuracy = np.array(found)
    error = np.sqrt(accuracy * (1 - accuracy) / len(classes))
    return shared.tidy({"objective": OBJECTIVES, "dim": dims}, accuracy=accuracy, se=error)


def exchange_rates():
    """The content variance that SimVAE exchanges for a style variance of 1, by J and v."""
    over_styles = jax.vmap(linssl.theory.exchange_rate, (None, None, 0, None))
    over_both = jax.jit(jax.vmap(over_styles, (None, None, None, 0)))
    rates = over_both(1.0, NOISE, VARIANCES, np.array(VIEWS, float))
    return shared.tidy({"views": VIEWS, "style": VARIANCES}, content_for_style=rates)


def solve(options: shared.Options) -> shared.Result:
    """Compare all objectives on both problems."""
    data, shape = shared.load_images(options.data)
    images, shift = shared.shifted(data, shape, REACH, RIDGE, GROUP)
    population = linssl.populations.content_style(CONTENT, STYLE, NOISE, GROUP)
    problems = {"population": population, "images": images}
    objectives = {source: solvers(problems[source], DIMS[source][-1]) for source in problems}
    # Most of the time is compiling, a program by one core: side by side, the longest first.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        tasks = {
            (source, names): pool.submit(read, source, names, problems[source], objectives[source])
            for names, source in product((ITERATED, CLOSED), ("images", "population"))
        }
        exchange, test = pool.submit(exchange_rates), pool.submit(shifted_test, data, shift)
    parts = [tasks[part].result() for part in product(problems, (CLOSED, ITERATED))]
    accuracy = accuracies(data, images, objectives["images"], test.result())
    record = {"caption": caption_of(options.name, len(data.test)), "data": options.data}
    record |= {"drawn": {"accuracy": "se"}, **data.facts}
    more = {"accuracy": accuracy, "exchange": exchange.result()}
    return shared.Result(pd.concat(parts), record, more)


def caption_of(name: str, held_out: int) -> str:
    """Say what is drawn, and what it shows."""
    return (
        f"R² of linear probes of content and of style against k. Above: a population with content "
        f"variances {CONTENT}, style variances {STYLE} and noise {NOISE:g}; reconstruction is of a "
        f"view without its noise, style included. Below: {name} shifted by up to {REACH} "
        f"pixel; content is the class, style the shift, of which a linear probe sees what it does "
        f"to the mean image; reconstruction is of the image before the shift; accuracy on "
        f"{held_out:,} held-out images (bars: one standard error). Groups of {GROUP} views. "
        f"Joint embedding (and probabilistic LDA, the same) has no style in the population; on "
        f"images it leaks in as k grows. SimVAE keeps both once they fit in, as its paper says; "
        f"before, its likelihood takes all content before larger style in the population, where "
        f"it fits v = 0 up to k = 3; on images its order is PCA's, the shift first, and the class "
        f"pays. Above right: the content variance it exchanges for a style variance of 1, at noise "
        f"{NOISE:g} (1/J at v = 0)."
    )


def draw(result: shared.Result) -> Figure:
    """Draw R² of both problems, the rate of exchange, and accuracy on images."""
    figure, axes = new_figure(2, 3, height=3.6, caption=result.caption)
    (*above, exchange), (*below, accuracy) = axes
    titles = {"population": "population", "images": result.data}
    for panels, (source, title) in zip((above, below), titles.items(), strict=True):
        panels[0].set_title(title, loc="left")
        table = shared.rows(result.table, source=source)
        for ax, target in zip(panels, ("content", "style"), strict=True):
            for name, part in shared.parts(table, "objective"):
                style = {"color": COLOURS[name], "label": LABELS[name]}
                ax.plot(part["dim"], part[f"r2_{target}"], MARKS[name], **style)
            ax.set(xlabel="k", ylabel=rf"$R^2$ of {target}", ylim=(-0.03, None))
    for name, part in shared.parts(result.more["accuracy"], "objective"):
        bars = part["dim"], part["accuracy"], part["se"]
        accuracy.errorbar(*bars, fmt=MARKS[name], color=COLOURS[name])
    accuracy.set(xlabel="k", ylabel="accuracy of the class")
    for views, part in shared.parts(result.more["exchange"], "views"):
        style = {"color": COLOURS["simvae"], "label": f"J = {views}"}
        exchange.semilogx(part["style"], part["content_for_style"], DASHES[views], **style)
    exchange.set(xlabel="style variance $v$", ylabel="content for style", ylim=(0, 1.02))
    exchange.legend()
    for ax in axes[1]:
        ax.set_xscale("log", base=2)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


if __name__ == "__main__":
    shared.run("content_style", solve, draw, __doc__)
