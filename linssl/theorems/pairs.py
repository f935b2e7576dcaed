"""Semantic pairs and groups: moments, label noise, discriminant analysis, thresholds."""

import itertools

import jax.numpy as jnp
import numpy as np
import scipy.linalg as sl
from scipy.optimize import brentq

import linssl
from linssl.pairs import SemanticPairs, another_class, groups, held_by
from linssl.theorems.entry import Room
from linssl.theorems.problems import covariance, relative

ROOM = Room("Pairs")

FROM = "derived, for the pairs of SemPairs"


def _classes(rng):
    """Labelled instances: 4 + 5 + 6 of three classes, in three dimensions."""
    labels = np.repeat([0, 1, 2], [4, 5, 6])
    return rng.standard_normal((15, 3)) + rng.standard_normal((3, 3))[labels], labels


def _average(x, allowed):
    """Symmetric average of x_i x_j^T about the mean: over i, and the j that are allowed for it."""
    x, M = x - x.mean(0), np.zeros((3, 3))
    for i in range(len(x)):
        partners = [j for j in range(len(x)) if allowed(i, j)]
        M += np.outer(x[i], x[partners].mean(0)) / len(x)
    return (M + M.T) / 2


@ROOM.theorem(
    "semantic-pairs",
    r"$G = (1 - pq) S_B + (1 - p) S_W$, $S = S_B + S_W$ for every $p$, $q$",
    r"$p$ share of pairs of one class, $q$ of these mislabelled; $S_B$, $S_W$ covariances between "
    r"and within classes",
    FROM,
    "pairs.SemanticPairs",
)
def _semantic_pairs(rng):
    B, W, (p, q) = covariance(rng), covariance(rng), rng.uniform(0, 1, 2)
    views = linssl.pairs.SemanticPairs.population(B, W).pair(p, q)
    # by the kinds of a pair: an instance with itself, class mates, strangers
    G = (1 - p) * (B + W) + p * (1 - q) * B + p * q * np.zeros((4, 4))
    return max(
        relative(views.shared, G),
        relative(views.shared, (1 - p * q) * B + (1 - p) * W),
        relative(views.covariance, B + W),
    )


@ROOM.theorem(
    "pairs-of-distinct-instances",
    r"$M = S_B - \sum_c \pi_c\hat W_c/n_c$ averages all pairs of two "
    r"instances of one class",
    r"$S_B$ covariance of class means, $\hat W_c$ within class $c$ with divisor $n_c - 1$: it "
    r"takes out self-pairs",
    FROM,
    "same_class",
)
def _distinct(rng):
    x, labels = _classes(rng)
    M = _average(x, lambda i, j: i != j and labels[i] == labels[j])
    return relative(linssl.same_class(x, labels).shared, M)


@ROOM.theorem(
    "label-noise-is-less-pairing",
    r"$G(p, q) = (1 - pq)\,G(p', 0)$, $p' = p(1 - q)/(1 - pq)$",
    r"$p$ share of class pairs, $q$ of these mislabelled",
    FROM,
    "pairs.SemanticPairs",
)
def _label_noise(rng):
    pairs = linssl.pairs.SemanticPairs.population(covariance(rng), covariance(rng))
    p, q = rng.uniform(0.1, 0.9, 2)
    less = pairs.pair(p * (1 - q) / (1 - p * q)).shared
    return relative(pairs.pair(p, q).shared, (1 - p * q) * less)


@ROOM.theorem(
    "discriminant-analysis",
    r"$\omega = f/(1 + f)$ at $p = 1$, $q = 0$, with the discriminants of Fisher",
    r"$S_B v = f S_W v$; $\omega$ scores of joint embedding",
    FROM,
    "joint_embedding",
)
def _discriminant(rng):
    x, labels = _classes(rng)
    means = np.array([x[labels == c].mean(0) for c in range(3)])[labels]
    within, between = (x - means).T @ (x - means), (means - x.mean(0)).T @ (means - x.mean(0))
    f, V = sl.eigh(between, within)
    s = linssl.joint_embedding(linssl.same_class(x, labels, distinct=False), 2)
    directions = V[:, -2:] * np.sqrt(15 / (1 + f[-2:]))
    return max(
        relative(s.spectrum[:2], (f / (1 + f))[::-1][:2]),
        relative(s.encoder.T @ s.encoder, directions @ directions.T),
    )


