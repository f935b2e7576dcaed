"""SimVAE, linear and Gaussian: likelihood, solutions, limits, bounds."""

import numpy as np
import scipy.linalg as sl
from scipy.optimize import minimize_scalar
from scipy.stats import multivariate_normal

import linssl
from linssl.theorems.entry import Room
from linssl.theorems.problems import decoder, random_views, relative, views_of

ROOM = Room("SimVAE")

FROM = "derived, for the model of SimVAE"
J = 3


def _group(shared, own):
    """Covariance of the J views of a group, stacked: `shared` across views, `own` on top."""
    return np.kron(np.ones((J, J)), shared) + np.kron(np.eye(J), own)


def _nll(Sigma, views):
    """Minus the mean log-likelihood of groups, by one dense normal."""
    M = _group(np.asarray(views.shared), np.asarray(views.spread))
    log_det = np.linalg.slogdet(2 * np.pi * Sigma)[1]
    return (log_det + np.trace(np.linalg.solve(Sigma, M))) / 2


def _commuting(rng):
    """Views whose moments have common axes, with B and W_n's eigenvalues."""
    Q = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    g, w = np.array([3.0, 2.0, 0.3]) * rng.uniform(0.8, 1.2, 3), rng.uniform(0.3, 1.2, 3)
    G, Sigma = ((Q * e) @ Q.T for e in (g, w))
    return views_of((G + G.T) / 2, (Sigma + Sigma.T) / 2), w + J * g, w


@ROOM.theorem(
    "simvae-likelihood",
    r"$NLL = \frac12[\log|\Sigma_+| + \mathrm{tr}\,\Sigma_+^{-1} B + (J - 1)(\log|\Sigma_-| + "
    r"\mathrm{tr}\,\Sigma_-^{-1} W_n) + Jd\log 2\pi]$",
    r"$\Sigma_+ = (J + v) WW^T + sI$, $\Sigma_- = v WW^T + sI$; $B$, $W_n$ sufficient moments",
    FROM,
    "simvae",
)
def _likelihood(rng):
    views = random_views(rng, 3)
    s = linssl.simvae(views, 2, J, style=0.5, noise=0.4)
    WW = decoder(s) @ decoder(s).T
    return relative(s.loss, _nll(_group(WW, 0.5 * WW + 0.4 * np.eye(3)), views))


@ROOM.theorem(
    "simvae-cubic",
    r"$\tau_+(s + \tau_+ m - b)(s + vm)^2 + (J - 1)v(s + vm - w)(s + \tau_+ m)^2 = 0$ or $m = 0$ "
    r"is the best size of a direction, $W = U\sqrt m$",
    r"$b$, $w$ eigenvalues of $B$, $W_n$ that commute; $\tau_+ = J + v$",
    FROM,
    "simvae",
)
def _cubic(rng):
    views, b, w = _commuting(rng)
    s, v, losses = 0.2, 0.5, []
    for bi, wi in zip(b, w, strict=True):

        def loss(m, bi=bi, wi=wi):
            plus, minus = s + (J + v) * m, s + v * m
            return (np.log(plus) + bi / plus + (J - 1) * (np.log(minus) + wi / minus)) / 2

        p = np.polynomial.Polynomial
        plus, minus = p([s, J + v]), p([s, v])
        cubic = (J + v) * (plus - bi) * minus**2 + (J - 1) * v * (minus - wi) * plus**2
        real = [z.real for z in cubic.roots() if abs(z.imag) < 1e-9 and z.real > 0]
        losses.append((min(map(loss, [0.0, *real])), loss(0.0)))
    best, none = np.array(losses).T
    two = np.sum(none) + np.sum(np.sort(best - none)[:2])
    fit = linssl.simvae(views, 2, J, style=v, noise=s)
    return relative(fit.loss, two + 3 * J * np.log(2 * np.pi) / 2)


