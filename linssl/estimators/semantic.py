"""Joint embedding of rows of one class, as a scikit-learn estimator."""

from typing import Any, no_type_check

from sklearn.utils import Tags

from linssl.augmentations import Augmentation
from linssl.estimators.base import forget
from linssl.estimators.joint_embedding import JointEmbedding
from linssl.estimators.rows import InDouble, opened_rows, rounding_of, validated
from linssl.labels import as_classes
from linssl.moments import Views
from linssl.pairs import same_class


class SemanticJointEmbedding(JointEmbedding):
    r"""Encode a view of a row and a view of another of its class alike.

    $$ G = (1 - pq) S_B + (1 - p) S_W, \qquad S = S_B + S_W, \quad \text{both then augmented} $$

    What `linssl.joint_embedding` makes of `two_views(same_class(X, y, p, q, distinct=False), a)`.
    Partners are drawn with replacement: then the least class may have one row, and at p = 1, q = 0
    this is Fisher's linear discriminant analysis, with the augmentation as its shrinkage. There
    are n - K draws for K classes: FEW_SAMPLES where they are no more than features. Divisor n.

    Args:
        dim: $k$, 1 <= k <= d; None is one less than there are classes, or the rank of the data if
            that is less.
        augmentation: as in `JointEmbedding`, like all attributes and parameters not told here.
        aligned: $\Gamma$.
        alpha: $\alpha$.
        fraction: $p$ in [0, 1], of pairs that join rows of one class; the others join a row with
            itself.
        mislabelled: $q$ in [0, 1], of those pairs, whose partner is of any class, by frequency.

    Attributes:
        classes_: names of the classes, sorted.

    Source: derived, for the pairs of SemPairs; JEvRC, Theorem 2.
    """

    @no_type_check  # scikit-learn's rule: any type may come; fit refuses
    def __init__(
        self,
        dim: int | None = None,
        *,
        augmentation: Augmentation | float | None = None,
        aligned: Any = None,
        alpha: float = 1.0,
        fraction: float = 1.0,
        mislabelled: float = 0.0,
    ):
        super().__init__(dim, augmentation=augmentation, aligned=aligned, alpha=alpha)
        self.fraction = fraction
        self.mislabelled = mislabelled

    def fit(self, X: Any, y: Any = None) -> "SemanticJointEmbedding":
        """Solve for W.

        Args:
            X: (n, d), as for `JointEmbedding.fit`.
            y: (n,) class names, two at least. Required.

        Raises:
            ValueError: data, labels or parameters out of range.
            NumericalTroubleError: trouble that leaves no numbers, with advice.

        Warns:
            NumericalTroubleWarning: trouble that leaves numbers of little meaning.
        """
        forget(self)
        X = opened_rows(X)
        steps = rounding_of(X)
        later: Any = None if y is None else "no_validation"  # None is refused in its own words
        X = validated(self, X, later, least=2)
        self.classes_, classes = as_classes("y", y, X.shape[0])
        if len(self.classes_) < 2:
            raise ValueError("y must hold at least two classes; got 1 class.")
        return self._settle(X, self.classes_[classes], steps)

    def _paired(self, X: InDouble, y: Any) -> Views:
        return same_class(X, y, self.fraction, self.mislabelled, distinct=False)

    def _default_dim(self, rank: int) -> int:
        return min(len(self.classes_) - 1, rank)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
