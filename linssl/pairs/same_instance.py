"""An instance with itself, or with its label."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array

from linssl.arguments import Numbers, as_float, is_concrete, require_covariance
from linssl.data.sources.opening import Data, opened, told
from linssl.labels import as_classes, require_names
from linssl.linalg.averages import (
    as_source,
    as_weights,
    average,
    effective,
    float_type,
    shape_of,
)
from linssl.moments import PairMoments, Views, pair_of_rows
from linssl.names import Names, names_of
from linssl.pairs.centring import centred_sides, centred_views, is_centred


def same_instance(
    data: Data, by: object = None, *, memory: int = 0, weights: Numbers | str | None = None
) -> Views:
    r"""Pair every instance with itself: both views are x.

    $$ G = S = \frac1n \sum (x - \bar x)(x - \bar x)^T, \quad \Sigma = 0 $$

    `augment(views, a)` makes two views of it. Data that are known are summed on the host, in
    blocks and in double precision; a constant column has a variance of exactly 0. `stream_moments`
    gives the same, for what takes long: on many workers, to be resumed.

    With `by` the pair is of $x - \mu_g$, without what the batch g of an instance holds: the
    unbiased covariance within batches, for n_g instances of g

    $$ G = \sum_g \frac{n_g}{n} \hat W_g, \quad \hat W_g = \frac{1}{n_g - 1} \sum_{i \in g}
       (x_i - \bar x_g)(x_i - \bar x_g)^T $$

    A batch of one is taken to vary as the others do. Trajectories need their `memory`: centred as
    if rows were independent, short ones have scores ω that are too low. The mean stays that of
    all. Centre all data at once: `merge` brings the means of its parts back.

    Args:
        data: $X$, (n, d): an array, or what gives its rows by slices (a file mapped into memory,
            a dataset of HDF5 or zarr, a sparse csr matrix, what `open_source` opened), of which a
            block is in memory at once. Paths, tables and AnnData are opened by `open_source`:
            columns y and label of a table, and those named here, are no features. Features keep
            their names.
        by: (n,) names of batches (or plates, donors, trajectories) to centre by, or the name of a
            column of the data; None is none.
        memory: L, where rows of one batch come in order of time: rows further than L apart are
            uncorrelated. Trajectories of at least 2(L + 1) rows say how rows vary within.
        weights: (n,) >= 0, or the name of a column, as of `stream_moments`; None is 1. Not with
            `by`.

    Raises:
        ValueError: not (n, d), or NaN or inf in it; `by` of another length, missing, masked,
            traced (or the data are), of a single batch, or of too short ones only; a memory
            without `by`; weights that are negative, all 0, traced (or the data are), or come
            beside `by`.

    Source: derived; the pairs of JEvRC, section 3.
    """
    X = as_source("data", opened(data, by, weights))
    by, weights = told("by", by, X, "names (n,)"), told("weights", weights, X)
    w = None if weights is None else _weights(weights, by, X)
    x = average(None, w, data=X)
    views = same_instance_moments(x.covariance, x.mean, effective(X.shape[0], w), x.rounding)
    views = views.named(names_of(X))
    return centred_views(views, by, memory, X) if is_centred(by, memory) else views


def _weights(weights: Numbers, by: object, X: Any) -> np.ndarray | None:
    if by is not None:
        raise ValueError("weights must be None with by: rows are centred by batch as they count.")
    if not is_concrete(weights, X):
        raise ValueError("weights must be concrete, and the data they weigh: pair outside of jit.")
    return as_weights(weights, X.shape[0])


def same_instance_population(covariance: Numbers, mean: Numbers | None = None) -> Views:
    r"""Pair every instance with itself, for a population given by its covariance.

    $$ G = S = \mathrm{Cov}(x), \quad \Sigma = 0, \quad n = \infty $$

    Args:
        covariance: Cov(x), (d, d), or (d,) for a diagonal. The columns of a table name features.
        mean: $\mu$, (d,); None is 0.

    Raises:
        ValueError: covariance not symmetric, not positive semi-definite or not finite; a mean of
            another size, or not finite.

    Source: derived; the population limit of `same_instance`.
    """
    C = as_float(covariance)
    if C.ndim not in (1, 2) or C.shape[0] != C.shape[-1] or C.size == 0:
        raise ValueError(f"covariance must be (d, d), or (d,) for a diagonal; got {C.shape}.")
    require_covariance("covariance", C)
    mu = jnp.zeros(C.shape[:1], C.dtype) if mean is None else as_float(mean).astype(C.dtype)
    if mu.shape != C.shape[:1]:
        raise ValueError(f"mean must be ({C.shape[0]},), one for each feature; got {mu.shape}.")
    if is_concrete(mu) and not np.isfinite(np.asarray(mu)).all():
        raise ValueError(f"mean must be finite; got {mu}.")
    return same_instance_moments(C, mu, jnp.inf).named(names_of(covariance))


def same_instance_moments(
    covariance: Numbers, mean: Numbers, count: Numbers, rounding: Numbers | None = None
) -> Views:
    r"""Pair every instance with itself, from moments that are there already.

    Args:
        covariance: Cov(x), (d, d), or (d,) for a diagonal.
        mean: E[x], (d,).
        count: number of instances; inf for a population.
        rounding: as in `Views`.
    """
    C, mean = as_float(covariance), as_float(mean)
    return Views(C, jnp.zeros_like(mean), mean, count, jnp.inf, rounding)


def with_label(
    data: Data, labels: Data | str, by: object = None, *, memory: int = 0
) -> PairMoments:
    r"""Pair every instance with its label: u = x, v = y.

    $$ S = \mathrm{Cov}(x), \quad C = \mathrm{Cov}(y), \quad G = \mathrm{Cov}(x, y) $$

    Args:
        data: $X$, (n, d), of all kinds that `same_instance` takes, and read as there.
        labels: $Y$, (n, e) regression targets, or (n,) class names, which become one-hot rows
            with the classes in sorted order, and the names of the second side's features; or the
            name of a column of the data.
        by: (n,) names of batches, by which both sides are centred, as by `same_instance`.
        memory: as there.

    Raises:
        ValueError: shapes or lengths that don't fit, missing labels, NaN or inf, numbers whose
            squares the precision of the data doesn't hold, or (n,) labels with fractions or of
            more whole numbers than classes have: a single regression target is (n, 1).

    Source: derived; the supervised pair of JEvRC, section 3.
    """
    X: Any = as_source("data", opened(data, labels, by))
    Y: Any = told("labels", labels, X)
    by = told("by", by, X, "names (n,)")
    dtype = float_type(X.dtype)
    if len(shape_of(Y)) == 1:
        classes, index = _classes(Y)
        require_names("labels", classes, len(index))
        names = Names(map(str, classes))
        Y = OneHot(index, len(classes), dtype) if is_concrete(X) else one_hot(index, dtype)
    else:
        Y = as_source("labels", Y)
        names = names_of(Y)
    if Y.shape[0] != X.shape[0]:
        raise ValueError(
            f"labels must have {X.shape[0]} rows, one for each instance; got {Y.shape}."
        )
    pair = pair_of_rows(dtype, data=X, labels=Y)  # in the precision of the data
    pair = pair.named(names_of(X), names)
    return centred_sides(pair, by, memory, data=X, labels=Y) if is_centred(by, memory) else pair


class OneHot:
    """One-hot rows (n, K) of classes by their number, made a slice at a time."""

    def __init__(self, index: np.ndarray, classes: int, dtype: DTypeLike):
        self.index, self.shape, self.dtype = index, (len(index), classes), np.dtype(dtype)

    def __getitem__(self, rows: slice) -> np.ndarray:
        return (self.index[rows, None] == np.arange(self.shape[1])).astype(self.dtype)


def one_hot(labels: Numbers, dtype: DTypeLike | None = None) -> Array:
    r"""Write class names as rows with one 1 each, the classes in sorted order.

    $$ Y_{ic} = 1[\text{label}_i = c] $$

    Args:
        labels: (n,) integers, strings, booleans or dates.
        dtype: of the result; None is the default float.

    Raises:
        ValueError: not 1-D, empty, traced (the number of classes fixes a shape), masked, missing
            (None, NaN, NaT, NA), infinite, of mixed types, or numbers with fractions.

    Source: derived.
    """
    names, index = _classes(labels)
    return jnp.asarray(
        np.eye(len(names))[index], jnp.result_type(float) if dtype is None else dtype
    )


def _classes(labels: Numbers) -> tuple[np.ndarray, np.ndarray]:
    if not is_concrete(labels):
        raise ValueError("labels must be concrete: their classes fix a shape. Pass one-hot rows.")
    return as_classes("labels", labels)
