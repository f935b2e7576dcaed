"""Learning dynamics in closed form: which feature is learned when."""

import jax
import jax.numpy as jnp
import numpy as np

import linssl
from linssl.theorems.entry import Room
from linssl.theorems.problems import covariance

ROOM = Room("Learning dynamics")


def _with_slope(trajectory, time):
    """A trajectory and its derivative by automatic differentiation."""
    value, slope = jax.jvp(trajectory, (jnp.asarray([time]),), (jnp.ones(1),))
    return value[0], slope[0]


@ROOM.theorem(
    "barlow-twins-trajectory",
    r"$s(t) = e^{4gt}/\sqrt{s_0^{-2} + (e^{8gt} - 1)g}$ solves $\dot s = 4gs(1 - gs^2)$",
    r"$s$ singular value of $W$ on an eigenvector of $G$ with eigenvalue $g$, start $s_0$",
    "Simon2023",
    "theory.barlow_twins_dynamics",
)
def _barlow_trajectory(rng):
    g, s0 = np.append(rng.uniform(0.1, 2, 2), -0.3), rng.uniform(0.05, 2, 3)
    s, slope = _with_slope(linssl.theory.barlow_twins_dynamics(g, s0), 0.4)
    scale = 4 * np.abs(g) * s * (1 + np.abs(g) * s**2)
    return np.max(np.abs(slope - 4 * g * s * (1 - g * s**2)) / scale)


@ROOM.theorem(
    "barlow-twins-time",
    r"$s^2g = \frac12$ at $t = -\ln(s_0^2g)/(8g)$ for $s_0^2g \ll 1$",
    r"$g$ eigenvalue of $G$, $s_0$ start",
    "Simon2023",
    "theory.barlow_twins_dynamics",
)
def _barlow_time(rng):
    g = rng.uniform(0.1, 2, 3)
    made = linssl.theory.barlow_twins_dynamics(g, 1e-3)
    times = made.learning_time()
    small = np.max(np.abs(times * 8 * g / -np.log(1e-6 * g) - 1)) - 1e-6
    return max(np.max(np.abs(np.diagonal(made(times)) ** 2 * g - 0.5)), small)


@ROOM.theorem(
    "denoising-trajectory",
    r"$w(t) = w^*E/(E - 1 + w^*/w_0)$ solves $\dot w = 2w(\lambda - (\lambda + e)w)$, "
    r"$E = e^{2\lambda t}$, $w^* = \lambda/(\lambda + e)$",
    r"$\lambda$ variance of a mode, $e$ of its noise, $w_0$ start; two balanced layers",
    "Pretorius2018",
    "theory.denoising_dynamics",
)
def _denoising(rng):
    lam, e, w0 = rng.uniform(0.1, 3, (3, 3))
    w, slope = _with_slope(linssl.theory.denoising_dynamics(lam, e, w0), 0.4)
    scale = 2 * w * (lam + (lam + e) * w)
    return np.max(np.abs(slope - 2 * w * (lam - (lam + e) * w)) / scale)


@ROOM.theorem(
    "denoising-is-masked-depth-one",
    r"$w = \bar w^2$: a denoising autoencoder of one hidden layer follows a masked one of depth 1",
    r"$\bar w$ weight of the masked autoencoder with $\sigma_{xx} = \lambda + e$",
    "derived; Littwin2024; Pretorius2018",
    "theory.denoising_dynamics",
)
def _denoising_is_mae(rng):
    lam, e, w0 = rng.uniform(0.1, 3, (3, 3))
    mae = linssl.theory.mae_dynamics(lam, lam + e, 1, np.sqrt(w0))(0.8)
    return np.max(np.abs(linssl.theory.denoising_dynamics(lam, e, w0)(0.8) / mae**2 - 1))


def _flow(make, power, rng):
    """Whether a trajectory of depth 2 solves its equation."""
    lam, rho, w0, depth = *rng.uniform(0.2, 2, (2, 3)), rng.uniform(0.05, 2, 3), 2
    w, slope = _with_slope(make(lam, lam / rho, depth, w0), 1.0)
    up, down = depth * lam * w ** (power - 1 / depth), depth * lam / rho * w**3
    return np.max(np.abs(slope - up + down) / (up + down))


