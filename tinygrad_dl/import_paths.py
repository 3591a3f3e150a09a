"""PyTorch's import paths, where the names lie in other files here."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

from .errors import nearest


class Place(ModuleType):
    """A module that has the names of others, which are looked up when they are asked for."""

    def __init__(self, name: str, sources: Iterable[str], renamed: Mapping[str, str]) -> None:
        super().__init__(name, f"PyTorch's place of names that lie in {', '.join(sources)} here.")
        self._sources, self._renamed = tuple(sources), renamed

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # importing asks for these
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        found = [sys.modules[source] for source in self._sources if source in sys.modules]
        for module in found:
            value = vars(module).get(self._renamed.get(name, name))
            if value is not None:
                return value
        names = [known for module in found for known in vars(module)]
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}.{nearest(name, names)}")


def make_places(
    package: str, files: Mapping[str, str], inside: str, also: str = "", renamed: Mapping[str, str] | None = None
) -> None:
    """Let `package.file` be imported for each of the files, with the names of the modules that it stands for.

    Arguments: package; files, PyTorch's names with those of the modules in `inside`, separated by spaces; also, a
    module looked into last; renamed, PyTorch's names that are others here.
    """
    for file, sources in files.items():
        path = f"{package}.{file}"
        listed = [f"{inside}.{source}" for source in sources.split()] + ([also] if also else [])
        sys.modules[path] = Place(path, listed, renamed or {})
        setattr(sys.modules[package], file, sys.modules[path])
