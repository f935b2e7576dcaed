"""A view of the user's own, called on the data as they came: its moments, and what it did."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from linssl.arguments import describe
from linssl.data.images import WHITE
from linssl.diagnosis.inputs import FOLDS, Instances
from linssl.diagnosis.reduced import Reduced, projected
from linssl.diagnosis.samples import Estimates, Samples
from linssl.diagnosis.worker import as_view
from linssl.linalg.structure import diagonal
from linssl.pairs.black_box import PartEstimates, estimate_parts, is_unchanged

VIEWS = 100_000  # in all, where their number isn't asked for: 2 to 8 of each instance
LEAST_FOR_VIEWS = 20 * FOLDS


class CalledView(NamedTuple):
    """What a view that was called did to the data.

    Args:
        unchanged: whether every view is its instance.
        scale: mean variance of a feature of views, over that of the data.
    """

    unchanged: bool = False
    scale: float = 1.0


def views_of_each(n: int, asked: int | None) -> int:
    """Return V: as asked for, or as many as make 100 000 views."""
    return int(np.clip(VIEWS // n, 2, 8)) if asked is None else asked


def called_view(source: Estimates, samples: Samples) -> CalledView:
    """Say what a view did to the data."""
    variances = [float(np.mean(diagonal(views.covariance))) for views, _ in source]
    unchanged = all(is_unchanged(*fold) for fold in source)
    return CalledView(unchanged, float(np.mean(variances) / samples.variances.mean()))


def estimate_folds(
    samples: Samples,
    instances: Instances,
    view: Any,
    views: int,
    batched: bool,
    reduced: Reduced | None = None,
    by: Sequence[np.ndarray] = (),
) -> PartEstimates:
    """Call a view on every instance, and return the moments of each fold.

    Args:
        samples: in folds.
        instances: the same, as a view gets them.
        view: a function of one instance, or where batched of a block.
        views: V.
        batched: as for `diagnose`.
        reduced: the directions that views are projected on, as the samples are; None is none.
        by: batches to centre by, each (n,).

    Raises:
        ValueError: too few samples, or a view that isn't one, returns other than as many finite
            numbers in their order, or draws once for a block.
    """
    n = len(samples.X)
    if not callable(view):
        raise ValueError(f"view must be a function or module:function; got {describe(view)}.")
    if n < LEAST_FOR_VIEWS:
        raise ValueError(
            f"data must have at least {LEAST_FOR_VIEWS} samples for a view that is called; got "
            f"{n}. An augmentation in words has exact moments, and does with {2 * FOLDS}."
        )
    _try(view, instances.given, batched)
    called: Callable[..., Any] = view
    clean = None
    if instances.moved or instances.X.dtype == np.uint8 or reduced is not None:
        called, clean = _as_in_samples(view, instances), samples.doubles(np.arange(n))
    if reduced is not None:
        called = projected(called, reduced)
    return estimate_parts(
        called, instances.given, samples.rows, views, batched=batched, clean=clean, by=by
    )


def _try(view: Callable[..., Any], given: Any, batched: bool) -> None:
    """Call a view once, or raise where it returns other than the features that it gets."""
    block = given[np.arange(1)]  # copies, whatever the library
    first, sides = as_view(view(block if batched else block[0])), tuple(given.shape[1:])
    if batched:
        if len(np.atleast_1d(first)) != 1:
            raise ValueError(
                "view must return as many views as it gets instances, with batched=True "
                f"(--batched); got shape {first.shape} of 1 instance."
            )
        first = first[0] if first.ndim else first
    if first.size != np.prod(sides):
        raise ValueError(
            f"view must return as many values as it gets, {np.prod(sides)}, shape {sides}; got "
            f"shape {first.shape}."
        )
    if first.ndim > 1 and [s for s in first.shape if s > 1] != [s for s in sides if s > 1]:
        raise ValueError(
            f"view must return values in the order that it gets them, shape {sides}; got shape "
            f"{first.shape}. Put its axes back, as after ToTensor of torchvision, which puts "
            "channels first: np.moveaxis(view, 0, -1); or pass data that have them first."
        )


def _as_in_samples(view: Callable[..., Any], instances: Instances) -> Callable[..., np.ndarray]:
    """Return a view of data as they came, with channels last and 8-bit pixels in [0, 1]."""
    sides = tuple(instances.given.shape[1:])

    def called(x: Any) -> np.ndarray:
        found = as_view(view(x))
        found = found / WHITE if instances.X.dtype == np.uint8 else found
        if not instances.moved or found.size % np.prod(sides):  # which the estimate will refuse
            return found
        return np.moveaxis(found.reshape(-1, *sides), 1, -1)

    return called