@ROOM.theorem(
    "another-class",
    r"$G = (1 - pqK/(K - 1)) S_B + (1 - p) S_W$",
    r"a mislabelled partner is of another of $K$ equally frequent classes",
    FROM,
    "pairs.another_class",
)
def _another_class(rng):
    labels = np.repeat([0, 1, 2], 5)
    x = rng.standard_normal((15, 3)) + rng.standard_normal((3, 3))[labels]
    M = _average(x, lambda i, j: labels[i] != labels[j])
    means = np.array([x[labels == c].mean(0) for c in range(3)]) - x.mean(0)
    got = linssl.same_class(x, labels, 1.0, 1.0, linssl.pairs.another_class, distinct=False).shared
    return max(relative(got, M), relative(got, -means.T @ means / 3 / 2))


@ROOM.theorem(
    "within-superclass",
    r"$G = (1 - pq) S_B + pq\,S_{super} + (1 - p) S_W$",
    r"a mislabelled partner is of any class of the same superclass, by frequency",
    FROM,
    "pairs.within_superclass",
)
def _superclass(rng):
    x, labels = _classes(rng)
    above = np.array([0, 0, 1])
    M = _average(x, lambda i, j: above[labels[i]] == above[labels[j]])
    law = linssl.pairs.within_superclass(above)
    return relative(linssl.same_class(x, labels, 1.0, 1.0, law, distinct=False).shared, M)


def _scores(rng):
    """Variances, p, q and both scores with given p and alpha squared."""
    kappa, g, theta = rng.uniform(0.5, 2, 3), rng.uniform(2, 5, 3), rng.uniform(0.2, 1, 3)
    noise_base, q = rng.uniform(0.01, 0.1, 3), rng.uniform(0, 0.5)

    def gap(power, p, a2):
        kept = ((1 - p * q) * kappa) ** power / (kappa + theta)
        lost = ((1 - p) * g) ** power / ((1 + a2) * g + noise_base)
        return np.min(kept) - np.max(lost)

    return (kappa, g, theta, noise_base), q, gap


@ROOM.theorem(
    "alignment-with-pairing",
    r"$\alpha_{JE}^2 = \max\; r(1 + \theta_i/\kappa_i) - 1 - \theta_j/g_j$, $\alpha_{RC}^2 = "
    r"\max\; r^2 g_j(\kappa_i + \theta_i)/\kappa_i^2 - 1 - \theta_j/g_j$",
    r"$r = (1 - p)/(1 - pq)$; $\kappa$ variances between classes, $g$ of noises",
    FROM,
    "theory.pairing_thresholds",
)
def _alignment_with_pairing(rng):
    spectra, q, gap = _scores(rng)
    p = rng.uniform(0, 0.5)
    found = linssl.theory.pairing_thresholds(*spectra, p, q)
    got = found.joint_embedding_squared, found.reconstruction_squared
    want = [
        brentq(lambda a2, power=power: gap(power, p, a2), -0.999, 1e3, xtol=1e-14)
        for power in (1, 2)
    ]
    return relative(got, want)


@ROOM.theorem(
    "pairing-without-alignment",
    r"$p_c = (1 - x)/(1 - qx)$, $x_{JE} = \frac{\kappa(g + \theta_j)}{g(\kappa + \theta_i)}$, "
    r"$x_{RC} = \frac{\kappa}{g}\sqrt{\frac{g + \theta_j}{\kappa + \theta_i}}$",
    r"more pairing than $p_c$ needs no alignment; $p_c = 0$ where $x \ge 1$",
    FROM,
    "theory.pairing_thresholds",
)
def _pairing_alone(rng):
    spectra, q, gap = _scores(rng)
    found = linssl.theory.pairing_thresholds(*spectra, 0.0, q)
    got = found.joint_embedding_fraction, found.reconstruction_fraction
    want = [brentq(lambda p, power=power: gap(power, p, 0.0), 0, 1, xtol=1e-14) for power in (1, 2)]
    return relative(got, want)


@ROOM.theorem(
    "groups",
    r"$B = S + (J - 1) G = J\,\mathrm{Cov}(\bar x)$, $\Sigma = \frac{1}{n(J - 1)}\sum_{ij}"
    r"(x_{ij} - \bar x_i)(x_{ij} - \bar x_i)^T$",
    r"$J$ views $x_{ij}$ of $n$ contents; $S$, $G$ over all ordered pairs, $\Sigma = S - G$",
    "derived",
    "pairs.groups",
)
def _groups(rng):
    x = rng.standard_normal((5, 3, 4)) + 1
    views, centred = groups(x), x - x.mean((0, 1))
    pairs, mean = itertools.permutations(range(3), 2), centred.mean(1)
    G = sum(centred[:, i].T @ centred[:, j] for i, j in pairs) / 30
    around = (centred - mean[:, None]).reshape(15, 4)
    return max(
        relative(views.shared, G),
        relative(views.covariance + 2 * views.shared, 3 * mean.T @ mean / 5),
        relative(views.spread, around.T @ around / 10),
        relative(views.mean, x.mean((0, 1))),
    )


