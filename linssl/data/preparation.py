r"""Tables as people have them: what is left out, what is missing, text, and scales."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from linssl.arguments import listed
from linssl.data.tables import FileError, as_numbers
from linssl.labels import SPELT, WORDS, missing
from linssl.linalg.averages import as_dense

MOST_LEVELS = 50  # of a column of text
UNEVEN = 100.0  # times the least variance of a feature, above which scales are noted
DATE = re.compile(r"\d{4}[-/]\d\d?[-/]\d\d?([T ].*)?|\d\d?[./-]\d\d?[./-]\d{4}( .*)?")
COMMA = re.compile(r"[+-]?\d+,\d+")
FILLS = {"mean": np.nanmean, "median": np.nanmedian}


@dataclass(frozen=True)
class Preparation:
    r"""What is done to data before anything is learnt, in this order.

    | | |
    |---|---|
    | `drop` | columns that are left out |
    | text | one feature for each level, $1[x = \text{level}]$, called `column=level` |
    | `impute` | a missing value becomes the mean, or the median, of its feature |
    | `standardise` | $(x - \mu) / \sigma$ of each feature, with divisor n |

    Levels, means, medians and deviations are those of all rows. No label is looked at, so
    accuracies on rows that nothing was learnt from stay honest up to what n rows say of a mean.

    Args:
        drop: names of columns.
        impute: "mean" or "median"; None refuses missing values.
        standardise: whether each feature gets mean 0 and variance 1; one that never varies is 0.

    Raises:
        ValueError: names that aren't texts or come twice, another way to impute, or a standardise
            that is neither True nor False.

    Source: derived (input).
    """

    drop: tuple[str, ...] = ()
    impute: str | None = None
    standardise: bool = False

    def __post_init__(self):
        if not all(isinstance(name, str) for name in self.drop):
            raise ValueError(f"drop must be names of columns; got {self.drop!r}.")
        if len(set(self.drop)) < len(self.drop):
            raise ValueError(f"drop must name each column once; got {list(self.drop)}.")
        if self.impute not in (None, *FILLS):
            raise ValueError(f"impute must be {' or '.join(FILLS)}, or None; got {self.impute!r}.")
        if not isinstance(self.standardise, bool | np.bool_):
            raise ValueError(f"standardise must be True or False; got {self.standardise!r}.")


def as_preparation(drop: str | Sequence[str], impute: str | None, standardise: bool) -> Preparation:
    """Return what keywords of a function ask for; one name may come by itself."""
    if not hasattr(drop, "__iter__"):
        raise ValueError(f"drop must be names of columns; got {drop!r}.")
    return Preparation((drop,) if isinstance(drop, str) else tuple(drop), impute, standardise)


AS_THEY_ARE = Preparation()


class Prepared(NamedTuple):
    """Rows that are ready: (n, ...), or csr; names of their features, or None; what was done."""

    rows: Any
    names: tuple[str, ...] | None
    notes: tuple[str, ...]


def prepare(
    where: str,
    rows: Any,
    names: Sequence[str] | None,
    texts: Mapping[str, np.ndarray],
    wanted: Preparation,
) -> Prepared:
    """Prepare rows of numbers, and columns of text beside them.

    Args:
        where: what errors call the data.
        rows: (n, ...), NaN where a value is missing; or csr (n, d).
        names: of the features, (d,), or None.
        texts: columns of text, (n,) each, by name.
        wanted: what is to be done.

    Raises:
        ValueError: names to drop that aren't there, values that are missing and aren't to be
            imputed, inf, or columns of text that are no classes: dates, identifiers, and numbers
            written otherwise.
    """
    rows, names = _without(where, rows, names, wanted.drop)
    notes = []
    if texts:
        assert names is not None  # of a table
        levels, columns = _encoded(where, texts)
        rows = np.concatenate([rows, columns.astype(_float(rows))], axis=1)
        encoded = (f"{name}={level}" for name, known in levels.items() for level in known)
        names = distinct((*names, *encoded))
        notes.append(_told_of(levels))
    rows, told = _imputed(where, rows, names, wanted.impute)
    notes += told
    if wanted.standardise:
        rows = _standardised(rows)
        notes.append("Each feature was standardised to mean 0 and variance 1, over all rows.")
    return Prepared(rows, names, tuple(notes))


def _float(rows: Any) -> np.dtype:
    """Return the type of numbers that are no longer whole: as the data, where they are floats."""
    return rows.dtype if rows.dtype.kind == "f" else np.dtype(float)


def _without(
    where: str, rows: Any, names: Sequence[str] | None, drop: Sequence[str]
) -> tuple[Any, tuple[str, ...] | None]:
    """Leave out features by name."""
    if names is None:
        if drop:
            raise FileError(
                f"{where} has no names of columns, and drop names {drop[0]!r}: leave it out of the "
                "array."
            )
        return rows, None
    lost = [name for name in drop if name not in names]
    if lost:
        raise FileError(
            f"{where} has no column {lost[0]!r} to drop; it has {listed(np.array(names))}."
        )
    kept = [at for at, name in enumerate(names) if name not in drop]
    if len(kept) == len(names):
        return rows, tuple(names)
    if not kept:
        raise FileError(f"{where}: drop must leave a feature; it names all {len(names)}.")
    return rows[:, kept], tuple(names[at] for at in kept)


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Return names each of which says which column it is: some genes come twice."""
    counts = Counter(names)
    return tuple(f"{n} (column {i})" if counts[n] > 1 else n for i, n in enumerate(names))


