"""Lets `tinygrad_dl.nn` and `tinygrad_dl.optim` be imported from a checkout, where they lie beside the package.

An installed package has both folders inside it, and then there is nothing to do. In a checkout (on `PYTHONPATH`, or as
the working directory, which also shadows an install) a finder leads each of the two names to its folder. Only these
two: adding the repository's root to `tinygrad_dl.__path__` instead would make `tinygrad_dl.tests` importable.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from os.path import dirname, exists, join, realpath
from types import ModuleType

PACKAGE = dirname(realpath(__file__))  # os.path: importing pathlib would cost as much as half of the engine
BESIDE = ("nn", "optim")


class CheckoutFinder:
    """Finds the sub-packages whose folders lie beside the package instead of inside it."""

    def __init__(self, folders: dict[str, str]) -> None:
        self.folders = folders

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a sub-package that lies beside the package, else None: the other finders go on."""
        folder = self.folders.get(name)
        if folder is None:
            return None
        return spec_from_file_location(name, join(folder, "__init__.py"), submodule_search_locations=[folder])


def install() -> None:
    """Put the finder into `sys.meta_path`, once, if this package runs from a checkout.

    It goes first: an editable install of another checkout has a finder for the same names.
    """
    package = __name__.rpartition(".")[0]
    folders = {
        f"{package}.{name}": join(dirname(PACKAGE), name)
        for name in BESIDE
        if not exists(join(PACKAGE, name)) and exists(join(dirname(PACKAGE), name, "__init__.py"))
    }
    already = any(getattr(finder, "folders", None) == folders for finder in sys.meta_path)
    if folders and not already:
        sys.meta_path.insert(0, CheckoutFinder(folders))
