"""The tree of what a rule computes: heads, parts, shapes. `symbol.py` builds it, others simplify and write it."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

NAME, NUMBER, PART = "name", "number", "part"  # heads of the leaves, and of one of several outputs

# One name for what NumPy's functions and our operations both do.
_CANONICAL = {
    "multiply": "mul", "subtract": "sub", "divide": "div", "true_divide": "div", "negative": "neg", "power": "pow",
    "absolute": "abs", "equal": "eq", "not_equal": "ne", "less": "lt", "less_equal": "le", "greater": "gt",
    "greater_equal": "ge", "bitwise_and": "and", "logical_and": "and", "bitwise_or": "or", "logical_or": "or",
    "invert": "not", "logical_not": "not", "bitwise_not": "not", "concatenate": "cat", "view": "reshape",
    "astype": "cast", "to": "cast", "positive": "cast", "clone": "cast", "permute": "transpose",
    "swapaxes": "transpose",
}  # fmt: skip
COMPARISONS = {"eq": "=", "ne": "≠", "lt": "<", "le": "≤", "gt": ">", "ge": "≥"}
_POINTWISE = {
    NAME, NUMBER, "add", "sub", "mul", "div", "neg", "pow", "abs", "and", "or", "not", "where", "cast", *COMPARISONS,
    "exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid", "relu", "sign", "floor", "remainder", "maximum", "minimum",
    "softplus", "log1p", "expm1",
}  # fmt: skip


class Tree:
    """A name, a number, or a head with parts; every tree is a Symbol, which adds what builds bigger ones."""

    __slots__ = ("compute", "dtype", "head", "labels", "parts", "shape")
    __hash__ = object.__hash__  # `==` writes a comparison down

    head: str  # "name", "number", or what is computed
    parts: tuple[Any, ...]  # of what: Symbols, numbers, options
    labels: tuple[str, ...]  # what an operation calls them
    compute: Any  # a function of the parts as arrays
    shape: tuple[int, ...]
    dtype: Any

    def __init__(self, name: str, shape: tuple[int, ...] = (), dtype: Any = np.float64) -> None:
        self.head, self.parts, self.labels, self.compute = NAME, (name,), (), None
        self.shape, self.dtype = tuple(shape), np.dtype(dtype)

    @classmethod
    def number(cls, value: Any, shape: tuple[int, ...] = (), dtype: Any = np.float64) -> Any:
        """A constant in the place of an array: `Symbol.number(1)` as g gives the local derivative."""
        return cls("", shape, dtype).with_parts((value,), NUMBER)

    def named(self, name: str) -> Any:
        """A name in the place of this tree."""
        return type(self)(name, self.shape, self.dtype)

    def with_parts(self, parts: tuple[Any, ...], head: str | None = None) -> Any:
        """The same computation of other parts."""
        copy = type(self)("", self.shape, self.dtype)
        copy.head, copy.parts, copy.labels, copy.compute = head or self.head, parts, self.labels, self.compute
        return copy

    def shaped(self, shape: tuple[int, ...]) -> Any:
        """The same, said to be of another shape, which broadcasting makes of it."""
        copy = self.with_parts(self.parts)
        copy.shape = tuple(shape)
        return copy

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def is_pointwise(self) -> bool:
        """Whether each element of the result depends on the elements in the same place only."""
        return self.head in _POINTWISE and all(p.is_pointwise for p in self.parts if isinstance(p, Tree))


class Whole:
    """A call with several outputs, as what its parts are taken from."""

    def __init__(self, symbol: Any) -> None:
        self.symbol = symbol


def canonical(head: str) -> str:
    """The one name under which NumPy's function or our operation is written."""
    head = head.strip("_")
    return _CANONICAL.get(head, head)


def constant(part: Any) -> Any:
    """The number that a part is everywhere, or None."""
    if isinstance(part, Tree):
        return part.parts[0] if part.head == NUMBER else None
    return part if isinstance(part, bool | int | float) else None


def is_constant(x: Any) -> bool:
    """Whether a part is a number, or computed of numbers only."""
    return constant(x) is not None or (isinstance(x, Tree) and not names_in(x))


def names_in(symbol: Any) -> set[str]:
    """The names that a tree, or several, asks for."""
    if isinstance(symbol, list):
        return set().union(*map(names_in, symbol))
    if isinstance(symbol, Whole):
        return names_in(list(symbol.symbol.parts))
    if not isinstance(symbol, Tree) or symbol.head == NUMBER:
        return set()
    return {symbol.parts[0]} if symbol.head == NAME else names_in(list(symbol.parts))


def key(symbol: Any) -> Any:
    """What two simplified trees have in common when they are the same."""
    if isinstance(symbol, Tree):
        return (symbol.head, *map(key, symbol.parts))
    return tuple(map(key, symbol)) if isinstance(symbol, list | tuple) else repr(symbol)


def decided(symbol: Any, numbers: Mapping[str, Any]) -> Any:
    """A tree in which each comparison of known numbers is 1 or 0, what a slope such as ReLU's is there."""
    if not isinstance(symbol, Tree) or symbol.head in (NAME, NUMBER):
        return symbol
    if symbol.head in COMPARISONS and names_in(symbol) <= numbers.keys():
        return symbol.number(int(symbol.evaluate(numbers)))  # type: ignore[attr-defined]
    return symbol.with_parts(tuple([decided(part, numbers) for part in symbol.parts]))


def substitute(symbol: Any, known: Mapping[Any, str]) -> Any:
    """A simplified tree in which each part that `known` has a name for stands under that name."""
    if not isinstance(symbol, Tree) or symbol.head in (NAME, NUMBER):
        return symbol
    name = known.get(key(symbol))
    if name is not None:
        return symbol.named(name)
    return symbol.with_parts(tuple([substitute(part, known) for part in symbol.parts]))
