r"""What a probe costs that is fitted to few labels."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from linssl.arguments import Numbers, as_float, is_concrete, require_range, require_whole


def labelled_probe_risk(
    risk: Numbers, dim: int, labels: Numbers, intercept: bool = True
) -> Float[Array, "..."]:
    r"""Compute the expected risk of a linear probe fitted by least squares to n labels.

    $$ E\,\hat R = R \left(1 + \tfrac1n\right) \left(1 + \frac{k}{n - k - 2}\right)
       \text{ with an intercept}, \qquad
       E\,\hat R = R \left(1 + \frac{k}{n - k - 1}\right) \text{ without, on data of mean zero} $$

    R is the risk with infinitely many labels, of `probe_risk`. The expectation is over the labelled
    sample and one more draw, for codes and labels that are jointly Gaussian: then nothing else of
    them matters. The price is the same for every encoder of dimension k, so that fewer labels
    favour smaller codes.

    Args:
        risk: $R \ge 0$, a scalar or any shape; sums over several labels alike.
        dim: $k \ge 1$, the dimension of the codes, none of them redundant.
        labels: $n \ge k$, or k + 1 with an intercept, whole numbers; any shape that broadcasts
            with `risk`; inf gives R back.
        intercept: whether the probe fits one.

    Returns:
        $E\,\hat R$ in units of `risk`; inf for the two smallest n, where the expectation diverges
        (0 for R = 0).

    Raises:
        ValueError: R < 0, k < 1, or fewer labels than coefficients: no unique probe fits them
            (where concrete; NaN inside a trace).

    Source: derived (mean of an inverse Wishart matrix).
    """
    require_whole("dim", dim, 1)
    R = require_range("risk", risk, 0, np.inf)
    n, k = as_float(labels, "labels").astype(R.dtype), int(dim)
    fitted = k + bool(intercept)
    if is_concrete(labels):
        host = np.asarray(labels, dtype=float)
        few = host[~((host >= fitted) & (np.isinf(host) | (host == np.round(host))))]
        if few.size:
            raise ValueError(
                f"labels must be whole numbers >= {fitted}, the coefficients to fit; "
                f"got {few.flat[0]:g}."
            )
    left = n - fitted - 1  # of the degrees of freedom; an intercept takes one
    excess = jnp.where(left > 0, k / jnp.where(left > 0, left, 1), jnp.inf)
    factor = (1 + excess) * (1 + 1 / n if intercept else 1)
    known = (R == 0) | (left > 0)
    expected = jnp.where(R == 0, 0, R * jnp.where(known, factor, 1))
    expected = jnp.where(known, expected, jnp.inf)
    return jnp.where((n >= fitted) & ~jnp.isnan(R), expected, jnp.nan)
