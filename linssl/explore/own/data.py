"""Data made ready to be explored: rows in folds, and moments of as many rows as a slider asks for.

All that takes long is done once, before a slider moves.
"""

import copy
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import numpy as np

from linssl.augmentations import Image
from linssl.data.targets import Targets, check_targets
from linssl.diagnosis.inputs import find_images
from linssl.diagnosis.opened import Opened, open_data
from linssl.diagnosis.rows import DataRows
from linssl.diagnosis.spec import Setting
from linssl.diagnosis.units import find_units
from linssl.explore.own.asked import Asked
from linssl.recommendation.coordinates import find_coordinates
from linssl.recommendation.families import Family, families_for
from linssl.recommendation.laws import Law
from linssl.recommendation.parts import BLOCKS, Folds, Part, Told

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
        variance: of each feature, (d,).
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
        ValueError: as `diagnose`.
    """
    opened = open_data(asked.data, asked.labels, asked.groups, None, asked.layer, asked.seed)
    opened, notes = _some(opened, asked.seed)
    values, image, guessed = _as_images(opened)
    rows, notes = DataRows(values), (*notes, *guessed)
    targets = None
    if opened.labels is not None:
        targets = check_targets(opened.labels, len(rows), asked.numeric)
    with jax.enable_x64(True):
        at = find_coordinates(rows, MOST_COORDINATES)
        folds = Folds(rows, at, targets, None, find_units(rows, opened.groups), asked.seed)
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
        to = Setting(rows.features, folds.variance, image)
        kind = "table" if image is None else "images"
        families = {f.name: f for f in families_for(kind, image, False) if f.name != UNSPOKEN}
        laws = {
            (f.name, strength): f.law(strength, to, at)
            for f in families.values()
            for strength in finer(f.strengths)
        }
        dims = tuple(k for k in DIMS if k < at.size) or (1,)
        variance = np.zeros(rows.features) + sum(np.var(rows.doubles(c), 0) for c in folds.rows)
        parts = _parts(folds, asked.seed)
    names = None if image is not None else opened.names
    variance = variance / len(folds.rows)
    return Ready(asked, folds, scored, families, laws, dims, parts, names, variance, image, notes)


def finer(strengths: tuple[float, ...]) -> tuple[float, ...]:
    """Put one more between each two strengths, unless they are whole numbers.

    All have two digits, and two are a hundredth apart: so a number field can show each of them.
    """
    if all(s == round(s) for s in strengths) or len(strengths) == 1:
        return strengths
    between = [round((a * b) ** 0.5, 2) for a, b in pairwise(strengths)]
    return tuple(sorted({*strengths, *between, round(strengths[0] + 0.01, 2)}))


def _some(opened: Opened, seed: int) -> tuple[Opened, tuple[str, ...]]:
    """Draw rows, where there are more than are needed to see anything."""
    n = len(opened.rows)
    if n <= MOST_ROWS:
        return opened, opened.notes
    at = np.sort(np.random.default_rng(seed).choice(n, MOST_ROWS, replace=False))
    labels, groups = (
        None if told is None else np.asarray(told)[at] for told in (opened.labels, opened.groups)
    )
    some = opened._replace(rows=DataRows(opened.rows.values[at]), labels=labels, groups=groups)
    return some, (*opened.notes, f"{MOST_ROWS:,} of {n:,} rows are used, drawn at random.")


def _as_images(opened: Opened) -> tuple[Any, Image | None, tuple[str, ...]]:
    """Return rows as images with channels last, if they are, and what was guessed."""
    X = opened.rows.values
    if not isinstance(X, np.ndarray) or opened.names is not None:
        return X, None, ()
    found = find_images(X, X)
    if found.image is None or not found.guessed:
        return found.X, found.image, ()
    sides = f"{found.image.height} x {found.image.width}"
    return found.X, found.image, (f"Rows are taken for images of {sides}, as they fit.",)


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
    Z, label = folds.Z[at], None
    mean = Z.mean(0)
    Z = Z - mean
    if folds.labels is not None:
        T = folds.labels.rows(at)
        centred = T - T.mean(0)
        label = Told(Z.T @ centred / len(at), centred.T @ centred / len(at), T.mean(0))
    covariance = Z.T @ Z / len(at)
    none = np.zeros(0, int)
    return Part(none, len(at), mean + folds.mean, covariance, label, None, folds.coordinates)
