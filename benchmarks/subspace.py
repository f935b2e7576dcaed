"""Subspace iteration: the leading eigenvectors by matrix products, and a residual that says so.

Nearly all its work is products of (d, d) with (d, k), which accelerators are best at; the price is
that convergence hangs on the gap at the cut, which nobody promised.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

POWER = 8  # products between two orthonormalisations: cheap, and float64 stands it


@functools.partial(jax.jit, static_argnames=("k", "most"))
def subspace_iteration(M, k: int, tolerance: float = 1e-9, most: int = 60):
    """Iterate to an orthonormal basis (d, k) of the leading eigenspace of a PSD matrix M.

    Returns:
        (basis, residual, steps): residual is |M Q - Q (Q^T M Q)|_F / |M|_F, an upper bound on how
        far the span is from invariant; above `tolerance` the answer isn't one.
    """
    d = M.shape[0]
    size = jnp.linalg.norm(M)
    start = jnp.linalg.qr(jax.random.normal(jax.random.key(0), (d, k), M.dtype))[0]

    def residual(Q):
        MQ = M @ Q
        return jnp.linalg.norm(MQ - Q @ (Q.T @ MQ)) / size

    def unfinished(state):
        _, left, steps = state
        return (left > tolerance) & (steps < most)

    def step(state):
        Q, _, steps = state
        for _ in range(POWER):
            Q = M @ Q
        Q = jnp.linalg.qr(Q)[0]
        return Q, residual(Q), steps + 1

    return jax.lax.while_loop(unfinished, step, (start, residual(start), 0))


def whitened_moment(d: int, seed: int = 0, noise: float = 1.0, alpha: float = 1.0) -> np.ndarray:
    """The matrix that joint embedding decomposes: d/2 signal directions, 100 d samples."""
    rng = np.random.default_rng([d, seed])
    half = d // 2
    gamma = noise * np.linspace(1, 0.2, half)
    scale = np.sqrt(np.append(np.linspace(2, 1, half), gamma))
    X = rng.standard_normal((100 * d, d)) * scale
    sigma = np.append(np.full(half, 0.6), 0.006 + alpha**2 * gamma)
    return X.T @ X / len(X) / np.sqrt(np.outer(sigma, sigma))
