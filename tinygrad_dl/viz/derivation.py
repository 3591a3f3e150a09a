"""The derivation of a result as the notes write it: named local derivatives, then symbols, then numbers.

Every line is read off the rules that ran: with Symbols for the text, with the arrays of the trace for the numbers.
"""

import html
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import backend
from ..autograd import grad, unbroadcast
from ..creation import tensor as make_tensor
from ..errors import ArgumentError, ArgumentTypeError, GraphError, nearest
from ..tensor import Tensor
from .history import CONSTANT, RESULT, Argument, History, Value, results_of
from .symbol import Symbol, call, contributions, key, number_text, simplify, substitute
from .trace import Trace, TracedNode, call_user, trace

NOTATIONS = ("chain", "d", "bar")
FORWARD, BACKWARD = "Forward", "Backward"
_GAPS = {FORWARD: (4, 3), BACKWARD: (7, 2)}  # spaces behind the first two columns


def explain(
    f: Callable[..., Tensor] | Tensor | Trace,
    *inputs: Any,
    notation: str = "chain",
    per_example: bool = False,
    digits: int = 5,
) -> "Derivation":
    """The derivation of a number: each step forward, each gradient backward, as names, symbols and numbers.

    `viz.explain(f, *inputs)` runs f and traces it; `viz.explain(loss)` reads a loss that was computed under
    `viz.trace()`. Arguments: f (a function that returns one number, such a number, or a trace), inputs (tensors; a float
    becomes a leaf), notation ("chain" writes dJ/db = dJ/du · du/db, "d" writes dZ, dW, db as the notes' networks do,
    "bar" writes b̄), per_example (gradients of one example's loss, with 1/m in those of the leaves, as the notes do where
    J is a mean over m examples; else all are gradients of J), digits (significant digits of numbers). Touches no `.grad`.
    Raises GraphError when nothing was traced or the result is not one number. Source: notes, sections 1.1 to 1.8.

    >>> import tinygrad_dl as tg
    >>> from tinygrad_dl import viz
    >>> def f(b, c):
    ...     u = b * c
    ...     return u + b
    >>> print(viz.explain(f, 3.0, 2.0))
    Forward
      u = b·c      = 3·2     = 6
      J = u + b    = 6 + 3   = 9
    Backward
      dJ/du                           = 1                  = 1
      dJ/db = 1 + dJ/du · du/db       = 1 + 1·c = 1 + 1·2  = 3
      dJ/dc = dJ/du · du/dc           = 1·b = 1·3          = 3
    """
    if notation not in NOTATIONS:
        raise ArgumentError(f"explain: notation is {', '.join(map(repr, NOTATIONS))}, not {notation!r}.{nearest(notation, NOTATIONS)}")
    also: list[TracedNode] = []
    if callable(f) and not isinstance(f, Tensor):
        with Trace() as opened:
            result = call_user(f, [_as_input(value) for value in inputs])
        also = opened.nodes
    elif inputs:
        raise ArgumentTypeError(f"explain: inputs go to a function; {type(f).__name__} came with {len(inputs)} input(s)")
    else:
        result, also = f, (f.nodes if isinstance(f, Trace) else [])
    return Derivation(_history_of(result), also, notation, per_example, digits)


def _as_input(value: Any) -> Any:
    return make_tensor(float(value), requires_grad=True) if type(value) in (int, float) else value


def _history_of(result: Any) -> History:
    """The traced history of one number, with all gradients in it."""
    roots = results_of("explain", result)
    if len(roots) > 1:
        raise GraphError(f"explain: one number has a derivation, {len(roots)} results came; give the loss itself")
    history = History(roots)
    root = history.roots[0]
    if math.prod(root.shape if isinstance(root.shape, tuple) else ()) != 1:
        raise GraphError(f"explain: one number has a derivation, a result of shape {root.shape} came; end with .sum() or .mean()")
    untraced = next((value for value in history.values if value.kind == RESULT and value.record is None), None)
    if untraced is not None:
        raise GraphError(
            f"explain: {untraced.operation.name} (result of shape {untraced.shape}) was not traced, so its values are not known. "
            "Do the forward inside `with viz.trace():`, or pass the function: viz.explain(f, *inputs)"
        )
    if root.gradient is None:
        _walk_back(history, root, roots[0])
    return history


