"""Symbol: stands for an array in a rule and writes down what the rule does with it.

A rule is run with Symbols in place of arrays, exactly as the engine runs it with arrays; what comes out is a tree of
what was computed. The tree is written as text and evaluated on numbers (tests compare that with the rule on arrays).
With g = 1 the rule is the local derivative.
"""

import inspect
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import backend
from ..errors import ArgumentError, ArgumentTypeError
from ..function import Call
from ..modes import walking
from ..operation import Operation
from ..views import replay

NAME, NUMBER, PART = "name", "number", "part"  # heads of the trees' leaves, and of one of several outputs

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


class Symbol:
    """A value that is known by name, shape and dtype only; operations on it build the tree of what they compute.

    `Symbol("a", (2, 3))` stands for an array of that shape. Branching on it, taking its length or iterating raises
    ArgumentTypeError: a rule may branch on options, ndim and shape only.

    >>> import numpy as np
    >>> from tinygrad_dl.viz import Symbol
    >>> g, a = Symbol("ḡ"), Symbol("a")
    >>> g * (1 - a * a)
    ḡ·(1 − a·a)
    >>> float((g * (1 - a * a)).evaluate({"ḡ": 2.0, "a": 0.5}))
    1.5
    """

    __slots__ = ("compute", "dtype", "head", "labels", "parts", "shape")
    __hash__ = object.__hash__  # `==` writes a comparison down
    __array_priority__ = 2000

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
    def number(cls, value: Any, shape: tuple[int, ...] = (), dtype: Any = np.float64) -> "Symbol":
        """A constant in the place of an array: `Symbol.number(1)` as g gives the local derivative."""
        symbol = cls("", shape, dtype)
        symbol.head, symbol.parts = NUMBER, (value,)
        return symbol

    # --- what rules ask of arrays

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def T(self) -> "Symbol":
        """The transpose."""
        return call("transpose", operator.attrgetter("T"), (self,))

    mT = T

    def reshape(self, *shape: Any) -> "Symbol":
        """The same elements in another shape."""
        sizes = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], Sequence) else shape
        return call("reshape", lambda x, to: x.reshape(to), (self, sizes), ("", "shape"))

    def sum(self, axis: Any = None, keepdims: bool = False) -> "Symbol":
        """The sum over all dimensions or those in `axis`."""
        return call("sum", lambda x, axis, keep: x.sum(axis=axis, keepdims=keep), (self, axis, keepdims), _REDUCED)

    def mean(self, axis: Any = None, keepdims: bool = False) -> "Symbol":
        """The mean over all dimensions or those in `axis`."""
        return call("mean", lambda x, axis, keep: x.mean(axis=axis, keepdims=keep), (self, axis, keepdims), _REDUCED)

    def astype(self, dtype: Any, copy: bool = True) -> "Symbol":
        """The elements in another dtype."""
        return call("cast", lambda x, to: x.astype(to, copy=copy), (self, dtype), ("", "dtype"))

    def __getitem__(self, index: Any) -> "Symbol":
        return call("index", lambda x, place: x[place], (self, index), ("", "index"))

    # --- who calls it

    def apply_operation(self, record: Any, arrays: Sequence[Any]) -> Any:
        """Write an operation of ours down; the engine calls this when a rule hands it a Symbol."""
        operation = record.operation
        return call(operation.name, record, tuple(arrays), tuple(operation.parameters))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "__call__" and not options and ufunc.nout == 1 and ufunc.signature is None:
            return _pointwise(ufunc, inputs)
        reduced = {"add": "sum", "maximum": "amax", "minimum": "amin"} if method == "reduce" else {}
        name = reduced.get(ufunc.__name__, f"{ufunc.__name__}.{method}" if method != "__call__" else ufunc.__name__)
        axis, keep = options.pop("axis", 0 if method == "reduce" else None), options.pop("keepdims", False)
        if method != "reduce":
            return call(name, lambda *xs: getattr(ufunc, method)(*xs, **options), inputs)
        rest = inputs[1:] or (axis,)
        return call(
            name, lambda x, dim, keep: ufunc.reduce(x, dim, keepdims=keep), (inputs[0], rest[0], keep), _REDUCED
        )

    def __array_function__(self, function: Any, types: Any, args: Any, options: Mapping[str, Any]) -> Any:
        values = tuple(options.values())
        names = tuple(options)

        def compute(*all_values: Any) -> Any:
            plain, named = all_values[: len(args)], all_values[len(args) :]
            return function(*plain, **dict(zip(names, named, strict=True)))

        return call(function.__name__, compute, (*args, *values), ("",) * len(args) + names)

    def __bool__(self) -> bool:
        raise _refused(self, "has no truth value: a rule may branch on options, ndim and shape, and chooses with where")

    def __len__(self) -> int:
        raise _refused(self, "has no length here: a rule may ask for its shape")

    def __iter__(self) -> Any:
        raise _refused(self, "can't be iterated: a rule works on whole arrays")

    def __float__(self) -> float:
        raise _refused(self, "has no value: a rule works on whole arrays")

    # --- what becomes of it

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """The value of the expression when the names have these values (arrays or numbers)."""
        if self.head == NAME:
            return values[self.parts[0]]
        if self.head == NUMBER:
            value = self.parts[0]
            return np.full(self.shape, value, self.dtype) if self.shape else self.dtype.type(value)
        return self.compute(*[_evaluated(part, values) for part in self.parts])

    def simplified(self) -> "Symbol":
        """The expression without what does nothing: 1·x is x, 0·x is 0, x + 0 is x, casts are left out."""
        return simplify(self)

    def names(self) -> set[str]:
        """The names that the expression, simplified, asks for."""
        return _names_in(simplify(self))

    @property
    def is_pointwise(self) -> bool:
        """Whether each element of the result depends on the elements in the same place only."""
        return self.head in _POINTWISE and all(p.is_pointwise for p in self.parts if isinstance(p, Symbol))

    def text(self, values: Mapping[str, str] | None = None) -> str:
        """The expression, simplified, with as few parentheses as it can be read with; names replaced by `values`."""
        written, binding = _write(simplify(self), values or {})
        return f"[{written}]" if binding == _TEST else written

    def factor(self, values: Mapping[str, str] | None = None) -> str:
        """The text as it stands behind the dot of a product: a sum and a negative number in parentheses."""
        return _within(simplify(self), _PRODUCT, values or {})

    def __repr__(self) -> str:
        return self.text()


