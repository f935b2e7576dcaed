"""Training by minibatches, to set beside a closed form."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def descend(loss: Callable, start, draw: Callable, key, steps: int, batch: int) -> Any:
    """Minimise loss(parameters, drawn) by Adam on minibatches draw(key, batch), new every step."""
    import optax

    optimiser = optax.adam(optax.cosine_decay_schedule(0.03, steps))

    def step(state, i):
        theta, memory = state
        grad = jax.grad(loss)(theta, draw(jax.random.fold_in(key, i), batch))
        updates, memory = optimiser.update(grad, memory, theta)
        return (optax.apply_updates(theta, updates), memory), None

    return jax.lax.scan(step, (start, optimiser.init(start)), jnp.arange(steps))[0][0]
