"""The one currency: the second moments of a pair of random vectors.

Every objective of this library reads a pair (u, v) only through these moments, so a pair made by
an augmentation, by a label, by sampling or by a formula goes down the same road.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from linssl._checks import describe, is_concrete, require_samples
from linssl._digits import average, mark_constant, resolved, shared_digits
from linssl._structure import (
    Moment,
    Numbers,
    add,
    as_float,
    dense,
    diagonal,
    exact_products,
    transpose,
)


class PairMoments(eqx.Module):
    r"""Raw second moments and means of a pair (u, v).

    $$ S = E[u u^T], \quad C = E[v v^T], \quad G = E[u v^T] $$

    Moments are raw (not centred) and are averages (1/n, not 1/(n-1)); `centred()` is the one
    place that centres. A 1-D array stands for a diagonal matrix.

    Args:
        first: $S$, (d, d) or (d,).
        second: $C$, (e, e) or (e,).
        cross: $G$, (d, e), or (d,) when it is a diagonal d x d matrix.
        mean_first: E[u], (d,).
        mean_second: E[v], (e,).
        count: number of instances behind the averages; inf for a population.
        within: $\Sigma = S - G$, (d, d) or (d,), where it is known exactly; else None.
        exchangeable: whether (u, v) and (v, u) have the same law, so that $S = C$, $G = G^T$.

    Raises:
        ValueError: shapes that don't fit, or arrays of different precision.

    Source: derived (bookkeeping; the theorems that read it are cited by the objectives).
    """

    first: Moment = eqx.field(converter=as_float)
    second: Moment = eqx.field(converter=as_float)
    cross: Float[Array, "d e"] | Float[Array, " d"] = eqx.field(converter=as_float)
    mean_first: Float[Array, " d"] = eqx.field(converter=as_float)
    mean_second: Float[Array, " e"] = eqx.field(converter=as_float)
    count: Float[Array, ""] = eqx.field(converter=as_float)
    within: Moment | None = eqx.field(
        default=None, converter=lambda w: None if w is None else as_float(w)
    )
    exchangeable: bool = eqx.field(static=True, default=False)

    def __check_init__(self):
        for name in ("first", "second"):
            shape = getattr(self, name).shape
            if len(shape) not in (1, 2) or shape[0] != shape[-1] or shape[0] == 0:
                raise ValueError(
                    f"{name} must be a second moment, (d, d) or (d,) for a diagonal; got {shape}. "
                    "Pass moments, not data: same_instance(data) makes them."
                )
        d, e = self.first.shape[0], self.second.shape[0]
        wanted = [(d, e), (d,)] if d == e else [(d, e)]
        if self.cross.shape not in wanted:
            raise ValueError(f"cross must be one of {wanted}; got {self.cross.shape}.")
        for name, size in (("mean_first", d), ("mean_second", e)):
            if getattr(self, name).shape != (size,):
                raise ValueError(f"{name} must be ({size},); got {getattr(self, name).shape}.")
        if self.count.shape != ():
            raise ValueError(f"count must be a scalar; got shape {self.count.shape}.")
        if self.within is not None and self.within.shape not in ((d, d), (d,)):
            raise ValueError(f"within must be ({d}, {d}) or ({d},); got {self.within.shape}.")
        if not isinstance(self.exchangeable, bool):
            raise ValueError(f"exchangeable must be True or False; got {self.exchangeable!r}.")
        if self.exchangeable and d != e:
            raise ValueError(f"an exchangeable pair needs equal sizes; got {d} and {e}.")
        arrays = [self.first, self.second, self.cross, self.mean_first, self.mean_second]
        arrays += [] if self.within is None else [self.within]
        if len({a.dtype for a in arrays}) > 1:
            raise ValueError(
                f"all moments must have one dtype; got {sorted({str(a.dtype) for a in arrays})}."
            )

    @classmethod
    @exact_products
    def from_samples(
        cls, first: Numbers, second: Numbers, *, exchangeable: bool = False
    ) -> "PairMoments":
        r"""Average the moments of n sampled pairs.

        $$ S = \frac1n U^T U, \quad C = \frac1n V^T V, \quad G = \frac1n U^T V $$

        With `exchangeable`, both orders of each pair count: $S = C = (U^TU + V^TV)/2n$ and
        $G = (U^TV + V^TU)/2n$.

        Args:
            first: $U$, (n, d), raw.
            second: $V$, (n, e), raw; row i is the partner of row i of `first`.
            exchangeable: whether the pair may be swapped.

        Raises:
            ValueError: not 2-D, different n, n = 0, or NaN or inf in concrete data.

        Source: derived (method of moments).
        """
        U, V = require_samples("first", first), require_samples("second", second)
        if U.shape[0] != V.shape[0]:
            raise ValueError(
                f"first and second must have the same number of rows; got {len(U)} and {len(V)}."
            )
        n = U.shape[0]
        (S, m), (C, v), G = average(U), average(V), U.T @ V / n
        if exchangeable:
            if U.shape != V.shape:
                raise ValueError(
                    f"an exchangeable pair needs equal sizes; got {U.shape} and {V.shape}."
                )
            (S, m), G = average(jnp.concatenate([U, V])), (G + G.T) / 2
            C, v = S, m
        return cls(S, C, G, m, v, jnp.asarray(n, S.dtype), exchangeable=exchangeable)

    @exact_products
    @jax.jit
    def centred(self) -> "PairMoments":
        r"""Subtract the means.

        $$ S - \bar u \bar u^T, \quad C - \bar v \bar v^T, \quad G - \bar u \bar v^T $$

        Divisor stays n. Subtracting cancels: where a mean is so large beside its spread that fewer
        than four digits of the variance are left, that row and column become NaN, and solvers say
        NOT_FINITE: centre the data before taking moments. A column that was constant, exactly,
        becomes 0.

        Source: derived.
        """
        S, C, G = dense(self.first), dense(self.second), dense(self.cross)
        m, v = self.mean_first, self.mean_second
        digits_first, digits_second = resolved(diagonal(S), m), resolved(diagonal(C), v)

        def subtract(moment: Array, a: Array, b: Array, rows: Array, columns: Array) -> Array:
            # 1, 0 (constant) or NaN (lost); 0 is written out, since 0 times rounding is not 0
            weight = rows[:, None] * columns[None, :]
            return jnp.where(weight == 0, 0, weight * (moment - jnp.outer(a, b)))

        within, digits_cross = None, (digits_first, digits_second)
        if self.within is not None and self.exchangeable:
            digits_cross = (digits_first * shared_digits(G, m, S),) * 2
            # With equal means centring takes the same matrix from S and from G.
            zero = jnp.zeros_like(m)
            within = subtract(dense(self.within), zero, zero, digits_first, digits_first)
            within = diagonal(within) if self.within.ndim == 1 else within
        first = subtract(S, m, m, digits_first, digits_first)
        second = subtract(C, v, v, digits_second, digits_second)
        cross = subtract(G, m, v, *digits_cross)
        if within is not None:  # S = G + Sigma, whatever rounding beside large means has done
            first = second = dense(add(cross, within))
        return PairMoments(
            first=first,
            second=second,
            cross=cross,
            mean_first=jnp.zeros_like(m),
            mean_second=jnp.zeros_like(v),
            count=self.count,
            within=within,
            exchangeable=self.exchangeable,
        )

    def swapped(self) -> "PairMoments":
        """Return the moments of (v, u): the two sides change places.

        Source: derived.
        """
        return PairMoments(
            first=self.second,
            second=self.first,
            cross=transpose(self.cross),
            mean_first=self.mean_second,
            mean_second=self.mean_first,
            count=self.count,
            within=self.within if self.exchangeable else None,
            exchangeable=self.exchangeable,
        )


def merge(a: PairMoments, b: PairMoments) -> PairMoments:
    r"""Pool the moments of two batches; folding it over batches is a streaming pass.

    $$ S = \frac{n_a S_a + n_b S_b}{n_a + n_b} $$ and the same for the others.

    Args:
        a: moments of the first batch, with `count` $n_a$.
        b: moments of the second, with $n_b$.

    Raises:
        ValueError: different sizes or exchangeability, or counts that are negative, not finite,
            or both 0 (a population has nothing to add).

    Source: derived.
    """
    sizes = [(p.first.shape[0], p.second.shape[0], p.exchangeable) for p in (a, b)]
    if sizes[0] != sizes[1]:
        raise ValueError(
            f"a and b must have equal sizes and exchangeability; got {sizes[0]} and {sizes[1]}."
        )
    if is_concrete(a.count, b.count):
        counts = float(a.count), float(b.count)
        if not (min(counts) >= 0 and 0 < sum(counts) < np.inf):
            raise ValueError(f"counts must be finite, >= 0 and not both 0; got {counts}.")
    n = a.count + b.count
    w_a, w_b = (a.count / n).astype(a.first.dtype), (b.count / n).astype(a.first.dtype)

    def side(S_a: Array, m_a: Array, S_b: Array, m_b: Array) -> tuple[Array, Array]:
        both = (diagonal(S_a) == m_a * m_a) & (diagonal(S_b) == m_b * m_b) & (m_a == m_b)
        mean = jnp.where(both, m_a, w_a * m_a + w_b * m_b)
        return mark_constant(add(w_a * S_a, w_b * S_b), mean, both), mean

    first, mean_first = side(a.first, a.mean_first, b.first, b.mean_first)
    second, mean_second = side(a.second, a.mean_second, b.second, b.mean_second)
    within = None
    if a.within is not None and b.within is not None:
        within = add(w_a * a.within, w_b * b.within)
    return PairMoments(
        first=first,
        second=second,
        cross=add(w_a * a.cross, w_b * b.cross),
        mean_first=mean_first,
        mean_second=mean_second,
        count=n,
        within=within,
        exchangeable=a.exchangeable,
    )


def require_pair(pair: object) -> None:
    """Raise unless `pair` is a PairMoments, saying how to make one.

    Source: derived (validation).
    """
    if not isinstance(pair, PairMoments):
        raise ValueError(
            f"pair must be a PairMoments; got {describe(pair)}. same_instance(data) makes one."
        )


def require_exchangeable(pair: PairMoments, name: str) -> None:
    """Raise unless `pair` is exchangeable, saying what function needs that, and what to use.

    Source: derived (validation).
    """
    require_pair(pair)
    if not pair.exchangeable:
        raise ValueError(
            f"{name} needs an exchangeable pair: two views from one augmentation, "
            "augment(pair, a, a) with the same object twice. For a pair with two different sides "
            "use canonical correlation (an encoder for each) or reconstruction."
        )
