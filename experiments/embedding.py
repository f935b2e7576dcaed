"""What representations of corrupted digits look like: five t-SNE maps, as in the seed's figure."""

import numpy as np

import linssl
from experiments import shared
from linssl.plotting import new_figure

CORRUPTION, SEVERITY = "background", 5
ALPHA, DIM, BASE = 1.0, 16, 0.01
SHOWN = 1000  # held-out images, at most
PANELS = (
    ("supervised", "clean", 0.0),
    ("supervised", "corrupted", 0.0),
    ("joint_embedding", "clean", 0.0),
    ("joint_embedding", "corrupted", 0.0),
    ("joint_embedding", "corrupted", ALPHA),
)
TITLES = ("supervised,\nclean", "supervised,\ncorrupted", "JE,\nclean", "JE,\ncorrupted",
          "JE, corrupted,\naligned")  # fmt: skip


def solve(problem, objective, alpha, gamma):
    """Solve one panel's problem."""
    d = problem.x.shape[1]
    view = linssl.AlignedNoise(np.full(d, BASE), gamma, alpha)
    if objective == "supervised":
        label = linssl.with_label(problem.x, problem.labels)
        return linssl.supervised(linssl.augment_sides(label, view, None))
    return linssl.joint_embedding(linssl.two_views(problem.x, view), min(DIM, d))


def main(options: shared.Options) -> None:
    """Solve, embed and plot."""
    from sklearn.manifold import TSNE

    data, _ = shared.load_images(options.data)
    corrupted = shared.corrupted(data, CORRUPTION, SEVERITY, 0, SHOWN)
    problems = {"clean": shared.corrupted(data, "clean", 0, 0, SHOWN), "corrupted": corrupted}
    maps, accuracies = [], []
    for objective, which, alpha in PANELS:
        problem = problems[which]
        solution = solve(problem, objective, alpha, corrupted.gamma)
        label = linssl.with_label(problem.x, problem.labels)
        codes = np.asarray(solution(problem.test))
        maps.append(TSNE(init="pca", perplexity=30, random_state=0).fit_transform(codes))
        found = shared.probe(solution.encoder, label, problem.test, problem.targets)
        accuracies.append(float(found))

    targets = corrupted.targets
    caption = (
        f"t-SNE of {len(targets):,} held-out images, {options.name}, by class, from "
        f"{DIM}-dimensional codes (supervised: one for each class). Corrupted: a smooth background "
        f"of standard deviation 1 in all images, those to learn from too. Aligned: views add noise "
        f"with the second moment of the background, alpha = {ALPHA:g}. Below each: accuracy of a "
        f"linear probe on the codes."
    )
    figure, axes = new_figure(1, 5, height=1.7, caption=caption)
    for ax, title, points, accuracy in zip(axes[0], TITLES, maps, accuracies, strict=True):
        ax.scatter(*points.T, c=targets, cmap="tab10", s=1.5, linewidths=0, rasterized=True)
        ax.set(title=title, xticks=[], yticks=[], xlabel=f"{accuracy:.0%}")
        ax.set_box_aspect(1)
        for spine in ax.spines.values():
            spine.set_visible(False)
    m = len(targets)
    table = {
        "panel": np.repeat([title.replace("\n", " ") for title in TITLES], m),
        "x": np.concatenate(maps)[:, 0],
        "y": np.concatenate(maps)[:, 1],
        "label": np.tile(targets, len(PANELS)),
    }
    panels, accuracy = [title.replace("\n", " ") for title in TITLES], np.array(accuracies)
    probed = {"panel": panels, "accuracy": accuracy, "se": np.sqrt(accuracy * (1 - accuracy) / m)}
    # Of t-SNE's map only the look is meant: rounding turns and folds it.
    drawn = {"x": None, "y": None, "accuracy": "se"}
    facts = {"accuracy": dict(zip(panels, accuracies, strict=True))}
    facts |= {"drawn": drawn, "more": {"accuracy": probed}}
    shared.save(options, data.facts, "embedding", figure, caption, table, **facts)


if __name__ == "__main__":
    shared.run(main, __doc__)
