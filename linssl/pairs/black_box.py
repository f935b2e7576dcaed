r"""Black boxes: the pair of any view, estimated by calling it.

An augmentation of this library has exact moments, and should be used where there is one. What is
only a function, such as a chain of torchvision transforms, is sampled here.
"""

import functools
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from linssl.arguments import Numbers, detached, is_tensor, on_host, require_room, require_whole
from linssl.linalg.shown import shows_numbers
from linssl.linalg.structure import exact_products, trace
from linssl.metrics import subspace_distance
from linssl.moments import PairMoments, Views
from linssl.names import Names, names_of
from linssl.pairs.centred_views import CentredSums
from linssl.pairs.centring import as_batches
from linssl.pairs.shared_draws import AGREE, CALLS, COPIES, draws_are_repeated, draws_are_shared

GROUPS = 10  # of instances, left out one at a time
TOO_LARGE = 0.05  # of the subspace that may be chance before there is a warning
AT_ONCE = 256  # instances whose views are held at once
UNCHANGED = (
    "view returned every instance unchanged, so views don't differ. Transforms of torch leave "
    "arrays of numpy alone: pass data as a tensor, or make one in the view."
)


@shows_numbers
class PairEstimate(NamedTuple):
    r"""Moments estimated from V views of each of n instances, and how far to trust them.

    Args:
        views: of two views: for joint embedding. G is unbiased, and so can be indefinite.
        clean: of a view and its clean instance: for reconstruction.
        without: the same two pairs without one group of instances each, for errors.
        views_per_sample: $V$.

    Source: derived (method of moments; jackknife over instances).
    """

    views: Views
    clean: PairMoments
    without: tuple[tuple[Views, PairMoments], ...]
    views_per_sample: int

    @property
    def standard_error(self) -> Float[Array, "d d"]:
        r"""Standard error of each entry of G, over instances.

        $$ \mathrm{se}^2 = \tfrac{B - 1}{B} \sum_b (G_{(b)} - \bar G)^2 $$

        Source: derived (jackknife over B groups).
        """
        return _jackknife([left.shared for left, _ in self.without])

    def subspace_error(
        self, objective: Callable[[Any, int], Any], dim: int, clean: bool = False
    ) -> float:
        r"""Estimate how much of the solution's subspace is chance; warn where it is too much.

        $$ \min\Big(\tfrac{B - 1}{B} \sum_b \mathrm{dist}(W_{(b)}, W),\; 1 - \tfrac{k}{d}\Big) $$

        The expected squared chordal distance over k to the solution of infinitely many views and
        instances, to first order; it compares the error of G with the gap at the cut. First order
        doesn't hold where it says more than $1 - k/d$, the distance of a subspace drawn at random:
        that is returned, and all of the subspace is chance.

        Args:
            objective: `joint_embedding`, or `reconstruction` with `clean`.
            dim: $k$.
            clean: whether the objective reads the pair of a view and its clean instance.

        Warns:
            UserWarning: the error is above 0.05, or can't be told: the gap is too small for it.

        Source: derived (jackknife over B groups).
        """
        which = 1 if clean else 0
        found = objective((self.views, self.clean)[which], dim)
        parts = [objective(left[which], dim).encoder for left in self.without]
        B = len(parts)
        distances = [float(subspace_distance(part, found.encoder)) for part in parts]
        at_random = 1 - dim / found.encoder.shape[1]
        error = min((B - 1) / B * sum(distances), at_random)
        if not error <= TOO_LARGE:
            warnings.warn(
                f"{_share(error, at_random)} of the {dim}-dimensional subspace is chance: its gap "
                f"of {float(found.gap):.2g} is too small for {self.views_per_sample} views of "
                f"{float(self.views.count):g} instances. Use more views or instances, or another "
                "dim with a larger gap.",
                stacklevel=2,
            )
        return error


def _share(error: float, at_random: float) -> str:
    if error != error:
        return "an unknown share"
    return f"about {error:.0%}" if error < at_random else "all"


