"""Reconstruction of each row from a view of it, as a scikit-learn estimator."""

from linssl.augmentations import Augmentation, view_and_clean
from linssl.estimators.base import LinearDecoder
from linssl.moments import Views
from linssl.objectives import Solution, reconstruction


class Reconstruction(LinearDecoder):
    r"""Reconstruct a row from the code of a view of it.

    $$ \min_{E, D} E\|x - D E \tau(x)\|^2, \qquad \Sigma = \Theta + \alpha^2 \Gamma $$

    What `linssl.reconstruction` makes of `view_and_clean(X, a)`; augmentations act on the rows as
    they come. `inverse_transform` decodes: $Dz + \bar x$. Divisor n.

    Args:
        dim: as in `JointEmbedding`, like all parameters and attributes.
        augmentation: $\Theta$.
        aligned: $\Gamma$.
        alpha: $\alpha$.

    Here `components_` is E, and `spectrum_` holds $\varphi^2$, in units of the data's variance.

    Source: JEvRC, Theorem 1; section 4 for alpha.
    """

    def _solve(self, rows: Views, a: Augmentation, dim: int) -> Solution:
        return reconstruction(view_and_clean(rows, a), dim)
