"""Modules made of modules, in a row or under names."""

from __future__ import annotations

import operator
import warnings
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Self

from tinygrad_dl.errors import ArgumentError, ArgumentTypeError, DimensionError, nearest

from .module import Module, RegistrationError, framed
from .parameter import MODULE


class Container(Module):
    """PyTorch's oldest container: submodules given by name. Warns: write a Module of one's own.

    Arguments: the modules by name. Raises ArgumentTypeError for what is no module.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__()
        warnings.warn(
            "nn.Container is deprecated: write a Module, which registers what is assigned", FutureWarning, stacklevel=2
        )
        for name, module in kwargs.items():
            self.add_module(name, module)

    def extra_repr(self) -> str:
        """Nothing: the submodules are shown as they are."""
        return ""


class _Container(Module):
    """A module that is nothing but its submodules."""

    def extra_repr(self) -> str:
        """Nothing: the submodules are shown as they are."""
        return ""

    def __len__(self) -> int:
        return len(self._named(MODULE))

    def _clear(self) -> None:
        for name, _ in self._named(MODULE):
            delattr(self, name)


class _Row(_Container):
    """Modules in order; their names are their positions unless they were given others."""

    def __iter__(self) -> Iterator[Any]:
        return iter([module for _, module in self._named(MODULE)])

    def __getitem__(self, index: int | slice) -> Any:
        named = self._named(MODULE)
        return self._part(named[index]) if isinstance(index, slice) else named[self._position(index)][1]

    def _part(self, named: list[tuple[str, Any]]) -> Any:
        return type(self)(*[module for _, module in named])

    def __setitem__(self, index: int, module: Module) -> None:
        self.add_module(self._named(MODULE)[self._position(index)][0], module)

    def __delitem__(self, index: int | slice) -> None:
        modules = list(self)
        del modules[index if isinstance(index, slice) else self._position(index)]
        self._renumber(modules)

    def _renumber(self, modules: list[Module]) -> None:
        self._clear()
        self.extend(modules)

    def _position(self, index: int) -> int:
        try:
            position = operator.index(index)
        except TypeError:
            raise ArgumentTypeError(
                f"{type(self).__name__}: an index is an integer or a slice, not {index!r}"
            ) from None
        if not -len(self) <= position < len(self):
            raise DimensionError(f"{type(self).__name__}: index {index} is out of range for {len(self)} module(s)")
        return position % len(self)

    def append(self, module: Module) -> Self:
        """Add a module at the end. Returns the container."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add several modules at the end. Returns the container."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Put a module in front of the one at `index`; those behind it are numbered anew. Returns the container."""
        modules = list(self)
        modules.insert(index, module)
        self.append(module)  # which refuses what is no module, before anything is renumbered
        self._renumber(modules)
        return self

    def pop(self, key: int | slice = -1) -> Any:
        """Take out the module at `key`, or those of a slice, and return it; those behind are numbered anew."""
        taken = self[key]
        del self[key]
        return taken

    def __add__(self, other: Iterable[Module]) -> Self:
        return type(self)().extend(self).extend(other)

    def __iadd__(self, other: Iterable[Module]) -> Self:
        return self.extend(other)


class Sequential(_Row):
    """Modules one after the other: each is given what the one before returned.

    Arguments: the modules, or one dict of modules by name. Raises ArgumentTypeError for what is no module.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> net(tg.ones(5, 2)).shape, net[1]
    (tinygrad_dl.Size([5, 1]), ReLU())
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], Mapping):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            self.extend(args)

    def forward(self, input: Any) -> Any:
        parts = self.__dict__
        for name, kind in self._kinds.items():
            if kind == MODULE:
                input = parts[name](input)
        return input

    def _part(self, named: list[tuple[str, Any]]) -> Any:
        return type(self)(dict(named))  # keeps the names

    def __mul__(self, other: int) -> Self:
        return type(self)().extend(list(self) * self._times(other))

    __rmul__ = __mul__

    def __imul__(self, other: int) -> Self:
        return self.extend(list(self) * (self._times(other) - 1))

    def _times(self, count: int) -> int:
        if not isinstance(count, int):
            raise ArgumentTypeError(f"Sequential: it is repeated by an integer, not by {type(count).__name__}")
        if count <= 0:
            raise ArgumentError(f"Sequential: it is repeated once or more, not {count} times")
        return count


class ModuleList(_Row):
    """A list of modules that the module holding it knows; it has no forward of its own.

    Arguments: modules, any iterable of them. Raises ArgumentTypeError for what is no module.

    >>> from tinygrad_dl import nn
    >>> nn.ModuleList(nn.Linear(4, 4) for _ in range(3))
    ModuleList(
      (0-2): 3 x Linear(in_features=4, out_features=4, bias=True)
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())

    def _part(self, named: list[tuple[str, Any]]) -> Any:
        return type(self)(module for _, module in named)

    def __repr__(self) -> str:
        """As every module's, but equal neighbours share a line."""
        groups: list[list[Any]] = []  # first position, last position, text
        for i, module in enumerate(self):
            text = repr(module)
            if groups and groups[-1][2] == text:
                groups[-1][1] = i
            else:
                groups.append([i, i, text])
        lines = [
            f"({first}): {text}" if first == last else f"({first}-{last}): {last - first + 1} x {text}"
            for first, last, text in groups
        ]
        return framed(type(self).__name__, lines) if lines else super().__repr__()


class ModuleDict(_Container):
    """Modules by name that the module holding it knows; it has no forward of its own.

    Arguments: modules, a dict of modules or an iterable of pairs. Raises ArgumentTypeError for what is no module,
    RegistrationError (a KeyError) for a name with a dot or one that a module's attribute has.

    >>> from tinygrad_dl import nn
    >>> activations = nn.ModuleDict({"relu": nn.ReLU(), "tanh": nn.Tanh()})
    >>> activations["tanh"]
    Tanh()
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    def __getitem__(self, key: str) -> Any:
        if key not in self:
            raise RegistrationError(f"ModuleDict: there is no module {key!r}, only {list(self)}.{nearest(key, self)}")
        return self.__dict__[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        self.pop(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._modules.keys()

    def items(self) -> ItemsView[str, Any]:
        """Pairs of name and module."""
        return self._modules.items()

    def values(self) -> ValuesView[Any]:
        """The modules."""
        return self._modules.values()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add or replace modules, from a dict or from pairs."""
        for name, module in dict(modules).items():
            self[name] = module

    def pop(self, key: str) -> Any:
        """Take out the module of a name and return it."""
        module = self[key]
        delattr(self, key)
        return module

    def clear(self) -> None:
        """Take out all modules."""
        self._clear()
