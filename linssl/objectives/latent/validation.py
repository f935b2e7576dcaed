"""What models of groups ask of their arguments."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from linssl._checks import is_concrete, require_dim, require_whole, within
from linssl._structure import Numbers, as_float
from linssl.moments import PairMoments, require_pair

LEAST = float(np.finfo(np.float32).tiny)  # of a variance > 0


def require_groups(pair: PairMoments, dim: int, views: int) -> None:
    """Raise unless this is an exchangeable pair, from groups of a whole number of views.

    Source: derived (validation).
    """
    require_pair(pair)
    if not pair.exchangeable:
        raise ValueError(
            "groups of views need an exchangeable pair: groups(x), or two views from one "
            "augmentation, augment(pair, a, a) with the same object twice."
        )
    require_dim(dim, pair.first.shape[0], "the number of features")
    require_whole("views", views, 1)


def require_variance(name: str, value: Numbers, zero: bool, infinite: bool) -> Array:
    """Return a scalar variance that may be 0 or inf as told, else raise; NaN where it is traced.

    Source: derived (validation).
    """
    variance = as_float(value, name)
    low = 0.0 if zero else LEAST
    high = np.inf if infinite else float(jnp.finfo(variance.dtype).max)
    if variance.ndim or (is_concrete(variance) and not low <= float(variance) <= high):
        span = f"{'>= 0' if zero else '> 0'}{'' if infinite else ' and finite'}"
        raise ValueError(f"{name} must be a scalar {span}; got {value}.")
    return within(variance, low, high)
