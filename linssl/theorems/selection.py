"""The wider family: alignment or invariance alone, what dynamics select, and the path."""

import jax.numpy as jnp
import numpy as np
import scipy.linalg as sl

import linssl
from linssl.theorems.entry import Room
from linssl.theorems.problems import (
    covariance,
    random_pair,
    random_views,
    relative,
    root,
    views_of,
)

ROOM = Room("Alignment alone, collapse and the path")


@ROOM.theorem(
    "alignment-only",
    r"$\max_{WW^T = I}\mathrm{tr}\,WGW^T$ is the sum of the top $k$ eigenvalues of $G$",
    r"$G$ covariance of two views",
    "derived",
    "objectives.alignment_only",
)
def _alignment_only(rng):
    views = random_views(rng)
    return relative(
        linssl.objectives.alignment_only(views, 2).loss, -np.sum(sl.eigvalsh(views.shared)[-2:])
    )


@ROOM.theorem(
    "invariance-only",
    r"$\min_{WW^T = I}E\|W\tau_1 - W\tau_2\|^2$ is twice the sum of the bottom $k$ eigenvalues of "
    r"$\Sigma = S - G$",
    r"$S$ covariance of a view, $G$ of two views",
    "derived",
    "objectives.invariance_only",
)
def _invariance_only(rng):
    views = random_views(rng)
    differ = sl.eigvalsh(views.covariance - views.shared)
    return relative(linssl.objectives.invariance_only(views, 2).loss, 2 * np.sum(differ[:2]))


@ROOM.theorem(
    "barlow-twins",
    r"gradient flow of $\|WGW^T - I\|^2$ from small weights ends at "
    r"$W = U\Lambda_k^{-1/2}V_k^T$: the top $k$ of $G$, not of $\omega$",
    r"$G = V\Lambda V^T$",
    "Simon2023; Zbontar2021",
    "objectives.barlow_twins",
    tolerance=1e-5,
    reason="gradient descent from weights of 1e-12, stopped after 20 000 steps",
)
def _barlow_twins(rng):
    Q = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    G = (Q * [4, 2, 0.4, 0.2, 0.1]) @ Q.T
    G = (G + G.T) / 2
    W, step = 1e-12 * rng.standard_normal((2, 5)), 0.02
    for _ in range(20_000):
        W = W - step * (W @ G @ W.T - np.eye(2)) @ W @ G
    V = linssl.objectives.barlow_twins(views_of(G, np.eye(5)), 2).encoder
    return relative(W.T @ W, V.T @ V)


@ROOM.theorem(
    "byol-fixed-points",
    r"$p_\pm = \frac{\tau\lambda \pm \sqrt{\tau^2\lambda^2 - 4\eta(\lambda + \sigma^2)}}"
    r"{2(\lambda + \sigma^2)}$",
    r"$\lambda$ data and $\sigma^2$ augmentation variance, $\tau$ target rate, $\eta$ decay",
    "Tian2021",
    "theory.byol_fixed_points",
)
def _byol(rng):
    s2, tau, lam = rng.uniform(0.2, 1.5, 3)
    eta = rng.uniform(0.1, 0.9) * tau**2 * lam**2 / 4 / (lam + s2)
    f = linssl.theory.byol_fixed_points(s2, eta, tau, lam)
    roots = np.sort(np.roots([lam + s2, -tau * lam, eta]).real)
    return relative([f.barrier, f.learned], roots)