def _walk_back(history: History, root: Value, result: Any) -> None:
    """Let the engine compute all gradients, without touching any `.grad`."""
    if not isinstance(result, Tensor):
        raise GraphError("explain: backward has not run on this trace; give the loss itself: viz.explain(loss)")
    leaves = [value.tensor for value in history.values if value.kind == "leaf"]
    grad(result, leaves, retain_graph=True, allow_unused=True)
    for value in history.values:
        if value.record is not None:
            value.gradient = value.record.gradient


# --- reading an operation of the history


def argument_name(argument: Argument) -> str:
    """What an argument is called: its value's name, with the number of the output where there are several."""
    assert argument.value is not None
    return f"{argument.value.name}" + ("" if argument.output is None else f"[{argument.output}]")


def _argument_symbol(argument: Argument) -> Any:
    if argument.value is None:
        return argument.option
    array = argument.value.array if argument.output is None else argument.value.array[argument.output]
    return Symbol(argument_name(argument), array.shape, array.dtype)


def expression(value: Value) -> Any:
    """What a traced operation computes, as a Symbol of its arguments' names."""
    operation = value.operation
    parts: list[Any] = []
    for label in operation.parameters:
        found = [_argument_symbol(argument) for argument in value.arguments if argument.label == label]
        parts.append(found if label == operation.listed else found[0])
    result = call(operation.name, lambda *arrays: operation.run(arrays)[0], parts, tuple(operation.parameters), value.array)
    return result[0].parts[0].symbol if isinstance(result, tuple) else result


def paths(value: Value) -> list[Argument]:
    """The arguments to which an operation sends gradients, in the order of the node's parents."""
    plan = value.node.plan
    sent = [a for a in value.arguments if a.value is not None and a.value.kind != CONSTANT and a.label in plan.needs]
    return sorted(sent, key=lambda argument: argument.label == plan.listed)


def _saved_symbols(value: Value) -> Any:
    """What the node saved, arrays replaced by Symbols under the names of the history."""
    plan, record = value.node.plan, value.record
    assert record is not None
    saved, mask = record.saved if plan.listed is not None else (record.saved, None)
    symbols = []
    for name, kept in zip(plan.names, plan.saved_values(saved), strict=True):
        arguments = [_argument_symbol(argument) for argument in value.arguments if argument.label == name]
        if name == "out":
            symbols.append(_output_symbols(str(value.name), value.array))
        elif name == plan.listed:
            symbols.append(arguments)
        elif arguments and isinstance(arguments[0], Symbol):
            symbols.append(arguments[0])
        else:
            symbols.append(Symbol(name, kept.shape, kept.dtype) if backend.is_array(kept) else kept)
    packed = tuple(symbols) if len(symbols) > 1 else symbols[0] if symbols else None
    return packed if mask is None else (packed, mask)


def _output_symbols(name: str, array: Any) -> Any:
    if isinstance(array, tuple):
        return tuple([Symbol(f"{name}[{i}]", part.shape, part.dtype) for i, part in enumerate(array)])
    return Symbol(name, array.shape, array.dtype)


def readings(value: Value, g: Any) -> list[Any]:
    """For each of `paths(value)` what is sent along it, read by Symbols; g is a Symbol (or several)."""
    return _down_to_shapes(value, contributions(value.node.plan, _saved_symbols(value), g))