@ROOM.theorem(
    "simvae-posterior",
    r"$E[z|x] = tW^T(tWW^T + sI)^{-1}x$, $\mathrm{Cov}[z|x] = (W^TW/s + I/t)^{-1}$, $t = 1 + v$",
    r"$z$ code of one view $x$, $v$ style, $s$ noise",
    FROM,
    "simvae",
)
def _posterior(rng):
    fit = linssl.simvae(random_views(rng, 3), 2, J, style=0.5, noise=0.4)
    W, x = decoder(fit), rng.standard_normal((5, 3))
    joint = np.block([[1.5 * np.eye(2), 1.5 * W.T], [1.5 * W, 1.5 * W @ W.T + 0.4 * np.eye(3)]])
    precision = np.linalg.inv(joint)  # of z given x: its block, and the mean by its other block
    law, Cov = fit.posterior(x), np.linalg.inv(precision[:2, :2])
    return max(relative(law.mean, -x @ precision[2:, :2] @ Cov), relative(law.covariance, Cov))


@ROOM.theorem(
    "probabilistic-pca",
    r"$s = \frac{1}{d - k}\sum_{i > k}\lambda_i$, $WW^T(1 + v) = U_k(\Lambda_k - sI)U_k^T$",
    r"$J = 1$ view; $\lambda$ eigenvalues of $S$",
    "TippingBishop1999; SimVAE",
    "simvae",
)
def _ppca(rng):
    views = random_views(rng, 3)
    values, U = np.linalg.eigh(views.covariance)
    fit = linssl.simvae(views, 2, 1, style=0.5)
    WW = (U[:, 1:] * (values[1:] - values[0])) @ U[:, 1:].T
    return max(relative(fit.noise, values[0]), relative(1.5 * decoder(fit) @ decoder(fit).T, WW))


@ROOM.theorem(
    "plda-is-joint-embedding",
    r"$Bv = \lambda W_n v$ iff $Gv = \omega Sv$, $\omega = (\lambda - 1)/(\lambda + J - 1)$: a "
    r"free covariance within groups drops style",
    r"$B = S + (J - 1)G$, $W_n = S - G$",
    "derived; Ioffe2006",
    "objectives.plda",
)
def _plda_is_je(rng):
    views = random_views(rng)
    S, G = np.asarray(views.covariance), np.asarray(views.shared)
    lam = sl.eigh(S + (J - 1) * G, S - G, eigvals_only=True)[::-1]
    fit, je = linssl.objectives.plda(views, 2, J), linssl.joint_embedding(views, 2)
    return max(
        relative(fit.spectrum, (lam - 1) / (lam + J - 1)),
        float(linssl.subspace_distance(fit.encoder, je.encoder)),
    )


@ROOM.theorem(
    "plda-likelihood",
    r"$NLL = \frac12[J\log|S| + \sum_{i \le k}(\log(1 + (J - 1)\omega_i) + "
    r"(J - 1)\log(1 - \omega_i)) + Jd(1 + \log 2\pi)]$",
    r"$x_j = Fy + N(0, \Phi)$ at its maximum over $F$ and $\Phi$",
    "derived; Ioffe2006",
    "objectives.plda",
)
def _plda_likelihood(rng):
    views = random_views(rng)
    fit = linssl.objectives.plda(views, 2, J)
    FF = decoder(fit) @ decoder(fit).T
    return relative(fit.loss, _nll(_group(FF, np.asarray(fit.within)), views))


@ROOM.theorem(
    "evidence-bound",
    r"$ELBO \le \log p(x)$ with $q(z_j|x_j) = N(Ex_j, Q)$, and equal for one view",
    r"$E$, $Q$ the best encoder of single views for the decoder",
    FROM,
    "objectives.simvae_elbo",
)
def _evidence(rng):
    views, W = random_views(rng, 3), rng.standard_normal((3, 2))
    WW, noise = W @ W.T, 0.4 * np.eye(3)
    S = np.asarray(views.covariance)
    one = -np.trace(np.linalg.solve(1.5 * WW + noise, S)) / 2
    one += multivariate_normal(np.zeros(3), 1.5 * WW + noise).logpdf(np.zeros(3))
    bounds = [
        linssl.objectives.simvae_elbo(views, W, n, style=0.5, noise=0.4).value for n in (1, J)
    ]
    excess = float(bounds[1]) + _nll(_group(WW, 0.5 * WW + noise), views)
    return max(relative(bounds[0], one), excess)


