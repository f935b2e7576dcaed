"""The alignment at which each paradigm starts to recover the signal, measured and in theory.

Measured: bisection on the solved population problem, asking only whether the solution spans the
signal. Theory: the closed-form thresholds. Diagonal covariances, then full and rotated ones.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import linssl
from experiments import shared
from linssl.plotting import COLOURS, LABELS, new_figure

CASES = ("diagonal", "rotated")
OBJECTIVES = ("joint_embedding", "reconstruction")
# Where each objective has a threshold above 0; elsewhere alpha = 0 works.
NOISE = ((0.0125, 100.0), (0.65, 100.0))
STEPS = 40


def problem(signal, spread, case, noise_variance):
    """Return clean + noise, noise and base covariances (d, d), signal axes and thresholds."""
    k, q = signal.size, spread.size
    lam, gamma = jnp.diag(signal), jnp.diag(noise_variance * spread)
    # The non-diagonal case: base blocks with a random orientation, then everything rotated.
    rotated = case == CASES.index("rotated")
    blocks = []
    for seed, size, level in ((1, k, shared.BASE_SIGNAL), (2, q, shared.BASE_NOISE)):
        turn = shared.rotation(seed, size)
        uneven = (turn * jnp.linspace(0.5, 1.5, size)[None, :]) @ turn.T
        blocks.append(level * signal[-1] * jnp.where(rotated, uneven, jnp.eye(size)))
    turn = jnp.where(rotated, shared.rotation(3, k + q), jnp.eye(k + q))

    def embed(a, b):
        return turn @ jax.scipy.linalg.block_diag(a, b) @ turn.T

    thresholds = linssl.alignment_thresholds(lam, gamma, *blocks)
    noise = embed(jnp.zeros((k, k)), gamma)
    return embed(lam, gamma), noise, embed(*blocks), turn[:, :k].T, thresholds


def cell(signal, spread, *, objective, case, noise_variance):
    """Return the measured switching alignment and the theoretical one."""
    covariance, noise, base, axes, thresholds = problem(signal, spread, case, noise_variance)
    clean = linssl.pairs.same_instance_population(covariance)

    def lost(alpha):
        """Whether more than half a signal direction is lost."""
        view = linssl.AlignedNoise(base, noise, alpha)
        je = linssl.joint_embedding(linssl.two_views(clean, view), signal.size)
        rc = linssl.reconstruction(linssl.view_and_clean(clean, view), signal.size)
        encoder = jnp.where(objective == 0, je.encoder, rc.encoder)
        return ~(linssl.subspace_distance(encoder, axes) <= 0.5 / signal.size)

    def halve(_, bounds):
        low, high = bounds
        middle = jnp.sqrt(low * high)
        fails = lost(middle)
        return jnp.where(fails, middle, low), jnp.where(fails, high, middle)

    # A switch outside the bounds is NaN, not one of them.
    low, high = jnp.asarray(1e-3), jnp.asarray(1e3)
    inside = lost(low) & ~lost(high)
    low, high = jax.lax.fori_loop(0, STEPS, halve, (low, high))
    theory = jnp.where(objective == 0, thresholds.joint_embedding, thresholds.reconstruction)
    return jnp.where(inside, jnp.sqrt(low * high), jnp.nan), theory


def main(options: shared.Options) -> None:
    """Sweep and plot."""
    signal = shared.load_signal(options.data)
    lam = signal.variances / signal.variances[-1]  # in units of the weakest signal
    spread, points = np.linspace(0.2, 1.0, 8), 60 if options.full else 24
    noise = np.stack([np.geomspace(*NOISE[i], points) for i in range(len(OBJECTIVES))])
    columns, sizes = linssl.runtime.grid(objective=range(2), case=range(2), point=range(points))
    columns["noise_variance"] = jnp.asarray(noise)[columns["objective"], columns.pop("point")]
    bound = eqx.Partial(cell, jnp.asarray(lam), jnp.asarray(spread))
    found = shared.sweep(bound, columns)
    measured, theory = (np.asarray(a).reshape(*sizes.values()) for a in found)
    if not np.isfinite(measured).all():
        raise ValueError("an alignment switches outside 1e-3 to 1e3; change the noise range.")
    worst = np.max(np.abs(measured / theory - 1))

    caption = (
        f"Alignment needed to keep the signal against the largest irrelevant-noise variance (units "
        f"of the weakest signal variance), {options.name}, {lam.size} principal components, "
        f"{spread.size} noise directions, population (no sampling, so no error bars). Points: "
        f"bisection on the solved problem; lines: closed form; worst difference {worst:.1e}. "
        f"Right: base augmentation with full blocks, all rotated."
    )
    figure, axes = new_figure(1, 2, height=2.3, caption=caption, sharex=True, sharey=True)
    for j, case in enumerate(CASES):
        for i, objective in enumerate(OBJECTIVES):
            colour, ax = COLOURS[objective], axes[0, j]
            ax.plot(noise[i], theory[i, j], color=colour, label=f"{LABELS[objective]}, theory")
            ax.plot(noise[i], measured[i, j], "o", color=colour, mfc="white", label="measured")
        axes[0, j].set(
            xscale="log", yscale="log", title=case, xlabel=r"noise variance $\gamma / \lambda_k$"
        )
        axes[0, j].set(xlim=(0.01, 130), ylim=(0.08, 20))
        axes[0, j].grid(True)
    axes[0, 0].set_ylabel(r"switching alignment $\alpha$")
    axes[0, 0].legend()

    table = {
        "objective": np.array(OBJECTIVES)[columns["objective"]],
        "noise_variance": columns["noise_variance"],
        "alpha_measured": measured.ravel(),
        "alpha_theory": theory.ravel(),
        "case": np.array(CASES)[columns["case"]],
    }
    facts = {"seeds": None, "noise_spread": spread.tolist()}
    shared.save(options, signal.facts, "alignment_threshold", figure, caption, table, **facts)


if __name__ == "__main__":
    shared.run(main, __doc__)
