"""Simplifying what a rule computed: the same value with less to read."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .tree import NAME, NUMBER, Tree, constant, is_constant


def simplify(symbol: Any) -> Any:
    """The same value with less to read. Constants broadcast, so a simplified tree may have a smaller shape."""
    if not isinstance(symbol, Tree) or symbol.head in (NAME, NUMBER):
        return symbol
    parts = tuple([[simplify(p) for p in part] if isinstance(part, list) else simplify(part) for part in symbol.parts])
    found = _RULES[symbol.head](symbol, *parts) if symbol.head in _RULES else None
    return symbol.with_parts(parts) if found is None else found


def _sized(value: Any, like: Tree) -> Any:
    """A result of simplifying as a tree: numbers take the shape of what they replace."""
    if isinstance(value, Tree):
        return like.number(value.parts[0], like.shape, like.dtype) if value.head == NUMBER else value
    return like.number(value, like.shape, like.dtype)


def _simplify_mul(s: Tree, a: Any, b: Any) -> Any:
    x, y = constant(a), constant(b)
    if x == 0 or y == 0:
        return _sized(0, s)
    if x == 1:
        return _sized(b, s)
    if y == 1:
        return _sized(a, s)
    if x == -1:
        return simplify(-_sized(b, s))
    if x is not None and y is not None:
        return _sized(x * y, s)
    for number, other in ((x, b), (y, a)):
        if (
            number is not None
            and isinstance(other, Tree)
            and other.head == "div"
            and constant(other.parts[1]) == number
        ):
            return _sized(other.parts[0], s)  # m·(x/m) is x
    if isinstance(b, Tree) and b.head == "mul" and constant(b.parts[0]) is not None:
        return _with_one_number(s, a, constant(b.parts[0]), b.parts[1])
    if x is None and y is None and (_negated(a) or _negated(b)):
        return _signed(_positive(a) * _positive(b), _negated(a) != _negated(b))
    return None


def _with_one_number(s: Tree, a: Any, number: Any, x: Any) -> Any:
    """a·(number·x) where a is a number or a quotient of two: 2·(3·x) is 6·x, 1/3·(2·x) is 2/3·x."""
    if constant(a) is not None:
        return simplify(_sized(constant(a) * number, s) * x)
    if isinstance(a, Tree) and a.head == "div" and None not in map(constant, a.parts):
        above, below = a.parts
        return simplify(simplify(_sized(constant(above) * number, s) / below) * x)
    return None


def _simplify_div(s: Tree, a: Any, b: Any) -> Any:
    x, y = constant(a), constant(b)
    if x == 0:
        return _sized(0, s)
    if y == 1 or (y is not None and x == y):
        return _sized(1 if x == y else a, s)
    if _negated(a) or _negated(b):
        return _signed(_positive(a) / _positive(b), _negated(a) != _negated(b))
    if y is not None and isinstance(a, Tree) and a.head == "div" and constant(a.parts[1]) is not None:
        return simplify(a.parts[0] / _sized(constant(a.parts[1]) * y, s))  # 1/3/2 is 1/6
    return _reduced(s, x, y)  # 1/3 stays 1/3


def _reduced(s: Tree, above: Any, below: Any) -> Any:
    """2/6 as 1/3; None where there is nothing to reduce."""
    if above is None or not below or not (float(above).is_integer() and float(below).is_integer()):
        return None
    shared = math.gcd(int(above), int(below))
    return _sized(above / shared, s) / _sized(below / shared, s) if shared > 1 else None


def _negated(x: Any) -> bool:
    return isinstance(x, Tree) and x.head == "neg"


def _positive(x: Any) -> Any:
    return x.parts[0] if _negated(x) else x


def _signed(x: Any, negative: bool) -> Any:
    """A sign in front of a product, where it is read best and may meet another."""
    x = simplify(x)
    return simplify(-x) if negative else x


def _simplify_add(s: Tree, a: Any, b: Any) -> Any:
    x, y = constant(a), constant(b)
    if x == 0:
        return _sized(b, s)
    if y == 0:
        return _sized(a, s)
    if isinstance(b, Tree) and b.head == "neg":
        return _sized(a, s) - b.parts[0]
    return _sized(x + y, s) if x is not None and y is not None else None


def _simplify_sub(s: Tree, a: Any, b: Any) -> Any:
    x, y = constant(a), constant(b)
    if y == 0:
        return _sized(a, s)
    if x == 0:
        return simplify(-_sized(b, s))
    if isinstance(b, Tree) and b.head == "neg":
        return _sized(a, s) + b.parts[0]
    return _sized(x - y, s) if x is not None and y is not None else None


def _simplify_neg(s: Tree, a: Any) -> Any:
    if isinstance(a, Tree) and a.head == "neg":
        return a.parts[0]
    if isinstance(a, Tree) and a.head == "sub":
        return _sized(a.parts[1], a) - a.parts[0]  # −(1 − y) is y − 1
    x = constant(a)
    return None if x is None else _sized(-x, s)


def _simplify_pow(s: Tree, a: Any, b: Any) -> Any:
    return _sized(1, s) if constant(b) == 0 else a if constant(b) == 1 else None


def _simplify_where(s: Tree, condition: Any, a: Any, b: Any) -> Any:
    x, y = constant(a), constant(b)
    if x is not None and x == y:
        return _sized(x, s)
    if y == 0 and isinstance(condition, Tree):  # the condition as a number, 1 or 0
        return condition if x == 1 else _sized(a, s) * condition
    if x == 0 and isinstance(condition, Tree) and condition.head in _OPPOSITE:
        return simplify(_sized(b, s) * _OPPOSITE[condition.head](*condition.parts))
    return None


_OPPOSITE: dict[str, Callable[..., Any]] = {
    "eq": np.not_equal, "ne": np.equal, "lt": np.greater_equal, "le": np.greater, "gt": np.less_equal, "ge": np.less,
}  # fmt: skip


def _simplify_arrangement(s: Tree, x: Any, *rest: Any) -> Any:
    """Repeating or arranging a number changes nothing that broadcasting would not do."""
    if is_constant(x):
        return _sized(x, s)
    if isinstance(x, Tree):
        if x.shape == s.shape or s.head == "cast" or (x.size == 1 and s.head == "expand"):
            return x
        if s.head == "expand" and x.head == "reshape" and x.parts[0].size == x.size:
            return s.with_parts((x.parts[0], *rest)) if x.parts[0].size == 1 else None
        if s.head == "reshape" and x.size == 1 == s.size:
            return x
    return None


def _simplify_transpose(s: Tree, x: Any, *rest: Any) -> Any:
    if isinstance(x, Tree) and x.ndim == 2 and x.head in ("matmul", "neg"):
        first, last = x.parts[0], x.parts[-1]
        return simplify(-first.T if x.head == "neg" else np.matmul(last.T, first.T))
    if isinstance(x, Tree) and x.ndim == 2 and x.head == "transpose" and s.shape == x.parts[0].shape:
        return x.parts[0]
    return x if isinstance(x, Tree) and x.ndim < 2 else None


def _simplify_matmul(s: Tree, a: Any, b: Any) -> Any:
    if _negated(a) or _negated(b):
        return _signed(np.matmul(_positive(a), _positive(b)), _negated(a) != _negated(b))
    return None


def _simplify_reduced(s: Tree, x: Any, *rest: Any) -> Any:
    if _negated(x) and s.head == "sum":
        return _signed(s.with_parts((x.parts[0], *rest)), True)
    return x if isinstance(x, Tree) and x.shape == s.shape and s.head == "sum" and x.size == 1 else None


def _simplify_linear(s: Tree, input: Any, weight: Any, bias: Any = None) -> Any:
    product = np.matmul(input, weight.T)
    return product if bias is None else product + bias


_RULES: dict[str, Any] = {
    "mul": _simplify_mul, "div": _simplify_div, "add": _simplify_add, "sub": _simplify_sub, "neg": _simplify_neg,
    "pow": _simplify_pow, "where": _simplify_where, "expand": _simplify_arrangement, "cast": _simplify_arrangement,
    "reshape": _simplify_arrangement, "transpose": _simplify_transpose, "sum": _simplify_reduced,
    "linear": _simplify_linear, "matmul": _simplify_matmul,
    "zeros_like": lambda s, x: _sized(0, s),
    "squared_error": lambda s, input, target: (input - target) ** 2,
}  # fmt: skip