@ROOM.theorem(
    "factorised-encoder",
    r"$m = \max(0, \frac{p}{2J}[1 + \sqrt{1 - 4s(J/t - a/p)}] - \frac{sp}{t})$, "
    r"$E = \frac{\sqrt m\,t}{mt + sp}u^T$",
    r"$t = b + (J - 1)w$, $p = b/\tau_+ + (J - 1)w/v$, $a = 1/\tau_+ + (J - 1)/v$",
    FROM,
    "objectives.factorised_simvae",
)
def _factorised(rng):
    views, b, w = _commuting(rng)
    s, v = 0.1, 0.5
    t, p, a = b + (J - 1) * w, b / (J + v) + (J - 1) * w / v, 1 / (J + v) + (J - 1) / v

    def cost(root, i):  # minus twice the ELBO, in an axis with decoder root u
        m = root**2
        e, q = root * t[i] / (m * t[i] + s * p[i]), J / (J * m / s + a)
        cost = ((1 - root * e) ** 2 * t[i] + J * m * q) / s + e**2 * p[i] + a * q
        return cost + np.log(J + v) + (J - 1) * np.log(v) - J * (np.log(q) + 1)

    grid = np.linspace(1e-3, 4, 200)
    total = 0.0
    for i in range(3):
        start = grid[np.argmin([cost(r, i) for r in grid])]
        near = (max(start - 0.02, 1e-9), start + 0.02)  # as far as the grid's next points
        best = minimize_scalar(
            cost, bounds=near, args=(i,), method="bounded", options={"xatol": 1e-12}
        )
        total += min(best.fun, cost(1e-9, i)) / 2
    fit = linssl.objectives.factorised_simvae(views, 3, J, style=v, noise=s)
    return relative(fit.loss, total + 3 * J * np.log(2 * np.pi * s) / 2)


@ROOM.theorem(
    "price-of-style",
    r"$g(s + J\kappa, s) = g(s + \sigma, s + \sigma)$, $g$ the gain of a direction: content of "
    r"variance $\kappa$ is worth style of variance $\sigma$",
    r"$g(b, w) = \max_m$ of what $W = \sqrt m\,u$ takes off the loss; returns $\kappa/\sigma$",
    FROM,
    "theory.exchange_rate",
)
def _price_of_style(rng):
    sigma, s, v = rng.uniform(0.5, 2), rng.uniform(0.2, 0.6), rng.uniform(0.3, 1)
    kappa = sigma * float(linssl.theory.exchange_rate(sigma, s, v, J))

    def gain(b, w):
        def loss(m):
            plus, minus = s + (J + v) * m, s + v * m
            return (np.log(plus) + b / plus + (J - 1) * (np.log(minus) + w / minus)) / 2

        grid = np.geomspace(1e-6, 1e2, 400)
        start = grid[np.argmin([loss(m) for m in grid])]
        found = minimize_scalar(loss, (start * 0.95, start, start * 1.05), tol=1e-12)
        return loss(0.0) - found.fun

    return relative(gain(s + J * kappa, s), gain(s + sigma, s + sigma))


@ROOM.theorem(
    "content-given-a-group",
    r"$E[y|x] = JW^T\Sigma_+^{-1}\bar x$ given all views of a group",
    r"$y$ content, $\bar x$ mean of the views, $\Sigma_+ = (J + v)WW^T + sI$",
    FROM,
    "simvae",
)
def _group_posterior(rng):
    fit = linssl.simvae(random_views(rng, 3), 2, J, style=0.5, noise=0.4)
    W, x = decoder(fit), rng.standard_normal((J, 3))
    Sigma = _group(W @ W.T, 0.5 * W @ W.T + 0.4 * np.eye(3))
    want = np.tile(W.T, J) @ np.linalg.solve(Sigma, x.ravel())
    return relative(fit.group_posterior(x).content.mean, want)
