r"""How strong a noise of a given shape has to be for joint embedding to tell k directions apart."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from linssl.arguments import Numbers, as_float, require_covariance, require_dim, require_range
from linssl.linalg.shown import Shown
from linssl.linalg.status import FATAL
from linssl.linalg.structure import Moment, dense, exact_products
from linssl.linalg.whitening import whitener
from linssl.theory.thresholds.alignment import is_covariance


class GapScale(Shown):
    """The scales of a noise at which joint embedding has a stated gap.

    Args:
        least: the smallest t with that gap; NaN where no t has it, that is above `largest_gap`.
        largest_gap: the largest gap of any t, which one t has; 0 where scores k and k + 1 are
            equal, at every t, also as both are 0 (covariance of rank < k).
        best: the t of the largest gap; 0 where it is the limit 1 as t falls to 0 (rank k).

    All are NaN where traced moments aren't covariances, or the noise is singular.
    """

    least: Float[Array, ""]
    largest_gap: Float[Array, ""]
    best: Float[Array, ""]


@exact_products
def gap_scale(covariance: Numbers, noise: Numbers, dim: int, gap: Numbers) -> GapScale:
    r"""Find the weakest noise of a given shape with a stated gap: $\Sigma = t\,\Theta$.

    Joint embedding finds the same subspace at every t > 0; only its scores move. With a and b the
    eigenvalues k and k + 1 of $\Theta^{-1/2} C\, \Theta^{-1/2}$,

    $$ \omega_k - \omega_{k+1} = \frac{a}{a + t} - \frac{b}{b + t}
       \le \frac{\sqrt a - \sqrt b}{\sqrt a + \sqrt b}, \quad \text{equal at } t = \sqrt{ab} $$

    and it first reaches the gap $\delta$ at

    $$ t = \frac{2 \delta ab}{h + \sqrt{h^2 - 4 \delta^2 ab}}, \qquad h = a - b - \delta(a + b) $$

    Eigenvalues of the size of rounding are 0.

    Args:
        covariance: $C$, (d, d) or (d,).
        noise: $\Theta$, (d, d) or (d,), positive definite.
        dim: $k$, 1 <= k < d.
        gap: $\delta$, in [0, 1].

    Returns:
        `GapScale`; strength is $t\, \mathrm{tr}\, \Theta$.

    Raises:
        ValueError: sizes that differ, not covariances, or dim or gap out of range.

    Source: derived (a quadratic in t); JEvRC, Theorem 2 (the scores).
    """
    C, Theta = as_float(covariance, "covariance"), as_float(noise, "noise")
    for name, block in (("covariance", C), ("noise", Theta)):
        if block.ndim not in (1, 2) or block.shape[0] != block.shape[-1] or block.size == 0:
            raise ValueError(f"{name} must be (d, d), or (d,) for a diagonal; got {block.shape}.")
        require_covariance(name, block, definite=name == "noise")
    d = C.shape[0]
    if Theta.shape[0] != d:
        raise ValueError(f"noise must be of the {d} features of covariance; got {Theta.shape}.")
    require_dim(dim, d - 1, "below the number of features")
    delta = require_range("gap", gap, 0, 1).astype(C.dtype)
    return _scales(C, Theta.astype(C.dtype), delta, dim)


@partial(jax.jit, static_argnames="dim")
def _scales(C: Moment, Theta: Moment, delta: Array, dim: int) -> GapScale:
    g = _signal_to_noise(C, Theta)
    # In units of a: no product over- or underflows.
    a = g[dim - 1]
    b = jnp.where(a == 0, 1, g[dim] / jnp.where(a == 0, 1, a))
    q = jnp.where(b > 0, jnp.sqrt(jnp.where(b > 0, b, 1)), b)
    largest = (1 - q) / (1 + q)
    possible = delta <= largest
    h = 1 - b - delta * (1 + b)
    # h^2 - 4 delta^2 b in factors: 0 at the largest gap, exactly.
    square = (1 - b) * (1 + q) * (largest - delta) * (1 + q - delta * (1 - q))
    root = jnp.sqrt(jnp.where(possible, square, 1))
    least = 2 * delta * b / jnp.where(possible & (h + root > 0), h + root, 1)
    least = jnp.where(possible, least, jnp.nan)
    return GapScale(least=a * least, largest_gap=largest, best=a * q)


def _signal_to_noise(C: Moment, Theta: Moment) -> Array:
    r"""Return the eigenvalues of $\Theta^{-1/2} C\, \Theta^{-1/2}$, descending, or NaN."""
    F = whitener(Theta)
    sound = ((F.status & FATAL) == 0) & is_covariance(C, 0)
    if C.ndim == Theta.ndim == 1:
        g = jnp.sort(C / jnp.where(sound, Theta, 1))[::-1]
    else:
        g = jnp.linalg.eigvalsh(F.whiten(F.whiten(dense(C)).T))[::-1]
        g = jnp.where(g > jnp.minimum(F.rounding, 0.01) * g[0], g, 0)
    return jnp.where(sound, g, jnp.nan)
