"""Parameters in a list or under names, as a module that holds nothing else."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from tinygrad_dl.errors import ArgumentTypeError, DimensionError, nearest
from tinygrad_dl.tensor import Tensor

from .module import Module, RegistrationError
from .parameter import Parameter


class _Values(Module):
    """A module of parameters and, beside them, of values of any type."""

    def _put(self, name: str, value: Any) -> None:
        """Keep a value; a tensor becomes a Parameter, which is learnt."""
        if hasattr(type(self), name):
            raise RegistrationError(f"{type(self).__name__}: its method has the name {name!r}; choose another key")
        if isinstance(value, Tensor) and not isinstance(value, Parameter):
            value = Parameter(value)
        if isinstance(value, Parameter) and "." in name:
            raise RegistrationError(
                f"{type(self).__name__}: a parameter's name can't be {name!r}: dots separate modules"
            )
        setattr(self, name, value)


def _line(name: Any, value: Any, kind: Any) -> str:
    if not isinstance(value, Tensor):
        return f"  ({name}): Object of type: {type(value).__name__}"
    device = "" if value.device.type == "cpu" else f" ({value.device})"
    return f"  ({name}): Parameter containing: [{kind} of size {'x'.join(map(str, value.shape))}{device}]"


def _type_name(value: Any) -> Any:
    return value.type() if isinstance(value, Tensor) else None


class ParameterList(_Values):
    """A list of parameters that the module holding it knows.

    Arguments: values, any iterable of tensors, which become Parameters, or of other values, which are kept as they are.
    Raises ArgumentTypeError for an index that is no integer and no slice, DimensionError (an IndexError) for one that
    is out of range.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> weights = nn.ParameterList([tg.ones(2, 3), tg.zeros(4)])
    >>> len(weights), [name for name, _ in weights.named_parameters()]
    (2, ['0', '1'])
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        self.extend(() if values is None else values)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter([self.__dict__[str(i)] for i in range(self._size)])

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, slice):
            part = type(self)()
            return part.extend(self.__dict__[str(i)] for i in range(self._size)[idx])
        return self.__dict__[self._name(idx)]

    def __setitem__(self, idx: int, param: Any) -> None:
        self._put(self._name(idx), param)

    def _name(self, index: Any) -> str:
        try:
            position = operator.index(index)
        except TypeError:
            raise ArgumentTypeError(f"ParameterList: an index is an integer or a slice, not {index!r}") from None
        if not -self._size <= position < self._size:
            raise DimensionError(f"ParameterList: index {index} is out of range for {self._size} value(s)")
        return str(position % self._size)

    def append(self, value: Any) -> Self:
        """Add a value at the end. Returns the list."""
        self._put(str(self._size), value)
        self._size += 1
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add several values at the end. Returns the list."""
        if isinstance(values, Tensor) or not isinstance(values, Iterable):
            raise ArgumentTypeError(f"ParameterList: a list of values is needed, {type(values).__name__} came")
        for value in list(values):
            self.append(value)
        return self

    def __iadd__(self, parameters: Iterable[Any]) -> Self:
        return self.extend(parameters)

    def extra_repr(self) -> str:
        """A line for each value."""
        return "\n".join(_line(i, value, getattr(value, "dtype", None)) for i, value in enumerate(self))


class ParameterDict(_Values):
    """Parameters by name that the module holding it knows, otherwise as a dict.

    Arguments: parameters, a dict (whose keys are sorted unless it is an OrderedDict or another ParameterDict, as in
    PyTorch) or pairs of name and value; tensors become Parameters, other values are kept as they are. Raises
    RegistrationError (a KeyError) for a name that is not there, has a dot or is that of a method.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import nn
    >>> weights = nn.ParameterDict({"left": tg.ones(2), "right": tg.zeros(2)})
    >>> weights["right"]
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._order: dict[str, None] = {}
        self.update({} if parameters is None else parameters)

    def __getitem__(self, key: str) -> Any:
        if key not in self._order:
            raise RegistrationError(
                f"ParameterDict: there is nothing named {key!r}, only {list(self)}.{nearest(key, self)}"
            )
        return self.__dict__[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise ArgumentTypeError(f"ParameterDict: a key is a string, not {key!r}")
        if key not in self._order and key in self.__dict__:
            raise RegistrationError(f"ParameterDict: its attribute has the name {key!r}; choose another key")
        self._put(key, value)
        self._order[key] = None

    def __delitem__(self, key: str) -> None:
        self.pop(key)

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._order))

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._order))

    def __contains__(self, key: object) -> bool:
        return key in self._order

    def keys(self) -> Any:
        """The names."""
        return self._order.keys()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Pairs of name and value."""
        return [(key, self[key]) for key in self]

    def values(self) -> Iterable[Any]:
        """The values."""
        return [self[key] for key in self]

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a name, or the default."""
        return self[key] if key in self else default

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value of a name, which is the default from now on if there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, parameters: Any) -> None:
        """Add or replace values, from a dict or from pairs."""
        if isinstance(parameters, Tensor) or not isinstance(parameters, Iterable):
            raise ArgumentTypeError(f"ParameterDict: a dict or pairs are needed, {type(parameters).__name__} came")
        pairs = _pairs(parameters)
        for key, value in sorted(pairs, key=lambda pair: pair[0]) if type(parameters) is dict else pairs:
            self[key] = value

    def pop(self, key: str) -> Any:
        """Take out the value of a name and return it."""
        value = self[key]
        delattr(self, key)
        del self._order[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Take out the last pair of name and value and return it."""
        if not self._order:
            raise RegistrationError("ParameterDict: popitem: it is empty")
        key = next(reversed(self._order))
        return key, self.pop(key)

    def clear(self) -> None:
        """Take out everything."""
        for key in self:
            del self[key]

    def copy(self) -> ParameterDict:
        """Another dict with the same parameters."""
        return type(self)(self)

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A new dict with one value under all these names."""
        return type(self)((key, default) for key in keys)

    def __or__(self, other: Any) -> ParameterDict:
        return self.copy().__ior__(other)

    def __ror__(self, other: Any) -> ParameterDict:
        return type(self)(other).__ior__(self)

    def __ior__(self, other: Any) -> Self:
        self.update(other)
        return self

    def extra_repr(self) -> str:
        """A line for each value."""
        return "\n".join(_line(name, value, _type_name(value)) for name, value in self.items())


def _pairs(parameters: Any) -> list[tuple[str, Any]]:
    if isinstance(parameters, Mapping | ParameterDict):
        return list(parameters.items())
    pairs = list(parameters)
    wrong = [pair for pair in pairs if not isinstance(pair, tuple | list) or len(pair) != 2]
    if wrong:
        raise ArgumentTypeError(f"ParameterDict: pairs of name and value are needed, {wrong[0]!r} came")
    return pairs
