"""A fitted linear model of groups: what it says of new views."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from linssl.arguments import Numbers, as_float
from linssl.linalg.shown import shows_numbers
from linssl.linalg.structure import exact_products
from linssl.objectives.solution import Solution
from linssl.theory.latents.directions import code_variances


@shows_numbers
class Gaussian(NamedTuple):
    """A normal law: means (..., k), and the covariance (k, k), which no data enter."""

    mean: Float[Array, "*batch k"]
    covariance: Float[Array, "k k"]


@shows_numbers
class GroupPosterior(NamedTuple):
    """What J views say together: of their content, and of each of their codes.

    Source: derived, for the model of SimVAE.
    """

    content: Gaussian
    codes: Gaussian


class GroupModel(Solution):
    r"""A model $x_j = W z_j + N(0, sI)$, $z_j = y + N(0, vI)$, $y \sim N(0, I_k)$, solved.

    Args:
        noise: $s$.
        style: $v$; at inf codes are in units of their own deviation.
        group_size: $J$ that it was fitted to.
        prior: "exact" or "plug-in".

    Source: derived, for the model of SimVAE.
    """

    noise: Float[Array, "*cells"]
    style: Float[Array, "*cells"]
    group_size: int = eqx.field(static=True)
    prior: str = eqx.field(static=True)

    @exact_products
    def posterior(self, x: Numbers) -> Gaussian:
        r"""Return the law of the code given one view: its mean is the encoder's.

        $$ E[z|x] = t W^T (t W W^T + sI)^{-1} (x - \mu), \quad
           \mathrm{Cov}[z|x] = (W^T W / s + I/t)^{-1}, \quad t = 1 + v $$

        With the plug-in prior $t = 1 + v (J - 1)/J$.

        Args:
            x: (..., d).

        Raises:
            ValueError: another number of features, or a batch of solutions.

        Source: derived, for the model of SimVAE.
        """
        return Gaussian(self(x), _code_covariance(self))

    @exact_products
    def group_posterior(self, x: Numbers) -> GroupPosterior:
        r"""Return the laws of the content and of each code, given all views of a group.

        With x about the mean,

        $$ E[y|x] = J W^T \Sigma_+^{-1} \bar x, \quad
           \mathrm{Cov}[y|x] = I - J W^T \Sigma_+^{-1} W $$

        $$ E[z_j|x] = \tau_+ W^T \Sigma_+^{-1} \bar x + v W^T \Sigma_-^{-1} (x_j - \bar x), \quad
           \mathrm{Cov}[z_j|x] = (M_+ + (J - 1) M_-)/J, \quad
           M_c = (W^T W / s + I/\tau_c)^{-1} $$

        Args:
            x: (..., J, d); J need not be that of the fit.

        Raises:
            ValueError: another number of features, a batch of solutions, or the plug-in prior,
                which has no content apart from its codes.

        Source: derived, for the model of SimVAE.
        """
        x, _ = self._groups(x)
        if self.prior != "exact":
            raise ValueError("the plug-in prior has no content: fit with prior='exact'.")
        return _group_posterior(self, x)

    @exact_products
    def log_likelihood(self, x: Numbers) -> Float[Array, "*batch"]:
        r"""Evaluate $\log p(x_1, \dots, x_J)$ of groups; minus the mean over data is the loss.

        Args:
            x: (..., J, d); J need not be that of the fit, but for
                the plug-in prior.

        Raises:
            ValueError: another number of features, or a batch of solutions.

        Source: derived, for the model of SimVAE.
        """
        x, J = self._groups(x)
        if self.prior != "exact" and self.group_size != J:
            raise ValueError(f"the plug-in prior is of {self.group_size} views a group; got {J}.")
        return _log_likelihood(self, x)

    def _groups(self, x: Numbers) -> tuple[Array, int]:
        """Return groups of views about the mean and J, or raise."""
        x = as_float(x, "x")
        if self.encoder.ndim != 2:
            raise ValueError(
                f"only one solution reads data at a time; this is a batch of {self.encoder.shape}."
            )
        d = self.encoder.shape[-1]
        if x.ndim < 2 or x.shape[-1] != d or not x.shape[-2]:
            raise ValueError(f"x must be (..., J, {d}), groups of views; got shape {x.shape}.")
        return self._around(x), x.shape[-2]

    def _parts(self) -> tuple[Array, Array, Array, Array]:
        """Return V, s, r and the deviation of a code in the units that W has: z = unit V-code."""
        r = 1 / (1 + self.style)
        unit = jnp.where(r > 0, 1 / jnp.sqrt(jnp.where(r > 0, r, 1)), 1)
        return self._decoder() * unit, self.noise, r, unit


# One program each: eager, every operation would compile on its own.
@eqx.filter_jit
def _code_covariance(model: GroupModel) -> Array:
    """Return the covariance of a code given one view."""
    V, s, r, unit = model._parts()
    plus, minus = code_variances(model.prior, model.group_size, r)
    t = (plus + (model.group_size - 1) * minus) / model.group_size
    return _posterior(V, s, t)[1] * unit**2


@eqx.filter_jit
def _group_posterior(model: GroupModel, x: Array) -> GroupPosterior:
    """Return the laws of content and codes given groups (..., J, d)."""
    J = x.shape[-2]
    V, s, r, unit = model._parts()
    plus, minus = code_variances("exact", J, r)
    centre = jnp.mean(x, -2)
    (L_plus, M_plus), (L_minus, M_minus) = (_posterior(V, s, t) for t in (plus, minus))
    # kappa V^T Sigma^{-1} = L; r > 0 divides nothing, since content is r / kappa_+ of L.
    share = J * jnp.sqrt(r) / plus
    k = V.shape[1]
    content = Gaussian(
        share * centre @ L_plus.T,
        jnp.eye(k, dtype=V.dtype) - share * jnp.sqrt(r) * L_plus @ V,
    )
    around = x - jnp.expand_dims(centre, -2)
    mean = jnp.expand_dims(centre @ L_plus.T, -2) + around @ L_minus.T
    covariance = (M_plus + (J - 1) * M_minus) / J
    return GroupPosterior(content, Gaussian(mean * unit, covariance * unit**2))


@eqx.filter_jit
def _log_likelihood(model: GroupModel, x: Array) -> Array:
    """Return log p of groups (..., J, d)."""
    J = x.shape[-2]
    V, s, r, _ = model._parts()
    (d, k), A = V.shape, V.T @ V
    centre = jnp.mean(x, -2)
    around = x - jnp.expand_dims(centre, -2)
    squares = J * _norm(centre, V, s, A, r, model.prior, J, 0)
    squares = squares + jnp.sum(_norm(around, V, s, A, r, model.prior, J, 1), -1)
    total = squares + J * d * jnp.log(2 * jnp.pi)
    for n, kappa in zip((1, J - 1), code_variances(model.prior, J, r), strict=True):
        L = jnp.linalg.cholesky(s * jnp.eye(k, dtype=V.dtype) + kappa * A)
        total = total + n * ((d - k) * jnp.log(s) + 2 * jnp.sum(jnp.log(jnp.diagonal(L))))
    return -total / 2


def _posterior(V: Array, s: Array, variance: Array) -> tuple[Array, Array]:
    """Return L and M: a code N(0, t I) given x is N(L x, M); t = 0 is no code, and no NaN."""
    t = variance
    M = t * jnp.linalg.inv(t * V.T @ V / s + jnp.eye(V.shape[1], dtype=V.dtype))
    return M @ V.T / s, M


def _norm(
    x: Array, V: Array, s: Array, A: Array, r: Array, prior: str, group_size: int, channel: int
) -> Array:
    """Return x^T Sigma_c^{-1} x, by Woodbury."""
    kappa = code_variances(prior, group_size, r)[channel]
    L = jnp.linalg.cholesky(s * jnp.eye(len(A), dtype=V.dtype) + kappa * A)
    half = jax.scipy.linalg.solve_triangular(L, V.T, lower=True)
    return (jnp.sum(x**2, -1) - kappa * jnp.sum((x @ half.T) ** 2, -1)) / s
