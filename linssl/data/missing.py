"""Labels that are missing: as None, NaN, NaT or NA, or as the words for those in a table."""

import numpy as np

# Of the words that pandas.read_csv takes for missing.
WORDS = (
    *("", "nan", "NaN", "-nan", "-NaN", "NA", "<NA>", "N/A", "n/a", "#N/A", "#NA", "null", "NULL"),
    *("None", "NaT"),
)


def missing(labels: np.ndarray) -> np.ndarray:
    """Say which rows of labels, (n,) or (n, e), miss one: (n,) booleans."""
    if labels.dtype.kind in "OV":
        flat = [_is_missing(label) for label in labels.ravel().tolist()]
        found = np.array(flat, bool).reshape(labels.shape)
    elif labels.dtype.kind in "US":
        found = np.isin(np.strings.strip(labels), np.array(WORDS, labels.dtype.kind))
    else:
        found = labels != labels  # NaN and NaT
    return np.any(found, axis=tuple(range(1, labels.ndim)))


def _is_missing(label: object) -> bool:
    if isinstance(label, str | None):
        return label is None or label.strip() in WORDS
    try:
        return bool(label != label)
    except (TypeError, ValueError):  # pandas.NA is neither equal to itself nor not
        return True