def sent(value: Value, gradient: Any) -> list[Any]:
    """For each of `paths(value)` what is sent along it: arrays, computed by the rules that the engine runs."""
    assert value.record is not None
    parts = _down_to_shapes(value, contributions(value.node.plan, value.record.saved, gradient))
    return [backend.scalar_array(part) if isinstance(part, np.generic) else part for part in parts]


def _down_to_shapes(value: Value, parts: Iterable[Any]) -> list[Any]:
    """The sums that undo broadcasting, as the walk does them."""
    found = []
    for argument, part in zip(paths(value), parts, strict=True):
        shape = _shape_of(argument)
        found.append(part if part is None or tuple(part.shape) == shape else unbroadcast(part, shape))
    return found


def _shape_of(argument: Argument) -> tuple[int, ...]:
    assert argument.value is not None
    array = argument.value.array
    return tuple((array if argument.output is None else array[argument.output]).shape)


def local_derivatives(value: Value) -> list[Symbol | None]:
    """For each of `paths(value)` the rule read with g = 1, where the operation works element by element; else None."""
    if isinstance(value.array, tuple):
        return [None] * len(paths(value))
    one = Symbol.number(1, value.array.shape, value.array.dtype)
    named = Symbol("ḡ", value.array.shape, value.array.dtype)
    through = contributions(value.node.plan, _saved_symbols(value), named)
    local = contributions(value.node.plan, _saved_symbols(value), one)
    return [
        simplify(part) if is_scaling(whole, _shape_of(argument), value) else None
        for argument, whole, part in zip(paths(value), through, local, strict=True)
    ]


def is_scaling(reading: Any, shape: tuple[int, ...], value: Value) -> bool:
    """Whether a reading multiplies each element of the gradient by a number of its own, and sums nothing."""
    scalar = value.array.size == 1 and math.prod(shape) == 1
    return isinstance(reading, Symbol) and (scalar or (reading.is_pointwise and tuple(reading.shape) == shape))


# --- the derivation


@dataclass
class Line:
    """One line: what it defines, its columns, and the number or array that it comes to."""

    phase: str
    name: str
    columns: list[str]
    value: Any
    shape: tuple[int, ...]
    block: list[str] = field(default_factory=list)  # the rows of a small matrix

    @property
    def text(self) -> str:
        """The line without alignment."""
        return "  ".join(self.columns)


