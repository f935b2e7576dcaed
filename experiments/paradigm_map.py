"""The paradigm map: where each of six objectives keeps the signal, over noise and alignment."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

import linssl
from experiments import shared
from linssl.plotting import COLOURS, LABELS, new_figure

DIMENSIONS = 10  # signal directions and noise directions, at most
LOST = "#DDDDDD"  # colour of where the signal is lost
WEIGHT, PRICE = 10.0, 2.0  # l of the path, in units of the weakest signal; beta
OBJECTIVES = (
    "reconstruction",
    "reconstruction_path",
    "joint_embedding",
    "alignment_only",
    "invariance_only",
    "soft_constraint",
)


@dataclasses.dataclass(frozen=True)
class Options(shared.Options):
    """What this figure takes."""

    k: int | None = None
    """Principal components, codes and noise directions; default: 10 at most."""
    noise: tuple[float, float] = (1e-2, 1e2)
    """Ends of the axis of noise variances, in units of the weakest signal's."""
    alphas: tuple[float, float] = (3e-2, 1 / 3e-2)
    """Ends of the axis of alignments."""


def cell(signal, base, *, noise_variance, alpha):
    """Squared chordal distance to the signal axes for every objective, (6,)."""
    k = signal.size
    noise = jnp.broadcast_to(noise_variance, (k,))
    clean = linssl.pairs.same_instance_population(jnp.concatenate([signal, noise]))
    view = linssl.AlignedNoise(base, jnp.concatenate([jnp.zeros(k), noise]), alpha)
    views, to_clean = linssl.two_views(clean, view), linssl.view_and_clean(clean, view)
    # Room for every direction: exactly the signals must be left, and be the first k.
    soft = linssl.objectives.soft_constraint(views, 2 * k, PRICE).encoder
    encoders = (
        linssl.reconstruction(to_clean, k).encoder,
        linssl.objectives.reconstruction_path(to_clean, k, WEIGHT).encoder,
        linssl.joint_embedding(views, k).encoder,
        linssl.objectives.alignment_only(views, k).encoder,
        linssl.objectives.invariance_only(views, k).encoder,
        soft[:k],
    )
    distance = jax.lax.map(lambda W: linssl.subspace_distance(W, range(k)), jnp.stack(encoders))
    left = jnp.sum(jnp.any(soft != 0, axis=1))
    return distance.at[-1].set(jnp.where(left == k, distance[-1], 1))


def thresholds(signal, *, noise_variance):
    """Squared alignment that each objective needs, in closed form, (6,)."""
    spectra = signal, noise_variance[None], shared.BASE_SIGNAL, shared.BASE_NOISE
    two = linssl.alignment_thresholds(*spectra)
    more = linssl.theory.family_thresholds(*spectra, WEIGHT, PRICE)
    known = {n: getattr(two, f"{n}_squared") for n in ("joint_embedding", "reconstruction")}
    return jnp.stack([known[n] if n in known else getattr(more, n) for n in OBJECTIVES])


def solve(options: Options) -> shared.Result:
    """Sweep noise and alignment, and set the closed forms beside."""
    signal = shared.load_signal(options.data, DIMENSIONS, options.k)
    lam, points = signal.variances / signal.variances[-1], 120 if options.full else 48
    noise, alphas = (
        shared.between(name, ends, points)
        for name, ends in (("noise", options.noise), ("alphas", options.alphas))
    )
    k, cut = lam.size, 0.5 / lam.size
    base = jnp.repeat(jnp.array([shared.BASE_SIGNAL, shared.BASE_NOISE]), k)
    columns, sizes = linssl.runtime.grid(noise_variance=noise, alpha=alphas)
    distance = shared.sweep(eqx.Partial(cell, jnp.asarray(lam), base), columns)
    distance = np.moveaxis(np.asarray(distance).reshape(*sizes.values(), -1), -1, 0)
    theory = eqx.Partial(thresholds, jnp.asarray(lam))
    needed = np.asarray(linssl.runtime.over_cells(theory, noise_variance=noise)).T
    table = shared.tidy(
        {"objective": OBJECTIVES, "noise_variance": noise, "alpha": alphas},
        distance=distance,
        kept=(distance < cut).astype(int),
        alpha_squared_theory=np.broadcast_to(needed[:, :, None], distance.shape),
    )
    differ = np.sum((table["kept"] == 1) != (table["alpha"] ** 2 > table["alpha_squared_theory"]))
    caption = caption_of(options.name, k, int(differ), len(table))
    record = {"caption": caption, "data": options.data, **signal.facts}
    record |= {"embedding_dim": k, "kept_below": cut, "weight": WEIGHT, "price": PRICE}
    return shared.Result(table, record)


