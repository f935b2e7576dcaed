"""Fixed random rotations."""

import jax
import jax.numpy as jnp


def rotation(seed: int, size: int):
    """Return one fixed random rotation."""
    return jnp.linalg.qr(jax.random.normal(jax.random.key(seed), (size, size)))[0]