class Derivation:
    """A derivation: `str()` gives its text, `.lines` its lines, `derivation["dJ/db"]` the value of a line."""

    def __init__(self, history: History, also: list[TracedNode], notation: str, per_example: bool, digits: int) -> None:
        history.name_all()
        self.notation, self.digits = notation, digits
        self.root = history.roots[0]
        self._values = history.values
        self._known, self._numbers = _named_expressions(history, also), _numbers(history, digits)
        self.examples = _count_of_mean(self.root)
        if per_example and self.examples is None:
            raise GraphError(f"explain: per_example needs a loss that is a mean over examples; {self.root.operation.name} made this one")
        self.factor = self.examples if per_example and self.examples else 1
        self.lines = [*self._forward(), *self._backward()]

    # --- forward

    def _forward(self) -> Iterator[Line]:
        for value in self._values:
            if value.kind == RESULT:
                formula = expression(value)
                columns = [f"{value.name} = {formula.text()}"]
                array = value.array
                yield self._line(FORWARD, str(value.name), columns, array, self._in_numbers(formula))

    def _in_numbers(self, formula: Symbol) -> str | None:
        """A formula with numbers for names; None when one of them is no single number."""
        names = simplify(formula).names()
        return formula.text(self._numbers) if names <= self._numbers.keys() else None

    def _line(self, phase: str, name: str, columns: list[str], value: Any, numbers: str | None) -> Line:
        if isinstance(value, tuple):
            return Line(phase, name, [*columns, " ".join(str(tuple(v.shape)) for v in value)], value, ())
        array = host(value)
        if array.size == 1 and array.ndim == 0:
            shown = [f"= {numbers}"] if numbers is not None else []
            if phase == BACKWARD and len(columns) > 1:  # "= 3·c = 3·2": symbols and numbers in one column
                *columns, symbols = columns
                shown = [symbols if numbers in (None, symbols[2:]) else f"{symbols} = {numbers}"]
            return Line(phase, name, [*columns, *shown, f"= {number_text(array.item(), self.digits)}"], array, ())
        shape = str(tuple(array.shape))
        rows = matrix_rows(array, self.digits)
        if len(rows) == 1:
            return Line(phase, name, [*columns, f"= {rows[0]}", shape], array, array.shape)
        return Line(phase, name, [*columns, shape], array, array.shape, rows)

    # --- backward

    def _backward(self) -> Iterator[Line]:
        """Gradients in the order in which they are complete: when all consumers have sent their part."""
        arrived: dict[Value, list[Term]] = {}
        waiting: dict[Value, int] = {}
        flowing = [value for value in self._values if value.kind == RESULT and value.gradient is not None]
        for value in flowing:
            for argument in paths(value):
                waiting[argument.value] = waiting.get(argument.value, 0) + 1  # type: ignore[index, arg-type]
        constants: dict[Value, Symbol] = {self.root: _constant_like(self.factor, self.root)}
        for value in reversed(flowing):
            for argument, term in self._terms(value, constants):
                target = argument.value
                assert target is not None
                arrived.setdefault(target, []).append(term)
                waiting[target] -= 1
                if not waiting[target]:
                    line = self._gradient_line(target, arrived[target])
                    only = arrived[target][0].symbols
                    if self.notation != "chain" and len(arrived[target]) == 1 and not only.names():
                        constants[target] = only
                    yield line

    def gradient_name(self, value: Value) -> str:
        """dJ/db, db or b̄."""
        if self.notation == "d":
            return f"d{value.name}"
        return f"{value.name}\u0304" if self.notation == "bar" else f"d{self.root.name}/d{value.name}"

    def _terms(self, value: Value, constants: Mapping[Value, Symbol]) -> Iterator[tuple[Argument, "Term"]]:
        """What an operation sends along each of its paths, as names, symbols and numbers."""
        name = self.gradient_name(value)
        named = _output_symbols(name, value.array)
        upstream = constants.get(value, named)
        arguments, locals_ = paths(value), local_derivatives(value)
        through = readings(value, upstream)
        arrays = sent(value, _times(value.gradient, self.factor))
        repeated = _places(arguments)
        chain = self.notation == "chain"
        for argument, local, part, array, place in zip(arguments, locals_, through, arrays, repeated, strict=True):
            if part is None:
                continue
            named_local = f"d{value.name}/d{argument_name(argument)}{place}"
            if chain and local is not None and value is self.root:
                term = Term("", local, self._named(local), array)
            elif chain and local is not None:
                scale = named if array.ndim else _Number(_single(value.gradient), self.digits)
                term = Term(f"{name} · {named_local}", local, self._product(scale, local), array)
            else:
                symbols = substitute(simplify(part), self._known)
                term = Term("" if value in constants else symbols.text(), symbols, symbols.text(), array)
            term.numbers = self._term_numbers(term, value, local if chain else None)
            yield argument, term

    def _named(self, formula: Symbol) -> str:
        return substitute(simplify(formula), self._known).text()

    def _product(self, scale: Any, local: Symbol) -> str:
        """upstream · local with the simplified factor still shown: 3·1."""
        local = substitute(simplify(local), self._known)
        return f"{scale.text()}·{local.factor()}"

    def _term_numbers(self, term: "Term", value: Value, local: Symbol | None) -> str | None:
        if term.array.ndim:
            return None
        if local is not None and value is not self.root:
            local = substitute(simplify(local), self._known)
            if local.names() <= self._numbers.keys():
                return f"{number_text(_single(value.gradient), self.digits)}·{local.factor(self._numbers)}"
            return None
        gradients = {self.gradient_name(value): _parenthesized(number_text(_single(_times(value.gradient, self.factor)), self.digits))} if not isinstance(value.array, tuple) and value.array.size == 1 else {}
        known = {**self._numbers, **gradients}
        return term.symbols.text(known) if term.symbols.names() <= known.keys() else None

    def _gradient_line(self, target: Value, terms: list["Term"]) -> Line:
        total = host(terms[0].array)
        for term in terms[1:]:
            total = total + host(term.array)
        name = self.gradient_name(target)
        mean = self.factor if target.kind == "leaf" else 1
        prefix = "" if mean == 1 else f"1/{mean}·" if len(terms) == 1 else f"1/{mean}·("
        suffix = ")" if prefix.endswith("(") else ""
        total = total / mean
        words = [term.words or (term.text if len(terms) > 1 else "") for term in terms]
        symbols = [term.text for term in terms]
        numbers = None if any(term.numbers is None for term in terms) else prefix + _joined([str(term.numbers) for term in terms]) + suffix
        first = f"{name} = {prefix}{_joined(words)}{suffix}" if any(words) else name
        written = prefix + _joined(symbols) + suffix
        columns = [first] if first == f"{name} = {written}" else [first, f"= {written}"]
        if total.ndim == 0 and len(columns) == 1 and numbers is not None and numbers != written:
            columns, numbers = [*columns, f"= {numbers}"], None
        return self._line(BACKWARD, name, columns, total, numbers)

    # --- reading and showing it

    def __getitem__(self, name: str) -> Any:
        """The value of a line by what it defines: `derivation["u"]`, `derivation["dJ/db"]`. Raises ArgumentError."""
        for line in self.lines:
            if line.name == name:
                return line.value.item() if line.value.ndim == 0 else line.value
        names = [line.name for line in self.lines]
        raise ArgumentError(f"derivation: there is no line for {name!r}; there are {', '.join(names)}.{nearest(name, names)}")

    def __str__(self) -> str:
        written = []
        for phase in (FORWARD, BACKWARD):
            note = self._note() if phase == BACKWARD else ""
            written += [phase + note, *_aligned([line for line in self.lines if line.phase == phase], _GAPS[phase])]
        return "\n".join(written)

    def _note(self) -> str:
        """Which gradient a network's dZ is: of J, or of one example's loss."""
        if self.notation == "chain" or not self.examples or self.examples == 1:
            return ""
        if self.factor > 1:
            return f"  (of each example's loss; 1/{self.examples} comes in with the leaves, as in the notes)"
        return f"  (of {self.root.name}, a mean over {self.examples}: dZ is 1/{self.examples} of the notes' dZ, which per_example=True shows)"

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        text = str(self)
        return {"text/plain": text, "text/html": f'<pre style="line-height:1.5">{html.escape(text)}</pre>'}


