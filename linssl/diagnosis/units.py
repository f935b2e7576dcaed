"""Units: rows that aren't independent of one another, and are never parted."""

import heapq
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from linssl.diagnosis.inputs import FOLDS, LEAST
from linssl.diagnosis.rows import DataRows
from linssl.labels import as_classes

AT_ONCE = 4096  # rows
BY_CHANCE = 4.0  # as many pairs of equal rows as chance makes are by chance


class Units(NamedTuple):
    """Which rows stand or fall together.

    Args:
        of: (n,) the unit of each row, by number.
        groups: how many were given; None where none were.
        copies: rows that equal an earlier one.
        apart: those of them that are in a unit of their own, or in another group.
    """

    of: np.ndarray
    groups: int | None
    copies: int
    apart: int

    @property
    def count(self) -> int:
        """Number of units."""
        return int(self.of.max()) + 1

    @property
    def sizes(self) -> np.ndarray:
        """Rows of each."""
        return np.bincount(self.of)


def find_units(X: np.ndarray | DataRows, groups: object) -> Units:
    """Return the groups that are given; else rows that equal one another, if not by chance.

    Rows of few values equal one another by chance: where the columns, if they were independent,
    would give a quarter as many equal pairs as there are, each row is a unit of its own.

    Args:
        X: (n, ...), or rows that are made dense some at a time.
        groups: (n,) names; None is none.

    Raises:
        ValueError: groups that don't fit, miss one, or are fewer than folds; too few rows that
            differ.
    """
    n, data = len(X), X if isinstance(X, DataRows) else DataRows(X)
    first = _first_equal(data)
    copies = int(np.sum(first < np.arange(n)))
    if groups is not None:
        of, count = check_groups(groups, n)
        return Units(of, count, copies, int(np.sum(of != of[first])))
    if copies and _by_chance(data, first):
        return Units(np.arange(n), None, copies, copies)
    if n - copies < LEAST:
        raise ValueError(
            f"data must have at least {LEAST} samples that differ, for errors; got {n - copies} "
            f"among {n:,}. If equal rows are samples of their own, pass groups, one for each row."
        )
    return Units(np.unique(first, return_inverse=True)[1], None, copies, 0)


def check_groups(groups: object, samples: int) -> tuple[np.ndarray, int]:
    """Return the group of each row by number, (n,), and how many there are, or raise.

    Raises:
        ValueError: another length, masked or missing names, or fewer than folds.
    """
    names, of = as_classes("groups", groups, samples)
    if len(names) < FOLDS:
        raise ValueError(
            f"groups must be at least {FOLDS}, for errors over groups; got {len(names)}. Rows of "
            "one group count as one another's kin: is there a finer unit that was sampled?"
        )
    return of, len(names)


def deal(units: Units, seed: int) -> list[np.ndarray]:
    """Return the rows of each fold: no unit is split, and folds are about as large as each other.

    Units come in random order, the largest first, each to the fold that has the fewest rows.
    """
    sizes = units.sizes
    order = np.random.default_rng(seed).permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    fold, lightest = np.zeros(len(sizes), int), [(0, f) for f in range(FOLDS)]
    for unit in order.tolist():
        rows, f = lightest[0]
        fold[unit] = f
        heapq.heapreplace(lightest, (rows + int(sizes[unit]), f))
    return [np.flatnonzero(fold[units.of] == f) for f in range(FOLDS)]


def _first_equal(data: DataRows) -> np.ndarray:
    """Return the first row that equals each row, by number, (n,)."""
    seen: dict[bytes, int] = {}
    found = np.zeros(len(data), int)
    for start in range(0, len(data), AT_ONCE):
        rows = np.ascontiguousarray(data.stored(slice(start, start + AT_ONCE)) + 0)  # no -0
        for at, row in enumerate(rows, start):
            found[at] = seen.setdefault(blake2b(row.tobytes(), digest_size=16).digest(), at)
    return found


def _by_chance(data: DataRows, first: np.ndarray) -> bool:
    """Say whether rows would equal one another about as often if columns were independent."""
    n = len(data)
    equal, chance = _pairs(np.bincount(first)), n * (n - 1) / 2
    for column in data.columns():
        chance *= _pairs(np.unique(column, return_counts=True)[1]) / (n * (n - 1) / 2)
        if BY_CHANCE * chance < equal:
            return False
    return True


def _pairs(counts: np.ndarray) -> float:
    return float(np.sum(counts * (counts - 1.0)) / 2)
