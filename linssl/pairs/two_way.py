r"""Class pairs centred by batch: a two-way layout, and what classes share in it.

Class-mates are of several batches, so a mean of a batch holds the classes in it.
Rows are sums of both,

$$ x_i = b_{g(i)} + a_{c(i)} + w_i, \qquad \sum_c \pi_c a_c = 0, \quad \mathrm{Cov}(w_i) = W $$

with b and a fixed and unknown. Rows less the mean of their batch, $\tilde x_i = x_i - \bar x_g$,
know nothing of b. With N the counts of classes in batches, $n_c$ and $n_g$ their sums, the sums of
$\tilde x$ in each class, s (C, d), are all that least squares needs:

$$ L = \mathrm{diag}(n_c) - N\, \mathrm{diag}(1/n_g)\, N^T, \qquad E\,s = L a, \qquad
   \mathrm{Cov}(s) = L \otimes W $$

L is the Laplacian of the classes, joined where they share a batch: its kernel is 1 alone if and
only if all of them are joined, directly or by way of others. Then, with $M = L + n \pi \pi^T$,
for which $M 1 = n \pi$,

$$ \hat a = M^{-1} s, \qquad \pi^T \hat a = 0, \qquad
   \mathrm{Cov}(\hat a) = M^{-1} L M^{-1} \otimes W = V \otimes W, \quad V = M^{-1} - 1 1^T / n $$

and the residuals $e_i = \tilde x_i - \hat a_c + \sum_{c'} (N_{c'g}/n_g)\, \hat a_{c'}$ have n less
C + B - 1 degrees of freedom. So $\hat W = \sum e e^T / (n - C - B + 1)$, and of any law J of pairs
of classes

$$ E\, \hat a^T J \hat a = a^T J a + \mathrm{tr}(J V)\, W $$

of which the last term is subtracted: Henderson's third method. In a single batch V is
$\mathrm{diag}(1/n_c) - 1 1^T/n$, that of the means of classes about the mean.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from linssl.arguments import listed
from linssl.linalg.averages import Rows, RowSource
from linssl.pairs.centring import Batches, rows_within, sums_by


class TwoWay(NamedTuple):
    r"""What classes are, without their batches.

    Args:
        effects: $\hat a$, (C, d), of mean 0 over the rows.
        errors: $V$, (C, C): the covariance of $\hat a$ is $V \otimes W$.
        within: $\hat W$, (d, d), unbiased.
        draws: n - C - B + 1.
    """

    effects: np.ndarray
    errors: np.ndarray
    within: np.ndarray
    draws: int

    def moments(self, frequencies: np.ndarray, law: np.ndarray) -> dict[str, np.ndarray]:
        """Return what `SemanticPairs` holds, and how far a mislabelled instance's mean is off.

        Args:
            frequencies: of classes, (C,).
            law: of the classes of a mislabelled pair, (C, C).
        """
        law = np.asarray(law, float)
        same = self.cross(np.diag(frequencies))[1]
        step, confused = self.cross(law)
        alike = self.cross(np.diag(law.sum(1)))[1]  # one side of a mislabelled pair, twice
        return {
            "total": same + self.within,
            "same": same,
            "confused": confused,
            "confused_total": alike + self.within,
            "confused_mean": step,
            "draws": np.asarray(self.draws),
        }

    def cross(self, law: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        r"""Return the mean of a side of a pair, and the cross covariance of its sides, unbiased.

        $$ m = a^T J 1, \qquad (a - 1 m^T)^T J\, (a - 1 m^T) $$

        Args:
            law: $J$, (C, C), the symmetric joint law of the classes of a pair.

        Source: derived (method of moments).
        """
        J = np.asarray(law, float)
        p = J.sum(1)
        about = np.eye(len(p)) - p[None, :]  # 1 p^T: less the mean under p
        a, V = about @ self.effects, about @ self.errors @ about.T
        M = a.T @ J @ a - np.sum(J * V) * self.within
        return p @ self.effects, (M + M.T) / 2


def two_way(data: Rows | RowSource, classes: np.ndarray, batches: Batches) -> TwoWay:
    """Fit classes and batches, both additive, by least squares.

    Args:
        data: finite rows (n, d).
        classes: of each row by number, each with a row at least.
        batches: of the same rows.

    Raises:
        ValueError: classes that share no batch, not even by way of others; or no rows beyond what
            both fit.

    Source: derived (method of moments; Henderson's third).
    """
    n, C, B = len(classes), int(classes.max()) + 1, len(batches.sizes)
    counts = sparse.csr_array((np.ones(n), (classes, batches.index)), (C, B))
    _require_joined(counts)
    if n <= C + B - 1:
        raise ValueError(
            f"by must leave rows to tell what varies within classes: {C} classes and {B} batches "
            f"fit {C + B - 1} of {n} rows. Use larger batches, or fewer."
        )
    pi, shares = counts.sum(1) / n, sparse.csr_array(counts / batches.sizes)
    s = sum(sums_by(classes[part], x, C) for part, x in rows_within(batches, data=data))
    M = n * (np.diag(pi) + np.outer(pi, pi)) - (counts @ shares.T).toarray()
    inverse = np.linalg.inv(M)
    a = inverse @ s
    a -= pi @ a
    of_batch = shares.T @ a  # what the classes of a batch make of its mean
    W = np.zeros((a.shape[1],) * 2)
    for part, x in rows_within(batches, data=data):
        e = x - a[classes[part]] + of_batch[batches.index[part]]
        W += e.T @ e
    draws = n - C - B + 1
    return TwoWay(a, (inverse + inverse.T) / 2 - 1 / n, (W + W.T) / (2 * draws), draws)


def _require_joined(counts: sparse.csr_array) -> None:
    """Raise unless classes can be compared within batches, or along a chain of them."""
    _, part = connected_components(sparse.csr_array(counts @ counts.T), directed=False)
    if not part.any():
        return
    apart = np.flatnonzero(part != np.argmax(np.bincount(part)))
    raise ValueError(
        "by must have batches with several classes, that join all of them; classes "
        f"{listed(apart)} (by number, in sorted order) share no batch with the others, not even by "
        "way of a third, so that what is of the class and what is of the batch can't be told "
        "apart. Drop these classes, or centre by something coarser."
    )
