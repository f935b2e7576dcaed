"""Groups: J views of one content each, all pairs of which are pairs."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from linssl.arguments import (
    Numbers,
    as_float,
    is_concrete,
    on_host,
    require_room,
    require_samples,
    require_whole,
)
from linssl.labels import as_paired_classes
from linssl.linalg.averages import blurred, precision
from linssl.linalg.structure import exact_products
from linssl.moments import Views
from linssl.names import names_of
from linssl.pairs.centring import centred_views, is_centred


def groups(x: Numbers, by: object = None, *, memory: int = 0) -> Views:
    r"""Pair every view of a group with every other view of it, in both orders.

    With all views about their mean $\mu$, and $\bar x_i$ the mean of a group:

    $$ \Sigma = \frac{1}{n(J-1)} \sum_{ij} (x_{ij} - \bar x_i)(x_{ij} - \bar x_i)^T, \quad
       G = \frac{1}{n} \sum_i (\bar x_i - \mu)(\bar x_i - \mu)^T - \frac1J \Sigma, \quad
       S = G + \Sigma $$

    S is the covariance of all views, divisor nJ, and G the average over ordered pairs of different
    views. Then $B = S + (J-1) G$ is J times the covariance of the groups' means, and
    $W_n = \Sigma$ the unbiased covariance within: all that `simvae(views, dim, J)` and `plda` read,
    with the same J.

    With `by` the batches of groups are taken out of G, as by `same_instance`, and Σ is unchanged:
    $G = \sum_g \frac{n_g}{n} \hat W_g - \frac1J \Sigma$, $\hat W_g$ the covariance of the means
    $\bar x_i$ within batch g, divisor $n_g - 1$.

    Args:
        x: (n, J, d): n groups of J >= 2 views. A list of n arrays (J, d) will do.
        by: (n,) names of batches (or plates, donors, trajectories), one for each group.
        memory: L, of groups in order of time, as for `same_instance`.

    Returns:
        `Views` with n as its count, and n(J - 1) draws.

    Raises:
        ValueError: groups of different sizes (their likelihood needs more than two moments), not
            three axes, one view a group, or NaN or inf; `by` as for `same_instance`.

    Source: derived (method of moments).
    """
    names, x = names_of(x), as_groups(x)
    n, J, d = x.shape
    require_room(d, 8)
    dtype = as_float(x[:1]).dtype
    xp, wide = (np, np.float64) if is_concrete(x) else (jnp, dtype)
    # About one view first, and each about a view of its group: equal views differ by exactly 0.
    first = xp.asarray(x[:, :1], wide)
    apart = xp.asarray(x, wide) - first
    means = apart.mean(1)
    apart = (apart - means[:, None]).reshape(n * J, d)
    means = means + (first - first[:1])[:, 0]
    centre = means.mean(0)
    mean, means = first[0, 0] + centre, means - centre[None]
    spread = _square(apart, n * (J - 1))
    shared = _square(means, n) - spread / J
    variance = xp.diagonal(shared) + xp.diagonal(spread)
    blur = blurred(precision(np.dtype(x.dtype), np.dtype(dtype)), mean, variance)
    moments = (jnp.asarray(M, dtype) for M in (shared, spread, mean, blur))
    shared, spread, mean, blur = moments
    views = Views(shared, spread, mean, n, n * (J - 1), blur, J, names)
    return centred_views(views, by, memory, means) if is_centred(by, memory) else views


@exact_products
def _square(rows: Any, divisor: int) -> Any:
    """Return rows^T rows over a divisor, symmetric to the bit."""
    square = rows.T @ rows / divisor
    return (square + square.T) / 2


def class_tuples(
    data: Numbers, labels: Numbers, group_size: int, key: Key[Array, ""]
) -> Float[Array, "n J d"]:
    r"""Group instances of one class J at a time, each instance in one group at most.

    In every class of $n_c$ instances, $\lfloor n_c / J \rfloor$ groups are drawn without
    replacement; those left over are dropped. `groups(...)` of it are the pairs: instances of one
    class as views of one content.

    Args:
        data: $X$, (n, d).
        labels: (n,) class names; concrete, since they fix a shape.
        group_size: $J \ge 2$.
        key: a random key: who is with whom.

    Returns:
        (groups, J, d), the classes in sorted order.

    Raises:
        ValueError: labels that don't fit, J < 2, or no class of J instances.

    Source: derived, for the pairs of SemPairs.
    """
    X = require_samples("data", data)
    if not is_concrete(labels):
        raise ValueError("labels must be concrete: their classes fix a shape.")
    classes, sizes = as_paired_classes("labels", labels, len(X))
    require_whole("group_size", group_size, 2)
    if sizes.max() < group_size:
        raise ValueError(
            f"labels must have a class of {group_size} instances or more; the largest has "
            f"{sizes.max()}."
        )
    shuffled = np.asarray(jax.random.permutation(key, len(X)))
    by_class = shuffled[np.argsort(classes[shuffled], kind="stable")]
    rank = np.arange(len(X)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    kept = rank < np.repeat(sizes // group_size * group_size, sizes)
    return X[by_class[kept].reshape(-1, group_size)]


def as_groups(x: Numbers) -> Array | np.ndarray:
    """Return groups as an (n, J, d) array, or raise saying what they were instead."""
    if isinstance(x, list | tuple):
        shapes = sorted({np.shape(group) for group in x})
        if len(shapes) > 1:
            raise ValueError(
                f"x must hold groups of one shape (J, d); got {shapes[0]} and {shapes[-1]}. Groups "
                "of different sizes have likelihoods of their own: B = S + (J - 1) G and S - G "
                "sum them up for one J alone. Fit each size apart, or draw the same number of "
                "views from every group (class_tuples does)."
            )
    array = on_host(x, "x") if is_concrete(x) else as_float(x, "x")
    if array.ndim != 3 or 0 in array.shape:
        raise ValueError(f"x must be (n, J, d), n groups of J views; got shape {array.shape}.")
    if array.shape[1] < 2:
        raise ValueError(
            f"x must have J >= 2 views a group, to pair them; got shape {array.shape}. "
            "same_instance(data) pairs single views with themselves."
        )
    if is_concrete(array) and not np.isfinite(array).all():
        where = tuple(np.argwhere(~np.isfinite(array))[0].tolist())
        raise ValueError(f"x must be finite; got NaN or inf, the first at {where}.")
    return array
