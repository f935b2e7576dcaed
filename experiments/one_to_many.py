"""One input, many targets: what a latent keeps, at which weight and price; theory and training."""

import dataclasses
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jax import Array
from matplotlib.figure import Figure

import linssl
from experiments import shared
from linssl.plotting import COLOURS, new_figure

ETA = np.array([0.05, 0.2, 0.35, 0.5, 0.7, 0.9])  # uncertainty of the simulated directions
DIM, BETAS = 4, np.array([0.1, 0.2, 0.35, 0.6, 1.0])
STYLES = {0: ("#D55E00", "s"), 2: ("#009E73", "^"), 4: (COLOURS["joint_embedding"], "o")}
RHO, ANGLES = 0.95, (30.0, 60.0)  # of the two modes, degrees
SHARES = np.array([0.15, 0.3, 0.5, 0.7, 0.85, 1.15, 1.4])  # beta over the critical one
TOLD = "|t| at {:g} degrees".format  # the quantity at one angle


@dataclasses.dataclass(frozen=True)
class Options(shared.Options):
    """What this figure takes."""

    seeds: int | None = None
    """Trainings; default: 5, or 20 with --full."""


class Pairs(NamedTuple):
    """A batch of pairs, one to many."""

    x: Array  # (n, d)
    target: Array  # x+, (n, d)
    noise: Array  # of the latent r, (n, k)
    unmixed: Array  # what x+ is mixed from, (n, d)


class Model(NamedTuple):
    """Linear encoders f(x, r) and g(x+), with q(r|x, x+) and p(r|x)."""

    of_x: Array  # f reads x, (d, k)
    of_target: Array  # g, (d, k)
    posterior_of_x: Array  # the mean of q reads x, (d, k)
    posterior_of_target: Array  # and x+
    prior_of_x: Array  # the mean of p, (d, k)
    edit: Array  # f reads r, (k, k)
    log_deviations: Array  # of q and of p, (2, k)


def draw_pairs(key, n) -> Pairs:
    """Draw pairs: directions of uncertainty `ETA`, each side mixed by a map of its own."""
    a, noise, r = jax.random.normal(key, (3, n, ETA.size))
    b = jnp.sqrt(1 - ETA)[None, :] * a + jnp.sqrt(ETA)[None, :] * noise
    scale = jnp.linspace(0.5, 1.5, ETA.size)[None, :]
    x, target = (v @ (shared.rotation(i, ETA.size) * scale) for i, v in enumerate((a, b)))
    return Pairs(x, target, r[:, :DIM], b)


def codes(model: Model, pairs: Pairs):
    """f(x, r), g(x+), and the rate: what r costs, in nats."""
    q, p = model.log_deviations
    mean = pairs.x @ model.posterior_of_x + pairs.target @ model.posterior_of_target
    off = (mean - pairs.x @ model.prior_of_x) / jnp.exp(p)[None, :]
    spread = jnp.exp(2 * (q - p))[None, :] + off**2
    rate = jnp.mean(jnp.sum((spread - 1) / 2 + (p - q)[None, :], 1))
    r = mean + jnp.exp(q)[None, :] * pairs.noise
    return pairs.x @ model.of_x + r @ model.edit, pairs.target @ model.of_target, rate


def priced_loss(beta, model: Model, pairs: Pairs):
    """The spectral contrastive loss, and what r costs at this price."""
    f, g, rate = codes(model, pairs)
    n, own = f.shape[0], jnp.sum(f * g, 1)
    others = (jnp.sum((f.T @ f) * (g.T @ g)) - jnp.sum(own**2)) / (n * (n - 1))
    return others / 2 - jnp.mean(own) + beta * rate


def weights(steps, beta, key):
    """Train encoders with q and p; every target's weight, and the rate, on held-out pairs."""
    keys = jax.random.split(key, 4)
    maps = 0.3 * jax.random.normal(keys[0], (5, ETA.size, DIM))
    edit = 0.3 * jax.random.normal(keys[1], (DIM, DIM))
    start = Model(*maps, edit=edit, log_deviations=jnp.zeros((2, DIM)))
    model = shared.descend(partial(priced_loss, beta), start, draw_pairs, keys[2], steps, 256)
    unseen = draw_pairs(keys[3], 20_000)
    f, _, rate = codes(model, unseen)
    explained = f @ jnp.linalg.solve(f.T @ f, f.T @ unseen.unmixed)
    weight = jnp.sum(explained**2, 0) / jnp.sum(unseen.unmixed**2, 0)
    return jnp.append(weight, rate)


