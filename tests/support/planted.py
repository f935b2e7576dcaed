"""Spiked problems of random spectra, and what the population says of them."""

import jax.numpy as jnp
import numpy as np

import linssl

SIGNALS, NOISES = 5, 3
BASE = 0.3


def problem(seed: int, n: int, base_noise: float = BASE, rows=None):
    """Corrupted rows, labels linear in their signal, T(alpha), and the population's problem.

    With `rows`, standard normal (n, 10), features and what labels don't share are made of them.
    """
    rng = np.random.default_rng(seed)
    signal = np.exp(rng.uniform(np.log(0.3), np.log(3), SIGNALS))
    noise = np.exp(rng.uniform(np.log(0.1), np.log(10), NOISES))
    alpha = float(np.exp(rng.uniform(np.log(0.1), np.log(3))))
    spiked = linssl.populations.Spiked(signal, noise)
    X = rng.standard_normal((n, SIGNALS + NOISES)) if rows is None else rows[:, :-2]
    X = X * np.sqrt(np.concatenate([signal, noise]))
    B = rng.standard_normal((SIGNALS, 2)) / np.sqrt(signal)[:, None]
    unexplained = rng.uniform(0.1, 1) * np.sqrt(SIGNALS)
    own = rng.standard_normal((n, 2)) if rows is None else rows[:, -2:]
    Y = X[:, :SIGNALS] @ B + unexplained * own
    theta = np.where(np.arange(SIGNALS + NOISES) < SIGNALS, BASE, base_noise)
    return X, Y, spiked, spiked.aligned(theta, alpha), B, unexplained


def encoders(spiked, augmentation, dim):
    """Both paradigms on the population."""
    same = linssl.pairs.same_instance_population(jnp.diag(spiked.covariance))
    je = linssl.joint_embedding(linssl.two_views(same, augmentation), dim)
    rc = linssl.reconstruction(linssl.view_and_clean(same, augmentation), dim)
    return je.encoder, rc.encoder


def margins_with_labels(spiked, augmentation, B, unexplained, dim, tolerance=0.1):
    """R2 less the tolerated share of the ceiling, for both paradigms, on the population."""
    S, signal = np.asarray(spiked.covariance), np.asarray(spiked.signal)
    L = B.T @ (signal[:, None] * B) + unexplained**2 * np.eye(2)
    unit = 1 / np.sqrt(np.diag(L))  # targets count alike
    K = np.zeros((S.size, 2))
    K[:SIGNALS] = signal[:, None] * B * unit
    L = L * unit[:, None] * unit[None, :]
    pair = linssl.PairMoments(np.diag(S), L, K, np.zeros(S.size), np.zeros(2), np.inf, np.inf)
    best = linssl.reconstruction(pair, 2).spectrum.sum() / np.trace(L)  # dim >= 2: all of them
    return [
        float(linssl.probe_r2(W, pair) - (1 - tolerance) * best)
        for W in encoders(spiked, augmentation, dim)
    ]


def on_fresh_rows(seed: int, n: int, base_noise: float = BASE, fresh: int = 20_000):
    """A diagnosis of n rows, and what codes learnt from all of them have on fresh ones: R² of joint
    embedding, of reconstruction, and of all features.
    """
    rows = np.random.default_rng(1000 + seed).standard_normal((n + fresh, SIGNALS + NOISES + 2))
    X, Y, _, a, *_ = problem(seed, n, base_noise, rows)
    d = linssl.diagnose(X[:n], Y[:n], augmentation=a, dim=SIGNALS)
    je = linssl.joint_embedding(linssl.two_views(X[:n], a), SIGNALS)
    rc = linssl.reconstruction(linssl.view_and_clean(X[:n], a), SIGNALS)
    Y = (Y - Y[:n].mean(0)) / Y[:n].std(0)

    def r2(Z):
        Z = Z - Z[:n].mean(0)
        B = np.linalg.lstsq(Z[:n], Y[:n], rcond=None)[0]
        return 1 - np.sum((Y[n:] - Z[n:] @ B) ** 2) / np.sum(Y[n:] ** 2)

    return d, *(r2(X @ np.asarray(s.encoder).T) for s in (je, rc)), r2(X)


def margins_without(spiked, augmentation, dim):
    """Half a direction less those of the codes in the noise, on the population."""
    found = []
    for W in encoders(spiked, augmentation, dim):
        Q = np.linalg.qr(np.asarray(W).T)[0]
        found.append(0.5 - float(np.sum(Q[SIGNALS:] ** 2)))
    return found


def verdict(margins):
    """The recommendation for margins that are known."""
    je, rc = (m > 0 for m in margins)
    if je and rc:
        return "either"
    return "joint_embedding" if je else "reconstruction" if rc else "neither"
