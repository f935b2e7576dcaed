"""The paradigm map is its closed forms: both sides of every border, solved by the experiment."""

import jax
import numpy as np
import pytest


@pytest.mark.x64
def test_every_objective_of_the_paradigm_map_keeps_the_signal_where_its_closed_form_says():
    from experiments import paradigm_map, shared

    signal, gamma = np.array([2.0, 1.0]), np.array([0.02, 0.5, 2.0, 50.0])
    base = np.repeat([shared.BASE_SIGNAL, shared.BASE_NOISE], 2)
    # As experiments run, with jax's own rules of promotion.
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        solve = jax.jit(paradigm_map.cell)
        theory = jax.jit(lambda g: paradigm_map.thresholds(signal, noise_variance=g))
        needed = np.array([theory(g) for g in gamma])
        for g, squares in zip(gamma, needed, strict=True):
            for square in squares[np.isfinite(squares) & (squares > 0)]:
                for side in (0.999, 1.001):
                    distance = solve(signal, base, noise_variance=g, alpha=(square * side) ** 0.5)
                    kept = np.asarray(distance) < 0.5 / signal.size
                    assert (kept == (square * side > squares)).all()
    least = np.maximum(needed, 0)
    assert (least > least.min(axis=1, keepdims=True)).any(axis=0).all()  # none is best everywhere
