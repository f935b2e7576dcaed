"""Strict process for tests: promotions raise, warnings are errors, precision by environment."""

import gc
import os
from pathlib import Path

import hypothesis
import jax
import pytest

X64 = os.environ.get("JAX_ENABLE_X64", "1") == "1"
jax.config.update("jax_enable_x64", X64)
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.devices()  # started, so that no test of the command line makes more of them

# Programs are many small objects that stay: looking through all of them for cycles after every
# 700 more takes a twelfth of the time.
gc.set_threshold(100_000, 50, 50)

common = {
    "deadline": None,  # a first call compiles
    "print_blob": True,
    "suppress_health_check": [hypothesis.HealthCheck.too_slow],
}
hypothesis.settings.register_profile("fast", max_examples=15, derandomize=True, **common)
hypothesis.settings.register_profile("deep", max_examples=300, derandomize=False, **common)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


def pytest_collection_modifyitems(items):
    """Skip what needs double precision where the process runs in single."""
    if not X64:
        for item in items:
            if item.get_closest_marker("x64"):
                item.add_marker(pytest.mark.skip(reason="needs double precision"))


MAPS = Path("/proc/self/maps")  # on Linux


@pytest.fixture(scope="module", autouse=True)
def room_for_programs():
    """Forget compiled programs before a process has as many maps of memory as Linux allows.

    A program takes about 14 of 65 530; without one, writing to the compile cache is a segfault.
    """
    yield
    if MAPS.exists() and MAPS.read_bytes().count(b"\n") > 30_000:
        jax.clear_caches()


@pytest.fixture
def key():
    return jax.random.key(0)
