"""Cells for the tests of sweeps: small, importable, and some that misbehave."""

import os
import signal
from pathlib import Path

import jax
import jax.numpy as jnp


def cell(key, *, a, b=0.0, size=2):
    noise = jax.random.normal(key, (size,))
    return {
        "sum": a + b + noise[0],
        "score": {"second": a * noise[1], "first": b + 0 * noise[1]},
        "parts": noise * a,
        "count": jnp.asarray(jnp.round(a), int),
    }


def draw(key, *, b):
    return b * jax.random.normal(key, (3, 3))


def drawn_cell(drawn, *, a):
    values, vectors = jnp.linalg.eigh(drawn @ drawn.T + a * jnp.eye(3))
    return {"top": values[-1] + jnp.sum(jnp.abs(vectors[:, -1]))}


def whole_cell(key, *, a, b):
    """The same as `drawn_cell` on `draw`, in one function."""
    return drawn_cell(draw(key, b=b), a=a)


def decomposing(key, *, a, size=12):
    """JE and RC in small: two decompositions of one random matrix."""
    X = jax.random.normal(key, (size, size))
    C = X @ X.T + a * jnp.eye(size)
    L = jnp.linalg.cholesky(C)
    return {
        "value": {
            "joint_embedding": jnp.linalg.eigh(C)[1][0, -1] ** 2,
            "reconstruction": jnp.linalg.eigh(L.T @ X @ X.T @ L)[1][0, -1] ** 2,
        }
    }


def deadly(key, *, a, folder):
    """Kills its process the first time that a cell of a > 5 is solved."""

    def kill(value):
        mark = Path(folder) / "killed"
        if value > 5 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return value

    a = jax.pure_callback(kill, jax.ShapeDtypeStruct((), a.dtype), a)
    return {"sum": a + jax.random.normal(key)}


def always_deadly(key, *, a):
    def kill(value):
        os.kill(os.getpid(), signal.SIGKILL)
        return value

    return {"sum": jax.pure_callback(kill, jax.ShapeDtypeStruct((), a.dtype), a)}


def failing(key, *, a):
    def fail(value):
        if value > 5:
            raise RuntimeError("the cell has a problem of its own")
        return value

    return {"sum": jax.pure_callback(fail, jax.ShapeDtypeStruct((), a.dtype), a)}
