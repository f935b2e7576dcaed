"""Packages that only some of the library needs."""

import importlib
from typing import Any


def require(package: str, extra: str = "sweep") -> Any:
    """Import what an extra brings, or say that it is missing."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise ImportError(f"{package} is missing: pip install 'linssl[{extra}]'.") from error
