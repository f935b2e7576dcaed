"""One input, many targets: what a latent keeps, at which weight and price; theory and training."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

import linssl
from experiments import shared
from linssl.plotting import COLOURS, new_figure

ETA = np.array([0.05, 0.2, 0.35, 0.5, 0.7, 0.9])  # uncertainty of the simulated directions
DIM, BETAS = 4, np.array([0.1, 0.2, 0.35, 0.6, 1.0])
STYLES = {0: ("#D55E00", "s"), 2: ("#009E73", "^"), 4: (COLOURS["joint_embedding"], "o")}
RHO, ANGLES = 0.95, (30.0, 60.0)  # of the two modes, degrees
SHARES = np.array([0.15, 0.3, 0.5, 0.7, 0.85, 1.15, 1.4])  # beta over the critical one


def weights(steps, beta, key):
    """Train an encoder with q and p; every target's weight, and the rate, on held-out pairs."""

    def draw(key, n):  # x and x+, each mixed; noise for r; and the targets x+ is mixed from
        a, noise, r = jax.random.normal(key, (3, n, ETA.size))
        b = jnp.sqrt(1 - ETA)[None, :] * a + jnp.sqrt(ETA)[None, :] * noise
        scale = jnp.linspace(0.5, 1.5, ETA.size)[None, :]
        x, target = (v @ (shared.rotation(i, ETA.size) * scale) for i, v in enumerate((a, b)))
        return x, target, r[:, :DIM], b

    def codes(theta, drawn):  # f(x, r), g(x+) and the rate
        W, edit, (q, p), (x, target, noise, _) = *theta, drawn
        mean = x @ W[2] + target @ W[3]
        spread = jnp.exp(2 * (q - p))[None, :] + ((mean - x @ W[4]) / jnp.exp(p)[None, :]) ** 2
        rate = jnp.mean(jnp.sum((spread - 1) / 2 + (p - q)[None, :], 1))
        return x @ W[0] + (mean + jnp.exp(q)[None, :] * noise) @ edit, target @ W[1], rate

    def loss(theta, drawn):  # spectral contrastive
        f, g, rate = codes(theta, drawn)
        n, own = f.shape[0], jnp.sum(f * g, 1)
        others = (jnp.sum((f.T @ f) * (g.T @ g)) - jnp.sum(own**2)) / (n * (n - 1))
        return others / 2 - jnp.mean(own) + beta * rate

    keys = jax.random.split(key, 4)
    W, edit = jax.random.normal(keys[0], (5, ETA.size, DIM)), jax.random.normal(keys[1], (DIM, DIM))
    start = 0.3 * W, 0.3 * edit, jnp.zeros((2, DIM))
    theta, unseen = shared.descend(loss, start, draw, keys[2], steps, 256), draw(keys[3], 20_000)
    f, _, rate = codes(theta, unseen)
    explained = f @ jnp.linalg.solve(f.T @ f, f.T @ unseen[3])
    return jnp.append(jnp.sum(explained**2, 0) / jnp.sum(unseen[3] ** 2, 0), rate)


def modes(steps, beta, angle, key):
    """Train a predictor with a coin that is told the mode; |t|, as -t is the same model."""

    def draw(key, n):
        (z, noise), sign = jax.random.normal(key, (2, n, 2)), jnp.arange(n)[:, None] % 2 * 2.0 - 1
        mean = jnp.cos(angle) * z + jnp.sin(angle) * sign * z[:, ::-1] * jnp.array([[-1.0, 1.0]])
        return z, RHO * mean + np.sqrt(1 - RHO**2) * noise, sign

    def loss(theta, drawn):
        (mean, edit), coin, (z, target, sign) = *theta, drawn
        t, miss, step = jnp.tanh(coin), target - z @ mean, sign * (z @ edit)
        error = jnp.mean((1 + t) * (miss - step) ** 2 + (1 - t) * (miss + step) ** 2) / 2
        return error + beta * (t * coin - jnp.logaddexp(coin, -coin) + np.log(2))

    start = jax.random.normal(key, (2, 2, 2)), jax.random.normal(jax.random.fold_in(key, steps))
    return jnp.abs(jnp.tanh(shared.descend(loss, start, draw, key, steps, 128)[1]))


