"""Finite samples and finite labels: what theory says of n points, by random matrix theory."""

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import invwishart

import linssl
from linssl.theorems.entry import Room
from linssl.theorems.problems import relative

ROOM = Room("Finite samples")

SAMPLED = "fifty_draws_agree_with_theory_within_three_errors_or_ten_over_n"
RESOLVENT = "scores_and_overlaps_are_those_of_the_resolvent_of_equal_noises"


def _spectra(rng):
    """Variances, alpha and n at which every signal is found."""
    lam, gamma = np.sort(rng.uniform(1, 4, 3))[::-1], rng.uniform(0.1, 0.8, 40)
    return lam, gamma, rng.uniform(0.1, 0.5, 3), rng.uniform(0.05, 0.2, 40), 2.0, 200.0


def _edges(variance, ratio):
    """Ends of the Marchenko-Pastur law."""
    return variance * (1 - ratio**0.5) ** 2, variance * (1 + ratio**0.5) ** 2


@ROOM.theorem(
    "spiked-joint-embedding",
    r"signal $a$ is found iff $a > \max t$ and $\psi'(a) > 0$, with overlap $a\psi'(a)/\psi(a)$, "
    r"$\psi(a) = a(1 + \frac1n\sum_j\frac{t_j}{a - t_j})$",
    r"$a = \lambda/\theta_i$, $t_j = \gamma_j/(\theta_j + \alpha^2\gamma_j)$; whitened coordinates",
    "BaiYao2012; derived",
    "theory.spiked_joint_embedding",
    tolerance=1e-8,
    reason="the slope of psi is a finite difference",
)
def _je_overlap(rng):
    lam, gamma, ti, tj, alpha, n = _spectra(rng)
    t, a = gamma / (tj + alpha**2 * gamma), lam / ti

    def psi(a):
        return a * (1 + np.sum(t / (a[:, None] - t), 1) / n)

    slope = (psi(a * (1 + 1e-6)) - psi(a * (1 - 1e-6))) / (2e-6 * a)
    found = linssl.theory.spiked_joint_embedding(lam, gamma, ti, tj, alpha, n)
    return np.max(np.abs(found.whitened_overlap - a * slope / psi(a)))


@ROOM.theorem(
    "spiked-joint-embedding-in-data",
    r"overlap in data coordinates: $1/(1 + \theta_i\frac{a}{n\psi'(a)}\sum_j"
    r"\frac{t_j}{\sigma_j(a - t_j)^2})$",
    r"$\sigma_j = \theta_j + \alpha^2\gamma_j$; the limit of the secular equation",
    "Paul2007; derived",
    "theory.spiked_joint_embedding",
)
def _je_data_overlap(rng):
    lam, gamma, ti, tj, alpha, n = _spectra(rng)
    sigma = tj + alpha**2 * gamma
    t, a = gamma / sigma, lam / ti
    slope = 1 - np.sum((t / (a[:, None] - t)) ** 2, 1) / n
    spilt = a * np.sum(t / sigma / (a[:, None] - t) ** 2, 1) / n / slope
    found = linssl.theory.spiked_joint_embedding(lam, gamma, ti, tj, alpha, n)
    return np.max(np.abs(found.overlap - 1 / (1 + ti * spilt)))


@ROOM.theorem(
    "spiked-pca",
    r"$z = \lambda(1 + \int\frac{dMP(x)}{z - x})$ is the score of a signal of PCA, and "
    r"$1/(1 + \lambda\int\frac{dMP(x)}{(z - x)^2})$ its overlap",
    r"$MP$ law of noises of one variance and ratio $c$ of directions to samples, times $c$",
    "BaikSilverstein2006; Paul2007",
    "theory.spiked_pca",
)
def _pca(rng):
    lam, gamma, c = rng.uniform(2, 5), rng.uniform(0.2, 0.6), rng.uniform(0.1, 1.0)
    low, high = _edges(gamma, c)

    def average(f):
        def weighted(x):
            return f(x) * np.sqrt((high - x) * (x - low))

        return quad(weighted, low, high, epsabs=1e-13)[0] / (2 * np.pi * gamma)

    def secular(z):
        return z - lam * (1 + average(lambda x: 1 / (z - x)))

    z = brentq(secular, high * (1 + 1e-9), 50, xtol=1e-13)
    want = 1 / (1 + lam * average(lambda x: 1 / (z - x) ** 2))
    found = linssl.theory.spiked_pca([lam], np.full(100, gamma), 100 / c)
    return max(abs(float(found.overlap[0]) - want), relative(found.score[0], z))


