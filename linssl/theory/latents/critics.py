"""What a critic can read of a Gaussian pair: mutual information, and its bilinear part."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from linssl.arguments import Numbers, as_float, require_dim, require_range
from linssl.linalg.shown import Shown


class GaussianCritic(Shown):
    r"""The optimal critic in canonical coordinates, the log ratio of densities.

    $$ T(a, b) = \log\frac{p(a, b)}{p(a)\,p(b)} = \sum_i \left[ \frac{\rho_i}{1 - \rho_i^2} a_i b_i
       - \frac{\rho_i^2}{2(1 - \rho_i^2)} (a_i^2 + b_i^2) \right] - \tfrac12 \sum_i
       \log(1 - \rho_i^2) $$

    Args:
        product: coefficients of $a_i b_i$, (m,).
        square: coefficients of $-(a_i^2 + b_i^2)$, (m,).
        constant: the last sum: the mutual information, in nats.

    Source: derived, for the objective of AdaSSL.
    """

    product: Float[Array, " m"]
    square: Float[Array, " m"]
    constant: Float[Array, ""]

    def __call__(self, a: Numbers, b: Numbers) -> Float[Array, "*batch"]:
        """Return T(a, b) for whitened codes a and b, (..., m) each."""
        a, b = (as_float(v, n).astype(self.product.dtype) for v, n in ((a, "a"), (b, "b")))
        m = self.product.size
        if a.shape != b.shape or a.ndim == 0 or a.shape[-1] != m:
            raise ValueError(f"a and b must both be (..., {m}); got {a.shape} and {b.shape}.")
        product, square = (jnp.broadcast_to(c, a.shape) for c in (self.product, self.square))
        return jnp.sum(product * a * b - square * (a * a + b * b), axis=-1) + self.constant


def mutual_information(correlation: Numbers) -> Float[Array, ""]:
    r"""Compute the mutual information of a Gaussian pair, in nats.

    $$ I = -\tfrac12 \sum_i \log(1 - \rho_i^2) $$

    Args:
        correlation: canonical correlations ρ, (m,), in [-1, 1]; inf where one is ±1.

    Raises:
        ValueError: not (m,), or outside [-1, 1] (where concrete; NaN inside a trace).

    Source: derived (Gaussian entropies); the quantity that AdaSSL bounds.
    """
    rho = _correlations(correlation)
    # Near 1 the factors keep the digits of 1 - rho^2, near 0 the square does.
    small = jnp.abs(rho) < 0.5
    square, factor = jnp.where(small, rho, 0), jnp.where(small, 0, rho)
    logs = jnp.log1p(-jnp.square(square)) + jnp.log1p(-factor) + jnp.log1p(factor)
    return -jnp.sum(logs) / 2


def optimal_critic(correlation: Numbers) -> GaussianCritic:
    r"""Build the critic whose bound on the mutual information is tight.

    No other critic exceeds $E_{joint}[T] - \log E_{prod}[e^T]$, or InfoNCE with infinitely many
    negatives; both are the mutual information here. With a latent r in the first slot and the
    price $\beta\,KL$, this critic earns $I(x; x^+) + (1 - \beta)\,I(r; x^+ | x)$: r is irrelevant
    at β = 1, and below it the objective is unbounded, since r may copy $x^+$ (the shortcut
    $x^+ \to r \to x^+$). The bilinear critic of `bilinear_value` isn't: its value ends at 1/2.

    Args:
        correlation: canonical correlations ρ, (m,), inside (-1, 1).

    Raises:
        ValueError: not (m,), or not inside (-1, 1) where concrete: at ±1 there is no density
            ratio.

    Source: derived, for the objective of AdaSSL.
    """
    rho = _correlations(correlation)
    edge = float(1 - jnp.finfo(rho.dtype).epsneg)
    rho = require_range("correlation, for a density ratio,", rho, -edge, edge)
    eta = (1 - rho) * (1 + rho)
    return GaussianCritic(rho / eta, rho**2 / (2 * eta), mutual_information(rho))


def bilinear_value(correlation: Numbers, dim: int) -> Float[Array, ""]:
    r"""Compute the best value of a critic that is bilinear, $T = f(x)^T g(x^+)$, of rank k.

    $$ \max_{f, g}\; E_{joint}[T] - E_x \log E_{x^+}[e^T] = \max_{f, g}\; E_{joint}[T]
       - \tfrac12 E_{prod}[T^2] = \tfrac12 \sum_{\text{top } k} \rho_i^2 $$

    The left is InfoNCE with infinitely many negatives (whose log is exact, codes being Gaussian),
    the middle the spectral contrastive loss. At most the mutual information.

    Args:
        correlation: canonical correlations ρ, (m,), in [-1, 1], any order.
        dim: $k$, 1 <= k <= m.

    Raises:
        ValueError: not (m,), outside [-1, 1] (where concrete; NaN inside a trace), or dim out of
            range.

    Source: derived, for the objective of AdaSSL.
    """
    rho = _correlations(correlation)
    require_dim(dim, rho.size, "the number of correlations")
    return jnp.sum(jnp.sort(rho**2)[rho.size - dim :]) / 2


def _correlations(correlation: Numbers) -> Array:
    """Check the canonical correlations of a pair."""
    rho = require_range("correlation", correlation, -1, 1)
    if rho.ndim != 1 or not rho.size:
        raise ValueError(f"correlation must be (m,), one for each direction; got {rho.shape}.")
    return rho
