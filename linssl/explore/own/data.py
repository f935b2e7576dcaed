"""Data made ready to be explored: rows in folds, and moments of as many rows as a slider asks for.

All that takes long is done once, before a slider moves.
"""

import copy
from itertools import pairwise
from typing import NamedTuple

import jax
import numpy as np

from linssl.augmentations import Image
from linssl.data.preparation import as_preparation
from linssl.data.targets import Targets
from linssl.diagnosis.opened import Opened, instances_of, open_data
from linssl.diagnosis.phrases import capital
from linssl.diagnosis.rows import DataRows
from linssl.diagnosis.spec import Setting
from linssl.explore.own.asked import Asked
from linssl.recommendation.coordinates import find_coordinates
from linssl.recommendation.families import Family, families_for
from linssl.recommendation.laws import Law
from linssl.recommendation.parts import ALL, BLOCKS, Folds, Part, Told
from linssl.recommendation.task import Task, task_of

MOST_ROWS = 20_000
MOST_COORDINATES = 256
SCORED = 4000  # rows that are scored at each step
CODES = 32
DIMS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32)
LEAST_ROWS = 20
UNSPOKEN = "scaled-noise"  # no word of `diagnose`, which the copied Python calls


class Ready(NamedTuple):
    """What a step of a slider needs.

    Args:
        asked: where the data came from.
        folds: of the rows.
        scored: the same, with as many rows in each fold as are scored.
        families: by name.
        laws: of each family and strength.
        dims: numbers of codes.
        parts: moments by number of rows that are learnt from, one for each block of folds.
        names: of the features, or None.
        covariance: of coordinates, over all rows, (r, r).
        variance: of each feature, over all rows, (d,).
        image: shape, where rows are images.
        notes: on what was left out.
    """

    asked: Asked
    folds: Folds
    scored: Folds
    families: dict[str, Family]
    laws: dict[tuple[str, float], Law]
    dims: tuple[int, ...]
    parts: dict[int, list[Part]]
    names: tuple[str, ...] | None
    covariance: np.ndarray
    variance: np.ndarray
    image: Image | None
    notes: tuple[str, ...]

    @property
    def targets(self) -> Targets | None:
        """The labels."""
        return self.folds.labels

    def steps(self, family: str) -> tuple[float, ...]:
        """Return the strengths of a family that a slider can take."""
        return tuple(strength for name, strength in self.laws if name == family)


