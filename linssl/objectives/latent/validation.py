"""What models of groups ask of their arguments."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from linssl.arguments import Numbers, as_float, is_concrete, require_dim, require_whole, within
from linssl.moments import Views, require_views

LEAST = float(np.finfo(np.float32).tiny)  # of a variance > 0


def require_groups(views: Views, name: str, dim: int, group_size: int) -> None:
    """Raise unless these are views of groups of this size, or of any; `name` is what needs them."""
    require_views(views, name)
    require_dim(dim, views.mean.shape[0], "the number of features")
    require_whole("group_size", group_size, 1)
    if views.group_size not in (None, group_size):
        raise ValueError(
            f"group_size must be {views.group_size}, as the views are moments of groups of "
            f"{views.group_size}; got {group_size}. Make the groups anew with {group_size} views."
        )


def require_variance(name: str, value: Numbers, zero: bool, infinite: bool) -> Array:
    """Return a scalar variance that may be 0 or inf as told, else raise; NaN where it is traced."""
    variance = as_float(value, name)
    low = 0.0 if zero else LEAST
    high = np.inf if infinite else float(jnp.finfo(variance.dtype).max)
    if variance.ndim or (is_concrete(variance) and not low <= float(variance) <= high):
        span = f"{'>= 0' if zero else '> 0'}{'' if infinite else ' and finite'}"
        raise ValueError(f"{name} must be a scalar {span}; got {value}.")
    return within(variance, low, high)
