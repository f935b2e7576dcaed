"""The simplest code that gives the numbers of the library, in numpy's long double: an oracle."""

from collections.abc import Callable

import numpy as np

LONG = np.longdouble


def moments(X: np.ndarray, Y: np.ndarray | None = None) -> tuple[np.ndarray, ...]:
    """Return covariance and mean of rows, or of both sides: S, C, G and both means."""
    around, mean = _about(X)
    S = around.T @ around / len(X)
    if Y is None:
        return S, mean
    beside, other = _about(Y)
    return S, beside.T @ beside / len(X), around.T @ beside / len(X), mean, other


def _about(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows about their mean, and it: about the first row before, as a mean may be large."""
    around = X - X[0]
    mean = around.mean(0)
    return around - mean, X[0] + mean


def eigh(A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return eigenvalues, descending, and eigenvectors as columns, by Jacobi's rotations."""
    A, d = np.array(A, LONG), len(A)
    A, V = (A + A.T) / 2, np.eye(d, dtype=LONG)
    for _ in range(30):
        off = np.abs(A - np.diag(np.diagonal(A))).max(initial=0)
        if off <= np.finfo(LONG).eps * np.abs(A).max(initial=0) * LONG(1e-2):
            break
        for p in range(d):
            for q in range(p + 1, d):
                if abs(A[p, q]) <= np.finfo(LONG).eps ** 2 * np.abs(A).max():
                    continue
                theta = (A[q, q] - A[p, p]) / (2 * A[p, q])
                t = (1 if theta >= 0 else -1) / (abs(theta) + np.sqrt(theta * theta + 1))
                c = 1 / np.sqrt(t * t + 1)
                J = np.eye(d, dtype=LONG)
                J[p, p], J[q, q], J[p, q], J[q, p] = c, c, t * c, -t * c
                A, V = J.T @ A @ J, V @ J
    order = np.argsort(-np.diagonal(A), kind="stable")
    return np.diagonal(A)[order], V[:, order]


def cholesky(A: np.ndarray) -> np.ndarray | None:
    """Return L with A = L L^T, None where there is none."""
    L = np.zeros_like(A, LONG)
    for j in range(len(A)):
        pivot = A[j, j] - L[j, :j] @ L[j, :j]
        if not pivot > 0:
            return None
        L[j, j] = np.sqrt(pivot)
        for i in range(j + 1, len(A)):
            L[i, j] = (A[i, j] - L[i, :j] @ L[j, :j]) / L[j, j]
    return L


def solve(L: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Return L^-1 B for a lower triangle."""
    X = np.array(B, LONG)
    for i in range(len(L)):
        X[i] = (X[i] - L[i, :i] @ X[:i]) / L[i, i]
    return X


def factor(S: np.ndarray) -> np.ndarray | None:
    """Return F with S = F F^T, by way of correlations; None where there is none."""
    variance = np.diagonal(S)
    if not (variance > 0).all():
        return None
    scale = np.sqrt(variance)
    L = cholesky(S / scale / scale[:, None])
    return None if L is None else scale[:, None] * L


def condition(S: np.ndarray) -> float:
    """Return the condition number of the correlations; inf where they are singular."""
    variance = np.diagonal(S)
    if not (variance > 0).all():
        return np.inf
    values = eigh(S / np.sqrt(variance) / np.sqrt(variance)[:, None])[0]
    return float(values[0] / values[-1]) if values[-1] > 0 else np.inf


def whitened(G: np.ndarray, S: np.ndarray, C: np.ndarray) -> np.ndarray | None:
    """Return S^{-1/2} G C^{-1/2}, up to rotations on both sides; None where there is none."""
    F, H = factor(S), factor(C)
    return None if F is None or H is None else solve(H, solve(F, G).T).T


def scores(G: np.ndarray, S: np.ndarray) -> np.ndarray | None:
    """Return the eigenvalues of G w = omega S w, descending; None where S is singular."""
    M = whitened(G, S, S)
    return None if M is None else eigh(M)[0]


def inverse(S: np.ndarray) -> np.ndarray | None:
    """Return S^-1, None where there is none."""
    F = factor(S)
    if F is None:
        return None
    half = solve(F, np.eye(len(S), dtype=LONG))
    return half.T @ half


def basis(rows: np.ndarray) -> tuple[np.ndarray, float]:
    """Return an orthonormal basis of rows, and the least sine between a row and those above it."""
    Q, sine = np.zeros_like(rows, LONG), 1.0
    for i, row in enumerate(rows):
        length = np.sqrt(row @ row)
        rest = row
        for _ in range(3):
            rest = rest - Q[:i].T @ (Q[:i] @ rest)
        left = np.sqrt(rest @ rest)
        if not left > 0:
            return Q, 0.0
        Q[i], sine = rest / left, min(sine, float(left / length))
    return Q, sine


def least(function: Callable[[float], float], low: float, high: float) -> float:
    """Return the least value of a function of one size, by a grid and then golden sections."""
    grid = [LONG(0), *np.geomspace(LONG(low), LONG(high), 200)]
    values = [function(m) for m in grid]
    at = int(np.argmin(values))
    a, b = grid[max(at - 1, 0)], grid[min(at + 1, len(grid) - 1)]
    ratio = (np.sqrt(LONG(5)) - 1) / 2
    for _ in range(60):
        left, right = b - ratio * (b - a), a + ratio * (b - a)
        a, b = (a, right) if function(left) <= function(right) else (left, b)
    return min(function((a + b) / 2), values[at])
