"""Problems for comparing objectives: what to learn from, and what should be readable after."""

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array

from linssl.arguments import Numbers, as_float, require_covariance, require_whole
from linssl.linalg.shown import Shown
from linssl.moments import PairMoments, Views, require_pair, require_views


class Problem(Shown):
    r"""Moments to learn from, and targets to read from the codes by linear probes.

    Args:
        views: moments of two views of one content.
        to_clean: moments of a view and of what it is to be reconstructed to.
        targets: by name, moments of a view x (d,) and a target y (e,), cross (d, e).
        group_size: $J$, views of one content, for models of groups.

    Raises:
        ValueError: not views and pairs, sizes that differ, no target, or a group of less than one
            view.

    Source: derived.
    """

    views: Views
    to_clean: PairMoments
    targets: dict[str, PairMoments]
    group_size: int = eqx.field(static=True)

    def __init__(
        self,
        views: Views,
        to_clean: PairMoments,
        targets: Mapping[str, PairMoments],
        group_size: int = 2,
    ):
        if not isinstance(targets, Mapping) or not targets:
            raise ValueError(f"targets must be pairs by name, at least one; got {targets!r}.")
        if not all(isinstance(name, str) for name in targets):
            raise ValueError(f"targets must have text for names; got {list(targets)}.")
        require_views(views, "a problem")
        for pair in (to_clean, *targets.values()):
            require_pair(pair)
        d = views.mean.shape[0]
        sizes = {"to_clean": to_clean} | dict(targets)
        for name, pair in sizes.items():
            if pair.first.shape[0] != d:
                raise ValueError(
                    f"{name} must start from a view of {d} features; got {pair.first.shape[0]}."
                )
        require_whole("group_size", group_size, 1)
        self.views, self.to_clean, self.targets = views, to_clean, dict(targets)
        self.group_size = group_size


def content_style(content: Numbers, style: Numbers, noise: Numbers, group_size: int = 2) -> Problem:
    r"""Make the population in which views share a content, and each has a style and noise.

    $$ x_j = (y + e_j, \; u_j + f_j), \qquad y \sim (0, \mathrm{diag}\,\kappa), \quad
       u_j \sim (0, \mathrm{diag}\,\sigma), \quad (e_j, f_j) \sim (0, \mathrm{diag}\,\nu) $$

    Views of one content share y; style and noise are drawn for each. What is to be reconstructed
    is the view without noise, $(y, u_j)$. Of mean 0, and diagonal; turn it by any rotation you
    like, no objective depends on the axes.

    Args:
        content: $\kappa$, (c,) variances, one per content axis.
        style: $\sigma$, (s,), one per style axis.
        noise: $\nu$, a scalar or (c + s,); the variance on every axis.
        group_size: $J$, views of one content.

    Returns:
        `Problem` with targets "content" (c,), "style" (s,) and "noise" (c + s,).

    Raises:
        ValueError: not 1-D, not variances, or noise of another size.

    Source: derived, for the model of SimVAE.
    """
    kappa, sigma, nu = (
        as_float(values, name)
        for name, values in (("content", content), ("style", style), ("noise", noise))
    )
    for name, values in (("content", kappa), ("style", sigma), ("noise", nu)):
        if (values.ndim != 1 or not values.size) and not (name == "noise" and values.ndim == 0):
            raise ValueError(
                f"{name} must be 1-D, a variance for each axis, at least one; got {values.shape}."
            )
        require_covariance(name, values)
    d = kappa.size + sigma.size
    if nu.shape not in ((), (d,)):
        raise ValueError(f"noise must be a scalar or ({d},), one for each axis; got {nu.shape}.")
    views, to_clean, (of_content, of_style, of_noise) = _population(kappa, sigma, nu)
    targets = {"content": of_content, "style": of_style, "noise": of_noise}
    return Problem(views, to_clean, targets, group_size)


@jax.jit
def _population(
    kappa: Array, sigma: Array, nu: Array
) -> tuple[Views, PairMoments, list[PairMoments]]:
    """Write out the moments of `content_style`, by one program rather than thirty."""
    c, d = kappa.size, kappa.size + sigma.size
    dtype = jnp.result_type(kappa, sigma, nu)
    kappa, sigma, nu = kappa.astype(dtype), sigma.astype(dtype), nu.astype(dtype)
    clean = jnp.concatenate([kappa, sigma])
    zero, nu, infinite = jnp.zeros_like(clean), jnp.broadcast_to(nu, (d,)), jnp.asarray(jnp.inf)
    G, spread = clean.at[c:].set(0), nu.at[c:].add(sigma)
    S = clean + nu

    def target(axes: slice, variances: Numbers) -> PairMoments:
        variances = jnp.asarray(variances)
        cross = jnp.zeros((d, variances.size), dtype).at[axes].set(jnp.diag(variances))
        means = zero, jnp.zeros_like(variances)
        return PairMoments(S, variances, cross, *means, infinite, infinite)

    axes = slice(0, c), slice(c, d), slice(0, d)
    targets = [target(*pair) for pair in zip(axes, (kappa, sigma, nu), strict=True)]
    to_clean = PairMoments(S, clean, clean, zero, zero, infinite, infinite)
    return Views(G, spread, zero, infinite, infinite), to_clean, targets
