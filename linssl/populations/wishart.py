r"""Moments of n samples without the samples: exact in distribution, at a cost that n doesn't enter.

The second moment of n Gaussian samples is a Wishart matrix, and its Bartlett factor is d(d+1)/2
random numbers, whatever n is: fewer than d, or 10¹². Data that are given, plus Gaussian noise, add
one term that depends on the data through a factor of their second moment alone.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from linssl.arguments import Numbers, as_float, is_concrete, require_range
from linssl.linalg.structure import Moment, covariance_root, exact_products, multiply, symmetric


def wishart_root(key: Key[Array, ""], degrees: Numbers, dim: int) -> Float[Array, "d d"]:
    r"""Draw the factor of a Wishart matrix: $T T^T \sim \mathrm{Wishart}_d(m, I)$.

    $$ T_{ii} = \chi_{\max(m - i, 0)}, \quad T_{ij} \sim N(0, 1)\ (j < i), \quad
       T_{ij} = 0 \text{ for } j \ge m, \qquad i, j = 0, \dots, d - 1 $$

    One formula for every m, which may be traced: below d the matrix has rank m (singular
    Wishart), and m <= 0 gives 0.

    Args:
        key: a random key.
        degrees: $m$, degrees of freedom, a whole number; traced or not.
        dim: $d$.

    Returns:
        $T$, (d, d), lower triangular; scale it by the root of a covariance on the left.

    Source: derived (Bartlett decomposition; singular case by dropping the columns beyond m).
    """
    normal_key, chi_key = jax.random.split(key)
    m = as_float(degrees)
    left = jnp.maximum(m - jnp.arange(dim, dtype=m.dtype), 0)
    below = jnp.tril(jax.random.normal(normal_key, (dim, dim), m.dtype), -1)
    # chi^2 with a degrees of freedom is 2 Gamma(a/2); 1 stands in where there is none.
    square = 2 * jax.random.gamma(chi_key, jnp.where(left > 0, left, 1) / 2, dtype=m.dtype)
    T = below + jnp.diag(jnp.where(left > 0, jnp.sqrt(square), 0))
    return jnp.where((left > 0)[None, :], T, 0)


@exact_products
def gaussian_moments(
    key: Key[Array, ""], covariance: Moment, count: Numbers
) -> tuple[Float[Array, "d d"], Float[Array, " d"]]:
    r"""Draw the covariance (divisor n) and the mean of n samples of $N(0, C)$.

    $$ \tfrac1n X_c^T X_c = \tfrac1n C^{1/2} W C^{1/2}, \quad
       W \sim \mathrm{Wishart}_d(n - 1, I), \quad \bar x \sim N(0, C/n) \text{ independent} $$

    Args:
        key: a random key.
        covariance: $C$, (d,) for a diagonal, or (d, d).
        count: $n \ge 1$, up to 10¹²; traced or not.

    Returns:
        (covariance (d, d), mean (d,)), divisor n; exact in distribution, but for the steps of the
        precision: in single precision, of 1e-7 of C, as large as the covariance's own deviation
        $C \sqrt{2/n}$ at n = 10¹⁴, and a tenth of it at 10¹². Use double precision from there on.

    Raises:
        ValueError: a count that isn't a whole number >= 1 (where concrete; NaN inside a trace).

    Source: derived (Cochran's theorem).
    """
    n = _whole(count).astype(covariance.dtype)
    root_key, mean_key = jax.random.split(key)
    d = covariance.shape[0]
    F = covariance_root(covariance)
    T = multiply(F, wishart_root(root_key, n - 1, d))
    mean = multiply(F, jax.random.normal(mean_key, (d, 1), n.dtype))[:, 0] / jnp.sqrt(n)
    return symmetric(T @ T.T / n), mean


@exact_products
def noisy_moments(
    key: Key[Array, ""],
    root: Float[Array, "r m"],
    mean: Float[Array, " m"],
    noise: Moment,
    count: Numbers,
) -> tuple[Float[Array, "m m"], Float[Array, " m"]]:
    r"""Draw the moments of given clean rows plus fresh Gaussian noise on their first d columns.

    With the centred clean rows $X_c^T X_c = R^T R$ (R of r rows) and $\Gamma = F F^T$:

    $$ \tilde X_c^T \tilde X_c = (R + B)^T (R + B) + F\, W F^T, \quad B = Z F^T, \quad
       W \sim \mathrm{Wishart}_d(n - 1 - r, I) $$

    and the mean of the noise, $N(0, \Gamma/n)$, is independent of both. An orthogonal map of the
    rows takes X_c to R over zeros and leaves the noise as it was, which proves it. Exact in
    distribution for any Γ and any n; rows of B beyond n - 1 don't exist and are dropped.

    Args:
        key: a random key.
        root: $R$, (r, m), zero rows last, as `moment_root` makes it. Columns beyond d (labels) get
            no noise.
        mean: of the clean rows, (m,).
        noise: $\Gamma$, (d,) or (d, d), d <= m.
        count: $n \ge 1$; traced or not.

    Returns:
        (covariance (m, m), mean (m,)), divisor n.

    Raises:
        ValueError: as `gaussian_moments`.

    Source: derived.
    """
    n = _whole(count).astype(root.dtype)
    r = root.shape[0]
    d = noise.shape[0]
    cross_key, rest_key, mean_key = jax.random.split(key, 3)
    F = covariance_root(noise)
    exists = jnp.arange(r, dtype=n.dtype) < n - 1
    Z = jnp.where(exists[:, None], jax.random.normal(cross_key, (r, d), n.dtype), 0)
    B = multiply(Z, F if F.ndim == 1 else F.T)
    rows = root.at[:, :d].add(B)
    T = multiply(F, wishart_root(rest_key, n - 1 - r, d))
    shift = multiply(F, jax.random.normal(mean_key, (d, 1), n.dtype))[:, 0] / jnp.sqrt(n)
    centre = mean.at[:d].add(shift)
    covariance = (rows.T @ rows).at[:d, :d].add(T @ T.T) / n
    return symmetric(covariance), centre


def _whole(count: Numbers) -> Array:
    """Return a number of samples, or raise; NaN where a traced one is below 1."""
    n = require_range("count", count, 1, float("inf"))
    if is_concrete(n) and np.any(np.asarray(n) != np.floor(n)):
        raise ValueError(f"count must be a whole number of samples; got {count}.")
    return n
