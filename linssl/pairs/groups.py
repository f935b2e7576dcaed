"""Groups: J views of one content each, all pairs of which are pairs."""

from collections.abc import Iterator
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
from linssl.data.sources.opening import Data, opened, told
from linssl.labels import as_paired_classes
from linssl.linalg.averages import (
    as_dense,
    as_source,
    blurred,
    float_type,
    is_sliced,
    precision,
    require_numbers,
    summed,
)
from linssl.linalg.structure import exact_products
from linssl.moments import Views
from linssl.names import names_of
from linssl.pairs.centring import blocks_of, centred_views, is_centred


def groups(x: Data, by: object = None, *, memory: int = 0) -> Views:
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
        x: (n, J, d): n groups of J >= 2 views. A list of n arrays (J, d) will do. Paths are opened
            by `open_source`; of a file a block is in memory at once.
        by: (n,) names of batches (or plates, donors, trajectories), one for each group, or the
            name of a column of the data.
        memory: L, of groups in order of time, as for `same_instance`.

    Returns:
        `Views` with n as its count, and n(J - 1) draws.

    Raises:
        ValueError: groups of different sizes (their likelihood needs more than two moments), not
            three axes, one view a group, or NaN or inf; `by` as for `same_instance`.

    Source: derived (method of moments).
    """
    given = opened(x)
    X, names = as_groups(given), names_of(given)
    by = told("by", by, X, "names (n,)")
    n, J, d = X.shape
    require_room(d, 8)
    dtype = float_type(X.dtype)
    xp = np if is_concrete(X) else jnp
    means, M, spread, mean = _known(X) if xp is np else _traced(as_float(X))
    shared = M - spread / J
    variance = xp.diagonal(shared) + xp.diagonal(spread)
    blur = blurred(precision(np.dtype(X.dtype), dtype), mean, variance)
    moments = (jnp.asarray(M, dtype) for M in (shared, spread, mean, blur))
    shared, spread, mean, blur = moments
    views = Views(shared, spread, mean, n, n * (J - 1), blur, J, names)
    return centred_views(views, by, memory, means) if is_centred(by, memory) else views


class GroupMeans:
    """Means of known groups (n, d), about the first view of all: a large mean costs no digits."""

    dtype = np.dtype(np.float64)

    def __init__(self, x: Any):
        self.x, self.shape = x, (x.shape[0], x.shape[2])
        self.origin = as_dense(x[0:1])[0, 0].astype(np.float64)

    def __getitem__(self, rows: slice) -> np.ndarray:
        return np.concatenate([means for means, _ in self.blocks(rows.start, rows.stop)])

    def blocks(self, start: int, stop: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the means of groups, and their views about these, a block (m, J, d) at a time.

        About a view of the group: equal views differ by exactly 0.
        """
        for part in blocks_of(stop - start, int(np.prod(self.x.shape[1:]))):
            x = self._read(start + part.start, start + part.stop)
            first = x[:, :1]
            apart = x - first
            means = apart.mean(1)
            yield means + (first[:, 0] - self.origin), apart - means[:, None]

    def _read(self, start: int, stop: int) -> np.ndarray:
        x, wanted = as_dense(self.x[start:stop]), (stop - start, *self.x.shape[1:])
        if x.shape != wanted or x.dtype != self.x.dtype:
            raise ValueError(
                f"x changed while it was read: groups {start} to {stop - 1} must be {wanted} of "
                f"{self.x.dtype}; got {x.shape} of {x.dtype}."
            )
        x = x.astype(np.float64)
        bad = ~np.isfinite(x)
        if bad.any():
            group, *place = np.argwhere(bad)[0].tolist()
            raise ValueError(
                f"x must be finite; got NaN or inf, the first at {(start + group, *place)}."
            )
        return x


def _known(x: Any) -> tuple[GroupMeans, np.ndarray, np.ndarray, np.ndarray]:
    n, J, d = x.shape
    rows, spread = GroupMeans(x), np.zeros((d, d))
    for _, apart in rows.blocks(0, n):
        apart = apart.reshape(-1, d)
        spread += apart.T @ apart
    total = summed({"x": rows})
    spread = (spread + spread.T) / (2 * n * (J - 1))
    return rows, total.covariance, spread, rows.origin + total.mean


@exact_products
def _traced(x: Array) -> tuple[Array, Array, Array, Array]:
    n, J, d = x.shape
    first = x[:, :1]
    apart = x - first
    means = apart.mean(1)
    apart = (apart - means[:, None]).reshape(n * J, d)
    means = means + (first - first[:1])[:, 0]
    centre = means.mean(0)
    means = means - centre[None]
    M, spread = means.T @ means / n, apart.T @ apart / (n * (J - 1))
    return means, (M + M.T) / 2, (spread + spread.T) / 2, first[0, 0] + centre


def class_tuples(
    data: Data, labels: Numbers | str, group_size: int, key: Key[Array, ""]
) -> Float[Array, "n J d"]:
    r"""Group instances of one class J at a time, each instance in one group at most.

    In every class of $n_c$ instances, $\lfloor n_c / J \rfloor$ groups are drawn without
    replacement; those left over are dropped. `groups(...)` of it are the pairs: instances of one
    class as views of one content.

    Args:
        data: $X$, (n, d), of all kinds that `same_instance` takes; the tuples are in memory.
        labels: (n,) class names, or the name of a column of the data; concrete, since they fix a
            shape.
        group_size: $J \ge 2$.
        key: a random key: who is with whom.

    Returns:
        (groups, J, d), the classes in sorted order.

    Raises:
        ValueError: labels that don't fit, J < 2, or no class of J instances.

    Source: derived, for the pairs of SemPairs.
    """
    rows = opened(data, labels)
    labels = told("labels", labels, rows)
    X = require_samples("data", _whole(rows))
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


def _whole(rows: Any) -> Any:
    """Return rows that are read by slices as an array, and others as they are."""
    return as_dense(as_source("data", rows)[0 : rows.shape[0]]) if is_sliced(rows) else rows


def as_groups(x: Any) -> Any:
    """Return groups (n, J, d) on the host where they are known, or raise saying what they were.

    What is read by slices is returned as it is. Whether known groups are finite is found while
    they are summed.
    """
    if isinstance(x, list | tuple):
        shapes = sorted({np.shape(group) for group in x})
        if len(shapes) > 1:
            raise ValueError(
                f"x must hold groups of one shape (J, d); got {shapes[0]} and {shapes[-1]}. Groups "
                "of different sizes have likelihoods of their own: B = S + (J - 1) G and S - G "
                "sum them up for one J alone. Fit each size apart, or draw the same number of "
                "views from every group (class_tuples does)."
            )
    array: Any = x
    if not is_sliced(x):
        array = on_host(x, "x") if is_concrete(x) else as_float(x, "x")
    if len(array.shape) != 3 or 0 in array.shape:
        raise ValueError(f"x must be (n, J, d), n groups of J views; got shape {array.shape}.")
    if array.shape[1] < 2:
        raise ValueError(
            f"x must have J >= 2 views a group, to pair them; got shape {array.shape}. "
            "same_instance(data) pairs single views with themselves."
        )
    if is_sliced(x):
        require_numbers("x", x)
    return array