@ROOM.theorem(
    "byol-collapse",
    r"a balanced start above $p_-$ learns $p_+$; below it, and always if "
    r"$\eta > \tau^2/(4(1 + \sigma^2))$, it collapses to 0",
    r"$p_\pm$ fixed points, $\eta$ decay, $\tau$ target rate, $\lambda = 1$",
    "Tian2021; derived",
    "theory.byol_fixed_points",
    tolerance=1e-6,
    reason="the flow is followed for 1000 units of time, and leaves fixed points slowly",
)
def _byol_collapse(rng):
    s2, tau = rng.uniform(0.1, 1), rng.uniform(0.5, 1)
    critical = tau**2 / 4 / (1 + s2)
    worst = 0.0
    for eta in (0.5 * critical, 2 * critical):
        f = linssl.theory.byol_fixed_points(s2, eta, tau)
        p = 1.5
        for _ in range(50_000):
            p += 0.02 * (p * p * (tau - (1 + s2) * p) - eta * p)
        worst = max(worst, abs(p - (float(f.learned) if eta < critical else 0.0)))
    return worst


@ROOM.theorem(
    "reconstruction-path",
    r"$\min E\|BWx - y\|^2 + l\,E\|Wx - Vy\|^2 = \mathrm{tr}\,C + lk - \sum_{i \le k}"
    r"\lambda_i(MM^T + l\,NN^T)$",
    r"$M = S^{-1/2}G$, $N = MC^{-1/2}$, $W$ whitened: $l \to 0$ is reconstruction",
    "derived",
    "objectives.reconstruction_path",
)
def _path(rng):
    pair, weight = random_pair(rng), rng.uniform(0, 3)
    S, C, G = pair.first, pair.second, pair.cross
    M = root(S, -0.5) @ G
    top = sl.eigvalsh(M @ M.T + weight * M @ sl.solve(C, M.T))[-2:]
    s = linssl.objectives.reconstruction_path(pair, 2, weight)
    return relative(s.loss, jnp.trace(C) + 2 * weight - np.sum(top))


@ROOM.theorem(
    "path-ends-in-joint-embedding",
    r"$\rho_i^2 = \omega_i$: correlations of view and clean sample are the scores of two views",
    r"$\rho$ canonical correlations of $(\tau(x), x)$, $\omega$ scores of $(\tau_1(x), \tau_2(x))$",
    "derived",
    "canonical_correlation",
)
def _path_ends(rng):
    a = linssl.compose(linssl.augmentations.Dropout(0.7), linssl.GaussianNoise(covariance(rng)))
    clean = linssl.pairs.same_instance_population(covariance(rng))
    rho = linssl.canonical_correlation(linssl.view_and_clean(clean, a), 2).spectrum
    omega = linssl.joint_embedding(linssl.two_views(clean, a), 2).spectrum
    return relative(rho**2, omega)


@ROOM.theorem(
    "family-thresholds",
    r"path: $\min\frac{\lambda(\lambda + l)}{\lambda + \theta_i} = \max\frac{\gamma(\gamma + l)}"
    r"{(1 + \alpha^2)\gamma + \theta_j}$; invariance: $\theta_j + \alpha^2\gamma = \theta_i$; soft "
    r"constraint: $1 - 1/\beta = \omega_j$",
    r"$\lambda$, $\gamma$ variances of signals and noises, $\theta$ base augmentation",
    "derived",
    "theory.family_thresholds",
)
def _family_thresholds(rng):
    lam, gamma, ti, tj = rng.uniform(0.2, 3, (4, 3))
    tj, weight, beta = 0.05 * tj, rng.uniform(0.1, 3), rng.uniform(1.05, 1.1)
    f = linssl.theory.family_thresholds(lam, gamma, ti, tj, weight, beta)

    def path(a2):
        noise = gamma * (gamma + weight) / ((1 + a2) * gamma + tj)
        return np.min(lam * (lam + weight) / (lam + ti)) - np.max(noise)

    def invariance(a2):
        return np.min(tj + a2 * gamma) - np.max(ti)

    def soft(a2):
        return 1 - 1 / beta - np.max(gamma / ((1 + a2) * gamma + tj))

    found = f.reconstruction_path, f.invariance_only, f.soft_constraint
    gaps = [g(float(t)) for g, t in zip((path, invariance, soft), found, strict=True)
            if np.isfinite(t)]  # fmt: skip
    return max(map(abs, gaps))
