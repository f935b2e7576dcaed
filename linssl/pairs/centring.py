r"""Centring by batch: what instances of one batch, donor or trajectory share, out of the moments.

Rows $x_{gi} = \mu_g + w_{gi}$, $n_g$ of batch g, $\pi_g = n_g/N$. The means of batches are known
up to their own noise, so that centring by them takes some of w along:

$$ E \sum_i (x_{gi} - \bar x_g)(x_{gi} - \bar x_g)^T = n_g (W_g - V_g), \qquad
   V_g = \mathrm{Cov}(\bar x_g) = \frac{1}{n_g^2} \sum_{st} C_g(t - s) $$

with $C_g(h)$ the covariance of rows h apart and $W_g = C_g(0)$; $V_g = W_g/n_g$ where they are
independent. Where $C_g(h) = 0$ for h > L (the memory), the L + 1 sums

$$ r_g(h) = \sum_t \tfrac12 (\tilde x_t \tilde x_{t+h}^T + \tilde x_{t+h} \tilde x_t^T), \qquad
   \tilde x = x - \bar x_g, \qquad E\, r_g(h) = \sum_{k=0}^L A_{hk} C_g(k) $$

determine the L + 1 unknowns, exactly and in any number of rows: $\hat C_g = A^{-1} r_g$. For L = 0
A is $n_g - 1$. With every lag unknown A is singular: a constant in all $C_g(h)$ is a mean.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse as sp
from jaxtyping import Array

from linssl.arguments import is_concrete, require_whole
from linssl.labels import as_classes
from linssl.linalg.averages import Rows, RowSource, Side
from linssl.linalg.structure import add
from linssl.moments import PairMoments, Views

UNCHANGED = 1e-6  # of what is summed: by far more than rounding leaves
AT_ONCE = 2**22  # numbers of a block of rows, in double precision


class Batches(NamedTuple):
    """The batch of each row by number (n,), rows of each (K,), and the memory L of a trajectory."""

    index: np.ndarray
    sizes: np.ndarray
    memory: int

    @property
    def used(self) -> np.ndarray:
        """Which batches say what varies within: of 2(L + 1) rows at least.

        Fewer rows have no answer up to L + 1, and above that one of many times the noise.
        """
        return self.sizes >= 2 * (self.memory + 1)

    @property
    def weights(self) -> np.ndarray:
        r"""What a square about the mean of its batch weighs, for W: $n_g/(n_g - 1)\; n/n'$, (K,).

        Of n' rows in batches of two or more; others weigh 0. Without a memory.
        """
        many = self.sizes > 1
        share = len(self.index) / self.sizes[many].sum() / np.maximum(self.sizes - 1, 1)
        return np.where(many, self.sizes * share, 0.0)

    @property
    def draws(self) -> int:
        """Rows less one for the mean of each batch, of the batches that are used."""
        return int((self.sizes[self.used] - 1).sum())


class Parts(NamedTuple):
    """Covariance of rows within batches W, and of the means of batches B; both (d, d)."""

    within: np.ndarray
    between: np.ndarray


def is_centred(by: object, memory: int) -> bool:
    """Say whether there is anything to centre by; a memory without it is an error."""
    require_whole("memory", memory, 0)
    if by is None and memory:
        raise ValueError(
            f"memory must be 0 without by; got {memory}: it is of the trajectories that by names."
        )
    return by is not None


def as_batches(by: object, count: int, memory: int, *known: object) -> Batches:
    """Return the batches of `count` rows, or raise.

    Raises:
        ValueError: `by` or what is `known` traced, of another length, missing or masked, of a
            single batch or of batches that all are too short; a memory that is no whole number.
    """
    if not is_concrete(by, *known):
        raise ValueError("by must be concrete, and the data that it centres: pair outside of jit.")
    require_whole("memory", memory, 0)
    _, index = as_classes("by", by, count)
    found = Batches(index, np.bincount(index), int(memory))
    if len(found.sizes) < 2:
        raise ValueError(
            f"by must name two batches at least; got one, of all {count} rows. Centring by it is "
            "the ordinary centring: leave by out."
        )
    if not found.used.any():
        short, memory = 2 * (memory + 1), int(memory)
        reason = (
            "Batches of one row hold nothing but their means."
            if memory == 0
            else f"What a memory of {memory} adds to the mean of a trajectory can't be told from "
            "what the trajectory is, in fewer rows; a smaller memory leaves scores too low."
        )
        raise ValueError(
            f"by must name a batch of {short} rows or more, 2 (memory + 1); the largest has "
            f"{found.sizes.max()}. {reason}"
        )
    return found


def centred_views(views: Views, by: object, memory: int, rows: Rows | RowSource) -> Views:
    r"""Return views with G centred by batch; Σ is what it was.

    $$ G_w = \sum_g \pi_g \hat W_g - \Sigma/J $$

    Args:
        views: of the same rows, centred by nothing.
        by: the batch of each row, (n,).
        memory: $L$.
        rows: instances (n, d), or the means of J views of each.

    Source: derived (method of moments).
    """
    batches = as_batches(by, rows.shape[0], memory, rows)
    return with_within(views, parts_of(batches, between=False, data=rows).within)


def with_within(views: Views, within: np.ndarray) -> Views:
    """Return views whose instances, or their means of J views, vary so within batches."""
    shared = add(_like(within, views.mean), -views.spread / (views.group_size or 1))
    return eqx.tree_at(lambda v: v.shared, views, shared)


def centred_sides(
    pair: PairMoments, by: object, memory: int, **sides: Rows | RowSource
) -> PairMoments:
    """Return a pair with S, C and G all centred by batch.

    Args:
        pair: of the same rows, centred by nothing.
        by: the batch of each row, (n,).
        memory: L.
        sides: rows (n, d) and (n, e), by the names that errors give them.
    """
    U, V = sides.values()
    batches, d = as_batches(by, U.shape[0], memory, U, V), U.shape[1]
    W = parts_of(batches, between=False, **sides).within
    centred = (W[:d, :d], W[d:, d:], W[:d, d:], np.asarray(batches.draws))
    return eqx.tree_at(
        lambda p: (p.first, p.second, p.cross, p.draws),
        pair,
        tuple(_like(M, pair.mean_first) for M in centred),
    )


def parts_of(batches: Batches, *, between: bool = True, **sides: Rows | RowSource) -> Parts:
    r"""Return the covariances within batches and, where asked, between them, side by side.

    $$ W = \sum_g \pi_g \hat C_g(0), \qquad
       B = \frac1N \sum (x - \bar x)(x - \bar x)^T - W + \sum_g \pi_g^2 \hat V_g $$

    Batches too short are taken to vary within as the others do. B, of the means of the batches at
    hand, is unbiased too, and so can be indefinite.

    Args:
        batches: of the rows.
        between: else B is empty.
        sides: finite rows (n, d), by name.

    Source: derived (method of moments).
    """
    lags, extra = _lag_weights(batches)
    means, order = _Means.of(batches, sides), _in_order(batches)
    W = _lagged(batches, sides, means, order, lags)
    if not between:
        return Parts(W, np.empty((0, 0)))
    share = batches.sizes / len(batches.index)
    apart = means.own - share @ means.own + (means.first - means.first[:1])
    apart = apart - share @ apart
    weights = extra - lags
    weights[:, 0] += 1 / len(batches.index)
    B = (apart.T * share) @ apart + _lagged(batches, sides, means, order, weights)
    return Parts(W, (B + B.T) / 2)


def rows_within(batches: Batches, **sides: Rows | RowSource) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield rows less the mean of their batch, in double precision, a block at a time.

    Args:
        batches: of the rows.
        sides: finite rows (n, d), by name; side by side.
    """
    means, left = _Means.of(batches, sides), _Left(len(batches.sizes), sides)
    for part in blocks_of(len(batches.index), means.own.shape[1]):
        index = batches.index[part]
        x = _rows(sides, part) - means.first[index] - means.own[index]
        left.add(index, x, means)
        yield part, x
    left.require_none()