_REDUCED = ("", "dim", "keepdim")


def _refused(symbol: Symbol, why: str) -> ArgumentTypeError:
    return ArgumentTypeError(f"Symbol {symbol.text()} (shape {symbol.shape}) {why}")


def _operator(function: Any) -> tuple[Any, Any]:
    return lambda self, other: _apply(function, self, other), lambda self, other: _apply(function, other, self)


def _apply(function: Any, first: Any, second: Any) -> Any:
    known = (Symbol, bool, int, float, np.generic)
    usable = all(isinstance(x, known) or backend.is_array(x) for x in (first, second))
    return function(first, second) if usable else NotImplemented


for _name, _ufunc in {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "pow": np.power,
    "and": np.bitwise_and, "or": np.bitwise_or, "mod": np.remainder, "matmul": np.matmul,
}.items():  # fmt: skip
    _forward, _reflected = _operator(_ufunc)
    setattr(Symbol, f"__{_name}__", _forward)
    setattr(Symbol, f"__r{_name}__", _reflected)
for _name, _ufunc in {
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
}.items():  # fmt: skip
    setattr(Symbol, f"__{_name}__", _operator(_ufunc)[0])
for _name, _ufunc in {"neg": np.negative, "abs": np.absolute, "invert": np.invert, "pos": np.positive}.items():
    setattr(Symbol, f"__{_name}__", lambda self, _ufunc=_ufunc: _ufunc(self))


# --- building trees


