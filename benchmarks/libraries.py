"""The libraries that are compared, and what each one's rows are measured with."""

from __future__ import annotations

import importlib.util

MODULES = {"ours": "tinygrad_dl", "torch": "torch", "autograd": "autograd", "micrograd": "micrograd", "hand": "numpy"}

# Those without PyTorch's interface have their own workloads; any other module is taken to have it.
PEERS = {"autograd": "benchmarks.with_autograd", "micrograd": "benchmarks.with_micrograd", "hand": "benchmarks.by_hand"}
WITHOUT_GPU = frozenset(PEERS)


def module_of(library: str) -> str:
    """What is imported for a library; a name that isn't in the table is the module itself."""
    return MODULES.get(library, library)


def installed(library: str) -> bool:
    """Whether the library can be imported."""
    return importlib.util.find_spec(module_of(library)) is not None
