"""The spiked population: a few signal directions, and irrelevant noise on the others."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from linssl.arguments import Numbers, as_float, is_concrete, require_covariance
from linssl.augmentations.aligned import AlignedNoise
from linssl.linalg.shown import Shown, shows_numbers
from linssl.moments import Views
from linssl.pairs import same_instance_moments
from linssl.populations.wishart import gaussian_moments


@shows_numbers
class Draw(NamedTuple):
    r"""Clean samples x and their corruptions $\tilde x = x + \gamma$, each (n, k + q).

    Source: JEvRC, section 4.
    """

    clean: Array
    corrupted: Array


@shows_numbers
class MomentDraw(NamedTuple):
    r"""The moments of clean samples x and of their corruptions $\tilde x = x + \gamma$.

    Source: JEvRC, section 4.
    """

    clean: Views
    corrupted: Views


class Spiked(Shown):
    r"""Signal of variances $\lambda$ on k directions, irrelevant noise of $\gamma$ on q others.

    $$ x \sim N(0, \mathrm{diag}(\lambda, 0)), \quad \tilde x = x + \gamma, \quad
       \gamma \sim N(0, \Gamma), \; \Gamma = \mathrm{diag}(0, \gamma) $$

    Args:
        signal: $\lambda$, (k,) variances.
        noise: $\gamma$, (q,) variances; q may be 0.

    Raises:
        ValueError: not 1-D, no signal, or negative or non-finite variances (where concrete).

    Source: JEvRC, section 4 (data model).
    """

    signal: Float[Array, " k"] = eqx.field(converter=as_float)
    noise: Float[Array, " q"] = eqx.field(converter=as_float)

    def __check_init__(self):
        for name in ("signal", "noise"):
            values = getattr(self, name)
            if values.ndim != 1:
                raise ValueError(f"{name} must be a (k,) array of variances; got {values.shape}.")
            require_covariance(name, values)
        if self.signal.size == 0:
            raise ValueError("signal must have at least one variance; got none.")

    @property
    def clean_covariance(self) -> Float[Array, " d"]:
        """Diagonal of Cov(x), (k + q,). Source: JEvRC, section 4."""
        return jnp.concatenate([self.signal, jnp.zeros_like(self.noise)])

    @property
    def noise_covariance(self) -> Float[Array, " d"]:
        r"""Diagonal of $\Gamma$, (k + q,). Source: JEvRC, section 4."""
        return jnp.concatenate([jnp.zeros_like(self.signal), self.noise])

    @property
    def covariance(self) -> Float[Array, " d"]:
        r"""Diagonal of $\mathrm{Cov}(\tilde x)$, (k + q,). Source: JEvRC, section 4."""
        return jnp.concatenate([self.signal, self.noise])

    def sample(self, key: Key[Array, ""], n: int) -> Draw:
        """Draw n clean samples and their corruptions; the noise is fresh on every row.

        Source: JEvRC, section 4.
        """
        if n < 1:
            raise ValueError(f"n must be >= 1; got {n}.")
        normal = jax.random.normal(key, (n, self.covariance.size), self.signal.dtype)
        corrupted = normal * jnp.sqrt(self.covariance)[None, :]
        signal_only = jnp.arange(self.covariance.size) < self.signal.size
        return Draw(jnp.where(signal_only[None, :], corrupted, 0), corrupted)

    def sample_moments(self, key: Key[Array, ""], n: Numbers) -> MomentDraw:
        """Draw the moments of n samples and of their corruptions, at a cost n doesn't enter.

        Args:
            key: a random key.
            n: number of samples, 1 to 10¹²; traced or not, below d too.

        Returns:
            (clean, corrupted), each the moments of an instance with itself; distributed
            exactly as those of `sample(key, n)`, jointly.

        Raises:
            ValueError: a concrete n below 1.

        Source: derived (`gaussian_moments`).
        """
        if is_concrete(n) and not float(np.asarray(n)) >= 1:
            raise ValueError(f"n must be >= 1; got {n}.")
        S, mean = gaussian_moments(key, self.covariance, n)
        signal = jnp.arange(mean.size) < self.signal.size
        clean = jnp.where(signal[:, None] & signal[None, :], S, 0), jnp.where(signal, mean, 0)
        return MomentDraw(same_instance_moments(*clean, n), same_instance_moments(S, mean, n))

    def aligned(self, base: Numbers, alpha: Numbers) -> AlignedNoise:
        r"""Build T(α) for this noise: $\Sigma = \Theta + \alpha^2\Gamma$.

        Args:
            base: $\Theta$, (d, d), (d,), or a scalar for an isotropic one; d = k + q.
            alpha: $\alpha \ge 0$.

        Source: JEvRC, section 4.

        """
        theta = as_float(base)
        if theta.ndim == 0:
            theta = jnp.broadcast_to(theta, self.covariance.shape)
        return AlignedNoise(theta, self.noise_covariance, as_float(alpha))