def prepare(asked: Asked) -> Ready:
    """Open data, and take their moments in folds.

    Raises:
        ValueError: as `recommend`.
    """
    task = _task(asked)
    rows, notes = task.rows, tuple(map(capital, task.notes))
    with jax.enable_x64(True):
        at = find_coordinates(rows, MOST_COORDINATES)
        folds = Folds(rows, at, task.labels, task.nuisance, task.units, asked.seed)
        scored = copy.copy(folds)
        each = -(-SCORED // len(folds.rows))
        scored.rows = [chosen[:each] for chosen in folds.rows]
        if at.basis is not None:
            notes += (
                f"Of {rows.features:,} features the {at.size} leading directions are used; they "
                f"hold all but {100 * at.left_out:.2g} % of the variance.",
            )
        if len(rows) > SCORED:
            notes += (f"Scores are of {SCORED:,} rows.",)
        to = Setting(rows.features, folds.variance, task.image)
        fit = families_for(task.kind, task.image, task.nuisance is not None)
        families = {f.name: f for f in fit if f.name != UNSPOKEN}
        laws = {
            (f.name, strength): f.law(strength, to, at)
            for f in families.values()
            for strength in finer(f.strengths)
        }
        dims = tuple(k for k in DIMS if k < at.size) or (1,)
        parts = _parts(folds, asked.seed)
    variance = _variance(rows, folds.rows)
    covariance = folds.part(ALL).covariance
    return Ready(
        asked,
        folds,
        scored,
        families,
        laws,
        dims,
        parts,
        None if task.image is not None else task.names,
        covariance,
        variance,
        task.image,
        notes,
    )


def _variance(rows: DataRows, blocks: list[np.ndarray]) -> np.ndarray:
    """Return the variance of each feature, (d,), a block at a time."""
    mean = sum((rows.doubles(at).sum(0) for at in blocks), np.zeros(rows.features)) / len(rows)
    squares = (np.square(rows.doubles(at) - mean).sum(0) for at in blocks)
    return sum(squares, np.zeros(rows.features)) / len(rows)


def _task(asked: Asked) -> Task:
    """Open data, and check what tells of them."""
    opened = open_data(
        asked.data,
        asked.labels,
        asked.groups,
        layer=asked.layer,
        seed=asked.seed,
        nuisance=asked.nuisance,
        preparation=as_preparation(asked.drop, asked.impute, asked.standardise),
    )
    opened = _some(opened, asked.seed)
    instances = instances_of(opened, None, asked.image_shape, asked.channels)
    return task_of(opened, instances, asked.kind, asked.numeric)


def finer(strengths: tuple[float, ...]) -> tuple[float, ...]:
    """Put one more between each two strengths, unless they are whole numbers.

    All have two digits, and two are a hundredth apart: so a number field can show each of them.
    """
    if all(s == round(s) for s in strengths) or len(strengths) == 1:
        return strengths
    between = [round((a * b) ** 0.5, 2) for a, b in pairwise(strengths)]
    return tuple(sorted({*strengths, *between, round(strengths[0] + 0.01, 2)}))


def _some(opened: Opened, seed: int) -> Opened:
    """Draw rows, where there are more than are needed to see anything."""
    n = len(opened.rows)
    if n <= MOST_ROWS:
        return opened
    at = np.sort(np.random.default_rng(seed).choice(n, MOST_ROWS, replace=False))
    told = {
        name: None if (of := getattr(opened, name)) is None else np.asarray(of)[at]
        for name in ("labels", "groups", "nuisance")
    }
    notes = (*opened.notes, f"{MOST_ROWS:,} of {n:,} rows are used, drawn at random.")
    return opened._replace(rows=DataRows(opened.rows.values[at]), notes=notes, **told)


def _parts(folds: Folds, seed: int) -> dict[int, list[Part]]:
    """Return moments of nested random rows of those beside each block, up to all of these."""
    rng = np.random.default_rng(seed)
    by_unit = rng.permutation(folds.units.count)[folds.units.of]
    order = np.lexsort((rng.random(len(by_unit)), by_unit))  # units stay together
    rank = np.argsort(order)
    beside = [
        (rows := np.concatenate([folds.rows[f] for f in folds.beside(b)]))[np.argsort(rank[rows])]
        for b in range(BLOCKS)
    ]
    # Tens, as a number field has steps of the least difference.
    most = min(len(rows) for rows in beside) // 10 * 10
    round_ones = (m * 10**e for e in range(1, 6) for m in (1, 2, 3, 5))
    sizes = [*(s for s in round_ones if LEAST_ROWS <= s < most), most]
    return {size: [part_of(folds, rows[:size]) for rows in beside] for size in sizes}


def part_of(folds: Folds, at: np.ndarray) -> Part:
    """Return the moments of some rows."""
    Z = folds.Z[at]
    mean = Z.mean(0)
    Z = Z - mean
    label, nuisance = (None if t is None else _told(Z, t.rows(at)) for t in folds.targets())
    covariance, none = Z.T @ Z / len(at), np.zeros(0, int)
    return Part(none, len(at), mean + folds.mean, covariance, label, nuisance, folds.coordinates)


def _told(Z: np.ndarray, T: np.ndarray) -> Told:
    """Return the moments of what rows have beside centred coordinates."""
    mean = T.mean(0)
    T = T - mean
    return Told(Z.T @ T / len(T), T.T @ T / len(T), mean)
