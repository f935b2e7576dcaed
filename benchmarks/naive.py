"""The loop that a researcher writes today: the paper's formulas, line by line, in numpy.

One cell draws its n x d samples, forms their second moment, and solves each objective by two full
decompositions: one for S^{-1/2}, one of what it whitens. It is what the paper's text says to do,
vectorised, with BLAS on as many threads as it likes. The augmentation enters by its known
covariance, not by sampled views, which would cost a second n x d draw or more.
"""

import numpy as np


def inverse_root(S):
    """S^{-1/2}, by the eigenvalues of S."""
    values, U = np.linalg.eigh(S)
    return (U / np.sqrt(values)) @ U.T


def joint_embedding(C, Sigma, k):
    """Encoder (k, d): top-k of S^{-1/2} C S^{-1/2}, with S = C + Sigma."""
    root = inverse_root(C + Sigma)
    _, Q = np.linalg.eigh(root @ C @ root)
    return Q[:, : -k - 1 : -1].T @ root


def reconstruction(C, Sigma, k):
    """Encoder (k, d): top-k right singular vectors of C S^{-1/2}, times S^{-1/2}."""
    root = inverse_root(C + Sigma)
    _, _, Pt = np.linalg.svd(C @ root)
    return Pt[:k] @ root


def supervised(C, cross, Sigma):
    """Predictor (e, d): cross^T S^{-1}, for cross = E[x y^T]."""
    return np.linalg.solve(C + Sigma, cross).T


def subspace_distance(W, W_star):
    """Squared chordal distance between row spaces over k, in [0, 1]."""
    Q, Q_star = np.linalg.qr(W.T)[0], np.linalg.qr(W_star.T)[0]
    return np.sum((Q_star - Q @ (Q.T @ Q_star)) ** 2) / len(W)


def relative_error(V, V_star):
    """Relative Frobenius error."""
    return np.linalg.norm(V - V_star) / np.linalg.norm(V_star)


def draw_spiked(rng, signal, noise, n):
    """Draw n samples (n, k + q) of signal and noise directions of these variances."""
    return rng.standard_normal((n, len(signal) + len(noise))) * np.sqrt(np.append(signal, noise))


def phase_cell(X, noise, base, alpha, k):
    """Distances of (JE, RC) from the signal axes, given samples X (n, d) whose last q are noise."""
    X = X - X.mean(0)
    C = X.T @ X / len(X)
    gamma = np.append(np.zeros(k), noise)
    Sigma = np.diag(base + alpha**2 * gamma)
    axes = np.eye(k, X.shape[1])
    return np.array(
        [
            subspace_distance(joint_embedding(C, Sigma, k), axes),
            subspace_distance(reconstruction(C, Sigma, k), axes),
        ]
    )


def figure2_cell(clean, noise_rows, targets, base, noise, alpha):
    """Distances (supervised, JE, RC) between the solutions with and without the noise columns.

    Args:
        clean: (n, k) rows.
        noise_rows: (n, q), the irrelevant noise on each.
        targets: (n, e).
        base: variances of the base augmentation, (k + q,).
        noise: variances of the noise, (q,).
        alpha: alignment.
    """
    n, k = clean.shape
    Sigma = np.diag(base + alpha**2 * np.append(np.zeros(k), noise))
    Y = targets - targets.mean(0)
    solutions = []
    for columns in (noise_rows, np.zeros_like(noise_rows)):
        X = np.hstack([clean, columns])
        X = X - X.mean(0)
        C = X.T @ X / n
        solutions.append(
            (
                supervised(C, X.T @ Y / n, Sigma),
                joint_embedding(C, Sigma, k),
                reconstruction(C, Sigma, k),
            )
        )
    noisy, optimal = solutions
    return np.array(
        [
            relative_error(noisy[0], optimal[0]),
            subspace_distance(noisy[1], optimal[1]),
            subspace_distance(noisy[2], optimal[2]),
        ]
    )