class _Sums(NamedTuple):
    """Sums over instances: of u u^T over views, t t^T, t x^T, x x^T, t and x; t = sum of views."""

    views: np.ndarray
    totals: np.ndarray
    clean: np.ndarray
    data: np.ndarray
    total: np.ndarray
    row: np.ndarray
    count: int


def _combine(a: _Sums, b: _Sums, sign: int) -> _Sums:
    return jax.tree_util.tree_map(lambda x, y: x + sign * y, a, b)


@exact_products
def estimate_pair(
    view: Callable[..., Numbers],
    data: Numbers,
    views_per_sample: int = 8,
    key: Key[Array, ""] | None = None,
    *,
    batched: bool = False,
) -> PairEstimate:
    r"""Estimate the moments of a black-box view by calling it V times on every instance.

    With views $u_{iv}$ and $t_i = \sum_v u_{iv}$, about the mean over all:

    $$ S - G = \frac{\sum_{iv} u u^T - \sum_i t t^T / V}{n (V - 1)}, \qquad
       G = \frac{\sum_i t t^T - \sum_{iv} u u^T}{n V (V - 1)} + \frac{G + (S - G)/V}{n} $$

    G averages pairs of different views, so it is unbiased; the last term makes up for the mean
    being estimated. Streaming: nothing of size n V d is held.

    Args:
        view: `view(key, x)`, jax, where a key is given; else any `view(x)` from numpy to numpy
            (or to what `numpy.asarray` takes), with randomness of its own. x is one instance,
            in the shape that it has in `data`; views are flattened.
        data: (n, ...), n >= 20. Of a torch tensor the view gets tensors, else arrays of numpy. The
            features of a table keep their names, in views too where these have as many values.
        views_per_sample: $V \ge 2$.
        key: a random key, for a jax view.
        batched: whether the view takes (m, ...) instances and returns (m, ...) views, each with a
            draw of its own: V calls for every 256 instances. Copies of one instance, in 96 to 160
            calls, tell whether it does.

    Returns:
        `PairEstimate`: `estimate.views` for joint embedding, `estimate.clean` for reconstruction.
        Draws: n(V - 1).

    Raises:
        ValueError: fewer than two views or twenty instances, data that aren't finite numbers,
            a view that returns something else than finite arrays of one shape, or (batched) one
            that draws once for a whole block, or the same in every call.

    Warns:
        UserWarning: every view is its instance unchanged, as what transforms of torch make of
            numpy's arrays.

    Source: derived (method of moments).
    """
    rows, names = _checked(data, views_per_sample), names_of(data)
    if batched and key is not None:
        raise ValueError("batched is for a view without a key: a jax view is compiled for all.")
    calls = _python_views(view, data, rows, batched) if key is None else _jax_views(view, key)
    # Every tenth instance: data often come in order of their classes.
    parts = [np.arange(len(rows))[start::GROUPS] for start in range(GROUPS)]
    # About a fixed point among them, so that no large mean cancels, and a constant is exactly 0.
    about = _about(calls, rows, views_per_sample)
    groups = [_sums_of(calls, rows, part, views_per_sample, about) for part in parts]
    everything = functools.reduce(lambda a, b: _combine(a, b, 1), groups)

    def pairs(sums: _Sums) -> tuple[Views, PairMoments]:
        return _named(*unbiased(*_pairs(sums, views_per_sample, about)), names)

    without = tuple(pairs(_combine(everything, g, -1)) for g in groups)
    views, clean = pairs(everything)
    if key is None and is_unchanged(views, clean):
        warnings.warn(UNCHANGED, stacklevel=3)  # of exact_products
    return PairEstimate(views, clean, without, views_per_sample)


class PartEstimates(NamedTuple):
    """Views and clean pair of each part, and of each centred by some batches.

    Args:
        plain: averages of divisor n. They merge; `unbiased` of what `merge` made of several is
            `estimate_pair` of all.
        centred: for each that there is to centre by. They merge, and are unbiased.
    """

    plain: list[tuple[Views, PairMoments]]
    centred: list[list[tuple[Views, PairMoments]]]


