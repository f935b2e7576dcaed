"""Write your own objective: a function from moments to a Solution, and three witnesses of it.

Two views of a row should have one code, and codes should forget a nuisance of covariance N, such as
that of the means of plates: min E|W t1 - W t2|^2 + weight tr W N W', subject to W S W' = I. That is
2k - 2 tr W (G - weight N / 2) W', so W are the top generalised eigenvectors of its middle and S.
"""

import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular
from scipy.optimize import minimize

import linssl
from linssl import testing
from linssl.estimators import as_estimator


def forgetful(views, nuisance, weight, dim):
    """Solve it: whiten by a Cholesky factor, then an eigenproblem."""
    L = jnp.linalg.cholesky(views.covariance)  # NaN where S is singular
    half = solve_triangular(L, views.shared - weight / 2 * nuisance, lower=True)
    scores, U = jnp.linalg.eigh(solve_triangular(L, half.T, lower=True))
    scores, U = scores[::-1], U[:, ::-1]
    bad = ~jnp.isfinite(scores).all()
    return linssl.Solution(
        encoder=solve_triangular(L, U[:, :dim], lower=True, trans="T").T,
        spectrum=scores,
        gap=scores[dim - 1] - scores[dim],
        loss=2 * dim - 2 * jnp.sum(scores[:dim]),
        status=bad * jnp.int32(linssl.Status.SINGULAR),
        **{"second_encoder": None, "decoder": None, "mean": views.mean, "second_mean": views.mean},
    )


@hypothesis.settings(max_examples=10, deadline=None)
@hypothesis.given(testing.views(4), testing.covariances(4), testing.covariances(4))
def test_no_feasible_encoder_does_better(views, nuisance, other):
    """Algebra, and a property: no other encoder, made feasible, has a lower loss."""
    S, G, found = views.covariance, views.shared, linssl.check(forgetful(views, nuisance, 1.0, 2))
    W, V = np.asarray(found.encoder), np.linalg.eigh(other)[1][:, :2].T
    V = np.linalg.solve(np.linalg.cholesky(V @ S @ V.T), V)
    losses = [np.trace(A @ (2 * (S - G) + nuisance) @ A.T) for A in (W, V)]
    assert np.allclose(W @ S @ W.T, np.eye(2))
    assert np.isclose(losses[0], found.loss)
    assert losses[1] >= losses[0] - 1e-9


with jax.enable_x64(True):
    test_no_feasible_encoder_does_better()
    # Rows of eight plates, whose means differ by as much as the strongest features do.
    rng = np.random.default_rng(0)
    plate = rng.integers(0, 8, 4000)
    X = rng.standard_normal((4000, 8)) * [2, 2, 1, 1, 1, 0.5, 0.5, 0.5]
    X += 2 * rng.standard_normal((8, 8))[plate]
    noise = linssl.GaussianNoise(np.full(8, 0.5))
    views, N = linssl.two_views(X, noise), linssl.pairs.held_by(X, plate).between

    def loss(a):
        """Leave the constraint to normalising, for an independent optimiser."""
        A = a.reshape(2, 8)
        M = 2 * (views.covariance - views.shared) + N
        return jnp.trace(jnp.linalg.solve(A @ views.covariance @ A.T, A @ M @ A.T))

    best = minimize(jax.value_and_grad(loss), rng.standard_normal(16), jac=True).fun
    print(f"BFGS {best:.6f}, closed form {forgetful(views, N, 1.0, 2).loss:.6f}")
    # Sampling: what views differ by, in its own standard errors.
    solution, keys = forgetful(views, N, 1.0, 2), jax.random.split(jax.random.key(0))
    codes = [solution(noise.sample(key, jnp.asarray(X))) for key in keys]
    drawn = np.sum((codes[0] - codes[1]) ** 2, 1)
    want = solution.loss - np.trace(solution.encoder @ N @ solution.encoder.T)
    print(f"off by {abs(drawn.mean() - want) / drawn.std() * 4000**0.5:.1f} standard errors")
    # What it is for; and it goes wherever a Solution does.
    pair = linssl.with_label(X, plate)
    for weight in (0.0, 1.0, 10.0):
        r2 = linssl.probe_r2(forgetful(views, N, weight, 2).encoder, pair)
        print(f"weight {weight:>4}: R2 of the plate {r2:.3f}")
    print(as_estimator(solution).transform(X).shape, linssl.explain(solution))
