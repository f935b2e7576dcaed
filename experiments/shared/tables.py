"""Columns of a table: the cells of a grid, means over seeds and their errors."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd


def tidy(axes: Mapping[str, Iterable], **values: Any) -> pd.DataFrame:
    """Return a table with one row for each cell of a grid with these axes.

    Args:
        axes: the labels along each axis of the grid, by the name of their column.
        values: arrays over the grid, by the name of their column.
    """
    cells = pd.MultiIndex.from_product([list(a) for a in axes.values()], names=list(axes))
    columns = {name: np.asarray(array).ravel() for name, array in values.items()}
    return pd.DataFrame(columns, index=cells).reset_index()


def with_errors(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard error over the last axis, the seeds; one alone has no error."""
    mean, seeds = values.mean(-1), values.shape[-1]
    if seeds == 1:
        return mean, np.full_like(mean, np.nan)
    return mean, values.std(-1, ddof=1) / np.sqrt(seeds)


def rows(table: pd.DataFrame, **values: Any) -> pd.DataFrame:
    """Return the rows of a table in which these columns have these values."""
    for column, value in values.items():
        table = table.loc[table[column] == value, :]
    return table


def parts(table: pd.DataFrame, *columns: str) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Yield the parts of a table by what is in some columns, in the order in which they come."""
    by: Any = list(columns)
    yield from table.groupby(by if len(by) > 1 else by[0], sort=False)