def estimate_parts(
    view: Callable[..., Numbers],
    data: Numbers,
    parts: list[np.ndarray],
    views_per_sample: int,
    *,
    batched: bool = False,
    clean: np.ndarray | None = None,
    by: Sequence[np.ndarray] = (),
) -> PartEstimates:
    """Estimate each part of the data apart: views and clean pair.

    Args:
        view: from numpy to numpy.
        data: (n, ...).
        parts: the instances of each part, by number.
        views_per_sample: V >= 2.
        batched: as for `estimate_pair`.
        clean: the instances in the order and the units of the views, if `data` has others.
        by: batches to centre by, each (n,).

    Raises:
        ValueError: as `estimate_pair`.

    Source: derived (method of moments).
    """
    host = _checked(data, views_per_sample)
    calls = _python_views(view, data, host, batched)
    rows = host if clean is None else clean
    about = _about(calls, rows, views_per_sample)
    sums_by_batch = [CentredSums(as_batches(one, len(rows), 0), len(parts)) for one in by]
    plain = []
    for i, part in enumerate(parts):
        tell = functools.partial(_add, sums_by_batch, i) if by else None
        sums = _sums_of(calls, rows, part, views_per_sample, about, tell)
        plain.append(_pairs(sums, views_per_sample, about))
    point = np.concatenate(about)
    centred = [
        [sums.centred(i, views, clean, point) for i, (views, clean) in enumerate(plain)]
        for sums in sums_by_batch
    ]
    return PartEstimates(plain, centred)


def _add(to: list[CentredSums], part: int, numbers: np.ndarray, z: np.ndarray) -> None:
    for sums in to:
        sums.add(part, numbers, z)


def unbiased(views: Views, clean: PairMoments) -> tuple[Views, PairMoments]:
    r"""Make up for the means that were estimated: G and S lack $(G + \Sigma/V)/n$.

    $$ G \leftarrow \frac{n}{n-1} \Big(G + \frac{\Sigma}{V n}\Big), \qquad
       K, C \leftarrow \frac{n}{n-1} K, \frac{n}{n-1} C $$

    Args:
        views: of n groups of V views, divisor n.
        clean: of a view and its instance, divisor n.

    Source: derived (method of moments).
    """
    assert views.group_size is not None
    n = views.count
    share = n / (n - 1)
    G = share * (views.shared + views.spread / (views.group_size * n))
    S = G + views.spread
    K, C = share * clean.cross, share * clean.second
    corrected = eqx.tree_at(lambda v: v.shared, views, G)
    return corrected, eqx.tree_at(lambda p: (p.first, p.second, p.cross), clean, (S, C, K))


def _named(views: Views, clean: PairMoments, names: Names | None) -> tuple[Views, PairMoments]:
    """Name the features of instances, and of views that have as many."""
    if names is None or len(names) != clean.mean_second.size:
        return views, clean
    seen = names if views.mean.size == len(names) else None
    return views.named(seen), clean.named(seen, names)


def is_unchanged(views: Views, clean: PairMoments) -> bool:
    """Say whether every view is its instance: nothing was augmented.

    Args:
        views: of several views of each instance.
        clean: of a view and its instance.
    """
    if clean.first.shape != clean.second.shape:
        return False
    C, scale = clean.second, float(trace(clean.second))
    moved = jnp.square(clean.mean_first - clean.mean_second).max()
    differ = trace(clean.first) + trace(C) - 2 * trace(clean.cross)
    rounding = 10 * float(jnp.finfo(C.dtype).eps) * scale
    spread = float(trace(views.spread))
    return spread <= 1e-12 * scale and max(float(differ), float(moved)) <= rounding