@dataclass
class Term:
    """What one path adds to a gradient: as named derivatives, as symbols, in numbers, and as an array."""

    words: str
    symbols: Symbol
    text: str
    array: Any
    numbers: str | None = None


@dataclass
class _Number:
    value: float
    digits: int

    def text(self) -> str:
        return number_text(self.value, self.digits)


def _parenthesized(text: str) -> str:
    return f"({text})" if text.startswith("−") else text


def _joined(terms: list[str]) -> str:
    """Terms as a sum."""
    text = terms[0]
    for term in terms[1:]:
        text += f" − {term[1:]}" if term.startswith("−") else f" + {term}"
    return text


def _places(arguments: list[Argument]) -> list[str]:
    """⁽¹⁾, ⁽²⁾ behind arguments that are the same value, so that both paths of a·a have a name."""
    count: dict[str, int] = {}
    names = [argument_name(argument) for argument in arguments]
    marks = []
    for name in names:
        count[name] = count.get(name, 0) + 1
        marks.append(f"⁽{str(count[name]).translate(_RAISED)}⁾" if names.count(name) > 1 else "")
    return marks


_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def _constant_like(number: float, value: Value) -> Symbol:
    return Symbol.number(number, value.array.shape, value.array.dtype)


def host(array: Any) -> Any:
    """An array of any device, or one of NumPy's scalars, as a host array."""
    return backend.to_numpy(backend.scalar_array(array) if isinstance(array, np.generic) else array)