def main(options: shared.Options) -> None:
    """Train over seeds, and plot through the closed forms; all data are simulated."""
    seeds, steps = (20, 4000) if options.full else (5, 1000)
    keys, angles = jax.random.split(jax.random.key(0), seeds), np.repeat(ANGLES, SHARES.size)
    prices = np.tile(SHARES, len(ANGLES)) * 2 * (RHO * np.sin(np.deg2rad(angles))) ** 2
    each = jax.vmap(jax.vmap(partial(weights, steps), (0, None)), (None, 0), -1)
    told = jax.vmap(jax.vmap(partial(modes, 3 * steps // 2), (0, 0, None)), (None, None, 0), -1)
    y, se = shared.with_errors(np.asarray(jax.jit(each)(BETAS, keys)))
    t, t_se = shared.with_errors(np.asarray(jax.jit(told)(prices, np.deg2rad(angles), keys)))
    kept, use = (
        np.arange(ETA.size) < DIM,
        [linssl.theory.water_filling(ETA, beta) for beta in BETAS],
    )
    theory = np.array([[*kept * u.weight, kept @ u.rate] for u in use])
    names = [*(f"weight at eta = {eta:g}" for eta in ETA), "rate"]
    table = shared.tidy({"quantity": names, "beta": BETAS}, theory=theory.T, mean=y.T, se=se.T)
    order = jax.vmap(linssl.theory.two_modes, (None, 0, 0))(RHO, np.deg2rad(angles), prices).order
    more = [f"|t| at {angle:g} degrees" for angle in angles], prices, order, t, t_se
    table = {k: np.append(v, m) for (k, v), m in zip(table.items(), more, strict=True)}
    caption = (
        f"Lines: closed form; marks: linear encoders, q(r|x, x+) and p(r|x) after {steps:,} steps "
        f"on minibatches, not all converged ({seeds} seeds, bars: one standard error). Left: {DIM} "
        f"of {ETA.size} are kept, the least uncertain, at every price beta (1: no latent, JE). As "
        f"in the paper, JE gives uncertain directions little weight, and r restores it. But here r "
        f"changes weights, not order: what a fixed dimension drops stays dropped, and weight above "
        f"1 - eta is what r says. Centre: cost of r. Right: r tells two modes at angles +-phi; of "
        f"t only the size is measured, {3 * steps // 2:,} steps from random starts."
    )
    figure, ((a, b, c),) = new_figure(1, 3, height=2.1, caption=caption)
    low, fine = np.linspace(0, 0.6, 200), np.linspace(0.02, 1.5, 300)
    for i, (colour, mark) in STYLES.items():
        line, label = linssl.theory.water_filling(low, BETAS[i]).weight, rf"$\beta = {BETAS[i]:g}$"
        a.plot([*low, 0.6, 1], [*line, 0, 0], color=colour)
        a.errorbar(ETA, y[i, :-1], se[i, :-1], fmt=mark, color=colour, ms=3, label=label)
    b.plot(
        fine, jax.vmap(linssl.theory.water_filling, (None, 0))(ETA[:DIM], fine).rate.sum(1), "k-"
    )
    b.errorbar(BETAS, y[:, -1], se[:, -1], fmt="ok", ms=3)
    pitchfork = jax.vmap(linssl.theory.two_modes, (None, None, 0))(1.0, np.pi / 2, 2 * fine).order
    c.plot(fine, pitchfork, "k-", fine, -pitchfork, "k-")
    for angle, i, size in zip(ANGLES, (4, 0), (5, 2), strict=True):
        (colour, mark), at, label = STYLES[i], angles == angle, rf"$\varphi = {angle:g}\degree$"
        c.errorbar(SHARES, t[at], t_se[at], fmt=mark, color=colour, ms=size, label=label)
    a.set(xlim=(0, 1), xlabel=r"uncertainty $\eta$", ylabel=r"weight $\rho_r^2$")
    b.set(xlim=(0, 1.1), xlabel=r"price $\beta$", ylabel="rate (nats)")
    c.set(xlim=(0, 1.5), xlabel=r"price $\beta / \beta_c$", ylabel="$r$ tells the mode, $t$")
    _ = [ax.legend(borderaxespad=0) for ax in (a, c)]
    options = replace(options, data="simulated")
    facts = {"drawn": {"mean": "se"}, "seeds": seeds, "steps": steps}
    shared.save(options, {}, "one_to_many", figure, caption, table, **facts)


if __name__ == "__main__":
    shared.run(main, __doc__)
