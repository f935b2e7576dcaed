"""AdaSSL, linear and Gaussian: critics, water-filling, gates, budgets, two modes."""

import numpy as np
import scipy.linalg as sl
from scipy.integrate import quad
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import multivariate_normal, norm

import linssl
from linssl.theorems.entry import Room
from linssl.theorems.problems import critic, random_pair, relative, root

ROOM = Room("AdaSSL")

FROM = "derived, for the objective of AdaSSL"


def _correlations(pair):
    """Canonical correlations by SciPy."""
    left, right = (root(M, -0.5) for M in (pair.first, pair.second))
    return np.linalg.svd(left @ pair.cross @ right, compute_uv=False)


def _joint(pair):
    """Covariance of both sides, stacked."""
    return np.block([[pair.first, pair.cross], [pair.cross.T, pair.second]])


def _value(D, eta, beta):
    """What a direction adds with distortion D."""
    return (1 - D) / 2 - beta / 2 * np.log(eta / D)


@ROOM.theorem(
    "mutual-information",
    r"$I = -\frac12\sum_i\log(1 - \rho_i^2)$",
    r"$\rho$ canonical correlations of a Gaussian pair; nats",
    "derived; AdaSSL",
    "theory.mutual_information",
)
def _mutual_information(rng):
    pair = random_pair(rng)
    parts = [np.linalg.slogdet(M)[1] for M in (pair.first, pair.second, _joint(pair))]
    rho = linssl.canonical_correlation(pair, 2).spectrum
    return relative(linssl.theory.mutual_information(rho), (parts[0] + parts[1] - parts[2]) / 2)


@ROOM.theorem(
    "optimal-critic",
    r"$T = \sum_i[\frac{\rho_i}{1 - \rho_i^2}a_ib_i - \frac{\rho_i^2}{2(1 - \rho_i^2)}"
    r"(a_i^2 + b_i^2)] - \frac12\sum_i\log(1 - \rho_i^2) = \log\frac{p(a, b)}{p(a)p(b)}$",
    r"$a$, $b$ canonical coordinates",
    FROM,
    "theory.optimal_critic",
)
def _optimal_critic(rng):
    rho, (a, b) = rng.uniform(-0.9, 0.9, 3), rng.standard_normal((2, 3))
    Sigma = np.kron([[0, 1], [1, 0]], np.diag(rho)) + np.eye(6)
    both = multivariate_normal(np.zeros(6), Sigma).logpdf(np.r_[a, b])  # pyright: ignore[reportArgumentType]
    ratio = both - norm.logpdf(a).sum() - norm.logpdf(b).sum()
    c = linssl.theory.optimal_critic(rho)
    return relative(c.product @ (a * b) - c.square @ (a**2 + b**2) + c.constant, ratio)


@ROOM.theorem(
    "bilinear-value",
    r"$\max_T E_{joint}[T] - \frac12 E_{prod}[T^2] = \frac12\sum_{top\,k}\rho_i^2$, "
    r"$T = f(x)^Tg(x^+)$ of rank $k$",
    r"$\rho$ canonical correlations",
    FROM,
    "theory.bilinear_value",
)
def _bilinear(rng):
    pair = random_pair(rng)
    left, right = (root(M, -0.5) for M in (pair.first, pair.second))
    U, rho, V = np.linalg.svd(left @ pair.cross @ right)
    M = left @ U[:, :2] * rho[:2] @ V[:2] @ right  # T = x^T M y
    value = np.trace(M.T @ pair.cross) - np.trace(M.T @ pair.first @ M @ pair.second) / 2
    return relative(linssl.theory.bilinear_value(_correlations(pair), 2), value)


