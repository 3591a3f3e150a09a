"""The table of operation cases: every public operation in its forms, with inputs that are drawn from a seed.

One file per family of operations; each module's `CASES` is its part of the table.
"""

from __future__ import annotations

import importlib
import pkgutil

from .table import Case, Draw

__all__ = ["CASES", "Case", "Draw"]

CASES: list[Case] = [
    case
    for module in pkgutil.iter_modules(__path__)
    for case in getattr(importlib.import_module(f"{__name__}.{module.name}"), "CASES", [])
]
