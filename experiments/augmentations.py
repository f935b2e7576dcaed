"""What each augmentation keeps: spectra of joint embedding and reconstruction, and who wins."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import linssl
from experiments import shared
from linssl.plotting import COLOURS, LABELS, new_figure

DIM, SHOWN = 16, 32
NUMBERS = {11: "eleven", 12: "twelve"}
RIDGE = 1e-3  # variance of the noise under every augmentation: pixels that never vary need it
BOX = {"color": "white", "alpha": 0.8, "pad": 0.6, "lw": 0}
OBJECTIVES = ("joint_embedding", "reconstruction")
DASHES = dict(zip(OBJECTIVES, ("-", "--"), strict=True))
SHADES = (0.35, 0.6, 1.0)  # of the three strengths
jitted_probe = jax.jit(shared.probe)


@dataclasses.dataclass(frozen=True)
class Options(shared.Options):
    """What this figure takes."""

    k: int | None = None
    """Codes that are probed; default: 16."""


def families(shape):
    """Families at three strengths each, {name and unit: {strength: augmentation}}.

    Twelve, but images that aren't square can't be turned.
    """
    side, d = min(shape.height, shape.width), shape.features
    patches = linssl.augmentations.image_patches(shape, side // 4)
    pixels = side / 8  # lengths are those of an 8 x 8 image, scaled

    def corners(share):
        h, w = share * shape.height, share * shape.width
        low, right = shape.height - h, shape.width - w
        starts = [(0, 0), (0, right), (low, 0), (low, right), (low / 2, right / 2)]
        return linssl.augmentations.crops(shape, [(*start, h, w) for start in starts])

    def several(make, *strengths):
        return {strength: make(strength) for strength in strengths}

    turns = {}
    if shape.height == shape.width:
        turns["turns, probability"] = several(
            lambda p: linssl.augmentations.quarter_turns(shape, [1 - p, p / 3, p / 3, p / 3]),
            0.1,
            0.4,
            0.75,
        )
    return {
        "noise, variance": several(lambda v: linssl.GaussianNoise(np.full(d, v)), 0.01, 0.04, 0.16),
        "dropout, kept": several(linssl.augmentations.Dropout, 0.9, 0.6, 0.3),
        "patches, kept": several(
            lambda q: linssl.augmentations.PatchMask(patches, q), 0.9, 0.6, 0.3
        ),
        "16 patches, kept": several(
            lambda n: linssl.augmentations.FixedCountMask(patches, n), 14, 8, 4
        ),
        "cutout, side": several(
            lambda s: linssl.augmentations.RandomMask(
                linssl.augmentations.cutout_masks(shape, round(s * pixels))
            ),
            2,
            3,
            5,
        ),
        "shift, up to": several(
            lambda r: linssl.augmentations.shifts(shape, round(r * pixels)), 1, 2, 3
        ),
        "crop, share": several(corners, 0.9, 0.75, 0.5),
        "blur, width": several(
            lambda w: linssl.augmentations.blurs(shape, [0.0, w * pixels]), 0.5, 1.0, 2.0
        ),
        "flip, probability": several(lambda p: linssl.augmentations.flip(shape, p), 0.1, 0.3, 0.5),
        **turns,
        "brightness, ±": several(
            lambda b: linssl.augmentations.Brightness(1 - b, 1 + b), 0.2, 0.5, 1.0
        ),
        "mixup, least share": several(linssl.augmentations.Mixup, 0.8, 0.4, 0.0),
    }


@eqx.filter_jit  # so that both pairs share what the family's maps cost
def pairs(augmentation, same):
    """The pair of two views, and of a view with its clean image."""
    d = same.mean.size
    view = linssl.compose(augmentation, linssl.GaussianNoise(jnp.full(d, RIDGE)))
    return linssl.two_views(same, view), linssl.view_and_clean(same, view)


def leading(augmentation, dim, same, label, test, targets):
    """Leading scores and probe accuracy, by objective."""
    views, to_clean = pairs(augmentation, same)
    solutions = linssl.joint_embedding(views, dim), linssl.reconstruction(to_clean, dim)
    for name, solution in zip(OBJECTIVES, solutions, strict=True):
        accuracy = jitted_probe(solution.encoder, label, test, targets)
        yield name, np.asarray(solution.spectrum)[:SHOWN], float(accuracy)


def solve(options: Options) -> shared.Result:
    """Solve and probe under every augmentation."""
    data, shape = shared.load_images(options.data)
    problem = shared.corrupted(data, "clean", 0)
    label, same = linssl.with_label(problem.x, problem.labels), linssl.same_instance(problem.x)
    known = same, label, jnp.asarray(problem.test), jnp.asarray(problem.targets)
    m, parts = len(problem.targets), []
    dim = shared.whole("k", options.k, min(DIM, shape.features), 1, shape.features)
    chosen = families(shape)
    for family, members in shared.counted("families", list(chosen.items())):
        for strength, augmentation in members.items():
            for objective, scores, accuracy in leading(augmentation, dim, *known):
                columns = {
                    "family": family,
                    "strength": float(strength),
                    "objective": objective,
                    "index": range(1, len(scores) + 1),
                    "score": scores,
                    "accuracy": accuracy,
                    "se": np.sqrt(accuracy * (1 - accuracy) / m),
                }
                parts.append(pd.DataFrame(columns))
    caption = (
        f"Leading scores under {NUMBERS[len(chosen)]} augmentations of {options.name}, light to "
        f"dark by strength: omega of joint embedding (solid), phi^2 of reconstruction over its "
        f"largest (dashed); the line is k = {dim}. In each: accuracy in percent of a "
        f"linear probe on {m:,} held-out images at those strengths, standard error about "
        f"{100 * np.sqrt(0.1 / m):.1f}. Every augmentation has Gaussian noise of variance "
        f"{RIDGE:g} on top. Lengths: eighths of a side. Masked pixels are 0."
    )
    record = {"caption": caption, "data": options.data, "drawn": {"accuracy": "se"}}
    return shared.Result(pd.concat(parts), record | data.facts | {"dim": dim})


def draw(result: shared.Result) -> Figure:
    """Draw a panel for each family."""
    figure, axes = new_figure(3, 4, height=4.6, caption=result.caption, sharex=True, sharey=True)
    panels = list(shared.parts(result.table, "family"))
    for ax, (family, part) in zip(axes.flat, panels, strict=False):
        strengths = part["strength"].unique()
        draw_family(ax, part, dict(zip(strengths, SHADES, strict=True)), result.record["dim"])
        ax.set_title(f"{family} {' / '.join(f'{s:g}' for s in strengths)}", fontsize=7)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    for ax in axes[-1]:
        ax.set_xlabel("index")
    for ax in axes[:, 0]:
        ax.set_ylabel("score")
    handles = axes[0, 0].lines[-3:-1]  # the darkest two
    figure.legend(handles, [LABELS[n] for n in OBJECTIVES], loc="outside upper center", ncols=2)
    return figure


def draw_family(ax, part: pd.DataFrame, shades: dict[float, float], dim: int) -> None:
    """Draw scores, light to dark by strength, and write the accuracies above."""
    for (strength, objective), curve in shared.parts(part, "strength", "objective"):
        score = curve["score"]
        top = score.iloc[0] if objective == "reconstruction" else 1
        style = {"color": COLOURS[objective], "alpha": shades[strength]}
        ax.plot(curve["index"], score / top, DASHES[objective], **style)
    ax.axvline(dim, color="#BBBBBB", lw=0.6)
    first = shared.rows(part, index=1)
    for height, objective in zip((0.9, 0.78), OBJECTIVES, strict=True):
        accuracies = shared.rows(first, objective=objective)["accuracy"]
        text = " ".join(f"{100 * accuracy:.0f}" for accuracy in accuracies)
        style = {"color": COLOURS[objective], "fontsize": 6.5, "ha": "right", "bbox": BOX}
        ax.text(0.97, height, text, transform=ax.transAxes, **style)


if __name__ == "__main__":
    shared.run("augmentations", solve, draw, __doc__)
