"""The paradigm map: where each of six objectives keeps the signal, over noise and alignment."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

import linssl
from experiments import shared
from linssl.plotting import COLOURS, LABELS, new_figure

DIMENSIONS = 10  # signal directions and noise directions, at most
WEIGHT, PRICE = 10.0, 2.0  # l of the path, in units of the weakest signal; beta
OBJECTIVES = (
    "reconstruction",
    "reconstruction_path",
    "joint_embedding",
    "alignment_only",
    "invariance_only",
    "soft_constraint",
)


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


def main(options: shared.Options) -> None:
    """Sweep and plot."""
    signal = shared.load_signal(options.data, DIMENSIONS)
    lam, points = signal.variances / signal.variances[-1], 120 if options.full else 48
    k, noise, alphas = lam.size, *(np.geomspace(low, 1 / low, points) for low in (1e-2, 3e-2))
    base = jnp.repeat(jnp.array([shared.BASE_SIGNAL, shared.BASE_NOISE]), k)
    columns, sizes = linssl.runtime.grid(noise_variance=noise, alpha=alphas)
    distance = shared.sweep(eqx.Partial(cell, jnp.asarray(lam), base), columns)
    distance = np.moveaxis(np.asarray(distance).reshape(*sizes.values(), -1), -1, 0)
    kept = distance < 0.5 / k  # (objective, noise, alpha)
    theory = eqx.Partial(thresholds, jnp.asarray(lam))
    needed = np.asarray(linssl.runtime.over_cells(theory, noise_variance=noise)).T
    differ = int(np.sum(kept != (alphas**2 > needed[:, :, None])))

    caption = (
        f"Where each objective keeps the signal (colour): {options.name}, {k} principal "
        f"components, {k} noise directions of equal variance (units of the weakest signal's), "
        f"population (no sampling, so no error bars). Lines: closed forms; they disagree with the "
        f"solved problem in {differ} of {kept.size:,} cells. InfoNCE and spectral contrastive keep "
        f"what joint embedding does, Barlow Twins what alignment only does. {k} codes; soft "
        f"constraint: {2 * k}, of which its price, {PRICE:g}, must leave exactly the signals. "
        f"Path: l = {WEIGHT:g}. Unwhitened objectives see magnitudes only. Alignment isn't helped "
        f"by any alpha, and needs none below the signal's variance. Invariance takes weak noise "
        f"for signal, and needs least under strong noise, on features that all vary; constant ones "
        f"it would choose first. None is best everywhere."
    )
    figure, axes = new_figure(2, 3, height=3.6, caption=caption, sharex=True, sharey=True)
    x, y = np.meshgrid(noise, alphas, indexing="ij")
    reference = np.sqrt(np.clip(needed[OBJECTIVES.index("joint_embedding")], 1e-9, None))
    for ax, name, region, squared in zip(axes.flat, OBJECTIVES, kept, needed, strict=True):
        colour = np.array(to_rgb(COLOURS[name]))
        tints = ListedColormap(["#DDDDDD", tuple(1 - 0.45 * (1 - colour))])
        ax.pcolormesh(x, y, region, cmap=tints, vmin=0, vmax=1, rasterized=True)
        if np.isfinite(squared).all():
            ax.plot(noise, np.sqrt(np.clip(squared, 1e-9, None)), color=colour, lw=1.6)
        else:  # all or nothing: the line is where one turns into the other
            turn = np.sqrt(np.prod(noise[np.argmax(squared == np.inf) - np.arange(2)]))
            ax.axvline(turn, color=colour, lw=1.6)
        if name != "joint_embedding":
            ax.plot(noise, reference, "--", color="black", lw=0.8)
        ax.set(xscale="log", yscale="log", xlim=noise[[0, -1]], ylim=alphas[[0, -1]])
        ax.set_title(LABELS[name], loc="left")
    _ = [ax.set_xlabel(shared.NOISE_LABEL) for ax in axes[1]]
    _ = [ax.set_ylabel(r"alignment $\alpha$") for ax in axes[:, 0]]
    handles = [
        Patch(facecolor="#DDDDDD", label="signal lost"),
        Line2D([], [], color="#555555", lw=1.6, label="closed form"),
        Line2D([], [], color="black", ls="--", lw=0.8, label="joint embedding"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
    table = shared.tidy(
        {"objective": OBJECTIVES, "noise_variance": noise, "alpha": alphas},
        distance=distance,
        kept=kept.astype(int),
        alpha_squared_theory=np.broadcast_to(needed[:, :, None], kept.shape),
    )
    facts = {"embedding_dim": k, "kept_below": 0.5 / k, "weight": WEIGHT, "price": PRICE}
    shared.save(options, signal.facts, "paradigm_map", figure, caption, table, **facts)


if __name__ == "__main__":
    shared.run(main, __doc__)
