"""How much alignment keeps the signal: thresholds, their difference, and their limits."""

import numpy as np
import scipy.linalg as sl
from scipy.optimize import brentq

import linssl
from linssl.theorems.entry import Room
from linssl.theorems.problems import covariance, relative

ROOM = Room("Alignment")


def _spectra(rng, base=0.05):
    """Variances of signal, noise and base augmentation on both, that need some alignment."""
    signal, noise, theta = rng.uniform(0.5, 3, 3), rng.uniform(2, 6, 3), rng.uniform(0.5, 2, 3)
    return signal, noise, theta, base * rng.uniform(0.5, 2, 3)


def _crossing(kept, lost):
    """The square of alpha at which the weakest kept score meets the strongest lost one."""
    return brentq(lambda a2: np.min(kept(a2)) - np.max(lost(a2)), -0.99, 1e3, xtol=1e-14)


@ROOM.theorem(
    "alignment-joint-embedding",
    r"$\alpha_{JE}^2 = \max_{ij}\; \theta_i/\lambda_i - \theta_j/\gamma_j$",
    r"$\lambda$, $\gamma$ variances of signals and noises; $\theta$ of the base augmentation",
    "JEvRC, section 4",
    "alignment_thresholds",
)
def _alignment_je(rng):
    lam, gamma, ti, tj = _spectra(rng)
    root = _crossing(lambda _: lam / (lam + ti), lambda a2: gamma / ((1 + a2) * gamma + tj))
    found = linssl.alignment_thresholds(lam, gamma, ti, tj)
    return relative(found.joint_embedding_squared, root)


@ROOM.theorem(
    "alignment-reconstruction",
    r"$\alpha_{RC}^2 = \max_{ij}\; \gamma_j(\lambda_i + \theta_i)/\lambda_i^2 - 1 - "
    r"\theta_j/\gamma_j$",
    r"$\lambda$, $\gamma$ variances of signals and noises; $\theta$ of the base augmentation",
    "JEvRC, section 4",
    "alignment_thresholds",
)
def _alignment_rc(rng):
    lam, gamma, ti, tj = _spectra(rng)
    root = _crossing(lambda _: lam**2 / (lam + ti), lambda a2: gamma**2 / ((1 + a2) * gamma + tj))
    found = linssl.alignment_thresholds(lam, gamma, ti, tj)
    return relative(found.reconstruction_squared, root)


@ROOM.theorem(
    "alignment-of-blocks",
    r"$\alpha_{JE}^2 = \lambda_{\max}(C^{-1}\Theta_s) - \lambda_{\min}(\Gamma^{-1}\Theta_n)$, "
    r"$\alpha_{RC}^2 = \lambda_{\max}(\Gamma/t - \Gamma^{-1/2}\Theta_n\Gamma^{-1/2}) - 1$",
    r"$1/t = \lambda_{\max}(C^{-1} + C^{-1}\Theta_s C^{-1})$; blocks of signal and noise",
    "JEvRC, section 4; derived",
    "alignment_thresholds",
)
def _alignment_blocks(rng):
    C, Gamma, Ts, Tn = (covariance(rng, 3) for _ in range(4))
    found = linssl.alignment_thresholds(C, 3 * Gamma, Ts, 0.05 * Tn)
    a_je, a_rc = found.joint_embedding_squared, found.reconstruction_squared

    def top(G, N, a2):  # noise: largest scores; G^2 enters reconstruction's
        S = (1 + a2) * G + N
        return sl.eigh(G, S, eigvals_only=True)[-1], np.linalg.eigvals(np.linalg.solve(S, G @ G))

    je = sl.eigh(C, C + Ts, eigvals_only=True)[0]
    rc = np.min(np.linalg.eigvals(np.linalg.solve(C + Ts, C @ C)).real)
    noise_je, _ = top(3 * Gamma, 0.05 * Tn, float(a_je))
    _, noise_rc = top(3 * Gamma, 0.05 * Tn, float(a_rc))
    return max(relative(noise_je, je), relative(np.max(noise_rc.real), rc))


@ROOM.theorem(
    "alignment-of-smaller-codes",
    r"with $k < m$ only signals that the cut keeps on clean data count in the maximum over $i$",
    r"$k$ size of the code, $m$ number of signals",
    "derived",
    "alignment_thresholds",
)
def _alignment_smaller(rng):
    lam, gamma, ti, tj = _spectra(rng)
    found = linssl.alignment_thresholds(lam, gamma, ti, tj, 2)
    je, rc = np.sort(lam / (lam + ti))[-2:], np.sort(lam**2 / (lam + ti))[-2:]
    a = _crossing(lambda _: je, lambda a2: gamma / ((1 + a2) * gamma + tj))
    b = _crossing(lambda _: rc, lambda a2: gamma**2 / ((1 + a2) * gamma + tj))
    return max(
        relative(found.joint_embedding_squared, a), relative(found.reconstruction_squared, b)
    )


