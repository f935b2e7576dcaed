"""Inverse design: the weakest augmentation that keeps what matters."""

import jax
import numpy as np
import scipy.linalg as sl
from scipy.optimize import brentq

import linssl
from linssl.theorems.entry import Room
from linssl.theorems.problems import covariance, relative

ROOM = Room("Design")


def _gap(C, noise, dim=2):
    """The gap of joint embedding's scores at the cut."""
    scores = sl.eigh(C, C + noise, eigvals_only=True)
    return scores[-dim] - scores[-dim - 1]


@ROOM.theorem(
    "weakest-noise",
    r"$\omega_k - \omega_{k+1} = \delta$ first at $t = 2\delta ab/(h + \sqrt{h^2 - 4\delta^2ab})$, "
    r"$h = a - b - \delta(a + b)$",
    r"noise $t\,\Theta$; $a$, $b$ eigenvalues $k$ and $k + 1$ of $\Theta^{-1/2}C\,\Theta^{-1/2}$",
    "derived; JEvRC, Theorem 2",
    "theory.gap_scale",
)
def _weakest_noise(rng):
    C, Theta = covariance(rng), covariance(rng)
    largest = linssl.theory.gap_scale(C, Theta, 2, 0.0)
    gap = 0.5 * float(largest.largest_gap)
    best = float(largest.best)
    root = brentq(lambda t: _gap(C, t * Theta) - gap, 1e-12, best, xtol=1e-15)
    return relative(linssl.theory.gap_scale(C, Theta, 2, gap).least, root)


@ROOM.theorem(
    "largest-gap",
    r"$\max_t\,\omega_k - \omega_{k+1} = (\sqrt a - \sqrt b)/(\sqrt a + \sqrt b)$, at "
    r"$t = \sqrt{ab}$",
    r"noise $t\,\Theta$; $a$, $b$ eigenvalues $k$ and $k + 1$ of $\Theta^{-1/2}C\,\Theta^{-1/2}$",
    "derived; JEvRC, Theorem 2",
    "theory.gap_scale",
)
def _largest_gap(rng):
    C, Theta = covariance(rng), covariance(rng)
    found = linssl.theory.gap_scale(C, Theta, 2, 0.0)
    best = float(found.best)
    others = max(_gap(C, best * f * Theta) for f in np.geomspace(0.1, 10, 51))
    return max(
        relative(found.largest_gap, _gap(C, best * Theta)), others - float(found.largest_gap)
    )


@ROOM.theorem(
    "derivative-of-a-projector",
    r"$dP = \sum_{i \le k < j}\frac{q_iq_i^T\,dM\,q_jq_j^T + q_jq_j^T\,dM\,q_iq_i^T}"
    r"{\lambda_i - \lambda_j}$, eigenvalues repeated on either side or not",
    r"$P = Q_kQ_k^T$ projects on the top $k$ eigenvectors $q$ of $M$",
    "derived; DavisKahan1970",
    "linalg.projector",
    tolerance=1e-7,
    reason="the derivative is compared with a central difference",
)
def _projector(rng):
    Q = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    M, dM = (Q * [3.0, 3.0, 1.0, 1.0]) @ Q.T, covariance(rng)
    M = (M + M.T) / 2

    def top(M):
        V = np.linalg.eigh(M)[1][:, 2:]
        return V @ V.T

    P, dP = jax.jvp(lambda M: linssl.linalg.projector(M, 2), (M,), (dM,))
    want = (top(M + 1e-5 * dM) - top(M - 1e-5 * dM)) / 2e-5
    return max(relative(P, top(M)), relative(dP, want))


@ROOM.theorem(
    "mixture",
    r"$\bar A = \sum_p\pi_p\bar A_p$, $\Sigma = \sum_p\pi_p(\Sigma_p + "
    r"\mathrm{Cov}(\bar\tau_p(x) - \bar\tau(x)))$",
    r"one of several augmentations $\tau_p$, drawn with probability $\pi_p$ for each view",
    "derived",
    "augmentations.Mixture",
)
def _mixture(rng):
    C, Theta, q = covariance(rng), covariance(rng), rng.uniform(0.3, 0.9)
    a = linssl.augmentations.Mixture(
        [linssl.GaussianNoise(Theta), linssl.augmentations.Dropout(q)], [0.3, 0.7]
    )
    mean = rng.standard_normal(4)
    views = linssl.two_views(linssl.pairs.same_instance_population(C, mean), a)
    # About 0, and then about the mean of all views.
    raw, square = C + np.outer(mean, mean), np.outer(mean, mean)
    dropped = q**2 * raw + q * (1 - q) * np.diag(np.diag(raw))
    kept = 0.3 + 0.7 * q
    S = 0.3 * (raw + Theta) + 0.7 * dropped - kept**2 * square
    return max(
        relative(views.covariance, S),
        relative(views.shared, kept**2 * C),
        relative(views.mean, kept * mean),
    )


@ROOM.theorem(
    "weakest-alignment",
    r"the weakest design with aligned noise is $\alpha_{JE}$ as the gap goes to 0",
    r"$\alpha_{JE}$ of alignment thresholds, design for the subspace of the signals",
    "derived; JEvRC, section 4",
    "design",
    tolerance=1e-5,
    reason="the design has a gap of 1e-8, to which the search comes near; the threshold has none",
)
def _weakest_alignment(rng):
    lam, gamma, theta = rng.uniform(1, 3, 2), rng.uniform(3, 6, 2), rng.uniform(0.2, 0.8, 4)
    want = linssl.alignment_thresholds(lam, gamma, theta[:2], 0.1 * theta[2:]).joint_embedding
    base = np.diag([*theta[:2], *(0.1 * theta[2:])])
    family = linssl.designs.AlignmentFamily(base, np.diag([0.0, 0.0, *gamma]))
    same = linssl.pairs.same_instance_population(np.diag([*lam, *gamma]))
    found = linssl.design(same, family, subspace=np.eye(2, 4), gap=1e-8)
    assert isinstance(found.augmentation, linssl.AlignedNoise)
    return abs(float(found.augmentation.alpha**2 - want**2)) / (1 + float(want) ** 2)
