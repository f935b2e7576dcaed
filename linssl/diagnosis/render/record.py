"""A report as JSON."""

import json
import math
from typing import Any

import numpy as np


def as_json(record: dict[str, Any]) -> str:
    """Return a record as JSON: numbers with 6 digits, and null for what isn't finite."""
    return json.dumps(_plain(record), indent=2, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float | np.floating):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    return value
