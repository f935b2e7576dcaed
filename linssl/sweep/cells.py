"""Ready-made cells: what to sweep when one doesn't want to write a cell."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from linssl.augmentations import two_views, view_and_clean
from linssl.metrics import subspace_distance
from linssl.objectives import joint_embedding, reconstruction
from linssl.pairs import same_instance_moments
from linssl.populations import Spiked

LOWEST_NOISE = 0.2  # of the noise variances, as a share of the largest


def spiked_draw(
    key: Key[Array, ""],
    *,
    noise_variance: Array | float,
    n: Array | float,
    signal_variance: Array | float = 2.0,
    signal_directions: int = 10,
    noise_directions: int = 10,
) -> tuple[Float[Array, "d d"], Float[Array, ""]]:
    r"""Draw the covariance of n samples of a spiked population, and n; the draw of `spiked`.

    Args:
        key: a random key.
        noise_variance: largest $\gamma_j$, in units of the weakest signal's; the others are
            spread evenly down to a fifth of it.
        n: number of samples, 1 to 10¹².
        signal_variance: largest $\lambda_i$ in the same units; the others are spread down to 1.
        signal_directions: k.
        noise_directions: q.

    Source: derived (`Spiked.sample_moments`).
    """
    population = _population(noise_variance, signal_variance, signal_directions, noise_directions)
    views = population.sample_moments(key, n).corrupted
    return views.shared, views.count


def spiked(
    drawn: tuple[Float[Array, "d d"], Float[Array, ""]],
    *,
    noise_variance: Array | float,
    alpha: Array | float,
    signal_variance: Array | float = 2.0,
    base_signal: Array | float = 0.6,
    base_noise: Array | float = 0.006,
    signal_directions: int = 10,
    noise_directions: int = 10,
) -> dict[str, dict[str, Float[Array, ""]]]:
    r"""Compare joint embedding and reconstruction with the signal of a spiked population.

    $$ \tau(x) = \tilde x + \theta + \alpha\gamma', \quad
       \Theta = \mathrm{diag}(\theta_s 1_k, \theta_n 1_q) $$

    Args:
        drawn: from `spiked_draw`, of the same population.
        noise_variance: as in `spiked_draw`.
        alpha: $\alpha \ge 0$, alignment of the augmentation with the noise.
        signal_variance: as in `spiked_draw`.
        base_signal: $\theta_s$, variance of the base augmentation on the signal.
        base_noise: $\theta_n$, on the noise.
        signal_directions: k, the embedding dimension too.
        noise_directions: q.

    Returns:
        distance: the share of the signal subspace that is lost, for each objective (squared
        chordal distance over k, in [0, 1]); status: the `Status` bits of each solution.

    Source: derived (JEvRC, section 4, in the form that a sweep reads).
    """
    (covariance, n), k, q = drawn, signal_directions, noise_directions
    data = same_instance_moments(covariance, jnp.zeros_like(covariance[0]), n)
    base = jnp.concatenate([jnp.full(k, base_signal), jnp.full(q, base_noise)])
    population = _population(noise_variance, signal_variance, k, q)
    view = population.aligned(base.astype(covariance.dtype), alpha)
    solved = {
        "joint_embedding": joint_embedding(two_views(data, view), k),
        "reconstruction": reconstruction(view_and_clean(data, view), k),
    }
    return {
        "distance": {name: subspace_distance(s.encoder, range(k)) for name, s in solved.items()},
        "status": {name: s.status for name, s in solved.items()},
    }


def _population(noise: Array | float, signal: Array | float, k: int, q: int) -> Spiked:
    signals = jnp.linspace(jnp.asarray(signal, float), 1.0, k)
    return Spiked(signals, jnp.asarray(noise, float) * jnp.linspace(1.0, LOWEST_NOISE, q))
