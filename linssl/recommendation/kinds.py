"""Which kind of data rows are: a table, embeddings, or images."""

from typing import NamedTuple

import numpy as np

from linssl.diagnosis.inputs import Instances
from linssl.diagnosis.opened import Opened
from linssl.recommendation.families import KINDS, WIDE, Kind

NEAR = 0.3  # mean correlation of neighbours, from which a square of numbers is taken for pixels
ROWS = 2000  # that are looked at


class Found(NamedTuple):
    """A kind, and a note that says what was assumed; "" where nothing was."""

    kind: Kind
    note: str


def find_kind(asked: object, opened: Opened, instances: Instances) -> Found:
    """Return the kind of data, as it is stated or by evidence.

    Raises:
        ValueError: a kind that isn't one, or images whose shape isn't known.
    """
    if asked is not None and asked not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {asked!r}.")
    if asked == "images" and instances.image is None:
        raise ValueError(
            "kind is images, and nothing tells their shape: give image_shape=(height, width, "
            "channels), or --image 28x28x1."
        )
    if asked is not None:
        return Found(asked, "")
    if instances.image is not None:
        h, w, _ = instances.image
        if not instances.guessed:
            return Found("images", "")
        if _like_pixels(instances, h, w):
            return Found(
                "images",
                f"rows were taken for images of {h} x {w}, as neighbours are alike; if they are "
                "none, pass kind='embeddings', or --kind.",
            )
    if opened.names is None and opened.rows.features >= WIDE and opened.rows.dtype.kind == "f":
        return Found(
            "embeddings", "rows were taken for embeddings: many numbers that have no names."
        )
    return Found("table", "" if opened.names else "rows were taken for a table.")


def _like_pixels(instances: Instances, h: int, w: int) -> bool:
    """Say whether values beside each other in the square are alike, and others less so."""
    X = np.asarray(instances.X[:ROWS], float).reshape(-1, h, w)
    X = X - X.mean(0)
    size = np.sqrt(np.sum(X**2, 0))
    beside = _mean_correlation(X[:, :, 1:], X[:, :, :-1], size[:, 1:] * size[:, :-1])
    half = h // 2
    far = _mean_correlation(X[:, half:], X[:, : h - half], size[half:] * size[: h - half])
    return beside > max(NEAR, 2 * far)


def _mean_correlation(a: np.ndarray, b: np.ndarray, size: np.ndarray) -> float:
    there = size > 0
    return float(np.mean(np.sum(a * b, 0)[there] / size[there])) if there.any() else 0.0
