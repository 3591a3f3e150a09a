"""Symbol: stands for an array in a rule and writes down what the rule does with it.

A rule is run with Symbols in place of arrays, exactly as the engine runs it with arrays; what comes out is a tree of
what was computed. The tree is written as text and evaluated on numbers (tests compare that with the rule on arrays).
With g = 1 the rule is the local derivative.
"""

import inspect
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import backend
from ..errors import ArgumentError, ArgumentTypeError
from ..function import Call
from ..modes import walking
from ..operation import Operation
from .formula import Formula
from .simplify import simplify
from .tree import NAME, NUMBER, PART, Tree, Whole, canonical, names_in
from .writing import Values, as_factor, written
from .writing import number_text as number_text  # how numbers are written beside formulas


class Symbol(Tree):
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

    __slots__ = ()
    __hash__ = object.__hash__  # `==` writes a comparison down
    __array_priority__ = 2000

    # --- what rules ask of arrays

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
        return names_in(simplify(self))

    def formula(self, values: Values | None = None) -> Formula:
        """The expression, simplified, with as few parentheses as it can be read with; names replaced by `values`."""
        return written(simplify(self), values or {})

    def text(self, values: Values | None = None) -> str:
        """The same as text."""
        return self.formula(values).text()

    def as_factor(self, values: Values | None = None) -> Formula:
        """The expression as it stands behind the dot of a product: a sum and a negative number in parentheses."""
        return as_factor(simplify(self), values or {})

    def factor(self, values: Values | None = None) -> str:
        """The same as text."""
        return self.as_factor(values).text()

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
    return tuple([call(PART, operator.getitem, (Whole(symbol), i), like=part) for i, part in enumerate(trial)])


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
    if isinstance(part, Whole):
        return part.symbol.compute(*[_evaluated(p, values) for p in part.symbol.parts])
    if type(part) in (list, tuple):
        return type(part)([_evaluated(p, values) for p in part])
    return part


def _stand_in(shape: tuple[int, ...], dtype: Any) -> Any:
    square = len(shape) > 1 and shape[-1] == shape[-2] and dtype.kind == "f"
    return np.zeros(shape, dtype) + np.eye(shape[-1], dtype=dtype) if square else np.zeros(shape, dtype)


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