class _Means(NamedTuple):
    """First row of each batch (K, d), and the mean of the batch about it: no digits are lost."""

    first: np.ndarray
    own: np.ndarray

    @classmethod
    def of(cls, batches: Batches, sides: Mapping[str, Rows | RowSource]) -> "_Means":
        K, d = len(batches.sizes), sum(side.shape[1] for side in sides.values())
        first, sums, seen = np.zeros((K, d)), np.zeros((K, d)), np.zeros(K, bool)
        for part in blocks_of(len(batches.index), d):
            index, x = batches.index[part], _rows(sides, part)
            new, at = np.unique(index, return_index=True)
            at, new = at[~seen[new]], new[~seen[new]]
            first[new], seen[new] = x[at], True
            sums += sums_by(index, x - first[index], K)
        if not np.isfinite(sums).all():  # of rows that were finite when the pair was made
            raise ValueError(f"{' and '.join(sides)} changed while read: got NaN or inf at last.")
        return cls(first, sums / np.maximum(batches.sizes, 1)[:, None])


class _Left:
    """What rows less the mean of their batch sum to: nothing, but of rows that changed since."""

    def __init__(self, count: int, sides: Mapping[str, Rows | RowSource]):
        size = sum(side.shape[1] for side in sides.values())
        self.names, self.sums, self.sizes = " and ".join(sides), *np.zeros((2, count, size))

    def add(self, index: np.ndarray, x: np.ndarray, means: _Means) -> None:
        self.sums += sums_by(index, x, len(self.sums))
        self.sizes += sums_by(index, np.abs(x) + np.abs(means.own[index]), len(self.sums))

    def require_none(self) -> None:
        if not (np.abs(self.sums) <= UNCHANGED * self.sizes).all():
            raise ValueError(
                f"{self.names} changed while read: rows don't have the mean that they had at "
                "first. Rows that are drawn anew at each reading must be kept first, np.array(...)."
            )


