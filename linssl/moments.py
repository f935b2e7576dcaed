r"""The one currency: the second moments of a pair of random vectors.

Every objective of this library reads a pair (u, v) only through these moments, so a pair made by
an augmentation, by a label, by sampling or by a formula goes down the same road. Moments are
centred: covariances, with the means beside them.

`PairMoments` is any pair; `Views` are two exchangeable views of one instance.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from linssl.arguments import Numbers, as_float, describe, is_concrete
from linssl.linalg.averages import Rows, RowSource, as_source, average, blurred
from linssl.linalg.shown import Shown
from linssl.linalg.structure import (
    Moment,
    about_zero,
    add,
    dense,
    diagonal,
    exact_products,
    transpose,
)
from linssl.names import Names, agreed, as_names, names_of

__all__ = ["PairMoments", "Views", "merge"]

Pair = TypeVar("Pair", "PairMoments", "Views")


class PairMoments(Shown):
    r"""Covariances and means of a pair (u, v).

    $$ S = \mathrm{Cov}(u), \quad C = \mathrm{Cov}(v), \quad G = \mathrm{Cov}(u, v) $$

    Averages are over n; `estimate_pair` alone makes up for its means, by n/(n - 1). A 1-D array
    stands for a diagonal matrix.

    Args:
        first: $S$, (d, d) or (d,).
        second: $C$, (e, e) or (e,).
        cross: $G$, (d, e), or (d,) when it is a diagonal d x d matrix.
        mean_first: E[u], (d,).
        mean_second: E[v], (e,).
        count: number of instances behind the averages; inf for a population.
        draws: independent rows behind what a fit whitens, less one for the mean; inf where the
            moments are exact. At few draws directions agree by chance (FEW_SAMPLES).
        rounding_first: the variance of each feature of u that is rounding of the data, (d,);
            None is 0.
        rounding_second: the same for v, (e,).
        features_first: names of the features of u, (d,), or None. Static: see `named`.
        features_second: of v, (e,), or None.

    Raises:
        ValueError: shapes that don't fit, or arrays of different precision.

    Source: derived; the moments of JEvRC, section 3.
    """

    first: Moment
    second: Moment
    cross: Float[Array, "d e"] | Float[Array, " d"]
    mean_first: Float[Array, " d"]
    mean_second: Float[Array, " e"]
    count: Float[Array, ""]
    draws: Float[Array, ""]
    rounding_first: Float[Array, " d"]
    rounding_second: Float[Array, " e"]
    features_first: Names | None = eqx.field(static=True)
    features_second: Names | None = eqx.field(static=True)

    def __init__(
        self,
        first: Numbers,
        second: Numbers,
        cross: Numbers,
        mean_first: Numbers,
        mean_second: Numbers,
        count: Numbers,
        draws: Numbers,
        rounding_first: Numbers | None = None,
        rounding_second: Numbers | None = None,
        features_first: Iterable[str] | None = None,
        features_second: Iterable[str] | None = None,
    ):
        self.first, self.second, self.cross = as_float(first), as_float(second), as_float(cross)
        self.mean_first, self.mean_second = as_float(mean_first), as_float(mean_second)
        self.count, self.draws = (as_float(n).astype(self.first.dtype) for n in (count, draws))
        self.rounding_first = _rounding(rounding_first, self.mean_first)
        self.rounding_second = _rounding(rounding_second, self.mean_second)
        d, e = self.mean_first.size, self.mean_second.size
        self.features_first = as_names("features_first", features_first, d)
        self.features_second = as_names("features_second", features_second, e)

    def __check_init__(self):
        d, e = (_size(name, getattr(self, name)) for name in ("first", "second"))
        wanted = [(d, e), (d,)] if d == e else [(d, e)]
        if self.cross.shape not in wanted:
            raise ValueError(f"cross must be one of {wanted}; got {self.cross.shape}.")
        sizes = {"mean_first": d, "mean_second": e, "rounding_first": d, "rounding_second": e}
        _check_fields(self, sizes, ("first", "second", "cross"))

    @classmethod
    def from_samples(cls, first: Numbers | RowSource, second: Numbers | RowSource) -> "PairMoments":
        r"""Average the moments of n sampled pairs.

        $$ S = \frac1n \sum (u - \bar u)(u - \bar u)^T, \quad G = \frac1n \sum (u - \bar u)
           (v - \bar v)^T $$

        Args:
            first: $U$, (n, d), or what gives its rows by slices.
            second: $V$, (n, e); row i is the partner of row i of `first`. The columns of tables
                give the features their names.

        Raises:
            ValueError: not 2-D, different n, n = 0, or NaN or inf in concrete data.

        Source: derived (method of moments).
        """
        U, V = as_source("first", first), as_source("second", second)
        n, m = U.shape[0], V.shape[0]
        if n != m:
            raise ValueError(
                f"first and second must have the same number of rows; got {n} and {m}."
            )
        return pair_of_rows(first=U, second=V).named(names_of(first), names_of(second))

    @classmethod
    @exact_products
    def from_raw(
        cls,
        first: Numbers,
        second: Numbers,
        cross: Numbers,
        mean_first: Numbers,
        mean_second: Numbers,
        count: Numbers,
        draws: Numbers,
    ) -> "PairMoments":
        r"""Subtract the means from raw moments; the only place that does.

        $$ S = E[u u^T] - \bar u \bar u^T, \quad G = E[u v^T] - \bar u \bar v^T $$

        Subtracting cancels: of each variance up to $8 \sqrt n\, \epsilon E[u_i^2]$ is rounding,
        which the pair carries, and by which what whitens judges its status; less than that is
        taken as 0. From data use `from_samples`, which loses nothing.

        Args:
            first: $E[u u^T]$, (d, d) or (d,).
            second: $E[v v^T]$, (e, e) or (e,).
            cross: $E[u v^T]$, (d, e).
            mean_first: E[u], (d,).
            mean_second: E[v], (e,).
            count: n.
            draws: as for the class.

        Raises:
            ValueError: shapes that don't fit, or (where concrete) a raw moment below the square
                of its mean by more than rounding.

        Source: derived.
        """
        m, v = as_float(mean_first), as_float(mean_second)
        n, (raw_u, raw_v) = as_float(count), (as_float(M) for M in (first, second))
        S, r, gone = _centred("first", raw_u, m, n)
        C, q, lost = _centred("second", raw_v, v, n)
        G = dense(as_float(cross))
        if G.shape != (m.size, v.size):
            raise ValueError(f"cross must be ({m.size}, {v.size}); got {G.shape}.")
        G = jnp.where(gone[:, None] | lost[None, :], 0, G - jnp.outer(m, v))
        return cls(S, C, G, m, v, count, draws, r, q)

    def about_zero(self) -> "PairMoments":
        r"""Return moments about 0, $S + \bar u \bar u^T$, with means 0: for no intercept."""
        S, C = about_zero(self.first, self.mean_first), about_zero(self.second, self.mean_second)
        G = dense(self.cross) + jnp.outer(self.mean_first, self.mean_second)
        m, v = jnp.zeros_like(self.mean_first), jnp.zeros_like(self.mean_second)
        changes = {"first": S, "second": C, "cross": G, "mean_first": m, "mean_second": v}
        return dataclasses.replace(self, **changes)

    def swapped(self) -> "PairMoments":
        """Return the moments of (v, u): the two sides change places."""
        return PairMoments(
            self.second,
            self.first,
            transpose(self.cross),
            self.mean_second,
            self.mean_first,
            self.count,
            self.draws,
            self.rounding_second,
            self.rounding_first,
            self.features_second,
            self.features_first,
        )

    def named(self, first: Iterable[str] | None, second: Iterable[str] | None) -> "PairMoments":
        """Return the same moments with names for their features, instead of those that they have.

        See `Views.named`.

        Args:
            first: of u, (d,); None is none.
            second: of v, (e,); None is none.

        Raises:
            ValueError: no names, or another number of them than of features.
        """
        if first is self.features_first and second is self.features_second:
            return self
        return dataclasses.replace(self, features_first=first, features_second=second)


class Views(Shown):
    r"""Covariances and mean of two exchangeable views of one instance.

    $$ G = \mathrm{Cov}(\tau_1, \tau_2), \quad \Sigma = E\,\mathrm{Cov}(\tau | x), \quad
       S = \mathrm{Cov}(\tau) = G + \Sigma $$

    Args:
        shared: $G$, (d, d) or (d,) for a diagonal; symmetric.
        spread: $\Sigma$, (d, d) or (d,); 0 where views don't differ.
        mean: $E[\tau]$, (d,).
        count: number of instances behind the averages; inf for a population.
        draws: independent differences behind $\Sigma$; inf where it is exact. At few draws
            directions agree by chance (FEW_SAMPLES).
        rounding: the variance of each feature that is rounding of the data, (d,); None is 0.
        group_size: J, where the moments are of groups of J views; None for any.
        features: names of the features, (d,), or None. Static: see `named`.

    Raises:
        ValueError: shapes that don't fit, or arrays of different precision.

    Source: derived; the moments of JEvRC, section 3.
    """

    shared: Moment
    spread: Moment
    mean: Float[Array, " d"]
    count: Float[Array, ""]
    draws: Float[Array, ""]
    rounding: Float[Array, " d"]
    group_size: int | None = eqx.field(static=True)
    features: Names | None = eqx.field(static=True)

    def __init__(
        self,
        shared: Numbers,
        spread: Numbers,
        mean: Numbers,
        count: Numbers,
        draws: Numbers,
        rounding: Numbers | None = None,
        group_size: int | None = None,
        features: Iterable[str] | None = None,
    ):
        self.shared, self.spread, self.mean = as_float(shared), as_float(spread), as_float(mean)
        self.count, self.draws = (as_float(n).astype(self.shared.dtype) for n in (count, draws))
        self.rounding = _rounding(rounding, self.mean)
        self.group_size = group_size
        self.features = as_names("features", features, self.mean.size)

    def __check_init__(self):
        d = _size("shared", self.shared)
        if _size("spread", self.spread) != d:
            raise ValueError(f"spread must be ({d}, {d}) or ({d},); got {self.spread.shape}.")
        _check_fields(self, {"mean": d, "rounding": d}, ("shared", "spread"))
        if self.group_size is not None and not (
            isinstance(self.group_size, int | np.integer) and self.group_size >= 2
        ):
            raise ValueError(f"group_size must be None or J >= 2; got {self.group_size!r}.")

    @property
    def covariance(self) -> Moment:
        r"""$S = G + \Sigma$, of a view."""
        return add(self.shared, self.spread)

    def as_pair(self) -> PairMoments:
        """Return the pair (view, other view), for objectives of two different sides."""
        S, m, r, names = self.covariance, self.mean, self.rounding, self.features
        return PairMoments(S, S, self.shared, m, m, self.count, self.draws, r, r, names, names)

    def about_zero(self) -> "Views":
        r"""Return moments about 0, $G + \mu\mu^T$, with mean 0: for no intercept."""
        G, zero = about_zero(self.shared, self.mean), jnp.zeros_like(self.mean)
        return dataclasses.replace(self, shared=G, mean=zero)

    def named(self, features: Iterable[str] | None) -> "Views":
        """Return the same moments with names for their features, instead of those that they have.

        For moments that were made of plain arrays: sources and tables bring their names along.
        Names are static: what JAX compiled for moments of some names is compiled anew for those of
        others, and kept within a sweep. A loop over choices of equally many features compiles once
        if it drops them, `views.named(None)`.

        Args:
            features: (d,) texts; None is none.

        Raises:
            ValueError: no names, or another number of them than of features.
        """
        if features is self.features:
            return self
        return dataclasses.replace(self, features=features)


@exact_products
def merge(a: Pair, b: Pair) -> Pair:
    r"""Pool the moments of two batches; folding it over batches is a streaming pass.

    $$ S = w_a S_a + w_b S_b + w_a w_b \delta\delta^T, \quad \mu = \mu_a + w_b \delta, \quad
       \delta = \mu_b - \mu_a, \; w = n / (n_a + n_b) $$

    and so for the cross moments. Of views, $\Sigma$ is averaged, and draws add. Where one batch has
    names of features, the other may have none: then its columns go by their places.

    Args:
        a: moments of the first batch, with `count` $n_a$.
        b: moments of the second, of the same type, with $n_b$.

    Raises:
        ValueError: different types, sizes or group sizes, features of other names or in another
            order, or counts that are negative, not finite, or both 0 (a population has nothing to
            add).

    Source: ChanGolubLeVeque1983; derived for views.
    """
    n, w_a, w_b = _weights(a, b)
    # Finite ones add; what is exact adds nothing to what isn't.
    finite = jnp.isfinite(a.draws) & jnp.isfinite(b.draws)
    draws = jnp.where(finite, a.draws + b.draws, jnp.minimum(a.draws, b.draws))

    def mean(m_a: Array, m_b: Array) -> tuple[Array, Array]:
        return m_a + w_b * (m_b - m_a), m_b - m_a

    def pooled(M_a: Array, M_b: Array, left: Array, right: Array) -> Array:
        within = add(w_a * M_a, w_b * M_b)
        between = w_a * w_b * jnp.outer(left, right)
        return dense(within) + between

    if isinstance(a, Views):
        assert isinstance(b, Views)
        m, step = mean(a.mean, b.mean)
        G = pooled(a.shared, b.shared, step, step)
        spread = add(w_a * a.spread, w_b * b.spread)
        known = [(p.mean, p.covariance, p.rounding) for p in (a, b)]
        r = _merged_rounding(known, (w_a, w_b), m, add(G, spread))
        names = agreed("a and b", a.features, b.features)
        return Views(G, spread, m, n, draws, r, a.group_size, names)
    assert isinstance(b, PairMoments)
    m, u = mean(a.mean_first, b.mean_first)
    k, v = mean(a.mean_second, b.mean_second)
    S, C = pooled(a.first, b.first, u, u), pooled(a.second, b.second, v, v)
    first = [(p.mean_first, p.first, p.rounding_first) for p in (a, b)]
    second = [(p.mean_second, p.second, p.rounding_second) for p in (a, b)]
    r = _merged_rounding(first, (w_a, w_b), m, S)
    q = _merged_rounding(second, (w_a, w_b), k, C)
    # Rows less one for the mean: both together have one mean, not two.
    rows = (a.draws == a.count - 1) & (b.draws == b.count - 1)
    draws = jnp.where(rows, n - 1, draws)
    names = (
        agreed("the first sides of a and b", a.features_first, b.features_first),
        agreed("the second sides of a and b", a.features_second, b.features_second),
    )
    return PairMoments(S, C, pooled(a.cross, b.cross, u, v), m, k, n, draws, r, q, *names)


def _merged_rounding(
    batches: Sequence[tuple[Array, ...]], weights: tuple[Array, Array], mean: Array, S: Moment
) -> Array:
    """Return the variance that is rounding, (d,), of two batches, merged.

    The average of both, but for features that one batch saw nothing of: constants, of which a
    single row has nothing else, have no rounding until they turn out to differ.

    Args:
        batches: mean, covariance and rounding of each.
        weights: of the batches.
        mean: of both.
        S: covariance of both.
    """
    tiny, least = jnp.finfo(mean.dtype).tiny, float(jnp.finfo(mean.dtype).eps)
    squares = [r / jnp.maximum(m**2 + diagonal(M), tiny) for m, M, r in batches]
    eps = jnp.maximum(jnp.sqrt(jnp.maximum(squares[0], squares[1])), least)
    average = weights[0] * batches[0][2] + weights[1] * batches[1][2]
    return jnp.maximum(average, blurred(eps, mean, diagonal(S)))


def pair_of_rows(kept: DTypeLike | None = None, /, **sides: Rows | RowSource) -> PairMoments:
    """Average the rows of two sides, as many each, by the names that errors give them.

    In the finest precision of both, or in that which is `kept`.
    """
    U, _ = sides.values()
    both, n, d = average(kept, **sides), U.shape[0], U.shape[1]
    u, v = both.cut(0, d), both.cut(d, None)
    G = both.covariance[:d, d:]
    return PairMoments(
        u.covariance, v.covariance, G, u.mean, v.mean, n, n - 1, u.rounding, v.rounding
    )


def require_pair(pair: object) -> None:
    """Raise unless `pair` is a PairMoments, saying how to make one."""
    if isinstance(pair, PairMoments):
        return
    if isinstance(pair, Views):
        raise ValueError(
            "pair must be a PairMoments; got Views, which are two views of one instance. "
            "view_and_clean(data, a) makes a view and its target, views.as_pair() two sides."
        )
    raise ValueError(
        f"pair must be a PairMoments; got {describe(pair)}. view_and_clean(data, a) makes one."
    )


def require_views(views: object, name: str) -> None:
    """Raise unless `views` are Views, saying what function needs them, and what to use."""
    if isinstance(views, Views):
        return
    if isinstance(views, PairMoments):
        raise ValueError(
            f"{name} needs Views, two views of one instance under one augmentation: "
            "two_views(data, a). For a pair with two different sides use canonical correlation "
            "(an encoder for each) or reconstruction."
        )
    raise ValueError(f"views must be Views; got {describe(views)}. two_views(data, a) makes them.")


def _size(name: str, moment: Array) -> int:
    shape = moment.shape
    if len(shape) not in (1, 2) or shape[0] != shape[-1] or shape[0] == 0:
        raise ValueError(
            f"{name} must be a covariance, (d, d) or (d,) for a diagonal; got {shape}. "
            "Pass moments, not data: two_views(data, a) makes them."
        )
    return shape[0]


def _check_fields(pair: Any, sizes: dict[str, int], moments: Sequence[str]) -> None:
    for name, size in sizes.items():
        if getattr(pair, name).shape != (size,):
            raise ValueError(f"{name} must be ({size},); got {getattr(pair, name).shape}.")
    for name in ("count", "draws"):
        if getattr(pair, name).shape != ():
            raise ValueError(f"{name} must be a scalar; got shape {getattr(pair, name).shape}.")
    found = {str(getattr(pair, name).dtype) for name in (*moments, *sizes)}
    if len(found) > 1:
        raise ValueError(f"all moments must have one dtype; got {sorted(found)}.")


def _rounding(rounding: Numbers | None, mean: Array) -> Array:
    return jnp.zeros_like(mean) if rounding is None else as_float(rounding).astype(mean.dtype)


def _centred(name: str, raw: Array, mean: Array, count: Array) -> tuple[Array, Array, Array]:
    """Return a covariance, the variance that is rounding, and what is lost; or raise."""
    if raw.ndim not in (1, 2) or mean.shape != raw.shape[:1] or raw.shape[0] != raw.shape[-1]:
        raise ValueError(
            f"{name} must be (d, d) raw moments, or (d,), of a mean (d,); got {raw.shape} and "
            f"{mean.shape}."
        )
    flat = raw.ndim == 1 and is_concrete(mean) and not mean.any()
    S = raw if flat else dense(raw) - jnp.outer(mean, mean)
    variance, eps = diagonal(S), float(jnp.finfo(raw.dtype).eps)
    # What summing n squares leaves: steps of eps, which add up as a walk does; some of them alike
    # where all squares are, as those of a constant (4 sqrt(n) of one BLAS, less of another).
    steps = jnp.where(jnp.isfinite(count), 8 * jnp.maximum(1, jnp.sqrt(count)), 8)
    unit = jnp.where(mean == 0, 0, eps * steps.astype(raw.dtype) * diagonal(raw))
    if is_concrete(variance, count) and bool(jnp.any(variance < -unit)):
        worst = int(jnp.argmin(variance + unit))
        raise ValueError(
            f"{name} must be raw moments, no less than the squares of their means; feature {worst} "
            f"has {float(diagonal(raw)[worst]):g} beside a mean of {float(mean[worst]):g}. "
            "Covariances go into PairMoments as they are."
        )
    # What is below rounding is no variance: a constant, to all that is known of it.
    gone = (variance <= unit) & (mean != 0)
    if S.ndim == 2:
        S = jnp.where(gone[:, None] | gone[None, :], 0, S)
    return S, unit, gone


def _weights(a: Any, b: Any) -> tuple[Array, Array, Array]:
    """Return n and the weights of two batches that can be merged, or raise."""
    if type(a) is not type(b) or not isinstance(a, PairMoments | Views):
        raise ValueError(
            f"a and b must both be PairMoments or both Views; got {describe(a)} and {describe(b)}."
        )
    means = [[p.mean] if isinstance(p, Views) else [p.mean_first, p.mean_second] for p in (a, b)]
    sizes = [
        (*(len(m) for m in side), getattr(p, "group_size", None))
        for side, p in zip(means, (a, b), strict=True)
    ]
    if sizes[0] != sizes[1]:
        raise ValueError(
            f"a and b must have equal sizes and group sizes; got {sizes[0]} and {sizes[1]}."
        )
    if is_concrete(a.count, b.count):
        counts = float(a.count), float(b.count)
        if not (min(counts) >= 0 and 0 < sum(counts) < np.inf):
            raise ValueError(f"counts must be finite, >= 0 and not both 0; got {counts}.")
    n = a.count + b.count
    dtype = means[0][0].dtype
    return n, (a.count / n).astype(dtype), (b.count / n).astype(dtype)
