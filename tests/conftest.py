"""Set-up shared by all tests: one BLAS thread, Hypothesis profiles, the reason why tests for a GPU skip."""

from __future__ import annotations

import gc
import os

# Before NumPy is imported: with two threads beside another busy process, a product can take seventy times as long.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ["LANGUAGE"] = "en"  # derivations speak the locale's language

import importlib.util  # noqa: E402
from functools import cache  # noqa: E402
from pathlib import Path  # noqa: E402

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

# The same examples in every run, so that what passed once passes again; `--hypothesis-profile=thorough` looks further.
settings.register_profile(
    "quick", max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", parent=settings.get_profile("quick"), max_examples=2000, derandomize=False)
settings.load_profile("quick")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that holds pyproject.toml."""
    return Path(__file__).resolve().parent.parent


@cache
def missing_for_gpu() -> str:
    """What keeps tests on a GPU from running here, or an empty string."""
    if importlib.util.find_spec("cupy") is None:
        return "CuPy is not installed (pip install -e '.[cuda12]')"
    import cupy

    return "" if cupy.is_available() else "CuPy found no GPU"


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu") is not None and missing_for_gpu():
        pytest.skip(missing_for_gpu())


def pytest_collection_finish() -> None:
    """Hide the thousands of collected tests from the garbage collector, which would look at them time and again."""
    gc.collect()
    gc.freeze()