def draw_modes(angle, key, n):
    """Draw x, x+ turned from it by +-angle, and the sign of the turn, each as often."""
    x, noise = jax.random.normal(key, (2, n, 2))
    sign = jnp.arange(n)[:, None] % 2 * 2.0 - 1
    across = x[:, ::-1] * jnp.array([[-1.0, 1.0]])
    mean = jnp.cos(angle) * x + jnp.sin(angle) * sign * across
    return x, RHO * mean + np.sqrt(1 - RHO**2) * noise, sign


def told_loss(beta, theta, drawn):
    """The error of a predictor whose coin is right with odds exp 2c, and what that costs."""
    (mean, edit), coin = theta
    x, target, sign = drawn
    t, miss, step = jnp.tanh(coin), target - x @ mean, sign * (x @ edit)
    error = jnp.mean((1 + t) * (miss - step) ** 2 + (1 - t) * (miss + step) ** 2) / 2
    return error + beta * (t * coin - jnp.logaddexp(coin, -coin) + np.log(2))


def modes(steps, beta, angle, key):
    """Train a predictor with a coin that is told the mode; |t|, as -t is the same model."""
    start = jax.random.normal(key, (2, 2, 2)), jax.random.normal(jax.random.fold_in(key, steps))
    loss, draw = partial(told_loss, beta), partial(draw_modes, angle)
    _, coin = shared.descend(loss, start, draw, key, steps, 128)
    return jnp.abs(jnp.tanh(coin))


def critical(angle):
    """The price beyond which the two modes at these angles (degrees) aren't told."""
    return 2 * (RHO * np.sin(np.deg2rad(angle))) ** 2


def kept_weights(seeds, steps):
    """Every target's weight and the rate, by price: trained and in theory."""
    keys = jax.random.split(jax.random.key(0), seeds)
    over_seeds = jax.vmap(partial(weights, steps), (None, 0), -1)
    trained = jax.jit(jax.vmap(over_seeds, (0, None)))(BETAS, keys)
    mean, se = shared.with_errors(np.asarray(trained))
    kept = np.arange(ETA.size) < DIM
    use = [linssl.theory.water_filling(ETA, beta) for beta in BETAS]
    theory = np.array([[*kept * u.weight, kept @ u.rate] for u in use])
    names = [*(f"weight at eta = {eta:g}" for eta in ETA), "rate"]
    return shared.tidy({"quantity": names, "beta": BETAS}, theory=theory.T, mean=mean.T, se=se.T)


