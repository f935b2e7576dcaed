"""What all estimators share: rows in, moments, a solution on the host, codes out."""

import abc
import warnings
from typing import Any, TypeVar, no_type_check

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_array, check_is_fitted

from linssl.augmentations import Augmentation
from linssl.estimators.augmentation import as_augmentation
from linssl.estimators.rows import (
    FLOATS,
    InDouble,
    opened_rows,
    require_numbers,
    rounding_of,
    validated,
)
from linssl.linalg.averages import as_dense, blurred
from linssl.linalg.status import FATAL, Status
from linssl.linalg.whitening import blurred_share
from linssl.moments import Views
from linssl.objectives import Solution, check, explain
from linssl.pairs import same_instance
from linssl.pairs.centring import blocks_of

Fitted = TypeVar("Fitted", bound="LinearEncoder")


class NumericalTroubleWarning(UserWarning):
    """A solution whose numbers mean little, and why."""


class LinearEncoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, abc.ABC):
    r"""Codes $W(x - \mu)$ of rows, with W from one objective of one pair of views.

    See `JointEmbedding` for the parameters and attributes.
    """

    @no_type_check  # scikit-learn's rule: any type may come; fit refuses
    def __init__(
        self,
        dim: int | None = None,
        *,
        augmentation: Augmentation | float | None = None,
        aligned: Any = None,
        alpha: float = 1.0,
    ):
        self.dim = dim
        self.augmentation = augmentation
        self.aligned = aligned
        self.alpha = alpha

    @abc.abstractmethod
    def _solve(self, rows: Views, a: Augmentation, dim: int) -> Solution:
        """Solve the objective for views of rows that are paired, in double precision."""

    def _paired(self, X: InDouble, y: Any) -> Views:
        """Pair rows before they are augmented: each with itself."""
        del y
        return same_instance(X)

    def _default_dim(self, rank: int) -> int:
        """Return k where none was asked for, from how many directions the data have."""
        return rank

    def fit(self: Fitted, X: Any, y: Any = None) -> Fitted:
        """Solve for W.

        Args:
            X: (n, d), without NaN; n >= 2. An array, a table, a sparse matrix, or what
                `linssl.data.open_source` opens: it is read in blocks, and never copied as a whole,
                unless it is an array in another order of bytes or a table of several types.
            y: ignored.

        Raises:
            ValueError: data or parameters out of range.
            NumericalTroubleError: trouble that leaves no numbers, with advice.

        Warns:
            NumericalTroubleWarning: trouble that leaves numbers of little meaning.
        """
        del y
        forget(self)
        X = opened_rows(X)
        steps = rounding_of(X)
        X = validated(self, X, least=2)
        return self._settle(X, None, steps)

    def transform(self, X: Any) -> Any:
        r"""Encode rows: $W(x - \mu)$, as `solution_` does.

        Args:
            X: (m, d), as for `fit`.

        Returns:
            (m, k) codes; float32 for float32 rows, else float64.

        Raises:
            ValueError: another number of features, or NaN or inf.

        Source: JEvRC, Theorems 1 and 2.
        """
        check_is_fitted(self, "components_")  # n_features_in_ is there before
        X = opened_rows(X)
        require_numbers(X)
        X = validated(self, X, reset=False)
        kept = X.dtype if X.dtype in FLOATS else np.dtype(np.float64)
        codes = np.empty((X.shape[0], len(self.components_)), kept)
        for part in blocks_of(*X.shape):
            codes[part] = (as_dense(X[part]) - self.mean_) @ self.components_.T
        return codes

    def _settle(self: Fitted, X: Any, y: Any, steps: np.ndarray) -> Fitted:
        """Solve, warn or raise, and store numpy arrays: those of JAX lose digits in a pickle.

        In double precision, but judged by the steps (1,) or (d,) of the numbers as they came.
        """
        with jax.enable_x64(True):
            names = getattr(self, "feature_names_in_", None)
            rows = self._paired(InDouble(X), y).named(names)
            S = np.asarray(rows.covariance)
            blur = blurred(steps, np.asarray(rows.mean), np.diagonal(S))
            rows = eqx.tree_at(lambda r: r.rounding, rows, jnp.asarray(blur))
            if not np.isfinite(S).all():
                largest = max(abs(as_dense(X[part])).max() for part in blocks_of(*X.shape))
                raise ValueError(
                    f"X overflows when squared; its largest is {largest:g}: rescale it."
                )
            a = as_augmentation(self.augmentation, self.aligned, self.alpha, S, names)
            dim = self.dim
            if dim is None:
                dim = self._default_dim(_directions(rows))
            solution = on_host_tree(self._solve(rows, a, dim))
            status = Status(int(solution.status))
            if status & FATAL:
                check(solution)
        if status:
            warnings.warn(explain(solution), NumericalTroubleWarning, stacklevel=3)
        self.solution_, self.status_, self.mean_ = solution, status, solution.mean
        self.components_, self.spectrum_ = solution.encoder, solution.spectrum
        self.loss_ = float(solution.loss)
        return self

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def __getstate__(self) -> dict[str, Any]:
        # Where double precision is off, as in a new process, JAX unpickles its arrays as single.
        return on_host_tree(super().__getstate__())

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.sparse = True
        return tags


class LinearDecoder(LinearEncoder):
    """An encoder whose objective has a decoder D, too."""

    def inverse_transform(self, X: Any) -> Any:
        r"""Decode codes: $Dz + \nu$, with the mean of what is decoded.

        Args:
            X: (m, k) codes.

        Returns:
            (m, d); float32 for float32 codes, else float64.

        Raises:
            ValueError: another number of codes, or NaN or inf.

        Source: JEvRC, Theorem 1.
        """
        check_is_fitted(self, "components_")  # n_features_in_ is there before
        require_numbers(X)
        with np.errstate(invalid="ignore"):  # as `validated`
            Z = check_array(X, dtype=FLOATS)  # pyright: ignore[reportArgumentType]  (unstubbed)
        D = self.solution_.decoder
        if Z.shape[1] != D.shape[1]:
            raise ValueError(f"X must hold {D.shape[1]} codes a row; got {Z.shape[1]}.")
        return (Z @ D.T + self.solution_.second_mean).astype(Z.dtype, copy=False)


def forget(estimator: BaseEstimator) -> None:
    """Drop what a former fit found: where the next one fails, nothing of two data sets is mixed."""
    for name in [n for n in vars(estimator) if n.endswith("_") and not n.startswith("_")]:
        delattr(estimator, name)


def _directions(rows: Views) -> int:
    """Count the directions that vary by more than rounding, whatever the units of each feature."""
    S = np.asarray(rows.covariance)
    unit = np.sqrt(np.diagonal(S))
    unit = np.where(unit > 0, unit, 1)
    blur = np.asarray(blurred_share(rows.covariance, rows.rounding))
    # Rounding stands on the diagonal: of a feature that is mostly rounding nothing is left.
    left = np.linalg.eigvalsh(S / unit / unit[:, None] - np.diag(2 * blur))
    return max(int(np.sum(left > 10 * len(S) * np.finfo(float).eps)), 1)


def on_host_tree(tree: Any) -> Any:
    """Return the tree with numpy arrays for those of JAX, random keys excepted."""

    def move(x: Any) -> Any:
        plain = isinstance(x, jax.Array) and not jnp.issubdtype(x.dtype, jax.dtypes.prng_key)
        return np.asarray(x) if plain else x

    return jax.tree_util.tree_map(move, tree)
