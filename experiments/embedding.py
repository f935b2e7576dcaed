"""What representations of corrupted digits look like: five t-SNE maps, as in the seed's figure."""

import dataclasses

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import linssl
from experiments import shared
from linssl.plotting import new_figure

CORRUPTION, SEVERITY = "background", 5
ALPHA, DIM, BASE = 1.0, 16, 0.01
SHOWN = 1000  # held-out images, at most
PANELS = {  # what is solved, on which images, whether aligned
    "supervised, clean": ("supervised", "clean", False),
    "supervised, corrupted": ("supervised", "corrupted", False),
    "JE, clean": ("joint_embedding", "clean", False),
    "JE, corrupted": ("joint_embedding", "corrupted", False),
    "JE, corrupted, aligned": ("joint_embedding", "corrupted", True),
}


@dataclasses.dataclass(frozen=True)
class Options(shared.Options):
    """What this figure takes."""

    k: int | None = None
    """Codes of joint embedding; default: 16."""
    alpha: float = ALPHA
    """Alignment of the last panel."""


def solution_of(problem, objective, alpha, gamma, dim):
    """Solve one panel's problem."""
    d = problem.x.shape[1]
    view = linssl.AlignedNoise(np.full(d, BASE), gamma, alpha)
    if objective == "supervised":
        label = linssl.with_label(problem.x, problem.labels)
        return linssl.supervised(linssl.augment_sides(label, view, None))
    return linssl.joint_embedding(linssl.two_views(problem.x, view), dim)


def embed(problem, objective, alpha, gamma, dim):
    """Solve one panel's problem; its t-SNE map (m, 2), and the accuracy of a probe."""
    from sklearn.manifold import TSNE

    solution = solution_of(problem, objective, alpha, gamma, dim)
    codes = np.asarray(solution(problem.test))
    points = TSNE(init="pca", perplexity=30, random_state=0).fit_transform(codes)
    label = linssl.with_label(problem.x, problem.labels)
    accuracy = shared.probe(solution.encoder, label, problem.test, problem.targets)
    return points, float(accuracy)


def solve(options: Options) -> shared.Result:
    """Solve, embed and probe."""
    data, shape = shared.load_images(options.data)
    dim = shared.whole("k", options.k, min(DIM, shape.features), 1, shape.features)
    if not 0 <= options.alpha < np.inf:
        raise ValueError(f"alpha must be a number >= 0; got {options.alpha}.")
    corrupted = shared.corrupted(data, CORRUPTION, SEVERITY, 0, SHOWN)
    problems = {"clean": shared.corrupted(data, "clean", 0, 0, SHOWN), "corrupted": corrupted}
    found = [
        embed(problems[which], objective, options.alpha * aligned, corrupted.gamma, dim)
        for objective, which, aligned in shared.counted("maps", list(PANELS.values()))
    ]
    maps, accuracies = zip(*found, strict=True)
    targets, accuracy = corrupted.targets, np.array(accuracies)
    x, y = np.stack(maps).transpose(2, 0, 1)  # (panel, image)
    table = shared.tidy({"panel": PANELS, "image": range(len(targets))}, x=x, y=y)
    table["label"] = np.tile(targets, len(PANELS))
    error = np.sqrt(accuracy * (1 - accuracy) / len(targets))
    probed = pd.DataFrame({"panel": list(PANELS), "accuracy": accuracy, "se": error})
    caption = (
        f"t-SNE of {len(targets):,} held-out images, {options.name}, by class, from "
        f"{DIM}-dimensional codes (supervised: one for each class). Corrupted: a smooth background "
        f"of standard deviation 1 in all images, those to learn from too. Aligned: views add noise "
        f"with the second moment of the background, alpha = {ALPHA:g}. Below each: accuracy of a "
        f"linear probe on the codes."
    )
    record = {"caption": caption, "data": options.data, **data.facts}
    # Of t-SNE's map only the look is meant: rounding turns and folds it.
    record["drawn"] = {"x": None, "y": None, "accuracy": "se"}
    record["accuracy"] = dict(zip(PANELS, accuracies, strict=True))
    return shared.Result(table.drop(columns="image"), record, {"accuracy": probed})


def draw(result: shared.Result) -> Figure:
    """Draw the maps side by side, by class."""
    figure, axes = new_figure(1, len(PANELS), height=1.7, caption=result.caption)
    accuracy = result.more["accuracy"].set_index("panel")["accuracy"]
    for ax, (panel, points) in zip(axes[0], shared.parts(result.table, "panel"), strict=True):
        ax.scatter(
            points["x"], points["y"], c=points["label"],
            cmap="tab10", s=1.5, linewidths=0, rasterized=True,
        )  # fmt: skip
        title = ",\n".join(panel.rsplit(", ", 1))
        ax.set(title=title, xticks=[], yticks=[], xlabel=f"{accuracy[panel]:.0%}")
        ax.set_box_aspect(1)
        for spine in ax.spines.values():
            spine.set_visible(False)
    return figure


if __name__ == "__main__":
    shared.run("embedding", solve, draw, __doc__)
