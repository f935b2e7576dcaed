"""Linear SimVAE of views of each row, as a scikit-learn estimator."""

from typing import Any, no_type_check

from linssl.augmentations import Augmentation, two_views
from linssl.estimators.base import LinearDecoder
from linssl.moments import Views
from linssl.objectives import Solution, simvae


class SimVAE(LinearDecoder):
    r"""Fit J views of each row as noisy pictures of codes that share one content.

    $$ x_j = W z_j + N(0, sI), \quad z_j = y + N(0, vI), \quad y \sim N(0, I_k), \quad
       j = 1, \dots, J $$

    What `linssl.simvae` makes of `two_views(X, a)`, by maximum likelihood over infinitely many
    views; augmentations act on the rows as they come. A code is $E[z|x]$; `inverse_transform`
    gives its picture, $Wz + \mu$, about the mean of a view. Divisor n.

    Args:
        dim: $k$, 1 <= k <= d; None is one less than the rank of the data, which leaves a direction
            to tell the noise by: with k = d, and all directions of one size, as for one feature or
            whitened data, noise and style are arbitrary, and a warning. Fewer are wiser where the
            last ones carry little: EM is slow then.
        augmentation: as in `JointEmbedding`, like all attributes and parameters not told here.
        aligned: $\Gamma$.
        alpha: $\alpha$.
        group_size: $J \ge 1$ views of each row; one needs `style`.
        style: $v$ in [0, inf]; None is estimated.
        noise: $s > 0$; None is estimated.
        iterations: most steps of EM.

    `components_` is the encoder, `spectrum_` what each direction gains, in nats a group, and
    `solution_` the `linssl.objectives.SimVAESolution`, with the fitted noise, style and
    `posterior`.

    Source: derived, for the model of SimVAE.
    """

    @no_type_check  # scikit-learn's rule: any type may come; fit refuses
    def __init__(
        self,
        dim: int | None = None,
        *,
        augmentation: Augmentation | float | None = None,
        aligned: Any = None,
        alpha: float = 1.0,
        group_size: int = 2,
        style: float | None = None,
        noise: float | None = None,
        iterations: int = 3000,
    ):
        super().__init__(dim, augmentation=augmentation, aligned=aligned, alpha=alpha)
        self.group_size = group_size
        self.style = style
        self.noise = noise
        self.iterations = iterations

    def _default_dim(self, rank: int) -> int:
        return max(rank - 1, 1)

    def _solve(self, rows: Views, a: Augmentation, dim: int) -> Solution:
        given = {"style": self.style, "noise": self.noise, "iterations": self.iterations}
        return simvae(two_views(rows, a), dim, self.group_size, **given)
