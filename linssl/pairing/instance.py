"""An instance with itself, or with its label."""

import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array

from linssl._checks import is_concrete, require_covariance, require_samples
from linssl._digits import average, mark_constant
from linssl._structure import Numbers, as_float, dense, diagonal, exact_products
from linssl.moments import PairMoments


@exact_products
def same_instance(data: Numbers) -> PairMoments:
    r"""Pair every instance with itself: u = v = x.

    $$ S = C = G = \frac1n X^T X, \quad \Sigma = S - G = 0 $$

    `augment(pair, a, a)` makes it the two views of joint embedding, `augment(pair, a, None)` the
    view and its clean target of reconstruction. Raw moments, divisor n; call `.centred()`.

    Args:
        data: $X$, (n, d).

    Raises:
        ValueError: not (n, d), or NaN or inf in it.

    Source: derived; the pairs of JEvRC, section 3.

    """
    X = require_samples("data", data)
    S, mean = average(X)
    return same_instance_moments(S, mean, len(X))


def same_instance_population(covariance: Numbers, mean: Numbers | None = None) -> PairMoments:
    r"""Pair every instance with itself, for a population given by its covariance.

    $$ S = C = G = \mathrm{Cov}(x) + \mu\mu^T, \quad \Sigma = 0, \quad n = \infty $$

    Args:
        covariance: Cov(x), (d, d), or (d,) for a diagonal; centred.
        mean: $\mu$, (d,); None is 0, and keeps a diagonal a diagonal.

    Raises:
        ValueError: covariance not symmetric, not positive semi-definite or not finite; a mean of
            another size, or not finite.

    Source: derived; the population limit of `same_instance`.

    """
    C = as_float(covariance)
    if C.ndim not in (1, 2) or C.shape[0] != C.shape[-1] or C.size == 0:
        raise ValueError(f"covariance must be (d, d), or (d,) for a diagonal; got {C.shape}.")
    require_covariance("covariance", C)
    mu = jnp.zeros(C.shape[:1], C.dtype) if mean is None else as_float(mean)
    if mu.shape != C.shape[:1]:
        raise ValueError(f"mean must be ({C.shape[0]},), one for each feature; got {mu.shape}.")
    if is_concrete(mu) and not np.isfinite(np.asarray(mu)).all():
        raise ValueError(f"mean must be finite; got {mu}.")
    if mean is not None:
        constant = diagonal(C) == 0
        C = mark_constant(dense(C) + jnp.outer(mu, mu), mu, constant)
    return same_instance_moments(C, mu, jnp.inf)


def same_instance_moments(second: Array, mean: Array, count: Numbers) -> PairMoments:
    r"""Pair every instance with itself, from moments that are there already.

    Args:
        second: raw $E[xx^T]$, (d, d), or (d,) for a diagonal.
        mean: E[x], (d,).
        count: number of instances; inf for a population.

    Source: derived; what `same_instance` makes of data.
    """
    C, n = second, as_float(count).astype(second.dtype)
    return PairMoments(C, C, C, mean, mean, n, within=jnp.zeros_like(mean), exchangeable=True)


def with_label(data: Numbers, labels: Numbers) -> PairMoments:
    r"""Pair every instance with its label: u = x, v = y.

    $$ S = \frac1n X^T X, \quad C = \frac1n Y^T Y, \quad G = \frac1n X^T Y $$

    Args:
        data: $X$, (n, d), raw.
        labels: $Y$, (n, e) regression targets, or (n,) class names, which become one-hot rows
            with the classes in sorted order.

    Raises:
        ValueError: shapes or lengths that don't fit, NaN or inf, or (n,) labels with fractions:
            a single regression target is (n, 1).

    Source: derived; the supervised pair of JEvRC, section 3.

    """
    X = require_samples("data", data)
    if np.ndim(labels) == 1:
        Y = one_hot(labels, X.dtype)
    else:
        Y = require_samples("labels", labels).astype(X.dtype)
    if len(Y) != len(X):
        raise ValueError(f"labels must have {len(X)} rows, one for each instance; got {Y.shape}.")
    return PairMoments.from_samples(X, Y)


def one_hot(labels: Numbers, dtype: DTypeLike | None = None) -> Array:
    r"""Write class names as rows with one 1 each, the classes in sorted order.

    $$ Y_{ic} = 1[\text{label}_i = c] $$

    Args:
        labels: (n,) integers, strings or booleans.
        dtype: of the result; None is the default float.

    Raises:
        ValueError: not 1-D, empty, traced (the number of classes fixes a shape), missing (None or
            NaN), or numbers with fractions.

    Source: derived.
    """
    if not is_concrete(labels):
        raise ValueError("labels must be concrete: their classes fix a shape. Pass one-hot rows.")
    values = np.asarray(labels)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"labels must be a non-empty (n,) array; got {values.shape}.")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError(f"labels must be finite; got {np.sum(~np.isfinite(values))} NaN or inf.")
    if values.dtype.kind == "f" and (values % 1 != 0).any():
        raise ValueError(
            f"labels must be class names; got the fraction {values[values % 1 != 0][0]:g}. "
            "Pass a regression target as (n, 1): labels[:, None]."
        )
    if values.dtype.kind == "O" and any(v is None or v != v for v in values):  # NaN != NaN
        raise ValueError("labels must not be missing; got None or NaN among them.")
    classes, index = np.unique(values, return_inverse=True)
    return jnp.asarray(
        np.eye(len(classes))[index], jnp.result_type(float) if dtype is None else dtype
    )