def _times(gradient: Any, factor: float) -> Any:
    if factor == 1:
        return gradient
    return tuple([part * factor for part in gradient]) if isinstance(gradient, tuple) else gradient * factor


def _single(array: Any) -> float:
    return float(array.item())


def _numbers(history: History, digits: int) -> dict[str, str]:
    """The values of a history that are single numbers, as text by name."""
    found = {}
    for value in history.values:
        if not isinstance(value.array, tuple) and value.array.ndim == 0:
            found[str(value.name)] = number_text(value.array.item(), digits)
    return found


def _named_expressions(history: History, also: Iterable[TracedNode]) -> dict[Any, str]:
    """Names for what was computed, so that a rule's sigmoid(Z) is written A; also from branches that don't lead to the result."""
    found = {}
    for value in [*history.values, *history.branches(also)]:
        if value.kind == RESULT and value.name and not isinstance(value.array, tuple):
            found[key(simplify(expression(value)))] = str(value.name)
    return found


def _count_of_mean(root: Value) -> int | None:
    """How many examples a loss is the mean of, or None."""
    record = root.record
    assert record is not None
    options = dict(zip(record.operation.parameters, record.arrays, strict=True))
    if record.operation.name == "mean":
        return int(options["input"].size // max(root.array.size, 1))
    return int(options["target"].shape[0]) if options.get("reduction") == "mean" else None


def matrix_rows(array: np.ndarray, digits: int = 5, limit: int = 36) -> list[str]:
    """A small vector or matrix as aligned rows, a large one as a line that sums it up."""
    if array.size > limit or array.ndim > 2 or array.size == 0:
        if array.size == 0:
            return ["[]"]
        low, high, mean = (number_text(float(x), 3) for x in (array.min(), array.max(), array.mean()))
        return [f"{low} … {high}, mean {mean}"]
    rows = [array] if array.ndim == 1 else list(array) if array.ndim else [array.reshape(1)]
    write = _column_format(array, digits)
    cells = [[write(x) for x in row.tolist()] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    return ["[" + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) + "]" for row in cells]


def _column_format(array: np.ndarray, digits: int) -> Callable[[Any], str]:
    """How the numbers of a matrix are written: with as many decimals each, unless they are whole or differ much in size."""
    sizes = np.abs(array[array != 0])
    if array.dtype.kind != "f" or not sizes.size or not np.isfinite(sizes).all():
        return lambda x: number_text(x, digits)
    largest, smallest = float(sizes.max()), float(sizes.min())
    decimals = digits - 1 - math.floor(math.log10(largest))
    if (array == np.round(array)).all() or smallest < largest / 100 or not 0 < decimals < 8:
        return lambda x: number_text(x, digits)
    return lambda x: f"{x:.{min(decimals, digits)}f}".replace("-", "−")


def _aligned(lines: list[Line], gaps: tuple[int, int]) -> Iterator[str]:
    """Lines in columns; a last column stands by itself."""
    widths = [max([len(_bare(line.columns[i])) for line in lines if len(line.columns) > i + 1], default=0) for i in range(3)]
    for line in lines:
        text = " "
        for i, column in enumerate(line.columns):
            last = i == len(line.columns) - 1
            text += " " + column if i == 0 else column
            if not last:
                text += " " * (widths[i] - len(_bare(column)) + gaps[min(i, 1)])
        yield text.rstrip()
        yield from ("      " + row for row in line.block)


def _bare(text: str) -> str:
    """Text without combining marks, which take no width."""
    return text.replace("\u0304", "")