@ROOM.theorem(
    "water-filling",
    r"$D = \min(\eta, \beta)$, $\rho_r^2 = \max(\rho^2, 1 - \beta)$, value $\rho^2/2$ if "
    r"$\eta \le \beta$, else $\frac12[1 - \beta - \beta\log(\eta/\beta)]$",
    r"$\eta = 1 - \rho^2$ uncertainty, $\beta$ price of a nat of the latent, $D$ what is left",
    "derived, for the objective of AdaSSL; Shannon1959",
    "theory.water_filling",
)
def _water_filling(rng):
    eta, beta = rng.uniform(0.2, 1, 4), rng.uniform(0.1, 0.8)
    best = [
        minimize_scalar(
            lambda D, e=e: -_value(D, e, beta), bounds=(1e-6, e), method="bounded",
            options={"xatol": 1e-12},
        )
        for e in eta
    ]  # fmt: skip
    use = linssl.theory.water_filling(eta, beta)
    return max(
        relative(use.value, [max(-b.fun, (1 - e) / 2) for b, e in zip(best, eta, strict=True)]),
        relative(use.weight, np.maximum(1 - eta, 1 - beta)),
    )


@ROOM.theorem(
    "adassl",
    r"$\min E[\frac12\|W_2x^+ - PW_1x - Rr\|^2 + \beta\,KL] = \sum_{i \le k}(\frac12 - "
    r"\mathrm{value}_i)$, encoders those of canonical correlation for every $\beta$",
    r"value as in water-filling; $r$ latent, $P$ predictor, $W_2$ whitened",
    FROM,
    "objectives.adassl",
)
def _adassl(rng):
    pair, beta = random_pair(rng), rng.uniform(0.1, 0.9)
    eta = 1 - _correlations(pair)[:2] ** 2
    s, t = linssl.objectives.adassl(pair, 2, beta), linssl.canonical_correlation(pair, 2)
    return max(
        relative(s.loss, np.sum(0.5 - _value(np.minimum(eta, beta), eta, beta))),
        relative(critic(s), critic(t)),
    )


@ROOM.theorem(
    "lifted-weights",
    r"$(A\Sigma A^T + C_\xi - C_r)v = \rho_r^2 S_+v$, $C_r = \mathrm{Cov}(x^+|x, r)$",
    r"$x^+ = Ax + \xi$; $\Sigma$, $S_+$ covariances of $x$, $x^+$",
    FROM,
    "objectives.adassl",
)
def _lifted_weights(rng):
    pair, beta = random_pair(rng), rng.uniform(0.1, 0.9)
    G, S_plus = np.asarray(pair.cross), np.asarray(pair.second)
    explained = G.T @ np.linalg.solve(pair.first, G)
    # The latent leaves min(eta, beta) of each direction of the noise, whitened by S_plus.
    eta, V = sl.eigh(S_plus - explained, S_plus)
    left = S_plus @ V * np.minimum(eta, beta) @ V.T @ S_plus
    weights = sl.eigh(S_plus - left, S_plus, eigvals_only=True)[::-1]
    return relative(linssl.objectives.adassl(pair, 3, beta).weight, weights)


@ROOM.theorem(
    "rescue",
    r"a direction of cost $c$ and $\eta \ge 1 - c$ is kept iff "
    r"$\beta < \eta\exp(1 + W_{-1}(\frac{c - 1}{e\eta}))$",
    r"kept iff value $> c/2$; joint embedding keeps it iff $\rho^2 > c$",
    "derived, for the objective of AdaSSL; Chatzigeorgiou2013",
    "theory.rescue_thresholds",
)
def _rescue(rng):
    eta = rng.uniform(0.5, 1)
    cost = 1 - eta + rng.uniform(0.1, 0.8) * eta
    root = brentq(lambda b: _value(b, eta, b) - cost / 2, 1e-9, eta, xtol=1e-15)
    return relative(linssl.theory.rescue_thresholds(eta, cost).beta, root)


@ROOM.theorem(
    "sparse-gate",
    r"open iff $e^2 > 2\beta$: $D = \eta[1 - 2(t\varphi(t) + Q(t))]$, rate $2Q(t)$, "
    r"$t = \sqrt{2\beta/\eta}$",
    r"$e \sim N(0, \eta)$ error of a direction, $\beta$ price of an open gate",
    FROM,
    "theory.l0_gate",
)
def _sparse_gate(rng):
    eta, beta = rng.uniform(0.2, 1), rng.uniform(0.05, 1)
    scale, edge = eta**0.5, (2 * beta) ** 0.5
    D = 2 * quad(lambda e: e**2 * norm.pdf(e, 0, scale), 0, edge, epsabs=1e-14)[0]
    use = linssl.theory.l0_gate(eta, beta)
    return max(relative(use.distortion, D), relative(use.rate, 2 * norm.sf(edge, 0, scale)))


