"""Rows of a file, in memory and double, with what tells of them: for commands that solve once."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from linssl.cli.data_options import image_sides
from linssl.diagnosis.spec import Setting


class Rows(NamedTuple):
    """What a command reads.

    Args:
        X: (n, d), pixels in [0, 1], images with channels last.
        labels: of rows, or None.
        beside: what else was asked for, by its name.
        names: of features, or None.
        setting: what an augmentation is for.
    """

    X: np.ndarray
    labels: Any
    beside: dict[str, Any]
    names: tuple[str, ...] | None
    setting: Setting


def read_rows(
    data: str,
    labels: str | None = None,
    beside: Sequence[str] = (),
    layer: str | None = None,
    image: str | None = None,
) -> Rows:
    """Read DATA as `linssl diagnose` does.

    Args:
        data: name or path.
        labels: a column, a file, "none", or None for the usual columns.
        beside: columns or files that tell of rows, too.
        layer: which part of the data.
        image: sides of a row, such as 28x28.

    Raises:
        ValueError: what isn't there or doesn't fit.
    """
    from linssl.diagnosis.opened import instances_of, open_data
    from linssl.diagnosis.rows import DataRows

    opened = open_data(data, labels, batch=list(beside) or None, layer=layer, dense=True)
    shape = None if image is None else image_sides(image)
    instances = instances_of(opened, None, shape, None)
    rows = DataRows(instances.X)
    X = rows.doubles(np.arange(len(rows)))
    setting = Setting(rows.features, float(X.var(0).mean()), instances.image, instances.unordered)
    return Rows(X, opened.labels, opened.batches, opened.names, setting)
