"""What fixes the numbers of a sweep, written down: provenance, and what guards a store."""

import functools
import platform
from importlib.metadata import version
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from linssl.sweep.fingerprint import named, read, written
from linssl.sweep.spec import Sweep

PACKAGES = ("linssl", "jax", "jaxlib", "numpy", "scipy")


def environment() -> dict[str, Any]:
    """Say what this process computes with."""
    return {
        "dtype": str(np.dtype(jnp.result_type(float))),
        "device": jax.local_devices()[0].device_kind,
        "python": platform.python_version(),
        "versions": dict(_versions()),
    }


@functools.cache
def _versions() -> dict[str, str]:
    return {package: version(package) for package in PACKAGES}  # 4 ms: too slow for every unit


def identity(sweep: Sweep, where: dict[str, Any]) -> dict[str, Any]:
    """Write down everything that a result depends on, to the last bit, as JSON has it.

    The code of cell and draw counts, the data that they hold, and all that they refer to in code
    that isn't installed, through helpers too; of libraries, the versions. `where` is the
    `environment` of the processes that solve it.
    """
    return {
        "cell": named(sweep.cell),
        "draw": None if sweep.draw is None else named(sweep.draw),
        "order": list(sweep.order),
        "axes": {name: np.asarray(values).tolist() for name, values in sweep.axes.items()},
        "seeds": list(sweep.seeds),  # pyright: ignore[reportArgumentType]
        "reads": read(sweep.cell, sweep.draw, sweep.constants),
        "constants": {name: written(value) for name, value in sweep.constants.items()},
        **where,
    }