@ROOM.theorem(
    "norm-budget",
    r"$q = [\frac{1}{\eta + \mu} - 1]_+$, $\mu$ such that $\sum_i q_i = Q$",
    r"$q$ variances of codes under $T = -\frac12\|f(x) - g(x^+)\|^2$, $E\|g\|^2 \le Q$",
    FROM,
    "theory.norm_budget",
)
def _norm_budget(rng):
    eta, Q = rng.uniform(0.1, 0.9, 4), rng.uniform(0.5, 2)

    def share(mu):
        return np.maximum(1 / (eta + mu) - 1, 0)

    mu = brentq(lambda mu: np.sum(share(mu)) - Q, 1e-9, 1, xtol=1e-15)
    if share(0.0).sum() <= Q:
        mu = 0.0
    q, got = share(mu), linssl.theory.norm_budget(eta, Q)
    value = (np.log(1 + q) - eta * q + 1 - eta) / 2
    return max(relative(got.norm, q), relative(np.sum(got.value), np.sum(value)))


@ROOM.theorem(
    "norm-budget-with-latent",
    r"$q = [\max(\frac{1}{\eta + \mu}, \frac{1 - \beta}{\mu}) - 1]_+$, "
    r"$D = \min(\eta, \frac{\beta}{1 + q})$: kept iff $\max(\rho^2, 1 - \beta) > \mu$",
    r"$\mu$ multiplier of the budget $Q$, $\beta$ price of the latent",
    FROM,
    "theory.norm_budget",
)
def _budget_with_latent(rng):
    eta, Q, beta = rng.uniform(0.3, 0.95, 4), rng.uniform(0.5, 2), rng.uniform(0.2, 0.6)
    got = linssl.theory.norm_budget(eta, Q, beta)
    mu, worst = float(got.multiplier), relative(np.sum(got.norm), Q)
    for e, q, v in zip(eta, np.asarray(got.norm), np.asarray(got.value), strict=True):

        def net(q, e=e):  # the best latent for a norm, less what the norm costs
            D = np.minimum(e, beta / (1 + q))
            value = (np.log(1 + q) - D * q + 1 - D - beta * np.log(e / D)) / 2
            return value - mu * q / 2

        grid = np.linspace(0, 1.5 / mu, 4001)
        worst = max(worst, np.max(net(grid)) - net(q), relative(v - mu * q / 2, net(q)))
    return worst


@ROOM.theorem(
    "two-modes",
    r"$t = \tanh(\beta_c t/\beta)$, $\beta_c = 2\rho_0^2\sin^2\varphi$: the latent is used iff "
    r"$\beta < \beta_c$",
    r"$z^+ = \rho_0R(s\varphi)z + \xi$, $s = \pm1$ hidden; $t = E[rs]$ of a binary $r$",
    FROM,
    "theory.two_modes",
)
def _two_modes(rng):
    rho, phi = rng.uniform(0.5, 1), rng.uniform(0.4, 1.4)
    critical = 2 * rho**2 * np.sin(phi) ** 2
    beta = critical * rng.uniform(0.3, 0.9)
    t = brentq(lambda t: t - np.tanh(critical * t / beta), 1e-3, 1, xtol=1e-15)
    above = linssl.theory.two_modes(rho, phi, critical * 1.01)
    return max(relative(linssl.theory.two_modes(rho, phi, beta).order, t), float(above.order))


@ROOM.theorem(
    "two-modes-averaged",
    r"joint embedding sees the correlation $\rho_0\cos\varphi$ of the average over modes",
    r"$z^+ = \rho_0R(s\varphi)z + \xi$, $s = \pm1$ hidden, $\xi$ of variance $1 - \rho_0^2$",
    FROM,
    "theory.two_modes",
)
def _two_modes_averaged(rng):
    rho, phi = rng.uniform(0.2, 0.9), rng.uniform(0.1, 1.4)
    turns = [np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) for a in (phi, -phi)]
    cross = rho * (turns[0] + turns[1]).T / 2
    found = linssl.theory.two_modes(rho, phi, 1.0).joint_embedding
    return relative([found, found], np.linalg.svd(cross, compute_uv=False))