def call(
    head: str, compute: Callable[..., Any], parts: Sequence[Any], labels: tuple[str, ...] = (), like: Any = None
) -> Any:
    """The Symbol of a call, or a tuple of Symbols for a call with several outputs.

    Its shape and dtype are those of `like` (an array, or a tuple of them); without it, of a trial on zeros, so that no
    operation has to declare them.
    """
    with np.errstate(all="ignore"):
        trial = compute(*[_evaluated(part, None) for part in parts]) if like is None else like
    symbol = Symbol("")
    symbol.head, symbol.parts, symbol.labels = canonical(head), tuple(parts), labels
    symbol.compute = compute
    if not isinstance(trial, tuple):
        symbol.shape, symbol.dtype = tuple(trial.shape), trial.dtype
        return symbol
    return tuple([call(PART, operator.getitem, (_Whole(symbol), i), like=part) for i, part in enumerate(trial)])


class _Whole:
    """A call with several outputs, as what its parts are taken from."""

    def __init__(self, symbol: Symbol) -> None:
        self.symbol = symbol


def canonical(head: str) -> str:
    """The one name under which NumPy's function or our operation is written."""
    head = head.strip("_")
    return _CANONICAL.get(head, head)


def _pointwise(ufunc: Any, inputs: tuple[Any, ...]) -> Symbol:
    """A ufunc: its shape is known without a trial on whole arrays."""
    symbol = Symbol("", np.broadcast_shapes(*[getattr(x, "shape", ()) for x in inputs]))
    with np.errstate(all="ignore"):
        trial = ufunc(*[np.ones((), x.dtype) if hasattr(x, "dtype") else x for x in inputs])
    symbol.head, symbol.parts, symbol.compute, symbol.dtype = canonical(ufunc.__name__), inputs, ufunc, trial.dtype
    return symbol


def _evaluated(part: Any, values: Mapping[str, Any] | None) -> Any:
    """A part as an array: without values zeros of its shape, or identity matrices, which have inverses."""
    if isinstance(part, Symbol):
        return _stand_in(part.shape, part.dtype) if values is None else part.evaluate(values)
    if isinstance(part, _Whole):
        return part.symbol.compute(*[_evaluated(p, values) for p in part.symbol.parts])
    if type(part) in (list, tuple):
        return type(part)([_evaluated(p, values) for p in part])
    return part


def _stand_in(shape: tuple[int, ...], dtype: Any) -> Any:
    square = len(shape) > 1 and shape[-1] == shape[-2] and dtype.kind == "f"
    return np.zeros(shape, dtype) + np.eye(shape[-1], dtype=dtype) if square else np.zeros(shape, dtype)


# --- simplifying


def simplify(symbol: Any) -> Any:
    """The same value with less to read. Constants broadcast, so a simplified tree may have a smaller shape."""
    if not isinstance(symbol, Symbol) or symbol.head in (NAME, NUMBER):
        return symbol
    parts = tuple([[simplify(p) for p in part] if isinstance(part, list) else simplify(part) for part in symbol.parts])
    found = _RULES[symbol.head](symbol, *parts) if symbol.head in _RULES else None
    return _with_parts(symbol, parts) if found is None else found


def _with_parts(symbol: Symbol, parts: tuple[Any, ...]) -> Symbol:
    copy = Symbol("", symbol.shape, symbol.dtype)
    copy.head, copy.parts, copy.labels, copy.compute = symbol.head, parts, symbol.labels, symbol.compute
    return copy


def constant(part: Any) -> Any:
    """The number that a part is everywhere, or None."""
    if isinstance(part, Symbol):
        return part.parts[0] if part.head == NUMBER else None
    return part if isinstance(part, bool | int | float) else None


def _sized(value: Any, like: Symbol) -> Any:
    """A result of simplifying as a Symbol: numbers take the shape of what they replace."""
    if isinstance(value, Symbol):
        return Symbol.number(value.parts[0], like.shape, like.dtype) if value.head == NUMBER else value
    return Symbol.number(value, like.shape, like.dtype)


def _simplify_mul(s: Symbol, a: Any, b: Any) -> Any:
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
            and isinstance(other, Symbol)
            and other.head == "div"
            and constant(other.parts[1]) == number
        ):
            return _sized(other.parts[0], s)  # m·(x/m) is x
    if isinstance(b, Symbol) and b.head == "mul" and constant(b.parts[0]) is not None:
        return _with_one_number(s, a, constant(b.parts[0]), b.parts[1])
    if x is None and y is None and (_negated(a) or _negated(b)):
        return _signed(_positive(a) * _positive(b), _negated(a) != _negated(b))
    return None


