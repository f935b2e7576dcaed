r"""Semantic pairs: an instance with another of its class, some of them mislabelled.

`same_class(data, labels, p, q)` is the usual entry. To sweep over p and q, summarise the data once
with `SemanticPairs.from_labels`, and call its `pair(p, q)` in each cell.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from linssl.arguments import Numbers, as_float, as_share, is_concrete, require_covariance
from linssl.data.sources.opening import Data, opened, told
from linssl.labels import as_paired_classes
from linssl.linalg.averages import Rows, RowSource, as_source, average, float_type, shape_of
from linssl.linalg.shown import Shown
from linssl.linalg.structure import Moment, add, dense, exact_products
from linssl.moments import Views
from linssl.names import Names, names_of
from linssl.pairs.centring import Batches, as_batches, scatters
from linssl.pairs.confusion import Confusion, class_redrawn
from linssl.pairs.two_way import two_way


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
        features: names of the features, (d,), or None.

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
    features: Names | None = eqx.field(static=True, default=None)

    @classmethod
    def from_labels(
        cls,
        data: Data,
        labels: Numbers | str,
        confusion: Confusion | None = None,
        *,
        distinct: bool = True,
        by: object = None,
    ) -> "SemanticPairs":
        r"""Average over the pairs of labelled data, without drawing any.

        $$ M = \sum_{cc'} J_{cc'} (\mu_c - \mu) (\mu_{c'} - \mu)^T -
           \sum_c \frac{J_{cc}}{n_c} \hat W_c $$

        J is the joint law of the classes of a pair, diag of the class frequencies for same-class
        pairs. The last term, with $\hat W_c$ of divisor $n_c - 1$, takes out pairs of an instance
        with itself, exactly.

        With `by`, $\mu_c - \mu$ is what is left of the class once its batches are taken out, as
        `linssl.pairs.two_way` derives.

        Args:
            data: $X$, (n, d), of all kinds that `same_instance` takes, and read as there.
            labels: (n,) class names, or (n, K) one-hot rows (which may be traced); or the name of
                a column of the data.
            confusion: makes the law J of a mislabelled pair, symmetric, from class frequencies:
                `class_redrawn` (None), `another_class`, or `within_superclass(...)`.
            distinct: whether the two instances differ; if not, pairs are drawn with replacement.
            by: (n,) names of batches, or of a column of the data, as for `same_class`.

        Raises:
            ValueError: shapes that don't fit, fewer than two classes, a class of one instance
                (with `distinct`), or a confusion that is no joint law; `by` as for `same_class`.

        Source: derived (method of moments).
        """
        X: Any = as_source("data", opened(data, labels, by))
        member, sizes = _members(told("labels", labels, X), X.shape[0])
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
        by = told("by", by, X, "names (n,)")
        dtype = float_type(X.dtype)
        hot, sizes = sizes is None, member.sum(0) if sizes is None else sizes
        law = _law(confusion or class_redrawn, sizes, X.shape[0], dtype)
        if by is not None:
            found = _centred(X, member, sizes, law, distinct, by)
            return dataclasses.replace(found, features=names_of(X))
        if not is_concrete(X, member, law):
            X, rows = as_float(X), member if hot else np.eye(len(sizes))[member]
            member = jnp.asarray(rows, dtype)
        found = _from_classes(X, member, sizes, law, distinct)
        return dataclasses.replace(found, features=names_of(X))

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
        return Views(G, spread, mean, self.count, draws, self.rounding, features=self.features)


def same_class(
    data: Data,
    labels: Numbers | str,
    fraction: Numbers = 1.0,
    mislabelled: Numbers = 0.0,
    confusion: Confusion | None = None,
    *,
    distinct: bool = True,
    by: object = None,
) -> Views:
    r"""Pair instances with others of their class: semantic pairs.

    $$ G = (1 - pq) S_B + (1 - p) S_W \quad \text{(class redrawn)} $$

    At p = 1, q = 0 joint embedding of these views is Fisher's linear discriminant analysis. With
    p > 0 there are n - K draws: more than features, or directions agree by chance.

    With `by` the pair is of $x - b_g$, without what the batch g of an instance adds, where rows are
    the sum of a class, a batch, and what varies alike in all of them: $S_B$ and $S_W$ both
    unbiased, in any number of rows of each class in each batch. There are n - K - B + 1 draws, in
    B batches. The mean stays that of all.

    Args:
        data: $X$, (n, d), of all kinds that `same_instance` takes, and read as there.
        labels: (n,) class names, or (n, K) one-hot rows; or the name of a column of the data.
        fraction: $p \in [0, 1]$, of pairs that join two instances of one class; the others join
            an instance with itself.
        mislabelled: $q \in [0, 1]$, of those pairs.
        confusion: the law of a mislabelled pair: `class_redrawn` (None), `another_class`, or
            `within_superclass(...)`.
        distinct: whether the two instances of a class pair differ.
        by: (n,) names of batches (or plates, donors) to centre by, or the name of a column of the
            data; None is none. `distinct` then.

    Raises:
        ValueError: as `SemanticPairs.from_labels`, or p or q outside [0, 1]; `by` as for
            `same_instance`, or classes that no batch joins to the others, or too few rows.

    Source: derived, for the pairs of SemPairs (and by the method of moments, for `by`).
    """
    summary = SemanticPairs.from_labels(data, labels, confusion, distinct=distinct, by=by)
    return summary.pair(fraction, mislabelled)


class _Sums(NamedTuple):
    """What is summed over rows about the first one, so that a large mean costs nothing."""

    origin: Any  # (d,), that row
    means: Any  # of classes, (K, d); 0 of an empty one
    within: Sequence[Any]  # weighted sums of squares within classes, (d, d) each


@exact_products
def _from_classes(
    X: Rows | RowSource, member: Any, sizes: Any, law: Array, distinct: bool
) -> SemanticPairs:
    known, n, dtype = is_concrete(X, member, law), X.shape[0], float_type(X.dtype)
    x = average(data=X)
    xp, wide = (np, np.float64) if known else (jnp, dtype)
    sizes, J = xp.asarray(sizes, wide), xp.asarray(law, wide)
    laws, share = (xp.diag(sizes / n), J), J.sum(1)  # of a pair of one class, of a mislabelled one
    some = xp.maximum(sizes, 1)  # an empty class has no weight
    own = [xp.diagonal(law) / (some * xp.maximum(sizes - 1, 1)) for law in laws]
    weights = xp.stack([*own, share / some], 1)
    origin, means, within = (_known_sums if known else _traced_sums)(X, member, sizes, weights)
    centres = ((sizes / n) @ means, share @ means)

    def cross(law: Any, centre: Any, alone: Any) -> Any:
        apart = means - centre[None]
        M = apart.T @ law @ apart
        return M - alone if distinct else M

    apart = means - centres[1][None]
    moments = [
        *map(cross, laws, centres, within),
        within[2] + (apart.T * share[None]) @ apart,
    ]
    same, confused, confused_total = (jnp.asarray((M + M.T) / 2, dtype) for M in moments)
    return SemanticPairs(
        total=x.covariance,
        same=same,
        confused=confused,
        confused_total=confused_total,
        mean=x.mean,
        confused_mean=jnp.asarray(origin + centres[1], dtype),
        count=jnp.asarray(n, dtype),
        draws=jnp.asarray(n - (sizes > 0).sum(), dtype),
        rounding=x.rounding,
    )


def _centred(
    X: Rows | RowSource, member: Any, sizes: Any, law: Array, distinct: bool, by: object
) -> SemanticPairs:
    n, dtype = X.shape[0], float_type(X.dtype)
    batches = as_batches(by, n, 0, X, member)
    if not distinct:
        raise ValueError("distinct must be True with by: S_B is unbiased, without replacement.")
    x = average(data=X)
    found = two_way(X, member, batches).moments(np.asarray(sizes) / n, np.asarray(law))
    parts: dict[str, Any] = {name: jnp.asarray(M, dtype) for name, M in found.items()}
    parts["confused_mean"] += x.mean
    parts |= {"mean": x.mean, "count": jnp.asarray(n, dtype), "rounding": x.rounding}
    return SemanticPairs(**parts)


def _known_sums(X: Any, index: np.ndarray, sizes: np.ndarray, weights: np.ndarray) -> _Sums:
    return _Sums(*scatters(Batches(index, sizes.astype(int), 0), weights, X))


def _traced_sums(X: Any, hot: Array, sizes: Array, weights: Array) -> _Sums:
    around = X - X[:1]
    means = (hot.T @ around) / jnp.maximum(sizes, 1)[:, None]
    apart = around - hot @ means
    return _Sums(X[0], means, [(apart.T * (hot @ w)[None]) @ apart for w in weights.T])


def _law(confusion: Confusion, sizes: Any, n: int, dtype: np.dtype) -> Array:
    """Return the joint law of the classes of a mislabelled pair, known where it can be."""
    with jax.ensure_compile_time_eval():
        J = confusion(jnp.asarray(sizes / n, dtype))
    _check_law(J, len(sizes))
    return J


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


def _members(labels: Any, n: int) -> tuple[Any, np.ndarray | None]:
    """Return the class of each row by number, and rows of each; or traced one-hot rows."""
    shape = shape_of(labels)
    if len(shape) != 2 or shape[1] == 1:
        return as_paired_classes("labels", labels, n)
    hot = as_float(labels, "labels")
    if len(hot) != n:
        raise ValueError(f"labels must have {n} rows, one for each instance; got {hot.shape}.")
    if not is_concrete(labels):
        return hot, None
    rows = np.asarray(hot)
    if not (np.isin(rows, (0, 1)).all() and (rows.sum(1) == 1).all()):
        raise ValueError("labels must be class names, or one-hot rows of 0 and one 1.")
    return rows.argmax(1), rows.sum(0)