def _lagged(
    batches: Batches,
    sides: Mapping[str, Rows | RowSource],
    means: _Means,
    order: np.ndarray | None,
    weights: np.ndarray,
) -> np.ndarray:
    """Return the sum over batches g and lags h of weights (K, L + 1) times r_g(h), (d, d)."""
    n, d, L = len(batches.index), means.own.shape[1], batches.memory
    C, left = np.zeros((d, d)), _Left(len(batches.sizes), sides)
    for part in blocks_of(n, d):
        reach = slice(part.start, min(part.stop + L, n))
        where = reach if order is None else order[reach]
        index = batches.index[where]
        x = _rows(sides, where) - means.first[index] - means.own[index]
        m = part.stop - part.start
        left.add(index[:m], x[:m], means)
        y = weights[index[:m], 0][:, None] * x[:m]
        for h in range(1, L + 1):
            later = index[h : h + m]
            now = index[: len(later)]
            y[: len(later)] += ((now == later) * weights[now, h])[:, None] * x[h : h + m]
        C += x[:m].T @ y
    left.require_none()
    return (C + C.T) / 2


def scatters(
    batches: Batches, weights: np.ndarray, rows: Rows | RowSource
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    r"""Return the first row, the means of batches about it (K, d), and weighted sums within.

    $$ \sum_g w_{gm} \sum_{i \in g} (x_i - \bar x_g)(x_i - \bar x_g)^T $$

    Args:
        batches: of the rows, without memory; those of no rows have mean 0.
        weights: $w$, (K, m).
        rows: finite, (n, d), named data in errors.

    Source: derived.
    """
    sides: Mapping[str, Rows | RowSource] = {"data": rows}
    means, d = _Means.of(batches, sides), rows.shape[1]
    origin = means.first[batches.index[0]]
    sums = [np.zeros((d, d)) for _ in range(weights.shape[1])]
    left = _Left(len(batches.sizes), sides)
    for part in blocks_of(len(batches.index), d):
        index = batches.index[part]
        x = _rows(sides, part) - means.first[index] - means.own[index]
        left.add(index, x, means)
        for total, w in zip(sums, weights.T, strict=True):
            total += (w[index][:, None] * x).T @ x
    left.require_none()
    apart = np.where(batches.sizes[:, None] > 0, means.own + (means.first - origin), 0)
    return origin, apart, [(total + total.T) / 2 for total in sums]


def _lag_weights(batches: Batches) -> tuple[np.ndarray, np.ndarray]:
    r"""Return what r_g(h) weighs in W, and in the sum of $\pi_g^2 V_g$: both (K, L + 1)."""
    used, lags = batches.used, batches.memory + 1
    share = batches.sizes / len(batches.index)
    weight = batches.sizes / batches.sizes[used].sum()
    lengths, which = np.unique(batches.sizes, return_inverse=True)
    systems = [_system(int(T), batches.memory) for T in lengths]
    q = np.array([row for _, row in systems])[which]
    inverse = np.zeros((len(lengths), lags, lags))
    for i, (T, (A, _)) in enumerate(zip(lengths, systems, strict=True)):
        if 2 * lags <= T:
            inverse[i] = np.linalg.inv(A)
    # The means of batches too short vary by what the others' lags say.
    short = (share[~used] ** 2) @ q[~used]
    of_mean = (share**2)[:, None] * q + weight[:, None] * short
    return (
        weight[:, None] * inverse[which, 0],
        np.einsum("gk,gkh->gh", of_mean, inverse[which]),
    )


def _system(T: int, memory: int) -> tuple[np.ndarray, np.ndarray]:
    r"""Return A (L + 1, L + 1) of a batch of T rows, and q with $V = \sum_k q_k C(k)$.

    $A_{hk} = \langle P N_h P, E_k \rangle$ for $P = I - 11^T/T$, $E_k$ the 0/1 matrix of entries k
    off the diagonal, and $N_h$ half of that (h > 0): all by their row sums.
    """
    k, t = np.arange(memory + 1), np.arange(T)[None]
    E = (t + k[:, None] < T).astype(float) + (t >= k[:, None])
    E[0] = 1
    N = np.where(k[:, None] > 0, E / 2, E)
    A = np.diag(np.maximum(T - k, 0.0)) - 2 / T * N @ E.T + np.outer(N.sum(1), E.sum(1)) / T**2
    return A, E.sum(1) / T**2


def _in_order(batches: Batches) -> np.ndarray | None:
    """Return the rows batch by batch, in the order in which they came; None where any will do."""
    if batches.memory == 0 or (np.diff(batches.index) >= 0).all():
        return None
    return np.argsort(batches.index, kind="stable")


def blocks_of(n: int, d: int) -> Iterator[slice]:
    """Yield the rows of blocks of so many numbers as are read at once."""
    most = max(AT_ONCE // d, 64)
    for start in range(0, n, most):
        yield slice(start, min(start + most, n))


def _rows(sides: Mapping[str, Rows | RowSource], where: slice | np.ndarray) -> np.ndarray:
    """Return rows of all sides, side by side, in double precision."""
    read = (_read(Side.of(name, x), where) for name, x in sides.items())
    return np.concatenate([block.astype(np.float64) for block in read], 1)


def _read(side: Side, where: slice | np.ndarray) -> np.ndarray:
    """Return rows as they are stored: of what has slices alone, each run of them by a slice."""
    if isinstance(where, slice):
        return side.read(where.start, where.stop)
    if isinstance(side.rows, np.ndarray):
        return side.rows[where]
    runs = np.split(where, np.flatnonzero(np.diff(where) != 1) + 1)
    return np.concatenate([side.read(int(run[0]), int(run[-1]) + 1) for run in runs])


def _like(values: np.ndarray, other: Array) -> Array:
    """Return values in the precision of another array, concrete inside a trace too."""
    with jax.ensure_compile_time_eval():
        return jnp.asarray(values, other.dtype)


def sums_by(index: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
    """Return the sums (K, d) of the rows (m, d) of each batch, by its number."""
    m = len(rows)
    return sp.csr_array((np.ones(m), index, np.arange(m + 1)), (m, count)).T @ rows
