r"""Semantic pairs: an instance with another of its class, some of them mislabelled.

`same_class(data, labels, p, q)` is the usual entry. To sweep over p and q, summarise the data once
with `SemanticPairs.from_labels`, and call its `pair(p, q)` in each cell.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from linssl.arguments import Numbers, as_float, as_share, is_concrete, require_covariance
from linssl.labels import as_paired_classes
from linssl.linalg.averages import Rows, as_rows, average
from linssl.linalg.shown import Shown
from linssl.linalg.structure import Moment, add, dense, exact_products
from linssl.moments import Views
from linssl.pairs.confusion import Confusion, class_redrawn
from linssl.pairs.same_instance import one_hot


class SemanticPairs(Shown):
    r"""What the classes do to a pair: all that `pair(p, q)` needs.

    A fraction p of pairs joins two instances of one class, and of these a fraction q is
    mislabelled. With $C = \mathrm{Cov}(x)$, M the cross covariances of two instances, and
    $\delta = \mu_{conf} - \mu$:

    $$ G = (1 - p) C + p (1 - q) M_{same} + p q M_{conf} + pq (1 - pq)\, \delta \delta^T, \qquad
       S = (1 - pq) C + pq\, C_{conf} + pq (1 - pq)\, \delta \delta^T $$

    With the class redrawn where it is mislabelled, that is
    $G = (1 - pq) S_B + (1 - p) S_W$ for the covariances between and within classes, and S doesn't
    depend on p and q.

    Args:
        total: $C$, (d, d) or (d,).
        same: $M_{same}$ of two instances of one class, about $\mu$.
        confused: $M_{conf}$ of a mislabelled pair, about $\mu_{conf}$; symmetric.
        confused_total: $C_{conf}$, covariance of an instance in a mislabelled pair.
        mean: $\mu$ = E[x].
        confused_mean: $\mu_{conf}$, of an instance in a mislabelled pair.
        count: n, number of instances.
        draws: n - K, independent differences within K classes; inf for a population.
        rounding: as in `Views`.

    Source: derived, for the pairs of SemPairs.
    """

    total: Moment
    same: Moment
    confused: Moment
    confused_total: Moment
    mean: Float[Array, " d"]
    confused_mean: Float[Array, " d"]
    count: Float[Array, ""]
    draws: Float[Array, ""]
    rounding: Float[Array, " d"]

    @classmethod
    def from_labels(
        cls,
        data: Numbers,
        labels: Numbers,
        confusion: Confusion | None = None,
        *,
        distinct: bool = True,
    ) -> "SemanticPairs":
        r"""Average over the pairs of labelled data, without drawing any.

        $$ M = \sum_{cc'} J_{cc'} (\mu_c - \mu) (\mu_{c'} - \mu)^T -
           \sum_c \frac{J_{cc}}{n_c} \hat W_c $$

        J is the joint law of the classes of a pair, diag of the class frequencies for same-class
        pairs. The last term, with $\hat W_c$ of divisor $n_c - 1$, takes out pairs of an instance
        with itself, exactly.

        Args:
            data: $X$, (n, d).
            labels: (n,) class names, or (n, K) one-hot rows (which may be traced).
            confusion: makes the law J of a mislabelled pair, symmetric, from class frequencies:
                `class_redrawn` (None), `another_class`, or `within_superclass(...)`.
            distinct: whether the two instances differ; if not, pairs are drawn with replacement.

        Raises:
            ValueError: shapes that don't fit, fewer than two classes, a class of one instance
                (with `distinct`), or a confusion that is no joint law.

        Source: derived (method of moments).
        """
        X = as_rows("data", data)
        hot, sizes = _members(labels, len(X))
        if sizes is not None:
            if (sizes > 0).sum() < 2:
                raise ValueError("labels must hold at least two classes; got one.")
            if distinct and sizes.min() < 2:
                small = int(np.argmin(sizes))
                raise ValueError(
                    f"labels must have two instances in each class, to pair them; class number "
                    f"{small} (in sorted order) has {sizes[small]:g}. Drop it, or pass "
                    "distinct=False to pair with replacement."
                )
        hot = hot.astype(as_float(X[:1]).dtype)
        return _from_classes(X, hot, confusion or class_redrawn, distinct)

    @classmethod
    def population(
        cls, between: Numbers, within: Numbers, confused: Numbers | None = None
    ) -> "SemanticPairs":
        r"""Take a population of mean 0, from its moments between and within classes.

        Args:
            between: $S_B$, (d, d) or (d,): the covariance of class means.
            within: $S_W$: that of instances around them; nuisances included.
            confused: $E[uv^T]$ of a mislabelled pair; None is 0, the class redrawn. Another of K
                equally frequent classes is `-between / (K - 1)`; within superclasses it is the
                moment between those.

        Raises:
            ValueError: not covariances, or sizes that differ.

        Source: derived, for the pairs of SemPairs.
        """
        B, W = as_float(between, "between"), as_float(within, "within")
        for name, moment in (("between", B), ("within", W)):
            if moment.ndim not in (1, 2) or moment.shape[0] != moment.shape[-1]:
                raise ValueError(
                    f"{name} must be (d, d), or (d,) for a diagonal; got {moment.shape}."
                )
            require_covariance(name, moment)
        M = jnp.zeros_like(B) if confused is None else as_float(confused, "confused")
        if M.ndim not in (1, 2) or M.shape[0] != M.shape[-1]:
            raise ValueError(f"confused must be (d, d), or (d,) for a diagonal; got {M.shape}.")
        if is_concrete(M) and not np.isfinite(M).all():
            raise ValueError("confused must be finite; got NaN or inf.")
        if is_concrete(M) and np.abs(dense(M) - dense(M).T).max() > 1e-6 * np.abs(M).max():
            raise ValueError("confused must be symmetric: either of a pair may come first.")
        if not B.shape[0] == W.shape[0] == M.shape[0]:
            raise ValueError(
                f"between, within and confused must have one size; got {B.shape[0]}, {W.shape[0]} "
                f"and {M.shape[0]}."
            )
        C, zero = add(B, W), jnp.zeros(B.shape[:1], B.dtype)
        infinite = jnp.asarray(jnp.inf, B.dtype)
        return cls(C, B, M.astype(B.dtype), C, zero, zero, infinite, infinite, zero)

    @exact_products
    def pair(self, fraction: Numbers, mislabelled: Numbers = 0.0) -> Views:
        r"""Return the views for a fraction p of class pairs, q of them mislabelled.

        Args:
            fraction: $p \in [0, 1]$; 0 pairs every instance with itself. May be traced.
            mislabelled: $q \in [0, 1]$.

        Raises:
            ValueError: p or q outside [0, 1] (where concrete).

        Source: derived, for the pairs of SemPairs.
        """
        p, q = as_share("fraction", fraction), as_share("mislabelled", mislabelled)
        dtype = self.total.dtype
        p, q = p.astype(dtype), q.astype(dtype)
        right, wrong = p * (1 - q), p * q
        G = add(add((1 - p) * self.total, right * self.same), wrong * self.confused)
        # S - G without subtracting what they share: exact where p is small.
        spread = add(
            right * add(self.total, -self.same), wrong * add(self.confused_total, -self.confused)
        )
        step = self.confused_mean - self.mean
        if G.ndim == 2:
            G = G + wrong * (1 - wrong) * jnp.outer(step, step)
        mean = self.mean + wrong * step
        draws = jnp.where(p > 0, self.draws, jnp.inf)
        return Views(G, spread, mean, self.count, draws, self.rounding)


def same_class(
    data: Numbers,
    labels: Numbers,
    fraction: Numbers = 1.0,
    mislabelled: Numbers = 0.0,
    confusion: Confusion | None = None,
    *,
    distinct: bool = True,
) -> Views:
    r"""Pair instances with others of their class: semantic pairs.

    $$ G = (1 - pq) S_B + (1 - p) S_W \quad \text{(class redrawn)} $$

    At p = 1, q = 0 joint embedding of these views is Fisher's linear discriminant analysis. With
    p > 0 there are n - K draws: more than features, or directions agree by chance.

    Args:
        data: $X$, (n, d).
        labels: (n,) class names, or (n, K) one-hot rows.
        fraction: $p \in [0, 1]$, of pairs that join two instances of one class; the others join
            an instance with itself.
        mislabelled: $q \in [0, 1]$, of those pairs.
        confusion: the law of a mislabelled pair: `class_redrawn` (None), `another_class`, or
            `within_superclass(...)`.
        distinct: whether the two instances of a class pair differ.

    Raises:
        ValueError: as `SemanticPairs.from_labels`, or p or q outside [0, 1].

    Source: derived, for the pairs of SemPairs.
    """
    summary = SemanticPairs.from_labels(data, labels, confusion, distinct=distinct)
    return summary.pair(fraction, mislabelled)


@exact_products
def _from_classes(X: Rows, hot: Array, confusion: Confusion, distinct: bool) -> SemanticPairs:
    known, n = is_concrete(X, hot), len(X)
    x, dtype = average(data=X), hot.dtype
    xp, wide = (np, np.float64) if known else (jnp, dtype)
    member = xp.asarray(hot, wide)
    sizes = member.sum(0)
    J = confusion(jnp.asarray(sizes / n))
    _check_law(J, sizes.size)
    J = xp.asarray(J, wide)
    # About the first row, so that a large mean costs nothing.
    shift = xp.asarray(X[0], wide)
    around = xp.asarray(X, wide) - shift[None]
    means = (member.T @ around) / xp.maximum(sizes, 1)[:, None]  # an empty class has no weight
    weights = member @ (J.sum(1) / xp.maximum(sizes, 1))
    mean, confused_mean = around.mean(0), weights @ around
    within = around - member @ means

    def cross(joint: Any, centre: Any) -> Any:
        apart = means - centre[None]
        M = apart.T @ joint @ apart
        if not distinct:
            return M
        own = xp.diagonal(joint) / (xp.maximum(sizes, 1) * xp.maximum(sizes - 1, 1))
        return M - (within.T * (member @ own)[None]) @ within

    apart = around - confused_mean[None]
    moments = [
        cross(xp.diag(sizes / n), mean),
        cross(J, confused_mean),
        (apart.T * weights[None]) @ apart,
    ]
    same, confused, confused_total = (jnp.asarray((M + M.T) / 2, dtype) for M in moments)
    return SemanticPairs(
        total=x.covariance,
        same=same,
        confused=confused,
        confused_total=confused_total,
        mean=x.mean,
        confused_mean=jnp.asarray(shift + confused_mean, dtype),
        count=jnp.asarray(n, dtype),
        draws=jnp.asarray(n - (sizes > 0).sum(), dtype),
        rounding=x.rounding,
    )


def _check_law(J: Array, classes: int) -> None:
    """Raise where a confusion that is known isn't the symmetric joint law of two classes."""
    if not is_concrete(J):
        return
    law, rounding = np.asarray(J, float), 1e3 * float(jnp.finfo(J.dtype).eps)
    alike = law.shape == (classes, classes) and np.abs(law - law.T).max() < rounding
    if not alike or law.min() < 0 or abs(law.sum() - 1) > rounding:
        raise ValueError(
            "confusion must make a symmetric (K, K) joint law: entries >= 0 that sum to one; "
            f"got shape {law.shape} with a sum of {law.sum():g}."
        )


def _members(labels: Numbers, n: int) -> tuple[Array, np.ndarray | None]:
    """Return one-hot rows, and how many there are of each class where that is known."""
    if np.ndim(labels) != 2 or np.shape(labels)[1] == 1:
        classes, sizes = as_paired_classes("labels", labels, n)
        return one_hot(classes), sizes
    hot = as_float(labels, "labels")
    if len(hot) != n:
        raise ValueError(f"labels must have {n} rows, one for each instance; got {hot.shape}.")
    if not is_concrete(labels):
        return hot, None
    rows = np.asarray(hot)
    if not (np.isin(rows, (0, 1)).all() and (rows.sum(1) == 1).all()):
        raise ValueError("labels must be class names, or one-hot rows of 0 and one 1.")
    return hot, rows.sum(0)
