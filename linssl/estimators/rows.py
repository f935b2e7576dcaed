"""Rows as estimators take them: checked as scikit-learn does, read in blocks, never held twice."""

import os
from collections import Counter
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from linssl.arguments import ENCODE, as_array, describe, listed, on_host, refuse_masked
from linssl.data.sources import Source, open_source
from linssl.data.sources.arrays import is_hdf5
from linssl.data.sources.frames import AnnotatedMatrix
from linssl.linalg.averages import as_dense, is_sliced, precision
from linssl.runtime.optional import require

FLOATS = (np.float64, np.float32)  # codes come in the precision of the rows; sums are in double


class InDouble:
    """Rows (n, d) in double precision, a block at a time."""

    dtype = np.dtype(np.float64)

    def __init__(self, rows: Any):
        self.rows, self.shape = rows, rows.shape

    def __getitem__(self, part: slice) -> np.ndarray:
        return as_dense(self.rows[part]).astype(np.float64)


def opened_rows(X: Any) -> Any:
    """Open paths, AnnData and what else is read by slices; return what scikit-learn knows."""
    known = isinstance(X, np.ndarray) or sparse.issparse(X)
    named = isinstance(X, str | os.PathLike | AnnotatedMatrix)
    return open_source(X) if named or is_hdf5(X) or (is_sliced(X) and not known) else X


def require_numbers(X: Any) -> None:
    """Raise for what scikit-learn would read as numbers, or refuse in words that aren't ours."""
    if isinstance(X, Source):
        return
    refuse_masked("X", X)
    array = X if sparse.issparse(X) else as_array("X", X)
    if array.dtype.kind == "O" and not isinstance(X, np.ndarray):  # a table; scikit-learn's rule
        on_host(X, "X")  # is that an array of objects is a TypeError
    known = array.dtype == jnp.bfloat16 or array.dtype.kind not in "mMSUV"
    if not known or array.ndim == 0:
        raise ValueError(f"X must hold numbers; got {describe(X)}, of {array.dtype}. {ENCODE}")


def rounding_of(X: Any) -> np.ndarray:
    """Return the relative steps of numbers as they came, (1,), or (d,) of a table; or raise."""
    require_numbers(X)
    kinds = getattr(X, "dtypes", None)  # of a table; a nullable one says what it holds
    if kinds is None:
        kinds = [X.dtype if isinstance(X, Source) or sparse.issparse(X) else as_array("X", X).dtype]
    known = [getattr(kind, "numpy_dtype", kind) for kind in kinds]
    double = np.dtype(np.float64)
    return np.array([precision(k if isinstance(k, np.dtype) else double, double) for k in known])


def validated(model: BaseEstimator, X: Any, *y: Any, least: int = 1, reset: bool = True) -> Any:
    """Check rows as scikit-learn does, without its warning where both inf and -inf come.

    Integers and halves stay as they are, since only a block of them is in double at once.

    Args:
        model: whose `n_features_in_` and `feature_names_in_` are set, or compared with.
        X: (n, d), from `opened_rows`.
        y: what else it checks.
        least: how many rows there must be.
        reset: as of `validate_data`.
    """
    if isinstance(X, Source):
        return _validated_source(model, X, *y, least=least, reset=reset)
    plain = isinstance(X, np.ndarray) or sparse.issparse(X)
    small = plain and (X.dtype.kind in "iub" or X.dtype == np.float16)
    how: dict[str, Any] = {"reset": reset, "ensure_min_samples": least, "accept_sparse": "csr"}
    with np.errstate(invalid="ignore"):
        given: Any = X  # typed as text, without stubs
        return validate_data(model, given, *y, dtype=None if small else FLOATS, **how)


def _validated_source(model: Any, X: Source, *y: Any, least: int, reset: bool) -> Source:
    """Compare the features of a source, by their names where it has them; sums find NaN."""
    if len(X.shape) != 2:
        raise ValueError(f"X must be (n, d); got {X.shape} of {X.where}.")
    if len(X) < least:
        raise ValueError(f"X must have {least} rows or more; got {len(X)} of {X.where}.")
    features: Any = X
    if X.names is not None:  # scikit-learn reads names off tables alone
        twice = [name for name, count in Counter(X.names).items() if count > 1]
        if twice:
            raise ValueError(
                f"X must have each name of a feature once, by which scikit-learn knows them; got "
                f"{listed(np.array(twice))} more than once in {X.where}. Make them unique first, "
                "of an AnnData by var_names_make_unique()."
            )
        features = require("pandas", "data").DataFrame(columns=list(X.names))
    validate_data(model, features, *y, skip_check_array=True, reset=reset)
    return X