def _with_one_number(s: Symbol, a: Any, number: Any, x: Any) -> Any:
    """a·(number·x) where a is a number or a quotient of two: 2·(3·x) is 6·x, 1/3·(2·x) is 2/3·x."""
    if constant(a) is not None:
        return simplify(_sized(constant(a) * number, s) * x)
    if isinstance(a, Symbol) and a.head == "div" and _is_constant(a):
        above, below = a.parts
        return simplify(simplify(_sized(constant(above) * number, s) / below) * x)
    return None


def _simplify_div(s: Symbol, a: Any, b: Any) -> Any:
    x, y = constant(a), constant(b)
    if x == 0:
        return _sized(0, s)
    if y == 1 or (y is not None and x == y):
        return _sized(1 if x == y else a, s)
    if _negated(a) or _negated(b):
        return _signed(_positive(a) / _positive(b), _negated(a) != _negated(b))
    return None  # 1/3 stays 1/3


def _negated(x: Any) -> bool:
    return isinstance(x, Symbol) and x.head == "neg"


def _positive(x: Any) -> Any:
    return x.parts[0] if _negated(x) else x


def _signed(x: Any, negative: bool) -> Any:
    """A sign in front of a product, where it is read best and may meet another."""
    x = simplify(x)
    return simplify(-x) if negative else x


def _simplify_add(s: Symbol, a: Any, b: Any) -> Any:
    x, y = constant(a), constant(b)
    if x == 0:
        return _sized(b, s)
    if y == 0:
        return _sized(a, s)
    if isinstance(b, Symbol) and b.head == "neg":
        return _sized(a, s) - b.parts[0]
    return _sized(x + y, s) if x is not None and y is not None else None


def _simplify_sub(s: Symbol, a: Any, b: Any) -> Any:
    x, y = constant(a), constant(b)
    if y == 0:
        return _sized(a, s)
    if x == 0:
        return simplify(-_sized(b, s))
    if isinstance(b, Symbol) and b.head == "neg":
        return _sized(a, s) + b.parts[0]
    return _sized(x - y, s) if x is not None and y is not None else None


def _simplify_neg(s: Symbol, a: Any) -> Any:
    if isinstance(a, Symbol) and a.head == "neg":
        return a.parts[0]
    x = constant(a)
    return None if x is None else _sized(-x, s)


def _simplify_pow(s: Symbol, a: Any, b: Any) -> Any:
    return _sized(1, s) if constant(b) == 0 else a if constant(b) == 1 else None


def _simplify_where(s: Symbol, condition: Any, a: Any, b: Any) -> Any:
    x, y = constant(a), constant(b)
    if x is not None and x == y:
        return _sized(x, s)
    if y == 0 and isinstance(condition, Symbol):  # the condition as a number, 1 or 0
        return condition if x == 1 else _sized(a, s) * condition
    if x == 0 and isinstance(condition, Symbol) and condition.head in _OPPOSITE:
        return simplify(_sized(b, s) * _OPPOSITE[condition.head](*condition.parts))
    return None


_OPPOSITE: dict[str, Callable[..., Any]] = {
    "eq": np.not_equal, "ne": np.equal, "lt": np.greater_equal, "le": np.greater, "gt": np.less_equal, "ge": np.less,
}  # fmt: skip


def _simplify_arrangement(s: Symbol, x: Any, *rest: Any) -> Any:
    """Repeating or arranging a number changes nothing that broadcasting would not do."""
    if _is_constant(x):
        return _sized(x, s)
    if isinstance(x, Symbol):
        if x.shape == s.shape or s.head == "cast" or (x.size == 1 and s.head == "expand"):
            return x
        if s.head == "expand" and x.head == "reshape" and x.parts[0].size == x.size:
            return _with_parts(s, (x.parts[0], *rest)) if x.parts[0].size == 1 else None
        if s.head == "reshape" and x.size == 1 == s.size:
            return x
    return None


