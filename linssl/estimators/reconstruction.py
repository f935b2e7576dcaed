"""Reconstruction of each row from a view of it, as a scikit-learn estimator."""

from typing import Any

from linssl.augment import Augmentation
from linssl.estimators.base import LinearDecoder
from linssl.estimators.views import Centred, views
from linssl.objectives import Solution, reconstruction


class Reconstruction(LinearDecoder):
    r"""Reconstruct a row from the code of a view of it.

    $$ \min_{E, D} E\|x - D E \tau(x)\|^2, \qquad \Sigma = \Theta + \alpha^2 \Gamma $$

    What `linssl.reconstruction` makes of `augment(same_instance(X).centred(), a, None).centred()`.
    `inverse_transform` decodes: $Dz + \bar x$. Divisor n.

    Args:
        dim: as in `JointEmbedding`, like all parameters and attributes.
        augmentation: $\Theta$.
        aligned: $\Gamma$.
        alpha: $\alpha$.

    Here `components_` is E, and `spectrum_` holds $\varphi^2$, in units of the data's variance.

    Source: JEvRC, Theorem 1; section 4 for alpha.
    """

    def _solve(self, data: Centred, view: Augmentation, y: Any) -> Solution:
        del y
        pair = views(data, view, clean=True)
        return reconstruction(pair, data.rank if self.dim is None else self.dim)