@ROOM.theorem(
    "detection-threshold",
    r"$\frac1n\sum_j(\frac{s}{\alpha^2 + r_j - s})^2 = 1$; equal noises: $\alpha_{JE}^2 = "
    r"(1 + \sqrt c)\theta_i/\lambda - \theta_j/\gamma$",
    r"$s = \max\theta_i/\lambda_i$, $r_j = \theta_j/\gamma_j$, $c$ noise directions per sample",
    "BaiYao2012; derived",
    "theory.detection_threshold",
)
def _threshold(rng):
    lam, gamma, ti, tj, _, _ = _spectra(rng)
    tj = tj / 10
    square = float(linssl.theory.detection_threshold(lam, gamma, ti, tj, 5.0).alpha_squared)
    r, s = tj / gamma, np.max(ti / lam)

    def needed(x):
        return np.sum((s / (x + r - s)) ** 2) - 5.0

    root = brentq(needed, s - r.min() + 1e-9, 1e3, xtol=1e-14)
    return relative(square, root)


@ROOM.theorem(
    "spiked-reconstruction-is-pca",
    r"under isotropic noise $\theta I$ its overlaps are those of PCA, with scores "
    r"$z^2/(z + \theta)$",
    r"$z$ score of PCA",
    "derived",
    "theory.spiked_reconstruction",
)
def _rc(rng):
    lam, gamma, _, _, _, n = _spectra(rng)
    theta = rng.uniform(0.1, 2)
    a = linssl.theory.spiked_reconstruction(lam, gamma, theta, theta, 0.0, n)
    b = linssl.theory.spiked_pca(lam, gamma, n)
    score = b.score**2 / (b.score + theta)
    return max(np.max(np.abs(a.overlap - b.overlap)), np.max(np.abs(a.score / score - 1)))


@ROOM.theorem(
    "spiked-reconstruction",
    r"score $f$: $f(\theta_i - \sigma)\frac{g((f + y)/2) - g((f - y)/2)}{y} = 1$, "
    r"$y^2 = f^2 + 4f\sigma$",
    r"$g(z) = 1/(\lambda(1 - m(z)) - z)$, $m$ of the Marchenko-Pastur law; equal noises, "
    r"$\sigma = \theta_j + \alpha^2\gamma$",
    "derived",
    "theory.spiked_reconstruction",
    tolerance=1e-9,
    reason="that of the numerical integral",
)
def _rc_fixed_point(rng):
    lam, gamma, ti, tj, alpha, n = _spectra(rng)
    gamma, tj = np.full(40, 0.4), 0.1
    sigma, (low, high) = tj + alpha**2 * 0.4, _edges(0.4, 40 / n)

    def m(z):
        def weighted(x):
            return np.sqrt((high - x) * (x - low)) / (x - z)

        return quad(weighted, low, high, epsabs=1e-13)[0] / (0.8 * np.pi)

    def g(lam, z):
        return 1 / (lam * (1 - m(z)) - z)

    f = np.asarray(linssl.theory.spiked_reconstruction(lam, gamma, ti, tj, alpha, n).score)
    y = np.sqrt(f**2 + 4 * f * sigma)
    block = [(g(a, (b + c) / 2) - g(a, (b - c) / 2)) / c for a, b, c in zip(lam, f, y, strict=True)]
    return np.max(np.abs(f * (ti - sigma) * block - 1))


@ROOM.theorem(
    "labelled-probe",
    r"$E[\mathrm{risk}] = R\frac{n - 1}{n - k - 1}$ without intercept, "
    r"$R\frac{(n + 1)(n - 2)}{n(n - k - 2)}$ with",
    r"$R$ risk of the best probe, least squares on $n$ Gaussian labels and $k$ features",
    "derived",
    "theory.labelled_probe_risk",
)
def _probe(rng):
    k, n = 4, int(rng.integers(12, 60))
    S = np.cov(rng.standard_normal((k, 20)))
    excess = np.trace(S @ invwishart(n, np.linalg.inv(S)).mean())
    # With an intercept: one label fewer for the slopes, and the error of the mean.
    centred = np.trace(S @ invwishart(n - 1, np.linalg.inv(S)).mean())
    both = [1 + excess, (1 + 1 / n) * (1 + centred)]
    got = [float(linssl.theory.labelled_probe_risk(1.0, k, n, intercept=i)) for i in (False, True)]
    return np.max(np.abs(np.divide(got, both) - 1))