def _encoded(
    where: str, texts: Mapping[str, np.ndarray]
) -> tuple[dict[str, list[str]], np.ndarray]:
    """Return levels of each column, and a feature for each, (n, ·); NaN where a text is missing."""
    levels, columns = {}, []
    for name, values in texts.items():
        gaps = _missing(values)
        _require_classes(f"{where}: column {name!r}", name, values, gaps)
        known = np.array([str(value).strip() for value in values.tolist()])
        levels[name] = np.unique(known[~gaps]).tolist()
        columns += [np.where(gaps, np.nan, known == level) for level in levels[name]]
    return levels, np.stack(columns, axis=1)


def _missing(values: np.ndarray) -> np.ndarray:
    """Say where a text is missing: a .csv alone, which is text as a whole, has words for it."""
    return missing(values, WORDS if values.dtype.kind == "U" else SPELT)


def _require_classes(what: str, name: str, values: np.ndarray, gaps: np.ndarray) -> None:
    """Raise where text isn't that of a few classes, and say what to type."""
    drop = f"drop it with --drop {name} (drop=[{name!r}])"
    known = [value for value, gap in zip(values.tolist(), gaps, strict=True) if not gap]
    if not known:
        raise FileError(f"{what} holds nothing: {drop}.")
    texts = list(map(str, known))
    dates = values.dtype.kind in "Mm" or any(hasattr(value, "isoformat") for value in known)
    if dates or all(map(DATE.fullmatch, texts)):
        raise FileError(
            f"{what} holds dates, such as {texts[0]!r}, which are no classes: {drop}, or put a "
            "number in its place, such as days since the first."
        )
    if all(COMMA.fullmatch(text) or as_numbers(np.array([text])) is not None for text in texts):
        raise FileError(
            f"{what} holds numbers with decimal commas, such as {texts[0]!r}. pandas.read_csv(..., "
            f"decimal=',').to_csv(..., index=False) writes points; or {drop}."
        )
    other = [text for text in texts if as_numbers(np.array([text])) is None]
    if 2 * len(other) < len(texts):
        raise FileError(
            f"{what} must hold numbers; got {other[0]!r} among them, {len(other):,} of "
            f"{len(texts):,}. If it means missing, leave its cells empty, and type --impute "
            f"median; or {drop}."
        )
    levels = len(set(texts))
    if levels == len(texts) or levels > min(MOST_LEVELS, max(len(texts) // 4, 2)):
        kind = "a name for each row" if levels == len(texts) else "too many to be classes"
        raise FileError(
            f"{what} has {levels:,} levels in {len(texts):,} rows, such as {texts[0]!r}, {kind}: "
            f"{drop}."
        )


def _told_of(levels: Mapping[str, Sequence[str]]) -> str:
    each = ", ".join(f"{name} ({len(known)})" for name, known in levels.items())
    first = next(iter(levels))
    return (
        f"Text became one feature for each level: {each}. If it tells what matters, type --labels "
        f"{first}; --drop {first} leaves it out."
    )


def _imputed(
    where: str, rows: Any, names: Sequence[str] | None, impute: str | None
) -> tuple[Any, list[str]]:
    """Put a number in the place of each missing one, or raise."""
    if rows.dtype.kind != "f":
        return rows, []
    values = rows.data if sparse.issparse(rows) else rows
    if np.isfinite(values).all():
        return rows, []
    shape = rows.shape
    flat = np.array(as_dense(rows)).reshape(shape[0], -1)
    called = np.arange(flat.shape[1]) if names is None else np.array(names)
    infinite = np.isinf(flat).any(0)
    if infinite.any():
        raise FileError(
            f"{where} must be finite; got inf in {infinite.sum()} of {len(called)} columns: "
            f"{listed(called[infinite])}. Leave such rows or columns out{_by_name(names)}."
        )
    gaps = np.isnan(flat)
    bad = gaps.any(0)
    if impute is None:
        raise FileError(
            f"{where} must be finite; got NaN (missing values) in {bad.sum()} of {len(called)} "
            f"columns, {gaps.any(1).sum():,} of {len(flat):,} rows: {listed(called[bad])}. Type "
            "--impute median or --impute mean (impute='median')"
            + _by_name(names, ", or leave columns out")
            + "."
        )
    empty = gaps.all(0)
    if empty.any():
        raise FileError(
            f"{where} must have a value in every column; all are missing in "
            f"{listed(called[empty])}. Leave it out{_by_name(names)}."
        )
    fill = FILLS[impute](flat[:, bad].astype(float), axis=0)
    flat[:, bad] = np.where(gaps[:, bad], fill, flat[:, bad])
    note = (
        f"{gaps.sum():,} missing values, in {bad.sum()} of {len(called)} columns, became the "
        f"{impute} of their column over all rows: {listed(called[bad])}."
    )
    return flat.reshape(shape), [note]


def _by_name(names: Sequence[str] | None, words: str = "") -> str:
    return "" if names is None else f"{words} with --drop COLUMN"


def _standardised(rows: Any) -> np.ndarray:
    dense = as_dense(rows)
    x = dense.astype(float)
    x -= x.mean(0)
    deviation = x.std(0)
    still = deviation <= 1e-12 * np.abs(dense).max(
        0
    )  # what rounding leaves of one that never varies
    x /= np.where(still, 1, deviation)
    x[:, still] = 0
    return x.astype(_float(rows), copy=False)


def uneven(variances: np.ndarray, names: Sequence[str] | None) -> tuple[str, ...]:
    """Return a note where the variances of features, (d,), differ by more than 100, else nothing.

    Those of features that never vary, 0, don't count.
    """
    varies = np.flatnonzero(variances > 0)
    order = varies[np.argsort(variances[varies], kind="stable")]
    if not order.size or variances[order[-1]] <= UNEVEN * variances[order[0]]:
        return ()
    ratio = variances[order[-1]] / variances[order[0]]
    low, high = (f"column {at}" if names is None else names[at] for at in order[[0, -1]])
    return (
        f"Variances of features differ by a factor of {ratio:.2g}, from {low} to {high}, and the "
        "largest decide what is kept: --standardise gives each the variance 1.",
    )