def _is_constant(x: Any) -> bool:
    return constant(x) is not None or (isinstance(x, Symbol) and not _names_in(x))


def _simplify_transpose(s: Symbol, x: Any, *rest: Any) -> Any:
    if isinstance(x, Symbol) and x.ndim == 2 and x.head in ("matmul", "neg"):
        first, last = x.parts[0], x.parts[-1]
        return simplify(-first.T if x.head == "neg" else np.matmul(last.T, first.T))
    if isinstance(x, Symbol) and x.ndim == 2 and x.head == "transpose" and s.shape == x.parts[0].shape:
        return x.parts[0]
    return x if isinstance(x, Symbol) and x.ndim < 2 else None


def _simplify_matmul(s: Symbol, a: Any, b: Any) -> Any:
    if _negated(a) or _negated(b):
        return _signed(np.matmul(_positive(a), _positive(b)), _negated(a) != _negated(b))
    return None


def _simplify_reduced(s: Symbol, x: Any, *rest: Any) -> Any:
    if _negated(x) and s.head == "sum":
        return _signed(_with_parts(s, (x.parts[0], *rest)), True)
    return x if isinstance(x, Symbol) and x.shape == s.shape and s.head == "sum" and x.size == 1 else None


def _simplify_linear(s: Symbol, input: Any, weight: Any, bias: Any = None) -> Any:
    product = call("matmul", np.matmul, (input, weight.T))
    return product if bias is None else product + bias


_RULES: dict[str, Any] = {
    "mul": _simplify_mul, "div": _simplify_div, "add": _simplify_add, "sub": _simplify_sub, "neg": _simplify_neg,
    "pow": _simplify_pow, "where": _simplify_where, "expand": _simplify_arrangement, "cast": _simplify_arrangement,
    "reshape": _simplify_arrangement, "transpose": _simplify_transpose, "sum": _simplify_reduced,
    "linear": _simplify_linear, "matmul": _simplify_matmul,
    "zeros_like": lambda s, x: _sized(0, s),
    "squared_error": lambda s, input, target: (input - target) ** 2,
}  # fmt: skip


def _names_in(symbol: Any) -> set[str]:
    if isinstance(symbol, list):
        return set().union(*map(_names_in, symbol))
    if isinstance(symbol, _Whole):
        return _names_in(list(symbol.symbol.parts))
    if not isinstance(symbol, Symbol) or symbol.head == NUMBER:
        return set()
    return {symbol.parts[0]} if symbol.head == NAME else _names_in(list(symbol.parts))


def key(symbol: Any) -> Any:
    """What two simplified expressions have in common when they are the same."""
    if isinstance(symbol, Symbol):
        return (symbol.head, *map(key, symbol.parts))
    return tuple(map(key, symbol)) if isinstance(symbol, list | tuple) else repr(symbol)


def substitute(symbol: Any, known: Mapping[Any, str]) -> Any:
    """A simplified expression in which each part that `known` has a name for stands under that name."""
    if not isinstance(symbol, Symbol) or symbol.head in (NAME, NUMBER):
        return symbol
    name = known.get(key(symbol))
    if name is not None:
        return Symbol(name, symbol.shape, symbol.dtype)
    return _with_parts(symbol, tuple([substitute(part, known) for part in symbol.parts]))


# --- writing; each form comes with how tightly it binds

