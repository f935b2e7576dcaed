"""Columns of a table: the cells of a grid, means over seeds and their errors."""

from collections.abc import Iterable, Mapping

import numpy as np


def tidy(axes: Mapping[str, Iterable], **values: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns of a table with one row for each cell of a grid with these axes."""
    labels = np.meshgrid(*(np.asarray(list(a), object) for a in axes.values()), indexing="ij")
    columns = dict(zip(axes, labels, strict=True)) | values
    return {name: column.ravel() for name, column in columns.items()}


def with_errors(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard error over the last axis, the seeds; one alone has no error."""
    mean, seeds = values.mean(-1), values.shape[-1]
    if seeds == 1:
        return mean, np.full_like(mean, np.nan)
    return mean, values.std(-1, ddof=1) / np.sqrt(seeds)
