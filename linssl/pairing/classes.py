r"""Semantic pairs: an instance with another of its class, some of them mislabelled.

`same_class(data, labels, p, q)` is the usual entry. To sweep over p and q, summarise the data once
with `SemanticPairs.from_labels`, and call its `pair(p, q)` in each cell.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from linssl._checks import (
    as_share,
    is_concrete,
    require_covariance,
    require_room,
    require_samples,
)
from linssl._digits import average, mark_constant
from linssl._structure import Moment, Numbers, add, as_float, dense, diagonal, exact_products
from linssl.moments import PairMoments
from linssl.pairing.confusion import Confusion, class_redrawn
from linssl.pairing.instance import one_hot


class SemanticPairs(eqx.Module):
    r"""What the classes do to a pair: all that `pair(p, q)` needs.

    A fraction p of pairs joins two instances of one class, and of these a fraction q is
    mislabelled. With $C = E[xx^T]$ and M the cross moments of two instances:

    $$ G = (1 - p) C + p (1 - q) M_{same} + p q M_{conf}, \qquad
       S = (1 - pq) C + pq\, C_{conf} $$

    Centred, with the class redrawn where it is mislabelled, that is
    $G = (1 - pq) S_B + (1 - p) S_W$ for the moments between and within classes, and S doesn't
    depend on p and q. Raw moments.

    Args:
        total: $C$, (d, d) or (d,).
        same: $M_{same} = E[u v^T]$ of two instances of one class.
        confused: $M_{conf}$ of a mislabelled pair, symmetric.
        confused_total: $C_{conf}$, $E[xx^T]$ of an instance in a mislabelled pair.
        mean: E[x].
        confused_mean: of an instance in a mislabelled pair.
        count: number of instances.

    Source: derived, for the pairs of SemPairs.
    """

    total: Moment
    same: Moment
    confused: Moment
    confused_total: Moment
    mean: Float[Array, " d"]
    confused_mean: Float[Array, " d"]
    count: Float[Array, ""]

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

        $$ M = \sum_{cc'} J_{cc'} \mu_c \mu_{c'}^T - \sum_c \frac{J_{cc}}{n_c} \hat W_c $$

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
        X = require_samples("data", data)
        require_room(X.shape[1], X.dtype.itemsize)
        hot = _one_hot(labels, len(X)).astype(X.dtype)
        sizes, K = hot.sum(0), hot.shape[1]
        if is_concrete(labels):  # the labels themselves: inside a trace all that is made of them is
            host = np.asarray(labels)
            counts = host.sum(0) if host.ndim == 2 else np.unique(host, return_counts=True)[1]
            if K < 2 or (counts > 0).sum() < 2:
                raise ValueError("labels must hold at least two classes; got one.")
            if distinct and counts.min() < 2:
                small = int(np.argmin(counts))
                raise ValueError(
                    f"labels must have two instances in each class, to pair them; class number "
                    f"{small} (in sorted order) has {counts[small]:g}. Drop it, or pass "
                    "distinct=False to pair with replacement."
                )
        return _from_classes(X, hot, sizes, confusion or class_redrawn, distinct)

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
        return cls(C, B, M.astype(B.dtype), C, zero, zero, jnp.asarray(jnp.inf, B.dtype))

    @exact_products
    def pair(self, fraction: Numbers, mislabelled: Numbers = 0.0) -> PairMoments:
        r"""Return the pair for a fraction p of class pairs, q of them mislabelled.

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
        S = add((1 - wrong) * self.total, wrong * self.confused_total)
        G = add(add((1 - p) * self.total, right * self.same), wrong * self.confused)
        # S - G without subtracting what they share: exact where p is small.
        within = add(
            right * add(self.total, -self.same), wrong * add(self.confused_total, -self.confused)
        )
        mean = (1 - wrong) * self.mean + wrong * self.confused_mean
        constant = diagonal(self.total) == jnp.square(self.mean)
        mean = jnp.where(constant, self.mean, mean)
        S, G = (mark_constant(moment, mean, constant) for moment in (S, G))
        if G.ndim < S.ndim:
            G = dense(G)
        return PairMoments(S, S, G, mean, mean, self.count, within=within, exchangeable=True)


def same_class(
    data: Numbers,
    labels: Numbers,
    fraction: Numbers = 1.0,
    mislabelled: Numbers = 0.0,
    confusion: Confusion | None = None,
    *,
    distinct: bool = True,
) -> PairMoments:
    r"""Pair instances with others of their class: semantic pairs.

    $$ G = (1 - pq) S_B + (1 - p) S_W \quad \text{(centred, class redrawn)} $$

    At p = 1, q = 0 joint embedding of this pair is Fisher's linear discriminant analysis. Raw
    moments; call `.centred()`.

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
def _from_classes(
    X: Array, hot: Array, sizes: Array, confusion: Confusion, distinct: bool
) -> SemanticPairs:
    n = len(X)
    frequencies = sizes / n
    means = (hot.T @ X) / jnp.maximum(sizes, 1)[:, None]  # an empty class has no weight
    J = confusion(frequencies)
    if is_concrete(J):
        law, rounding = np.asarray(J, float), 1e3 * float(jnp.finfo(X.dtype).eps)
        symmetric = law.shape == (sizes.size,) * 2 and np.abs(law - law.T).max() < rounding
        if not symmetric or law.min() < 0 or abs(law.sum() - 1) > rounding:
            raise ValueError(
                "confusion must make a symmetric (K, K) joint law: entries >= 0 that sum to one; "
                f"got shape {law.shape} with a sum of {law.sum():g}."
            )
    around = X - hot @ means

    def cross(joint: Array) -> Array:
        M = means.T @ joint @ means
        if not distinct:
            return M
        own = jnp.diagonal(joint) / (sizes * jnp.maximum(sizes - 1, 1))
        return M - (around.T * (hot @ own)[None, :]) @ around

    total, mean = average(X)
    weights = hot @ (J.sum(1) / jnp.maximum(sizes, 1))
    return SemanticPairs(
        total=total,
        same=cross(jnp.diag(frequencies)),
        confused=cross(J),
        confused_total=(X.T * weights[None, :]) @ X,
        mean=mean,
        confused_mean=weights @ X,
        count=jnp.asarray(n, X.dtype),
    )


def _one_hot(labels: Numbers, n: int) -> Array:
    hot = as_float(labels, "labels") if np.ndim(labels) == 2 else one_hot(labels)
    if len(hot) != n:
        raise ValueError(f"labels must have {n} rows, one for each instance; got {hot.shape}.")
    if is_concrete(hot):
        rows = np.asarray(hot)
        if not (np.isin(rows, (0, 1)).all() and (rows.sum(1) == 1).all()):
            raise ValueError("labels must be class names, or one-hot rows of 0 and one 1.")
    return hot
