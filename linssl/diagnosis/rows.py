"""Rows in memory, dense or sparse, of which some at a time are made dense and double."""

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from linssl.data.images import as_pixels
from linssl.linalg.averages import as_dense
from linssl.pairs.centring import Batches


class DataRows:
    """Rows (n, ...), as they came.

    Attributes:
        spent: degrees of freedom that means took, beside that of all.
    """

    spent = 0

    def __init__(self, values: np.ndarray | sparse.csr_array):
        self.values = values
        self.shape: tuple[int, ...] = tuple(values.shape)  # pyright: ignore[reportArgumentType]
        self.dtype = np.dtype(values.dtype)
        self.features = int(np.prod(self.shape[1:]))

    def __len__(self) -> int:
        return self.shape[0]

    def stored(self, rows: np.ndarray | slice) -> np.ndarray:
        """Return rows dense, in the type they came in, (m, d)."""
        return as_dense(self.values[rows]).reshape(-1, self.features)

    def columns(self) -> Iterator[np.ndarray]:
        """Yield the columns, dense, (n,) each."""
        whole = isinstance(self.values, np.ndarray)
        by = self.values.reshape(len(self), -1) if whole else sparse.csc_array(self.values)
        for at in range(self.features):
            yield as_dense(by[:, at])

    def doubles(self, rows: np.ndarray) -> np.ndarray:
        """Return rows in double precision, (m, d), 8-bit pixels in [0, 1]."""
        return as_pixels(self.stored(rows))


class CentredRows(DataRows):
    r"""Rows with the means of their batches taken out, and the mean of all put back.

    $$ \tilde x_i = \bar x + s_g (x_i - \bar x_g), \qquad
       s_g^2 = \frac{n_g}{n_g - 1} \frac{n}{n'} $$

    with n' rows in batches of two or more. Their covariance is the unbiased one within batches,
    $\sum_g \pi_g \hat W_g$, in which a batch of one is taken to vary as the others do.

    Args:
        data: $x$.
        index: (n,) the batch of each row, by number.
        means: (K, d), $\bar x_g$.
        still: (d,) which features don't vary within batches, to rounding.

    Source: derived (method of moments).
    """

    def __init__(self, data: DataRows, index: np.ndarray, means: np.ndarray, still: np.ndarray):
        super().__init__(data.values)
        sizes = np.bincount(index, minlength=len(means))
        self.index, self.means, self.still = index, means, still
        self.spent = len(means) - 1
        self.mean = sizes @ means / len(index)
        self.scale = np.sqrt(Batches(index, sizes, 0).weights)

    def doubles(self, rows: np.ndarray) -> np.ndarray:
        """Return rows that are centred, (m, d)."""
        of = self.index[rows]
        x = self.scale[of][:, None] * (super().doubles(rows) - self.means[of])
        x[:, self.still] = 0
        return x + self.mean