def _checked(data: Numbers, views_per_sample: int) -> np.ndarray:
    """Return the instances, or raise."""
    rows = on_host(data, "data")
    if rows.ndim < 2 or len(rows) < 2 * GROUPS or 0 in rows.shape:
        raise ValueError(
            f"data must be (n, ...) numbers with n >= {2 * GROUPS}; got {rows.dtype} of shape "
            f"{rows.shape}."
        )
    if not np.isfinite(rows).all():
        raise ValueError(f"data must be finite; got {np.sum(~np.isfinite(rows))} NaN or inf.")
    require_room(rows[0].size, 8)
    require_whole("views_per_sample", views_per_sample, 2)
    return rows


def _about(calls: "Calls", rows: np.ndarray, V: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a fixed view and instance to take moments about."""
    return calls(rows[:1], np.arange(1), V)[0, 0], rows[0].ravel().astype(float)


Calls = Callable[[np.ndarray, np.ndarray, int], np.ndarray]  # rows, their numbers, V -> (m, V, d)


def _python_views(
    view: Callable[..., Numbers], data: Numbers, rows: np.ndarray, batched: bool
) -> Calls:
    """Return the calls of a view from arrays to arrays, or from tensors to tensors.

    Args:
        view: of one instance, or of a block of them where batched.
        data: as it was given.
        rows: the same on the host.
        batched: as for `estimate_pair`.
    """
    given: Any = detached(data) if is_tensor(data) else rows

    def one_by_one(rows: np.ndarray, numbers: np.ndarray, V: int) -> np.ndarray:
        del rows
        found = [[_numbers(view(_copy(x))).ravel() for _ in range(V)] for x in given[numbers]]
        return _of_one_shape([u for instance in found for u in instance]).reshape(len(found), V, -1)

    def at_once(rows: np.ndarray, numbers: np.ndarray, V: int) -> np.ndarray:
        del rows
        m = len(numbers)
        found = [_numbers(view(given[numbers])) for _ in range(V)]  # indexing copies
        for block in found:
            if block.ndim == 0 or len(block) != m:
                raise ValueError(
                    "view must return as many views as it gets instances, with batched=True; got "
                    f"shape {block.shape} of {m} instances."
                )
        return _of_one_shape([block.reshape(m, -1) for block in found]).swapaxes(0, 1)

    if batched:
        _require_own_draws(rows, at_once)
    return at_once if batched else one_by_one


def _require_own_draws(rows: np.ndarray, at_once: Calls) -> None:
    """Raise unless copies of an instance are drawn each for itself, and anew in every call."""
    flat = rows.reshape(len(rows), -1)
    contrast = flat.max(1).astype(float) - flat.min(1)  # what scales a blank one changes nothing
    parts = np.array_split(contrast, 2 * AGREE - 1)
    starts = np.cumsum([0, *map(len, parts)])
    probes = [int(start + part.argmax()) for start, part in zip(starts, parts, strict=False)]

    def views_of(number: int) -> np.ndarray:
        views = at_once(rows, np.full(COPIES, probes[number]), CALLS).swapaxes(0, 1)
        if draws_are_repeated(views):
            raise ValueError(
                "view must draw anew in every call with batched=True (--batched); copies of one "
                "instance differ within a call, and all calls repeat them, as where the view sets "
                "a seed: the views of an instance would be one. Make its generator once, outside "
                "of it."
            )
        return views

    if draws_are_shared(views_of):
        raise ValueError(
            "view must draw for each instance apart with batched=True (--batched); copies of one "
            "instance are alike within a call and differ between calls, as of a transform that "
            "draws once for a whole tensor, and n instances would pass for n draws. Call it on "
            "each (torchvision: torch.stack([t(x) for x in block]); kornia: same_on_batch=False), "
            "or leave batched out."
        )


def _of_one_shape(views: list[np.ndarray]) -> np.ndarray:
    if len({u.shape for u in views}) > 1:
        sizes = sorted({u.shape[-1] for u in views})
        raise ValueError(f"view must return arrays of one shape; got {sizes} values.")
    return np.array(views)


def _copy(x: Any) -> Any:
    return x.clone() if hasattr(x, "clone") else x.copy()


def _jax_views(view: Callable[..., Numbers], key: Key[Array, ""]) -> Calls:
    @jax.jit  # of this estimate alone: the view may hold something else in the next one
    def called(keys: Array, rows: Array, numbers: Array) -> Array:
        def one(instance: tuple[Array, Array]) -> Array:
            row, number = instance
            return jax.lax.map(
                lambda k: jnp.ravel(jnp.asarray(view(jax.random.fold_in(k, number), row))), keys
            )

        return jax.lax.map(one, (rows, numbers))

    def call(rows: np.ndarray, numbers: np.ndarray, V: int) -> np.ndarray:
        floats = jnp.asarray(rows if rows.dtype.kind == "f" else rows.astype(float))
        views = called(jax.random.split(key, V), floats, jnp.asarray(numbers))
        return _numbers(views)

    return call


def _numbers(value: object) -> np.ndarray:
    """Return what a view returned as real numbers in double precision, or raise."""
    host = detached(value)
    try:
        array = np.asarray(host)
    except (TypeError, ValueError) as error:  # ragged, or numbers that numpy doesn't have
        raise ValueError(
            f"view must return an array of real numbers; got {type(value).__name__}: {error}"
        ) from None
    if np.ma.is_masked(value) or array.dtype.kind not in "fiub" or array.size == 0:
        masked = " with masked entries" if np.ma.is_masked(value) else ""
        raise ValueError(
            f"view must return an array of real numbers; got {type(value).__name__} of "
            f"{array.dtype}{masked}."
        )
    return array.astype(float)


def _chunks(part: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(part), AT_ONCE):
        yield part[start : start + AT_ONCE]


def _sums_of(
    calls: Calls,
    rows: np.ndarray,
    part: np.ndarray,
    V: int,
    about: tuple[np.ndarray, np.ndarray],
    tell: Callable[[np.ndarray, np.ndarray], None] | None = None,
) -> _Sums:
    """Sum over a part; `tell` gets numbers of instances, and their mean views beside them."""
    sums: _Sums | None = None
    for chunk in _chunks(part):
        x = rows[chunk].reshape(len(chunk), -1).astype(float) - about[1][None, :]
        views = calls(rows[chunk], chunk, V)
        if not np.isfinite(views).all():
            bad = int(chunk[np.argwhere(~np.isfinite(views))[0][0]])
            raise ValueError(f"view must return finite numbers; got NaN or inf for instance {bad}.")
        if views.shape[-1] != about[0].size:
            sizes = sorted({views.shape[-1], about[0].size})
            raise ValueError(f"view must return arrays of one shape; got {sizes} values.")
        views = views - about[0][None, None, :]
        t, flat = views.sum(1), views.reshape(-1, views.shape[-1])
        more = _Sums(flat.T @ flat, t.T @ t, t.T @ x, x.T @ x, t.sum(0), x.sum(0), len(chunk))
        sums = more if sums is None else _combine(sums, more, 1)
        if tell is not None:
            tell(chunk, np.concatenate([t / V, x], 1))
    assert sums is not None
    return sums


def _pairs(sums: _Sums, V: int, about: tuple[np.ndarray, np.ndarray]) -> tuple[Views, PairMoments]:
    """Turn sums about fixed points into moments of two views, and of a view and its instance."""
    n = sums.count
    mean, row = sums.total / (n * V), sums.row / n
    spread = (sums.views - sums.totals / V) / (n * (V - 1))
    G = sums.totals / (n * V**2) - np.outer(mean, mean) - spread / V
    K = sums.clean / (n * V) - np.outer(mean, row)
    C = sums.data / n - np.outer(row, row)
    G, spread, C = ((M + M.T) / 2 for M in (G, spread, C))
    draws, means = n * (V - 1), (about[0] + mean, about[1] + row)
    views = Views(G, spread, means[0], n, draws, group_size=V)
    return views, PairMoments(G + spread, C, K, *means, n, draws)


def _jackknife(values: list[Array]) -> Array:
    stacked = jnp.stack(values)
    B = len(values)
    around = stacked - stacked.mean(0)[None]
    return jnp.sqrt((B - 1) / B * jnp.sum(jnp.square(around), 0))