@ROOM.theorem(
    "alignment-difference",
    r"$\alpha_{RC}^2 - \alpha_{JE}^2 = (\gamma/\lambda - 1)(1 + \theta/\lambda)$ for one signal "
    r"and one noise: joint embedding needs less iff $\gamma > \lambda$",
    r"$\theta$ base augmentation on the signal; unclipped squares",
    "derived",
    "alignment_thresholds",
)
def _alignment_difference(rng):
    lam, gamma, ti, tj = (v[:1] for v in _spectra(rng))
    found = linssl.alignment_thresholds(lam, gamma, ti, tj)
    gap = found.reconstruction_squared - found.joint_embedding_squared
    return abs(gap - ((gamma / lam - 1) * (1 + ti / lam))[0]) / (1 + abs(gap))


@ROOM.theorem(
    "noise-magnitude",
    r"every $\gamma_j < \eta^2/\delta$ gives $\alpha_{RC} \le \alpha_{JE}$, every "
    r"$\gamma_j > \eta^2/\delta$ gives $\alpha_{JE} \le \alpha_{RC}$",
    r"$\delta = \min \lambda/(\lambda + \theta)$, $\eta^2 = \min \lambda^2/(\lambda + \theta)$",
    "JEvRC, section 4",
    "theory.magnitude_regime",
)
def _noise_magnitude(rng):
    lam, gamma, ti, tj = _spectra(rng)
    edge = float(linssl.theory.magnitude_regime(lam, gamma, ti).boundary)
    want = np.min(lam**2 / (lam + ti)) / np.min(lam / (lam + ti))
    wrong = 0.0
    for noise, sign in (
        (edge * rng.uniform(0.2, 0.99, 3), 1),
        (edge * rng.uniform(1.01, 5, 3), -1),
    ):
        a = linssl.alignment_thresholds(lam, noise, ti, tj)
        wrong = max(wrong, sign * float(a.reconstruction_squared - a.joint_embedding_squared))
    return max(relative(edge, want), wrong)


@ROOM.theorem(
    "noise-on-signal",
    r"JE: $\alpha^2 > \theta_i/\lambda_i - (1 + \gamma_i/\lambda_i)\theta_j/\gamma_j$; RC: "
    r"$\alpha^2[(\lambda_i+\gamma_i)^2 - \gamma_i\gamma_j]\gamma_j > "
    r"(\lambda_i+\gamma_i+\theta_i)\gamma_j^2 - (\lambda_i+\gamma_i)^2(\gamma_j+\theta_j)$",
    r"$\gamma_i$ noise on signal $i$; where the bracket is negative more alignment hurts",
    "JEvRC, section 4; derived",
    "theory.alignment_interval",
)
def _noise_on_signal(rng):
    lam, gamma, ti, tj = (v[:1] for v in _spectra(rng))
    gi = rng.uniform(0.01, 0.1, 1)
    je, rc = linssl.theory.alignment_interval(lam, gamma, ti, tj, gi)
    total = lam + gi

    def kept(power):
        return lambda a2: total**power / (total + ti + a2 * gi)

    def lost(power):
        return lambda a2: gamma**power / ((1 + a2) * gamma + tj)

    return max(
        relative(je.lower_squared, _crossing(kept(1), lost(1))),
        relative(rc.lower_squared, _crossing(kept(2), lost(2))),
    )


def _solved(rng, alphas):
    """Distances of finite-sample solutions on noisy data to those on clean data."""
    x, noise = rng.standard_normal((30, 5)) * [2, 1.5, 1, 0, 0], rng.standard_normal((30, 5))
    noisy = x + noise * [0, 0, 0, 1, 1]
    Gamma, Theta = np.array([0, 0, 0, 1.0, 1.0]), np.full(5, 0.1)
    for alpha in alphas:
        a = linssl.AlignedNoise(Theta, Gamma, alpha)
        yield [
            linssl.subspace_distance(solve(noisy).encoder, solve(x).encoder)
            for solve in (
                lambda p, a=a: linssl.joint_embedding(linssl.two_views(p, a), 3),
                lambda p, a=a: linssl.reconstruction(linssl.view_and_clean(p, a), 3),
            )
        ]


@ROOM.theorem(
    "infinite-alignment",
    r"the distance to the clean solution falls like $\alpha^{-4}$ as $\alpha \to \infty$, for any "
    r"$n > k$",
    r"squared chordal distance; $k$ signals, $n$ samples about their mean, noise off the signals",
    "JEvRC, section 4; derived",
    "subspace_distance",
    tolerance=1e-3,
    reason="the law is the limit; at alpha = 300 the next order is 1e-5 of it",
)
def _infinite_alignment(rng):
    near, far = _solved(rng, (300.0, 600.0))
    return relative(np.divide(near, far), [16.0, 16.0])