@ROOM.theorem(
    "jepa-trajectory",
    r"$\dot w = L(w^{3 - 1/L}\lambda - w^3\lambda/\rho)$",
    r"$L$ depth, $\lambda = E[xy]$, $\rho = \lambda/\sigma_{xx}$ regression coefficient",
    "Littwin2024",
    "theory.jepa_dynamics",
)
def _jepa(rng):
    return _flow(linssl.theory.jepa_dynamics, 3, rng)


@ROOM.theorem(
    "masked-autoencoder-trajectory",
    r"$\dot w = L(w^{2 - 1/L}\lambda - w^3\lambda/\rho)$",
    r"$L$ depth, $\lambda = E[xy]$, $\rho = \lambda/\sigma_{xx}$ regression coefficient",
    "Littwin2024",
    "theory.mae_dynamics",
)
def _mae(rng):
    return _flow(linssl.theory.mae_dynamics, 2, rng)


@ROOM.theorem(
    "predictive-limits",
    r"$w \to \rho^L$ for JEPA and $\rho^{L/(L + 1)}$ for masked autoencoders",
    r"$L$ depth, $\rho$ regression coefficient",
    "Littwin2024",
    "theory.jepa_dynamics",
)
def _limits(rng):
    lam, rho, depth = *rng.uniform(0.2, 2, (2, 3)), 3
    makes = linssl.theory.jepa_dynamics, linssl.theory.mae_dynamics
    jepa, mae = (make(lam, lam / rho, depth, 0.3)(jnp.inf) for make in makes)
    far = np.max(np.abs(mae / rho ** (depth / (depth + 1)) - 1))
    return max(np.max(np.abs(jepa / rho**depth - 1)), far)


@ROOM.theorem(
    "predictive-times",
    r"$w(t_p) = p\,w_\infty$ at the learning time $t_p$",
    r"$p$ share of the limit $w_\infty$, of JEPA and of masked autoencoders",
    "derived; Littwin2024",
    "theory.mae_dynamics",
    tolerance=1e-9,
    reason="a trajectory is found by inverting its time",
)
def _times(rng):
    lam, rho = rng.uniform(0.2, 2, (2, 3))
    made = [
        f(lam, lam / rho, 2, 0.01)
        for f in (linssl.theory.jepa_dynamics, linssl.theory.mae_dynamics)
    ]
    reached = [np.diagonal(t(t.learning_time(0.7))) / t.limit / 0.7 for t in made]
    return np.max(np.abs(np.array(reached) - 1))


@ROOM.theorem(
    "learning-crossing",
    r"$t_a = t_b$ at one ratio of covariances $\lambda_b/\lambda_a$, and at no other",
    r"$t_a$, $t_b$ times at which JEPA learns features of coefficients $\rho_a < \rho_b$",
    "derived; Littwin2024",
    "theory.learning_crossing",
)
def _crossing(rng):
    a, b = np.sort(rng.uniform(0.3, 2, 2))
    lam = np.array([1.0, float(linssl.theory.learning_crossing(a, b, 2, 0.01).jepa)])
    times = linssl.theory.jepa_dynamics(lam, lam / [a, b], 2, 0.01).learning_time()
    return abs(float(times[1] / times[0]) - 1)


@ROOM.theorem(
    "aligned-modes",
    r"$\rho_i = \omega_i$ and $\lambda_i\rho_i = \varphi_i^2$: coefficients are the scores of "
    r"joint embedding, explained variances those of reconstruction",
    r"modes of a pair whose moments have common axes, with equal covariances of both sides",
    "derived",
    "theory.aligned_modes",
)
def _aligned_modes(rng):
    noise = linssl.GaussianNoise(np.full(3, 0.7))
    views = linssl.two_views(linssl.pairs.same_instance_population(covariance(rng, 3)), noise)
    pair = views.as_pair()
    modes, rc = linssl.theory.aligned_modes(pair), linssl.reconstruction(pair, 2).spectrum
    je = linssl.joint_embedding(views, 2).spectrum
    return max(
        np.max(np.abs(modes.coefficient - je)),
        np.max(np.abs(np.sort(modes.explained)[::-1] / rc - 1)),
    )