_TEST, _EDIT, _SUM, _MINUS, _PRODUCT, _MATRIX, _POWER, _ATOM = range(8)
_SUPERSCRIPT = str.maketrans("0123456789-.", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻·")
Values = Mapping[str, str]


def number_text(value: Any, digits: int = 5) -> str:
    """A number with `digits` significant digits and a proper minus sign."""
    if isinstance(value, bool):
        return str(int(value))
    text = str(value) if isinstance(value, int) else f"{value:.{digits}g}"
    return "0" if text == "-0" else text.replace("-", "−")


def _write(x: Any, values: Values) -> tuple[str, int]:
    if not isinstance(x, Symbol):
        return _write_option(x, values)
    if x.head == NAME:
        text = values.get(x.parts[0], x.parts[0])
        return text, _MINUS if text.startswith("−") else _ATOM
    if x.head == NUMBER:
        return _write_option(x.parts[0], values)
    writer = _WRITERS.get(x.head)
    return writer(x, values) if writer else _write_call(x, values)


def _write_option(value: Any, values: Values) -> tuple[str, int]:
    """A number or an option."""
    if isinstance(value, bool | int | float):
        text = number_text(value)
        return text, _MINUS if text.startswith("−") else _ATOM
    if isinstance(value, list | tuple):
        inner = ", ".join(_write(v, values)[0] for v in value)
        return (f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"), _ATOM
    if isinstance(value, slice):
        bounds = [("" if b is None else str(b)) for b in (value.start, value.stop)]
        return ":".join(bounds) + ("" if value.step is None else f":{value.step}"), _ATOM
    if backend.is_array(value):
        array = backend.to_numpy(value)
        return (
            "[" + " ".join(map(number_text, array.tolist())) + "]"
            if array.ndim == 1 and array.size <= 6
            else f"array{array.shape}"
        ), _ATOM
    return {None: "None", Ellipsis: "..."}.get(value, getattr(value, "name", str(value))), _ATOM


def _within(x: Any, binding: int, values: Values) -> str:
    """A part in a place that needs it to bind at least so tightly."""
    text, own = _write(x, values)
    if own == _TEST:
        return f"[{text}]"  # a condition as a number: 1 where it holds, else 0
    return text if own >= binding else f"({text})"


def _write_sum(x: Symbol, values: Values) -> tuple[str, int]:
    sign, right = (" + ", _SUM) if x.head == "add" else (" − ", _PRODUCT)
    a, b = x.parts
    second = _within(b, right, values)
    if second.startswith("−"):  # a + (−b) reads better as a − b
        sign, second = (" − ", second[1:]) if x.head == "add" else (sign, f"({second})")
    return _within(a, _SUM, values) + sign + second, _SUM


def _write_product(x: Symbol, values: Values) -> tuple[str, int]:
    a, b = x.parts
    first = _within(a, _MINUS, values)
    if isinstance(a, Symbol) and a.head == "matmul":
        first = f"({first})"
    second = _within(b, _PRODUCT if x.head == "mul" else _MATRIX, values)
    if isinstance(b, Symbol) and b.head == "matmul" and not _is_constant(a):
        second = f"({second})"
    return first + ("·" if x.head == "mul" else "/") + second, _MINUS if first.startswith("−") else _PRODUCT


def _write_neg(x: Symbol, values: Values) -> tuple[str, int]:
    return "−" + _within(x.parts[0], _PRODUCT, values), _MINUS


def _write_matmul(x: Symbol, values: Values) -> tuple[str, int]:
    a, b = x.parts
    transposed = "ᵀ" if a.ndim == 1 and b.ndim == 1 else ""
    return f"{_within(a, _MATRIX, values)}{transposed} {_within(b, _POWER, values)}", _MATRIX


def _write_pow(x: Symbol, values: Values) -> tuple[str, int]:
    base, exponent = x.parts
    n = constant(exponent)
    if n is not None and float(n).is_integer():
        return _within(base, _ATOM, values) + str(int(n)).translate(_SUPERSCRIPT), _POWER
    return f"{_within(base, _ATOM, values)}^{_within(exponent, _ATOM, values)}", _POWER


def _write_transpose(x: Symbol, values: Values) -> tuple[str, int]:
    inner = x.parts[0]
    swapped = inner.shape[:-2] + inner.shape[-2:][::-1]
    dims = [p for p in x.parts[1:] if isinstance(p, int)]
    if inner.ndim == 2 or (
        len(dims) == 2 and {d % inner.ndim for d in dims} == {inner.ndim - 1, inner.ndim - 2} and x.shape == swapped
    ):
        return _within(inner, _ATOM, values) + "ᵀ", _POWER
    return _write_call(x, values)


def _write_abs(x: Symbol, values: Values) -> tuple[str, int]:
    return f"|{_write(x.parts[0], values)[0]}|", _ATOM


def _write_comparison(x: Symbol, values: Values) -> tuple[str, int]:
    a, b = x.parts
    return f"{_within(a, _SUM, values)} {COMPARISONS[x.head]} {_within(b, _SUM, values)}", _TEST


def _write_logic(x: Symbol, values: Values) -> tuple[str, int]:
    return f" {x.head} ".join(_write(p, values)[0] for p in x.parts), _TEST


def _write_index(x: Symbol, values: Values) -> tuple[str, int]:
    index = x.parts[1] if isinstance(x.parts[1], tuple) else (x.parts[1],)
    return f"{_within(x.parts[0], _ATOM, values)}[{', '.join(_write(i, values)[0] for i in index)}]", _ATOM


def _write_edit(x: Symbol, values: Values) -> tuple[str, int]:
    """A value after a part of it was written: `y with y[:1] = v`; gradients have 0 there."""
    if x.head == "copy":  # everywhere
        return _write(x.parts[1], values)
    whole, *others = x.parts
    if x.head in ("copy_slices", "without_region"):
        part, new = _write(replay(others[-2], whole), values)[0], others[0] if x.head == "copy_slices" else 0
    else:
        index = others[-1] if x.head == "without" else others[1]
        place = index if isinstance(index, tuple) else (index,)
        part = f"{_within(whole, _ATOM, values)}[{', '.join(_write(i, values)[0] for i in place)}]"
        new = 0 if x.head == "without" else others[0]
    sign = "+=" if x.head == "index_add" else "="
    text = f"{_within(whole, _SUM, values)} with {part} {sign} {_within(new, _SUM, values)}"
    return (f"({text})", _ATOM) if x.head.startswith("without") else (text, _EDIT)  # a gradient stands in sums


def _write_part(x: Symbol, values: Values) -> tuple[str, int]:
    return f"{_write(x.parts[0].symbol, values)[0]}[{x.parts[1]}]", _ATOM


def _write_call(x: Symbol, values: Values) -> tuple[str, int]:
    """A function with its arguments; options by name, those that say nothing left out."""
    labels = x.labels or ("",) * len(x.parts)
    words = []
    for label, part in zip(labels, x.parts, strict=False):
        if isinstance(part, Symbol | list) or (label in ("", "input", "other") and part is not None):
            words.append(_write(part, values)[0])
            continue
        if label in ("dim", "axis") and isinstance(part, tuple) and len(part) == 1:
            part = part[0]
        unsaid = part is None or (isinstance(part, str) and part == "mean") or _is_type(part) or label in _UNSAID
        if not unsaid:
            words.append(
                f"{_SHORT.get(label, label)}={part}"
                if isinstance(part, int)
                else f"{_SHORT.get(label, label)}={_write(part, values)[0]}"
            )
    return f"{_CALLED.get(x.head, x.head)}({', '.join(words)})", _ATOM


def _is_type(value: Any) -> bool:
    return isinstance(value, np.dtype | type | backend.device) or type(value).__name__ == "dtype"


_UNSAID = {"device", "keepdim", "keepdims", "out"}  # what the shape of the result tells anyway
_SHORT = {"axis": "dim", "dims": "dim"}
_CALLED = {"log_softmax": "log softmax", "bce_with_logits": "bce", "index_put": "put"}
_WRITERS: dict[str, Any] = {
    "add": _write_sum, "sub": _write_sum, "mul": _write_product, "div": _write_product, "neg": _write_neg,
    "matmul": _write_matmul, "pow": _write_pow, "transpose": _write_transpose, "abs": _write_abs, "and": _write_logic,
    "or": _write_logic, "index": _write_index, PART: _write_part,
    **dict.fromkeys(("copy", "copy_slices", "index_add", "index_assign", "without", "without_region"), _write_edit),
    **dict.fromkeys(COMPARISONS, _write_comparison),
}  # fmt: skip


# --- reading a rule


def contributions(plan: Any, saved: Any, g: Any) -> list[Any]:
    """What the rules of a plan send to the node's parents, in their order: arrays for arrays, Symbols for Symbols.

    `saved` is as on the node. A list argument with a rule sends one part to each member that needs one.
    """
    mask: Any = None
    if plan.listed is not None:
        saved, mask = saved
    if isinstance(plan, Call):
        return _sent_by_function(plan, saved, g)
    if plan.operation.joint is not None:
        parts = dict(zip(plan.operation.rules, plan.rules[0](g, saved), strict=True))
        return [parts[name] for name in plan.needs]
    found: list[Any] = []
    for name, rule in zip(plan.needs, plan.rules, strict=True):
        part = rule(g, saved)
        found += [p for p, need in zip(part, mask, strict=True) if need] if name == plan.listed else [part]
    return found


def _sent_by_function(plan: Call, saved: Any, g: Any) -> list[Any]:
    """The same for a user's Function; its backward is code and no expression, so that Symbols write down its call."""
    gradients, ctx, node = g if plan.several else (g,), plan.ctx, plan.ctx._node()

    def send(*parts: Any) -> Any:
        before = node.saved, ctx._read
        node.saved, ctx._read = saved, False  # a walk may have freed it
        try:
            with walking(False):
                sent = dict(zip(plan.operation.rules, plan.contributions(parts if plan.several else parts[0], None)))
        finally:
            node.saved, ctx._read = before
        return tuple([sent[name] for name in plan.needs])

    if not any(isinstance(part, Symbol) for part in gradients):
        return list(send(*gradients))
    metas = tuple([meta for name, meta in zip(plan.operation.parameters, plan.inputs) if name in plan.needs])
    name = f"{plan.operation.name}.backward"
    if len(metas) == 1:
        return [call(name, lambda *parts: send(*parts)[0], gradients, like=metas[0])]
    return list(call(name, send, gradients, like=metas))


def derivative(
    operation: Any, argument: str, g: str = "ḡ", shapes: Mapping[str, tuple[int, ...]] | None = None, **values: Any
) -> str:
    """The rule of an operation for one argument as text, read off the rule that runs.

    Arguments: operation (a function of tinygrad_dl), argument (the input to differentiate by), g (what the gradient of
    the output is called; "1" gives the local derivative), shapes (of arguments and "out"; numbers without), values (by
    the name that the rule asks for: what an array is called, or the value of an option). Raises ArgumentError for an
    argument without a rule.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import viz
    >>> viz.derivative(tg.tanh, "input", out="a")
    'ḡ·(1 − a·a)'
    >>> viz.derivative(tg.div, "other", g="1", input="x", other="y")
    '−x/y/y'
    """
    made = _operation_of(operation)
    shapes = shapes or {}
    rule = made.rules.get(argument)
    if rule is None:
        raise ArgumentError(
            f"derivative: {made.name} has no rule for {argument!r}; it has rules for {', '.join(made.rules)}"
        )
    asked = rule.__code__.co_varnames[1 : rule.__code__.co_argcount]
    upstream = shapes.get("out", ())
    gradient = Symbol.number(1, upstream) if g == "1" else Symbol(g, upstream)
    return rule(gradient, *[_asked_value(made, name, shapes, values) for name in asked]).text()


def _operation_of(function: Any) -> Operation:
    """The operation behind a function, also where the function chooses among several (`add`, `div`, `pow`)."""
    found = getattr(function, "operation", None)
    if found is None:
        function = inspect.unwrap(function) if callable(function) else function
        name = getattr(function, "__name__", "")
        chosen = getattr(function, "__globals__", {}).get({"div": "true_divide"}.get(name, f"_{name}"))
        found = getattr(chosen, "operation", None)
    if found is None:
        raise ArgumentTypeError(
            f"derivative: {getattr(function, '__name__', function)!r} is not one operation with rules of its own"
        )
    return found


def _asked_value(
    operation: Operation, name: str, shapes: Mapping[str, tuple[int, ...]], values: Mapping[str, Any]
) -> Any:
    base, _, attribute = name.rpartition("_")
    if attribute == "shape" and base in operation.parameters:
        return shapes.get(base, ())
    if attribute == "dtype" and base in operation.parameters:
        return np.dtype(np.float64)
    value = values.get(name, name)
    return Symbol(value, shapes.get(name, ())) if isinstance(value, str) else value
