"""Joint embedding of two views of each row, as a scikit-learn estimator."""

from linssl.augmentations import Augmentation, two_views
from linssl.estimators.base import LinearEncoder
from linssl.moments import Views
from linssl.objectives import Solution, joint_embedding


class JointEmbedding(LinearEncoder):
    r"""Encode two views of each row alike, without collapsing.

    $$ \min_W E\|W\tau_1 - W\tau_2\|^2 \text{ subject to } W S W^T = I_k, \qquad
       \Sigma = \Theta + \alpha^2 \Gamma $$

    What `linssl.joint_embedding` makes of `two_views(X, a)`. Augmentations act on the rows as they
    come: what is masked becomes 0. If it is to become the mean instead, centre the rows first.
    Divisor n.

    Args:
        dim: $k$, 1 <= k <= d; None is as many as the data have directions, the rank of their
            covariance.
        augmentation: the base, whose $\Sigma$ is $\Theta$: any `linssl.Augmentation`; or a number,
            isotropic Gaussian noise of that share of the mean variance of a feature. None is 0.1.
        aligned: $\Gamma$, covariance of the noise that the codes should ignore, (d, d), or (d,)
            for a diagonal; added after the base. None is no such noise.
        alpha: $\alpha \ge 0$, its strength: a scale, so that $\alpha^2$ enters. Choose it by
            GridSearchCV.

    Attributes:
        components_: $W$, (k, d).
        mean_: $\mu$ of a view, (d,), subtracted before encoding; that of the rows, where the
            augmentation moves no mean.
        spectrum_: all scores $\omega$, (d,), descending.
        loss_: the objective at the solution.
        status_: `linssl.Status`; OK, or what there was a warning of.
        solution_: the `linssl.Solution`, in numpy; within `jax.enable_x64(True)` it works in full
            precision.
        n_features_in_: $d$.
        feature_names_in_: of a data frame's columns.

    `fit` raises ValueError for data or parameters out of range, and NumericalTroubleError where no
    numbers are left.

    Source: JEvRC, Theorem 2; section 4 for alpha.
    """

    def _solve(self, rows: Views, a: Augmentation, dim: int) -> Solution:
        return joint_embedding(two_views(rows, a), dim)