def _expected(covariance, means, by, memory=0):
    """The expectations of tr G_w and tr S_b for rows of one feature, of a covariance (n, n).

    A quadratic form of rows has the sum of its values at the columns of a root as its expectation,
    and that at the means on top.
    """
    columns = np.column_stack([np.linalg.cholesky(covariance), means])
    held = held_by(columns, by, memory=memory)
    return np.trace(held.after.shared), np.trace(held.between)


@ROOM.theorem(
    "centring-by-batch",
    r"$E \sum_g \pi_g\hat W_g = \sum_g \pi_g W_g$, $E[S - S_w] + \frac1n S_w = "
    r"\sum_g \pi_g(\mu_g - \mu)(\mu_g - \mu)^T$, in any $n_g \ge 2$",
    r"$\mu_g$, $W_g$ mean and covariance in batch $g$ of $n_g = \pi_g n$ instances, $\hat W_g$ of "
    r"divisor $n_g - 1$; $S$ of divisor $n$",
    "derived",
    "pairs.held_by",
)
def _centring(rng):
    sizes = np.array([2, 3, 7, 2])
    by = np.repeat(np.arange(4), sizes)
    variances, means = rng.uniform(0.5, 2, 4)[by], rng.standard_normal(4)[by]
    got = _expected(np.diag(variances), means, by)
    return relative(got, (variances.mean(), means.var()))


@ROOM.theorem(
    "centring-by-trajectory",
    r"$E\,A^{-1} r = C_w$ for $r(h) = \sum_t \tilde x_t \tilde x_{t+h}$, $A_{hk} = "
    r"\langle P N_h P, E_k\rangle$, $h, k \le L$",
    r"$\tilde x$ about the mean of a trajectory of $T \ge 2(L + 1)$ rows, $C_w(h) = 0$ above the "
    r"memory $L$; $P = I - 11^T/T$, $E_k$, $N_k$ the sum and mean of shifts by $\pm k$",
    "derived",
    "pairs.held_by",
)
def _trajectories(rng):
    by, (a, b) = np.repeat([0, 1, 2], [6, 9, 7]), rng.uniform(-1, 1, 2)
    law = np.array([1 + a**2 + b**2, a + a * b, b])  # of a moving average of order 2
    apart = np.abs(np.subtract.outer(np.arange(22), np.arange(22)))
    related = (by[:, None] == by) & (apart <= 2)
    means = rng.standard_normal(3)[by]
    got = _expected(np.where(related, law[np.minimum(apart, 2)], 0), means, by, memory=2)
    return relative(got, (law[0], means.var()))


@ROOM.theorem(
    "class-pairs-by-batch",
    r"$E[\hat a^T J \hat a - \mathrm{tr}(JV) \hat W] = a^T J a$ for every law $J$, "
    r"$E \hat W = W$, in any layout whose batches join all classes",
    r"$x = b_g + a_c + w$, $\mathrm{Cov}(w) = W$; $\hat a$ least squares about their mean, of "
    r"covariance $V \otimes W$, and $\hat W$ of its residuals, divisor $n - C - B + 1$",
    "derived (Henderson's third method)",
    "pairs.same_class",
)
def _two_way(rng):
    cells = np.array([[2, 1, 0], [1, 0, 3], [3, 1, 0]])
    label, by = (np.repeat(i, cells.ravel()) for i in np.indices((3, 3)).reshape(2, -1))
    a, b, noise, n = rng.standard_normal(3), rng.standard_normal(3), rng.uniform(0.5, 2), len(by)
    # As above: expectations of quadratic forms are sums of their values.
    columns = np.column_stack([np.sqrt(noise) * np.eye(n), a[label] + b[by]])
    got = SemanticPairs.from_labels(columns, label, another_class, by=by)
    J, between = np.asarray(another_class(jnp.bincount(label) / n)), a[label].var()
    wrong = a @ J @ a - (J.sum(1) @ a) ** 2
    moments = [np.trace(M) for M in (got.same, got.total, got.confused)]
    return relative(moments, (between, between + noise, wrong))