def caption_of(name: str, k: int, differ: int, cells: int) -> str:
    """Say what is drawn, and how often theory and the solved problem differ."""
    return (
        f"Where each objective keeps the signal (colour): {name}, {k} principal "
        f"components, {k} noise directions of equal variance (units of the weakest signal's), "
        f"population (no sampling, so no error bars). Lines: closed forms; they disagree with the "
        f"solved problem in {differ} of {cells:,} cells. InfoNCE and spectral contrastive keep "
        f"what joint embedding does, Barlow Twins what alignment only does. {k} codes; soft "
        f"constraint: {2 * k}, of which its price, {PRICE:g}, must leave exactly the signals. "
        f"Path: l = {WEIGHT:g}. Unwhitened objectives see magnitudes only. Alignment isn't helped "
        f"by any alpha, and needs none below the signal's variance. Invariance takes weak noise "
        f"for signal, and needs least under strong noise, on features that all vary; constant ones "
        f"it would choose first. None is best everywhere."
    )


def draw(result: shared.Result) -> Figure:
    """Draw a map for each objective, with the border of joint embedding in all."""
    figure, axes = new_figure(2, 3, height=3.6, caption=result.caption, sharex=True, sharey=True)
    maps = dict(shared.parts(result.table, "objective"))
    for ax, name in zip(axes.flat, OBJECTIVES, strict=True):
        draw_region(ax, maps[name], COLOURS[name])
        draw_border(ax, maps[name], COLOURS[name])
        if name != "joint_embedding":
            noise, alpha = border(maps["joint_embedding"])
            ax.plot(noise, alpha, "--", color="black", lw=0.8)
        ax.set_title(LABELS[name], loc="left")
    for ax in axes[1]:
        ax.set_xlabel(shared.NOISE_LABEL)
    for ax in axes[:, 0]:
        ax.set_ylabel(r"alignment $\alpha$")
    handles = [
        Patch(facecolor=LOST, label="signal lost"),
        Line2D([], [], color="#555555", lw=1.6, label="closed form"),
        Line2D([], [], color="black", ls="--", lw=0.8, label="joint embedding"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
    return figure


def draw_region(ax, cells: pd.DataFrame, colour: str) -> None:
    """Tint where the signal is kept."""
    kept = cells.pivot(index="alpha", columns="noise_variance", values="kept")
    noise, alphas = kept.columns.to_numpy(), kept.index.to_numpy()
    red, green, blue = (1 - 0.45 * (1 - part) for part in to_rgb(colour))
    tints = ListedColormap([LOST, to_hex((red, green, blue))])
    ax.pcolormesh(noise, alphas, kept, cmap=tints, vmin=0, vmax=1, rasterized=True)
    ax.set(xscale="log", yscale="log", xlim=noise[[0, -1]], ylim=alphas[[0, -1]])


def draw_border(ax, cells: pd.DataFrame, colour: str) -> None:
    """Draw the closed form; where it is all or nothing, where one turns into the other."""
    noise, alpha = border(cells)
    if np.isfinite(alpha).all():
        ax.plot(noise, alpha, color=colour, lw=1.6)
    else:
        first = np.argmax(alpha == np.inf)
        ax.axvline(np.sqrt(noise[first - 1] * noise[first]), color=colour, lw=1.6)


def border(cells: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the noise variances, and the alignment needed at each, above 0 for a log axis."""
    first = cells.drop_duplicates("noise_variance")
    square = first["alpha_squared_theory"].to_numpy()
    return first["noise_variance"].to_numpy(), np.sqrt(np.clip(square, 1e-9, None))


if __name__ == "__main__":
    shared.run("paradigm_map", solve, draw, __doc__)
