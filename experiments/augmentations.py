"""What each augmentation keeps: spectra of joint embedding and reconstruction, and who wins."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import linssl
from experiments import shared
from linssl.plotting import COLOURS, LABELS, new_figure

DIM, SHOWN = 16, 32
RIDGE = 1e-3  # variance of the noise under every augmentation: pixels that never vary need it
BOX = {"color": "white", "alpha": 0.8, "pad": 0.6, "lw": 0}
COLUMNS = "family", "strength", "objective", "index", "score", "accuracy", "se"
OBJECTIVES = ("joint_embedding", "reconstruction")


jitted_probe = jax.jit(shared.probe)


def families(shape):
    """Twelve families at three strengths each, (name, unit, {strength: augmentation})."""
    side, d = shape.height, shape.features
    patches = linssl.augmentations.image_patches(shape, side // 4)
    pixels = side / 8  # lengths are those of an 8 x 8 image, scaled

    def corners(share):
        low, size = side * (1 - share), side * share
        starts = [(0, 0), (0, low), (low, 0), (low, low), (low / 2, low / 2)]
        return linssl.augmentations.crops(shape, [(*start, size, size) for start in starts])

    def several(make, *strengths):
        return {strength: make(strength) for strength in strengths}

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
        "turns, probability": several(
            lambda p: linssl.augmentations.quarter_turns(shape, [1 - p, p / 3, p / 3, p / 3]),
            0.1,
            0.4,
            0.75,
        ),
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


def solve(augmentation, same, label, test, targets):
    """Leading scores and probe accuracy of both objectives."""
    dim = min(DIM, test.shape[1])
    views, to_clean = pairs(augmentation, same)
    for solution in (linssl.joint_embedding(views, dim), linssl.reconstruction(to_clean, dim)):
        accuracy = jitted_probe(solution.encoder, label, test, targets)
        yield np.asarray(solution.spectrum)[:SHOWN], float(accuracy)


def main(options: shared.Options) -> None:
    """Solve and plot."""
    data, shape = shared.load_images(options.data)
    problem = shared.corrupted(data, "clean", 0)
    label, same = linssl.with_label(problem.x, problem.labels), linssl.same_instance(problem.x)
    known = same, label, jnp.asarray(problem.test), jnp.asarray(problem.targets)
    m = len(problem.targets)
    caption = (
        f"Leading scores under twelve augmentations of {options.name}, light to dark by strength: "
        f"omega of joint embedding (solid), phi^2 of reconstruction over its largest (dashed); the "
        f"line is k = {DIM}. In each: accuracy in percent of a linear probe on {m:,} held-out "
        f"images at those strengths, standard error about "
        f"{100 * np.sqrt(0.1 / m):.1f}. Every augmentation has Gaussian noise of variance "
        f"{RIDGE:g} on top. Lengths: eighths of a side. Masked pixels are 0."
    )
    figure, axes = new_figure(3, 4, height=4.6, caption=caption, sharex=True, sharey=True)
    columns = {name: [] for name in COLUMNS}
    for ax, (family, members) in zip(axes.ravel(), families(shape).items(), strict=True):
        accuracies = {name: [] for name in OBJECTIVES}
        for shade, (strength, augmentation) in zip((0.35, 0.6, 1.0), members.items(), strict=True):
            solved = zip(OBJECTIVES, ("-", "--"), solve(augmentation, *known), strict=True)
            for name, dashes, (spectrum, accuracy) in solved:
                index = np.arange(1, len(spectrum) + 1)
                top = spectrum[0] if name == "reconstruction" else 1
                ax.plot(index, spectrum / top, dashes, color=COLOURS[name], alpha=shade)
                accuracies[name].append(accuracy)
                error = np.sqrt(accuracy * (1 - accuracy) / m)
                row = family, f"{strength:g}", name, index, spectrum, accuracy, error
                for column, value in zip(columns.values(), row, strict=True):
                    column.extend(np.broadcast_to(value, index.shape).tolist())
        ax.axvline(DIM, color="#BBBBBB", lw=0.6)
        ax.set_title(f"{family} {' / '.join(f'{s:g}' for s in members)}", fontsize=7)
        for height, name in zip((0.9, 0.78), OBJECTIVES, strict=True):
            text = " ".join(f"{100 * a:.0f}" for a in accuracies[name])
            ax.text(0.97, height, text, color=COLOURS[name], fontsize=6.5, ha="right",
                    transform=ax.transAxes, bbox=BOX)  # fmt: skip
    for ax in axes[-1]:
        ax.set_xlabel("index")
    for ax in axes[:, 0]:
        ax.set_ylabel("score")
    handles = [axes[0, 0].lines[i] for i in (-3, -2)]
    figure.legend(handles, [LABELS[n] for n in OBJECTIVES], loc="outside upper center", ncols=2)
    facts = {"drawn": {"accuracy": "se"}, "dim": DIM}
    shared.save(options, data.facts, "augmentations", figure, caption, columns, **facts)


if __name__ == "__main__":
    shared.run(main, __doc__)