def told_modes(seeds, steps):
    """How well r tells two modes, by angle and price: trained and in theory."""
    keys = jax.random.split(jax.random.key(0), seeds)
    angles = np.repeat(ANGLES, SHARES.size)
    prices = np.tile(SHARES, len(ANGLES)) * critical(angles)
    radians = np.deg2rad(angles)
    over_cells = jax.vmap(partial(modes, 3 * steps // 2), (0, 0, None))
    trained = jax.jit(jax.vmap(over_cells, (None, None, 0), -1))(prices, radians, keys)
    mean, se = shared.with_errors(np.asarray(trained))
    order = jax.vmap(linssl.theory.two_modes, (None, 0, 0))(RHO, radians, prices).order
    columns = {"quantity": [TOLD(angle) for angle in angles], "beta": prices}
    return pd.DataFrame(columns | {"theory": np.asarray(order), "mean": mean, "se": se})


def closed_forms():
    """The lines of theory, over the x of each panel."""
    eta, price = np.linspace(0, 0.6, 200), np.linspace(0.02, 1.5, 300)
    rate = jax.vmap(linssl.theory.water_filling, (None, 0))(ETA[:DIM], price).rate.sum(1)
    order = jax.vmap(linssl.theory.two_modes, (None, None, 0))(1.0, np.pi / 2, 2 * price).order
    parts = [
        pd.DataFrame({"quantity": "rate", "x": price, "theory": np.asarray(rate)}),
        pd.DataFrame({"quantity": "|t|", "x": price, "theory": np.asarray(order)}),
    ]
    for i in STYLES:
        weight = linssl.theory.water_filling(eta, BETAS[i]).weight
        # Beyond, weight is 0 at all three prices.
        columns = {"x": np.append(eta, [0.6, 1]), "theory": np.append(weight, [0, 0])}
        parts.append(pd.DataFrame({"quantity": f"weight at beta = {BETAS[i]:g}"} | columns))
    return pd.concat(parts)


def solve(options: Options) -> shared.Result:
    """Train over seeds, and evaluate the closed forms; all data are simulated."""
    many, steps = (20, 4000) if options.full else (5, 1000)
    seeds = shared.whole("seeds", options.seeds, many, 1)
    table = pd.concat([kept_weights(seeds, steps), told_modes(seeds, steps)])
    caption = (
        f"Lines: closed form; marks: linear encoders, q(r|x, x+) and p(r|x) after {steps:,} steps "
        f"on minibatches, not all converged ({seeds} seeds, bars: one standard error). Left: {DIM} "
        f"of {ETA.size} are kept, the least uncertain, at every price beta (1: no latent, JE). As "
        f"in the paper, JE gives uncertain directions little weight, and r restores it. But here r "
        f"changes weights, not order: what a fixed dimension drops stays dropped, and weight above "
        f"1 - eta is what r says. Centre: cost of r. Right: r tells two modes at angles +-phi; of "
        f"t only the size is measured, {3 * steps // 2:,} steps from random starts."
    )
    record = {"caption": caption, "data": "simulated", "drawn": {"mean": "se"}}
    record |= {"seeds": seeds, "steps": steps}
    return shared.Result(table, record, {"theory": closed_forms()})


def draw(result: shared.Result) -> Figure:
    """Draw marks of training on the lines of theory."""
    figure, ((left, centre, right),) = new_figure(1, 3, height=2.1, caption=result.caption)
    points = dict(shared.parts(result.table, "quantity"))
    lines = dict(shared.parts(result.more["theory"], "quantity"))
    draw_weights(left, points, lines)
    line, rate = lines["rate"], points["rate"]
    centre.plot(line["x"], line["theory"], "k-")
    centre.errorbar(rate["beta"], rate["mean"], rate["se"], fmt="ok", ms=3)
    centre.set(xlim=(0, 1.1), xlabel=r"price $\beta$", ylabel="rate (nats)")
    draw_pitchfork(right, points, lines["|t|"])
    for ax in (left, right):
        ax.legend(borderaxespad=0)
    return figure


def draw_weights(ax, points: dict[str, pd.DataFrame], lines: dict[str, pd.DataFrame]) -> None:
    """Draw weight against uncertainty, at three prices."""
    weight = pd.concat([points[f"weight at eta = {eta:g}"] for eta in ETA])
    for i, (colour, mark) in STYLES.items():
        line, mine = lines[f"weight at beta = {BETAS[i]:g}"], shared.rows(weight, beta=BETAS[i])
        ax.plot(line["x"], line["theory"], color=colour)
        label = rf"$\beta = {BETAS[i]:g}$"
        ax.errorbar(ETA, mine["mean"], mine["se"], fmt=mark, color=colour, ms=3, label=label)
    ax.set(xlim=(0, 1), xlabel=r"uncertainty $\eta$", ylabel=r"weight $\rho_r^2$")


def draw_pitchfork(ax, points: dict[str, pd.DataFrame], line: pd.DataFrame) -> None:
    """Draw how well r tells the mode against the price, over that at which it stops."""
    for sign in (1, -1):
        ax.plot(line["x"], sign * line["theory"], "k-")
    for angle, i, size in zip(ANGLES, (4, 0), (5, 2), strict=True):
        (colour, mark), told = STYLES[i], points[TOLD(angle)]
        share, label = told["beta"] / critical(angle), rf"$\varphi = {angle:g}\degree$"
        bars = share, told["mean"], told["se"]
        ax.errorbar(*bars, fmt=mark, color=colour, ms=size, label=label)
    ax.set(xlim=(0, 1.5), xlabel=r"price $\beta / \beta_c$", ylabel="$r$ tells the mode, $t$")


if __name__ == "__main__":
    shared.run("one_to_many", solve, draw, __doc__)
