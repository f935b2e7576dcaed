"""Groups: J views of one content each, all pairs of which are pairs."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from linssl._checks import is_concrete, require_room, require_samples, require_whole
from linssl._digits import average, mark_constant
from linssl._structure import Numbers, as_float, exact_products
from linssl.moments import PairMoments


@exact_products
def groups(x: Numbers) -> PairMoments:
    r"""Pair every view of a group with every other view of it, in both orders.

    $$ S = \frac{1}{nJ} \sum_{ij} x_{ij} x_{ij}^T, \quad
       G = \frac{1}{nJ(J-1)} \sum_i \sum_{j \ne l} x_{ij} x_{il}^T, \quad
       S - G = \frac{1}{n(J-1)} \sum_{ij} (x_{ij} - \bar x_i)(x_{ij} - \bar x_i)^T $$

    `within` is that last moment, taken about the groups' own means, so that large means cost it no
    digits. Then $B = S + (J-1) G$ is J times the second moment of the groups' means, and
    $W_n = S - G$ the unbiased moment within: all that `simvae(pair, dim, J)` and `plda` read, with
    the same J. Raw moments; call `.centred()`.

    Args:
        x: (n, J, d): n groups of J >= 2 views. A list of n arrays (J, d) will do.

    Returns:
        An exchangeable pair, with n (the number of groups) as its count.

    Raises:
        ValueError: groups of different sizes (their likelihood needs more than two moments), not
            three axes, one view a group, or NaN or inf.

    Source: derived (method of moments).
    """
    x = _groups(x)
    n, J, d = x.shape
    require_room(d, x.dtype.itemsize)
    S, mean = average(x.reshape(n * J, d))
    # About a view of the group first: then views that are equal differ by exactly 0.
    around = x - x[:, :1]
    around = (around - jnp.mean(around, 1, keepdims=True)).reshape(n * J, d)
    within = around.T @ around / (n * (J - 1))
    constant = jnp.all(x[:1, :1] == x, axis=(0, 1))
    G = mark_constant(S - within, mean, constant)
    count = jnp.asarray(n, S.dtype)
    return PairMoments(S, S, G, mean, mean, count, within=within, exchangeable=True)


def class_tuples(
    data: Numbers, labels: Numbers, views: int, key: Key[Array, ""]
) -> Float[Array, "n J d"]:
    r"""Group instances of one class J at a time, each instance in one group at most.

    In every class of $n_c$ instances, $\lfloor n_c / J \rfloor$ groups are drawn without
    replacement; those left over are dropped. `groups(...)` of it are the pairs: instances of one
    class as views of one content.

    Args:
        data: $X$, (n, d).
        labels: (n,) class names; concrete, since they fix a shape.
        views: $J \ge 2$.
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
    names = np.asarray(labels)
    if names.shape != (len(X),):
        raise ValueError(f"labels must be ({len(X)},), one for each instance; got {names.shape}.")
    require_whole("views", views, 2)
    _, classes, sizes = np.unique(names, return_inverse=True, return_counts=True)
    if sizes.max() < views:
        raise ValueError(
            f"labels must have a class of {views} instances or more; the largest has {sizes.max()}."
        )
    shuffled = np.asarray(jax.random.permutation(key, len(X)))
    by_class = shuffled[np.argsort(classes[shuffled], kind="stable")]
    rank = np.arange(len(X)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    kept = rank < np.repeat(sizes // views * views, sizes)
    return X[by_class[kept].reshape(-1, views)]


def _groups(x: Numbers) -> Array:
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
    array = as_float(x, "x")
    if array.ndim != 3 or 0 in array.shape:
        raise ValueError(f"x must be (n, J, d), n groups of J views; got shape {array.shape}.")
    if array.shape[1] < 2:
        raise ValueError(
            f"x must have J >= 2 views a group, to pair them; got shape {array.shape}. "
            "same_instance(data) pairs single views with themselves."
        )
    require_samples("x", array.reshape(-1, array.shape[2]))
    return array
