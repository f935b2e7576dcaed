"""The alignment at which each paradigm starts to recover the signal, measured and in theory.

Measured: bisection on the solved population problem, asking only whether the solution spans the
signal. Theory: the closed-form thresholds. Diagonal covariances, then full and rotated ones.
"""

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

CASES = ("diagonal", "rotated")
OBJECTIVES = ("joint_embedding", "reconstruction")
# Where each objective has a threshold above 0; elsewhere alpha = 0 works.
NOISE = ((0.0125, 100.0), (0.65, 100.0))
STEPS = 40


@dataclasses.dataclass(frozen=True)
class Options(shared.Options):
    """What this figure takes."""

    k: int | None = None
    """Principal components; default: 50, or 20 of small images."""


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


def sweep(signal, spread, noise):
    """Return a table of both alignments, for noise variances (objectives, points)."""
    columns, _ = linssl.runtime.grid(
        objective=range(len(OBJECTIVES)), case=range(len(CASES)), point=range(noise.shape[1])
    )
    columns["noise_variance"] = jnp.asarray(noise)[columns["objective"], columns.pop("point")]
    bound = eqx.Partial(cell, jnp.asarray(signal), jnp.asarray(spread))
    measured, theory = shared.sweep(bound, columns)
    return pd.DataFrame(
        {
            "objective": np.array(OBJECTIVES)[columns["objective"]],
            "noise_variance": np.asarray(columns["noise_variance"]),
            "alpha_measured": np.asarray(measured),
            "alpha_theory": np.asarray(theory),
            "case": np.array(CASES)[columns["case"]],
        }
    )


def solve(options: Options) -> shared.Result:
    """Find both alignments over noise variances."""
    signal = shared.load_signal(options.data, asked=options.k)
    in_units_of_the_weakest = signal.variances / signal.variances[-1]
    spread = np.linspace(0.2, 1.0, 8)
    points = 60 if options.full else 24
    noise = np.stack([np.geomspace(*ends, points) for ends in NOISE])
    table = sweep(in_units_of_the_weakest, spread, noise)
    if table.isna().any(axis=None):
        raise ValueError("an alignment switches outside 1e-3 to 1e3; change the noise range.")
    worst = (table["alpha_measured"] / table["alpha_theory"] - 1).abs().max()
    caption = (
        f"Alignment needed to keep the signal against the largest irrelevant-noise variance (units "
        f"of the weakest signal variance), {options.name}, {signal.variances.size} principal "
        f"components, {spread.size} noise directions, population (no sampling, so no error bars). "
        f"Points: bisection on the solved problem; lines: closed form; worst difference "
        f"{worst:.1e}. Right: base augmentation with full blocks, all rotated."
    )
    record = {"caption": caption, "data": options.data, **signal.facts}
    record |= {"seeds": None, "noise_spread": spread.tolist()}
    return shared.Result(table, record)


def draw(result: shared.Result) -> Figure:
    """Draw measured points on the lines of theory: a panel for each case."""
    figure, ((left, right),) = new_figure(
        1, 2, height=2.3, caption=result.caption, sharex=True, sharey=True
    )
    panels = dict(zip(CASES, (left, right), strict=True))
    for (case, objective), part in shared.parts(result.table, "case", "objective"):
        ax, colour, noise = panels[case], COLOURS[objective], part["noise_variance"]
        ax.plot(noise, part["alpha_theory"], color=colour, label=f"{LABELS[objective]}, theory")
        ax.plot(noise, part["alpha_measured"], "o", color=colour, mfc="white", label="measured")
    for case, ax in panels.items():
        ax.set(title=case, xlabel=r"noise variance $\gamma / \lambda_k$")
        ax.set(xscale="log", yscale="log", xlim=(0.01, 130), ylim=(0.08, 20))
        ax.grid(True)
    left.set_ylabel(r"switching alignment $\alpha$")
    left.legend()
    return figure


if __name__ == "__main__":
    shared.run("alignment_threshold", solve, draw, __doc__)
