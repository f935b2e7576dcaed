"""A solution that is there already, as a scikit-learn estimator."""

from typing import Any

import numpy as np

from linssl.augmentations import Augmentation
from linssl.estimators.base import LinearDecoder, forget, on_host_tree, validated
from linssl.linalg.status import Status
from linssl.moments import Views
from linssl.objectives import Solution, check
from linssl.objectives.export import require_one


class SolvedEncoder(LinearDecoder):
    r"""Codes $W(x - \mu)$ of a solution that is given: `fit` looks at no data.

    `as_estimator` makes one that is fitted. In a pipeline it encodes before what is fitted to the
    codes, and stays as it is where the pipeline is fitted again.

    Args:
        solution: of any objective.

    Attributes:
        components_: $W$, (k, d).
        mean_: $\mu$, (d,).
        spectrum_: all scores, descending.
        loss_: the objective at the solution.
        status_: `linssl.Status`.
        solution_: the solution, in numpy.
        n_features_in_: $d$.

    Source: JEvRC, Theorems 1 and 2 (through the objectives).
    """

    def __init__(self, solution: Solution):
        self.solution = solution

    def _solve(self, rows: Views, a: Augmentation, dim: int) -> Solution:
        del rows, a, dim
        return self.solution

    def fit(self, X: Any = None, y: Any = None) -> "SolvedEncoder":
        """Take the solution as it is.

        Args:
            X: (n, d), or None: only the number of features is looked at.
            y: ignored.

        Raises:
            ValueError: no solution of one problem, or rows of another number of features.
            NumericalTroubleError: a solution without numbers, with advice.
        """
        del y
        forget(self)
        require_one(self.solution)
        solution = on_host_tree(self.solution)
        if not np.isfinite(solution.encoder).all():
            check(self.solution)
        d = solution.encoder.shape[1]
        if X is not None and validated(self, X).shape[1] != d:
            raise ValueError(f"X must have {d} features, as the solution; got {np.shape(X)[1]}.")
        self.n_features_in_ = d
        self.solution_, self.mean_ = solution, solution.mean
        self.status_ = Status(int(solution.status))
        self.components_, self.spectrum_ = solution.encoder, solution.spectrum
        self.loss_ = float(solution.loss)
        return self

    def inverse_transform(self, X: Any) -> Any:
        r"""Decode codes: $Dz + \nu$.

        Args:
            X: (m, k) codes.

        Raises:
            ValueError: a solution without a decoder, another number of codes, or NaN or inf.

        Source: JEvRC, Theorem 1.
        """
        if self.solution.decoder is None:
            raise ValueError("this objective has no decoder; reconstruction and supervised have.")
        return super().inverse_transform(X)


def as_estimator(solution: Solution) -> SolvedEncoder:
    r"""Return a solution as a fitted scikit-learn transformer: codes $W(x - \mu)$.

        make_pipeline(as_estimator(solution), LogisticRegression()).fit(X, y)

    Args:
        solution: of any objective, of one problem.

    Raises:
        ValueError: something else, a traced one, or a batch.
        NumericalTroubleError: a solution without numbers, with advice.

    Source: JEvRC, Theorems 1 and 2 (through the objectives).
    """
    return SolvedEncoder(solution).fit()
